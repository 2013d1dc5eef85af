package mozv2

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"backhaul/pipeline"
	"backhaul/pipeline/vendors/internal/moz"
)

// question is one request, ready to be sent.
type question struct {
	// at is the place it is asked at, and price how it is charged.
	at    pipeline.Cursor
	price pipeline.Price
	// body is its JSON object, the members sorted by name.
	body []byte
	// inputs is how many targets or sources it is about, where it takes a batch; limit is how many rows of a list it asks for.
	inputs, limit int
	// next is the place behind it in a batch, and end that the batch ends there. A list says so itself.
	next pipeline.Cursor
	end  bool
}

// filledIn are the members of requests that tasks and places decide, never parameters.
var filledIn = []string{"target", "targets", "sources", "page", "limit", "next_token"}

// ask makes the request for the page of a task that is asked for. The scope is always in it, since Moz's default of
// `page` is hardly ever what is meant; other parameters only if the task gives them, or the rows tell them. For the next
// page Moz wants the same request again with the token added (Moz, anchor_text, next_token).
func (r *report) ask(t pipeline.Task, ask pipeline.Ask) (question, error) {
	members := map[string]jsontext.Value{}
	if t.Params != "" {
		if err := json.Unmarshal([]byte(t.Params), &members); err != nil || members == nil {
			return question{}, fmt.Errorf("%s: the task's parameters are not a JSON object", r.endpoint)
		}
	}
	for _, name := range filledIn {
		if _, given := members[name]; given {
			return question{}, fmt.Errorf("%s: parameter %s is filled in by the program", r.endpoint, name)
		}
	}
	q := question{at: ask.Cursor, end: r.layout.Token == ""}
	if err := r.subject(members, t, ask, &q); err != nil {
		return question{}, fmt.Errorf("%s: %w", r.endpoint, err)
	}
	r.complete(members, t)
	if r.layout.Token != "" {
		q.limit = r.limit(ask.Limit)
		members["limit"] = jsontext.Value(strconv.Itoa(q.limit))
		if ask.Cursor != "" {
			members["next_token"] = text(string(ask.Cursor))
		}
	}
	var err error
	if q.body, err = json.Marshal(members, json.Deterministic(true)); err != nil {
		return question{}, errors.New("make the request's JSON: " + err.Error())
	}
	q.price, err = r.price(t, ask)
	return q, err
}

// subject puts in what the request is about.
func (r *report) subject(members map[string]jsontext.Value, t pipeline.Task, ask pipeline.Ask, q *question) error {
	asks := r.endpoint.Asks
	switch {
	case asks == pipeline.AboutParams:
		_, err := moz.ReadIntersected([]byte(t.Params))
		return err
	case asks == pipeline.AboutTarget || asks == pipeline.AboutSources:
		if t.Target == "" {
			return errors.New("the task has no target")
		}
		members[orElse(r.about, "target")] = text(t.Target)
	}
	if asks.Batched() {
		return r.part(members, t, ask, q)
	}
	return nil
}

// part puts in the part of the task's batch that the request is about.
func (r *report) part(members map[string]jsontext.Value, t pipeline.Task, ask pipeline.Ask, q *question) error {
	inputs, next, end, err := t.Slice(ask, r.endpoint.PageSize)
	if err != nil {
		return err
	}
	name, nameOf := "targets", func(in pipeline.Input) string { return in.Target }
	if r.endpoint.Asks == pipeline.AboutSources {
		name, nameOf = "sources", func(in pipeline.Input) string { return in.Source }
	}
	if len(inputs) == 0 {
		return fmt.Errorf("the batch has no %s left to ask about", name)
	}
	names := make([]string, len(inputs))
	for i, in := range inputs {
		if names[i] = nameOf(in); names[i] == "" {
			return fmt.Errorf("the batch has an input without a name among its %s", name)
		}
	}
	q.inputs, q.next, q.end = len(inputs), next, end
	members[name], err = json.Marshal(names)
	return err
}

// complete adds the scope and what else is always sent, and respells what Moz spells differently.
func (r *report) complete(members map[string]jsontext.Value, t pipeline.Task) {
	scope := r.endpoint.ScopeParam
	if _, given := members[scope]; !given && scope != "" {
		members[scope] = text(orElse(t.Scope, r.endpoint.DefaultScope))
	}
	for name, value := range r.defaults {
		if _, given := members[name]; !given {
			members[name] = text(value)
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

// askedFor is how many rows or inputs a page was asked for, otherwise if its request does not say.
func askedFor(p pipeline.Page, otherwise int) int {
	request, err := asked[struct {
		Limit   int      `json:"limit"`
		Targets []string `json:"targets"`
		Sources []string `json:"sources"`
	}](p)
	if n := max(request.Limit, len(request.Targets), len(request.Sources)); err == nil && n > 0 {
		return n
	}
	return otherwise
}

// asked reads back what a page was asked with.
func asked[T any](p pipeline.Page) (T, error) {
	var request T
	if err := json.Unmarshal(p.Request, &request); err != nil {
		return request, fmt.Errorf("read the page's request: %w", err)
	}
	return request, nil
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func text(s string) jsontext.Value {
	quoted, _ := jsontext.AppendQuote(nil, s) // invalid UTF-8 becomes U+FFFD: JSON has no spelling for it
	return quoted
}
