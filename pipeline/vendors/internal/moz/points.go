package moz

import (
	"errors"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// entry is what a history says of one metric.
type entry struct {
	name         string
	value, whole jsontext.Value
}

// byMetric reads a map from metric to its history, or a list of named ones.
func byMetric(raw jsontext.Value) (entries []entry, err error) {
	if raw.Kind() == '{' {
		members, err := membersOf(raw)
		for _, m := range members {
			entries = append(entries, entry{m.name, m.value, m.value})
		}
		return entries, err
	}
	var list []jsontext.Value
	if raw.Kind() != '[' || json.Unmarshal(raw, &list) != nil {
		return nil, fmt.Errorf("want the histories of metrics, got %s", brief(raw))
	}
	for _, whole := range list {
		var named struct {
			Name   string         `json:"metric_name"`
			Values jsontext.Value `json:"metric_values"`
			Deltas jsontext.Value `json:"metric_deltas"`
		}
		_ = json.Unmarshal(whole, &named) // what is missing is found by the caller
		value := named.Values
		if value == nil {
			value = named.Deltas
		}
		entries = append(entries, entry{named.Name, value, whole})
	}
	return entries, nil
}

// point is one date of a history with its number, which is called value or count. Extra are members beside them.
type point struct {
	Date  string         `json:"date"`
	Value jsontext.Value `json:"value"`
	Count jsontext.Value `json:"count"`
	Extra jsontext.Value `json:",embed"`
	whole jsontext.Value
}

func (p point) number() jsontext.Value {
	if p.Value == nil {
		return p.Count
	}
	return p.Value
}

// pointsOf reads a list of points; null, or nothing, is an empty one. An element that is not a point has no date.
func pointsOf(raw jsontext.Value) ([]point, error) {
	var list []jsontext.Value
	if raw != nil && json.Unmarshal(raw, &list) != nil {
		return nil, fmt.Errorf("want a list of dates with numbers, got %s", brief(raw))
	}
	points := make([]point, len(list))
	for i, whole := range list {
		if json.Unmarshal(whole, &points[i]) != nil {
			points[i] = point{}
		}
		points[i].whole = whole
	}
	return points, nil
}

// integer reads a number; null means no number.
func integer(raw jsontext.Value) (*int64, error) {
	if raw == nil {
		return nil, errors.New("missing")
	}
	var n *int64
	if err := json.Unmarshal(raw, &n); err != nil {
		return nil, fmt.Errorf("want an integer, got %s", brief(raw))
	}
	return n, nil
}

// merged joins two objects of unknown members; of a name that both have, the first one's stays.
func merged(a, b jsontext.Value) jsontext.Value {
	if len(a) == 0 || len(b) == 0 {
		return append(slices.Clone(a), b...)
	}
	all := map[string]jsontext.Value{}
	for _, object := range []jsontext.Value{b, a} {
		_ = json.Unmarshal(object, &all) // both were embedded, so both are objects
	}
	out, _ := json.Marshal(all, json.Deterministic(true))
	return out
}
