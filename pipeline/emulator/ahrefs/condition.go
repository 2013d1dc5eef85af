package ahrefs

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// parseTest reads one condition on a value of the kind: ["gt", 5], "empty" or "is_null". Null meets "is_null" alone (chosen).
func parseTest(raw json.RawMessage, kind kind, fold bool) (func(any) bool, error) {
	var word string
	if json.Unmarshal(raw, &word) == nil {
		switch word {
		case "is_null":
			return func(v any) bool { return v == nil }, nil
		case "empty":
			return empty, nil
		}
		return nil, fmt.Errorf("unknown condition %q", word)
	}
	var pair []json.RawMessage
	if json.Unmarshal(raw, &pair) != nil || len(pair) != 2 || json.Unmarshal(pair[0], &word) != nil {
		return nil, errors.New(`a condition must be ["operator", value], "empty" or "is_null"`)
	}
	want, err := parseValue(pair[1], kind)
	if err != nil {
		return nil, err
	}
	test, err := parseOperator(word, want, kind, fold)
	if err != nil {
		return nil, err
	}
	return func(v any) bool { return v != nil && test(v) }, nil
}

func empty(v any) bool {
	switch v := v.(type) {
	case string:
		return v == ""
	case []string:
		return len(v) == 0
	case []int:
		return len(v) == 0
	}
	return false
}

// parseValue reads a value of the field's type. Booleans may be 1 and 0, as clients in production send them; dates may stand for times.
func parseValue(raw json.RawMessage, kind kind) (any, error) {
	var s string
	var n int
	var f float64
	var b bool
	switch kind {
	case text, texts:
		if json.Unmarshal(raw, &s) == nil && string(raw) != "null" {
			return s, nil
		}
	case stamp, day:
		if json.Unmarshal(raw, &s) == nil {
			for _, layout := range []string{time.DateOnly, time.RFC3339} {
				if t, err := time.Parse(layout, s); err == nil && kind == stamp {
					return t.UTC().Format(time.RFC3339), nil
				} else if err == nil {
					return t.UTC().Format(time.DateOnly), nil
				}
			}
		}
	case whole, wholes:
		if string(raw) != "null" && json.Unmarshal(raw, &n) == nil {
			return n, nil
		}
	case real:
		if string(raw) != "null" && json.Unmarshal(raw, &f) == nil {
			return f, nil
		}
	case flag:
		if string(raw) != "null" && json.Unmarshal(raw, &b) == nil {
			return b, nil
		}
		if json.Unmarshal(raw, &n) == nil && (n == 0 || n == 1) && string(raw) != "null" {
			return n == 1, nil
		}
	}
	return nil, fmt.Errorf("bad value %s", raw)
}

// parseOperator knows the operators of the filter syntax page. Those without an i heed case (chosen for eq, prefix and suffix).
func parseOperator(op string, want any, kind kind, fold bool) (func(any) bool, error) {
	order := func(accept func(int) bool) func(any) bool {
		if kind == flag {
			return nil
		}
		return func(v any) bool { return accept(compare(v, want, fold)) }
	}
	var test func(any) bool
	switch op {
	case "eq":
		return func(v any) bool { return compare(v, want, false) == 0 }, nil
	case "neq":
		return func(v any) bool { return compare(v, want, false) != 0 }, nil
	case "gt":
		test = order(func(c int) bool { return c > 0 })
	case "gte":
		test = order(func(c int) bool { return c >= 0 })
	case "lt":
		test = order(func(c int) bool { return c < 0 })
	case "lte":
		test = order(func(c int) bool { return c <= 0 })
	default:
		s, ok := want.(string)
		if !ok || kind != text {
			return nil, fmt.Errorf("operator %q does not go with this field", op)
		}
		return parseText(op, s)
	}
	if test == nil {
		return nil, fmt.Errorf("operator %q does not go with this field", op)
	}
	return test, nil
}

func parseText(op, want string) (func(any) bool, error) {
	match := func(f func(s, want string) bool) (func(any) bool, error) {
		return func(v any) bool { return f(v.(string), want) }, nil
	}
	lower := func(f func(s, want string) bool) (func(any) bool, error) {
		folded := strings.ToLower(want)
		return func(v any) bool { return f(strings.ToLower(v.(string)), folded) }, nil
	}
	switch op {
	case "substring":
		return match(strings.Contains)
	case "isubstring":
		return lower(strings.Contains)
	case "phrase_match":
		return match(hasPhrase)
	case "iphrase_match":
		return lower(hasPhrase)
	case "prefix":
		return match(strings.HasPrefix)
	case "suffix":
		return match(strings.HasSuffix)
	case "regex": // Site Explorer has RE2, which is Go's
		re, err := regexp.Compile(want)
		if err != nil {
			return nil, fmt.Errorf("bad regex: %w", err)
		}
		return func(v any) bool { return re.MatchString(v.(string)) }, nil
	}
	return nil, fmt.Errorf("unknown operator %q", op)
}

// hasPhrase tells whether s has the phrase between words: no letter or digit stands next to it (chosen).
func hasPhrase(s, phrase string) bool {
	word := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
	for at := 0; phrase != ""; {
		i := strings.Index(s[at:], phrase)
		if i < 0 {
			return false
		}
		before, _ := utf8.DecodeLastRuneInString(s[:at+i])
		after, _ := utf8.DecodeRuneInString(s[at+i+len(phrase):])
		if !word(before) && !word(after) {
			return true
		}
		_, size := utf8.DecodeRuneInString(s[at+i:])
		at += i + size
	}
	return true
}

func modifier(raw json.RawMessage, kind kind) (func(any) any, error) {
	if raw == nil {
		return nil, nil
	}
	var name string
	change := map[string]func(string) string{"uppercase": strings.ToUpper, "lowercase": strings.ToLower}
	if json.Unmarshal(raw, &name) != nil || change[name] == nil || kind != text {
		return nil, fmt.Errorf("bad modifier %s", raw)
	}
	return func(v any) any {
		if s, ok := v.(string); ok {
			return change[name](s)
		}
		return v
	}, nil
}

// compare orders two values of one kind; null comes after everything else.
func compare(a, b any, fold bool) int {
	if a == nil || b == nil {
		return cmp.Compare(rank(a), rank(b))
	}
	switch a := a.(type) {
	case string:
		b := b.(string)
		if fold {
			a, b = strings.ToLower(a), strings.ToLower(b)
		}
		return strings.Compare(a, b) // UTF-8 in bytes is the order of code points
	case int:
		return cmp.Compare(a, b.(int))
	case float64:
		return cmp.Compare(a, b.(float64))
	case bool:
		return cmp.Compare(number(a), number(b.(bool)))
	}
	return 0 // lists are not ordered
}

func rank(v any) int { return number(v == nil) }

func number(b bool) int {
	if b {
		return 1
	}
	return 0
}
