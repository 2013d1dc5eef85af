package report

import (
	"testing"

	"backhaul/pipeline"
)

func TestPricesAreSpelledAsTheirRule(t *testing.T) {
	for want, p := range map[string]pipeline.Price{
		"free":                                  {},
		"1 unit a row":                          {PerRow: 1, MaxRows: 50},
		"15 units a row, at least 50 a request": {PerRow: 15, Least: 50},
		"at least 50 a request":                 {Least: 50},
		"11 units a request and 1 unit for every 5 rows":      {PerRequest: 11, PerRow: 1, Every: 5},
		"3 units a target or source (assumed: rows are rows)": {PerInput: 3, Assumed: "rows are rows"},
	} {
		if got := PriceText(p); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := PriceText(pipeline.Price{PerRow: 5, Free: true}); got != "free" {
		t.Error(got)
	}
}
