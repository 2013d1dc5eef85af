package duckdb

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// kind is what lists are of, and where the marts have what a test made up: an item is a letter, with a value of 1 to 3.
type kind struct {
	name, spans                    string // marts.<name>_current, marts.<spans>
	endpoints, tables, columns     [2]string
	item, value, previous, changes string
}

var ofLists = []kind{
	{"anchors", "anchor_spans", [2]string{"moz/anchor_text", "ahrefs/anchors"}, [2]string{"moz.anchor_text", "ahrefs.anchors"},
		[2]string{"anchor_text external_root_domains external_pages", "anchor refdomains last_seen"},
		"anchor_text", "external_root_domains", "previous_external_root_domains", ""},
	{"links", "link_spans", [2]string{"moz/links", "ahrefs/all_backlinks"}, [2]string{"moz.links", "ahrefs.all_backlinks"},
		[2]string{"source_page anchor_text date_disappeared", "url_from anchor last_seen"},
		"source_page", "anchor_texts[1]", "previous_anchor_texts[1]", "changed"},
	{"domains", "domain_spans", [2]string{"moz/linking_root_domains", "ahrefs/refdomains"}, [2]string{"moz.linking_root_domains", "ahrefs.refdomains"},
		[2]string{"root_domain to_target_pages date_lost", "domain links_to_target last_seen"},
		"root_domain", "pages", "previous_pages", ""},
}

// list is one that is bought night by night; vendor is 0 for Moz, 1 for Ahrefs.
type list struct {
	vendor                 int
	extract, target, scope string
}

var madeUp = []list{{0, "one", "a.example", "page"}, {0, "one", "b.example", "page"}, {0, "two", "a.example", "root_domain"}, {1, "three", "a.example", "subdomains"}}

// bought is what a night brought of a list.
type bought struct {
	night    int
	question string
	whole    bool
	items    map[string]int
}

// nightsOf are those on which anything can happen to lists: they break off, rows do not fit, the index has not changed, a run
// was put off, something else is asked.
var nightsOf = []int{1, 2, 3, 5, 6, 9, 10, 11, 12, 14}

// fates are the endings of a list with what else ops.tasks says: published, rejected_rows, windowed. The first is a whole list.
var fates = []string{"end of list|true|0|false", "end of list|true|-|-", "end of list|true|1|false", "budget|true|0|false", "max_rows|true|0|false",
	"end of list|false|0|false", "end of list|true|0|true", "index unchanged|false|0|false", ""}

// layLists makes up all nights of a kind.
func layLists(b book, k kind, random *rand.Rand) map[list][]bought {
	all := map[list][]bought{}
	for _, n := range nightsOf {
		var tasks []string
		rows := [2][]string{}
		for i, l := range madeUp {
			fate := 0
			if random.IntN(2) == 0 {
				fate = random.IntN(len(fates))
			}
			now := bought{n, "q1", fate < 2, map[string]int{}}
			if n > 9 && i == 0 || n == 6 && i == 2 {
				now.question = "q2"
			}
			if fates[fate] == "" {
				continue // the run was put off
			}
			tasks = append(tasks, fmt.Sprintf("%s|%s|%s|%s|%s|%s", l.extract, k.endpoints[l.vendor], l.target, l.scope, now.question, fates[fate]))
			if !strings.HasPrefix(fates[fate], "index") {
				for _, item := range strings.Fields("a b c d e f") {
					if random.IntN(3) > 0 {
						now.items[item] = 1 + random.IntN(3)
						line := fmt.Sprintf("%s|%s|%s|%s|%d|-", l.extract, l.target, l.scope, item, now.items[item])
						rows[l.vendor] = append(rows[l.vendor], slices.Repeat([]string{line}, 1+random.IntN(2))...)
					}
				}
			}
			all[l] = append(all[l], now)
		}
		b.lay(n, "ops.tasks", "extract endpoint target scope question ending published rejected_rows windowed", tasks...)
		for v, lines := range rows {
			b.lay(n, k.tables[v], "extract target scope "+k.columns[v], lines...)
		}
	}
	return all
}

// last returns the last whole night up to n, of a question if one is given.
func last(nights []bought, n int, question string) *bought {
	for i := len(nights) - 1; i >= 0; i-- {
		if b := nights[i]; b.whole && b.night <= n && (question == "" || b.question == question) {
			return &b
		}
	}
	return nil
}

func (l list) String() string { return l.extract + "," + l.target + "," + l.scope }

func wantCurrent(all map[list][]bought) (lines []string) {
	for l, nights := range all {
		if now := last(nights, 99, ""); now != nil {
			for item, value := range now.items {
				lines = append(lines, fmt.Sprintf("%s,%s,%s,%d", l, day(now.night), item, value))
			}
		}
	}
	return lines
}

func wantSpans(all map[list][]bought) (lines []string) {
	type span struct {
		list           list
		question, item string
	}
	seen := map[span][]int{}
	for l, nights := range all {
		for _, n := range nights {
			for item := range n.items {
				if n.whole {
					seen[span{l, n.question, item}] = append(seen[span{l, n.question, item}], n.night)
				}
			}
		}
	}
	for s, nights := range seen {
		first, end := nights[0], nights[len(nights)-1]
		lines = append(lines, fmt.Sprintf("%s,%s,%s,%s,%s,%d,%v", s.list, s.question, s.item, day(first), day(end), len(nights), last(all[s.list], 99, "").night == end))
	}
	return lines
}

// wantBetween returns false where there is nothing to compare.
func wantBetween(all map[list][]bought, k kind, target string, a, b int) (lines []string, comparable bool) {
	for l, nights := range all {
		to := last(nights, b, "")
		if l.target != target || to == nil {
			continue
		}
		from := last(nights, a, to.question)
		if from == nil {
			continue
		}
		comparable = true
		for _, item := range strings.Fields("a b c d e f") {
			was, is := from.items[item], to.items[item]
			change := map[[2]bool]string{{false, true}: "new", {true, false}: "lost"}[[2]bool{was > 0, is > 0}]
			if change == "" && was != is {
				change = k.changes
			}
			if change != "" {
				lines = append(lines, fmt.Sprintf("%s,%s,%s,%s,%s,%d,%d", l, day(from.night), day(to.night), change, item, was, is))
			}
		}
	}
	return lines, comparable
}

// asked is a warehouse's catalog, as a BI tool holds it open. Its questions have one column, of text.
type asked struct {
	t *testing.T
	s *session
}

func (a asked) ask(sql string) (lines []string, err error) {
	_, rows, err := a.s.rows(a.t.Context(), sql)
	for _, row := range rows {
		lines = append(lines, row[0].(string))
	}
	return sorted(lines), err
}

func (a asked) check(sql string, want []string) {
	a.t.Helper()
	got, err := a.ask(sql)
	if diff := cmp.Diff(sorted(want), got); diff != "" || err != nil {
		a.t.Errorf("%s: %v\n%s", sql, err, diff)
	}
}

func TestListsAreWhatTheirWholeNightsSay(t *testing.T) {
	t.Parallel()
	for i, k := range ofLists {
		t.Run(k.name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(uint64(i), 7))
			b := book{t, warehouse(t), "nightly"}
			all := layLists(b, k, random)
			mustBuildOnly(t, b.w)
			a := asked{t, outside(t, b.w)}
			a.check(fmt.Sprintf("SELECT concat_ws(',', extract, target, scope, run_date, %s, %s) FROM marts.%s_current", k.item, k.value, k.name), wantCurrent(all))
			a.check(fmt.Sprintf("SELECT concat_ws(',', extract, target, scope, question, %s, first_seen, last_seen, nights, live) FROM marts.%s", k.item, k.spans), wantSpans(all))
			checkBetween(a, k, all, random)
		})
	}
}

// checkBetween compares any two days, also those that are not nights, or before all of them, and the later with the earlier.
func checkBetween(a asked, k kind, all map[list][]bought, random *rand.Rand) {
	outcomes := map[bool]int{}
	for i := range 16 {
		target, from, to := []string{"a.example", "b.example", "a.example", "c.example"}[i%4], random.IntN(16), random.IntN(16)
		sql := fmt.Sprintf("SELECT concat_ws(',', extract, target, scope, from_date, to_date, change, %s, coalesce(%s::INT, 0), coalesce(%s::INT, 0)) FROM marts.%s_between('%s', '%s', DATE '%s')",
			k.item, k.previous, k.value, k.name, target, day(from), day(to))
		want, comparable := wantBetween(all, k, target, from, to)
		outcomes[comparable]++
		if comparable {
			a.check(sql, want)
		} else if _, err := a.ask(sql + " WHERE change = 'new' AND vendor = 'moz'"); err == nil || !strings.Contains(err.Error(), "no whole list of "+target+" on or before ") {
			a.t.Errorf("%s: %v", sql, err)
		}
	}
	if outcomes[true] < 6 || outcomes[false] < 4 || len(all) != len(madeUp) {
		a.t.Errorf("a poor sample: %v", outcomes)
	}
}

// A target's answer reads what there is of the target.
func TestTheTargetOfAListReachesTheFiles(t *testing.T) {
	t.Parallel()
	b := book{t, warehouse(t), "nightly"}
	layLists(b, ofLists[0], rand.New(rand.NewPCG(0, 7)))
	mustBuildOnly(t, b.w)
	s := outside(t, b.w)
	for sql, want := range map[string]int{ // scans of files
		"FROM marts.anchors_current WHERE target = 'b.example'":               2,
		"FROM marts.anchor_spans WHERE target = 'b.example'":                  2,
		"FROM marts.anchors_between('b.example', '2026-11-25', '2026-12-08')": 3,
		"FROM marts.links_current WHERE target = 'b.example'":                 2,
		"FROM marts.links_between('b.example', '2026-11-25', '2026-12-08')":   3,
		"FROM marts.domains_current WHERE target = 'b.example'":               2,
		"FROM marts.domains_between('b.example', '2026-11-25', '2026-12-08')": 3,
		"SELECT run_date FROM marts.whole_nights WHERE target = 'b.example'":  1,
	} {
		_, rows, err := s.rows(t.Context(), "EXPLAIN (FORMAT json) "+sql)
		if err != nil {
			t.Fatal(err)
		}
		plan := rows[0][1].(string)
		if got := strings.Count(plan, "target='b.example'"); got < want {
			t.Errorf("%s: the target reaches %d scans:\n%s", sql, got, plan)
		}
	}
}

// Of the nights no other is read than those that are asked about: DuckDB finds them out before it reads the rows.
func TestTheNightsOfAListReachTheFiles(t *testing.T) {
	t.Parallel()
	b := book{t, warehouse(t), "nightly"}
	layLists(b, ofLists[0], rand.New(rand.NewPCG(0, 7)))
	mustBuildOnly(t, b.w)
	s := outside(t, b.w)
	for _, sql := range []string{"FROM marts.anchors_current", "FROM marts.anchors_between('a.example', '2026-11-25', '2026-12-08')"} {
		_, rows, err := s.rows(t.Context(), "EXPLAIN (ANALYZE, FORMAT json) "+sql)
		if err != nil {
			t.Fatal(err)
		}
		if plan := rows[0][1].(string); !regexp.MustCompile(`(?s)"Dynamic Filters":[^\]]*run_date`).MatchString(plan) {
			t.Errorf("%s reads every night:\n%s", sql, plan)
		}
	}
}
