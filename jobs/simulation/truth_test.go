package simulation

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"

	"backhaul/pipeline/emulator"
	"backhaul/pipeline/emulator/ahrefs"
)

// day is that of the index, which holds still.
const day = 40

func still(o emulator.Options) emulator.Options {
	o.Day, o.IndexDays = day, 1000
	return o
}

// fact is a column of a table, and where the vendor's reply has it.
type fact struct{ column, field string }

// facts are those that a table's rows are compared by.
var facts = map[string][]fact{
	"moz.anchor_text":          {{"anchor_text", "anchor_text"}, {"external_root_domains", "external_root_domains"}, {"external_pages", "external_pages"}},
	"ahrefs.anchors":           {{"anchor", "anchor"}, {"refdomains", "refdomains"}},
	"moz.linking_root_domains": {{"root_domain", "root_domain"}, {"domain_authority", "domain_authority"}, {"to_target_pages", "to_target.pages"}},
}

// question is what is asked about a target.
type question struct {
	surface, scope string
	params         string // as a task has them
	unit           int64  // how many units a row costs, about
}

var questions = map[string]question{
	"moz/anchor_text":          {"v2", "root_domain", `{"scope":"root_domain"}`, 1},
	"moz/linking_root_domains": {"v2", "root_domain", `{"target_scope":"root_domain"}`, 1},
	"ahrefs/anchors":           {"v3", "subdomains", `{"mode":"subdomains","select":"anchor,refdomains"}`, 20},
}

// tableOf is the table of an endpoint.
func tableOf(endpoint string) string { return strings.Replace(endpoint, "/", ".", 1) }

func vendorOf(endpoint string) string {
	vendor, _, _ := strings.Cut(endpoint, "/")
	return vendor
}

var truths sync.Map // of func() []string, by endpoint and target

// truth is a vendor's list, asked of an emulator that nothing goes wrong with, by nothing of the program's.
func truth(endpoint, target string) []string {
	once, _ := truths.LoadOrStore(endpoint+" "+target, sync.OnceValue(func() []string { return ask(endpoint, target) }))
	return once.(func() []string)()
}

func ask(endpoint, target string) (rows []string) {
	s := emulator.New(still(emulator.Options{}))
	next := ""
	for {
		r := requestOf(endpoint, target, next)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		var reply struct {
			Results, Anchors []map[string]any
			Next             string `json:"next_token"`
		}
		d := json.NewDecoder(w.Body)
		d.UseNumber()
		if err := d.Decode(&reply); err != nil || w.Code != http.StatusOK {
			panic(fmt.Sprint(endpoint, target, w.Code, err))
		}
		for _, item := range append(reply.Results, reply.Anchors...) {
			rows = append(rows, textOf(item, facts[tableOf(endpoint)]))
		}
		if next = reply.Next; next == "" {
			return rows
		}
	}
}

// requestOf asks for a page of a list of Moz's, or for all of one of Ahrefs'.
func requestOf(endpoint, target, next string) *http.Request {
	if vendorOf(endpoint) == "ahrefs" {
		r := httptest.NewRequest(http.MethodGet, "/v3/site-explorer/anchors?output=json&mode=subdomains&select=anchor,refdomains&history=live&limit=1000&target="+target, nil)
		r.Header.Set("Authorization", "Bearer "+ahrefs.DefaultKey)
		return r
	}
	var body map[string]any
	if err := json.Unmarshal([]byte(questions[endpoint].params), &body); err != nil {
		panic(err)
	}
	body["target"], body["limit"] = target, 50
	if next != "" {
		body["next_token"] = next
	}
	text, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/v2/"+strings.TrimPrefix(endpoint, "moz/"), strings.NewReader(string(text)))
	r.Header.Set("X-Moz-Token", emulator.DefaultToken)
	return r
}

// textOf spells what is compared of a row.
func textOf(item map[string]any, known []fact) (text string) {
	for _, f := range known {
		var value any = item
		for name := range strings.SplitSeq(f.field, ".") {
			value = value.(map[string]any)[name]
		}
		text += fmt.Sprint(value) + "|"
	}
	return text
}

// whole is the list at its vendor. Ahrefs is asked for its anchors in an order of the client's, so they are the same as a set.
func (l list) whole() []string { return truth(l.Endpoint, l.Target) }

// inOrder: the vendor's order is what the rows have.
func (l list) inOrder() bool { return vendorOf(l.Endpoint) == "moz" }

// want is how many rows of it the table is to have in the end.
func (l list) want() int {
	n := len(l.whole())
	if l.MaxRows > 0 {
		n = min(n, int(l.MaxRows))
	}
	return n
}
