package account

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"backhaul/jobs/ledger"
	"backhaul/jobs/load"
	"backhaul/pipeline/words"
	"backhaul/schemas"
)

// Drift is a field of the replies of an extract that its table does not expect.
type Drift struct {
	Table   string            `json:"table"` // moz.links
	Extract string            `json:"extract"`
	Surface string            `json:"surface"`
	Field   string            `json:"field"`
	Kind    schemas.DriftKind `json:"kind"`
	Rows    int64             `json:"rows"`
	Example string            `json:"example,omitempty"`
}

// Text says what became of the field.
func (d Drift) Text() string {
	rows := words.Plural(d.Rows, "row")
	switch d.Kind {
	case schemas.NewField:
		return fmt.Sprintf("%s: new field %s in %s, kept in extra: %s", d.Table, d.Field, rows, d.Example)
	case schemas.Misfit:
		return fmt.Sprintf("%s: %s does not fit its column in %s, is null there and kept in extra: %s", d.Table, d.Field, rows, d.Example)
	}
	return fmt.Sprintf("%s: field %s has vanished from %s: earlier answers to the same question had it", d.Table, d.Field, rows)
}

// Drifted returns how what was loaded differs from what its tables expect, in order, and enters in the ledger which fields it
// had, so that the ones that vanish are missed.
func Drifted(ctx context.Context, l *ledger.Ledger, loaded *load.Loaded, runDate string) ([]Drift, error) {
	all := map[load.Field]Drift{}
	for f, d := range loaded.Drift {
		all[f] = Drift{f.Table, f.Extract, f.Surface, f.Field, f.Kind, d.Rows, d.Example}
	}
	for q, a := range loaded.Answers {
		if a.Rows == 0 {
			continue // no row says which fields it has
		}
		vanished, err := l.Met(ctx, q.Asked, q.Table, runDate, a.Fields)
		if err != nil {
			return nil, err
		}
		for _, field := range vanished {
			f := load.Field{Table: q.Table, Extract: q.Extract, Surface: q.Surface, Field: field, Kind: schemas.Vanished}
			all[f] = Drift{f.Table, f.Extract, f.Surface, f.Field, f.Kind, all[f].Rows + a.Rows, ""}
		}
	}
	return slices.SortedFunc(maps.Values(all), func(x, y Drift) int {
		return cmp.Or(cmp.Compare(x.Table, y.Table), cmp.Compare(x.Field, y.Field), cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.Extract, y.Extract), cmp.Compare(x.Surface, y.Surface))
	}), nil
}

func (a *accountant) drift(all []Drift) error {
	for _, d := range all {
		row := a.row()
		row.text("table_name", d.Table)
		row.text("extract", d.Extract)
		row.text("surface", d.Surface)
		row.text("field", d.Field)
		row.text("kind", string(d.Kind))
		row.number("rows", d.Rows)
		row.opt("example", d.Example)
		if err := row.done(); err != nil {
			return err
		}
	}
	return nil
}
