package emulator

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"backhaul/pipeline/emulator/graph"
)

// params are one object of a call's parameters. Like fields it keeps the first thing found wrong, that of its inner objects included.
type params struct {
	fields
	strict bool // complain of what nobody has taken
}

func parseRPC(m *rpcMethod, raw json.RawMessage, c *rpcCall, strict bool) error {
	p := &params{fields{values: map[string]json.RawMessage{}}, strict}
	if len(raw) > 0 {
		p.values["params"] = raw
	}
	p.object("params", false, func(outer *params) {
		outer.object("data", false, func(data *params) { m.parse(data, c) })
	})
	return p.err
}

// object reads an inner object; one that is not there is empty, unless it is required.
func (p *params) object(name string, required bool, read func(*params)) {
	inner := &params{fields{values: map[string]json.RawMessage{}}, p.strict}
	if !p.take(name, &inner.values, "an object") && required {
		p.lacks(name)
	}
	read(inner)
	if p.strict {
		for _, left := range slices.Sorted(maps.Keys(inner.values)) {
			inner.fail("%s is not a parameter of this method", left)
		}
	}
	if p.err == nil {
		p.err = inner.err
	}
}

func (p *params) lacks(name string) {
	if p.err == nil {
		p.err = missing(name)
	}
}

// required reads a string that must be there and not be empty.
func (p *params) required(name string) string {
	value, ok := p.text(name)
	if !ok || value == "" {
		p.lacks(name)
	}
	return value
}

// nullable drops a parameter that is null and reports whether there is another value.
func (p *params) nullable(name string) bool {
	if string(p.values[name]) == "null" {
		delete(p.values, name)
	}
	_, ok := p.values[name]
	return ok
}

// site reads {query, scope}, both required; scopes are those allowed, all of them unless told.
func (p *params) site(name string, scopes ...string) (q siteQuery) {
	p.object(name, true, func(in *params) {
		q.query, q.scope = in.required("query"), in.required("scope")
		if len(scopes) == 0 {
			scopes = []string{"url", "subdomain", "subfolder", "domain"}
		}
		if !slices.Contains(scopes, q.scope) {
			in.fail("scope must be one of %s", strings.Join(scopes, ", "))
		}
		q.site = site{in.canonical("query", q.query), rpcScopes[q.scope]}
	})
	return q
}

// target reads the site a call is about and repeats it in the result.
func (p *params) target(c *rpcCall, scopes ...string) {
	q := p.site("site_query", scopes...)
	c.Target, c.Scope = q.site.Target, q.site.Scope
	c.sites = []siteQuery{q}
	c.repeat("site_query", q.appendSuggesting)
}

// siteList reads an array of objects in which each holds site queries under the names; without a name each is one itself.
func (p *params) siteList(list string, names ...string) (out []siteQuery) {
	var raw []json.RawMessage
	if !p.take(list, &raw, "an array of objects") {
		return nil
	}
	for _, text := range raw {
		item := &params{fields{values: map[string]json.RawMessage{list: text}}, p.strict}
		if len(names) == 0 {
			out = append(out, item.site(list))
		} else {
			item.object(list, true, func(in *params) {
				for _, name := range names {
					out = append(out, in.site(name))
				}
			})
		}
		if p.err == nil {
			p.err = item.err
		}
	}
	return out
}

// repeat adds a member to what the result repeats.
func (c *rpcCall) repeat(name string, write func([]byte, *graph.View) []byte) {
	c.echoes = append(c.echoes, echo{name, write})
}

// repeatValue repeats something that is known already.
func (c *rpcCall) repeatValue(name string, value any) {
	text := mustJSON(value)
	c.repeat(name, func(buf []byte, _ *graph.View) []byte { return append(buf, text...) })
}

// offset reads {token, limit}: token a string or null, limit 1 to 50, 25 by default. A limit beside it is none of its business (seen).
func (p *params) offset(c *rpcCall) {
	p.object("offset", false, func(in *params) {
		c.Limit = 25
		if in.nullable("limit") && in.take("limit", &c.Limit, "a whole number") && (c.Limit < 1 || c.Limit > 50) {
			in.fail("limit must be a whole number from 1 to 50")
		}
		if in.nullable("token") {
			c.token, _ = in.text("token")
			c.provided = &c.token
		}
	})
}

// filters reads an array of names, ["external"] by default. Of several, external must be one.
func (p *params) filters(names []string) []string {
	var given []string
	if !p.nullable("filters") || !p.take("filters", &given, "an array of strings") {
		return []string{"external"}
	}
	for _, name := range given {
		if !slices.Contains(names, name) {
			p.fail("filters must be made of %s", strings.Join(names, ", "))
		}
	}
	if len(given) > 1 && !slices.Contains(given, "external") {
		p.fail("several filters must include external")
	}
	return given
}
