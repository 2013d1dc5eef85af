// Package words spells numbers, amounts and times as people read them, so that every message of the program does it alike.
package words

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Count spells a number with commas between thousands.
func Count[N ~int | ~int32 | ~int64](n N) string {
	s := strconv.FormatInt(int64(n), 10)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// Plural spells a number of things.
func Plural[N ~int | ~int32 | ~int64](n N, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return Count(n) + " " + several(thing)
}

// several spells more than one of a thing: a reply and a query end as no key and no day does.
func several(thing string) string {
	if stem, ends := strings.CutSuffix(thing, "y"); ends && !strings.ContainsAny(stem[len(stem)-1:], "aeo") {
		return stem + "ies"
	}
	return thing + "s"
}

// Ordinal spells a place in a row: 2nd, 11th, 23rd.
func Ordinal(n int) string {
	ends := "th"
	if n/10%10 != 1 {
		switch n % 10 {
		case 1:
			ends = "st"
		case 2:
			ends = "nd"
		case 3:
			ends = "rd"
		}
	}
	return Count(n) + ends
}

// Are spells a number of things and the verb that follows them.
func Are[N ~int | ~int32 | ~int64](n N, thing string) string {
	if n == 1 {
		return "1 " + thing + " is"
	}
	return Plural(n, thing) + " are"
}

// Bytes spells a size.
func Bytes(n int64) string {
	f, unit := float64(n), 0
	for f >= 1024 && unit < 4 {
		f /= 1024
		unit++
	}
	if unit == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", f, []string{"B", "KiB", "MiB", "GiB", "TiB"}[unit])
}

// Duration spells seconds as people read them.
func Duration(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	if d < time.Minute {
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	text := d.Round(time.Second).String()
	for _, end := range []string{"m0s", "h0m"} {
		if rest, ends := strings.CutSuffix(text, end); ends {
			text = rest + end[:1]
		}
	}
	return text
}
