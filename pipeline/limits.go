package pipeline

import "time"

// ReplyWait is how long a reply may take, from the request to its last byte.
const ReplyWait = time.Minute

// Limits is what a vendor allows an account to ask at once.
type Limits struct {
	PerSecond   float64 // requests
	Connections int     // requests in flight
	// TokenLife is how long a cursor holds. Default 0: until the vendor refuses it.
	TokenLife time.Duration
}
