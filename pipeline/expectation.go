package pipeline

// Expectation is what a task is expected to cost.
type Expectation struct {
	// Units is what it is expected to have cost when it is complete.
	Units Units
	// Next is what it costs to go on where that is not known, because the list was never read to its end. Default 0: it is.
	Next Units
}
