package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"backhaul/jobs"
	"backhaul/sinks/duckdb"
)

// loadSpec reads a spec and tries its queries, and returns every problem. The spec is nil unless all are warnings.
func (a *app) loadSpec(ctx context.Context, path string) (*jobs.Spec, []jobs.Problem, error) {
	given, err := a.parameters()
	if err != nil {
		return nil, nil, err
	}
	spec, problems := jobs.Load(path, a.vendors, jobs.Access{Folders: a.allowed, Secrets: a.secretFiles(), Parameters: given})
	if spec == nil {
		return nil, problems, nil
	}
	found, err := rehearse(ctx, spec)
	if problems = append(problems, found...); jobs.Failed(found) {
		spec = nil
	}
	return spec, problems, err
}

// specFlags gives a command that reads specs the flags for further folders and for the job's parameters.
func (a *app) specFlags(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&a.set, "set", nil, "the value of a parameter that the job declares, as NAME=VALUE; may be repeated")
	cmd.Flags().StringArrayVar(&a.allowed, "allow-path", nil, "a folder from which the job may read lists beside its own; may be repeated")
}

// rehearse tries the queries of a spec against tables without rows: a slip in one of them would otherwise show only when
// what it waits for has been bought. Nothing of a warehouse is read.
func rehearse(ctx context.Context, spec *jobs.Spec) (problems []jobs.Problem, err error) {
	var questions []question
	for i := range spec.Extracts {
		if x := &spec.Extracts[i]; x.Query() != "" {
			questions = append(questions, question{x.Query(), "sql of extract " + x.Name, x.QueryPlace, inSight(spec, x), x.Answers})
		}
	}
	for i := range spec.Expectations {
		if e := &spec.Expectations[i]; e.IsMart() {
			questions = append(questions, question{e.Query(), "what is expected of " + e.Table, e.Place, nil, func([]string) error { return nil }})
		}
	}
	if len(questions) == 0 {
		return nil, nil
	}
	stage, err := duckdb.Rehearse(ctx)
	if err != nil {
		return nil, fmt.Errorf("try the queries of %s: %w", spec.Path, err)
	}
	defer func() { err = errors.Join(err, stage.Close()) }()
	for _, q := range questions {
		columns, err := stage.Columns(ctx, q.sql, q.tables)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case errors.Is(err, duckdb.ErrQuestion):
			problems = append(problems, jobs.Problem{Place: q.place, Text: q.what + ": " + oneLine(err)})
		case err == nil && columns != nil:
			if err := q.check(columns); err != nil {
				problems = append(problems, jobs.Problem{Place: q.place, Text: err.Error()})
			}
		}
	}
	return problems, nil
}

// question is a query of a spec, over tables beside the catalog's; check looks at the columns it would answer with.
type question struct {
	sql, what string
	place     jobs.Place
	tables    []duckdb.Loose
	check     func(columns []string) error
}

// inSight returns the tables that an extract's query sees beside the catalog's: the job's own, and the extracts that are
// done by then.
func inSight(spec *jobs.Spec, x *jobs.Extract) []duckdb.Loose {
	var all []duckdb.Loose
	for i := range spec.Tables {
		all = append(all, duckdb.Loose{Name: spec.Tables[i].Name(), Table: spec.Tables[i].Table()})
	}
	for name := range spec.Before(x) {
		all = append(all, duckdb.Loose{Name: name, Table: spec.Extract(name).Endpoint.Table})
	}
	return all
}

// mostSaid bounds what is repeated of DuckDB's words, in characters: they quote the query.
const mostSaid = 300

// oneLine returns what DuckDB says of a question, and where, without the drawing below it.
func oneLine(err error) string {
	text, drawing, _ := strings.Cut(err.Error(), "\n\nLINE ")
	text = strings.Join(strings.Fields(text), " ")
	if letters := []rune(text); len(letters) > mostSaid {
		text = string(letters[:mostSaid]) + "…"
	}
	if line, _, ok := strings.Cut(drawing, ":"); ok && line != "1" {
		text += " (line " + line + " of the query)"
	}
	return text
}
