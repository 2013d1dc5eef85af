package simulation

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"backhaul/jobs/ledger"
	"backhaul/jobs/run"
	"backhaul/pipeline"
	"backhaul/pipeline/journal"
	"backhaul/sinks"
)

// failed counts the refusals after which a list may start over.
func (p *process) failed(t pipeline.Task, err error) {
	var e *pipeline.Error
	if !errors.As(err, &e) || e.Kind != pipeline.Stale && e.Kind != pipeline.Rejected {
		return
	}
	p.world.mu.Lock()
	defer p.world.mu.Unlock()
	p.refusals[p.runKey()+" "+t.ID]++
}

// checkMoney holds the ledger against the vendor's meter and the ceilings: it is called whenever either has moved.
func (w *world) checkMoney() {
	if !w.over.Load() {
		w.check(w.money())
	}
}

func (w *world) money() error {
	granted, err := w.granted()
	if err != nil {
		return err
	}
	for vendor, billed := range w.billed() {
		var released pipeline.Units // what was held until its month was over: the vendor may have charged it
		if err := w.releases.QueryRow(vendor, ledger.ByMonth).Scan(&released); err != nil {
			return err
		}
		if all := granted[vendor]; billed > all+released {
			return fmt.Errorf("money: %s has billed %d, %d are granted and %d were released with their month", vendor, billed, all, released)
		}
	}
	if w.lifted.Load() {
		return nil
	}
	for what, units := range granted {
		var most int64
		vendor, of, _ := strings.Cut(what, " ")
		switch strings.Count(what, " ") {
		case 1:
			most = w.Warehouse
		case 2:
			most = w.Month
		}
		if most *= unitOf[vendor]; most > 0 && units > pipeline.Units(most) {
			return fmt.Errorf("money: %s were granted %d at %s, of %d", of, units, vendor, most)
		}
	}
	return nil
}

// unitOf is how many units stand for one of a ceiling, by vendor.
var unitOf = map[string]int64{"moz": questions["moz/anchor_text"].unit, "ahrefs": questions["ahrefs/anchors"].unit}

// billed is what the vendors have billed.
func (w *world) billed() map[string]pipeline.Units {
	return map[string]pipeline.Units{"moz": pipeline.Units(w.server.Meter().Rows), "ahrefs": pipeline.Units(w.server.Ahrefs().Meter().Units)}
}

// wasted is what of it was not delivered.
func (w *world) wasted() map[string]pipeline.Units {
	return map[string]pipeline.Units{"moz": pipeline.Units(w.server.Meter().WasteRows), "ahrefs": pipeline.Units(w.server.Ahrefs().Meter().WasteUnits)}
}

// granted sums up what runs may have spent: by vendor, by vendor and month, and by vendor, job and month.
func (w *world) granted() (map[string]pipeline.Units, error) {
	rows, err := w.grants.Query()
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	all := map[string]pipeline.Units{}
	for rows.Next() {
		var s ledger.Spend
		if err := rows.Scan(&s.RunID, &s.Vendor, &s.Month, &s.Granted, &s.Spent, &s.Charged); err != nil {
			return nil, err
		}
		all[s.Vendor] += s.Granted
		all[s.Vendor+" "+s.Month] += s.Granted
		all[s.Vendor+" "+s.RunID[:1]+" "+s.Month] += s.Granted
		if s.Spent+s.Charged > s.Granted || s.Spent < 0 || s.Charged < 0 {
			return nil, fmt.Errorf("money: of %+v more is spent than granted", s)
		}
	}
	return all, rows.Err()
}

// checkRun looks at how a process ended that lived to tell.
func (w *world) checkRun(p *process, result *run.Result, err error) error {
	if err != nil {
		if p.excused(err) {
			return nil
		}
		return fmt.Errorf("%s ended with %w", p.name, err)
	}
	complete := !slices.ContainsFunc(result.Tasks, func(t ledger.Task) bool { return !t.Ending.Complete() })
	if !result.Interrupted && complete != (result.Run.State == ledger.Complete) {
		return fmt.Errorf("%s is %s, and all its tasks complete: %v", p.name, result.Run.State, complete)
	}
	if result.Run.State != ledger.Complete {
		return nil
	}
	return w.checkWhole(p)
}

// checkWhole holds the tables of a complete run against the truth.
func (w *world) checkWhole(p *process) error {
	for _, i := range w.listsOf(p.Job) {
		l := w.Lists[i]
		rows, ok := w.shelf.rowsOf(tableOf(l.Endpoint), p.runKey())
		if !ok {
			return fmt.Errorf("rows: run %s is complete, and table %s is not there", p.runKey(), l.Endpoint)
		}
		n := 0
		for _, r := range rows {
			if r.extract == extractName(i) {
				n++
			}
		}
		if want := l.want(); n != want {
			return fmt.Errorf("rows: run %s is complete, and %s of %s has %d rows of %d", p.runKey(), l.Endpoint, l.Target, n, want)
		}
	}
	return nil
}

func (s *shelf) rowsOf(table, runKey string) ([]row, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, rows := range s.tables {
		if key.table.FullName() == table && key.job+" "+key.date == runKey {
			return rows, true
		}
	}
	return nil, false
}

// checkRows says what is wrong with a table that is published: each list is the beginning of the vendor's, in its order, each row
// once, ranked from 1.
func (w *world) checkRows(key published, rows []row) error {
	if facts[key.table.FullName()] == nil {
		return nil
	}
	next, seen := map[string]int{}, map[string]bool{}
	for _, r := range rows {
		i := listOf(r.extract)
		if i < 0 || i >= len(w.Lists) {
			return fmt.Errorf("rows: %s has rows of %s", key.table.FullName(), r.extract)
		}
		l, at := w.Lists[i], next[r.extract]
		next[r.extract]++
		want := l.whole()
		fits := at < l.want() && (r.text == want[at] || !l.inOrder() && slices.Contains(want, r.text) && !seen[r.extract+r.text])
		seen[r.extract+r.text] = true
		if r.target != l.Target || !fits || r.rank != int64(at+1) {
			return fmt.Errorf("rows: row %d of %s/%s has rank %d and is %q, of %d rows", at+1, r.extract, r.target, r.rank, r.text, l.want())
		}
	}
	return nil
}

// checkEnd looks at what there is when all runs are complete.
func (w *world) checkEnd() error {
	pages := map[string]bool{}
	var held pipeline.Units
	seen := map[string]bool{}
	for _, p := range w.all {
		if seen[p.runKey()] {
			continue
		}
		seen[p.runKey()] = true
		units, err := w.checkJournal(p, pages)
		if err != nil {
			return err
		}
		held += units
	}
	for _, p := range w.all {
		if err := p.checkDelivered(pages); err != nil {
			return err
		}
	}
	return w.checkBooks(held)
}

// checkJournal reads the journal of a run: pages in their order, none twice, none that no process was given.
func (w *world) checkJournal(p *process, pages map[string]bool) (units pipeline.Units, err error) {
	ctx := context.Background()
	date := dateOf(p.Day).Format("2006-01-02")
	path := sinks.Warehouse{Root: filepath.Join(w.dir, "warehouse")}.JournalOf(jobName(p.Job), date)
	j, err := journal.Open(ctx, path, journal.Header{Job: jobName(p.Job), RunDate: date})
	if err != nil {
		return 0, err
	}
	defer j.Close()
	for _, i := range w.listsOf(p.Job) {
		task := w.task(i)
		seq, chain, at := 0, 0, map[string]bool{}
		for page, err := range j.Pages(ctx, task.ID) {
			if err != nil {
				return 0, err
			}
			place := fmt.Sprint(page.Chain, " ", page.Cursor)
			if page.Seq != seq || page.Chain < chain || at[place] {
				return 0, fmt.Errorf("pages: page %d of %s in chain %d, behind %d pages and chain %d; bought before: %v", page.Seq, task.Extract, page.Chain, seq, chain, at[place])
			}
			seq, chain, at[place] = seq+1, page.Chain, true
			pages[p.pageKey(task.ID, page)] = true
			units += page.Units
		}
		if most := w.refusals[p.runKey()+" "+task.ID]; chain > most {
			return 0, fmt.Errorf("pages: list %s was begun anew %d times, and refused %d times", task.Extract, chain, most)
		}
	}
	return units, nil
}

// checkDelivered holds what a process was given against the journals: what it had made durable is there, and no more is lost than
// a kill, or a disk that refuses, can lose.
func (p *process) checkDelivered(pages map[string]bool) error {
	lost := 0
	for key, durable := range p.delivered {
		switch {
		case pages[key]:
		case durable:
			return fmt.Errorf("pages: %s had made a page durable that is gone", p.name)
		default:
			lost++
		}
	}
	most := 0
	if p.dead || p.refused {
		most = p.Connections * len(unitOf) // connections to each vendor
	}
	if lost > most {
		return fmt.Errorf("pages: %s was given %d pages that no journal has, at most %d can be", p.name, lost, most)
	}
	return nil
}

// checkBooks looks at the ledger when nobody is at work.
func (w *world) checkBooks(held pipeline.Units) error {
	wasted := w.wasted()
	for vendor, billed := range w.billed() {
		if received := pipeline.Units(w.received[vendor].Load()); billed != received+wasted[vendor] {
			return fmt.Errorf("money: %s billed %d, of which %d for pages that arrived and %d for others", vendor, billed, received, wasted[vendor])
		}
	}
	spends, err := w.books.Spends(context.Background(), "")
	if err != nil {
		return err
	}
	var spent pipeline.Units
	for _, s := range spends {
		spent += s.Spent
		if !s.Settled {
			return fmt.Errorf("money: %+v is reserved still, and nobody is at work", s)
		}
	}
	if spent != held {
		return fmt.Errorf("money: the ledger has %d as spent, the journals %d", spent, held)
	}
	return nil
}
