package duckdb

import (
	"strings"

	"backhaul/schemas"
)

// drift returns the statements that declare ops.drift over all vendor tables: which fields of replies have no column of
// their own, and since when. They are in the rows' column extra; nothing is stored twice.
func drift(tables []*schemas.Table) string {
	var parts []string
	for _, t := range tables {
		if t.Vendor() {
			parts = append(parts, "SELECT "+quote(t.FullName())+" AS table_name, job, extract, run_id, run_date, surface, extra FROM "+name(t)+" WHERE extra IS NOT NULL")
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return `CREATE VIEW ops.drift AS
SELECT table_name, field, job, extract, run_id, run_date, surface, count(*) AS rows, any_value(json_extract(extra, '/' || replace(replace(field, '~', '~0'), '/', '~1')))::VARCHAR AS example
FROM (SELECT *, unnest(json_keys(extra)) AS field FROM (` + strings.Join(parts, " UNION ALL ") + `))
GROUP BY table_name, field, job, extract, run_id, run_date, surface;
COMMENT ON VIEW ops.drift IS 'one field of a vendor''s replies that the table has no column for, in one run; its values are in column extra';
COMMENT ON COLUMN ops.drift.table_name IS 'the table, like moz.links';
COMMENT ON COLUMN ops.drift.job IS 'the job';
COMMENT ON COLUMN ops.drift.extract IS 'the job''s extract';
COMMENT ON COLUMN ops.drift.run_id IS 'the run';
COMMENT ON COLUMN ops.drift.run_date IS 'the night';
COMMENT ON COLUMN ops.drift.surface IS 'the vendor''s API that replied';
COMMENT ON COLUMN ops.drift.field IS 'the member of the reply, outermost name';
COMMENT ON COLUMN ops.drift.rows IS 'how many rows of the run have it [rows]';
COMMENT ON COLUMN ops.drift.example IS 'one of its values, as JSON text'`
}
