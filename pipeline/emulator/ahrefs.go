package emulator

import (
	"net/http"
	"strconv"

	"backhaul/pipeline/emulator/ahrefs"
)

// Ahrefs returns the part of the server that answers for Ahrefs; it has a meter of its own.
func (s *Server) Ahrefs() *ahrefs.Server { return s.ahrefs }

// ofAhrefs are Ahrefs' options. The fault quota_after is units of v3 there, and rows of v2.
func (o Options) ofAhrefs() ahrefs.Options {
	if n := int64(o.Faults.QuotaAfter); n > 0 {
		o.Ahrefs.KeyLimit, o.Ahrefs.V2Rows = n, n
	}
	return o.Ahrefs
}

// answerAhrefs lets Ahrefs answer under the faults of this server. The order of the checks is that of [ahrefs.Server.Read], then revoked
// credentials, then the fault of the moment, then units.
func (s *Server) answerAhrefs(r *http.Request) (reply, Kind) {
	path := r.URL.Path
	q, no := s.ahrefs.Read(r)
	if no != nil {
		return s.ofAhrefs(*no), ""
	}
	if s.denied() {
		return s.ofAhrefs(s.ahrefs.Refuse(path, http.StatusUnauthorized)), KindDeny
	}
	key := strconv.Itoa(s.Day()) + "/" + q.Key()
	fault := s.fault(key, false) // there are no tokens that could be gone
	if early, ok := s.early(fault); ok {
		no := s.ofAhrefs(s.ahrefs.Refuse(path, early.status))
		no.retryAfter = early.retryAfter
		if early.html {
			no.status, no.body, no.html = early.status, early.body, true
		}
		return no, fault
	}
	if at := q.Position(); at > 0 {
		q.Shift(s.shifted(key, at) - at)
	}
	return s.ofAhrefs(s.ahrefs.Answer(q)), fault
}

func (s *Server) ofAhrefs(a ahrefs.Reply) reply {
	return reply{
		status: a.Status, body: a.Body, kind: a.ContentType, header: a.Header,
		settle: func(status int, whole bool) { s.ahrefs.Settle(a, status, whole) },
	}
}
