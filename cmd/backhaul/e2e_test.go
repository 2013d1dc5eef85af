package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// ask runs a query and decodes its rows.
func ask[T any](t testing.TB, warehouse, sql string) []T {
	t.Helper()
	var rows []T
	out := backhaul(t, 0, "query", "--warehouse", warehouse, "--format", "json", sql)
	if err := json.Unmarshal([]byte(out), &rows); err != nil {
		t.Fatalf("%s: %v\n%s", sql, err, out)
	}
	return rows
}

func TestTheLakeHoldsExactlyTheVendorsRowsInTheirOrder(t *testing.T) {
	t.Parallel()
	s := newListServer(t, listSettings{})
	setenv(t, "MOZ_TOKEN", "secret-token")
	setenv(t, "BACKHAUL_MOZ_V2_URL", s.URL)
	r := rand.New(rand.NewPCG(1, 2))
	var targets []string
	var total int64
	pages := 0
	lists := 1000
	if testing.Short() {
		lists = 200
	}
	for i := range lists {
		rows := 0
		switch r.IntN(10) {
		case 0:
			rows = r.IntN(3000)
		case 1, 2, 3:
			rows = 50 * r.IntN(5) // lists that end with a full page
		case 4, 5, 6, 7:
			rows = r.IntN(60)
		}
		if i == lists/2 {
			rows = 20000
		}
		targets = append(targets, listTarget(i, rows))
		total += int64(rows)
		pages += max(1, (rows+49)/50)
	}
	dir := t.TempDir()
	w := filepath.Join(dir, "w")
	job := writeJob(t, dir, "{requests_per_second: 100000, connections: 6}", targets)
	backhaul(t, 0, "run", job, "--warehouse", w, "--date", "2026-11-23")

	if s.boughtTwice() != 0 || s.peak > 6 || len(s.limits) != 1 || s.limits[50] != pages || s.rows != total {
		t.Errorf("%d pages bought twice, %d connections at once, limits %v for %d pages, %d rows served of %d",
			s.boughtTwice(), s.peak, s.limits, pages, s.rows, total)
	}
	// The server's row i of a list of n is ('anchor i', n-i, 2(n-i)): each row can be checked by itself.
	type verdict struct{ Rows, Bad, Targets int64 }
	got := ask[verdict](t, w, `select count(*) as Rows, count(distinct target) as Targets, count(*) filter (where
		anchor_text <> 'anchor ' || (rank - 1) or page_seq <> (rank - 1) // 50
		or external_root_domains <> split_part(split_part(target, '-', 2), '.', 1)::bigint - (rank - 1)
		or external_pages <> 2 * external_root_domains or scope <> 'root_domain' or extra is not null
		or job <> 'measured' or extract <> 'anchors' or surface <> 'v2' or run_date <> date '2026-11-23') as Bad from moz.anchor_text`)
	if len(got) != 1 || got[0].Rows != total || got[0].Bad != 0 {
		t.Errorf("the lake has %+v, the vendor %d rows", got, total)
	}
	type gap struct{ Target string }
	if gaps := ask[gap](t, w, `select target as Target from moz.anchor_text group by target
		having max(rank) <> count(*) or min(rank) <> 1 or count(distinct rank) <> count(*)`); len(gaps) != 0 {
		t.Errorf("ranks with gaps: %v", gaps)
	}
	type short struct{ Target string }
	if missing := ask[short](t, w, `select target as Target from ops.tasks where not complete or rows <> split_part(split_part(target, '-', 2), '.', 1)::bigint`); len(missing) != 0 {
		t.Errorf("ops.tasks disagrees: %v", missing)
	}

	served := s.rows
	backhaul(t, 0, "run", job, "--warehouse", w, "--date", "2026-11-23")
	if s.rows != served {
		t.Errorf("the same night again bought %d rows", s.rows-served)
	}
	if again := ask[verdict](t, w, `select count(*) as Rows from moz.anchor_text`); again[0].Rows != total {
		t.Errorf("the same night again left %d rows", again[0].Rows)
	}
}

func TestTwoExtractsOfOneTargetAreSortedTogether(t *testing.T) {
	t.Parallel()
	s := newListServer(t, listSettings{})
	setenv(t, "MOZ_TOKEN", "secret-token")
	setenv(t, "BACKHAUL_MOZ_V2_URL", s.URL)
	dir := t.TempDir()
	w := filepath.Join(dir, "w")
	job := writeFile(t, dir, "two.yaml", fmt.Sprintf(`job: two
vendors: {moz: {requests_per_second: 1000}}
targets: {all: [%s]}
extracts:
  - {name: b, endpoint: moz/anchor_text, targets: [all], params: {scope: page}}
  - {name: a, endpoint: moz/anchor_text, targets: [all], params: {scope: page}, max_rows: 75}
`, listTarget(1, 120)))
	backhaul(t, 0, "run", job, "--warehouse", w)
	type row struct {
		Extract string
		N       int64
	}
	got := ask[row](t, w, `select extract as Extract, count(*) as N from moz.anchor_text group by extract order by extract`)
	if fmt.Sprint(got) != "[{a 75} {b 120}]" {
		t.Errorf("%v", got)
	}
	type bad struct{ N int64 }
	if b := ask[bad](t, w, `select count(*) as N from moz.anchor_text where anchor_text <> 'anchor ' || (rank - 1)`); b[0].N != 0 {
		t.Errorf("%d rows have another's rank", b[0].N)
	}
	if s.limits[38] != 1 || s.limits[37] != 1 {
		t.Errorf("max_rows 75 is asked for in pages of 38 and 37 rows: %v", s.limits)
	}
}

func TestAllConnectionsOfTheSpecAreUsedAndNoMore(t *testing.T) {
	t.Parallel()
	for _, connections := range []int{1, 16} {
		s := newListServer(t, listSettings{latency: 20 * time.Millisecond, meet: connections})
		setenv(t, "MOZ_TOKEN", "secret-token")
		setenv(t, "BACKHAUL_MOZ_V2_URL", s.URL)
		var targets []string
		for i := range 40 {
			targets = append(targets, listTarget(i, 120))
		}
		dir := t.TempDir()
		job := writeJob(t, dir, fmt.Sprintf("{requests_per_second: 100000, connections: %d}", connections), targets)
		backhaul(t, 0, "run", job, "--warehouse", filepath.Join(dir, "w"))
		if s.peak != connections {
			t.Errorf("%d requests at once, want %d", s.peak, connections)
		}
	}
}

func TestARowThatDoesNotFitIsKeptAndTheOthersAreLoaded(t *testing.T) {
	t.Parallel()
	s := newListServer(t, listSettings{answer: func(w http.ResponseWriter, target, _ string) bool {
		if listLength(target) != 3 {
			return false
		}
		fmt.Fprint(w, `{"results":[
			{"anchor_text":"good","external_root_domains":2,"external_pages":3,"novelty":{"a":[1,2]}},
			{"anchor_text":"bad","external_root_domains":"many","external_pages":3},
			{"external_root_domains":1,"external_pages":1},
			{"anchor_text":"","external_root_domains":18753876101,"external_pages":1}],"next_token":""}`)
		return true
	}})
	setenv(t, "MOZ_TOKEN", "secret-token")
	setenv(t, "BACKHAUL_MOZ_V2_URL", s.URL)
	dir := t.TempDir()
	w := filepath.Join(dir, "w")
	job := writeJob(t, dir, "{requests_per_second: 1000}", []string{listTarget(1, 3), listTarget(2, 5)})
	backhaul(t, 3, "run", job, "--warehouse", w)
	type row struct {
		Anchor, Extra string
		Domains, Rank int64
	}
	got := ask[row](t, w, `select anchor_text as Anchor, external_root_domains as Domains, rank as Rank, coalesce(extra, '') as Extra
		from moz.anchor_text where target = 't1-3.example' order by rank`)
	want := []row{{"good", `{"novelty":{"a":[1,2]}}`, 2, 1}, {"", "", 18753876101, 2}}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	type rejected struct {
		TableName, Target, Reason, JSON string
		Row, PageSeq                    int64
	}
	bad := ask[rejected](t, w, `select table_name as TableName, target as Target, reason as Reason, json as JSON, row as Row, page_seq as PageSeq
		from ops.rejected_rows order by row`)
	if len(bad) != 2 || bad[0].Row != 1 || bad[1].Row != 2 || bad[0].TableName != "moz.anchor_text" || bad[0].Target != "t1-3.example" ||
		!strings.Contains(bad[0].Reason, "external_root_domains") || !strings.Contains(bad[0].JSON, `"many"`) || !strings.Contains(bad[1].Reason, "anchor_text") {
		t.Errorf("rejected: %+v", bad)
	}
	if others := ask[row](t, w, `select anchor_text as Anchor from moz.anchor_text where target = 't2-5.example'`); len(others) != 5 {
		t.Errorf("the other target has %d rows", len(others))
	}
}
