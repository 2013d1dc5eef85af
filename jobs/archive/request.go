package archive

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"backhaul/pipeline"
)

// paging are the parameters of requests that are not the task's parameters: they say which page is wanted, or what it is
// about.
var paging = []string{"limit", "offset", "next_token", "output", "target", "targets", "sources"}

// question are parameters of requests that make another list of it, although jobs may spell them otherwise.
var question = []string{"from", "select", "where", "having", "order_by"}

// asked are the parameters of the request that an endpoint knows, as archived: nothing else is kept of it, as there may be a
// key in it.
func asked(e *pipeline.Endpoint, s said) map[string]any {
	kept := map[string]any{}
	for name, value := range s.sent {
		if e.Param(name) != nil || name == e.ScopeParam || slices.Contains(paging, name) || slices.Contains(question, name) {
			kept[name] = value
		}
	}
	return kept
}

// params are the task's: lists that were asked for with other parameters are other lists.
func params(e *pipeline.Endpoint, scope string, s said) string {
	kept := asked(e, s)
	maps.DeleteFunc(kept, func(name string, _ any) bool { return slices.Contains(paging, name) })
	if e.ScopeParam != "" && scope != "" {
		kept[e.ScopeParam] = scope
	}
	return encode(kept)
}

// keep is the request as the page has it.
func keep(e *pipeline.Endpoint, s said) []byte {
	kept := asked(e, s)
	if len(kept) == 0 {
		return nil
	}
	return []byte(encode(kept))
}

// encode writes the values as tasks have their parameters: sorted by name.
func encode(values map[string]any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(values); err != nil {
		panic(fmt.Sprintf("encode parameters: %v", err)) // they were decoded from JSON, or are texts
	}
	return strings.TrimSuffix(b.String(), "\n")
}
