package doctor

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"backhaul/jobs/ledger"
	"backhaul/jobs/recovery"
	"backhaul/pipeline/words"
	"backhaul/sinks"
)

// warehouse looks at the program's own files, from the ledger to staging.
func (e *examination) warehouse(ctx context.Context) {
	e.checkLedger(ctx)
	if err := e.collect(ctx); err != nil {
		e.failed("warehouse", "", rebuildLedger(), err)
		return
	}
	if gone, err := e.Books.LedgerGone(ctx); err == nil && gone && e.ledgerErr == nil {
		e.noLedger(ctx)
	}
	before := len(e.findings)
	pages, journals := 0, 0
	for _, r := range e.runs {
		e.examine(ctx, r)
		if r.sound {
			pages, journals = pages+r.bought(), journals+1
		}
	}
	if journals > 0 && !anyBad(e.findings[before:]) {
		e.ok("journals", "%s whole, %s, as the ledger says", words.Plural(journals, "file"), words.Plural(pages, "reply"))
	}
	e.lake(ctx)
	e.catalog(ctx)
	e.staging()
}

func anyBad(findings []Finding) bool {
	worst, _ := Worst(findings)
	return worst == Bad
}

func (e *examination) noLedger(ctx context.Context) {
	for _, r := range e.runs {
		if has, err := recovery.HasRemains(ctx, r.book); !r.gone || has || err != nil {
			e.damaged("ledger", byRepair+"rebuilds it from the journals", rebuildLedger(), "%s is missing or empty, and there are journals", e.Books.LedgerName())
			return
		}
	}
	e.warn("ledger", "", nil, "nothing has been run here yet")
}

// checkLedger reads the whole ledger. One that is damaged is not looked at any further.
func (e *examination) checkLedger(ctx context.Context) {
	err := e.ledgerErr
	if e.ledger != nil {
		if err = e.ledger.Check(ctx); err == nil {
			_, err = e.ledger.Runs(ctx)
		}
	}
	if err != nil {
		e.failed("ledger", byRepair+"puts it aside and rebuilds it from the journals", rebuildLedger(), err)
		e.ledgerErr = err
		e.close()
		e.ledger = nil
		return
	}
	if e.ledger != nil {
		e.ok("ledger", "%s is whole", e.Books.LedgerName())
	}
}

// catalog opens the published file, asks every view, and holds its rows against the lake's.
func (e *examination) catalog(ctx context.Context) {
	_, err := os.Stat(e.Warehouse.Catalog())
	missing := errors.Is(err, fs.ErrNotExist)
	if !missing {
		err = e.Lake.CheckCatalog(ctx)
	}
	switch {
	case missing && e.Copied: // the first run on this host writes it
	case missing:
		if len(e.rows) > 0 {
			e.stale("catalog", "%s is missing", e.Warehouse.Catalog())
		}
		return
	case errors.Is(err, ErrInUse):
		e.warn("catalog", "close it there, or open it read-only: `backhaul connect` says how", nil, "%v", err)
	case errors.Is(err, sinks.ErrStale):
		e.bad("catalog", byRepair+"or `backhaul catalog` rebuilds it", rebuildCatalog(), "%v", err)
		return
	case err != nil:
		e.failed("catalog", byRepair+"or `backhaul catalog` rebuilds it", rebuildCatalog(), err)
		return
	}
	views, err := e.Lake.Views(ctx)
	if err != nil {
		e.failed("views", "mend the lake's files first", nil, err)
		return
	}
	before, moved := len(e.findings), e.moved()
	for _, v := range views {
		e.view(v, moved)
	}
	if !anyBad(e.findings[before:]) {
		e.ok("catalog", "%s answer", words.Plural(len(views), "view"))
	}
}

// view holds what a view shows against the files, unless they have moved since they were read.
func (e *examination) view(v View, moved bool) {
	what := "catalog " + v.Name
	switch {
	case v.Err != nil && len(e.unread) > 0:
		e.bad(what, "mend the lake's files first; then "+byRepair+"or `backhaul catalog` rebuilds it", rebuildCatalog(), "%s", firstLine(v.Err.Error()))
	case v.Err != nil:
		e.damaged(what, byRepair+"or `backhaul catalog` rebuilds it", rebuildCatalog(), "%s", firstLine(v.Err.Error()))
	case v.Rows >= 0 && v.Rows != e.rows[v.Name] && !e.unread[v.Name] && !moved:
		e.stale(what, "shows %d rows where the lake has %d", v.Rows, e.rows[v.Name])
	}
}

// stale reports a catalog that does not show the lake. Where a run stopped before its end that is how it left it.
func (e *examination) stale(what, format string, args ...any) {
	for _, r := range e.runs {
		if r.run.ID != "" && r.run.State != ledger.Complete {
			e.warn(what, "run the job of "+r.name()+" again, or "+byRepair+"rebuilds the catalog", rebuildCatalog(), format, args...)
			return
		}
	}
	e.damaged(what, byRepair+"or `backhaul catalog` rebuilds it", rebuildCatalog(), format, args...)
}

// moved reports whether files came or went since their rows were counted, or a process is at work on a run, whose rows were not.
func (e *examination) moved() bool {
	return e.names() != e.counted || slices.ContainsFunc(e.runs, func(r *record) bool { return r.busy })
}

// names are those of the lake's files, none of which ever means other bytes.
func (e *examination) names() string {
	var all strings.Builder
	_ = filepath.WalkDir(e.Warehouse.Lake(), func(path string, _ fs.DirEntry, err error) error {
		if err == nil {
			all.WriteString(path + "\n")
		}
		return nil
	})
	return all.String()
}

func (e *examination) staging() {
	dead, err := e.Lake.DeadStaging()
	switch {
	case err != nil:
		e.bad("staging", "see that it can be read and written", nil, "%v", err)
	case len(dead) > 0:
		e.warn("staging", "the next run, `backhaul gc` or "+byRepair+"sweeps it", sweepStaging(), "%s of dead processes", words.Plural(len(dead), "leftover"))
	default:
		e.ok("staging", "no leftovers of dead processes")
	}
}
