package emulator

import (
	"strings"

	"backhaul/pipeline/emulator/graph"
	"backhaul/pipeline/emulator/internal/quote"
)

// rpcScopes are V2's words for the scopes of a site_query.
var rpcScopes = map[string]string{"url": "page", "subdomain": "subdomain", "subfolder": "subfolder", "domain": "root_domain"}

// siteQuery is a site_query as it was put.
type siteQuery struct {
	query, scope string
	site         site
}

// canonicalURL is the query as the server puts it: with a scheme, without the slash of a bare host, at domain scope only the root domain.
func (q siteQuery) canonicalURL(v *graph.View) string {
	scheme, _, ok := strings.Cut(q.query, "://")
	if !ok {
		scheme = "https"
	}
	address := q.site.Target
	if q.scope == "domain" {
		address = face(v, address, q.site.Scope)
	}
	return scheme + "://" + strings.TrimSuffix(address, "/")
}

// appendBare repeats a site query without what the client made of it, as the documents show it for distributions.
func (q siteQuery) appendBare(buf []byte, v *graph.View) []byte {
	buf = quote.Append(append(buf, `{"query":`...), q.canonicalURL(v))
	buf = quote.Append(append(buf, `, "scope":`...), q.scope)
	return append(buf, '}')
}

func (q siteQuery) append(buf []byte, v *graph.View) []byte {
	return q.appendWith(buf, v, `, "site_query_suggestion":null}`)
}

// appendSuggesting repeats a site query and says where a page redirects to. For wider scopes there is no suggestion (chosen).
func (q siteQuery) appendSuggesting(buf []byte, v *graph.View) []byte {
	to := ""
	if q.scope == "url" {
		to = destination(v, q.site.find(v))
	}
	if to == "" {
		return q.append(buf, v)
	}
	suggestion := mustJSON(map[string]string{"query": "https://" + strings.TrimSuffix(to, "/"), "scope": q.scope,
		"explanation": "The page redirects to another one.", "issue": "redirect"})
	return q.appendWith(buf, v, `, "site_query_suggestion":`+string(suggestion)+"}")
}

func (q siteQuery) appendWith(buf []byte, v *graph.View, end string) []byte {
	buf = q.appendBare(buf, v)
	buf = quote.Append(append(buf[:len(buf)-1], `, "original_site_query":{"query":`...), q.query)
	buf = quote.Append(append(buf, `, "scope":`...), q.scope)
	return append(append(buf, '}'), end...)
}

func appendSites(buf []byte, v *graph.View, sites []siteQuery) []byte {
	buf = append(buf, '[')
	for i, q := range sites {
		if i > 0 {
			buf = append(buf, ", "...)
		}
		buf = q.append(buf, v)
	}
	return append(buf, ']')
}
