package simulation

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"

	"backhaul/pipeline/emulator"
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
	"moz.linking_root_domains": {{"root_domain", "root_domain"}, {"domain_authority", "domain_authority"}, {"to_target_pages", "to_target.pages"}},
}

// scopeParam is what an endpoint calls the scope of its target.
var scopeParam = map[string]string{"anchor_text": "scope", "linking_root_domains": "target_scope"}

const scope = "root_domain"

var truths sync.Map // of func() []string, by endpoint and target

// truth is a vendor's list, asked of an emulator that nothing goes wrong with, by nothing of the program's.
func truth(endpoint, target string) []string {
	once, _ := truths.LoadOrStore(endpoint+" "+target, sync.OnceValue(func() []string { return ask(endpoint, target) }))
	return once.(func() []string)()
}

func ask(endpoint, target string) (rows []string) {
	s := emulator.New(still(emulator.Options{}))
	request := map[string]any{"target": target, scopeParam[endpoint]: scope, "limit": 50}
	for {
		body, err := json.Marshal(request)
		if err != nil {
			panic(err)
		}
		r := httptest.NewRequest(http.MethodPost, "/v2/"+endpoint, strings.NewReader(string(body)))
		r.Header.Set("X-Moz-Token", emulator.DefaultToken)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		var reply struct {
			Results []map[string]any
			Next    string `json:"next_token"`
		}
		d := json.NewDecoder(w.Body)
		d.UseNumber()
		if err := d.Decode(&reply); err != nil || w.Code != http.StatusOK {
			panic(fmt.Sprint(endpoint, target, w.Code, err))
		}
		for _, item := range reply.Results {
			rows = append(rows, textOf(item, facts["moz."+endpoint]))
		}
		if reply.Next == "" {
			return rows
		}
		request["next_token"] = reply.Next
	}
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

// want is what a list is to have in the end.
func (l list) want() []string {
	rows := truth(l.Endpoint, l.Target)
	if l.MaxRows > 0 && int64(len(rows)) > l.MaxRows {
		rows = rows[:l.MaxRows]
	}
	return rows
}
