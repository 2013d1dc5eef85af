package moz

import (
	"crypto/sha256"
	"errors"
	"sync"
)

// Endings knows how Moz marks the end of a list: by a token that is "" or null, or by leaving the token out. The documents do
// not say ("if non-empty" is all there is), and a reply that lost its token on the way looks like the latter. So it is learned
// from the replies. The zero value knows nothing yet; it is safe for concurrent use.
type Endings struct {
	mu sync.Mutex
	// marked: a list ended with the token "" or null. So most do, and a reply without it may not be whole.
	marked bool
	// omitted: a list ended, as far as can be told, with the token left out.
	omitted bool
	// doubted are the requests whose answers had no token, and might have lost it.
	doubted map[[sha256.Size]byte]bool
}

// Continuation is what a reply to a request for a page of a list says of what follows.
type Continuation struct {
	// Request tells the request from all others.
	Request []byte
	// Inner: the page is not the list's first, so there was a token on the way to it.
	Inner bool
	// Asked is how many rows were asked for, Rows how many came.
	Asked, Rows int
	// Token leads on. Marked: the reply has a token, be it "" or null.
	Token  string
	Marked bool
}

// errUnmarked means that a reply may have lost its token, and with it the rest of the list.
var errUnmarked = errors.New("the token that leads on, or ends the list, is missing")

// Ends reports whether the list ends with a reply, and learns from it. An error means that this cannot be told, so that the
// reply is not whole. A reply without a token ends the list
//
//   - never, once any list ended with a token that is "" or null;
//   - else, if it has fewer rows than were asked for, or if lists were seen to end that way;
//   - else, if it is the first of its list;
//   - else, if the same request was answered so before: a loss on the way would hardly come twice.
//
// The second and the last teach that lists end that way.
func (e *Endings) Ends(c Continuation) (bool, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case c.Token != "":
		return false, nil
	case c.Marked:
		e.marked = true
		return true, nil
	case e.marked && !e.confirmed(c.Request):
		return false, errUnmarked
	case e.marked:
	case c.Rows < c.Asked:
		e.omitted = true
	case c.Inner && !e.omitted && !e.confirmed(c.Request):
		return false, errUnmarked
	}
	return true, nil
}

// confirmed reports whether the request was answered without a token before, and notes that it was.
func (e *Endings) confirmed(request []byte) bool {
	key := sha256.Sum256(request)
	if e.doubted[key] {
		delete(e.doubted, key)
		e.omitted = true
		return true
	}
	if e.doubted == nil {
		e.doubted = map[[sha256.Size]byte]bool{}
	}
	e.doubted[key] = true
	return false
}
