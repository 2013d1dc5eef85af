// Package jobs owns the job spec: the YAML file that says what to buy, from whom and within which budget. It
// reads the file and the CSV files it names, checks every key, name and value against what is known offline
// about the endpoints, and reports every problem at once as file:line:column: text. It runs nothing, and reads
// neither the environment nor the network.
//
// The spec's shape is section 4 of the contract. Beyond it:
//
//	job: nightly-${client}        # a parameter's value, wherever a value stands; $${client} is the text itself
//	parameters:                   # set by --set client=acme, BACKHAUL_PARAM_CLIENT or the default
//	  client: {meaning: which site}
//	  rows: {default: 5000, same_run: true}       # another value edits the run instead of being a run of its own
//	budget:
//	  moz: {month: 400000, month_starts_on: 15}   # the billing month; default 1, the calendar's
//	confirm_over: {moz: 10000}    # a terminal run asks before it is expected to spend more units than this
//	report: true                  # a report about each run, reports/JOB.DATE.html in the warehouse; or {rows: 100}
//	vendors:
//	  moz: {token_life: 1h}       # how long the vendor's next_token is trusted; default: until it is refused
//	tables:
//	  labels: {file: labels.csv}  # lists for marts and queries, kept as user.labels; `backhaul tables` shows their columns
//	extracts:
//	  - max_units: 5000           # ceiling of this extract in one run, in the vendor's units
//	    max_age: 7d               # take a complete answer of any job that is not older (units w d h m s)
//	    only_if: index_changed    # skip while the vendor's index is the one of the last complete run
//
// In a target list `scope` is the target's scope under whatever name the endpoint has for it, so one list serves
// endpoints that call it scope and target_scope. Specs are YAML without tags, merge keys (<<) and complex
// keys; anchors and aliases work.
//
// A spec may come from somebody who must not learn the credentials of its run. Its files are regular ones of its own
// folder and below, or of folders that the user allows, and never those of credentials; a list has at most 256 MiB, the
// spec 4 MiB; and messages repeat little of what is not understood.
package jobs

import (
	"iter"
	"time"

	"backhaul/pipeline"
)

// Spec is a valid job, with the defaults filled in.
type Spec struct {
	// Job is the job's name, [a-z0-9-]+.
	Job string
	// Path is the spec's file as it was given, Dir its folder, to which the paths in it are relative.
	Path, Dir string
	// Hash identifies the content of the spec and the files it names: 64 hexadecimal digits.
	Hash string
	// Vendors holds every known vendor by name, whether the spec mentions it or not.
	Vendors map[string]Vendor
	// Budget holds the hard ceilings by vendor. A vendor that is not in it has none.
	Budget map[string]Budget
	// ConfirmOver holds by vendor the expected units above which a run asks first.
	ConfirmOver map[string]pipeline.Units
	// Report is what is wanted of reports about its runs. Default nil: none are written.
	Report *Report
	// Expectations are checked before tables are published. Default none.
	Expectations []Expectation
	// Notices say who is told how runs end. Default none.
	Notices []Notice
	// RetryFor is how long a vendor that does not answer is asked again before it is given up. Default 30m; 0: only the usual few
	// times.
	RetryFor time.Duration
	// Tables are lists that the job brings along, for marts and queries. Default none.
	Tables []UserTable
	// Extracts are in the spec's order.
	Extracts []Extract
}

// Vendor is how a vendor is to be spoken to.
type Vendor struct {
	// Surface is the vendor's API. Default: the vendor's first.
	Surface string
	// RequestsPerSecond bounds the rate. Default: the surface's limit.
	RequestsPerSecond float64
	// Connections bounds the requests in flight. Default: the surface's limit.
	Connections int
	// TokenLife is how long a cursor of the vendor is trusted; 0: until the vendor refuses it. Default: the surface's limit.
	TokenLife time.Duration
}

// Budget is what may be spent at one vendor, in its own units.
type Budget struct {
	// Run, Month and WarehouseMonth are ceilings of one execution of a run, of the job's runs in a month, and of the runs of all
	// jobs of the warehouse in a month. 0 buys nothing. Default nil: no ceiling.
	Run, Month, WarehouseMonth *pipeline.Units
	// MonthStartsOn is the day on which a month begins, 1 to 28, for accounts that are not billed by the calendar. Default 1.
	MonthStartsOn int
}

// Extract is one endpoint, its targets and its parameters.
type Extract struct {
	// Place is where the spec defines the extract.
	Place
	// Name is unique in the job, [a-z0-9_-]+.
	Name     string
	Endpoint *pipeline.Endpoint
	// Targets are normalised and free of duplicates, in the spec's order. Empty with SQL or Inputs.
	Targets []Target
	// Merged is how many targets were duplicates of others.
	Merged int
	// SQL is the query that provides the targets, in a column target. Default "": the spec lists them.
	SQL string
	// QueryPlace is where the SQL of targets or inputs stands in the spec.
	QueryPlace Place
	// Inputs are pairs of target and source, for endpoints that ask about sources. Nil for all others.
	Inputs *Inputs
	// Params are the extract's own parameters with the scope, as Task.Params: what holds for a target whose
	// row says nothing else. Scope is the scope among them.
	Params, Scope string
	// Limit is the number of rows to ask for at a time. Default 0: the endpoint's page size.
	Limit int
	// MaxRows bounds the rows of each target. Default 0: until the list ends.
	MaxRows int64
	// Priority: higher is bought first when the budget is short. Default 0.
	Priority int
	// After names extracts of the job that must be complete first.
	After []string
	// OnlyIf is a condition for running at all: IndexChanged. Default "": none.
	OnlyIf string
	// MaxAge is how old a complete answer of an earlier run may be to be taken instead. Default 0: buy again.
	MaxAge time.Duration
	// MaxUnits is the ceiling of the extract in one run. Default nil: none.
	MaxUnits *pipeline.Units

	base map[string]setting // the extract's own parameters
}

// IndexChanged is the value of Extract.OnlyIf that skips an extract while the vendor's index is unchanged.
const IndexChanged = "index_changed"

// Target is one target of an extract.
type Target struct {
	// Target is the target as sent (canon.Target), AsGiven as the spec spelled it.
	Target, AsGiven string
	Scope           string
	// Params is a JSON object with sorted keys: the extract's parameters with those of the target's row.
	Params string
}

// Inputs are what an endpoint compares.
type Inputs struct {
	// Compared are targets with their sources, in the order in which the targets come first in the file.
	Compared []Compared
	// SQL is the query that provides the rows. Default "": the spec lists them.
	SQL string
}

// Compared is a target and the sources that it is compared with.
type Compared struct {
	// About is the target, with the extract's parameters and those that columns of its rows set that bear a parameter's name.
	About Target
	// Sources are sorted, and free of duplicates.
	Sources []pipeline.Input
}

// Registry is what is known offline about the vendors. All that it lists is in the order people should read it.
type Registry interface {
	// Vendors returns the names of the vendors.
	Vendors() []string
	// Surfaces returns the names of a vendor's surfaces, of which there is one at least: its default first.
	Surfaces(vendor string) []string
	// Limits returns what a surface allows.
	Limits(vendor, surface string) pipeline.Limits
	// Endpoints returns the facts about a surface's endpoints.
	Endpoints(vendor, surface string) []*pipeline.Endpoint
}

// Tasks makes the tasks of all extracts, one after another, in the spec's order.
func (s *Spec) Tasks() iter.Seq[pipeline.Task] {
	return func(yield func(pipeline.Task) bool) {
		for i := range s.Extracts {
			for t := range s.Extracts[i].Tasks() {
				if !yield(t) {
					return
				}
			}
		}
	}
}

// Count returns how many tasks all extracts have.
func (s *Spec) Count() (n int) {
	for i := range s.Extracts {
		n += s.Extracts[i].Count()
	}
	return n
}

// Extract returns the extract of that name, or nil.
func (s *Spec) Extract(name string) *Extract {
	for i := range s.Extracts {
		if s.Extracts[i].Name == name {
			return &s.Extracts[i]
		}
	}
	return nil
}
