package run

// StepName is something that a run does before it does the next.
type StepName string

// The steps of a run. Extracts that wait for others are planned while those are bought.
const (
	Planning   StepName = "plan"
	Buying     StepName = "buy"
	Loading    StepName = "load"
	Publishing StepName = "publish"
	Closing    StepName = "account"
)

// Step is what a run does.
type Step struct {
	Name StepName
	// Table is what is loaded or published right now. Default none.
	Table string
	// Done is how much of it is done: pages loaded, tables published, of all that are Of. Default 0: that is not known.
	Done, Of int64
}
