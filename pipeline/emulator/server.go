// Package emulator owns the vendors' APIs on this machine: Moz Links API V2 under /v2/, Moz JSON-RPC under /jsonrpc and, by package
// ahrefs, Ahrefs v3 and v2, answered from one made-up web, that of package graph, metered the way the vendors bill, with faults on
// request. It is built from the vendors' documentation alone and imports
// nothing of the clients, so that one misreading cannot cancel out on both sides.
//
// What the documentation leaves open is marked "chosen" where it is decided. The form of an error is chosen as a whole:
//
//	{"name":"invalid_parameter", "message":"limit must be a whole number from 1 to 50"}
//
// No client should depend on either text.
//
// The web moves by the day ([Server.SetDay]); the index has a new id every three days (chosen). Targets worth asking for:
// [graph.Graph.Showcase], largest first: acme-outdoor.example (about 12,000 anchors at root_domain scope), rivalgear.example,
// summit-supply.example, trailhead-co.example, pinecone-packs.example, tiny-tarps.example, and quietpeak.example, which nobody links to.
package emulator

import (
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"backhaul/pipeline/emulator/ahrefs"
	"backhaul/pipeline/emulator/graph"
	"backhaul/pipeline/emulator/internal/lists"
)

// Server answers as the vendors do. It is an [http.Handler] and safe for concurrent use.
type Server struct {
	options Options
	graph   *graph.Graph
	view    atomic.Pointer[graph.View]
	lists   lists.Lists[rows]
	meter   meter
	bucket  bucket
	penalty penalty
	ahrefs  *ahrefs.Server

	mu       sync.Mutex
	uses     map[string]int // of next_tokens, kept only under Options.TokenUses
	attempts map[string]int // deliveries of a request so far, kept only under Options.Faults
	faults   int            // injected so far
	admitted int            // requests with good credentials so far
}

// New returns a server for the options; see the fields of [Options] for the defaults.
func New(o Options) *Server {
	o = o.withDefaults()
	s := &Server{options: o, graph: o.Graph, uses: map[string]int{}, attempts: map[string]int{}}
	if s.graph == nil {
		s.graph = webOf(o.Seed)
	}
	s.ahrefs = ahrefs.New(s.view.Load, o.ofAhrefs())
	s.meter.begin()
	s.lists.Most, s.lists.Rows = keptLists, keptRows
	s.SetDay(o.Day)
	return s
}

// Graph returns the web the server answers from.
func (s *Server) Graph() *graph.Graph { return s.graph }

// Day returns the day of the index being served.
func (s *Server) Day() int { return s.view.Load().Day() }

// SetDay moves the index to a day. Requests under way finish on the old one. Tokens of an index with another id answer 410 from now on.
func (s *Server) SetDay(day int) { s.view.Store(s.graph.At(day)) }

// Options returns the options in force, defaults filled in.
func (s *Server) Options() Options { return s.options }

// Meter returns what was asked, answered and billed so far.
func (s *Server) Meter() Meter { return s.meter.snapshot() }

// ConnState counts connections; set it as [http.Server.ConnState] to have [Meter.PeakConnections].
func (s *Server) ConnState(_ net.Conn, state http.ConnState) { s.meter.connection(state) }

// reply is an answer before it is written.
type reply struct {
	status     int
	body       []byte
	rows       int           // billed
	page       bool          // an answer that costs rows, which is counted and may be a duplicate
	key        string        // the request, its position in the list and the day: equal for a page asked for again
	retryAfter time.Duration // 0: no header
	allow      string
	html       bool
	kind       string                       // Content-Type. "": JSON
	header     map[string]string            // beside the usual ones
	settle     func(status int, whole bool) // hears how the delivery ended, if set
}

// ServeHTTP answers one request. Under some faults it panics with [http.ErrAbortHandler], which an [http.Server] turns into a
// closed connection.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	done := s.meter.enter()
	defer done()
	path := r.URL.Path
	if path == rpcPath {
		s.serveRPC(w, r)
		return
	}
	if ahrefs.Owns(path) {
		path = ahrefs.Path(path)
	} else if _, ok := endpoints[path]; !ok {
		path = "other" // so that a stray client cannot grow the meter
	}
	if !pause(r.Context(), s.options.Latency) {
		s.meter.unanswered(path)
		return
	}
	answer, fault := s.answer(r)
	s.deliver(w, r, path, answer, fault)
}

// answer decides everything but the writing. The order of the checks is chosen: path, method, credentials, rate, body, quota.
func (s *Server) answer(r *http.Request) (reply, Kind) {
	if ahrefs.Owns(r.URL.Path) {
		return s.answerAhrefs(r)
	}
	e, ok := endpoints[r.URL.Path]
	if !ok {
		return refuse(http.StatusNotFound, "not_found", "no such endpoint: "+r.URL.Path), ""
	}
	if r.Method != http.MethodPost {
		// Chosen: 405, as for any web service; the documentation says only that every call is a POST.
		no := refuse(http.StatusMethodNotAllowed, "method_not_allowed", "use POST")
		no.allow = http.MethodPost
		return no, ""
	}
	if !s.authorised(r) {
		return refuse(http.StatusUnauthorized, "unauthorized", "missing or invalid credentials"), ""
	}
	if s.denied() {
		return refuse(http.StatusUnauthorized, "unauthorized", "credentials were revoked"), KindDeny
	}
	if wait, ok := s.bucket.take(s.options); !ok {
		no := refuse(s.options.RateStatus, "rate_limited", "too many requests")
		if !s.options.NoRetryAfter {
			no.retryAfter = wait
		}
		return no, ""
	}
	return s.ask(r, e)
}

// ask parses the request, spends what it costs and lets the fault of the moment have its way.
func (s *Server) ask(r *http.Request, e endpoint) (reply, Kind) {
	view := s.view.Load()
	q, err := parse(r, e, s.options.RefuseUnknownFields)
	if err != nil {
		return refuse(http.StatusBadRequest, "invalid_parameter", err.Error()), ""
	}
	at, no := s.position(q, view.Day())
	if no != nil {
		return *no, ""
	}
	key := strconv.Itoa(view.Day()) + "/" + strconv.Itoa(at) + "/" + q.key()
	fault := s.fault(key, q.token != "")
	if early, ok := s.early(fault); ok {
		return early, fault
	}
	if e.billed && s.exhausted() {
		// Chosen: 403 by default, see Options.QuotaStatus. A page begun within the quota is served whole.
		return refuse(s.options.QuotaStatus, "quota_exhausted", "the row quota of this month is used up"), ""
	}
	answer := e.answer(s, view, q, s.shifted(key, at), at)
	answer.key = key
	s.meter.bill(s.options.Clock(), answer.rows)
	return answer, fault
}

// exhausted tells whether the month's rows, by the calendar in UTC, or those of the fault quota_after are gone.
func (s *Server) exhausted() bool {
	if n := s.options.Faults.QuotaAfter; n > 0 && s.meter.total() >= int64(n) {
		return true
	}
	now := s.options.Clock()
	return s.options.Quota > 0 && s.meter.between(monthOf(now), now.Unix()) >= s.options.Quota
}

func monthOf(t time.Time) int64 {
	t = t.UTC()
	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC).Unix()
}

// Webs are immutable and dear to build, so servers of the same seed share one. Two are kept.
var webs struct {
	sync.Mutex
	seeds []uint64
	built []*graph.Graph
}

func webOf(seed uint64) *graph.Graph {
	webs.Lock()
	defer webs.Unlock()
	for i, s := range webs.seeds {
		if s == seed {
			return webs.built[i]
		}
	}
	g := graph.New(seed)
	if len(webs.seeds) == 2 {
		webs.seeds, webs.built = webs.seeds[1:], webs.built[1:]
	}
	webs.seeds, webs.built = append(webs.seeds, seed), append(webs.built, g)
	return g
}
