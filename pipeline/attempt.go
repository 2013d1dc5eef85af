package pipeline

import "time"

// Attempt is a request that yielded no page, or, of kind Repeating, the finding that none is to be made.
type Attempt struct {
	Seq    int // of the page that was asked for
	At     time.Time
	Kind   Kind
	Status int
	// MaybeUnits is what the vendor may have charged for it all the same; 0 when it did not.
	MaybeUnits Units
	Message    string
	// Body is what was received, for responses that could not be read. Default none.
	Body []byte
	// Chain, Ask and Request are what it was the answer to, and what has to be known to read it after all. Only with a Body.
	Chain   int
	Ask     Ask
	Request []byte
}
