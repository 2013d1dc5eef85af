package doctor

import (
	"context"
	"fmt"
	"time"

	"backhaul/jobs/ledger"
	"backhaul/jobs/recovery"
	"backhaul/schemas"
)

// Retired is what became of one journal under retention.
type Retired struct {
	Run   string `json:"run"` // job/date
	Path  string `json:"path"`
	Bytes int64  `json:"bytes"`
	// Kept says why the journal stays; "" if it was removed (or would be).
	Kept string `json:"kept,omitempty"`
}

// Retire removes the journals of complete runs that bought their last page before the given time and whose tables are in the
// lake, whole and equal to what the journal yields. The ledger keeps what the tables hold, and so does a file in the journal's place,
// for one that is rebuilt. Runs that are younger or not complete are not mentioned; a journal that is old enough and stays is, with the reason. With dry nothing changes.
func Retire(ctx context.Context, o Options, before time.Time, dry bool) ([]Retired, error) {
	o = o.withDefaults()
	e := &examination{Options: o, now: o.Now()}
	l, err := recovery.OpenLedger(ctx, o.Books)
	if err != nil {
		return nil, err
	}
	e.ledger = l
	defer e.close()
	if err := e.collect(ctx); err != nil {
		return nil, err
	}
	if !dry {
		if err := recovery.KeepRemains(ctx, l, o.Books); err != nil {
			return nil, err
		}
	}
	var all []Retired
	for _, r := range e.runs {
		if r.gone || r.run.State != ledger.Complete || !lastBought(r).Before(before) {
			continue
		}
		one := Retired{Run: r.name(), Path: r.path, Bytes: r.book.Size(ctx)}
		if one.Kept, err = e.retire(ctx, r, dry); err != nil {
			return all, err
		}
		all = append(all, one)
	}
	return all, nil
}

// lastBought is when the run's lists were last read on.
func lastBought(r *record) time.Time {
	last := r.run.Created
	for _, t := range r.index.Tasks {
		if t.Ended.After(last) {
			last = t.Ended
		}
	}
	return last
}

// retire removes one journal, or says why it stays.
func (e *examination) retire(ctx context.Context, r *record, dry bool) (kept string, err error) {
	unlock, err := r.book.Lock(ctx)
	if err != nil {
		return err.Error(), nil
	}
	defer unlock()
	e.findings, e.rows, e.unread = nil, map[string]int64{}, map[string]bool{}
	e.journal(ctx, r)
	if kept := complaint(e.findings); kept != "" {
		return kept, nil
	}
	must := e.wanted(ctx, r)
	e.tables(ctx, r, map[string]bool{})
	if kept := complaint(e.findings); kept != "" || dry {
		return kept, nil
	}
	retirement := ledger.Retirement{At: e.now.UTC()}
	for _, t := range schemas.All() {
		want, known := must[t.FullName()]
		if !known {
			continue
		}
		if !want.exact {
			found := e.find(r, t, map[string]bool{})
			switch {
			case found.Merged != nil:
				want.Contents = *found.Merged
			case len(found.Own) == 0 && want.Rows == 0:
				continue // a run that has no rows for it has no file
			case len(found.Own) != 1:
				return fmt.Sprintf("lake %s: %d files", e.missing(r, t), len(found.Own)), nil
			default:
				if want.Contents, err = e.Lake.Read(found.Own[0], t); err != nil {
					return "", err
				}
			}
		}
		retirement.Tables = append(retirement.Tables, ledger.RetiredTable{Table: t.FullName(), Rows: want.Rows, Checksum: want.Checksum})
	}
	if err := recovery.WriteRemains(ctx, e.ledger, r.run, r.book, retirement); err != nil {
		return "", err
	}
	// The ledger says so first: a journal that is missing without a word is damage.
	if err := e.ledger.Retire(ctx, r.run.ID, retirement); err != nil {
		return "", err
	}
	return "", r.book.Remove(ctx)
}

// complaint is the first finding that is not ok.
func complaint(findings []Finding) string {
	for _, f := range findings {
		if f.Level != OK {
			return f.What + ": " + f.Text
		}
	}
	return ""
}
