package chain

import (
	"backhaul/jobs/plan"
	"backhaul/pipeline"
	"backhaul/schemas"
)

// Step is an extract whose tasks are not settled by the spec alone: others come first, a query provides them, or what has
// been bought decides how batches are cut.
type Step struct {
	Extract  string
	Endpoint *pipeline.Endpoint
	// After are the extracts that must be done first, Before all that are done then, whose rows a query can read. Default none.
	After, Before []string
	// Query is SQL over the catalog, the job's tables and the extracts of Before, by name. Default "": the spec lists what is
	// asked about.
	Query string
	// Digest identifies what Query is asked for: tasks made under another are no longer intended.
	Digest string
	// Make makes the tasks: of the query's answer, or of the spec's list where there is no query. Tasks held have been bought:
	// what they ask about is not asked again. notes are what is wrong with single rows, which are left out.
	Make func(columns []string, rows [][]*string, held []pipeline.Task) (tasks []pipeline.Task, notes []string, err error)
	// Item completes one of those tasks.
	Item func(pipeline.Task) plan.Item
}

// Relation is a table of the run under way, under a name of its own, for queries.
type Relation struct {
	Name  string
	Table *schemas.Table
	// Path is the Parquet file that holds its rows.
	Path string
}

func (s Step) items(tasks []pipeline.Task) []plan.Item {
	items := make([]plan.Item, len(tasks))
	for i, t := range tasks {
		items[i] = s.Item(t)
	}
	return items
}
