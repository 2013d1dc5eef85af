package ahrefsv2

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"backhaul/pipeline"
)

// modes are how wide a target is taken: the one page, everything below it, the host, the host with its subdomains. v2
// wants one with every request; the default is v3's, so that a job means the same on both. Source: Ahrefs API v2
// documentation, mode.
var modes = []string{"exact", "prefix", "domain", "subdomains"}

// params are what a job may set. Columns are named as on v3, and translated: what v3 has no name for keeps v2's.
func (r *report) params() []pipeline.Param {
	params := []pipeline.Param{{Name: "mode", Type: pipeline.ParamEnum, Values: modes,
		Meaning: "how wide the target is taken: the page, what is below it, its host, its host with subdomains"}}
	if r.choice != "" {
		var values []string
		for _, v := range r.tables {
			values = append(values, v.value)
		}
		params = append(params, pipeline.Param{Name: r.choice, Type: pipeline.ParamEnum, Values: values,
			Meaning: "which table of API v2 is read: " + r.choices()})
	}
	if r.one {
		return params
	}
	return append(params,
		pipeline.Param{Name: "select", Type: pipeline.ParamWords, Separator: ",", Values: r.selectable(), Check: r.check("select"),
			Meaning: "columns wanted, named as on surface v3; Ahrefs' default is all"},
		pipeline.Param{Name: "where", Type: pipeline.ParamString, Check: r.check("where"),
			Meaning: `rows wanted, before they are grouped: anchor="a",first_seen>"2013-08-08"; a comma means and; adds 5 rows to the price of a request`},
		pipeline.Param{Name: "having", Type: pipeline.ParamString, Check: r.check("having"),
			Meaning: "results wanted, after rows are grouped, written as where; adds 5 rows to the price of a request"},
		pipeline.Param{Name: "order_by", Type: pipeline.ParamStrings, Check: r.check("order_by"),
			Meaning: "order: columns, each with :asc or :desc if it likes; Ahrefs' default direction is asc"},
	)
}

func (r *report) choices() string {
	var texts []string
	for i, v := range r.tables {
		text := v.Name
		if v.value != v.Name {
			text = v.value + " for " + v.Name
		}
		if i == 0 {
			text += ", the default"
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, "; ")
}

// check refuses, before anything is sent, what the request could not be made of.
func (r *report) check(name string) func(any, map[string]any) error {
	return func(value any, params map[string]any) error {
		choice, _ := params[r.choice].(string)
		t := r.table(choice)
		if t == nil {
			return nil // the choice itself is refused elsewhere
		}
		_, err := r.spell(t, name, value)
		return err
	}
}

// spell writes a parameter of a job as v2 wants it.
func (r *report) spell(t *Table, name string, value any) (string, error) {
	text, isText := value.(string)
	switch name {
	case "where", "having":
		if !isText {
			return "", errors.New("must be a text, such as refdomains>1")
		}
		return r.translate(t, map[string]Use{"where": Where, "having": Having}[name], text)
	case "order_by":
		return r.order(t, words(value))
	case "select":
		return r.columns(t, words(value))
	}
	return "", errors.New("is no parameter")
}

// words reads a list of words, or one text of them with commas.
func words(value any) []string {
	var texts []string
	switch v := value.(type) {
	case string:
		texts = []string{v}
	case []string:
		texts = v
	case []any:
		for _, item := range v {
			texts = append(texts, fmt.Sprint(item))
		}
	}
	var all []string
	for _, text := range texts {
		for word := range strings.SplitSeq(text, ",") {
			all = append(all, strings.TrimSpace(word))
		}
	}
	return all
}

func (r *report) columns(t *Table, names []string) (string, error) {
	var members []string
	for _, name := range names {
		member, err := r.result(t, name)
		if err != nil {
			return "", err
		}
		members = append(members, member)
	}
	return strings.Join(members, ","), nil
}

func (r *report) order(t *Table, terms []string) (string, error) {
	var members []string
	for _, term := range terms {
		name, direction, directed := strings.Cut(term, ":")
		if directed && direction != "asc" && direction != "desc" {
			return "", fmt.Errorf("the direction of %s must be asc or desc, not %q", name, direction)
		}
		member, err := r.result(t, name)
		if err != nil {
			return "", err
		}
		members = append(members, member+strings.TrimPrefix(term, name))
	}
	return strings.Join(members, ","), nil
}

// result returns the member that a column of the result is read from. Those that old clients did not list are taken for
// members of every table.
func (r *report) result(t *Table, name string) (string, error) {
	for _, c := range t.Columns {
		switch ours := r.column(c.Name); {
		case ours == name && c.Use == Where:
			return "", fmt.Errorf("%s can only stand in where: it is not in the result", name)
		case ours == name:
			return c.Name, nil
		case c.Name == name && !r.isOurs(name):
			return "", fmt.Errorf("%s is called %s here, as on surface v3", name, ours)
		}
	}
	known := r.selectable()
	listed := slices.ContainsFunc(r.tables, func(v variant) bool { return v.Column(r.member(name)) != nil })
	if slices.Contains(known, name) && !listed {
		return r.member(name), nil
	}
	return "", fmt.Errorf("there is no column %q in the result of %s; there are %s", name, t.Name, join(known))
}

// asked is a task's parameters, ready to be sent.
type asked struct {
	table                            *Table
	mode                             string
	selected, where, having, ordered string
}

// read reads a task's parameters. An error means that they must not be sent.
func (r *report) read(t pipeline.Task) (asked, error) {
	a := asked{mode: t.Scope}
	given := map[string]any{}
	if t.Params != "" {
		if err := json.Unmarshal([]byte(t.Params), &given); err != nil || given == nil {
			return a, errors.New("the task's parameters are not a JSON object")
		}
	}
	choice, _ := given[r.choice].(string)
	if a.table = r.table(choice); a.table == nil {
		return a, fmt.Errorf("parameter %s: there is no %q", r.choice, choice)
	}
	for name, value := range given {
		var to *string
		switch name {
		case r.choice:
			continue
		case "mode":
			a.mode, _ = value.(string)
			continue
		case "select":
			to = &a.selected
		case "where":
			to = &a.where
		case "having":
			to = &a.having
		case "order_by":
			to = &a.ordered
		}
		if to == nil || r.one {
			return a, fmt.Errorf("parameter %s is unknown, or filled in by the program", name)
		}
		var err error
		if *to, err = r.spell(a.table, name, value); err != nil {
			return a, fmt.Errorf("parameter %s: %w", name, err)
		}
	}
	if a.mode == "" {
		a.mode = r.endpoint.DefaultScope
	}
	if !slices.Contains(modes, a.mode) {
		return a, fmt.Errorf("parameter mode: %q is not one of %s", a.mode, join(modes))
	}
	return a, nil
}
