package ahrefsv3

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"backhaul/pipeline"
)

// PriceOf prices what a task asks for at a place: see [Report.Price]. It is what [pipeline.Endpoint].Price wants. It
// counts what the cursor adds: the fields a list goes on by, and the rows that come a second time. A Batch without targets
// is priced as if it were full.
func (r *Report) PriceOf(t pipeline.Task, ask pipeline.Ask) (pipeline.Price, error) {
	p, err := r.priceAt(t, ask)
	if err != nil {
		return pipeline.Price{}, fmt.Errorf("price ahrefs/%s: %w", r.Name, err)
	}
	return p, nil
}

func (r *Report) priceAt(t pipeline.Task, ask pipeline.Ask) (pipeline.Price, error) {
	if r.Kind == List {
		q, err := r.ask(t)
		if err != nil {
			return pipeline.Price{}, err
		}
		p, err := q.place(ask.Cursor)
		if err != nil {
			p, _ = q.place("") // it will be refused, and the list started over
		}
		return q.price(q.at(p, ask.Limit, 0))
	}
	request, err := ParseRequest(t.Target, t.Params)
	if err != nil {
		return pipeline.Price{}, err
	}
	if r.Kind == Batch {
		if request.Select, request.Targets, err = r.batchOf(t, ask, request.Select); err != nil {
			return pipeline.Price{}, err
		}
	}
	return r.Price(request)
}

// ParseRequest reads the parameters that decide the price from a JSON object of a task's parameters, "" for none: select
// and order_by as Ahrefs' comma lists or as arrays, where as the filter or as a text of its JSON. Others are skipped.
func ParseRequest(target, params string) (Request, error) {
	q := Request{Target: target}
	if params == "" {
		return q, nil
	}
	var given struct {
		Select   jsontext.Value `json:"select"`
		OrderBy  jsontext.Value `json:"order_by"`
		Where    jsontext.Value `json:"where"`
		From     string         `json:"date_from"`
		To       string         `json:"date_to"`
		Grouping string         `json:"history_grouping"`
	}
	if err := json.Unmarshal([]byte(params), &given); err != nil {
		return q, fmt.Errorf("read the parameters: %w", err)
	}
	q.Grouping = given.Grouping
	var errs [5]error
	q.Select, errs[0] = words("select", given.Select)
	q.OrderBy, errs[1] = words("order_by", given.OrderBy)
	q.Where, errs[2] = filter(given.Where)
	q.From, errs[3] = date("date_from", given.From)
	q.To, errs[4] = date("date_to", given.To)
	return q, errors.Join(errs[:]...)
}

// words reads a list of names; nil means that it is not there.
func words(name string, v jsontext.Value) ([]string, error) {
	var list []string
	var text string
	switch v.Kind() {
	case 0:
		return nil, nil
	case 'n':
		return []string{}, nil
	case '"':
		if err := json.Unmarshal(v, &text); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if text == "" {
			return []string{}, nil
		}
		return strings.Split(text, ","), nil
	}
	if err := json.Unmarshal(v, &list); err != nil {
		return nil, fmt.Errorf("%s must be a list of names: %w", name, err)
	}
	return split(list), nil
}

// split parts the comma lists among names.
func split(list []string) []string {
	out := []string{}
	for _, item := range list {
		out = append(out, strings.Split(item, ",")...)
	}
	return out
}

// filter reads a filter; "" means no filter.
func filter(v jsontext.Value) (expr any, err error) {
	switch v.Kind() {
	case 0, 'n':
		return nil, nil
	case '"':
		var text string
		if err := json.Unmarshal(v, &text); err != nil || text == "" {
			return nil, err
		}
		v = jsontext.Value(text)
	}
	if err := json.Unmarshal(v, &expr); err != nil {
		return nil, fmt.Errorf("where is not JSON: %w", err)
	}
	if expr == nil {
		return nil, errors.New("where is the JSON null, which is not a filter")
	}
	return expr, nil
}

func date(name, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return t, fmt.Errorf("%s must be a date, YYYY-MM-DD", name)
	}
	return t, nil
}
