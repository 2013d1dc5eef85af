package simulation

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

const (
	// seedsVariable is how many seeds are tried, each twice and with larger scenarios. Default: the rest of a thousand short ones,
	// each once.
	seedsVariable = "BACKHAUL_SIMULATIONS"
	// firstVariable is the first of them. Default 0.
	firstVariable = "BACKHAUL_FIRST_SIMULATION"
	// againVariable is a scenario to run again: the line that a failure ends with.
	againVariable = "BACKHAUL_SIMULATION"
)

// A thousand are drawn at every test, the first of them by a test of their own, which is enough to find most faults.
const thousand, first = 1000, 50

func number(t *testing.T, variable string, usual int) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		t.Fatalf("%s=%s: want a whole number", variable, text)
	}
	return n
}

// TestTheFirstScenariosHoldAndDoTheSameTwice does not look for the least scenario that fails: TestAScenarioAgain does.
func TestTheFirstScenariosHoldAndDoTheSameTwice(t *testing.T) {
	t.Parallel()
	for seed := range uint64(first) {
		if testing.Short() && seed >= first/2 {
			break
		}
		s := draw(seed, true)
		if wrong := faultOf(t, s, true); wrong != nil {
			t.Fatalf("seed %d: %v\nagain: %s", seed, wrong, again(s))
		}
	}
}

// TestWhateverHappensToAWarehouseNothingIsLostDoubledOrOverrun draws scenarios, carries them out, and looks for the least that fails.
func TestWhateverHappensToAWarehouseNothingIsLostDoubledOrOverrun(t *testing.T) {
	seeds, from, large := thousand-first, first, os.Getenv(seedsVariable) != ""
	if testing.Short() {
		seeds = 10
	}
	if large {
		seeds, from = number(t, seedsVariable, 0), number(t, firstVariable, 0)
	}
	var next atomic.Int64
	var failed atomic.Bool
	t.Cleanup(func() { t.Logf("%d scenarios", min(next.Load(), int64(seeds))) })
	for worker := range runtime.GOMAXPROCS(0) {
		t.Run(fmt.Sprint("worker", worker), func(t *testing.T) {
			t.Parallel()
			for n := next.Add(1); n <= int64(seeds) && !failed.Load(); n = next.Add(1) {
				if !try(t, draw(uint64(from)+uint64(n)-1, !large), large) {
					failed.Store(true)
				}
			}
		})
	}
}

// TestKeptScenariosStayMended carries out those that once failed.
func TestKeptScenariosStayMended(t *testing.T) {
	t.Parallel()
	file, err := os.Open("testdata/kept.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	kept := 0
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if line := lines.Text(); line != "" && !strings.HasPrefix(line, "#") {
			kept++
			try(t, parse(t, line), true)
		}
	}
	if kept == 0 {
		t.Error("none is kept")
	}
}

// TestAScenarioAgain carries out the one of the environment, and says what happened.
func TestAScenarioAgain(t *testing.T) {
	line := os.Getenv(againVariable)
	if line == "" {
		line = `{"Seed":1,"Lead":3600000000000,"Lists":[{"Job":0,"Endpoint":"moz/anchor_text","Target":"tiny-tarps.example","Size":3}],"Processes":[{"Job":0,"Day":0,"At":0,"Connections":1}]}`
	}
	s := parse(t, line)
	told := simulate(t, s)
	if told.wrong != nil {
		try(t, s, true)
	}
	for _, line := range told.trace {
		t.Log(line)
	}
	if told.wrong != nil || len(told.trace) < 20 {
		t.Errorf("%v, in %d steps", told.wrong, len(told.trace))
	}
}

func parse(t *testing.T, line string) (s scenario) {
	t.Helper()
	if err := json.Unmarshal([]byte(line), &s); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return s
}

// try carries out a scenario, twice if asked to, and reports whether all was well. Of one that fails it says the least one that
// fails in the same way.
func try(t *testing.T, s scenario, twice bool) bool {
	t.Helper()
	wrong := faultOf(t, s, twice)
	if wrong == nil {
		return true
	}
	least, why := shrink(t, s, wrong, twice)
	t.Errorf("%v\nthe seed's own: %v\nagain: %s", why, wrong, again(least))
	return false
}

// again is how a scenario is carried out again.
func again(s scenario) string {
	return fmt.Sprintf("%s='%s' go test -count=1 -v -run TestAScenarioAgain ./jobs/simulation", againVariable, s)
}

// faultOf returns what is wrong with a scenario, or with doing it twice.
func faultOf(t *testing.T, s scenario, twice bool) error {
	told := simulate(t, s)
	if told.wrong != nil || !twice || s.Loose {
		return told.wrong
	}
	second := simulate(t, s)
	if second.wrong != nil {
		return second.wrong
	}
	for i := range max(len(told.trace), len(second.trace)) {
		if i >= len(told.trace) || i >= len(second.trace) || told.trace[i] != second.trace[i] {
			return fmt.Errorf("again: step %d differs:\n%s\n%s", i, around(told.trace, i), around(second.trace, i))
		}
	}
	return nil
}

func around(trace []string, at int) string {
	at = min(at, len(trace))
	return strings.Join(trace[max(0, at-2):min(at+2, len(trace))], "; ")
}

// shrink looks for a simpler scenario that fails in the same way.
func shrink(t *testing.T, s scenario, wrong error, twice bool) (least scenario, why error) {
	tries := 0
	for found := true; found; {
		found = false
		for _, less := range s.lesser() {
			if tries++; tries > 200 {
				return s, wrong
			}
			if err := faultOf(t, less, twice); err != nil && kindOf(err) == kindOf(wrong) {
				s, wrong, found = less, err, true
				break
			}
		}
	}
	return s, wrong
}

// kindOf is the first word of an error: money, rows, pages, or whose.
func kindOf(err error) string {
	kind, _, _ := strings.Cut(err.Error(), " ")
	if slices.Contains([]string{"money:", "rows:", "pages:", "again:"}, kind) {
		return kind
	}
	return ""
}
