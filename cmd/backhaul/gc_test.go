package main

import (
	"testing"
	"time"

	"backhaul/schemas"
)

func TestAnAgeIsForTheTablesItIsGivenFor(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	const day = 24 * time.Hour
	before, err := retention(gcFlags{rows: []string{"moz.links=30d", "2w"}, rejected: "1w"}, now)
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range schemas.All() {
		want := time.Time{} // the account stays
		switch {
		case table.FullName() == "moz.links": // its own age counts, wherever it stands
			want = now.Add(-30 * day)
		case table.FullName() == "ops.rejected_rows":
			want = now.Add(-7 * day)
		case table.Vendor():
			want = now.Add(-14 * day)
		}
		if got := before[table]; !got.Equal(want) {
			t.Errorf("%s goes before %v, want %v", table.FullName(), got, want)
		}
	}
}
