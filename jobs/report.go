package jobs

// Report is what a job wants of the reports about its runs.
type Report struct {
	// Rows is how many rows a table of it has at most. Default 25.
	Rows int
}

const (
	defaultReportRows = 25
	maxReportRows     = 1000
)

var reportKeys = []Key{
	{Name: "rows", Default: "25", Meaning: "how many rows a table of it has at most", form: count(1, maxReportRows)},
}

// reportForm is true, false, or how the report shall be.
func reportForm() form {
	return form{"true, false, or a mapping", func(known Registry) schema {
		return anyOf(schema{"type": "boolean"}, objectOf(known, reportKeys), ref("reference"))
	}}
}

// report reads whether reports are wanted, and how. Nil: they are not.
func (l *loader) report(n *node) *Report {
	if n == nil {
		return nil
	}
	r := &Report{Rows: defaultReportRows}
	if n.kind != mapping {
		if wanted, ok := l.truth(n, "report"); !ok || wanted == false {
			return nil
		}
		return r
	}
	if rows := l.section(n, "report", reportKeys)["rows"].value; rows != nil {
		if n, ok := l.integer(rows, "rows", 1, maxReportRows); ok {
			r.Rows = int(n)
		}
	}
	return r
}
