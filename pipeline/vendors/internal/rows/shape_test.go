package rows

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"

	"backhaul/schemas"
)

// sample has a column of every type, on three levels.
var sample = &schemas.Table{Schema: "moz", Name: "sample", Own: []schemas.Column{
	{Name: "text", Type: schemas.String, Required: true},
	{Name: "count", Type: schemas.Int64},
	{Name: "small", Type: schemas.Int32},
	{Name: "score", Type: schemas.Int64, NoValue: []string{"-1"}},
	{Name: "ratio", Type: schemas.Float64, NoValue: []string{"-1"}},
	{Name: "yes", Type: schemas.Bool},
	{Name: "day", Type: schemas.Date},
	{Name: "at", Type: schemas.Timestamp},
	{Name: "kind", Type: schemas.String, NoValue: []string{"none", ""}},
	{Name: "source_page", Type: schemas.String, Required: true},
	{Name: "source_rank", Type: schemas.Int64},
	{Name: "deep", Type: schemas.String},
	{Name: "tags", Type: schemas.Strings},
	{Name: "places", Type: schemas.Int32s},
	{Name: "days", Type: schemas.Dates},
	{Name: "elsewhere", Type: schemas.String},
}}

var sampleRules = []Rule{{Column: "source_*", Path: "source.*"}, {Column: "deep", Path: "source.in.deep"}, {Column: "elsewhere"}}

var sampleShape = MustCompile(sample, sampleRules...)

// tellingShape is that of sample where every null would say something.
var tellingShape = func() *Shape {
	own := slices.Clone(sample.Own)
	for i := range own {
		own[i].Telling = true
	}
	return MustCompile(&schemas.Table{Schema: sample.Schema, Name: sample.Name, Own: own}, sampleRules...)
}()

// load decodes a list and returns its rows by column, without the common ones but extra, and what was rejected.
func load(t testing.TB, s *Shape, list string) ([]map[string]any, []schemas.Rejection) {
	t.Helper()
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	b := schemas.NewBuilder(mem, s.table)
	defer b.Release()
	b.Begin(schemas.Origin{Rank: 1})
	r, err := Scan([]byte(`{"results":`+list+`}`), layout)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Load(r, b); err != nil {
		t.Fatal(err)
	}
	batch := b.Batch()
	defer batch.Release()
	out := make([]map[string]any, batch.NumRows())
	for i := range out {
		out[i] = map[string]any{}
		for j, c := range s.table.Columns() {
			if column := batch.Column(j); column.IsValid(i) && (j < len(s.table.Own) || c.Name == schemas.ColExtra) {
				out[i][c.Name] = column.GetOneForMarshal(i)
			}
		}
	}
	return out, b.Rejected()
}

func TestEveryTypeIsConverted(t *testing.T) {
	got, rejected := load(t, sampleShape, `[{"text":"a\"\u0000\ud83d\ude00","count":18753876101,"small":-7,"score":100,"ratio":730.3268433,
		"yes":true,"day":"2026-02-28","at":"2026-02-28T12:00:00+02:00","kind":"x",
		"source":{"page":"moz.com/","rank":9223372036854775807,"in":{"deep":"d"}},
		"tags":["a","b\n"],"places":[0,2.0],"days":["2026-01-01"]}]`)
	want := []map[string]any{{"text": "a\"\x00😀", "count": int64(18753876101), "small": int32(-7), "score": int64(100), "ratio": 730.3268433,
		"yes": true, "day": "2026-02-28", "at": "2026-02-28T10:00:00", "kind": "x",
		"source_page": "moz.com/", "source_rank": int64(math.MaxInt64), "deep": "d"}}
	for i := range got {
		for list, text := range map[string]string{"tags": `["a","b\n"]`, "places": `[0,2]`, "days": `["2026-01-01"]`} {
			if s := strings.TrimSpace(string(toText(got[i][list]))); s != text {
				t.Errorf("%s: %s", list, s)
			}
			delete(got[i], list)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || len(rejected) > 0 {
		t.Error(diff, rejected)
	}
}

func toText(v any) []byte {
	if m, ok := v.(interface{ MarshalJSON() ([]byte, error) }); ok {
		b, _ := m.MarshalJSON()
		return b
	}
	b, _ := v.([]byte)
	return append([]byte(nil), b...)
}

// fits is a row that fits, with one member more.
func fits(member string) string {
	if member != "" {
		member = "," + member
	}
	return `[{"text":"","source":{"page":"p"}` + member + `}]`
}

func TestNoValueBecomesNull(t *testing.T) {
	for _, member := range []string{
		``, `"score":-1`, `"score":-1.0`, `"score":"-1"`, `"ratio":-1`, `"ratio":-1.0`, `"day":""`, `"at":""`, `"kind":"none"`, `"kind":""`,
		`"count":null`, `"yes":null`, `"day":null`, `"kind":null`, `"tags":null`,
	} {
		got, rejected := load(t, sampleShape, fits(member))
		if diff := cmp.Diff([]map[string]any{{"text": "", "source_page": "p"}}, got); diff != "" || len(rejected) > 0 {
			t.Errorf("%s: %s %v", member, diff, rejected)
		}
	}
	got, _ := load(t, sampleShape, `[{"text":"","source":{"page":"p","in":null}}]`)
	if len(got) != 1 {
		t.Error("an object may be null if nothing in it is required")
	}
}

func TestZeroIsAValueWhereTheColumnDoesNotSayOtherwise(t *testing.T) {
	got, _ := load(t, sampleShape, fits(`"score":0,"count":-1,"ratio":0,"yes":false`))
	want := []map[string]any{{"text": "", "source_page": "p", "score": int64(0), "count": int64(-1), "ratio": 0.0, "yes": false}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAValueThatMisfitsAnOptionalColumnIsKeptBesideTheRow(t *testing.T) {
	for field, value := range map[string]string{
		"count": `"abc"`, "small": `2147483648`, "ratio": `"1"`, "yes": `1`, "day": `"2026-02-31"`, "at": `"yesterday"`, "kind": `[7]`,
		"tags": `["a",null]`, "places": `[1.5]`, "days": `["2026-13-01"]`,
	} {
		want := map[string]any{"text": "", "source_page": "p", "extra": `{"` + field + `":` + value + `}`}
		misfits(t, fits(`"`+field+`":`+value), want, schemas.Drift{Field: field, Kind: schemas.Misfit, Rows: 1, Example: value})
	}
	misfits(t, `[{"text":"","source":{"page":"p","rank":"first","new":1,"in":[]},"count":3}]`,
		map[string]any{"text": "", "source_page": "p", "count": int64(3), "extra": `{"source":{"in":[],"new":1,"rank":"first"}}`},
		schemas.Drift{Field: "source.in", Kind: schemas.Misfit, Rows: 1, Example: "[]"},
		schemas.Drift{Field: "source.new", Kind: schemas.NewField, Rows: 1, Example: "1"},
		schemas.Drift{Field: "source.rank", Kind: schemas.Misfit, Rows: 1, Example: `"first"`})
}

// misfits loads a list of one row, which is that and drifts so.
func misfits(t *testing.T, list string, want map[string]any, drift ...schemas.Drift) {
	t.Helper()
	got, rejected := load(t, sampleShape, list)
	if diff := cmp.Diff([]map[string]any{want}, got); diff != "" || len(rejected) > 0 {
		t.Errorf("%s: %s %v", list, diff, rejected)
	}
	b := schemas.NewBuilder(memory.DefaultAllocator, sample)
	defer b.Release()
	b.Begin(schemas.Origin{Rank: 1})
	r, err := Scan([]byte(`{"results":`+list+`}`), layout)
	if err == nil {
		err = sampleShape.Load(r, b)
	}
	if diff := cmp.Diff(drift, b.Drift()); diff != "" || err != nil {
		t.Errorf("%s: %v %s", list, err, diff)
	}
	if again := b.Drift(); len(again) > 0 {
		t.Errorf("%s: told twice: %v", list, again)
	}
}

func TestRowsThatDoNotFitSayWhy(t *testing.T) {
	for list, reason := range map[string]string{
		`[{"source":{"page":"p"}}]`:                     `text: missing`,
		`[{"text":null,"source":{"page":"p"}}]`:         `text: want a string, got null`,
		`[{"text":"","source":{}}]`:                     `source.page: missing`,
		`[{"text":""}]`:                                 `source.page: missing`,
		`[{"text":"","source":null}]`:                   `source.page: missing`,
		`[{"text":"","source":"moz.com"}]`:              `source: want an object, got "moz.com"`,
		`[{"text":"","source":{"page":"p","in":[]}}]`:   `source.in: want an object, got []`,
		`[{"text":12,"source":{"page":"p"}}]`:           `text: want a string, got 12`,
		fits(`"count":"abc"`):                           `count: want an integer, got "abc"`,
		fits(`"count":1.5`):                             `count: want an integer, got 1.5`,
		fits(`"count":1e400`):                           `count: want an integer, got 1e400`,
		fits(`"count":9223372036854775808`):             `count: want an integer, got 9223372036854775808`,
		fits(`"count":true`):                            `count: want an integer, got true`,
		fits(`"count":{"a": 1}`):                        `count: want an integer, got {"a": 1}`,
		fits(`"small":2147483648`):                      `small: want a 32-bit integer, got 2147483648`,
		fits(`"ratio":1e400`):                           `ratio: want a number, got 1e400`,
		fits(`"ratio":"1"`):                             `ratio: want a number, got "1"`,
		fits(`"ratio":false`):                           `ratio: want a number, got false`,
		fits(`"yes":1`):                                 `yes: want true or false, got 1`,
		fits(`"yes":"true"`):                            `yes: want true or false, got "true"`,
		fits(`"day":"2026-02-31"`):                      `day: want a date YYYY-MM-DD, got "2026-02-31"`,
		fits(`"day":20260231`):                          `day: want a date YYYY-MM-DD, got 20260231`,
		fits(`"at":"yesterday"`):                        `at: want a time, got "yesterday"`,
		fits(`"tags":["a",null]`):                       `tags: want a list of strings, got ["a",null]`,
		fits(`"tags":"a"`):                              `tags: want a list of strings, got "a"`,
		fits(`"places":[1.5]`):                          `places: want a list of integers, got [1.5]`,
		fits(`"days":["2026-13-01"]`):                   `days: want a list of dates, got ["2026-13-01"]`,
		fits(`"day":"` + strings.Repeat("ü", 99) + `"`): `day: want a date YYYY-MM-DD, got "` + strings.Repeat("ü", 28) + `…`,
		`[17]`:   `want an object, got 17`,
		`[[]]`:   `want an object, got []`,
		`[null]`: `want an object, got null`,
		`["{}"]`: `want an object, got "{}"`,
	} {
		got, rejected := load(t, tellingShape, list)
		if field, _, _ := strings.Cut(reason, ": "); len(got) != 0 || len(rejected) != 1 || rejected[0].Reason != reason || rejected[0].Field != field && rejected[0].Field != "" {
			t.Errorf("%s: %v %+v, want %q", list, got, rejected, reason)
		} else if raw := list[1 : len(list)-1]; string(rejected[0].JSON) != raw {
			t.Errorf("%s: kept as %s", list, rejected[0].JSON)
		}
	}
}

func TestOthersOfThePageAreLoaded(t *testing.T) {
	row := strings.Trim(fits(""), "[]")
	got, rejected := load(t, sampleShape, "["+row+`, 17, `+row+`, {"text":1}, `+row+"]")
	if len(got) != 3 || len(rejected) != 2 || rejected[0].Row != 1 || rejected[1].Row != 3 || string(rejected[0].JSON) != "17" {
		t.Errorf("%d rows, %+v", len(got), rejected)
	}
}

func TestUnknownMembersGoToExtra(t *testing.T) {
	for list, want := range map[string]string{
		fits(`"new":1`): `{"new":1}`,
		fits(`"z":1,"a":{ "y" : [1 , 2], "b":null }`):                         `{"a":{"b":null,"y":[1,2]},"z":1}`,
		fits(`"n":1.0,"e":1e400,"big":18753876101234567890123,"m":-0`):        `{"big":18753876101234567890123,"e":1e400,"m":-0,"n":1.0}`,
		fits(`"s":"\u0041\/\u00fc","\u0061":"\ud83d\ude00"`):                  `{"a":"😀","s":"A/ü"}`,
		fits(`"elsewhere":"x"`):                                               `{"elsewhere":"x"}`,
		fits(`"source_page":"x"`):                                             `{"source_page":"x"}`,
		`[{"text":"","source":{"foo":1,"page":"p"}}]`:                         `{"source":{"foo":1}}`,
		`[{"text":"","source":{"page":"p","in":{"foo":{}}},"z":[]}]`:          `{"source":{"in":{"foo":{}}},"z":[]}`,
		`[{"text":"","source":{"page":"p","in":{"foo":1},"bar":2},"a":3}]`:    `{"a":3,"source":{"bar":2,"in":{"foo":1}}}`,
		`[{"b":3,"text":"","source":{"bar":2,"page":"p","in":{"deep":"d"}}}]`: `{"b":3,"source":{"bar":2}}`,
	} {
		got, rejected := load(t, sampleShape, list)
		if len(got) != 1 || got[0]["extra"] != want {
			t.Errorf("%s: %v %v, want %s", list, got, rejected, want)
		}
	}
	if got, _ := load(t, sampleShape, fits("")); got[0]["extra"] != nil {
		t.Error("extra without unknown members")
	}
}

func TestLoadStopsWhenTheBuilderIsFull(t *testing.T) {
	b := schemas.NewBuilder(memory.DefaultAllocator, sample)
	defer b.Release()
	row := strings.Trim(fits(""), "[]")
	r, err := Scan([]byte(`{"results":[`+row+`,`+row+`,17]}`), layout)
	if err != nil {
		t.Fatal(err)
	}
	b.Begin(schemas.Origin{Rank: 1, Most: 2})
	if err := sampleShape.Load(r, b); err != nil || b.Len() != 2 || len(b.Rejected()) != 0 {
		t.Errorf("%d rows, %v", b.Len(), err)
	}
	other := schemas.NewBuilder(memory.DefaultAllocator, schemas.Lookup("moz.anchor_text"))
	defer other.Release()
	if err := sampleShape.Load(r, other); err == nil {
		t.Error("rows went into another table's builder")
	}
}

func TestCompileRefusesContradictions(t *testing.T) {
	for name, rules := range map[string][]Rule{
		"two columns, one member":      {{Column: "count", Path: "text"}},
		"value and object at once":     {{Column: "count", Path: "text.count"}},
		"object and value at once":     {{Column: "deep", Path: "source"}},
		"required column from nowhere": {{Column: "text"}},
	} {
		if _, err := Compile(sample, append(rules, Rule{Column: "source_*", Path: "source.*"})...); err == nil {
			t.Error(name)
		}
	}
}

func TestIntegersAreExactHoweverSpelled(t *testing.T) {
	for raw, want := range map[string]int64{
		"0": 0, "-0": 0, "0.0": 0, "0e999999999999999999999": 0, "-0.000": 0, "7": 7, "-7": -7, "2.0": 2, "2.000e0": 2, "0.2e1": 2, "20e-1": 2, "1e3": 1000, "1E+3": 1000,
		"18753876101": 18753876101, "9007199254740993": 9007199254740993, "9007199254740993.0": 9007199254740993,
		"9223372036854775807": math.MaxInt64, "-9223372036854775808": math.MinInt64, "9.223372036854775807e18": math.MaxInt64, "999999999999999999": 999999999999999999,
		"1000000000000000000": 1000000000000000000, "1e18": 1000000000000000000, "0.000000000000000000000001e24": 1,
	} {
		if got, ok := integer([]byte(raw)); !ok || got != want {
			t.Errorf("%s: %d, %v", raw, got, ok)
		}
	}
	for _, raw := range []string{"1.5", "1e400", "1e19", "1e999999999999999999999", "1e-1", "1e-999999999999999999999", "9223372036854775808", "-9223372036854775809", "0.1", "true", "", "-", "x"} {
		if got, ok := integer([]byte(raw)); ok {
			t.Errorf("%s: %d", raw, got)
		}
	}
}

func TestDatesAreDaysThatExist(t *testing.T) {
	for day := time.Date(1895, 12, 25, 0, 0, 0, 0, time.UTC); day.Year() < 2105; day = day.AddDate(0, 0, 1) {
		got, ok := date([]byte(day.Format(time.DateOnly)))
		if want := int64(math.Floor(day.Sub(time.Unix(0, 0)).Hours() / 24)); !ok || got != want {
			t.Fatalf("%s: %d, %v, want %d", day, got, ok, want)
		}
	}
	for _, s := range []string{"2026-02-29", "2026-02-31", "1900-02-29", "2026-13-01", "2026-00-10", "2026-01-00", "2026-04-31", "0000-00-00", "0000-01-01", "2026-1-1", "26-01-01",
		"2026/01/01", "2026-01-01T", " 2026-01-1", "2026-01-1 ", "+026-01-01", "2026-0a-01", "٢٠٢٦-01-01", "2026-01-01 "} {
		if got, ok := date([]byte(s)); ok {
			t.Errorf("%q: %d", s, got)
		}
	}
}

func TestARawColumnTakesAnyValueAsItsJSON(t *testing.T) {
	table := &schemas.Table{Schema: "moz", Name: "raw", Own: []schemas.Column{{Name: "pairs", Type: schemas.String}, {Name: "n", Type: schemas.Int64}}}
	shape := MustCompile(table, Rule{Column: "pairs", Path: "in.pairs", Raw: true})
	for member, want := range map[string]any{
		`[["us", 12],["de",3]]`: `[["us", 12],["de",3]]`, `{"a":[null]}`: `{"a":[null]}`, `"te\u0078t"`: `"te\u0078t"`, `7.50`: `7.50`, `[]`: `[]`, `null`: nil,
	} {
		got, rejected := load(t, shape, `[{"in":{"pairs":`+member+`},"n":1}]`)
		if len(rejected) > 0 || got[0]["pairs"] != want || got[0]["n"] != int64(1) {
			t.Errorf("%s: %v, rejected %v", member, got, rejected)
		}
	}
	if _, err := Compile(table, Rule{Column: "n", Path: "n", Raw: true}); err == nil {
		t.Error("a number is filled with JSON")
	}
}

func TestAMemberThatAnotherTableHasIsReadPast(t *testing.T) {
	shape := MustCompile(sample, Rule{Column: "source_*", Path: "source.*"}, Rule{Path: "histories"}, Rule{Path: "source.series"})
	got, rejected := load(t, shape, `[{"text":"a","histories":{"deep":[1,{"b":2}]},"new":1,"source":{"page":"p","series":[3],"other":2}}]`)
	want := []map[string]any{{"text": "a", "source_page": "p", "extra": `{"new":1,"source":{"other":2}}`}}
	if diff := cmp.Diff(want, got); diff != "" || len(rejected) > 0 {
		t.Error(diff, rejected)
	}
	if _, err := Compile(sample, Rule{Column: "source_*", Path: "source.*"}, Rule{Path: "text"}); err == nil {
		t.Error("a column's member is read past")
	}
}
