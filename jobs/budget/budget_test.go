package budget

import (
	"testing"
	"time"
)

func TestABillingMonthBeginsOnItsDay(t *testing.T) {
	t.Parallel()
	for now, want := range map[string]string{"2026-11-14": "2026-10", "2026-11-15": "2026-11", "2026-01-03": "2025-12"} {
		begun, err := time.Parse(time.DateOnly, now)
		if err != nil {
			t.Fatal(err)
		}
		b := New(map[string]Account{"moz": {MonthStartsOn: 15}}, func() time.Time { return begun })
		if got := b.Month("moz"); got != want {
			t.Errorf("on %s the month is %s, want %s", now, got, want)
		}
	}
}
