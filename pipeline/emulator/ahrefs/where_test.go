package ahrefs

import (
	"strings"
	"testing"
)

// thing has a value of every kind for the conditions below.
var thing = map[string]any{
	"anchor": "Best Tents, über alles", "alt": nil, "title": "", "links_external": 5, "domain_rating_source": 4.5, "is_dofollow": true,
	"first_seen": "2021-04-08T07:06:33Z", "languages": []string{"en", "de"}, "powered_by": []string{}, "redirect_kind": []int{301, 200},
}

func TestConditions(t *testing.T) {
	rep := reports["/v3/site-explorer/all-backlinks"]
	for where, want := range map[string]bool{
		`{"field":"anchor","is":["eq","Best Tents, über alles"]}`:                                                  true,
		`{"field":"anchor","is":["eq","best tents, über alles"]}`:                                                  false,
		`{"field":"anchor","is":["neq","x"]}`:                                                                      true,
		`{"field":"anchor","is":["gt","Best"]}`:                                                                    true,
		`{"field":"anchor","is":["gt","best"]}`:                                                                    false,
		`{"field":"anchor","is":["lt","C"]}`:                                                                       true,
		`{"field":"anchor","is":["gte","Best Tents, über alles"]}`:                                                 true,
		`{"field":"anchor","is":["lte","Best Tents, über alles"]}`:                                                 true,
		`{"field":"anchor","is":["lt","Best Tents, über alles"]}`:                                                  false,
		`{"field":"anchor","is":["substring","Tents"]}`:                                                            true,
		`{"field":"anchor","is":["substring","tents"]}`:                                                            false,
		`{"field":"anchor","is":["isubstring","TENTS"]}`:                                                           true,
		`{"field":"anchor","is":["phrase_match","Tents"]}`:                                                         true,
		`{"field":"anchor","is":["phrase_match","Tent"]}`:                                                          false,
		`{"field":"anchor","is":["phrase_match","ber"]}`:                                                           false,
		`{"field":"anchor","is":["iphrase_match","best tents"]}`:                                                   true,
		`{"field":"anchor","is":["prefix","Best"]}`:                                                                true,
		`{"field":"anchor","is":["suffix","alles"]}`:                                                               true,
		`{"field":"anchor","is":["regex","^Best\\s\\pL+"]}`:                                                        true,
		`{"field":"anchor","is":["regex","^Tents"]}`:                                                               false,
		`{"field":"anchor","is":"empty"}`:                                                                          false,
		`{"field":"title","is":"empty"}`:                                                                           true,
		`{"field":"anchor","is":"is_null"}`:                                                                        false,
		`{"field":"alt","is":"is_null"}`:                                                                           true,
		`{"field":"alt","is":"empty"}`:                                                                             false,
		`{"field":"alt","is":["neq","x"]}`:                                                                         false,
		`{"not":{"field":"alt","is":["eq","x"]}}`:                                                                  true,
		`{"field":"links_external","is":["gte",5]}`:                                                                true,
		`{"field":"links_external","is":["gt",5]}`:                                                                 false,
		`{"field":"domain_rating_source","is":["gt",4]}`:                                                           true,
		`{"field":"domain_rating_source","is":["lt",4.5]}`:                                                         false,
		`{"field":"is_dofollow","is":["eq",1]}`:                                                                    true,
		`{"field":"is_dofollow","is":["eq",true]}`:                                                                 true,
		`{"field":"is_dofollow","is":["neq",0]}`:                                                                   true,
		`{"field":"first_seen","is":["gte","2021-04-08"]}`:                                                         true,
		`{"field":"first_seen","is":["eq","2021-04-08T07:06:33Z"]}`:                                                true,
		`{"field":"first_seen","is":["lt","2021-04-08T09:06:33+02:00"]}`:                                           false,
		`{"field":"languages","list_is":{"any":["eq","de"]}}`:                                                      true,
		`{"field":"languages","list_is":{"all":["eq","de"]}}`:                                                      false,
		`{"field":"languages","list_is":{"any":{"not":["eq","en"]}}}`:                                              true,
		`{"field":"languages","list_is":{"all":{"or":[["eq","de"],["eq","en"]]}}}`:                                 true,
		`{"field":"languages","list_is":{"any":{"and":[["eq","de"],["eq","en"]]}}}`:                                false,
		`{"field":"languages","list_is":{"and":[["eq","de"],["eq","en"]]}}`:                                        true,
		`{"field":"languages","list_is":{"or":[["eq","fr"],["eq","en"]]}}`:                                         true,
		`{"field":"redirect_kind","list_is":{"any":["gt",300]}}`:                                                   true,
		`{"field":"powered_by","list_is":{"any":["eq","x"]}}`:                                                      false,
		`{"field":"powered_by","list_is":{"all":["eq","x"]}}`:                                                      true,
		`{"field":"powered_by","is":"empty"}`:                                                                      true,
		`{"field":"anchor","modifier":"uppercase","is":["prefix","BEST"]}`:                                         true,
		`{"field":"anchor"}`:                                                                                       true,
		`{"and":[{"field":"anchor","is":["prefix","B"]},{"field":"links_external","is":["eq",5]}]}`:                true,
		`{"and":[{"field":"anchor","is":["prefix","B"]},{"field":"links_external","is":["eq",6]}]}`:                false,
		`{"or":[{"field":"anchor","is":["prefix","X"]},{"not":{"not":{"field":"links_external","is":["eq",5]}}}]}`: true,
		`{"not":{"or":[{"field":"anchor","is":["prefix","B"]},{"field":"links_external","is":["eq",6]}]}}`:         false,
	} {
		n, err := parseWhere(where, rep, false)
		if err != nil {
			t.Errorf("%s: %v", where, err)
			continue
		}
		if got := n.holds(func(name string) any { return thing[name] }); got != want {
			t.Errorf("%s: %v", where, got)
		}
	}
}

func TestConditionsThatAreNotOnes(t *testing.T) {
	rep := reports["/v3/site-explorer/all-backlinks"]
	for _, where := range []string{
		``, `x`, `[]`, `null`, `{}`, `{"and":[]}`, `{"or":[]}`, `{"and":{}}`, `{"xor":[]}`, `{"not":[]}`, `{"and":[{}]}`, `{"field":7}`, `{"field":"x","is":["eq",1]}`,
		`{"field":"anchor","is":["eq","a"]} x`, `{"field":"anchor","is":["eq",7]}`, `{"field":"anchor","is":["eq",null]}`, `{"field":"anchor","is":["like","a"]}`,
		`{"field":"anchor","is":["eq"]}`, `{"field":"anchor","is":["eq","a","b"]}`, `{"field":"anchor","is":"nothing"}`, `{"field":"anchor","is":["regex","("]}`,
		`{"field":"anchor","list_is":{"any":["eq","a"]}}`, `{"field":"anchor","is":["eq","a"],"when":1}`, `{"field":"anchor","modifier":"reverse","is":["eq","a"]}`,
		`{"field":"links_external","is":["eq","5"]}`, `{"field":"links_external","is":["eq",5.5]}`, `{"field":"links_external","is":["prefix",5]}`,
		`{"field":"is_dofollow","is":["eq",2]}`, `{"field":"is_dofollow","is":["gt",0]}`, `{"field":"first_seen","is":["gt","yesterday"]}`,
		`{"field":"languages","is":["eq","en"]}`, `{"field":"languages","list_is":["eq","en"]}`, `{"field":"languages","list_is":{"some":["eq","en"]}}`,
		`{"field":"languages","list_is":{"any":["eq","en"],"all":["eq","en"]}}`, `{"field":"languages","list_is":{"any":{"and":[]}}}`,
		strings.Repeat(`{"not":`, 200) + `{"field":"anchor","is":["eq","a"]}` + strings.Repeat(`}`, 200),
	} {
		if _, err := parseWhere(where, rep, false); err == nil {
			t.Errorf("%.80s is accepted", where)
		}
	}
}

// Link-level conditions choose the links that are counted, group-level ones the rows.
func TestConditionsBeforeAndAfterGrouping(t *testing.T) {
	s := serve(Options{})
	rows := func(where string) answer {
		a := get(t, s, "site-explorer/anchors", "target=summit-supply.example", "select=anchor,links_to_target,dofollow_links", "limit=100000", "where="+where)
		if a.Status != 200 || len(a.rows) == 0 {
			t.Fatalf("%s: %d, %d rows, %.200s", where, a.Status, len(a.rows), a.Body)
		}
		return a
	}
	everything := rows(`{"field":"links_to_target","is":["gt",0]}`)
	followed := rows(`{"field":"is_dofollow","is":["eq",1]}`)
	if got, want := sum(column[float64](t, followed, "links_to_target")), sum(column[float64](t, everything, "dofollow_links")); got != want || got == sum(column[float64](t, everything, "links_to_target")) {
		t.Errorf("%d followed links, want %d", got, want)
	}
	for _, n := range column[float64](t, rows(`{"and":[{"field":"is_dofollow","is":["eq",1]},{"field":"links_to_target","is":["gte",2]}]}`), "links_to_target") {
		if n < 2 {
			t.Errorf("a row of %v links", n)
		}
	}
	// A condition that speaks of both keeps whole rows in which any link fits.
	mixed := rows(`{"or":[{"field":"links_to_target","is":["gte",1000000]},{"field":"is_dofollow","is":["eq",0]}]}`)
	want := 0
	for _, r := range everything.rows {
		if r["links_to_target"] != r["dofollow_links"] {
			want++
		}
	}
	if len(mixed.rows) != want {
		t.Errorf("%d rows with a nofollow link, want %d", len(mixed.rows), want)
	}
}

func FuzzConditions(f *testing.F) {
	for _, seed := range []string{
		`{"and":[{"field":"anchor","is":["gt","x"]},{"not":{"field":"alt","is":"is_null"}}]}`, `{"field":"languages","list_is":{"all":{"or":[["eq","de"],["neq","en"]]}}}`,
		`{"field":"anchor","modifier":"uppercase","is":["phrase_match","B"]}`, `{"field":"redirect_kind","list_is":{"and":[["gte",300]]}}`, `{"field":"first_seen","is":["lt","2021-04-08"]}`,
	} {
		f.Add(seed)
	}
	rep := reports["/v3/site-explorer/all-backlinks"]
	f.Fuzz(func(t *testing.T, where string) {
		n, err := parseWhere(where, rep, false)
		if err != nil {
			return
		}
		holds := n.holds(func(name string) any { return thing[name] })
		again, err := parseWhere(n.text, rep, false)
		if err != nil || again.holds(func(name string) any { return thing[name] }) != holds || len(n.conjuncts()) == 0 {
			t.Errorf("%q reads otherwise as %q: %v", where, n.text, err)
		}
		not, err := parseWhere(`{"not":`+n.text+`}`, rep, false)
		if err == nil && not.holds(func(name string) any { return thing[name] }) == holds {
			t.Errorf("not %q holds as it does", n.text)
		}
	})
}
