package duckdb

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// placement is a placement of the golden campaign and what happens to it in ten nights.
type placement struct {
	name     string
	target   string
	placedOn string // - for none
	listed   int    // the first night on which the list has it
	// answers holds a letter a night: 1 yes, 0 no, . not asked. From the night the target redirects on they are about the page
	// it redirects to; expected holds those about the target itself, where they are asked for as well.
	answers, expected string
	// verdicts holds a letter a night: Live, Redirected, Not yet, Missing, ? for lost?, X for lost, Unknown.
	verdicts string
}

// indexes are the vendor's, a letter a night.
const indexes = "AAABBBBCCD"

// redirected is the night on which shop.example/old begins to redirect to the home page of new.example.
const redirected = 4

var campaign = []placement{
	{"live", "shop.example/tents", "-", 1, "1111111111", "", "LLLLLLLLLL"},
	{"won", "shop.example/tents", "-", 1, "0001111111", "", "NNNLLLLLLL"},
	{"lost", "shop.example/tents", "-", 1, "1110000000", "", "LLL?XXXXXX"},
	{"lost within an index", "shop.example/tents", "-", 1, "1100000000", "", "LLXXXXXXXX"},
	{"regained", "shop.example/tents", "-", 1, "1110011111", "", "LLL?XLLLLL"},
	{"lost on the last night", "shop.example/tents", "-", 1, "1111111110", "", "LLLLLLLLL?"},
	{"redirected", "shop.example/old", "-", 1, "1111111111", "", "LLLRRRRRRR"},
	{"redirected, linked as it was", "shop.example/old", "-", 1, "1110000000", "   1111111", "LLLLLLLLLL"},
	{"redirected, lost with it", "shop.example/old", "-", 1, "1110000000", "", "LLL?XXXXXX"},
	{"missing", "shop.example/tents", "-", 1, "0000000000", "", "NNNMMMMMMM"},
	{"listed later", "shop.example/tents", "-", 5, "    000000", "", "    NNNMMM"},
	{"listed as the index changed", "shop.example/tents", "-", 8, "       000", "", "       NNM"},
	{"placed before it was listed", "shop.example/tents", day(2), 5, "    000000", "", "    MMMMMM"},
	{"placed before the job began", "shop.example/tents", "2026-01-01", 1, "0000000000", "", "NNNMMMMMMM"},
	{"budget ended, index unchanged", "shop.example/tents", "-", 1, "11111.1111", "", "LLLLLLLLLL"},
	{"budget ended, index changed", "shop.example/tents", "-", 1, "1111111.11", "", "LLLLLLLULL"},
	{"asked once", "shop.example/tents", "-", 1, "......0...", "", "UUUUUUMUUU"},
	{"confirmed by another index", "shop.example/tents", "-", 1, "1110...0..", "", "LLL????XXU"},
	{"never asked", "shop.example/tents", "-", 1, "..........", "", "UUUUUUUUUU"},
}

var letters = map[string]string{
	"live": "L", "redirected": "R", "not yet (index unchanged since placed)": "N", "missing": "M", "lost? (index changed)": "?", "lost": "X",
	"unknown (not fetched)": "U",
}

func (p placement) source() string {
	return strings.NewReplacer(" ", "-", ",", "").Replace(p.name) + ".example/post"
}

// layCampaign writes down what the job has of a night. Where it learns of the index changes with the nights.
func layCampaign(b book, n int) {
	var list, status []string
	add := func(p placement, target, letters string) {
		if at := letters[n-1]; at == '0' || at == '1' {
			index := "-"
			if n == 9 {
				index = indexes[n-1 : n]
			}
			status = append(status, fmt.Sprintf("status|%s|page|%s|page|page|%v|%s", target, p.source(), at == '1', index))
		}
	}
	for row, p := range campaign {
		if n < p.listed {
			continue
		}
		list = append(list, fmt.Sprintf("%d|https://%s|https://%s/|%s|%s|spring|ann|%s", row+1, p.target, p.source(), p.target, p.source(), p.placedOn))
		asked := p.target
		if p.target == "shop.example/old" && n >= redirected {
			asked = "new.example"
		}
		add(p, asked, p.answers)
		if p.expected != "" {
			add(p, p.target, p.expected)
		}
	}
	// The same pairs at a wider scope, and a pair of no placement, do not count.
	for _, p := range campaign {
		if p.answers[n-1] == '0' {
			status = append(status, "wide|"+p.target+"|root_domain|"+p.source()+"|root_domain|root_domain|true|-")
		}
	}
	status = append(status,
		"wide|elsewhere.example|page|"+campaign[1].source()+"|page|page|true|-")
	b.lay(n, "user.placements", "row target source target_page source_page campaign contact placed_on", list...)
	b.lay(n, "moz.link_status", "extract target scope source source_scope target_scope link_exists index_id", status...)
	final := "-"
	if n >= redirected {
		final = "new.example/" // as Moz prints a host
	}
	if n != 6 { // the redirects of the night before stand
		b.lay(n, "moz.final_redirect", "extract target final_page", "redirects|shop.example/old|"+final, "redirects|shop.example/tents|-")
	}
	task := "-"
	switch n {
	case 2:
		task = indexes[n-1 : n]
	case 9:
	default:
		b.lay(n, "moz.index_metadata", "extract index_id", "index|"+indexes[n-1:n])
	}
	b.lay(n, "ops.tasks", "extract endpoint target scope ending index_id", "status|moz/link_status|shop.example/tents|page|end of list|"+task)
	if n == 3 || n == 8 {
		b.lay(n, "moz.url_metrics", "extract target page page_authority domain_authority spam_score",
			fmt.Sprintf("authority|%s|%[1]s|%d|40|%d", campaign[0].source(), 10*n, n))
	}
}

func TestCampaignTellsEveryVerdictOnEveryNight(t *testing.T) {
	t.Parallel()
	b := book{t, warehouse(t), "campaign"}
	got := make([]string, len(campaign))
	for n := 1; n <= len(indexes); n++ {
		layCampaign(b, n)
		mustDeclare(t, b.w)
		for i, p := range campaign {
			if n < p.listed {
				got[i] += " "
			}
		}
		_, rows, err := Select(t.Context(), b.w, "SELECT row, verdict FROM marts.campaign")
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			got[row[0].(int64)-1] += letters[row[1].(string)]
		}
	}
	for i, p := range campaign {
		if got[i] != p.verdicts {
			t.Errorf("%s, answers %s of the indexes %s: %q, want %q", p.name, p.answers, indexes, got[i], p.verdicts)
		}
	}
	seen := strings.Join(got, "")
	for verdict, letter := range letters {
		if !strings.Contains(seen, letter) {
			t.Errorf("no placement was ever %s", verdict)
		}
	}
	campaignColumns(t, b)
}

// campaignColumns checks the rest of the rows on the last night.
func campaignColumns(t *testing.T, b book) {
	got := b.csv(`SELECT split_part(source_page, '.', 1) AS s, live, since, first_seen_live AS first, lost_on, times_lost AS n, answered_on AS answered,
		index_id AS i, placed, final_page FROM marts.campaign`)
	d := func(n int) string { return day(n) }
	want := []string{
		"live,true," + d(1) + "," + d(1) + ",,0," + d(10) + ",D," + d(1) + ",",
		"won,true," + d(4) + "," + d(4) + ",,0," + d(10) + ",D," + d(1) + ",",
		"lost,false," + d(4) + "," + d(1) + "," + d(4) + ",1," + d(10) + ",D," + d(1) + ",",
		"lost-within-an-index,false," + d(3) + "," + d(1) + "," + d(3) + ",1," + d(10) + ",D," + d(1) + ",",
		"regained,true," + d(6) + "," + d(1) + ",,1," + d(10) + ",D," + d(1) + ",",
		"lost-on-the-last-night,false," + d(10) + "," + d(1) + "," + d(10) + ",1," + d(10) + ",D," + d(1) + ",",
		"redirected,true," + d(1) + "," + d(1) + ",,0," + d(10) + ",D," + d(1) + ",new.example",
		"redirected-linked-as-it-was,true," + d(1) + "," + d(1) + ",,0," + d(10) + ",D," + d(1) + ",new.example",
		"redirected-lost-with-it,false," + d(4) + "," + d(1) + "," + d(4) + ",1," + d(10) + ",D," + d(1) + ",new.example",
		"missing,false," + d(1) + ",,,0," + d(10) + ",D," + d(1) + ",",
		"listed-later,false," + d(5) + ",,,0," + d(10) + ",D," + d(5) + ",",
		"listed-as-the-index-changed,false," + d(8) + ",,,0," + d(10) + ",D," + d(8) + ",",
		"placed-before-it-was-listed,false," + d(5) + ",,,0," + d(10) + ",D," + d(2) + ",",
		"placed-before-the-job-began,false," + d(1) + ",,,0," + d(10) + ",D,2026-01-01,",
		"budget-ended-index-unchanged,true," + d(1) + "," + d(1) + ",,0," + d(10) + ",D," + d(1) + ",",
		"budget-ended-index-changed,true," + d(1) + "," + d(1) + ",,0," + d(10) + ",D," + d(1) + ",",
		"asked-once,false," + d(7) + ",,,0," + d(7) + ",B," + d(1) + ",",
		"confirmed-by-another-index,false," + d(4) + "," + d(1) + "," + d(4) + ",1," + d(8) + ",C," + d(1) + ",",
		"never-asked,,,,,0,,," + d(1) + ",",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	got = b.csv(`SELECT campaign, contact, source, target, target_page, source_scope, target_scope, page_authority AS pa, domain_authority AS da,
		spam_score AS spam, authority_of, run_date FROM marts.campaign WHERE row = 1`)
	want = []string{"spring,ann,https://live.example/post/,https://shop.example/tents,shop.example/tents,page,page,80,40,8," + day(8) + "," + day(10)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestCampaignsOfTwoJobsDoNotMix(t *testing.T) {
	t.Parallel()
	w := warehouse(t)
	one, two := book{t, w, "one"}, book{t, w, "two"}
	for _, b := range []book{one, two} {
		b.lay(1, "user.placements", "row target source target_page source_page", "1|a.example|b.example|a.example|b.example")
		b.lay(1, "moz.index_metadata", "extract index_id", "index|"+b.job)
	}
	one.lay(1, "moz.link_status", "extract target scope source source_scope target_scope link_exists", "status|a.example|page|b.example|page|page|true")
	two.lay(2, "user.placements", "row target source target_page source_page", "1|a.example|b.example|a.example|b.example")
	mustDeclare(t, w)
	want := []string{"one,live," + day(1) + "," + day(1), "two,unknown (not fetched)," + day(2) + ","}
	if diff := cmp.Diff(want, one.csv("SELECT job, verdict, run_date, answered_on FROM marts.campaign")); diff != "" {
		t.Error(diff)
	}
}

func TestWithoutAnIndexALossIsInDoubtForOneNight(t *testing.T) {
	t.Parallel()
	b := book{t, warehouse(t), "campaign"}
	var got []string
	for n := 1; n <= 4; n++ {
		b.lay(n, "user.placements", "row target source target_page source_page", "1|a.example|b.example|a.example|b.example", "2|a.example|c.example|a.example|c.example")
		b.lay(n, "moz.link_status", "extract target scope source source_scope target_scope link_exists",
			fmt.Sprintf("status|a.example|page|b.example|page|page|%v", n < 3), "status|a.example|page|c.example|page|page|false")
		mustDeclare(t, b.w)
		got = append(got, strings.Join(b.csv("SELECT verdict FROM marts.campaign"), ", "))
	}
	if diff := cmp.Diff([]string{"live, missing", "live, missing", "lost? (index changed), missing", "lost, missing"}, got); diff != "" {
		t.Error(diff)
	}
}
