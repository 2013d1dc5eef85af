package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"backhaul/jobs/ledger"
	"backhaul/jobs/recovery"
	"backhaul/jobs/run"
	"backhaul/pipeline/words"
)

// cure is how a finding can be mended. Cures with equal keys are one.
type cure struct {
	order int
	key   string
	// drops: pages that cannot be read are given up, which must be asked for.
	drops bool
	do    func(ctx context.Context, s *surgery) (done string, err error)
}

// The order of cures: each relies on those before it.
const (
	orderLedger = iota
	orderJournal
	orderRebuild
	orderSettle
	orderReplay
	orderCatalog
	orderStaging
)

// surgery is what cures work with.
type surgery struct {
	Options
	open     func() (Workshop, error)
	workshop Workshop
	book     *ledger.Ledger
}

// Repair carries out the cures of findings, those that give up damaged pages only where drop is set, and says what was done
// and what could not be. What is left to find must be examined again. open opens the workshop when it is first needed.
func Repair(ctx context.Context, o Options, findings []Finding, drop bool, open func() (Workshop, error)) []Finding {
	s := &surgery{Options: o.withDefaults(), open: open}
	defer s.close()
	var done []Finding
	for _, c := range cures(findings, drop) {
		text, err := c.do(ctx, s)
		switch {
		case err != nil:
			done = append(done, Finding{Level: Bad, What: "repair", Text: fmt.Sprintf("%s: %s", c.key, strings.ReplaceAll(err.Error(), "\n", "; ")), Damage: isDamage(err)})
		case text != "":
			done = append(done, Finding{Level: OK, What: "repair", Text: text})
		}
	}
	return done
}

// cures returns the cures in their order, each once. When the ledger has to be rebuilt nothing else is: all other findings
// were made without it.
func cures(findings []Finding, drop bool) []*cure {
	var all []*cure
	for _, f := range findings {
		if c := f.cure; c != nil && (drop || !c.drops) && !slices.ContainsFunc(all, func(d *cure) bool { return d.key == c.key }) {
			all = append(all, c)
		}
	}
	slices.SortStableFunc(all, func(a, b *cure) int { return cmp.Compare(a.order, b.order) })
	if len(all) > 0 && all[0].order == orderLedger {
		return all[:1]
	}
	return all
}

// Curable reports whether Repair would do anything about the findings.
func Curable(findings []Finding, drop bool) bool { return len(cures(findings, drop)) > 0 }

func (s *surgery) ledger(ctx context.Context) (*ledger.Ledger, error) {
	if s.book == nil {
		l, err := s.Books.OpenLedger(ctx)
		if err != nil {
			return nil, err
		}
		s.book = l
	}
	return s.book, nil
}

func (s *surgery) tools() (Workshop, error) {
	if s.workshop == nil {
		w, err := s.open()
		if err != nil {
			return nil, err
		}
		s.workshop = w
	}
	return s.workshop, nil
}

func (s *surgery) close() {
	if s.book != nil {
		_ = s.book.Close()
	}
	if s.workshop != nil {
		s.workshop.Close()
	}
}

func rewind(now time.Time) *cure {
	return &cure{order: orderSettle, key: "clock", do: func(ctx context.Context, s *surgery) (string, error) {
		l, err := s.ledger(ctx)
		if err != nil {
			return "", err
		}
		e := &examination{Options: s.Options, ledger: l}
		if err := e.collect(ctx); err != nil {
			return "", err
		}
		var errs []error
		for _, r := range e.runs {
			if !r.gone {
				errs = append(errs, recovery.Rewind(ctx, s.Books, r.job, r.date, now))
			}
		}
		errs = append(errs, l.Rewind(ctx, now))
		return "brought the ledger's times that lie in the future back to now", errors.Join(errs...)
	}}
}

// rebuildLedger puts a ledger that cannot be used aside and enters every run from its journal.
func rebuildLedger() *cure {
	return &cure{order: orderLedger, key: "ledger", do: func(ctx context.Context, s *surgery) (string, error) {
		if gone, err := s.Books.LedgerGone(ctx); err == nil && !gone { // which may be damaged, and tell all the same
			if l, err := s.Books.OpenLedger(ctx); err == nil {
				_ = recovery.KeepRemains(ctx, l, s.Books)
				_ = l.Close()
			}
		}
		aside, err := s.Books.PutLedgerAside(ctx, s.Now())
		if err != nil {
			return "", err
		}
		if aside != "" {
			aside = "; the damaged one is " + aside
		}
		l, err := s.ledger(ctx)
		if err != nil {
			return "", err
		}
		e := &examination{Options: s.Options}
		if err := e.collect(ctx); err != nil {
			return "", err
		}
		entered := 0
		var errs []error
		for _, r := range e.runs {
			if has, err := recovery.HasRemains(ctx, r.book); r.gone && !has && err == nil {
				continue
			}
			if err := recovery.Rebuild(ctx, l, s.Books, r.job, r.date, s.Now()); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", r.name(), err))
				continue
			}
			entered++
		}
		return fmt.Sprintf("rebuilt the ledger from %s%s", words.Plural(entered, "journal"), aside), errors.Join(errs...)
	}}
}

func rebuild(r *record) *cure {
	return &cure{order: orderRebuild, key: "ledger entry " + r.name(), do: func(ctx context.Context, s *surgery) (string, error) {
		l, err := s.ledger(ctx)
		if err != nil {
			return "", err
		}
		return "entered run " + r.name() + " into the ledger as its journal has it", recovery.Rebuild(ctx, l, s.Books, r.job, r.date, s.Now())
	}}
}

func settleDead() *cure {
	return &cure{order: orderSettle, key: "dead runs", do: func(ctx context.Context, s *surgery) (string, error) {
		l, err := s.ledger(ctx)
		if err != nil {
			return "", err
		}
		return "settled the runs whose process died", recovery.SettleDead(ctx, l, s.Books, s.Now())
	}}
}

// dropDamaged gives up what cannot be read of a journal. The file itself is kept.
func dropDamaged(r *record) *cure {
	return &cure{order: orderJournal, key: "journal " + r.path, drops: true, do: func(ctx context.Context, s *surgery) (string, error) {
		l, err := s.ledger(ctx)
		if err != nil {
			return "", err
		}
		known, err := l.Find(ctx, r.job, r.date)
		if err != nil {
			return "", fmt.Errorf("the ledger does not know the run, so it is not known what it asked for; move the journal away and run the job again: %w", err)
		}
		aside, kept, dropped, err := recovery.DropDamaged(ctx, l, known, s.Books, s.Now())
		if err != nil {
			return "", err
		}
		if err := recovery.Rebuild(ctx, l, s.Books, r.job, r.date, s.Now()); err != nil {
			return "", err
		}
		text := fmt.Sprintf("kept %s of run %s and dropped %d, which the next run buys again", words.Plural(kept, "reply"), r.name(), dropped)
		if aside != "" {
			text += "; the damaged journal is " + aside
		}
		return text, nil
	}}
}

func replay(r *record) *cure {
	return &cure{order: orderReplay, key: "tables of " + r.name(), do: func(ctx context.Context, s *surgery) (string, error) {
		l, err := s.ledger(ctx)
		if err != nil {
			return "", err
		}
		w, err := s.tools()
		if err != nil {
			return "", err
		}
		known, err := l.Find(ctx, r.job, r.date)
		if err != nil {
			return "", err
		}
		result, err := run.Replay(ctx, l, known, s.Sources, run.Options{Warehouse: s.Warehouse, Books: s.Books, Lake: w, Now: s.Now})
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("rebuilt %s of run %s from its journal", words.Plural(len(result.Files), "table"), r.name()), nil
	}}
}

func rebuildCatalog() *cure {
	return &cure{order: orderCatalog, key: "catalog", do: func(ctx context.Context, s *surgery) (string, error) {
		w, err := s.tools()
		if err != nil {
			return "", err
		}
		return "rebuilt the catalog", w.Catalog(ctx)
	}}
}

func sweepStaging() *cure {
	return &cure{order: orderStaging, key: "staging", do: func(_ context.Context, s *surgery) (string, error) {
		w, err := s.tools()
		if err != nil {
			return "", err
		}
		_, err = w.SweepStaging()
		return "swept what dead processes left in staging", err
	}}
}
