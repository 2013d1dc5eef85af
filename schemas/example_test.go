package schemas_test

import (
	"fmt"

	"backhaul/schemas"
)

// A table is looked up by the name that SQL has for it.
func ExampleLookup() {
	t := schemas.Lookup("moz.anchor_text")
	fmt.Println(t.Meaning)
	for _, c := range t.Own {
		fmt.Println(c.Name, c.Type)
	}
	fmt.Println(schemas.Lookup("moz.no_such_table"))
	// Output:
	// one anchor text of followed external links to the target, most linking domains first
	// anchor_text VARCHAR
	// external_root_domains BIGINT
	// external_pages BIGINT
	// <nil>
}

// The Arrow schema has the table's own columns first, then those that every vendor table carries. What a column means
// travels with it, into Parquet files too.
func ExampleTable_Arrow() {
	arrow := schemas.Lookup("moz.anchor_text").Arrow()
	for _, f := range arrow.Fields() {
		fmt.Println(f.Name, f.Type, f.Nullable)
	}
	unit, _ := arrow.Field(1).Metadata.GetValue("unit")
	fmt.Println(arrow.Field(1).Name, "is counted in", unit)
	// Output:
	// anchor_text utf8 false
	// external_root_domains int64 false
	// external_pages int64 false
	// target utf8 true
	// target_as_given utf8 true
	// scope utf8 true
	// rank int64 false
	// job utf8 false
	// extract utf8 false
	// run_id utf8 false
	// run_date date32 false
	// surface utf8 false
	// fetched_at timestamp[us] false
	// page_seq int32 false
	// extra utf8 true
	// external_root_domains is counted in root domains
}
