package emulator

import (
	"net/http"
	"strconv"

	"backhaul/pipeline/emulator/graph"
	"backhaul/pipeline/emulator/internal/quote"
)

// parseLinkStatus reads at most 50 sources (documented).
func parseLinkStatus(f *fields, q *query) {
	f.target(q)
	q.Scope = f.choice("target_scope", "page", "subdomain", "root_domain")
	q.Batch = &batch{Sites: f.addresses("sources"), SourceScope: f.choice("source_scope", "page", "subdomain", "root_domain")}
}

// linkStatus answers {"exists":[...]} in the order of the sources, two rows each. A link within one root domain counts (chosen).
func (s *Server) linkStatus(v *graph.View, q *query, _, _ int) reply {
	target := q.find(v)
	body := []byte(`{"exists":[`)
	for n, i := range s.batch(q.key(), len(q.Batch.Sites)) {
		if n > 0 {
			body = append(body, ", "...)
		}
		body = strconv.AppendBool(body, v.Linked(site{q.Batch.Sites[i], q.Batch.SourceScope}.find(v), target))
	}
	return reply{status: http.StatusOK, body: append(body, "]}"...), rows: 2 * len(q.Batch.Sites), page: true}
}

func parseFinalRedirect(f *fields, q *query) { q.Target, q.Scope = f.address("page"), "page" }

// finalRedirect answers where a page redirects to, "" if no redirect is known (documented), for one row (chosen).
func (s *Server) finalRedirect(v *graph.View, q *query, _, _ int) reply {
	body := quote.Append([]byte(`{"page":`), destination(v, q.find(v)))
	return reply{status: http.StatusOK, body: append(body, '}'), rows: 1, page: true}
}

func destination(v *graph.View, t graph.Target) string {
	if p, ok := t.First(); ok {
		if to, ok := v.RedirectOf(p); ok {
			return v.Graph().PageName(to)
		}
	}
	return ""
}
