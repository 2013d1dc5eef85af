package mozv2

import (
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"backhaul/pipeline"
)

// body returns the request's JSON object, its members sorted by name. The scope is always in it, since Moz's default
// of `page` is hardly ever what is meant; other parameters only if the task gives them. For the next page Moz wants
// the same request again with the token added (Moz, anchor_text, next_token).
func (r *report) body(t pipeline.Task, ask pipeline.Ask) ([]byte, error) {
	if t.Target == "" {
		return nil, fmt.Errorf("%s: the task has no target", r.endpoint)
	}
	members := map[string]jsontext.Value{}
	if t.Params != "" {
		if err := json.Unmarshal([]byte(t.Params), &members); err != nil || members == nil {
			return nil, fmt.Errorf("%s: the task's parameters are not a JSON object", r.endpoint)
		}
	}
	for _, name := range []string{"target", "limit", "next_token"} {
		if _, given := members[name]; given {
			return nil, fmt.Errorf("%s: parameter %s is filled in by the program", r.endpoint, name)
		}
	}
	r.fill(members, t)
	members["target"] = text(t.Target)
	members["limit"] = jsontext.Value(fmt.Sprint(r.limit(ask.Limit)))
	if ask.Cursor != "" {
		members["next_token"] = text(string(ask.Cursor))
	}
	body, err := json.Marshal(members, json.Deterministic(true))
	if err != nil {
		return nil, errors.New("make the request's JSON: " + err.Error())
	}
	return body, nil
}

// fill adds the scope and respells what Moz spells differently.
func (r *report) fill(members map[string]jsontext.Value, t pipeline.Task) {
	scope := r.endpoint.ScopeParam
	if _, given := members[scope]; !given && scope != "" {
		members[scope] = text(r.endpoint.DefaultScope)
		if t.Scope != "" {
			members[scope] = text(t.Scope)
		}
	}
	for name, spelling := range r.empty {
		if string(members[name]) == `""` {
			members[name] = text(spelling)
		}
	}
}

// limit is what is asked for: Moz takes 1 to its page size.
func (r *report) limit(wanted int) int {
	if wanted <= 0 || wanted > r.endpoint.PageSize {
		return r.endpoint.PageSize
	}
	return wanted
}

func text(s string) jsontext.Value {
	quoted, _ := jsontext.AppendQuote(nil, s) // invalid UTF-8 becomes U+FFFD: JSON has no spelling for it
	return quoted
}
