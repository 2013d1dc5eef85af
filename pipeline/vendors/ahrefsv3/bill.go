package ahrefsv3

import (
	"fmt"
	"strconv"

	"backhaul/pipeline"
)

// Bill is what Ahrefs says about the price of a reply in its headers. Source: Ahrefs, limits and consumption.
type Bill struct {
	// Rows is x-api-rows: 1 for a single object.
	Rows int
	// Row is x-api-units-cost-row, Total is x-api-units-cost-total: the price by the rule, charged or not. 0 where the
	// header is absent.
	Row, Total pipeline.Units
	// Actual is x-api-units-cost-total-actual: what was charged.
	Actual pipeline.Units
	// Cache is x-api-cache: hit, miss or no_cache.
	Cache string
}

// ReadBill reads the bill from a reply's headers; header returns "" for one that is absent. An error means that what was
// charged is not said, or nonsense, and must be taken from the price. That errors carry a bill is not known.
func ReadBill(header func(name string) string) (Bill, error) {
	b := Bill{Cache: header("x-api-cache")}
	rows, err := number(header, "x-api-rows", true)
	if err != nil {
		return Bill{}, err
	}
	b.Rows = int(rows)
	for _, h := range []struct {
		units    *pipeline.Units
		name     string
		required bool
	}{
		{&b.Row, "x-api-units-cost-row", false},
		{&b.Total, "x-api-units-cost-total", false},
		{&b.Actual, "x-api-units-cost-total-actual", true},
	} {
		n, err := number(header, h.name, h.required)
		if err != nil {
			return Bill{}, err
		}
		*h.units = pipeline.Units(n)
	}
	return b, nil
}

func number(header func(string) string, name string, required bool) (int64, error) {
	text := header(name)
	if text == "" && !required {
		return 0, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("read the bill: header %s is %.40q, not a count", name, text)
	}
	return n, nil
}
