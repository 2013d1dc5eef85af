// Package dbt is a dbt project over a warehouse, ready to be copied: `dbt build` tests what was bought, by what is declared
// of each table, and makes a few models of it.
//
// The project's sources are written from package schemas. Everything else in it is written by hand.
package dbt

import (
	"encoding/json"
	"strings"
	"text/template"

	"backhaul/schemas"
)

// Sources returns the dbt source of each schema of the catalog, as the text of models/sources/<schema>.yml.
func Sources() (map[string]string, error) {
	bySchema := map[string][]*schemas.Table{}
	for _, t := range schemas.All() {
		bySchema[t.Schema] = append(bySchema[t.Schema], t)
	}
	files := map[string]string{}
	for schema, tables := range bySchema {
		var b strings.Builder
		if err := source.Execute(&b, map[string]any{"Schema": schema, "Tables": tables}); err != nil {
			return nil, err
		}
		files[schema+".yml"] = b.String()
	}
	return files, nil
}

// ranked says whether the rows of the table have a place in their vendor's list.
func ranked(t *schemas.Table) bool { return t.Index(schemas.ColRank) >= 0 }

// meaning is what a column holds, with its unit, as the catalog's comments spell it.
func meaning(c schemas.Column) string {
	if c.Unit == "" {
		return c.Meaning
	}
	return c.Meaning + " [" + c.Unit + "]"
}

// text quotes a value as JSON does, which YAML reads as well.
func text(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

var source = template.Must(template.New("source").Funcs(template.FuncMap{"ranked": ranked, "meaning": meaning, "text": text}).Parse(
	`# Written from the declarations of the tables: go test ./jobs/dbt -update
version: 2

sources:
  - name: {{.Schema}}
    database: catalog
    tables:
{{- range .Tables}}
      - name: {{.Name}}
        description: {{text .Meaning}}
{{- if ranked .}}
        data_tests: [contiguous_ranks]
{{- end}}
        columns:
{{- range .Columns}}
          - name: {{text .Name}}
            quote: true
            data_type: {{text .Type.String}}
            description: {{text (meaning .)}}
{{- if .Required}}
            data_tests: [not_null]
{{- end}}
{{- end}}
{{- end}}
`))
