package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"backhaul/jobs"
	"backhaul/pipeline/emulator/graph"
)

// unpack puts a ready-made job and its lists into a folder and returns the spec's path. It waits for no rate.
func unpack(t *testing.T, dir, job string) string {
	t.Helper()
	for _, name := range append(lists[job], job+".yaml") {
		text, err := jobs.Files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		spec := strings.Replace(string(text), "\nbudget:\n", "\nvendors: {moz: {requests_per_second: 10000}}\nbudget:\n", 1)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(spec), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, job+".yaml")
}

// emulated starts an emulator for the test and returns it.
func emulated(t *testing.T) *runningEmulator {
	t.Helper()
	e, err := startEmulator(emulatorFlags{listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.close() })
	for name, value := range e.environment() {
		setenv(t, name, value)
	}
	return e
}

// TestTheCampaignJobTellsWhatHappensOnTheMadeUpWeb runs the ready-made job night by night while links come and go, the index changes
// every third day, and the budget of one night ends before a single source was asked about.
func TestTheCampaignJobTellsWhatHappensOnTheMadeUpWeb(t *testing.T) {
	t.Parallel()
	e := emulated(t)
	dir := t.TempDir()
	job, w := unpack(t, dir, "campaign"), filepath.Join(dir, "w")
	// A letter a night: Live, Redirected, Not yet, Missing, ? for lost?, X for lost, Unknown.
	want := []string{
		"LLLLULL", // www.silverbenchs.example/guides-3.html
		"LLLLULL", // www.flint-chart.example
		"NNMLULL", // www.arcticbloom.example/blog/recycled-hammocks-3: born on day 4
		"NLLLULL", // studioofwillow.example: born on day 1
		"LL?XUXX", // www.thenorthshore19939.example/deals/durable-hammocks-3: gone since day 3
		"LLLLU?X", // www.coppersheds.example/products/quiet-jackets-2: gone since day 7
		"RRRRURR", // hollowtable.example
		"LLLLU?L", // ridgecoasts.example: gone on day 9, back on day 24
		"NNMMUMM", // bücher.example
	}
	letters := map[string]string{"live": "L", "redirected": "R", "not yet (index unchanged since placed)": "N", "missing": "M",
		"lost? (index changed)": "?", "lost": "X", "unknown (not fetched)": "U"}
	got := make([]string, len(want))
	type row struct {
		Row     int
		Verdict string
	}
	for night, day := range []int{0, 1, 3, 4, 6, 9, 30} {
		e.setDay(day)
		args, status := []string{"run", job, "--warehouse", w, "--yes", "--date", fmt.Sprintf("2026-11-%d", 24+night)}, exitComplete
		if day == 6 {
			args, status = append(args, "--max-units", "moz=6"), exitBudget // one each for the redirects of six targets
		}
		backhaul(t, status, args...)
		for _, r := range ask[row](t, w, "select row as Row, verdict as Verdict from marts.campaign") {
			got[r.Row-1] += letters[r.Verdict]
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	out := backhaul(t, 0, "export", "marts.campaign", "--warehouse", w)
	if n := strings.Count(out, "\n"); n != len(want)+1 {
		t.Errorf("%d lines were exported", n)
	}
}

// TestTheLinkGapJobKnowsWhoWasWon runs the ready-made job on three nights and asks the web itself about everybody who left.
func TestTheLinkGapJobKnowsWhoWasWon(t *testing.T) {
	t.Parallel()
	e := emulated(t)
	dir := t.TempDir()
	job, w := unpack(t, dir, "linkgap"), filepath.Join(dir, "w")
	nights := map[string]int{"2026-11-28": 0, "2026-11-30": 30, "2026-12-02": 60} // the day of the web on each
	for _, date := range slices.Sorted(maps.Keys(nights)) {
		e.setDay(nights[date])
		backhaul(t, 0, "run", job, "--warehouse", w, "--yes", "--date", date)
	}
	type stay struct{ Source, Left, Outcome string }
	outcomes := map[string]int{}
	us, _ := e.server.Graph().Find("acme-outdoor.example", graph.Domain)
	for _, s := range ask[stay](t, w, "select source_page as Source, left_on as Left, outcome as Outcome from marts.gap_stays where left_on is not null") {
		outcomes[s.Outcome]++
		source, found := e.server.Graph().Find(s.Source, graph.Domain)
		want := map[bool]string{true: "closed", false: "lost"}[e.server.Graph().At(nights[s.Left]).Linked(source, us)]
		if !found || s.Outcome != want {
			t.Errorf("%s left on %s: %s, want %s", s.Source, s.Left, s.Outcome, want)
		}
	}
	if outcomes["closed"] == 0 || outcomes["lost"] == 0 {
		t.Errorf("the web brought only %v", outcomes)
	}
	type month struct{ Before, Opened, Closed, Lost, Unknown, After, Ignored int }
	months := ask[month](t, w, `select open_before as Before, opened as Opened, closed as Closed, lost as Lost, unknown as Unknown, open_after as After, ignored as Ignored
		from marts.gap_closure`)
	if len(months) != 2 || months[0].After != months[1].Before || months[0].Ignored == 0 || months[0].Closed+months[1].Closed != outcomes["closed"] {
		t.Errorf("months: %+v", months)
	}
	for _, m := range months {
		if m.Before+m.Opened-m.Closed-m.Lost-m.Unknown != m.After {
			t.Errorf("the sum does not come out: %+v", m)
		}
	}
	type queue struct{ All, Ignored, Unweighed, Ours int }
	q := ask[queue](t, w, `select count(*) as All, count(*) filter (where ignored) as Ignored, count(*) filter (where page_authority is null) as Unweighed,
		count(*) filter (where source_page in ('acme-outdoor.example', 'rivalgear.example')) as Ours from marts.prospects`)
	if q[0].All != months[1].After || q[0].Ignored == 0 || q[0].Unweighed != q[0].Ignored || q[0].Ours != 0 {
		t.Errorf("the queue: %+v of %+v", q[0], months[1])
	}
}

// TestTheMonitorJobFindsWhatTheWebChanged runs the ready-made job on two days, and on a third that has the index of the second.
func TestTheMonitorJobFindsWhatTheWebChanged(t *testing.T) {
	t.Parallel()
	e := emulated(t)
	dir := t.TempDir()
	job, w := unpack(t, dir, "monitor"), filepath.Join(dir, "w")
	for night, day := range []int{0, 9, 10} {
		e.setDay(day)
		backhaul(t, 0, "run", job, "--warehouse", w, "--yes", "--date", fmt.Sprintf("2026-11-%d", 20+night))
	}
	type change struct{ Target, Change, Source, To string }
	want := map[change]int{}
	for _, site := range []string{"trailhead-co.example", "pinecone-packs.example"} {
		before, after := livePairs(e.server.Graph(), site, 0), livePairs(e.server.Graph(), site, 9)
		for pair := range after {
			if !before[pair] {
				want[change{site, "new", pair[0], pair[1]}]++
			}
		}
		for pair := range before {
			if !after[pair] {
				want[change{site, "lost", pair[0], pair[1]}]++
			}
		}
	}
	got := map[change]int{}
	for _, c := range ask[change](t, w, `select target as Target, change as Change, source_page as Source, target_page as "To" from marts.link_changes
		where change <> 'changed' and extract = 'links' and previous_run_date = '2026-11-20' and run_date = '2026-11-21'`) {
		got[c]++
	}
	if diff := cmp.Diff(want, got); diff != "" || len(want) < 5 {
		t.Errorf("%d changes: %s", len(want), diff)
	}
	type count struct{ N int }
	for sql, wanted := range map[string]bool{
		"select count(*) as N from marts.link_changes where extract <> 'links'":                                       false, // lists over a moving window
		"select count(*) as N from marts.link_changes where run_date = '2026-11-22'":                                  false, // the index had not changed
		"select count(*) as N from marts.domain_changes where extract = 'domains'":                                    true,
		"select count(*) as N from marts.domains_between('trailhead-co.example', '2026-11-20', '2026-11-21')":         true,
		"select count(*) as N from marts.anchor_changes":                                                              true,
		"select count(*) as N from marts.anchor_profile where kind = 'branded' and domain_share between 0.01 and 1":   true,
		"select count(*) as N from moz.linking_root_domains where extract = 'domains_lost' and date_lost is not null": true,
		"select count(*) as N from moz.links where extract = 'links_lost' and date_disappeared is not null":           true,
		"select count(*) as N from ops.tasks where run_date = '2026-11-22' and ending = 'index unchanged'":            true,
	} {
		if n := ask[count](t, w, sql)[0].N; (n > 0) != wanted {
			t.Errorf("%s: %d", sql, n)
		}
	}
}

// livePairs are the pages of other sites with a live link to a page of the site, with that page.
func livePairs(g *graph.Graph, site string, day int) map[[2]string]bool {
	pairs := map[[2]string]bool{}
	v := g.At(day)
	target, _ := g.Find(site, graph.Domain)
	for _, id := range v.InLinks(target) {
		if l := v.Link(id); l.Live && l.External {
			pairs[[2]string{g.PageName(l.Source), g.PageName(l.Target)}] = true
		}
	}
	return pairs
}
