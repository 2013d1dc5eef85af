package moz

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"backhaul/pipeline"
)

// MaxIntersected is how many targets link_intersect takes, positive and negative together. Source: Moz, link_intersect.
const MaxIntersected = 6

// linkIntersect: pages or root domains that link to some of the positive targets and to none of the negative ones. The
// default of min_matching_targets is not documented; a recorded reply with one match of two suggests 1. Source: Moz,
// link_intersect; the default of sort is JSON-RPC's.
func linkIntersect() pipeline.Endpoint {
	return pipeline.Endpoint{
		Name:         "link_intersect",
		Meaning:      "pages or root domains that link to some targets and to none of others",
		Asks:         pipeline.AboutParams,
		TargetOf:     intersected,
		ScopeParam:   "source_scope",
		DefaultScope: "page",
		Params: []pipeline.Param{
			{Name: "positive_targets", Type: pipeline.ParamTargets, Values: Scopes, Required: true, Check: intersectable, Meaning: "targets of which a source links to some; at most six together with negative_targets"},
			{Name: "negative_targets", Type: pipeline.ParamTargets, Values: Scopes, Check: intersectable, Meaning: "targets of which a source links to none"},
			{Name: "min_matching_targets", Type: pipeline.ParamInt, Min: 1, Max: MaxIntersected, Check: matchable, Meaning: "how many of positive_targets a source links to at least; Moz does not document its default"},
			{Name: "source_scope", Type: pipeline.ParamEnum, Values: []string{"page", "root_domain"}, Meaning: "what a source is: a page or a root domain; Moz's default is page"},
			{Name: "sort", Type: pipeline.ParamEnum, Meaning: "order, always descending; Moz's default is matching_target_count", Values: []string{
				"matching_target_count", "source_domain_authority", "source_spam_score"}},
		},
	}
}

// Target is one item of link_intersect's lists.
type Target struct {
	Target string `json:"target"`
	Scope  string `json:"scope"`
}

// Intersected are the targets of a link_intersect, as its parameters hold them.
type Intersected struct {
	Positive []Target `json:"positive_targets"`
	Negative []Target `json:"negative_targets"`
}

// ReadIntersected reads the targets out of a task's parameters, a JSON object, or out of a V2 request. An error says
// what of them Moz would not take.
func ReadIntersected(params []byte) (Intersected, error) {
	var in Intersected
	if err := json.Unmarshal(params, &in); err != nil {
		return in, fmt.Errorf("read positive_targets and negative_targets: %w", err)
	}
	return in, in.check()
}

func (in Intersected) check() error {
	n := len(in.Positive) + len(in.Negative)
	switch {
	case len(in.Positive) == 0:
		return errors.New("positive_targets: name at least one {target, scope}")
	case n > MaxIntersected:
		return fmt.Errorf("positive_targets and negative_targets are %d together; Moz takes at most %d", n, MaxIntersected)
	}
	return nil
}

// Texts returns the targets without their scopes.
func Texts(list []Target) []string {
	texts := make([]string, len(list))
	for i, t := range list {
		texts[i] = t.Target
	}
	return texts
}

// decoded finds the targets among decoded parameters, whatever Go types they were decoded to.
func decoded(params map[string]any) (in Intersected, err error) {
	lists, err := json.Marshal(map[string]any{"positive_targets": params["positive_targets"], "negative_targets": params["negative_targets"]})
	if err != nil {
		return in, fmt.Errorf("read positive_targets and negative_targets: %w", err)
	}
	return ReadIntersected(lists)
}

// intersectable. Source: Moz, link_intersect, positive_targets and negative_targets.
func intersectable(_ any, params map[string]any) error {
	_, err := decoded(params)
	return err
}

// matchable refuses to look for more matches than there can be: an empty list would be all the answer.
func matchable(value any, params map[string]any) error {
	in, err := decoded(params)
	if err != nil {
		return nil // said of the targets themselves
	}
	if least, ok := whole(value); ok && least > int64(len(in.Positive)) {
		return fmt.Errorf("no source can link to %d of %d positive_targets", least, len(in.Positive))
	}
	return nil
}

func whole(value any) (int64, bool) {
	switch n := value.(type) {
	case int:
		return int64(n), true
	case int64:
		return n, true
	case float64:
		return int64(n), true
	default:
		return 0, false
	}
}

// intersected names the site whose gap it is: the negative targets joined with +, or the positive ones if there are none;
// the scope is that of the sources.
func intersected(params map[string]any) (target, scope string) {
	in, _ := decoded(params)
	list := in.Negative
	if len(list) == 0 {
		list = in.Positive
	}
	if scope, _ = params["source_scope"].(string); scope == "" {
		scope = "page"
	}
	return strings.Join(Texts(list), "+"), scope
}
