package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"backhaul/pipeline/grid"
	"backhaul/pipeline/words"
	"backhaul/schemas"
	"backhaul/sinks/duckdb"
)

// driftInfo is a field that a table did not expect, over all nights.
type driftInfo struct {
	Table     string `json:"table"`
	Field     string `json:"field"`
	Kind      string `json:"kind"`
	FirstSeen string `json:"first_seen"`
	LastSeen  string `json:"last_seen"`
	Rows      int64  `json:"rows"`
	Example   string `json:"example"`
}

const driftQuery = `SELECT table_name AS "table", field, kind, min(run_date)::VARCHAR AS first_seen, max(run_date)::VARCHAR AS last_seen,
	sum(rows)::BIGINT AS rows, coalesce(max_by(example, run_date), '') AS example
FROM ops.drift GROUP BY ALL ORDER BY table_name, field, kind`

// showDrift lists the fields that the tables, or the one that is named, did not expect.
func (a *app) showDrift(ctx context.Context, names []string) error {
	w, err := a.warehouse(ctx)
	if err != nil {
		return err
	}
	var answer bytes.Buffer
	if err := duckdb.Query(ctx, w, driftQuery, duckdb.JSON, duckdb.Limits{}, &answer); err != nil {
		return err
	}
	var all []driftInfo
	if err := json.Unmarshal(answer.Bytes(), &all); err != nil {
		return fmt.Errorf("read ops.drift: %w", err)
	}
	shown := []driftInfo{}
	for _, d := range all {
		if len(names) == 0 || d.Table == names[0] {
			shown = append(shown, d)
		}
	}
	if a.json {
		return a.printJSON(shown)
	}
	return a.printDrift(shown)
}

func (a *app) printDrift(all []driftInfo) error {
	if len(all) == 0 {
		_, err := fmt.Fprintln(a.stdout, "no drift: the vendors' replies are as the tables expect")
		return err
	}
	rows, promotable := grid.New("table", "field", "kind", "first seen", "last seen", "rows", "example"), false
	for _, d := range all {
		rows.Add(d.Table, d.Field, d.Kind, d.FirstSeen, d.LastSeen, words.Count(d.Rows), d.Example)
		promotable = promotable || d.Kind != string(schemas.Vanished)
	}
	text := rows.For(a.stdout)
	if promotable {
		text += "\na new field gets a column, and a misfit another type, by one line in package schemas; then `backhaul replay RUN` fills it for the nights there are, for nothing"
	}
	_, err := fmt.Fprintln(a.stdout, text)
	return err
}
