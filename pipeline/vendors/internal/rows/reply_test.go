package rows

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

var layout = Layout{List: "results", Token: "next_token"}

const anchors = `{"results":[{"anchor_text":"m\u00f6z \ud83d\ude00 ü", "external_root_domains":2026, "external_pages":7162}, 17, {"anchor_text":""}], "next_token":"KIkQVg4s9ak8==", "new":[{"a":[]}]}`

func nested(levels int) string {
	return `{"results":[` + strings.Repeat("[", levels-2) + strings.Repeat("]", levels-2) + `]}`
}

func many(names int) string {
	var list []string
	for i := range names {
		list = append(list, fmt.Sprintf(`"n%d":{"n%d":0}`, i, i))
	}
	return strings.Join(list, ",")
}

func TestScanFindsRowsAndToken(t *testing.T) {
	for body, want := range map[string]struct {
		count int
		token string
	}{
		anchors:                                                   {3, "KIkQVg4s9ak8=="},
		`{"results":[]}`:                                          {0, ""},
		" \n{\"results\" : [ {} , { } ] }\t ":                     {2, ""},
		`{"results":[{}],"next_token":null}`:                      {1, ""},
		`{"results":[{}],"next_token":""}`:                        {1, ""},
		`{"next_token":"a\/b\u0041","results":[]}`:                {0, "a/bA"},
		`{"r\u0065sults":[1,"]",[",",{}]]}`:                       {3, ""},
		`{"results":[{` + many(5000) + `},{` + many(300) + `}]}`:  {2, ""},
		nested(MaxDepth):                                          {1, ""},
		`{"results":[{"a":1,"b":2},{"a":1,"c":2,"b":3},{"b":4}]}`: {3, ""},
	} {
		r, err := Scan([]byte(body), layout)
		if err != nil || r.Count != want.count || r.Token != want.token {
			t.Errorf("%s: %d rows, token %q, %v", body, r.Count, r.Token, err)
		}
		n := 0
		for i, raw := range r.Rows() {
			if i != n || len(raw) == 0 || !strings.Contains(body, string(raw)) {
				t.Errorf("%s: row %d: %q", body, i, raw)
			}
			n++
		}
		if n != want.count {
			t.Errorf("%s: %d rows counted, %d yielded", body, want.count, n)
		}
	}
}

func TestScanRefusesWhatIsNotStrict(t *testing.T) {
	for name, body := range map[string]string{
		"duplicate name":          `{"results":[],"a":1,"a":2}`,
		"duplicate name, escaped": `{"results":[{"a":1,"\u0061":2}]}`,
		"duplicate of an escape":  `{"results":[{"\u0061\u0062":1,"c":2,"a\u0062":1}]}`,
		"duplicate among many":    `{"results":[{` + many(200) + `,"n57":0}]}`,
		"duplicate deep inside":   `{"results":[{"s":{"x":1,"x":1}}]}`,
		"duplicate behind alike":  `{"results":[{"a":1,"b":2},{"a":1,"c":2,"a":3}]}`,
		"duplicate of two rows":   `{"results":[{"a":1,"b":2},{"a":1,"c":2,"b":3},{"a":1,"b":2,"c":3,"b":4}]}`,
		"no digits":               `{"results":[-]}`,
		"no fraction":             `{"results":[1.]}`,
		"no exponent":             `{"results":[1e+]}`,
		"unknown escape":          `{"results":["\x"]}`,
		"short escape":            `{"results":["\u00g0"]}`,
		"half a literal":          `{"results":[tru]}`,
		"no colon":                `{"results" []}`,
		"invalid UTF-8":           "{\"results\":[{\"a\":\"\xff\"}]}",
		"overlong UTF-8":          "{\"results\":[{\"a\":\"\xc0\xaf\"}]}",
		"surrogate in UTF-8":      "{\"results\":[{\"a\":\"\xed\xa0\x80\"}]}",
		"lone surrogate":          `{"results":[{"a":"\ud800"}]}`,
		"surrogates reversed":     `{"results":[{"a":"\ude00\ud83d"}]}`,
		"trailing text":           `{"results":[]} x`,
		"trailing value":          `{"results":[]}{}`,
		"trailing NUL":            "{\"results\":[]}\x00",
		"byte order mark":         "\ufeff{\"results\":[]}",
		"too deep":                nested(MaxDepth + 1),
		"absurdly deep":           strings.Repeat("[", 1<<20),
		"trailing comma":          `{"results":[1,]}`,
		"comment":                 `{"results":[]/**/}`,
		"leading zero":            `{"results":[01]}`,
		"plus":                    `{"results":[+1]}`,
		"NaN":                     `{"results":[NaN]}`,
		"single quotes":           `{'results':[]}`,
		"control character":       "{\"results\":[\"a\nb\"]}",
		"mismatched brackets":     `{"results":[}]`,
		"no results":              `{"next_token":""}`,
		"results null":            `{"results":null}`,
		"results an object":       `{"results":{}}`,
		"token a number":          `{"results":[],"next_token":12}`,
		"token an object":         `{"results":[],"next_token":{}}`,
		"array outside":           `[{"results":[]}]`,
		"string outside":          `"results"`,
		"null outside":            `null`,
		"text":                    `Service unavailable`,
	} {
		if r, err := Scan([]byte(body), layout); err == nil || errors.Is(err, ErrCut) || len(err.Error()) > 300 {
			t.Errorf("%s: %d rows, %v", name, r.Count, err)
		}
	}
}

func TestEveryPrefixOfAReplyIsCut(t *testing.T) {
	for i := range len(anchors) {
		if _, err := Scan([]byte(anchors[:i]), layout); !errors.Is(err, ErrCut) {
			t.Errorf("%q: %v", anchors[:i], err)
		}
	}
}

func TestScanWithoutPaging(t *testing.T) {
	r, err := Scan([]byte(`{"rows":[1],"next_token":7}`), Layout{List: "rows"})
	if err != nil || r.Count != 1 || r.Token != "" {
		t.Fatal(r, err)
	}
}

func TestMessagesAreBounded(t *testing.T) {
	long := strings.Repeat("ü", 10_000)
	_, err := Scan([]byte(fmt.Sprintf(`{"results":[],"%s":1,"%[1]s":2}`, long)), layout)
	if err == nil || len(err.Error()) > 300 {
		t.Errorf("%d bytes", len(err.Error()))
	}
}

func TestScanFollowsPathsAndTakesAnObjectForTheOneRow(t *testing.T) {
	body := []byte(`{"id":"x","result":{"offset":{"token":"next"},"links":[{"a":1},{"a":2}],"one":{"a":3}}}`)
	for name, tc := range map[string]struct {
		layout Layout
		rows   []string
		token  string
		err    string
	}{
		"a list inside":           {Layout{List: "result.links", Token: "result.offset.token"}, []string{`{"a":1}`, `{"a":2}`}, "next", ""},
		"an object inside":        {Layout{List: "result.one", One: true}, []string{`{"a":3}`}, "", ""},
		"the reply itself":        {Layout{One: true}, []string{string(body)}, "", ""},
		"an object for a list":    {Layout{List: "result.one"}, nil, "", "want a list"},
		"a list for an object":    {Layout{List: "result.links", One: true}, nil, "", "want an object"},
		"no such member":          {Layout{List: "result.pages"}, nil, "", "result.pages: missing"},
		"a path through a string": {Layout{List: "id.links"}, nil, "", "id.links: missing"},
	} {
		reply, err := Scan(body, tc.layout)
		if tc.err != "" {
			if err == nil || !strings.Contains(err.Error(), tc.err) {
				t.Errorf("%s: %v, want %q", name, err, tc.err)
			}
			continue
		}
		var got []string
		for _, row := range reply.Rows() {
			got = append(got, string(row))
		}
		if err != nil || !slices.Equal(got, tc.rows) || reply.Count != len(tc.rows) || reply.Token != tc.token {
			t.Errorf("%s: %q (%d) token %q, %v", name, got, reply.Count, reply.Token, err)
		}
	}
}

func TestTextOfARow(t *testing.T) {
	const row = `{"page":"m\u00f8z.com/", "source":{"page":"b.com"}, "count":7, "none":null}`
	for path, want := range map[string]string{"page": "møz.com/", "source.page": "b.com", "count": "", "none": "", "source": "", "missing": ""} {
		if got := Text([]byte(row), path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	if got := Text([]byte("null"), "page"); got != "" {
		t.Errorf("of null: %q", got)
	}
}

func TestATokenIsMarkedWhereItsMemberIs(t *testing.T) {
	for rest, want := range map[string]bool{``: false, `,"next_token":""`: true, `,"next_token":null`: true, `,"next_token":"x"`: true, `,"token":"x"`: false} {
		r, err := Scan([]byte(`{"results":[]`+rest+`}`), layout)
		if err != nil || r.Marked != want {
			t.Errorf("%s: %v, %v", rest, r.Marked, err)
		}
	}
	r, err := Scan([]byte(`{"result":{"list":[],"offset":{"provided_token":"a"}}}`), Layout{List: "result.list", Token: "result.offset.token"})
	if err != nil || r.Marked {
		t.Errorf("%v, %v", r.Marked, err)
	}
}

func TestMembersAreThoseOfStrictJSON(t *testing.T) {
	for body, want := range map[string]string{
		`{"a":1, "\u0062":{"a":2},"c":[ ]}`: `a=1 b={"a":2} c=[ ]`, `{"error":"x"}`: `error="x"`, `{}`: "", `["a",1]`: "", `{"a":1} x`: "", `{"a":1,"a":2}`: "", `{"a":`: "",
	} {
		r, _ := Scan([]byte(body), layout) // whether it is the vendor's or not
		var got []string
		for name, value := range r.Members() {
			got = append(got, name+"="+string(value))
		}
		if text := strings.Join(got, " "); text != want {
			t.Errorf("%s: %s, want %s", body, text, want)
		}
	}
}
