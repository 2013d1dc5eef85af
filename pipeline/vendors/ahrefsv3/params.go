package ahrefsv3

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"backhaul/pipeline"
)

// defaultMode is Ahrefs' own; it is always sent, as it is hardly ever what is meant. Source: Ahrefs OpenAPI 3.0.0, `mode`.
const defaultMode = "subdomains"

var (
	modes     = []string{"exact", "prefix", "domain", "subdomains"}
	protocols = []string{"both", "http", "https"}
	modeParam = pipeline.Param{Name: "mode", Type: pipeline.ParamEnum, Values: modes, Meaning: "how wide the target is taken: the URL, what begins with it, its host, its host with all subdomains; Ahrefs' default is subdomains"}
)

// scoped says whether the target has a mode. Source: Ahrefs OpenAPI 3.0.0.
func (r *Report) scoped() bool {
	return r != limitsAndUsage && r != domainRating && r != domainRatingHistory
}

// params are the parameters a job may set, under Ahrefs' names. Source: Ahrefs OpenAPI 3.0.0, the parameters of each report.
// sinceDay: a list since a day is one of a window.
func sinceDay(history string) bool { return strings.HasPrefix(history, "since:") }

func (r *Report) params() []pipeline.Param {
	var out []pipeline.Param
	if r.Selects() {
		out = append(out, r.selectParam())
	}
	if r.Kind == List {
		out = append(out, r.orderParam(), r.whereParam())
	}
	if r.scoped() {
		out = append(out, modeParam, pipeline.Param{Name: "protocol", Type: pipeline.ParamEnum, Values: protocols, Meaning: "Ahrefs' default is both"})
	}
	if r.History {
		out = append(out, pipeline.Param{Name: "history", Type: pipeline.ParamString, Check: checkHistory, Window: sinceDay,
			Meaning: "live, all_time or since:YYYY-MM-DD: whether lost links count; the default here is live, Ahrefs' own is all_time"})
	}
	if r.Grouped {
		out = append(out, pipeline.Param{Name: "aggregation", Type: pipeline.ParamEnum, Values: []string{"similar_links", "1_per_domain", "all"}, Check: checkAggregation,
			Meaning: "which links make a row together; Ahrefs' default is similar_links"})
	}
	switch {
	case r == domainRating || r == backlinksStats:
		out = append(out, pipeline.Param{Name: "date", Type: pipeline.ParamDate, Meaning: "the day asked about; the default here is the day before the request, UTC"})
	case r.Kind == Series:
		out = append(out,
			pipeline.Param{Name: "date_from", Type: pipeline.ParamDate, Check: checkPeriod, Meaning: "first day of the period; required"},
			pipeline.Param{Name: "date_to", Type: pipeline.ParamDate, Check: checkPeriod, Meaning: "last day of the period; required here, as the price depends on it"},
			pipeline.Param{Name: "history_grouping", Type: pipeline.ParamEnum, Values: []string{"daily", "weekly", "monthly"}, Meaning: "a row for each day, week or month; Ahrefs' default is monthly"})
	case r.Kind == Batch:
		out = append(out,
			pipeline.Param{Name: "country", Type: pipeline.ParamString, Check: checkCountry, Meaning: "two lower-case letters: the country that keywords and traffic are counted in; default all"},
			pipeline.Param{Name: "volume_mode", Type: pipeline.ParamEnum, Values: []string{"monthly", "average"}, Meaning: "how search volumes are counted; Ahrefs' default is monthly"})
	}
	return out
}

func (r *Report) selectParam() pipeline.Param {
	meaning := "fields to buy, each of which has its price a row: see `backhaul tables ahrefs." + r.Name + "`. Default: those of 1 unit, and refdomains. "
	switch r.Kind {
	case List:
		meaning += "Always in it, as the list is read on by them: " + strings.Join(r.Key, ", ") + ", and what order_by names"
	default:
		meaning += "Always in it, as it says which target a row is about: index"
	}
	return pipeline.Param{Name: "select", Type: pipeline.ParamWords, Values: names(r.Fields), Separator: ",", Meaning: meaning}
}

func names(fields []Field) []string {
	var out []string
	for _, f := range fields {
		out = append(out, f.Name)
	}
	return out
}

func (r *Report) orderParam() pipeline.Param {
	return pipeline.Param{Name: "order_by", Type: pipeline.ParamStrings, Check: r.checkOrder,
		Meaning: "fields, each with :asc or :desc behind it; the default here is " + strings.Join(r.Ranks, ", ") + " as far as selected, descending. Fields that are not selected are, and cost as if they were"}
}

// checkOrder: a list that is sorted by a list cannot be read on.
func (r *Report) checkOrder(value any, params map[string]any) error {
	terms, err := strs("order_by", value)
	if err != nil {
		return err
	}
	ordered, err := r.OrderFields(terms)
	if err != nil {
		return err
	}
	for _, name := range ordered {
		switch r.Field(name).Type {
		case Strings, URLs, Integers, Pairs:
			return fmt.Errorf("order_by: %s is a list, by which no list can be read on", name)
		}
	}
	return nil
}

// strs reads a list of texts, or a comma list.
func strs(name string, value any) ([]string, error) {
	var out []string
	switch v := value.(type) {
	case string:
		out = []string{v}
	case []string:
		out = v
	case []any:
		for _, item := range v {
			s, ok := item.(string)
			if !ok {
				return nil, fmt.Errorf("%s: %v is not a text", name, brief(item))
			}
			out = append(out, s)
		}
	default:
		return nil, fmt.Errorf("%s must be a list of texts", name)
	}
	return split(out), nil
}

func (r *Report) whereParam() pipeline.Param {
	return pipeline.Param{Name: "where", Type: pipeline.ParamJSON, Check: r.checkWhere,
		Meaning: "which rows: Ahrefs' filter, as YAML or JSON. Each field it names adds its price to every row, as if it were selected"}
}

// checkWhere takes the filter as a text of JSON, or decoded.
func (r *Report) checkWhere(value any, _ map[string]any) error {
	if s, isText := value.(string); isText {
		expr, err := filter([]byte(quote(s)))
		if err != nil {
			return err
		}
		value = expr
	}
	if value == nil {
		return errors.New("where is empty: remove it")
	}
	plain, err := json.Marshal(value, json.Deterministic(true)) // YAML decodes to more types than JSON
	if err != nil {
		return fmt.Errorf("where cannot be written as JSON: %w", err)
	}
	var expr any
	if err := json.Unmarshal(plain, &expr); err != nil {
		return err
	}
	_, err = r.WhereFields(expr)
	return err
}

func quote(s string) string {
	out, _ := json.Marshal(s)
	return string(out)
}

func checkHistory(value any, _ map[string]any) error {
	s, _ := value.(string)
	day, since := strings.CutPrefix(s, "since:")
	if since {
		if _, err := time.Parse(time.DateOnly, day); err == nil {
			return nil
		}
	}
	if s != "live" && s != "all_time" {
		return fmt.Errorf("history must be live, all_time or since:YYYY-MM-DD, not %q", s)
	}
	return nil
}

// checkAggregation. Source: Ahrefs OpenAPI 3.0.0, link_group_count.
func checkAggregation(value any, params map[string]any) error {
	selected, given := params["select"]
	if value != "all" || !given {
		return nil
	}
	fields, err := strs("select", selected)
	if err == nil && slices.Contains(fields, "link_group_count") {
		return errors.New("with aggregation all there are no groups: select no link_group_count")
	}
	return nil
}

// checkPeriod: both ends are needed, or the price would have none.
func checkPeriod(_ any, params map[string]any) error {
	var ends [2]time.Time
	for i, name := range []string{"date_from", "date_to"} {
		s, _ := params[name].(string)
		if s == "" {
			return fmt.Errorf("%s is missing: the price depends on the length of the period", name)
		}
		var err error
		if ends[i], err = date(name, s); err != nil {
			return err
		}
	}
	if ends[1].Before(ends[0]) {
		return errors.New("date_to is before date_from")
	}
	return nil
}

func checkCountry(value any, _ map[string]any) error {
	s, _ := value.(string)
	if len(s) != 2 || s[0] < 'a' || s[0] > 'z' || s[1] < 'a' || s[1] > 'z' {
		return fmt.Errorf("country must be two lower-case letters, such as us, not %q", s)
	}
	return nil
}
