package duckdb

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// stay is a source and the nights on which it is in the gap; the others are those of jobs/linkgap.yaml: link_status is asked on
// the night it left, where asked says so.
type stay struct{ name, nights, asked string }

var gap = []stay{
	{"open", "1111111111", "          "},
	{"opens", "0011111111", "          "},
	{"closes", "1111000000", "    1     "},
	{"closes-late", "1111100000", "     0 1  "},
	{"lost", "1111110000", "      0   "},
	{"unasked", "1111111000", "          "},
	{"back", "1100111111", "  0  1    "}, // what is said of it once it is back does not count
	{"ignored", "1111111111", "          "},
}

// cut is the night on which the list breaks off.
const cut = 9

func layGap(b book, n int) {
	var rows, status []string
	for _, s := range gap {
		if s.nights[n-1] == '1' && (n != cut || s.name == "open") {
			page := s.name + ".example"
			if s.name == "opens" {
				page += "/" // as Moz prints a host
			}
			rows = append(rows, fmt.Sprintf("gap|us.example|root_domain|%s|title of %s|%d|-|one.example,two.example|us.example", page, s.name, 10*len(s.name)))
		}
		if a := s.asked[n-1]; a != ' ' {
			status = append(status, fmt.Sprintf("won|us.example|root_domain|%s.example|root_domain|root_domain|%v", s.name, a == '1'))
		}
	}
	// rivals and we are no prospects
	rows = append(rows, "gap|us.example|root_domain|one.example|a rival|90|-|two.example|us.example", "gap|us.example|root_domain|us.example|we|90|-|one.example|us.example")
	for i := range rows {
		rows[i] += "|one.example,two.example"
	}
	b.lay(n, "moz.link_intersect", "extract target scope page title domain_authority spam_score matching_targets negative_targets positive_targets", rows...)
	if len(status) > 0 {
		// of another target, and at another scope: no answers
		status = append(status, "won|other.example|root_domain|lost.example|root_domain|root_domain|true", "won|us.example|page|lost.example|page|page|true")
		b.lay(n, "moz.link_status", "extract target scope source source_scope target_scope link_exists", status...)
	}
	ending := "end of list"
	if n == cut {
		ending = "fault"
	}
	b.lay(n, "ops.tasks", "extract endpoint target scope ending", "gap|moz/link_intersect|us.example|root_domain|"+ending)
	label := "ask"
	if n >= 7 {
		label = "Ignore"
	}
	b.lay(n, "user.labels", "row source source_page label note", "1|open.example|open.example|first|-", "2|ignored.example|ignored.example|"+label+"|no shops",
		"3|open.example|open.example|asked|twice")
	if n == 2 || n == 10 {
		b.lay(n, "moz.url_metrics", "extract target page page_authority domain_authority spam_score", fmt.Sprintf("authority|open.example|open.example/|%d|99|7", n))
	}
}

func TestGapsAreOpenedClosedAndLost(t *testing.T) {
	t.Parallel()
	b := book{t, warehouse(t), "linkgap"}
	for n := 1; n <= 10; n++ {
		layGap(b, n)
	}
	mustCompare(t, b.w)
	d := day
	want := []string{
		"back.example," + d(1) + ",true," + d(2) + "," + d(3) + ",lost,," + d(3),
		"back.example," + d(5) + ",false," + d(10) + ",,open,,",
		"closes.example," + d(1) + ",true," + d(4) + "," + d(5) + ",closed," + d(5) + "," + d(5),
		"closes-late.example," + d(1) + ",true," + d(5) + "," + d(6) + ",closed," + d(8) + "," + d(8),
		"ignored.example," + d(1) + ",true," + d(10) + ",,open,,",
		"lost.example," + d(1) + ",true," + d(6) + "," + d(7) + ",lost,," + d(7),
		"open.example," + d(1) + ",true," + d(10) + ",,open,,",
		"opens.example," + d(3) + ",false," + d(10) + ",,open,,",
		"unasked.example," + d(1) + ",true," + d(7) + "," + d(8) + ",unknown,,",
	}
	got := b.csv("SELECT source_page, opened_on, from_the_start AS f, last_seen_on, left_on, outcome, linked_on, answered_on FROM marts.gap_stays ORDER BY ALL")
	if diff := cmp.Diff(sorted(want), sorted(got)); diff != "" {
		t.Error(diff)
	}
	want = []string{
		"2026-11-01," + d(1) + "," + d(6) + ",7,2,2,1,0,6,0",
		"2026-12-01," + d(7) + "," + d(10) + ",6,0,0,1,1,4,1",
	}
	got = b.csv("SELECT month, first_night, last_night, open_before AS b, opened AS o, closed AS c, lost AS l, unknown AS u, open_after AS a, ignored AS i FROM marts.gap_closure")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	got = b.csv("SELECT count(*) FROM marts.gap_closure WHERE open_before + opened - closed - lost - unknown <> open_after")
	if diff := cmp.Diff([]string{"0"}, got); diff != "" {
		t.Error("the sum does not come out: ", diff)
	}
	want = []string{
		"ignored.example,title of ignored,\"[one.example, two.example]\",2,70,,,," + d(1) + "," + d(1) + ",Ignore,no shops,true",
		"opens.example,title of opens,\"[one.example, two.example]\",2,50,,,," + d(3) + "," + d(3) + ",,,false",
		"open.example,title of open,\"[one.example, two.example]\",2,40,10,7," + d(10) + "," + d(1) + "," + d(1) + ",asked,twice,false",
		"back.example,title of back,\"[one.example, two.example]\",2,40,,,," + d(1) + "," + d(5) + ",,,false",
	}
	got = b.csv(`SELECT source_page, title, matching_targets, matching, domain_authority AS da, page_authority AS pa, spam_score, authority_of, first_seen, open_since,
		label, note, ignored FROM marts.prospects`)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestWhatAListCutAtMaxRowsNoLongerHasIsNotCalledLost(t *testing.T) {
	t.Parallel()
	b := book{t, warehouse(t), "linkgap"}
	for n, pages := range []string{"a.example b.example c.example", "a.example"} {
		var rows []string
		for _, page := range strings.Fields(pages) {
			rows = append(rows, "gap|us.example|page|"+page+"|one.example|us.example")
		}
		b.lay(n+1, "moz.link_intersect", "extract target scope page matching_targets negative_targets", rows...)
		b.lay(n+1, "ops.tasks", "extract endpoint target scope ending", "gap|moz/link_intersect|us.example|page|max_rows")
	}
	b.lay(2, "moz.link_status", "extract target scope source source_scope target_scope link_exists",
		"won|us.example|page|b.example|page|page|true", "won|us.example|page|c.example|page|page|false")
	b.lay(2, "user.labels", "row source source_page label", "1|a.example|a.example|host", "2|a.example/x|a.example/x|page")
	mustCompare(t, b.w)
	got := b.csv("SELECT source_page, outcome FROM marts.gap_stays ORDER BY ALL")
	if diff := cmp.Diff([]string{"a.example,open", "b.example,closed", "c.example,unknown"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestAnotherQuestionBeginsNewStays(t *testing.T) {
	t.Parallel()
	b := book{t, warehouse(t), "linkgap"}
	for n, question := range []string{"two rivals", "three rivals"} {
		b.lay(n+1, "moz.link_intersect", "extract target scope page matching_targets negative_targets", "gap|us.example|page|a.example|one.example|us.example")
		b.lay(n+1, "ops.tasks", "task_id extract endpoint target scope ending", question+"|gap|moz/link_intersect|us.example|page|end of list")
	}
	mustCompare(t, b.w)
	got := b.csv("SELECT question, opened_on, from_the_start AS s, left_on, outcome FROM marts.gap_stays ORDER BY ALL")
	if diff := cmp.Diff([]string{"three rivals," + day(2) + ",true,,open", "two rivals," + day(1) + ",true,,dropped"}, got); diff != "" {
		t.Error(diff)
	}
	got = b.csv("SELECT first_night, open_before AS b, opened AS o, open_after AS a FROM marts.gap_closure")
	if diff := cmp.Diff([]string{day(1) + ",1,0,1", day(2) + ",1,0,1"}, got); diff != "" {
		t.Error(diff)
	}
	if got := b.csv("SELECT open_since, first_seen FROM marts.prospects"); len(got) != 1 || got[0] != day(2)+","+day(1) {
		t.Error(got)
	}
}

func TestALabelOfAPageCountsBeforeOneOfItsHost(t *testing.T) {
	t.Parallel()
	b := book{t, warehouse(t), "linkgap"}
	b.lay(1, "moz.link_intersect", "extract target scope page matching_targets negative_targets",
		"gap|us.example|page|a.example/x|one.example|us.example", "gap|us.example|page|a.example/y|one.example|us.example",
		"gap|us.example|page|a.example/x|one.example|us.example",       // delivered twice
		"gap|us.example|page|blog.us.example/z|one.example|us.example") // ours
	b.lay(1, "ops.tasks", "extract endpoint target scope ending", "gap|moz/link_intersect|us.example|page|end of list")
	b.lay(1, "user.labels", "row source source_page label", "1|a.example|a.example|ignore", "2|a.example/x|a.example/x|good", "3|a.example/y|a.example/y|-",
		"4|a.example|a.example|-")
	mustCompare(t, b.w)
	for sql, want := range map[string][]string{
		"SELECT source_page, label, ignored FROM marts.prospects ORDER BY ALL": {"a.example/x,good,false", "a.example/y,ignore,true"},
		"SELECT source, label FROM marts.prospects_review":                     {"a.example/x,good"},
		"SELECT source, label FROM marts.labels_sheet":                         {"a.example,ignore", "a.example/x,good", "a.example/y,"},
		"SELECT ignored FROM marts.gap_closure":                                {"1"},
	} {
		if diff := cmp.Diff(want, b.csv(sql)); diff != "" {
			t.Errorf("%s: %s", sql, diff)
		}
	}
}

func TestOnlySourcesWorthALookAreUpForReview(t *testing.T) {
	t.Parallel()
	b := book{t, warehouse(t), "linkgap"}
	var rows []string
	for page, spam := range map[string]string{"low.example": "30", "medium.example": "31", "unknown.example": "-", "asked.example": "1", "noted.example": "1", "own.example": "1"} {
		rows = append(rows, "gap|us.example|root_domain|"+page+"|"+spam+"|one.example|us.example")
	}
	slices.Sort(rows)
	b.lay(1, "moz.link_intersect", "extract target scope page spam_score matching_targets negative_targets", rows...)
	b.lay(1, "ops.tasks", "extract endpoint target scope ending", "gap|moz/link_intersect|us.example|root_domain|end of list")
	b.lay(1, "user.labels", "row source source_page label note", "1|asked.example|asked.example|CONTACTED|-", "2|noted.example|noted.example|-|later", "3|own.example|own.example|good|-")
	mustCompare(t, b.w)
	got := b.csv("SELECT source, label, note FROM marts.prospects_review")
	if diff := cmp.Diff([]string{"low.example,,", "noted.example,,later", "own.example,good,", "unknown.example,,"}, got); diff != "" {
		t.Error(diff)
	}
	got = b.csv("SELECT source, label, note FROM marts.labels_sheet")
	if diff := cmp.Diff([]string{"asked.example,CONTACTED,", "noted.example,,later", "own.example,good,", "low.example,,", "unknown.example,,"}, got); diff != "" {
		t.Error(diff)
	}
}

// layMonitor writes down four nights of links, linking domains and anchor texts: on the third the lists break off.
func layMonitor(b book) {
	links := map[int][]string{
		1: {"p1|t1|a|false|-", "p1|t1|b|true|-", "p2|t1|x|true|-", "p3|t1|gone|false|-", "p4|t1||false|-"},
		2: {"p1|t1|a|false|-", "p1|t1|b|true|-", "p2|t1|x|false|-", "p4|t2|moved|false|-"},
		3: {"p1|t1|a|false|-"},
		4: {"p1|t1|b|true|-", "p2|t1|x|false|-", "p4|t2|moved|false|2026-11-27", "p5|t1|new|false|-", "p5|t1|new|false|-"},
	}
	domains := map[int][]string{1: {"a.example|3", "b.example|1", "dead.example|0"}, 2: {"a.example|4", "c.example|1"}, 3: {"a.example|4"}, 4: {"b.example|2", "a.example|0"}}
	for n := 1; n <= 4; n++ {
		ending := "end of list"
		if n == 3 {
			ending = "budget"
		}
		var l, d []string
		for _, line := range links[n] {
			l = append(l, "links|us.example|root_domain|"+line)
			l = append(l, "gained|us.example|root_domain|"+line)
		}
		for _, line := range domains[n] {
			d = append(d, "domains|us.example|root_domain|"+line)
		}
		b.lay(n, "moz.links", "extract target scope source_page target_page anchor_text nofollow date_disappeared", l...)
		b.lay(n, "moz.linking_root_domains", "extract target scope root_domain to_target_pages", d...)
		texts := []string{fmt.Sprintf("anchors|us.example|root_domain|text %d|3|9", n), "anchors|us.example|root_domain|stays|1|1", "anchors|us.example|root_domain|stays|1|1"}
		if n != 2 {
			texts = append(texts, "anchors|us.example|root_domain|comes back|1|1")
		}
		b.lay(n, "moz.anchor_text", "extract target scope anchor_text external_root_domains external_pages", texts...)
		b.lay(n, "ops.tasks", "task_id extract endpoint target scope ending windowed", "4|anchors|moz/anchor_text|us.example|root_domain|"+ending+"|false", "1|links|moz/links|us.example|root_domain|"+ending+"|-",
			"2|domains|moz/linking_root_domains|us.example|root_domain|"+ending+"|-", "3|gained|moz/links|us.example|root_domain|end of list|true")
	}
}

func TestLinkAndDomainChangesAreBetweenWholeNights(t *testing.T) {
	t.Parallel()
	b := book{t, warehouse(t), "monitor"}
	layMonitor(b)
	mustCompare(t, b.w)
	want := []string{
		"links," + day(1) + "," + day(2) + ",changed,p2,t1,[x],[x],true,false",
		"links," + day(1) + "," + day(2) + ",lost,p3,t1,[gone],,false,",
		"links," + day(1) + "," + day(2) + ",lost,p4,t1,[''],,false,",
		"links," + day(1) + "," + day(2) + ",new,p4,t2,,[moved],,false",
		"links," + day(2) + "," + day(4) + ",changed,p1,t1,\"[a, b]\",[b],false,true",
		"links," + day(2) + "," + day(4) + ",lost,p4,t2,[moved],,false,",
		"links," + day(2) + "," + day(4) + ",new,p5,t1,,[new],,false",
	}
	const columns = "change, source_page, target_page, previous_anchor_texts, anchor_texts, previous_nofollow, nofollow"
	got := b.csv("SELECT extract, previous_run_date, run_date, " + columns + " FROM marts.link_changes ORDER BY ALL")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	want = []string{"changed,p1", "changed,p2", "lost,p3", "lost,p4", "new,p5"}
	got = b.csv("SELECT change, source_page FROM marts.links_between('us.example', '" + day(1) + "', DATE '" + day(4) + "') ORDER BY ALL")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	want = []string{day(2) + ",lost,b.example,1,", day(2) + ",new,c.example,,1", day(4) + ",lost,a.example,4,", day(4) + ",lost,c.example,1,", day(4) + ",new,b.example,,2"}
	got = b.csv("SELECT run_date, change, root_domain, previous_pages, pages FROM marts.domain_changes ORDER BY ALL")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	got = b.csv("SELECT change, root_domain FROM marts.domains_between('us.example', '" + day(1) + "', '" + day(4) + "')")
	if diff := cmp.Diff([]string{"lost,a.example"}, got); diff != "" {
		t.Error(diff)
	}
	want = []string{day(2) + ",lost,comes back", day(2) + ",lost,text 1", day(2) + ",new,text 2", day(4) + ",lost,text 2", day(4) + ",new,comes back", day(4) + ",new,text 4"}
	got = b.csv("SELECT run_date, change, anchor_text FROM marts.anchor_changes ORDER BY ALL")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	want = []string{"lost,text 1,3,", "new,text 4,,3"}
	got = b.csv("SELECT change, anchor_text, previous_external_root_domains AS p, external_root_domains AS c FROM marts.anchors_between('us.example', '" + day(1) + "', '" + day(4) + "') ORDER BY ALL")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestNightsOfDifferentQuestionsAreNotCompared(t *testing.T) {
	t.Parallel()
	b := book{t, warehouse(t), "monitor"}
	for n, question := range []string{"a", "b", "a"} {
		b.lay(n+1, "moz.links", "extract target scope source_page target_page anchor_text nofollow", fmt.Sprintf("links|us.example|page|p%d|t|x|false", n+1))
		b.lay(n+1, "ops.tasks", "task_id extract endpoint target scope ending", question+"|links|moz/links|us.example|page|end of list")
	}
	mustCompare(t, b.w)
	want := []string{day(1) + "," + day(3) + ",lost,p1", day(1) + "," + day(3) + ",new,p3"}
	if diff := cmp.Diff(want, b.csv("SELECT previous_run_date AS p, run_date, change, source_page FROM marts.link_changes ORDER BY ALL")); diff != "" {
		t.Error(diff)
	}
}

// A night of which rows did not fit is not news, and neither fresh nor whole.
func TestNightsWithRejectedRowsAreNotCompared(t *testing.T) {
	t.Parallel()
	b := book{t, warehouse(t), "nightly"}
	const header = "extract target scope anchor_text external_root_domains external_pages"
	for n, rows := range [][]string{{"one", "two"}, {}, {"one"}, {"one", "two"}} {
		var texts []string
		for _, text := range rows {
			texts = append(texts, "anchors|us.example|page|"+text+"|1|1")
		}
		b.lay(n+1, "moz.anchor_text", header, texts...)
		b.lay(n+1, "ops.tasks", "task_id question extract endpoint target scope ending rows rejected_rows windowed",
			fmt.Sprintf("1|1|anchors|moz/anchor_text|us.example|page|end of list|%d|%d|false", len(rows), 2-len(rows)))
	}
	mustCompare(t, b.w)
	if got := b.csv("FROM marts.anchor_changes"); len(got) > 0 {
		t.Errorf("false news: %v", got)
	}
	if diff := cmp.Diff([]string{day(1) + "," + day(4), day(4) + ","}, b.csv("SELECT run_date, next_run_date FROM marts.whole_nights ORDER BY ALL")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{day(4) + ",2,0"}, b.csv("SELECT rows_of, rows, last_rejected_rows FROM marts.freshness")); diff != "" {
		t.Error(diff)
	}
}

// A list may be the answers to several requests: it is whole when all of them are.
func TestAListIsWholeWhenAllItsRequestsAre(t *testing.T) {
	t.Parallel()
	b := book{t, warehouse(t), "nightly"}
	for n, ending := range []string{"end of list", "fault", "max_rows", "end of list"} {
		b.lay(n+1, "moz.anchor_text", "extract target scope anchor_text external_root_domains external_pages", "anchors|us.example|page|one|1|1")
		b.lay(n+1, "ops.tasks", "task_id question extract endpoint target scope ending rows rejected_rows windowed",
			"1|q|anchors|moz/anchor_text|us.example|page|end of list|1|0|false", "2|q|anchors|moz/anchor_text|us.example|page|"+ending+"|0|0|false")
	}
	mustCompare(t, b.w)
	if diff := cmp.Diff([]string{day(1), day(4)}, b.csv("SELECT run_date FROM marts.whole_nights ORDER BY ALL")); diff != "" {
		t.Error(diff)
	}
}

// The first night of a month is not the last of the one before.
func TestANightIsOfOneMonth(t *testing.T) {
	t.Parallel()
	b := book{t, warehouse(t), "nightly"}
	for _, n := range []int{6, 7} { // the last of November, the first of December
		b.lay(n, "moz.anchor_text", "extract target scope anchor_text external_root_domains external_pages", "anchors|us.example|page|one|1|1")
		b.lay(n, "ops.tasks", "task_id question extract endpoint target scope ending rows rejected_rows windowed",
			"1|q|anchors|moz/anchor_text|us.example|page|end of list|1|0|false")
	}
	mustCompare(t, b.w)
	want := []string{day(6) + ",," + day(7), day(7) + "," + day(6) + ","}
	if diff := cmp.Diff(want, b.csv("SELECT run_date, previous_run_date, next_run_date FROM marts.whole_nights ORDER BY ALL")); diff != "" {
		t.Error(diff)
	}
}

// What an earlier version wrote of its tasks is compared with what this one writes.
func TestTheQuestionOfEarlierVersionsIsTheSame(t *testing.T) {
	t.Parallel()
	b := book{t, warehouse(t), "monitor"}
	b.lay(1, "ops.tasks", "task_id extract endpoint target scope ending", "b|won|moz/link_status|us.example|page|end of list", "a|won|moz/link_status|us.example|page|end of list",
		"c|links|moz/links|us.example|page|end of list")
	several := sha256.Sum256([]byte("a b"))
	question := hex.EncodeToString(several[:8])
	b.lay(2, "ops.tasks", "task_id question rejected_rows windowed extract endpoint target scope ending", "b|"+question+"|0|false|won|moz/link_status|us.example|page|end of list",
		"a|"+question+"|0|false|won|moz/link_status|us.example|page|end of list", "c|c|0|false|links|moz/links|us.example|page|end of list")
	mustCompare(t, b.w)
	want := []string{"links," + day(1) + "," + day(2), "won," + day(1) + "," + day(2)}
	if diff := cmp.Diff(want, b.csv("SELECT extract, run_date, next_run_date FROM marts.whole_nights WHERE next_run_date IS NOT NULL ORDER BY ALL")); diff != "" {
		t.Error(diff)
	}
}

// kinds says which kind an anchor text of shop.acme-outdoor.example is of.
var kinds = map[string]string{
	"acme outdoor": "branded", "best acme-outdoor shop": "branded", "acme-outdoor.example": "naked_url", "www.acme-outdoor.example/x": "naked_url",
	"https://a.example/?q=1": "naked_url", "": "empty", "click here": "generic", "tents": "exact", "buy tents now": "partial", "acme trail": "branded",
	"something else": "other", "version 1.5": "other", "e.g. this": "other", "summit [2026]": "generic",
}

// layProfile writes down a night of anchor texts and the job's rules.
func layProfile(b book) {
	var rows []string
	for text := range kinds {
		rows = append(rows, "anchors|shop.acme-outdoor.example/x|page|"+text+"|2|6")
	}
	b.lay(1, "moz.anchor_text", "extract target scope anchor_text external_root_domains external_pages", rows...)
	b.lay(1, "ops.tasks", "extract endpoint target scope ending", "anchors|moz/anchor_text|shop.acme-outdoor.example/x|page|max_rows",
		"anchors|moz/anchor_text|empty.example|page|end of list", "anchors|moz/anchor_text|cut.example|page|fault")
	b.lay(1, "user.anchor_rules", "row kind pattern target_page priority", "1|exact|Tents|-|-", "2|generic|ACME trail|-|1", "3|branded|acme tr??l|-|2",
		"4|generic|*|other.example|9", "5|generic|summit [*|shop.acme-outdoor.example/x|-")
}

func TestAnchorProfileGoesByRulesThenByHabit(t *testing.T) {
	t.Parallel()
	b := book{t, warehouse(t), "monitor"}
	layProfile(b)
	mustCompare(t, b.w)
	var want []string
	count := map[string]int{}
	for _, kind := range kinds {
		count[kind]++
	}
	for kind, n := range count {
		want = append(want, fmt.Sprintf("%s,%d,%d,%d", kind, n, 2*n, 6*n))
	}
	slices.Sort(want)
	got := b.csv("SELECT kind, anchors, domains, pages FROM marts.anchor_profile WHERE NOT whole ORDER BY kind")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for kind, texts := range map[string]int{"branded": 3, "other": 3, "exact": 1} {
		got := b.csv(fmt.Sprintf("SELECT round(anchor_share * 14), round(domain_share * 14), round(page_share * 14) FROM marts.anchor_profile WHERE kind = '%s' AND NOT whole", kind))
		if want := fmt.Sprintf("%d.0,%[1]d.0,%[1]d.0", texts); len(got) != 1 || got[0] != want {
			t.Errorf("%s: %v, want %s", kind, got, want)
		}
	}
	got = b.csv("SELECT DISTINCT target, anchors, anchor_share FROM marts.anchor_profile WHERE whole")
	if diff := cmp.Diff([]string{"empty.example,0,"}, got); diff != "" {
		t.Error(diff)
	}
}

// layVendors writes down two nights of both vendors' lists: on the second Ahrefs' break off.
func layVendors(b book) {
	for n := 1; n <= 2; n++ {
		b.lay(n, "moz.anchor_text", "extract target scope anchor_text external_root_domains external_pages",
			"m|us.example|root_domain|click here|3|9", "m|us.example|root_domain|only moz|1|1", "m|us.example|root_domain|caf\u00e9|1|1", "m|us.example|page|click here|1|1")
		b.lay(n, "ahrefs.anchors", "extract target scope anchor refdomains refpages dofollow_links last_seen",
			"a|us.example|subdomains|<b>Click</b>  here |4|12|3|-", "a|us.example|subdomains|nofollow alone|1|1|0|-", "a|us.example|subdomains|past|1|1|1|7",
			"a|us.example|subdomains|CAFE\u0301|2|2|1|-", "a|us.example|subdomains|only ahrefs|1|1|-|-", "a|us.example|prefix|click here|1|1|1|-")
		b.lay(n, "moz.linking_root_domains", "extract target scope root_domain to_target_pages", "d|us.example|root_domain|both.example|5", "d|us.example|root_domain|moz.example|1",
			"d|us.example|root_domain|dead.example|0")
		b.lay(n, "ahrefs.refdomains", "extract target scope domain links_to_target last_seen", "r|us.example|subdomains|Both.example|6|-", "r|us.example|subdomains|dead.example|2|-",
			"r|us.example|subdomains|past.example|2|9")
		ending := "end of list"
		if n == 2 {
			ending = "quota"
		}
		b.lay(n, "ops.tasks", "extract endpoint target scope ending", "m|moz/anchor_text|us.example|root_domain|end of list", "m|moz/anchor_text|us.example|page|end of list",
			"a|ahrefs/anchors|us.example|subdomains|"+ending, "a|ahrefs/anchors|us.example|prefix|end of list",
			"d|moz/linking_root_domains|us.example|root_domain|end of list", "r|ahrefs/refdomains|us.example|subdomains|"+ending)
	}
}

func TestVendorsAreComparedWhereBothWereReadToTheEnd(t *testing.T) {
	t.Parallel()
	b := book{t, warehouse(t), "both"}
	layVendors(b)
	mustCompare(t, b.w)
	want := []string{
		"anchor,site," + day(1) + ",caf\u00e9,both,1,2,1,2",
		"anchor,site," + day(1) + ",click here,both,3,4,9,12",
		"anchor,site," + day(1) + ",only ahrefs,ahrefs,,1,,1",
		"anchor,site," + day(1) + ",only moz,moz,1,,1,",
		"domain,site," + day(1) + ",both.example,both,,,5,6",
		"domain,site," + day(1) + ",dead.example,ahrefs,,,,2",
		"domain,site," + day(1) + ",moz.example,moz,,,1,",
	}
	got := b.csv("SELECT kind, reach, run_date, item, seen_by, moz_domains, ahrefs_domains, moz_pages, ahrefs_pages FROM marts.vendor_overlap ORDER BY ALL")
	if diff := cmp.Diff(sorted(want), sorted(got)); diff != "" {
		t.Error(diff)
	}
	// The same nights as changes: Ahrefs' second list was cut off, Moz's did not change.
	if got := b.csv("SELECT vendor, change, anchor_text FROM marts.anchor_changes WHERE extract IN ('m', 'a') AND scope <> 'prefix'"); len(got) > 0 {
		t.Errorf("changes: %v", got)
	}
}

func TestEveryColumnOfAMartSaysWhatItMeans(t *testing.T) {
	t.Parallel()
	w := warehouse(t)
	mustCompare(t, w)
	b := book{t, w, ""}
	got := b.csv("SELECT table_name, column_name FROM duckdb_columns() WHERE schema_name = 'marts' AND comment IS NULL ORDER BY ALL")
	if len(got) > 0 {
		t.Errorf("columns without a comment: %v", got)
	}
	if got := b.csv("SELECT view_name FROM duckdb_views() WHERE schema_name = 'marts' AND comment IS NULL"); len(got) > 0 {
		t.Errorf("views without a comment: %v", got)
	}
	if got := b.csv("SELECT function_name FROM duckdb_functions() WHERE schema_name = 'marts' AND comment IS NOT NULL ORDER BY ALL"); len(got) != 3 {
		t.Errorf("macros with a comment: %v", got)
	}
}

func TestMartsAreValidOverNothing(t *testing.T) {
	t.Parallel()
	w := warehouse(t)
	mustCompare(t, w)
	b := book{t, w, ""}
	views := b.csv("SELECT view_name FROM duckdb_views() WHERE schema_name = 'marts'")
	if len(views) < 15 {
		t.Errorf("only %v", views)
	}
	if got := b.csv("SELECT view_name FROM duckdb_views() WHERE schema_name = 'helper' OR contains(view_name, 'by_night')"); len(got) > 0 {
		t.Errorf("views that are none of the analysts' business: %v", got)
	}
	for _, view := range views {
		if got := b.csv("FROM marts." + view); len(got) > 0 {
			t.Errorf("%s: %v", view, got)
		}
	}
}
