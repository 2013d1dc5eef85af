package mozrpc

import (
	"cmp"
	"errors"

	"github.com/go-json-experiment/json"

	"backhaul/pipeline"
	"backhaul/pipeline/vendors/internal/rows"
	"backhaul/schemas"
)

var statusBatch = batch{results: "result.results_by_query", errors: "result.errors_by_query", echo: "source_site_query"}

// askLinkStatus asks about as many of the task's sources as one call takes.
func askLinkStatus(t pipeline.Task, p params, ask pipeline.Ask) (question, error) {
	target, err := asked(t, p.TargetScope, "page")
	if err != nil {
		return question{}, err
	}
	part, err := t.Part(ask, pageSize)
	if err != nil {
		return question{}, err
	}
	if len(part.Inputs) == 0 {
		return question{}, errors.New("no source is left to ask about")
	}
	var d data
	for _, input := range part.Inputs {
		source, err := siteOf(input.Source, cmp.Or(p.SourceScope, "page"))
		if err != nil {
			return question{}, err
		}
		d.Queries = append(d.Queries, pair{Target: *target, Source: *source})
	}
	q := askAbout("data.site.link.status.fetch.multiple", d)
	q.most = pipeline.Price{PerRow: 1, MaxRows: len(part.Inputs)}
	q.next = func(r record) (place, error) {
		var failed []int
		if !r.none {
			outcomes, err := statusBatch.outcomes(r, r.asked.sources())
			if err != nil {
				return place{}, err
			}
			if failed, err = unanswered(outcomes, r.asked.sources()); err != nil {
				return place{}, err
			}
		}
		next, end := part.Next(failed...)
		return place{at: next, end: end}, nil
	}
	return q, nil
}

// sources are the sources asked about.
func (d data) sources() []string {
	list := make([]string, len(d.Queries))
	for i, q := range d.Queries {
		list[i] = q.Source.Query
	}
	return list
}

// statuses: whether a link exists. The rest of a row is what was asked.
func statuses() *method {
	return &method{
		Name: "data.site.link.status.fetch.multiple", charge: perResult, layout: rows.Layout{List: statusBatch.results},
		load: map[string]loader{"link_status": loadStatuses},
	}
}

func loadStatuses(r record, b *schemas.Builder) error {
	outcomes, err := statusBatch.outcomes(r, r.asked.sources())
	if err != nil {
		return err
	}
	for i, o := range outcomes {
		if b.Full() {
			return nil
		}
		if o.pending(r) || o.rejected(i, b) {
			continue
		}
		var status struct {
			Exists *bool `json:"exists"`
		}
		if err := json.Unmarshal(o.raw, &status); err != nil || status.Exists == nil {
			b.Reject(i, o.raw, &schemas.FieldError{Field: "exists", Problem: "want true or false"})
			continue
		}
		asked, t, row := r.asked.Queries[i], b.Table(), b.Row()
		row.SetString(t.Index("source"), asked.Source.Query)
		row.SetString(t.Index("source_scope"), v2Scope(asked.Source.Scope))
		row.SetString(t.Index("target_scope"), v2Scope(asked.Target.Scope))
		row.SetBool(t.Index("link_exists"), *status.Exists)
		b.Append()
	}
	return nil
}
