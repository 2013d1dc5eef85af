// Package ahrefs owns the vendor Ahrefs on this machine: API v3 under /v3/, priced in units, and the dead API v2 under /ahrefs-v2, priced in
// rows. It is built from the vendor's documentation and recorded replies alone; what those leave open is marked "chosen" where it is decided, and
// what the made-up web has no counterpart for is invented: always the same for the same thing, of the documented type, null where that is allowed.
//
// It decides answers and keeps the account. Writing them, delays and faults are package emulator's, which hands it the requests:
// [Server.Read] and [Server.Answer] are the two halves of a request, between which a fault may strike, and [Server.Settle] hears how it ended.
//
// No client should depend on the texts of the 400s. Those of 401, 403 and 404 were recorded.
package ahrefs

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"backhaul/pipeline/emulator/graph"
	"backhaul/pipeline/emulator/internal/lists"
)

// Server answers as the vendor does. It is safe for concurrent use.
type Server struct {
	options  Options
	view     func() *graph.View
	account  account
	lists    lists.Lists[ordered]
	cache    cache
	meter    meter
	requests atomic.Uint64

	mu    sync.Mutex
	ranks ranks
}

// New returns a server over the web as view returns it, which may be another from request to request.
func New(view func() *graph.View, o Options) *Server {
	s := &Server{options: o.withDefaults(), view: view}
	s.lists.Most, s.lists.Rows = keptLists, keptRows
	return s
}

// Options returns the options in force, defaults filled in.
func (s *Server) Options() Options { return s.options }

// Owns tells whether a path is the vendor's.
func Owns(path string) bool { return strings.HasPrefix(path, "/v3/") || isV2(path) }

// Reply is an answer before it is written.
type Reply struct {
	Status      int
	ContentType string
	Header      map[string]string
	Body        []byte

	path  string // "other" for unknown ones, so that a stray client cannot grow the meter
	key   string // the request and the day; "" for what is not a page
	units int64  // charged
	rows  int64  // charged, of v2
}

// Request is a request with good credentials, understood.
type Request struct {
	q  *query
	v2 *v2query
}

// Key names the request: equal parameters, equal key.
func (r *Request) Key() string {
	if r.v2 != nil {
		return r.v2.key()
	}
	return r.q.key()
}

// Position is where in its list a page begins, 0 where it is the first or where pages are not found by position: those of v3 are cut by
// conditions.
func (r *Request) Position() int {
	if r.v2 == nil {
		return 0
	}
	return r.v2.offset
}

// Shift has a page of v2 begin so many rows later, or earlier, than it was asked for: its list has moved. It costs what was asked for.
func (r *Request) Shift(rows int) { r.v2.shift = rows }

// Read checks route, credentials, method, rate and parameters, in this order (chosen), and returns the answer of a request that fails.
func (s *Server) Read(r *http.Request) (*Request, *Reply) {
	if isV2(r.URL.Path) {
		return s.readV2(r)
	}
	rep := reports[r.URL.Path]
	if rep == nil {
		return nil, s.refuse(r.URL.Path, http.StatusNotFound, `["Error", ["NotFound", `+quoted("this route does not exist "+r.URL.Path)+"]]")
	}
	if key, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); !ok {
		return nil, s.refuse(r.URL.Path, http.StatusForbidden, `["Error","Forbidden"]`)
	} else if !same(key, s.options.Key) {
		return nil, s.refuse(r.URL.Path, http.StatusUnauthorized, `["Error","Unauthorized"]`)
	}
	if r.Method != rep.method {
		no := s.Refuse(r.URL.Path, http.StatusMethodNotAllowed) // chosen
		no.Header = map[string]string{"Allow": rep.method}
		return nil, &no
	}
	if !s.account.admit(s.options.Clock(), s.options.RequestsPerMinute) {
		no := s.Refuse(r.URL.Path, http.StatusTooManyRequests)
		return nil, &no
	}
	if slices.Contains(s.options.Excluded, path.Base(r.URL.Path)) {
		return nil, s.refuse(r.URL.Path, http.StatusForbidden, errorBody("Insufficient plan")) // known from third parties alone
	}
	q := parse(r, rep, s.options, s.view().Day())
	if q.err == nil && q.output == "php" {
		q.err = errors.New("bad value for output: php is not emulated")
	}
	if q.err != nil {
		return nil, s.refuse(r.URL.Path, http.StatusBadRequest, errorBody(q.err.Error()))
	}
	return &Request{q: q}, nil
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// maxBody of a batch is chosen: far more than 100 targets need.
const maxBody = 1 << 20

func readBody(r *http.Request) ([]byte, error) {
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err == nil && len(raw) > maxBody {
		err = errors.New("the body is too large")
	}
	return raw, err
}

// Refuse is the vendor's answer of a status that is not about the request.
func (s *Server) Refuse(path string, status int) Reply {
	if isV2(path) {
		return s.refuseV2(status)
	}
	switch status {
	case http.StatusUnauthorized:
		return *s.refuse(path, status, `["Error","Unauthorized"]`)
	case http.StatusTooManyRequests: // chosen
		return *s.refuse(path, status, errorBody("Too many requests"))
	}
	return *s.refuse(path, status, errorBody(http.StatusText(status))) // chosen
}

func (s *Server) refuse(path string, status int, body string) *Reply {
	return &Reply{Status: status, ContentType: "application/json", Body: []byte(body), path: known(path)}
}

func errorBody(text string) string { return `{"error":` + quoted(text) + "}" }

// known is how meters name a path.
func known(path string) string {
	if isV2(path) {
		return v2Path
	}
	if reports[path] != nil {
		return path
	}
	return "other"
}

// Path is how meters name a path: itself, or "other".
func Path(path string) string { return known(path) }

// Answer runs a request and charges for it.
func (s *Server) Answer(r *Request) Reply {
	if r.v2 != nil {
		return s.answerV2(r.v2)
	}
	q, now := r.q, s.options.Clock()
	view := s.view()
	key := strconv.Itoa(view.Day()) + " " + q.key()
	if hit, ok := s.cache.get(q.key(), now); ok {
		s.meter.hit(hit.rows)
		return s.finish(q, hit, key, "hit", 0)
	}
	if why, ok := s.expect(q); !ok {
		return *s.refuse(q.path, http.StatusForbidden, errorBody(why))
	}
	c := &call{server: s, q: q, view: view, graph: view.Graph()}
	rows := c.answer()
	a := answered{rows: len(rows)}
	if !q.report.unpriced {
		a.units = cost(len(rows), q.rowUnits())
	}
	a.body, a.contentType = q.encode(rows)
	charge := a.units
	if free(q.target) {
		charge = 0
	}
	s.account.bill(now, charge, 0)
	s.meter.answered(q.path+" "+q.target, len(rows), charge, 0)
	if q.report.uncached {
		return s.finish(q, a, key, "no_cache", charge)
	}
	s.cache.put(q.key(), a, now, s.options.CacheTTL)
	return s.finish(q, a, key, "miss", charge)
}

// expect refuses a request that could cost more than is left: by its limit, which is known before it runs (chosen).
func (s *Server) expect(q *query) (why string, ok bool) {
	if q.report.unpriced || free(q.target) {
		return "", true
	}
	rows := max(1, len(q.batch))
	switch {
	case q.report.params.list:
		rows = q.limit
	case q.report.params.span:
		rows = len(q.buckets())
	}
	return s.affords(cost(rows, q.rowUnits()))
}

// answer computes the rows, selected fields only, in the order of select.
func (c *call) answer() []row {
	if c.q.report.build == nil {
		return c.q.report.answer(c)
	}
	list := c.list()
	numbers := c.rows(list)
	rows := make([]row, len(numbers))
	for i, n := range numbers {
		rows[i] = make(row, len(c.q.selected))
		for j, name := range c.q.selected {
			rows[i][j] = cell{name, value(list.List, int(n), name)}
		}
	}
	return rows
}

func (q *query) encode(rows []row) (body []byte, contentType string) {
	switch q.output {
	case "csv":
		return encodeCSV(q.selected, rows), "text/csv; charset=utf-8"
	case "xml":
		return encodeXML(q.report.envelope, rows), "application/xml"
	}
	return encodeJSON(q.report.envelope, rows, q.report.single), "application/json"
}

// finish adds the headers of a success. The price of a row is the true sum under the floor too, as recorded.
func (s *Server) finish(q *query, a answered, key, cache string, charged int64) Reply {
	n := s.requests.Add(1)
	return Reply{
		Status: http.StatusOK, ContentType: a.contentType, Body: a.body,
		path: q.path, key: key, units: charged,
		Header: map[string]string{
			"X-Api-Rows": strconv.Itoa(a.rows), "X-Api-Units-Cost-Row": strconv.Itoa(q.rowUnits()),
			"X-Api-Units-Cost-Total": strconv.FormatInt(a.units, 10), "X-Api-Units-Cost-Total-Actual": strconv.FormatInt(charged, 10),
			"X-Api-Cache":  cache,
			"X-Request-Id": fmt.Sprintf("%016x%016x", roll("request", n), roll("id", n)),
			"X-Trace-Id":   fmt.Sprintf("%016x%016x", roll("trace", n), roll("id", n)),
		},
	}
}
