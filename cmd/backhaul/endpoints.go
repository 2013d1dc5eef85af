package main

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"backhaul/jobs"
	"backhaul/jobs/report"
	"backhaul/pipeline"
	"backhaul/pipeline/grid"
	"backhaul/pipeline/vendors"
	"backhaul/pipeline/words"
)

// endpointInfo is what can be bought under one name, by the surfaces that sell it, the vendor's default first.
type endpointInfo struct {
	Endpoint string        `json:"endpoint"`
	brief    string        // the price at the vendor's default surface
	Meaning  string        `json:"meaning"`
	Table    string        `json:"table"`
	Also     []string      `json:"also,omitempty"` // tables that a reply fills beside
	About    string        `json:"about"`          // what an extract must say of its targets
	Surfaces []surfaceInfo `json:"surfaces"`
}

// surfaceInfo is what one surface says of an endpoint.
type surfaceInfo struct {
	Surface string      `json:"surface"`
	Price   string      `json:"price"` // of a request with the defaults
	Rows    int         `json:"rows_per_request"`
	Params  []paramInfo `json:"params"`
	Source  string      `json:"source"`
}

type paramInfo struct {
	Param    string   `json:"param"`
	Type     string   `json:"type"`
	Required bool     `json:"required"`
	Values   []string `json:"values,omitempty"`
	Least    *int64   `json:"least,omitempty"`
	Most     *int64   `json:"most,omitempty"`
	// Default is what is sent where the job says nothing; the vendor's own defaults are told by the meaning.
	Default string `json:"default,omitempty"`
	Meaning string `json:"meaning"`
}

func (a *app) endpointsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "endpoints [NAME]",
		Short: "Show what can be bought: endpoints, parameters, prices, tables, surfaces",
		Long: `Shows what a job can buy. With the name of an endpoint, as a job spells it: its parameters with their types,
allowed values, defaults and limits, and what it costs, for each surface of the vendor that sells it; which one
a job buys from is said under its vendors. Columns and what each of them costs: ` + "`backhaul tables NAME`" + `.`,
		Args: atMost(1, "at most one endpoint"),
		RunE: func(_ *cobra.Command, args []string) error {
			all := describeEndpoints(a.vendors)
			if len(args) == 0 {
				return a.listEndpoints(all)
			}
			var names []string
			for _, e := range all {
				if e.Endpoint == args[0] {
					return a.showEndpoint(e)
				}
				names = append(names, e.Endpoint)
			}
			return usage("unknown endpoint %q%s; see `backhaul endpoints`", args[0], closestEndpoint(names, args[0]))
		},
	}
}

// closestEndpoint suggests a name as it would suggest a table's: endpoints are called as their tables, with a slash.
func closestEndpoint(names []string, name string) string {
	tables := make([]string, len(names))
	for i, n := range names {
		tables[i] = strings.Replace(n, "/", ".", 1)
	}
	return strings.Replace(closest(tables, strings.Replace(name, "/", ".", 1)), ".", "/", 1)
}

// describeEndpoints returns what all surfaces sell, in the order of the registry.
func describeEndpoints(r vendors.Registry) []endpointInfo {
	var all []endpointInfo
	for _, s := range r {
		for _, e := range s.Endpoints() {
			at := slices.IndexFunc(all, func(i endpointInfo) bool { return i.Endpoint == e.String() })
			if at < 0 {
				at, all = len(all), append(all, describeEndpoint(e))
			}
			all[at].Surfaces = append(all[at].Surfaces, describeSurface(e))
		}
	}
	return all
}

func describeEndpoint(e *pipeline.Endpoint) endpointInfo {
	info := endpointInfo{Endpoint: e.String(), brief: usualText(e, true), Meaning: e.Meaning, Table: e.Table.FullName(), About: aboutText(e.Asks)}
	for _, t := range e.Also {
		info.Also = append(info.Also, t.FullName())
	}
	return info
}

// aboutText says where a job says what is asked about.
func aboutText(asks pipeline.Asks) string {
	switch asks {
	case pipeline.AboutNothing:
		return "no targets"
	case pipeline.AboutSources:
		return "inputs: pairs of target and source"
	case pipeline.AboutParams:
		return "targets among its params"
	case pipeline.AboutTargets:
		return "targets, several a request"
	}
	return "targets, one a request"
}

func describeSurface(e *pipeline.Endpoint) surfaceInfo {
	info := surfaceInfo{Surface: e.Surface, Price: usualText(e, false), Rows: e.PageSize, Params: []paramInfo{}, Source: e.Source}
	for _, p := range jobs.Settable(e) {
		info.Params = append(info.Params, describeParam(e, p))
	}
	return info
}

// usualPrice is the rule by which a request is charged that sets no more than it must, or why that cannot be said.
func usualPrice(e *pipeline.Endpoint) (pipeline.Price, error) {
	const target = "example.com"
	params := map[string]any{}
	if e.ScopeParam != "" {
		params[e.ScopeParam] = e.DefaultScope
	}
	for _, p := range e.Params {
		if p.Required && p.Type == pipeline.ParamTargets {
			params[p.Name] = []any{map[string]any{"target": target, "scope": p.Values[0]}}
		}
	}
	encoded, err := json.Marshal(params)
	if err != nil {
		return pipeline.Price{}, err
	}
	task := pipeline.Task{Endpoint: e.String(), Surface: e.Surface, Scope: e.DefaultScope, Params: string(encoded)}
	if e.Asks == pipeline.AboutTarget {
		task.Target = target
	}
	return e.PriceOf(task, pipeline.Ask{})
}

// usualText spells the usual price, in brief without what of it is assumed.
func usualText(e *pipeline.Endpoint, brief bool) string {
	price, err := usualPrice(e)
	switch {
	case err != nil && brief:
		return "by its parameters"
	case err != nil:
		return err.Error()
	case brief:
		price.Assumed = ""
	}
	return report.PriceText(price)
}

func describeParam(e *pipeline.Endpoint, p pipeline.Param) paramInfo {
	info := paramInfo{Param: p.Name, Type: p.Type.String(), Required: p.Required, Values: p.Values, Meaning: p.Meaning}
	switch {
	case p.Separator != "":
		info.Type = fmt.Sprintf("words joined by %q, or a list", p.Separator)
	case p.Type == pipeline.ParamInt && p.Max != 0:
		info.Least, info.Most = &p.Min, &p.Max
	}
	switch p.Name {
	case e.ScopeParam:
		info.Default = e.DefaultScope
	case "limit":
		info.Default = strconv.Itoa(e.PageSize)
	}
	return info
}

func (a *app) listEndpoints(all []endpointInfo) error {
	if a.json {
		return a.printJSON(all)
	}
	w := grid.New("endpoint", "surfaces", "price", "it brings")
	for _, e := range all {
		var surfaces []string
		for _, s := range e.Surfaces {
			surfaces = append(surfaces, s.Surface)
		}
		w.Add(e.Endpoint, strings.Join(surfaces, ", "), e.brief, e.Meaning)
	}
	w.Spare("surfaces")
	_, err := fmt.Fprintln(a.stdout, w.For(a.stdout))
	return err
}

func (a *app) showEndpoint(e endpointInfo) error {
	if a.json {
		return a.printJSON(e)
	}
	tables := strings.Join(append([]string{e.Table}, e.Also...), ", ")
	if _, err := fmt.Fprintf(a.stdout, "%s: %s\ntable: %s\nabout: %s\n", e.Endpoint, e.Meaning, tables, e.About); err != nil {
		return err
	}
	for i, s := range e.Surfaces {
		if _, err := fmt.Fprintf(a.stdout, "\nsurface %s: %s; at most %s a request\nsource: %s\n%s\n", s.Surface, s.Price, words.Plural(s.Rows, "row"), s.Source,
			a.paramsText(s, e.Surfaces[:i])); err != nil {
			return err
		}
	}
	return nil
}

// paramsText is the table of a surface's parameters, unless they are those of a surface before it.
func (a *app) paramsText(s surfaceInfo, before []surfaceInfo) string {
	if len(s.Params) == 0 {
		return "no parameters"
	}
	for _, b := range before {
		if reflect.DeepEqual(b.Params, s.Params) {
			return "parameters: as on " + b.Surface
		}
	}
	w := grid.New("parameter", "type", "default", "allowed", "meaning")
	for _, p := range s.Params {
		w.Add(p.Param, p.Type, p.defaultText(), p.allowedText(), p.Meaning)
	}
	w.Spare("default", "type")
	return w.For(a.stdout)
}

func (p paramInfo) defaultText() string {
	if p.Required {
		return "required"
	}
	return p.Default
}

func (p paramInfo) allowedText() string {
	if p.Most != nil {
		return fmt.Sprintf("%d to %d", *p.Least, *p.Most)
	}
	return strings.Join(p.Values, ", ")
}
