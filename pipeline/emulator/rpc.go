package emulator

import (
	"encoding/json"
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
	var in envelope
	err := in.read(r.Body)
	if answer, fault, ok := s.admitRPC(r, in.echoedID()); !ok {
		return rpcPath, answer, fault
	}
	var m *rpcMethod
	if err == nil {
		m, err = in.method()
	}
	if err != nil {
		return rpcPath, refuseRPC(in.echoedID(), asRPC(err)), ""
	}
	answer, fault = s.callRPC(m, in.ID, in.Params)
	return rpcPath + "/" + m.name, answer, fault
}

// admitRPC checks token and rate.
func (s *Server) admitRPC(r *http.Request, id json.RawMessage) (no reply, fault Kind, ok bool) {
	token := r.Header.Values("X-Moz-Token")
	unknown := refuseRPC(id, &rpcError{code: codeAuth, status: http.StatusUnauthorized, message: "Missing or invalid authentication"})
	tooMany := &rpcError{code: codeRate, status: http.StatusTooManyRequests, message: "Too many requests"}
	if len(token) != 1 || !same(token[0], s.options.Token) {
		return unknown, "", false
	}
	if s.denied() {
		return unknown, KindDeny, false
	}
	if !s.options.NoPenalty && !s.penalty.admit(s.options.Clock()) {
		return refuseRPC(id, tooMany), "", false // without Retry-After: none was ever seen
	}
	if wait, ok := s.bucket.take(s.options); !ok {
		tooMany.status = s.options.RateStatus
		no = refuseRPC(id, tooMany)
		if !s.options.NoRetryAfter {
			no.retryAfter = wait
		}
		return no, "", false
	}
	return reply{}, "", true
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
