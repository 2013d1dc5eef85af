package emulator

import (
	"crypto/subtle"
	"math"
	"net/http"
	"strings"
	"sync"
	"time"

	"backhaul/pipeline/emulator/ahrefs"
	"backhaul/pipeline/emulator/graph"
)

// Credentials a server accepts unless told otherwise. The access id and the secret key have the vendor's shapes.
const (
	DefaultToken     = "emulator-token"
	DefaultAccessID  = "mozscape-emulator01"
	DefaultSecretKey = "emulator-secret-key-not-a-secret"
)

// LastToken is the form of next_token on the last page of a list, which the documentation leaves open.
type LastToken int

const (
	LastTokenEmpty  LastToken = iota // "next_token":""
	LastTokenAbsent                  // no such field
	LastTokenNull                    // "next_token":null
)

// Options of a [Server]. The zero value serves day 0 of seed 0, without limits, delays or faults.
type Options struct {
	Seed  uint64       // of the made-up web. Default 0
	Graph *graph.Graph // the web itself, in place of Seed. Default: the web of Seed, shared by all servers of a process
	Day   int          // of the index; day 0 is 2026-01-01. Default 0
	// IndexDays is how many days an index keeps its id, and so its tokens; large enough, it holds the index still. Default 3 (chosen)
	IndexDays int

	Token     string // accepted in x-moz-token. Default DefaultToken
	AccessID  string // accepted in Basic. Default DefaultAccessID
	SecretKey string // accepted in Basic. Default DefaultSecretKey

	TokenLife           time.Duration // age at which a next_token answers 410. Default 0: it does not age
	TokenUses           int           // how often a next_token may be used before it answers 410. Default 0: without end
	MatchingSourcePages bool          // matching_source_pages in link_intersect at root_domain scope (unknown for V2). Default false: none
	LastToken           LastToken     // form of next_token on the last page. Default LastTokenEmpty
	RefuseUnknownFields bool          // answer 400 to unknown body fields (the vendor's ways are unknown). Default false: ignore them

	Quota       int64 // rows per calendar month (UTC), after which QuotaStatus is answered. Default 0: no limit
	QuotaStatus int   // status of an exhausted quota (chosen; unknown for the vendor). Default 403

	RequestsPerSecond float64 // accepted in the long run; others get RateStatus and bill nothing. Default 0: no limit
	Burst             int     // requests accepted at once. Default 1
	RateStatus        int     // status of a refused request (chosen; 503 is the other candidate). Default 429
	NoRetryAfter      bool    // leave Retry-After away when refusing. Default false
	NoPenalty         bool    // do not limit JSON-RPC clients after 50 answers of 4xx in 5 minutes, as the vendor does. Default false

	Latency time.Duration    // delay before every answer, cut short when the client leaves. Default 0
	Faults  Faults           // what goes wrong, and how often. Default: nothing
	Clock   func() time.Time // the time for tokens, quota, usage and rate. Default time.Now

	Ahrefs ahrefs.Options // of the Ahrefs APIs; their Clock is this one unless they have their own
}

func (o Options) withDefaults() Options {
	fill := func(s *string, value string) {
		if *s == "" {
			*s = value
		}
	}
	fill(&o.Token, DefaultToken)
	fill(&o.AccessID, DefaultAccessID)
	fill(&o.SecretKey, DefaultSecretKey)
	if o.QuotaStatus == 0 {
		o.QuotaStatus = http.StatusForbidden
	}
	if o.RateStatus == 0 {
		o.RateStatus = http.StatusTooManyRequests
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.IndexDays <= 0 {
		o.IndexDays = indexDays
	}
	if o.Ahrefs.Clock == nil {
		o.Ahrefs.Clock = o.Clock
	}
	o.Burst = max(o.Burst, 1)
	o.Faults = o.Faults.withDefaults()
	return o
}

// authorised accepts an x-moz-token header or Basic credentials (Moz V2 overview). A wrong one of either kind is
// refused even beside a right one of the other (chosen).
func (s *Server) authorised(r *http.Request) bool {
	token := r.Header.Values("X-Moz-Token")
	if len(token) > 1 || len(token) == 1 && !same(token[0], s.options.Token) {
		return false
	}
	basic := r.Header.Get("Authorization")
	if basic == "" {
		return len(token) == 1
	}
	id, secret, ok := r.BasicAuth()
	return ok && strings.HasPrefix(basic, "Basic ") && same(id, s.options.AccessID) && same(secret, s.options.SecretKey)
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// bucket is the rate limit.
type bucket struct {
	mu     sync.Mutex
	tokens float64
	last   time.Time
}

// take spends one request, or returns how long until there is one, in whole seconds as Retry-After wants it.
func (b *bucket) take(o Options) (time.Duration, bool) {
	if o.RequestsPerSecond <= 0 {
		return 0, true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := o.Clock()
	if b.last.IsZero() {
		b.tokens = float64(o.Burst)
	} else if passed := now.Sub(b.last).Seconds(); passed > 0 {
		b.tokens = min(float64(o.Burst), b.tokens+passed*o.RequestsPerSecond)
	}
	b.last = now
	if b.tokens < 1-1e-9 {
		return time.Duration(math.Ceil((1-b.tokens)/o.RequestsPerSecond)) * time.Second, false
	}
	b.tokens--
	return 0, true
}
