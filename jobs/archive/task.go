package archive

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"backhaul/pipeline"
	"backhaul/schemas/canon"
)

// task makes the task that a reply answers.
func (x *examiner) task(e *pipeline.Endpoint, s said, name named) (t pipeline.Task, err error) {
	t = pipeline.Task{Extract: e.Name, Endpoint: e.String(), Surface: e.Surface}
	if e.Asks == pipeline.AboutTarget || e.Asks == pipeline.AboutSources {
		if err = x.target(&t, e, s, name); err != nil {
			return t, err
		}
	}
	switch {
	case e.Asks.Batched():
		t.Inputs, err = batch(e, s)
	case e.Asks == pipeline.AboutParams && s.sent == nil:
		err = fmt.Errorf("what a reply of %s is about stands in its request: it needs one, as {\"request\": {…}, \"response\": …}", e)
	case e.Asks == pipeline.AboutParams:
		t.Target, t.Scope = e.TargetOf(asked(e, s))
		t.TargetAsGiven = t.Target
	}
	if err == nil {
		err = x.scope(&t, e, s, name)
	}
	if err != nil {
		return t, err
	}
	t.Params = params(e, t.Scope, s)
	t.ID = pipeline.TaskID(t)
	return t, nil
}

func (x *examiner) target(t *pipeline.Task, e *pipeline.Endpoint, s said, name named) error {
	given, err := one("target", "--target", cmp.Or(s.target, s.text("target")), x.Given.Target, name.target, canonical)
	switch {
	case err != nil:
		return err
	case given == "":
		return fmt.Errorf("it does not say what it is about: name it with --target, or call the file %s_TARGET_DATE.json", e.Name)
	}
	t.TargetAsGiven = given
	if t.Target, err = canon.Target(given); err != nil {
		return fmt.Errorf("the target %w", err)
	}
	return nil
}

// ofOne makes up the request of a reply about one target, where it is not archived and somebody says which target that is: a
// decoder takes it only if the reply has the one result.
func (x *examiner) ofOne(s *said, e *pipeline.Endpoint, name named) error {
	if !mayBeOfOne(e) || s.sent["targets"] != nil {
		return nil
	}
	given, err := one("target", "--target", cmp.Or(s.target, s.text("target")), x.Given.Target, name.target, canonical)
	if err != nil || given == "" {
		return err
	}
	target, err := canon.Target(given)
	if err != nil {
		return fmt.Errorf("the target %w", err)
	}
	sent := maps.Clone(s.sent)
	if sent == nil {
		sent = map[string]any{}
	}
	sent["targets"] = []any{target}
	s.sent = sent
	return nil
}

// mayBeOfOne: its targets are texts, and nothing of them but their names is asked for.
func mayBeOfOne(e *pipeline.Endpoint) bool {
	return e.Asks == pipeline.AboutTargets && e.ScopeParam == ""
}

// ofOneToo says where ofOne helps.
func ofOneToo(e *pipeline.Endpoint) string {
	if !mayBeOfOne(e) {
		return ""
	}
	return "; if it is about one target, name that with --target"
}

// batch returns the targets or sources that were sent, which only the request tells. They are taken as they were sent, since
// the decoder finds their rows by that.
func batch(e *pipeline.Endpoint, s said) ([]pipeline.Input, error) {
	what := "targets"
	if e.Asks == pipeline.AboutSources {
		what = "sources"
	}
	list, _ := s.sent[what].([]any)
	var inputs []pipeline.Input
	for _, item := range list {
		text, ok := item.(string)
		switch {
		case !ok:
			inputs = nil
		case e.Asks == pipeline.AboutSources:
			inputs = append(inputs, pipeline.Input{Source: text, SourceAsGiven: text})
		default:
			inputs = append(inputs, pipeline.Input{Target: text, TargetAsGiven: text})
		}
	}
	if len(inputs) == 0 || len(inputs) != len(list) {
		return nil, fmt.Errorf("whose rows a reply of %s has stands in the %s of its request, a list of texts: it needs one, as {\"request\": {…}, \"response\": …}%s", e, what, ofOneToo(e))
	}
	return inputs, nil
}

func (x *examiner) scope(t *pipeline.Task, e *pipeline.Endpoint, s said, name named) (err error) {
	if e.ScopeParam == "" || e.Asks == pipeline.AboutParams {
		return nil
	}
	same := func(s string) string { return s }
	if t.Scope, err = one(e.ScopeParam, "--mode", cmp.Or(s.scope, s.text(e.ScopeParam)), x.Given.Scope, name.scope, same); err != nil {
		return err
	}
	if t.Scope == "" && s.sent != nil {
		t.Scope = e.DefaultScope // the request is known, and has none
	}
	if words := scopes(e); len(words) > 0 && !slices.Contains(words, t.Scope) {
		if t.Scope == "" {
			return fmt.Errorf("it does not say how wide the target was taken: give --mode, one of %s", strings.Join(words, ", "))
		}
		return fmt.Errorf("%s %q is not one of %s", e.ScopeParam, brief(t.Scope), strings.Join(words, ", "))
	}
	return nil
}

// one chooses between what the archive says, the caller, and the file's name. The first two must agree.
func one(what, flag, said, given, name string, spell func(string) string) (string, error) {
	if said != "" && given != "" && spell(said) != spell(given) {
		return "", fmt.Errorf("the archive says %s %q, %s says %q", what, brief(said), flag, brief(given))
	}
	return cmp.Or(said, given, name), nil
}

func canonical(target string) string {
	if spelled, err := canon.Target(target); err == nil {
		return spelled
	}
	return target
}

// dates finds out when the reply was fetched, and which run date it belongs to.
func (x *examiner) dates(p *Page, s said, name named) error {
	for _, t := range []time.Time{x.Given.Date, s.date, s.fetchedAt, name.date} {
		if !t.IsZero() {
			p.Date = t.Truncate(24 * time.Hour)
			break
		}
	}
	if p.Date.IsZero() {
		return fmt.Errorf("it does not say when it was fetched: give --date, or call the file %s_TARGET_YYYY-MM-DD.json", p.Task.Extract)
	}
	p.Page.FetchedAt = p.Date
	for _, t := range []time.Time{s.fetchedAt, s.date, name.date} {
		if !t.IsZero() {
			p.Page.FetchedAt = t
			break
		}
	}
	return nil
}
