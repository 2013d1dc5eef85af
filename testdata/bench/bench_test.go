package main

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestARowHasMediansOfRoundsAndTheRatioOfTheBest(t *testing.T) {
	t.Parallel()
	r := figure{name: "CPU", unit: "s", goal: 2, of: "DuckDB"}.row("replay", []pair{{2, 1}, {9, 3}, {10, 8}})
	want := row{Work: "replay: CPU", Unit: "s", Ours: 9, Of: "DuckDB", Yardstick: 3, Ratio: 2, Best: 2, Goal: 2, Met: true, Rounds: []float64{2, 3, 1.25}}
	if diff := cmp.Diff(want, r); diff != "" {
		t.Error(diff)
	}
	if got := median([]float64{4, 1, 3, 2}); got != 2.5 {
		t.Errorf("the median of 1 to 4 is %v", got)
	}
}

func TestAGoalIsMetWithinTenPercentOfTheRatioOrOfWhatHasNoYardstick(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		f    figure
		p    pair
		want bool
	}{
		{figure{goal: 1, of: "x"}, pair{10.9, 10}, true},
		{figure{goal: 1, of: "x"}, pair{11.1, 10}, false},
		{figure{goal: 10}, pair{ours: 10.9}, true},
		{figure{goal: 10}, pair{ours: 11.1}, false},
	} {
		if r := c.f.row("w", []pair{c.p}); r.Met != c.want {
			t.Errorf("%+v of a goal of %v: met is %v", c.p, c.f.goal, r.Met)
		}
	}
}

func TestARatioThirtyPercentWorseThanTheBaselineIsAnError(t *testing.T) {
	t.Parallel()
	f := figure{name: "CPU", unit: "s", goal: 1, of: "DuckDB"}
	path := filepath.Join(t.TempDir(), "quick.json")
	if err := (report{Rows: []row{f.row("a", []pair{{2, 1}}), f.row("b", []pair{{4, 1}})}}).write(path); err != nil {
		t.Fatal(err)
	}
	before, err := readReport(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		a, b float64
		want string
	}{{2.5, 5.1, ""}, {0.1, 5.3, "b: CPU: 5.30 times its yardstick, it was 4.00"}, {2.7, 0.1, "a: CPU: 2.70 times its yardstick, it was 2.00"}} {
		now := report{Rows: []row{f.row("a", []pair{{c.a, 1}, {9, 1}}), f.row("b", []pair{{c.b, 1}})}}
		if got := message(now.compare(&bytes.Buffer{}, before)); got != c.want {
			t.Errorf("%v: %q, want %q", c, got, c.want)
		}
		if got := before.beats(now.Rows); got != (c.want != "") {
			t.Errorf("%v: measured again is %v, worse is %q", c, got, c.want)
		}
	}
	if err := (report{Rows: []row{f.row("new", []pair{{1, 1}})}}).compare(&bytes.Buffer{}, before); !strings.Contains(message(err), "not in") {
		t.Errorf("a work that the baseline lacks: %v", err)
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestTheBaselineIsOfTheWorksThatAreCompared fails where a work was renamed and its baseline was not.
func TestTheBaselineIsOfTheWorksThatAreCompared(t *testing.T) {
	t.Parallel()
	before, err := readReport("quick.json")
	if err != nil {
		t.Fatal(err)
	}
	var has, want []string
	for _, r := range before.Rows {
		has = append(has, r.Work+" of "+r.Of)
	}
	for _, w := range all {
		for _, f := range w.figures {
			if w.wanted(options{quick: true}) {
				want = append(want, f.row(w.name, []pair{{1, 1}}).Work+" of "+f.of)
			}
		}
	}
	if diff := cmp.Diff(want, has); diff != "" {
		t.Error(diff)
	}
}

func TestTheServerDeliversEveryRowOfAListOnce(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(newServer())
	defer s.Close()
	list := filepath.Join(t.TempDir(), "targets.csv")
	if err := os.WriteFile(list, []byte("target\nt0-120.example\nsecond-t1-50.example\nt2-1.example\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	y := yardstick{name: "fetch", url: s.URL, in: list, connections: 2}
	if err := y.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := s.Config.Handler.(*server).rows.Load(); got != 171 {
		t.Errorf("%d rows were delivered, the lists have 171", got)
	}
	if all, longest := pagesOf([]string{"t0-120.example", "second-t1-50.example", "t2-0.example"}); all != 5 || longest != 3 {
		t.Errorf("%d pages, the longest list has %d", all, longest)
	}
}

func TestACorpusEndsEveryListAndHasTheRowsItSays(t *testing.T) {
	t.Parallel()
	for _, endpoint := range []string{"anchor_text", "links"} {
		c, err := writeCorpus(filepath.Join(t.TempDir(), "corpus"), endpoint, 320)
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(c.path)
		if err != nil {
			t.Fatal(err)
		}
		last := map[string]string{}
		var rows, pages int64
		for line := range strings.Lines(string(text)) {
			var a archived
			if err := json.Unmarshal([]byte(line), &a); err != nil {
				t.Fatal(err)
			}
			var reply struct {
				Results []any  `json:"results"`
				Token   string `json:"next_token"`
			}
			if err := json.Unmarshal(a.Response, &reply); err != nil {
				t.Fatal(err)
			}
			last[a.Target] = reply.Token
			rows, pages = rows+int64(len(reply.Results)), pages+1
		}
		if rows != c.rows || pages != c.pages || rows < 320 || c.bytes != int64(len(text)) {
			t.Errorf("%s: %d rows on %d pages, said to be %+v", endpoint, rows, pages, c)
		}
		for target, token := range last {
			if token != "" {
				t.Errorf("%s of %s is not whole", endpoint, target)
			}
		}
	}
}
