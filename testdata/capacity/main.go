// Capacity simulates a day of nightly jobs, for 10, 100 and 1,000 vendor accounts, and says when the last night is complete and what was
// busiest. .github/CAPACITY.md draws its conclusions.
//
//	go run ./testdata/capacity [-quick] [-only PART-OF-A-TITLE]
//
// It is an event loop under virtual time, in which a request is some ten events and takes four microseconds. The engine, the journal and
// the emulator under testing/synctest, as jobs/simulation has them, take as much CPU there as anywhere: about a millisecond a request, an
// hour for one of these days. So what they do is modelled, by what it takes where it was measured, and a test holds the model against the
// program's own gate under synctest.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

func main() {
	quick := flag.Bool("quick", false, "a tenth of each night")
	only := flag.String("only", "", "the parts whose titles have this")
	flag.Parse()
	of := slices.DeleteFunc(questions(), func(q question) bool { return !strings.Contains(q.title, *only) })
	report(os.Stdout, of, *quick)
}

// measured are the costs on two shared cores, and what was taken for want of a measurement: see .github/CAPACITY.md.
var measured = costs{
	turn: 50 * time.Microsecond, page: 450 * time.Microsecond, grant: 230 * time.Microsecond, beside: 200 * time.Nanosecond, hold: 1200 * time.Microsecond,
	request: 900 * time.Microsecond, row: 10 * time.Microsecond, night: 330 * time.Millisecond, publish: 20 * time.Millisecond, commit: 300 * time.Millisecond,
}

// The vendors as they are by default here, with nights of 300,000 rows each.
var (
	moz    = vendor{perSecond: 2, connections: 8, reply: 700 * time.Millisecond, requests: 6000, rows: 50, tables: 8}
	ahrefs = vendor{perSecond: 1, connections: 4, reply: 2 * time.Second, requests: 1500, rows: 200, tables: 8}
)

// usual is a fleet with one database and one lake.
func usual(accounts, hosts int) setting {
	return setting{costs: measured, accounts: accounts, of: []vendor{moz, ahrefs}, hosts: hosts, cores: 2, database: 4, ledgers: 1, perGrant: 8, mostTries: 20}
}

// question is a part of the table.
type question struct {
	title    string
	settings []row
}

type row struct {
	name string
	setting
}

// with changes a setting.
func with(s setting, change func(*setting)) setting {
	change(&s)
	return s
}

func questions() []question {
	return []question{
		{"all nights begin at once", sizes(usual)},
		{"1,000 accounts, by what is changed", []row{
			{"as above, 4 hosts", usual(1000, 4)},
			{"begun over 6 hours", with(usual(1000, 4), func(s *setting) { s.begin = 6 * time.Hour })},
			{"no ceilings", with(usual(1000, 4), func(s *setting) { s.perGrant = 128 })},
			{"by Temporal's workers", with(usual(1000, 4), func(s *setting) { s.perGrant = 1 })},
			{"at the month's end", with(usual(1000, 4), func(s *setting) { s.nights = 29 })},
			{"a database for each account", with(usual(1000, 4), func(s *setting) { s.ledgers = 1000 })},
			{"the same, at the month's end", with(usual(1000, 4), func(s *setting) { s.ledgers, s.nights = 1000, 29 })},
			{"the same, by Temporal's workers", with(usual(1000, 4), func(s *setting) { s.ledgers, s.nights, s.perGrant = 1000, 29, 1 })},
			{"16 cores of PostgreSQL", with(usual(1000, 4), func(s *setting) { s.database = 16 })},
		}},
		{"1,000 accounts, a database for each, one lake in a store", stores()},
		{"1,000 accounts, 4 hosts, if what was measured is off", []row{
			{"everything takes half", with(usual(1000, 4), func(s *setting) { s.costs = s.times(0.5) })},
			{"everything takes twice", with(usual(1000, 4), func(s *setting) { s.costs = s.times(2) })},
			{"replies take four times", with(usual(1000, 4), slowly)},
		}},
	}
}

// slowly has the vendors answer in four times their time.
func slowly(s *setting) {
	of := make([]vendor, len(s.of))
	for i, v := range s.of {
		v.reply *= 4
		of[i] = v
	}
	s.of = of
}

func sizes(of func(accounts, hosts int) setting) (rows []row) {
	for _, accounts := range []int{10, 100, 1000} {
		for _, hosts := range []int{1, 4, 16} {
			rows = append(rows, row{fmt.Sprintf("%d accounts, %d hosts", accounts, hosts), of(accounts, hosts)})
		}
	}
	return rows
}

func stores() (rows []row) {
	for _, hosts := range []int{1, 4, 16} {
		for _, begin := range []time.Duration{0, 6 * time.Hour} {
			rows = append(rows, row{fmt.Sprintf("%d hosts, begun over %.0f h", hosts, begin.Hours()), with(usual(1000, hosts), func(s *setting) {
				s.store, s.ledgers, s.begin = true, 1000, begin
			})})
		}
	}
	return rows
}

// report prints what came of every setting.
func report(to io.Writer, of []question, quick bool) {
	days := map[string][]day{}
	var all sync.WaitGroup
	turns := make(chan struct{}, runtime.GOMAXPROCS(0))
	for _, q := range of {
		days[q.title] = make([]day, len(q.settings))
		for i, r := range q.settings {
			if quick {
				r.setting = with(r.setting, tenth)
			}
			all.Go(func() {
				turns <- struct{}{}
				defer func() { <-turns }()
				days[q.title][i] = simulate(r.setting)
			})
		}
	}
	all.Wait()
	fmt.Fprintln(to, "| fleet | requests | by the rate | bought | complete | PostgreSQL | ledger | hosts | tables | conflicts | given up |\n|---|---|---|---|---|---|---|---|---|---|---|")
	for _, q := range of {
		fmt.Fprintf(to, "| **%s** | | | | | | | | | | |\n", q.title)
		for i, r := range q.settings {
			d := days[q.title][i]
			fmt.Fprintf(to, "| %s | %d | %s | %s | %s | %s | %s | %s | %s | %d | %d |\n", r.name, d.requests, hours(d.bound), hours(d.buying), hours(d.last),
				percent(d.database), percent(d.ledger), percent(d.hosts), percent(d.tables), d.conflicts, d.lost)
		}
	}
}

// tenth has every night ask for a tenth.
func tenth(s *setting) {
	of := make([]vendor, len(s.of))
	for i, v := range s.of {
		v.requests /= 10
		of[i] = v
	}
	s.of, s.begin = of, s.begin/10
}

func hours(d time.Duration) string { return fmt.Sprintf("%.2f h", d.Hours()) }

func percent(share float64) string { return fmt.Sprintf("%.0f %%", 100*share) }
