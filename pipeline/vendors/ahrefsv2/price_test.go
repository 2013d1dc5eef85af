package ahrefsv2

import (
	"slices"
	"strings"
	"testing"

	"backhaul/pipeline"
	"backhaul/testdata/vendors"
)

func price(table string, q Request) pipeline.Price { return Lookup(table).Price(q) }

// The last of the golden vectors of the fact sheet, and the table of costs it is computed from.
func TestRequestCostsItsClausesAndItsResults(t *testing.T) {
	for name, tc := range map[string]struct {
		price pipeline.Price
		rows  int
		want  pipeline.Units
	}{
		"13: anchors, where and having":        {price("anchors", Request{Where: `backlinks>3`, Having: `refdomains>1`}), 2, 13},
		"anchors":                              {price("anchors", Request{}), 1000, 1001},
		"anchors without a result":             {price("anchors", Request{}), 0, 1},
		"where":                                {price("anchors", Request{Where: `anchor="x"`}), 0, 6},
		"having":                               {price("anchors", Request{Having: `refdomains>1`}), 0, 6},
		"offset":                               {price("anchors", Request{Offset: 1000}), 10, 16},
		"all three":                            {price("anchors", Request{Where: "a", Having: "b", Offset: 1}), 1, 17},
		"backlinks: one result":                {price("backlinks", Request{}), 1, 2},
		"backlinks: five results":              {price("backlinks", Request{}), 5, 2},
		"backlinks: six results":               {price("backlinks", Request{}), 6, 3},
		"backlinks: 1000 results":              {price("backlinks", Request{}), 1000, 201},
		"backlinks: 5 million results exactly": {price("backlinks", Request{}), 5_000_000, 1_000_001},
		"backlinks_new_lost":                   {price("backlinks_new_lost", Request{}), 11, 4},
		"broken_backlinks":                     {price("broken_backlinks", Request{}), 3, 16},
		"backlinks_one_per_domain":             {price("backlinks_one_per_domain", Request{}), 3, 16},
		"metrics":                              {price("metrics", Request{Target: "example.com"}), 1, 1},
		"subscription_info":                    {price("subscription_info", Request{}), 1, 0},
		"a free target":                        {price("anchors", Request{Target: "ahrefs.com", Where: "a"}), 900, 0},
		"a subdomain of it":                    {price("anchors", Request{Target: "https://Help.ahrefs.com/x"}), 900, 0},
		"not it":                               {price("anchors", Request{Target: "notahrefs.com"}), 9, 10},
		"it in the path":                       {price("anchors", Request{Target: "example.com/ahrefs.com"}), 9, 10},
	} {
		if got := tc.price.Actual(pipeline.Reply{Rows: tc.rows}); got != tc.want {
			t.Errorf("%s: %d rows cost %d, want %d", name, tc.rows, got, tc.want)
		}
		if got := tc.price.Worst(tc.rows); tc.rows > 0 && got != tc.want {
			t.Errorf("%s: asking for %d rows may cost %d, want %d", name, tc.rows, got, tc.want)
		}
	}
}

func TestWorstCaseWithoutALimitIsTheLargestReply(t *testing.T) {
	if got := price("anchors", Request{}).Worst(0); got != 5_000_001 {
		t.Errorf("%d units, want 5000001", got)
	}
}

func TestPriceSaysWhatIsAssumed(t *testing.T) {
	for _, tc := range []struct {
		table, says string
		q           Request
	}{
		{"anchors", "", Request{}}, {"backlinks", "rounded up", Request{}}, {"anchors", "offset", Request{Offset: 1}},
		{"backlinks", "offset", Request{Offset: 1}}, {"backlinks", "rounded", Request{Offset: 1}},
	} {
		if got := price(tc.table, tc.q).Assumed; !strings.Contains(got, tc.says) || tc.says == "" && got != "" {
			t.Errorf("%s %+v assumes %q, want %q in it", tc.table, tc.q, got, tc.says)
		}
	}
}

func TestColumnsAreThoseOfAhrefsClients(t *testing.T) {
	var sample struct {
		V2 map[string][]struct {
			Name, Type    string
			Where, Having bool
		}
	}
	vendors.Decode(t, "ahrefs/fields.json", &sample)
	types := map[string]Type{"string": String, "int": Integer, "date": Date, "boolean": Boolean}
	if len(sample.V2) < 20 {
		t.Fatalf("the extract has %d tables", len(sample.V2))
	}
	for name, columns := range sample.V2 {
		table := Lookup(name)
		if table == nil {
			t.Errorf("%s is not declared", name)
			continue
		}
		var want []Column
		for _, c := range columns {
			column := Column{Name: c.Name, Type: types[c.Type]}
			if c.Where {
				column.Use |= Where
			}
			if c.Having {
				column.Use |= Having
			}
			want = append(want, column)
		}
		if !slices.Equal(table.Columns, want) {
			t.Errorf("%s has columns %v, want %v", name, table.Columns, want)
		}
	}
	for _, table := range tables {
		if _, known := sample.V2[table.Name]; !known && len(table.Columns) > 0 {
			t.Errorf("%s has columns that the extract does not know", table.Name)
		}
	}
}

func TestTablesAreFoundByName(t *testing.T) {
	seen := map[string]bool{}
	for _, table := range tables {
		if Lookup(table.Name) != table || seen[table.Name] {
			t.Errorf("%s is not found, or twice there", table.Name)
		}
		seen[table.Name] = true
		for _, c := range table.Columns {
			if *table.Column(c.Name) != c {
				t.Errorf("%s.%s is twice there", table.Name, c.Name)
			}
		}
	}
	if Lookup("nothing") != nil || Lookup("anchors").Column("nothing") != nil {
		t.Error("something was found for nothing")
	}
	if c := Lookup("anchors").Column("refdomain"); c == nil || c.Use != Where {
		t.Errorf("anchors.refdomain is for where alone, not %+v", c)
	}
}

// Lookup returns the table of that name, or nil.
func Lookup(name string) *Table {
	for _, t := range tables {
		if t.Name == name {
			return t
		}
	}
	return nil
}
