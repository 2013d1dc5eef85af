package emulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"backhaul/pipeline/emulator/graph"
)

// Moz JSON-RPC ("V3") under one path: the same lists as V2's under other names, over the same web, tokens, quota and meter.
//
// Chosen, where its documentation is silent: every call is checked in the order token, rate, envelope, method, parameters, quota; Basic
// credentials are V2's alone; a list of a site that nobody links to, or that the index does not know, is empty, while
// metrics of a site unknown altogether are the error 404; unknown parameters are ignored unless Options.RefuseUnknownFields (seen for one of them).
const rpcPath = "/jsonrpc"

// rpcCall is a call with all defaults filled in; the query's Path is the method.
type rpcCall struct {
	query
	id       json.RawMessage
	provided *string     // offset.token, as given
	echoes   []echo      // what the result repeats of the request, in order
	sites    []siteQuery // what Sites were asked as
	number   int         // of the page, in the lists over the whole web
}

// echo is a member of the result that repeats something of the request.
type echo struct {
	name   string
	append func(buf []byte, v *graph.View) []byte
}

// rpcResult is what a method answers: the members after the echoes, and the rows they cost.
type rpcResult struct {
	members []byte
	rows    int
}

// rpcMethod is one method of the API.
type rpcMethod struct {
	name   string // as Moz's documents spell it
	parse  func(*params, *rpcCall)
	answer func(s *Server, v *graph.View, c *rpcCall, from, at int) (rpcResult, error)
	billed bool
}

// serveRPC answers one call.
func (s *Server) serveRPC(w http.ResponseWriter, r *http.Request) {
	if !pause(r.Context(), s.options.Latency) {
		s.meter.unanswered(rpcPath)
		return
	}
	path, answer, fault := s.answerRPC(r)
	s.penalty.note(s.options.Clock(), answer.status)
	w.Header().Set("X-Service-Name", "emulator")
	w.Header().Set("X-Service-Version", "1")
	if name, ok := strings.CutPrefix(path, rpcPath+"/"); ok {
		w.Header().Set("X-Pylon-Action", actionOf(name))
	}
	s.deliver(w, r, path, answer, fault)
}

// answerRPC decides everything but the writing, and where it is metered.
func (s *Server) answerRPC(r *http.Request) (path string, answer reply, fault Kind) {
	if r.Method != http.MethodPost {
		no := refuse(http.StatusMethodNotAllowed, "method_not_allowed", "use POST")
		no.allow = http.MethodPost
		return rpcPath, no, ""
	}
	id := json.RawMessage("null")
	var in envelope
	err := in.read(r.Body)
	if in.idIsText() {
		id = in.ID
	}
	no := func(code, status int, message string) (string, reply, Kind) {
		return rpcPath, refuseRPC(id, &rpcError{code: code, status: status, message: message}), ""
	}
	if token := r.Header.Values("X-Moz-Token"); len(token) != 1 || !same(token[0], s.options.Token) {
		return no(codeAuth, http.StatusUnauthorized, "Missing or invalid authentication")
	}
	if s.denied() {
		_, answer, _ = no(codeAuth, http.StatusUnauthorized, "Missing or invalid authentication")
		return rpcPath, answer, KindDeny
	}
	if !s.penalty.admit(s.options.Clock()) {
		return no(codeRate, http.StatusTooManyRequests, "Too many requests")
	}
	if wait, ok := s.bucket.take(s.options); !ok {
		_, answer, _ = no(codeRate, s.options.RateStatus, "Too many requests")
		if !s.options.NoRetryAfter {
			answer.retryAfter = wait
		}
		return rpcPath, answer, ""
	}
	if err != nil {
		return no(codeParse, http.StatusBadRequest, err.Error())
	}
	m, failed := in.method()
	if failed != nil {
		return rpcPath, refuseRPC(id, failed), ""
	}
	answer, fault = s.callRPC(m, id, in.Params)
	return rpcPath + "/" + m.name, answer, fault
}

// callRPC does for a method what ask does for an endpoint of V2.
func (s *Server) callRPC(m *rpcMethod, id, parameters json.RawMessage) (reply, Kind) {
	view := s.view.Load()
	c := &rpcCall{id: id, query: query{Path: m.name}}
	if err := parseRPC(m, parameters, c, s.options.RefuseUnknownFields); err != nil {
		return refuseRPC(id, asRPC(err)), ""
	}
	at, no := s.position(&c.query, view.Day())
	if no != nil {
		return fromV2(id, *no), ""
	}
	key := strconv.Itoa(view.Day()) + "/" + strconv.Itoa(at) + "/" + c.key()
	fault := s.fault(key, c.token != "")
	if early, ok := s.early(fault); ok {
		return fromV2(id, early), fault
	}
	if m.billed && s.exhausted() {
		return refuseRPC(id, &rpcError{code: codeExhausted, status: s.options.QuotaStatus, message: "The row quota of this month is used up"}), ""
	}
	out, err := m.answer(s, view, c, s.shifted(key, at), at)
	if err != nil {
		return refuseRPC(id, asRPC(err)), ""
	}
	s.meter.bill(s.options.Clock(), out.rows)
	return reply{status: http.StatusOK, body: c.wrap(view, out), rows: out.rows, page: m.billed, key: key}, fault
}

// wrap writes the whole answer.
func (c *rpcCall) wrap(v *graph.View, out rpcResult) []byte {
	body := append([]byte(`{"id":`), c.id...)
	body = append(body, `,"jsonrpc":"2.0","result":{`...)
	for _, e := range c.echoes {
		body = append(append(append(body, '"'), e.name...), `":`...)
		body = append(e.append(body, v), ", "...)
	}
	return append(append(body, out.members...), "}}"...)
}

// envelope is a JSON-RPC request. Batches of calls are not part of the API (chosen).
type envelope struct {
	Version json.RawMessage `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Method  string          `json:"method"`
	Params  json.RawMessage `json:"params"`
}

func (e *envelope) read(r io.Reader) error {
	body, err := io.ReadAll(io.LimitReader(r, maxBody+1))
	if err != nil {
		return fmt.Errorf("read body: %w", err)
	}
	if len(body) > maxBody {
		return errors.New("the body is too long")
	}
	if err := json.Unmarshal(body, e); err != nil {
		return errors.New("the body is not a JSON-RPC request")
	}
	return nil
}

func (e *envelope) idIsText() bool {
	var text string
	return len(e.ID) > 0 && json.Unmarshal(e.ID, &text) == nil && string(e.ID) != "null"
}

// minimumID is the length of a request's id below which it is refused, in characters.
const minimumID = 24

// method finds what is called, or what is wrong with the envelope.
func (e *envelope) method() (*rpcMethod, *rpcError) {
	bad := func(code int, message string) *rpcError {
		return &rpcError{code: code, status: http.StatusBadRequest, message: message}
	}
	var id string
	if string(e.Version) != `"2.0"` {
		return nil, bad(codeEnvelope, `jsonrpc must be "2.0"`)
	}
	if !e.idIsText() || json.Unmarshal(e.ID, &id) != nil || len([]rune(id)) < minimumID {
		return nil, bad(codeShortID, "Minimum Request ID length is 24.")
	}
	m := rpcMethods[actionOf(e.Method)]
	if m == nil {
		return nil, bad(codeNoMethod, "Action not found: "+actionOf(e.Method))
	}
	return m, nil
}

// actionOf is the name the vendor's server makes of a method: each part between dots or hyphens begins with a capital, so
// data.site.linking.domain.list is data.site.linking-domain.list.
func actionOf(method string) string {
	var b strings.Builder
	for _, part := range strings.FieldsFunc(method, func(r rune) bool { return r == '.' || r == '-' }) {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String() + "Action"
}
