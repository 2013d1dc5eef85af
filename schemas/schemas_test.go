package schemas

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"

	"backhaul/testdata/vendors"
)

func TestEveryColumnSaysWhatItMeansAndWhereItComesFrom(t *testing.T) {
	for _, table := range All() {
		if table.Meaning == "" || table.Source == "" {
			t.Errorf("%s: no meaning or source", table.FullName())
		}
		for _, c := range table.Columns() {
			if c.Meaning == "" || c.Source == "" {
				t.Errorf("%s.%s: no meaning or source", table.FullName(), c.Name)
			}
		}
		for _, key := range table.Key {
			if table.Index(key) < 0 {
				t.Errorf("%s: key column %s does not exist", table.FullName(), key)
			}
		}
		for i, f := range table.Arrow().Fields() {
			if meaning, _ := f.Metadata.GetValue("meaning"); meaning != table.Columns()[i].Meaning {
				t.Errorf("%s.%s: the Arrow field says %q", table.FullName(), f.Name, meaning)
			}
		}
	}
}

// Readers of the lake take a partition's name for a column of every file: one of that name inside is hidden, or refused.
func TestNoColumnIsNamedLikeThePartition(t *testing.T) {
	for _, table := range All() {
		if table.Index("month") >= 0 {
			t.Errorf("%s has a column month, which the lake's month=YYYY-MM shadows", table.FullName())
		}
	}
}

func TestVendorTablesEndWithTheCommonColumnsInTheContractsOrder(t *testing.T) {
	want := strings.Fields("target target_as_given scope rank job extract run_id run_date surface fetched_at page_seq extra")
	seen := 0
	for _, table := range All() {
		if !table.Vendor() {
			continue
		}
		seen++
		var got []string
		for _, c := range table.Columns()[len(table.Own):] {
			got = append(got, c.Name)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", table.FullName(), diff)
		}
	}
	if seen == 0 {
		t.Error("no vendor table")
	}
}

func TestTheMetricsAreThoseOfARealReply(t *testing.T) {
	var reply struct{ Results []map[string]any }
	vendors.Decode(t, "moz/v2_url_metrics.json", &reply)
	declared := map[string]bool{}
	for _, name := range MozMetricNames() {
		declared[name] = true
	}
	if len(declared) != 52 || len(reply.Results) == 0 {
		t.Fatalf("%d metrics, %d results", len(declared), len(reply.Results))
	}
	for _, r := range reply.Results {
		for name := range r {
			if !declared[name] {
				t.Errorf("%s is not declared", name)
			}
		}
		if len(r) != len(declared) {
			t.Errorf("the vendor sends %d metrics", len(r))
		}
	}
}

var origin = Origin{Target: "a.example", TargetAsGiven: "https://a.example", Scope: "page", Job: "j", Extract: "x", RunID: "r",
	RunDate: 20780, Surface: "v2", FetchedAt: time.Date(2026, 11, 23, 1, 2, 3, 4000, time.UTC), PageSeq: 7, Rank: 51}

func add(b *Builder, text string) {
	row := b.Row()
	row.SetString(0, text)
	row.SetInt(1, 18_753_876_101)
	row.SetInt(2, 1)
	b.Append()
}

func texts(batch arrow.RecordBatch) []string {
	var out []string
	column := batch.Column(0).(*array.String)
	for i := range column.Len() {
		out = append(out, column.Value(i))
	}
	return out
}

func TestTheBuilderFillsTheCommonColumnsAndCountsTheRank(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	table := Lookup("moz.anchor_text")
	b := NewBuilder(mem, table)
	defer b.Release()
	b.Begin(origin)
	add(b, "")
	add(b, "b")
	batch := b.Batch()
	defer batch.Release()
	want := map[string]string{"anchor_text": "", "external_root_domains": "18753876101", "external_pages": "1", "target": "a.example",
		"target_as_given": "https://a.example", "scope": "page", "rank": "51", "job": "j", "extract": "x", "run_id": "r",
		"run_date": "2026-11-23", "surface": "v2", "fetched_at": "2026-11-23T01:02:03.000004", "page_seq": "7", "extra": array.NullValueStr}
	got := map[string]string{}
	for i, c := range table.Columns() {
		got[c.Name] = batch.Column(i).ValueStr(0)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if rank := batch.Column(table.Index("rank")).ValueStr(1); rank != "52" || b.NextRank() != 53 {
		t.Errorf("the second row has rank %s, the next %d", rank, b.NextRank())
	}
}

func TestAPageStopsAtTheRowsThatAreWanted(t *testing.T) {
	b := NewBuilder(memory.DefaultAllocator, Lookup("moz.anchor_text"))
	defer b.Release()
	o := origin
	o.Most = 2
	b.Begin(o)
	for _, text := range []string{"a", "b", "c"} {
		add(b, text)
	}
	if b.Len() != 2 || !b.Full() {
		t.Errorf("%d rows, full: %v", b.Len(), b.Full())
	}
}

func TestAListReadAgainAddsOnlyWhatIsNew(t *testing.T) {
	table := Lookup("moz.anchor_text")
	b := NewBuilder(memory.DefaultAllocator, table)
	defer b.Release()
	held := NewHeld(table)
	o := origin
	o.Held = held
	b.Begin(o)
	for _, text := range []string{"a", "b", "b"} { // the same text twice in one chain is two rows
		add(b, text)
	}
	held.Restart()
	for _, text := range []string{"new", "a", "b", "b", "b", "c"} {
		add(b, text)
	}
	held.Restart()
	for _, text := range []string{"a", "b", "c", "d"} {
		add(b, text)
	}
	batch := b.Batch()
	defer batch.Release()
	if diff := cmp.Diff([]string{"a", "b", "b", "new", "b", "c", "d"}, texts(batch)); diff != "" {
		t.Error(diff)
	}
}

// keysOf returns what a builder of keys says of rows that add fills in.
func keysOf(t *Table, rows ...func(r *Row)) []uint64 {
	b := NewKeys(t)
	b.Begin(origin)
	for _, fill := range rows {
		fill(b.Row())
		b.Append()
	}
	return b.Keys()
}

func set(t *Table, column, text string) func(*Row) {
	return func(r *Row) { r.SetString(t.Index(column), text) }
}

func TestRowsAreKnownAgainByTheirKey(t *testing.T) {
	table := Lookup("moz.anchor_text")
	anchor := func(text string, pages int64) func(*Row) {
		return func(r *Row) { r.SetString(0, text); r.SetInt(2, pages) }
	}
	got := keysOf(table, anchor("a", 1), anchor("b", 1), anchor("a", 2))
	if len(got) != 3 || got[0] != got[2] || got[0] == got[1] {
		t.Errorf("%x", got)
	}
}

// A page may link to another twice with the same text: such rows are two, as long as anything tells them apart.
func TestRowsUnderACoarseKeyAreKnownAgainByAllTheirColumns(t *testing.T) {
	for _, name := range []string{"ahrefs.all_backlinks", "ahrefs.broken_backlinks", "moz.links"} {
		table := Lookup(name)
		link := func(snippet string) func(*Row) {
			return func(r *Row) { set(table, table.Key[0], "https://a.example/")(r); set(table, ColExtra, snippet)(r) }
		}
		got := keysOf(table, link("left"), link("right"), link("left"))
		if len(got) != 3 || got[0] == got[1] || got[0] != got[2] {
			t.Errorf("%s: %x", name, got)
		}
	}
}

func TestRowsWithoutTheirKeyAreNotKnownAgain(t *testing.T) {
	table := Lookup("ahrefs.anchors")
	if got := keysOf(table, func(*Row) {}, func(*Row) {}); len(got) != 0 {
		t.Errorf("%x: a request that leaves the key out makes honest rows look alike", got)
	}
}

func TestARejectedRowIsKnownAgainByItsJSON(t *testing.T) {
	b := NewKeys(Lookup("moz.anchor_text"))
	b.Begin(origin)
	b.Reject(0, []byte(`{"a":1}`), errors.New("no anchor_text"))
	b.Reject(1, []byte(`{"a":2}`), errors.New("no anchor_text"))
	b.Reject(2, []byte(`{"a":1}`), errors.New("no anchor_text"))
	if got := b.Keys(); len(got) != 3 || got[0] != got[2] || got[0] == got[1] || len(b.Keys()) != 0 {
		t.Errorf("%x", got)
	}
}

// begin returns a builder of a table's rows from there.
func begin(t *testing.T, table *Table, from Origin) *Builder {
	b := NewBuilder(memory.DefaultAllocator, table)
	t.Cleanup(b.Release)
	b.Begin(from)
	return b
}

func TestAListThatRepeatsItselfKeepsEveryRowOnce(t *testing.T) {
	table := Lookup("moz.anchor_text")
	o := origin
	o.Held = NewList(table)
	b := begin(t, table, o)
	for _, page := range [][]string{{"a", "b", "b"}, {"c"}, {"a", "b", "b"}, {"c", "d"}} {
		for _, text := range page {
			add(b, text)
		}
		o.Held.Restart()
	}
	batch := b.Batch()
	defer batch.Release()
	if diff := cmp.Diff([]string{"a", "b", "b", "c", "d"}, texts(batch)); diff != "" {
		t.Error(diff)
	}
}

func TestAhrefsColumnsHaveAPriceUnlessOnlyV2HasThem(t *testing.T) {
	tables := 0
	for _, table := range All() {
		if table.Schema != "ahrefs" {
			continue
		}
		tables++
		for _, c := range table.Own {
			if onlyV2 := table.Name == "anchors_stats" || c.Name == "last_visited" && table.Name == "anchors"; (c.Price == 0) != onlyV2 {
				t.Errorf("%s.%s: price %d", table.FullName(), c.Name, c.Price)
			}
			if c.Required || c.Format != FormatText && c.Type != String && c.Type != Strings {
				t.Errorf("%s.%s: required, or a %s of format %d", table.FullName(), c.Name, c.Type, c.Format)
			}
		}
	}
	if tables != 15 {
		t.Errorf("%d tables", tables)
	}
}

func TestRowsThatDifferInWhereOneTextEndsAreDifferent(t *testing.T) {
	table := Lookup("moz.link_status")
	link := func(source, scope string) func(*Row) {
		return func(r *Row) {
			set(table, "source", source)(r)
			set(table, "source_scope", scope)(r)
		}
	}
	all := keysOf(table, link("a\x01b", "c"), link("a", "b\x01c"), link("a", "c\x01b"), link("ab", "c"), link("a", "bc"))
	slices.Sort(all)
	if got := len(slices.Compact(all)); got != 5 {
		t.Errorf("of five rows %d are told apart", got)
	}
}

func TestRanksBeginAnewForEveryTargetOfABatch(t *testing.T) {
	table := Lookup("moz.anchor_text")
	o := origin
	o.Rank = 1
	b := begin(t, table, o)
	for _, target := range []string{"b.example", "b.example", "c.example"} {
		b.About(target, "")
		add(b, "x")
	}
	batch := b.Batch()
	defer batch.Release()
	if got := batch.Column(table.Index("rank")).String(); got != "[1 2 1]" {
		t.Errorf("ranks %s", got)
	}
}

func TestARowThatAnyEarlierReadingHadIsHeld(t *testing.T) {
	table := Lookup("moz.anchor_text")
	o := origin
	o.Held = NewHeld(table)
	b := begin(t, table, o)
	for _, reading := range [][]string{{"a", "a"}, {"a"}, {"a", "a"}} {
		o.Held.Restart()
		for _, text := range reading {
			add(b, text)
		}
	}
	if b.Len() != 2 {
		t.Errorf("%d rows, where no reading brought more than two", b.Len())
	}
}

func TestARejectedRowIsToldOnceWithItsFieldAndItsOwnJSON(t *testing.T) {
	table := Lookup("moz.anchor_text")
	o := origin
	o.Held = NewHeld(table)
	b := begin(t, table, o)
	json := []byte(`{"external_pages":"many"}`)
	for range 2 {
		o.Held.Restart()
		b.Reject(3, json, fmt.Errorf("row 3: %w", &FieldError{Field: "external_pages", Problem: "want an integer"}))
	}
	copy(json, "the buffer of a later reply")
	all := b.Rejected()
	if len(all) != 1 || all[0].Field != "external_pages" || string(all[0].JSON) != `{"external_pages":"many"}` || all[0].Row != 3 || b.Rejected() != nil {
		t.Errorf("%+v", all)
	}
}

// TestDrainHandsOverTheRowsOfABatch holds that rows in runs are the same rows, whatever a page changes.
func TestDrainHandsOverTheRowsOfABatch(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	table := Lookup("moz.url_metrics")
	built := func() *Builder {
		b := NewBuilder(mem, table)
		o := Origin{Target: "a", Scope: "page", Job: "j", FetchedAt: time.UnixMicro(1), Rank: 1}
		for _, change := range []func(){func() {}, func() { o.PageSeq++ }, func() { o.FetchedAt = time.UnixMicro(2) }, func() { o.Target = "" }, func() { o.Extract = "e" }} {
			change()
			b.Begin(o)
			for range 2 {
				b.Row().SetString(0, "p")
				b.Append()
				b.Row().SetString(0, "q")
				b.About("b", "B")
				b.Append()
			}
		}
		return b
	}
	rows, runs := built(), built()
	defer rows.Release()
	defer runs.Release()
	want := rows.Batch()
	defer want.Release()
	if err := runs.Drain(1, func(batch arrow.RecordBatch) error {
		if !batch.Schema().Equal(table.ArrowRuns()) {
			t.Errorf("schema %s", batch.Schema())
		}
		got := decoded(mem, batch, table)
		defer got.Release()
		if !array.RecordEqual(want, got) {
			t.Errorf("rows %v\nin runs %v", want, got)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if n := want.NumRows(); n != 20 {
		t.Errorf("%d rows", n)
	}
	for column, all := range map[string]string{
		"target_as_given": `["" "B" "B" "B" "" "B" "B" "B" "" "B" "B" "B" (null) "B" "B" "B" (null) "B" "B" "B"]`,
		"page_seq":        `[0 0 0 0 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1]`,
		"extract":         `["" "" "" "" "" "" "" "" "" "" "" "" "" "" "" "" "e" "e" "e" "e"]`,
	} {
		if got := want.Column(table.Index(column)).String(); got != all {
			t.Errorf("%s: %s, want %s", column, got, all)
		}
	}
}
