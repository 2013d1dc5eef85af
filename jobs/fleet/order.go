//go:build fleet

package fleet

import (
	"time"

	"backhaul/jobs/books"
	"backhaul/pipeline"
)

// Order is a run to be carried out.
type Order struct {
	Job string
	// RunDate is YYYY-MM-DD. Default, of a schedule's alone: the day of the night, in UTC.
	RunDate string
	// SpecHash is the spec's that whoever ordered has read; a conductor that has another refuses. Default: any.
	SpecHash string
	// Client is whom the run is for, to be found by. Default nobody.
	Client string
	// Vendors are those that the job buys from, to be found by.
	Vendors []string
	// Select, Exclude, MaxUnits, Again, Accept, Merge, JSON are the flags of `run` by that name.
	Select, Exclude, MaxUnits []string
	Again, Accept             bool
	NoMerge, JSON             bool
	// Heartbeat is how long an activity may be silent before it is begun elsewhere. Default 30 s.
	Heartbeat time.Duration
}

// Run is the one that is ordered.
func (o Order) Run() books.Key { return books.Key{Job: o.Job, RunDate: o.RunDate} }

// Report is how a run went.
type Report struct {
	// Status is the exit status, Message the line that says why it is not 0, Out what `run` prints of it.
	Status  int
	Message string
	Out     string
}

// Progress is how far a run has come, as its conductor says.
type Progress struct {
	// Step is what it does, "" before the first.
	Step string
	// Plan is the price that was told before anything was bought.
	Plan string `json:",omitempty"`
	// Lists are done, of so many in this round; Pages, Rows and Units are what those brought in this execution.
	Lists, Of   int
	Pages, Rows int64
	Units       pipeline.Units
}

// Lane is what one vendor account is to bring for a run, and under which conditions.
type Lane struct {
	Terms
	Lists []List
}

// Terms are what holds for every list of a lane.
type Terms struct {
	Run   books.Key
	RunID string
	// Token is the lease's of the conductor, Round the round of buying, from 1.
	Token int64
	Round int
	// Vendor and Surface are the API, Queue where its lists are bought.
	Vendor, Surface, Queue string
	Connections            int
	PerSecond              float64
	// Begun decides which months' budgets are spent, MonthStartsOn on which day they begin.
	Begun         time.Time
	MonthStartsOn int
	// RunUnits, MonthUnits and WarehouseUnits are the ceilings. Default nil: none.
	RunUnits, MonthUnits, WarehouseUnits *pipeline.Units `json:",omitempty"`
	TokenLife                            time.Duration   `json:",omitempty"`
	RetryFor                             time.Duration
	Recovers                             bool `json:",omitempty"`
	// Of is how many lists the lane has in all.
	Of        int
	Heartbeat time.Duration
}

// List is one to be bought.
type List struct {
	Task     string
	PageSize int
	// Again is how often it was begun again in this round.
	Again int `json:",omitempty"`
	// Units is what the list had cost, or may have, when it was begun.
	Units pipeline.Units `json:",omitempty"`
	// Extract is set where that has a ceiling of its own, of which Purse is left.
	Extract string          `json:",omitempty"`
	Purse   *pipeline.Units `json:",omitempty"`
}

// ListOrder is a list under the terms of its lane.
type ListOrder struct {
	Terms
	List List
}

// Outcome is how a list went.
type Outcome struct {
	Task   string
	Ending pipeline.Ending
	Cause  *Cause `json:",omitempty"`
	// Pages and Rows are what the activity's last attempt brought, Spent what the list has cost, or may have, beyond List.Units, and Over what
	// the vendor charged beyond its price.
	Pages int            `json:",omitempty"`
	Rows  int64          `json:",omitempty"`
	Spent pipeline.Units `json:",omitempty"`
	Over  pipeline.Units `json:",omitempty"`
	// Stop: the vendor is to be given up.
	Stop *Stop `json:",omitempty"`
	// Refused and Silent are what the vendor cost in time; PerSecond is the rate it was found to take.
	Refused, Silent time.Duration `json:",omitempty"`
	PerSecond       float64       `json:",omitempty"`
}

// Stop says why a vendor was given up.
type Stop struct {
	Ending pipeline.Ending
	Cause  Cause
	// Short: units are wanting. Want is the least the request could have done with, Left what there was.
	Short      bool           `json:",omitempty"`
	Want, Left pipeline.Units `json:",omitempty"`
}

// Sold is what came of a lane.
type Sold struct {
	Outcomes []Outcome
	// Purses are what is left to extracts with a ceiling of their own.
	Purses map[string]pipeline.Units `json:",omitempty"`
	Stop   *Stop                     `json:",omitempty"`
	// Fault is of the program's side, "" if there was none; Taken: another process has the run.
	Fault string `json:",omitempty"`
	Taken bool   `json:",omitempty"`
}
