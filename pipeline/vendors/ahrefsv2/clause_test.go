package ahrefsv2

import (
	"strings"
	"testing"
)

func declared(t testing.TB, name string) *report {
	t.Helper()
	for _, r := range reports() {
		if r.endpoint.Name == name {
			return r
		}
	}
	t.Fatalf("no endpoint %s", name)
	return nil
}

func TestClausesAreSentWithTheNamesOfV2(t *testing.T) {
	for _, tc := range []struct {
		endpoint, choice, clause, text, want string
	}{
		{"anchors", "", "having", "refdomains>1", "refdomains>1"},
		{"anchors", "", "where", ` links_to_target >= 3 , anchor <> "a, \"b\"" `, `backlinks>=3,anchor<>"a, \"b\""`},
		{"anchors", "", "where", `refdomain="example.com"`, `refdomain="example.com"`},
		{"anchors", "", "where", `substring( anchor , "buy" ),word(anchor,"now")`, `substring(anchor,"buy"),word(anchor,"now")`},
		{"anchors", "", "having", `last_visited<="2013-11-24"`, `last_visited<="2013-11-24"`},
		{"refdomains", "", "where", `subdomain(domain,"example.com"),links_to_target>-1`, `subdomain(refdomain,"example.com"),backlinks>-1`},
		{"refdomains", "refdomains_by_type", "where", "dofollow:true,gov<>false", "dofollow=true,gov<>false"},
		{"all_backlinks", "", "where", `is_nofollow=false,first_seen_link>"2020-01-01"`, `nofollow=false,first_seen>"2020-01-01"`},
		{"all_backlinks", "1_per_domain", "having", "link_group_count>2", "total_backlinks>2"},
		{"all_backlinks", "", "where", `url_rating_source<5`, `ahrefs_rank<5`},
	} {
		r := declared(t, tc.endpoint)
		if got, err := r.spell(r.table(tc.choice), tc.clause, tc.text); err != nil || got != tc.want {
			t.Errorf("%s %s %s: %q, %v; want %q", tc.endpoint, tc.clause, tc.text, got, err, tc.want)
		}
	}
}

func TestClausesThatV2WouldRefuseAreRefusedBefore(t *testing.T) {
	for _, tc := range []struct {
		endpoint, clause, text, says string
	}{
		{"anchors", "where", "", "is empty"},
		{"anchors", "where", "  ", "is empty"},
		{"anchors", "where", "refdomains>1", "can only stand in having"},
		{"anchors", "having", `refdomain="a.example"`, "can only stand in where"},
		{"anchors", "where", "backlinks>1", "backlinks is called links_to_target here"},
		{"anchors", "where", "nothing>1", "there is no column nothing to filter by; there are anchor, links_to_target"},
		{"all_backlinks", "where", "link_group_count>2", "there is no column"},
		{"all_backlinks", "where", `first_seen>"2020-01-01"`, "there is no column first_seen to filter by"},
		{"linkeddomains", "where", `domain="a"`, "can only stand in having"},
		{"anchors", "where", "refpages>1 or refpages<0", "at character 12: want a comma"},
		{"anchors", "where", "not refpages>1", "at character 5: want one of ="},
		{"anchors", "where", "(refpages>1)", "at character 1: want the name of a column"},
		{"anchors", "where", "refpages>1,", "want the name of a column"},
		{"anchors", "where", "refpages>1.5", "want a comma"},
		{"anchors", "where", "refpages>x", "want a value"},
		{"anchors", "where", "refpages>9999999999999999999", "want a value"},
		{"anchors", "where", "refpages>", "want a value"},
		{"anchors", "where", "refpages", "want one of ="},
		{"anchors", "where", `refpages>"1"`, "refpages is a number"},
		{"anchors", "where", "anchor=x", "want a value"},
		{"anchors", "where", "anchor=1", "anchor is a text"},
		{"anchors", "where", `anchor="x`, `no closing "`},
		{"anchors", "where", `anchor="x\"`, `no closing "`},
		{"anchors", "where", "anchor=\"a\nb\"", "control character"},
		{"anchors", "where", "anchor=\"a\\\nb\"", "control character"},
		{"anchors", "where", `anchor='x'`, "want a value"},
		{"anchors", "where", `first_seen>"2013-02-30"`, "first_seen wants a date"},
		{"anchors", "where", `first_seen>20130230`, "first_seen wants a date"},
		{"anchors", "where", `contains(anchor,"x")`, "contains is not a function"},
		{"anchors", "where", `substring(refpages,"1")`, "is a number"},
		{"anchors", "where", `substring(first_seen,"2013-08-08")`, "substring is for texts"},
		{"anchors", "where", `substring(anchor,1)`, "want a text in double quotes"},
		{"anchors", "where", `substring(anchor "x")`, "want a comma"},
		{"anchors", "where", `substring(anchor,"x"`, "want the )"},
		{"all_backlinks", "where", "is_nofollow>true", "is_nofollow wants =true or =false"},
		{"all_backlinks", "where", "is_nofollow=1", "is_nofollow wants =true or =false"},
	} {
		r := declared(t, tc.endpoint)
		if got, err := r.spell(r.table(""), tc.clause, tc.text); err == nil || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s %s %q: %q, %v; want %q", tc.endpoint, tc.clause, tc.text, got, err, tc.says)
		}
	}
}

func TestSelectAndOrderAreSentWithTheNamesOfV2(t *testing.T) {
	for _, tc := range []struct {
		endpoint, param string
		value           any
		want, says      string
	}{
		{"anchors", "select", "anchor,links_to_target", "anchor,backlinks", ""},
		{"anchors", "order_by", []any{"links_to_target:desc", "anchor"}, "backlinks:desc,anchor", ""},
		{"anchors", "order_by", "refdomains:asc, anchor:desc", "refdomains:asc,anchor:desc", ""},
		{"all_backlinks", "select", "url_from,first_seen,first_seen_link,is_ugc", "url_from,url_from_first_seen,first_seen,ugc", ""},
		{"anchors", "select", "refdomain", "", "can only stand in where"},
		{"anchors", "select", "backlinks", "", "is called links_to_target"},
		{"anchors", "order_by", "anchor:down", "", "asc or desc"},
		{"anchors", "order_by", "nothing", "", "there is no column"},
		{"all_backlinks", "select", "link_group_count", "", "there is no column"}, // of links one per domain alone
	} {
		r := declared(t, tc.endpoint)
		got, err := r.spell(r.table(""), tc.param, tc.value)
		if got != tc.want || (err == nil) != (tc.says == "") || err != nil && !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s %s %v: %q, %v; want %q, %q", tc.endpoint, tc.param, tc.value, got, err, tc.want, tc.says)
		}
	}
}

func TestEveryColumnOfAnAliasIsThereOnBothSides(t *testing.T) {
	for _, r := range reports() {
		if r.endpoint.Table == nil || r.endpoint.Table.Name != r.endpoint.Name {
			t.Errorf("%s goes to %v", r.endpoint, r.endpoint.Table)
			continue
		}
		for i, a := range r.aliases {
			if r.endpoint.Table.Index(a.column) < 0 {
				t.Errorf("%s: %s is no column of %s", r.endpoint, a.column, r.endpoint.Table.FullName())
			}
			for _, b := range r.aliases[:i] {
				if a.column == b.column || a.member == b.member && a.member != "" {
					t.Errorf("%s: %v and %v", r.endpoint, a, b)
				}
			}
		}
		for _, v := range r.tables {
			if Lookup(v.Name) != v.Table || r.table(v.value) != v.Table || EndpointOf(v.Name) != r.endpoint.Name {
				t.Errorf("%s: table %s is not found", r.endpoint, v.Name)
			}
			if v.Envelope != r.tables[0].Envelope && !(v.Envelope == "pages" && r.tables[0].Envelope == "") {
				t.Errorf("%s: replies of %s and %s differ", r.endpoint, v.Name, r.tables[0].Name)
			}
		}
	}
	if EndpointOf("nothing") != "" {
		t.Error("nothing has an endpoint")
	}
}

// FuzzClause holds the parser against what it promises: it never panics, what it accepts it writes so that it reads it
// again, and no quote or comma of a text becomes syntax.
func FuzzClause(f *testing.F) {
	for _, seed := range []string{
		`refpages>1`, `anchor="a\\",refpages<>2`, `substring(anchor,"x")`, ` anchor : "," , refpages <= -1`, `anchor="\`, `word(anchor,"a")x`, "anchor=\"\x00\"", `,`, `a`, `anchor="é"`,
	} {
		f.Add(seed)
	}
	r := declared(f, "anchors")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parseClause(text)
		if err != nil {
			return
		}
		again, err := parseClause(c.String())
		if err != nil || len(again) != len(c) || again.String() != c.String() {
			t.Fatalf("%q becomes %q, which reads as %q, %v", text, c, again, err)
		}
		for i := range c {
			if again[i] != c[i] {
				t.Fatalf("%q: %+v is read again as %+v", text, c[i], again[i])
			}
			if value := c[i].value; strings.HasPrefix(value, `"`) {
				if inner := strings.ReplaceAll(strings.ReplaceAll(value[1:len(value)-1], `\\`, ""), `\"`, ""); strings.Contains(inner, `"`) {
					t.Fatalf("%q: the text %s closes twice", text, value)
				}
			}
		}
		if sent, err := r.translate(anchors, Where, text); err == nil {
			if _, err := parseClause(sent); err != nil {
				t.Fatalf("%q is sent as %q: %v", text, sent, err)
			}
		}
	})
}
