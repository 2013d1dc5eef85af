package rows

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"io"
	"math/big"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"backhaul/schemas"
)

// FuzzDecode holds Scan, Load and the values they give against json/v2, which shares no code with the walk.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		anchors, nested(64), nested(65), `{"results":[{"text":"a","source":{"page":"p","x":1},"count":2.0,"day":"2026-02-28"}],"next_token":null}`,
		`{"results":[{"text":"a","source":{"page":"\u0070","in":{"deep":"d"}},"score":-1,"ratio":1e-7,"yes":false,"kind":"none","tags":["x"]}]}`,
		`{"results":[],"results":[]}`, `{"results":[{"a":"\ud800"}]}`, `{"results":[]} x`, `{"results":[{"\u0061":1}`, "\xff", ``, `{}`, `[]`, `"`, `{"results":[{"text":"","source":{"page":""},"count":1e400}]}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		before := bytes.Clone(body)
		reply, err := Scan(body, layout)
		var top map[string]jsontext.Value
		oracle := json.Unmarshal(body, &top)
		if oracle != nil || top == nil {
			if err == nil {
				t.Fatalf("accepted, but json/v2 says %v", oracle)
			}
			var whole stdjson.RawMessage
			syntax := stdjson.NewDecoder(bytes.NewReader(body)).Decode(&whole)
			if errors.Is(err, ErrCut) && syntax != io.EOF && syntax != io.ErrUnexpectedEOF {
				t.Fatalf("%v, but encoding/json says %v", err, syntax)
			}
			return
		}
		if wantErr := !acceptable(body, top); wantErr != (err != nil) {
			t.Fatalf("Scan says %v, expected an error: %v", err, wantErr)
		} else if wantErr {
			return
		}
		var list []jsontext.Value
		if err := json.Unmarshal(top["results"], &list); err != nil || len(list) != reply.Count {
			t.Fatalf("%d rows, json/v2 has %d, %v", reply.Count, len(list), err)
		}
		compare(t, reply, list)
		if !bytes.Equal(before, body) {
			t.Fatal("the body was changed")
		}
	})
}

// FuzzStrict holds the one pass over a reply against jsontext, whatever the JSON is.
func FuzzStrict(f *testing.F) {
	for _, s := range []string{
		anchors, nested(64), nested(65), `-0.0e-1`, `01`, `1.`, `1e`, `-`, `"\ud83d\ude00"`, `"\ud83d\u0041"`, `"\uDE00"`, `"\u00"`, "\"\xed\xa0\x80\"", "\"\x7f\u2028\"", "\"\x1f\"", ` [ ] `, `[1 2]`, `[,]`, `{"a":1,}`, `nul`, "\ufeff1",
		`[{"a":1,"b":2},{"a":1,"c":2,"a":3}]`, `[{"a":1,"b":2},{"a":1,"c":2,"b":3},{"a":1,"b":2,"c":3,"b":4}]`, `[{"a":1},{"\u0061":1},{"a":1,"\u0061":1}]`, `[{"a":{"a":1}},{"a":1,"b":{"a":1,"a":2}}]`,
		"\"\\\"", `"12345678\"`, `"1234567\"8"`, "\"1234567\x808\"", "",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		_, err := scan(&Reply{body: body}, Layout{})
		if want := jsontext.Value(body).IsValid() && depth(body) <= MaxDepth; want != (err == nil) {
			t.Fatalf("%v, strict: %v", err, want)
		}
		if errors.Is(err, errSyntax) {
			t.Fatal("jsontext does not say what is wrong with it")
		}
	})
}

// acceptable is what Scan asks beyond JSON.
func acceptable(body []byte, top map[string]jsontext.Value) bool {
	token, given := top["next_token"]
	return top["results"].Kind() == '[' && (!given || token.Kind() == 'n' || token.Kind() == '"') && depth(body) <= MaxDepth
}

func depth(body []byte) (deepest int) {
	d := jsontext.NewDecoder(bytes.NewReader(body))
	for {
		if _, err := d.ReadToken(); err != nil {
			return deepest
		}
		deepest = max(deepest, d.StackDepth())
	}
}

func compare(t *testing.T, reply Reply, list []jsontext.Value) {
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	b := schemas.NewBuilder(mem, sample)
	defer b.Release()
	b.Begin(schemas.Origin{Rank: 1})
	if err := sampleShape.Load(reply, b); err != nil {
		t.Fatal(err)
	}
	rejected := b.Rejected()
	if len(rejected)+b.Len() != len(list) {
		t.Fatalf("%d rows, %d loaded, %d rejected", len(list), b.Len(), len(rejected))
	}
	batch := b.Batch()
	defer batch.Release()
	at := 0
	for i, raw := range list {
		if len(rejected) > 0 && rejected[0].Row == i {
			if fitsForSure(raw) {
				t.Fatalf("%s was rejected: %s", raw, rejected[0].Reason)
			}
			rejected = rejected[1:]
			continue
		}
		extra, _ := batch.Column(sample.Index(schemas.ColExtra)).GetOneForMarshal(at).(string)
		for j, c := range sample.Own {
			var got any
			if col := batch.Column(j); col.IsValid(at) {
				got = col.GetOneForMarshal(at)
			}
			same(t, c, raw, got, extra)
		}
		at++
	}
}

// fitsForSure recognises rows that json/v2 takes for the plainest of structs.
func fitsForSure(raw jsontext.Value) bool {
	var row struct {
		Text   *string `json:"text"`
		Source *struct {
			Page *string `json:"page"`
		} `json:"source"`
		Count int64  `json:"count"`
		Yes   bool   `json:"yes"`
		Kind  string `json:"kind"`
	}
	return json.Unmarshal(raw, &row, json.RejectUnknownMembers(true)) == nil && row.Text != nil && row.Source != nil && row.Source.Page != nil
}

// same compares one column of a row that was accepted with what json/v2 reads at its path. What did not fit is in extra.
func same(t *testing.T, c schemas.Column, raw jsontext.Value, got any, extra string) {
	var row map[string]jsontext.Value
	if json.Unmarshal(raw, &row) != nil {
		t.Fatalf("%s is no object, yet was accepted", raw)
	}
	name := c.Name
	switch name {
	case "source_page", "source_rank", "deep":
		var source map[string]jsontext.Value
		_ = json.Unmarshal(row["source"], &source)
		row, name = source, map[string]string{"source_page": "page", "source_rank": "rank", "deep": "in"}[name]
		if name == "in" {
			var in map[string]jsontext.Value
			_ = json.Unmarshal(row["in"], &in)
			row, name = in, "deep"
		}
	}
	value := row[name]
	switch got := got.(type) {
	case nil:
		if s := string(value); value != nil && s != "null" && len(c.NoValue) == 0 && s != `""` && c.Name != "elsewhere" && !strings.Contains(extra, `"`+name+`":`) {
			t.Fatalf("%s: null, not %s, and extra is %s", c.Name, value, extra)
		}
	case string:
		if c.Type == schemas.String {
			var want string
			if err := json.Unmarshal(value, &want); err != nil || want != got {
				t.Fatalf("%s: %q, not %s", c.Name, got, value)
			}
		}
	case int64:
		exact(t, c.Name, value, got)
	case int32:
		exact(t, c.Name, value, int64(got))
	case float64:
		var want float64
		if err := json.Unmarshal(value, &want); err != nil || want != got {
			t.Fatalf("%s: %v, not %s", c.Name, got, value)
		}
	case bool:
		var want bool
		if err := json.Unmarshal(value, &want); err != nil || want != got {
			t.Fatalf("%s: %v, not %s", c.Name, got, value)
		}
	}
}

// exact compares an integer as rationals. A huge exponent, which big.Rat would write out, can only belong to a zero.
func exact(t *testing.T, name string, value jsontext.Value, got int64) {
	if got == 0 && bytes.ContainsAny(value, "eE") {
		return
	}
	want, ok := new(big.Rat).SetString(string(value))
	if !ok || want.Cmp(new(big.Rat).SetInt64(got)) != 0 {
		t.Fatalf("%s: %d, not %s", name, got, value)
	}
}

// FuzzWalk gives the walk what no check has seen: whatever it makes of it, it must end and not panic.
func FuzzWalk(f *testing.F) {
	for _, s := range []string{`{"a":`, `{"source":{"page":"`, `{"text":"\`, `{]}`, `{"tags":[}`, `{,,::"count":-}`, `{"ratio":infinity}`, `{"x":1`, `{"source":{"x":`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		b := schemas.NewBuilder(memory.DefaultAllocator, sample)
		defer b.Release()
		_ = sampleShape.Decode(raw, b.Row())
		r := Reply{list: raw}
		for range r.Rows() {
		}
	})
}
