package ahrefsv3

import (
	"slices"
	"testing"

	"backhaul/pipeline"
	"backhaul/testdata/vendors"
)

// extract is Ahrefs' OpenAPI document boiled down, one entry per path.
type extract map[string]struct {
	Envelope, Kind string
	Params         []string
	Select         map[string]column
	Where          map[string]struct {
		Type  string
		Units pipeline.Units
		Enum  []string
	}
}

type column struct {
	Type, Format string
	Nullable     bool
	Units        pipeline.Units
	Items, Enum  []string
}

func readExtract(t *testing.T) extract {
	t.Helper()
	var sample struct{ V3 extract }
	vendors.Decode(t, "ahrefs/fields.json", &sample)
	return sample.V3
}

// openAPI are the types as the response schemas spell them; filterType as the text of `where` does.
var (
	openAPI = map[Type]struct {
		name, format string
		items        []string
	}{
		String: {"string", "", nil}, URL: {"string", "url", nil}, Date: {"string", "date", nil}, DateTime: {"string", "date-time", nil},
		Integer: {"integer", "", nil}, Float: {"number", "float", nil}, Boolean: {"boolean", "", nil},
		Strings: {"array", "", []string{"string", ""}}, URLs: {"array", "", []string{"string", "url"}},
		Integers: {"array", "", []string{"integer", ""}}, Pairs: {"array", "", []string{"array", ""}},
	}
	filterType = map[Type]string{
		String: "string", URL: "string", Date: "date", DateTime: "datetime", Integer: "integer", Float: "float",
		Boolean: "boolean", Strings: "array(string)", URLs: "array(url)", Integers: "array(integer)",
	}
)

func TestReportsAreThoseOfTheOpenAPIDocument(t *testing.T) {
	document := readExtract(t)
	for _, r := range reports {
		e, ok := document["/"+r.Path]
		if !ok {
			t.Errorf("%s: no path %s", r.Name, r.Path)
			continue
		}
		if r.Envelope != e.Envelope || (r.Kind == Single) != (e.Kind == "object") {
			t.Errorf("%s: envelope %s of kind %d, want %s of kind %s", r.Name, r.Envelope, r.Kind, e.Envelope, e.Kind)
		}
		params := map[string]bool{}
		for _, p := range e.Params {
			params[p] = true
		}
		if r.Kind == Batch { // its parameters are in a body, see the fact sheet
			params["select"] = true
		}
		if r.Selects() != params["select"] || (r.Kind == List) != params["where"] || (r.Kind == List) != params["limit"] || (r.Kind == Series) != params["date_from"] {
			t.Errorf("%s is not of kind %d: it takes %v", r.Name, r.Kind, params)
		}
		compareFields(t, r, e.Select)
	}
}

func compareFields(t *testing.T, r *Report, want map[string]column) {
	t.Helper()
	if len(r.Fields) != len(want) {
		t.Errorf("%s has %d fields, want %d", r.Name, len(r.Fields), len(want))
	}
	for _, f := range r.Fields {
		w, ok := want[f.Name]
		typ := openAPI[f.Type]
		switch {
		case !ok:
			t.Errorf("%s has no field %s", r.Name, f.Name)
		case typ.name != w.Type || typ.format != w.Format || !slices.Equal(typ.items, w.Items):
			t.Errorf("%s.%s: type %v, want %s %s of %v", r.Name, f.Name, typ, w.Type, w.Format, w.Items)
		case f.Nullable != w.Nullable || f.Units != w.Units || !slices.Equal(f.Values, w.Enum):
			t.Errorf("%s.%s: nullable %v, %d units, %v; want %v, %d, %v", r.Name, f.Name, f.Nullable, f.Units, f.Values, w.Nullable, w.Units, w.Enum)
		case f.Meaning == "":
			t.Errorf("%s.%s: no meaning", r.Name, f.Name)
		}
	}
}

func TestFiltersAreThoseOfTheOpenAPIDocument(t *testing.T) {
	document := readExtract(t)
	filters := 0
	for _, r := range reports {
		where := document["/"+r.Path].Where
		for name, w := range where {
			filters++
			f := r.Filter(name)
			if f == nil {
				t.Errorf("%s cannot be filtered by %s", r.Name, name)
				continue
			}
			typ := filterType[f.Type]
			if f.Nullable {
				typ += " nullable"
			}
			if typ != w.Type || f.Units != w.Units || !slices.Equal(f.Values, w.Enum) {
				t.Errorf("%s.%s: %s, %d units, %v; want %s, %d, %v", r.Name, name, typ, f.Units, f.Values, w.Type, w.Units, w.Enum)
			}
		}
		for _, f := range slices.Concat(r.Fields, r.Filters) {
			if _, ok := where[f.Name]; !ok && r.Filter(f.Name) != nil {
				t.Errorf("%s can be filtered by %s, which the document does not know", r.Name, f.Name)
			}
		}
	}
	if filters < 300 {
		t.Errorf("only %d filters were compared", filters)
	}
}

func TestDeclarationsHaveNothingTwice(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range reports {
		if seen[r.Name] || Lookup(r.Name) != r {
			t.Errorf("%s is not found, or twice there", r.Name)
		}
		seen[r.Name] = true
		for _, f := range slices.Concat(r.Fields, r.Filters) {
			if seen[r.Name+"."+f.Name] {
				t.Errorf("%s.%s is twice there", r.Name, f.Name)
			}
			seen[r.Name+"."+f.Name] = true
		}
		for _, name := range r.Unordered {
			if r.Field(name) == nil {
				t.Errorf("%s: %s cannot be ordered by, but is no field", r.Name, name)
			}
		}
	}
	if len(reports) != 14 || Lookup("backlinks") != nil {
		t.Errorf("%d reports", len(reports))
	}
}

// Lookup returns the report of that name, or nil.
func Lookup(name string) *Report {
	for _, r := range reports {
		if r.Name == name {
			return r
		}
	}
	return nil
}
