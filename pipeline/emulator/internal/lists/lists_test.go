package lists

import (
	"strconv"
	"testing"
)

type size int

func (s size) Len() int { return int(s) }

func TestListsAreMadeOnceAndForgottenWithinBounds(t *testing.T) {
	l := Lists[size]{Most: 3, Rows: 100}
	made := map[string]int{}
	get := func(key string) {
		n, _ := strconv.Atoi(key)
		if got := l.Get(key, func() size { made[key]++; return size(n) }); int(got) != n {
			t.Errorf("%s: %d rows", key, got)
		}
	}
	for _, key := range []string{"10", "20", "30", "10"} {
		get(key)
	}
	get("40") // one list too many: 20 was asked for longest ago
	get("10")
	get("20")
	get("500") // too many rows: it stays alone
	get("500")
	get("10")
	want := map[string]int{"10": 2, "20": 2, "30": 1, "40": 1, "500": 1}
	for key, n := range want {
		if made[key] != n {
			t.Errorf("%s was made %d times, want %d", key, made[key], n)
		}
	}
}
