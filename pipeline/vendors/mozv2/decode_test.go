package mozv2

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"backhaul/pipeline"
	"backhaul/schemas"
)

// sample reads a recorded reply of the vendor, which lies beside the repository and is not part of it.
func sample(t *testing.T, name string) []byte {
	t.Helper()
	path := filepath.Join("..", "..", "..", "..", "shared", "samples", "moz", name)
	body, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skipf("the vendor's recorded replies are not there: %s", path)
	}
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func TestRecordedRepliesDecodeFieldByField(t *testing.T) {
	for file, endpoint := range map[string]string{
		"v2_anchor_text.response.json":             "anchor_text",
		"v2_anchor_text.limit1.2023.response.json": "anchor_text",
		"v2_links.response.json":                   "links",
		"v2_linking_root_domains.response.json":    "linking_root_domains",
	} {
		t.Run(file, func(t *testing.T) {
			body := sample(t, file)
			s := named(t, Offline(), endpoint)
			got, rejected, err := decoded(t, s, body)
			if err != nil || len(rejected) > 0 {
				t.Fatal(err, rejected)
			}
			want := generic(t, body)
			if len(want) == 0 || len(got) != len(want) {
				t.Fatalf("%d rows, want %d", len(got), len(want))
			}
			for i := range want {
				if diff := cmp.Diff(want[i], texts(s.Endpoint().Table, got[i])); diff != "" {
					t.Errorf("row %d: %s", i, diff)
				}
				if got[i]["rank"] != int64(i+1) || got[i]["extra"] != nil {
					t.Errorf("row %d: rank %v, extra %v", i, got[i]["rank"], got[i]["extra"])
				}
			}
		})
	}
}

// generic decodes a reply with another parser and no schema: every leaf under its path joined by _, as text.
func generic(t *testing.T, body []byte) (rows []map[string]string) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var reply struct{ Results []map[string]any }
	if err := d.Decode(&reply); err != nil {
		t.Fatal(err)
	}
	for _, result := range reply.Results {
		row := map[string]string{}
		flatten(row, "", result)
		rows = append(rows, row)
	}
	return rows
}

func flatten(row map[string]string, prefix string, object map[string]any) {
	dates := []string{"date_first_seen", "date_last_seen", "date_disappeared", "date_gained", "date_lost", "last_crawled"}
	for name, value := range object {
		nested, isObject := value.(map[string]any)
		text := fmt.Sprint(value)
		switch {
		case isObject:
			flatten(row, prefix+name+"_", nested)
		case name == "spam_score" && text == "-1", name == "http_code" && text == "0", slices.Contains(dates, name) && text == "":
		default:
			row[prefix+name] = text
		}
	}
}

// texts are the table's own columns in the spelling of the reply.
func texts(table *schemas.Table, row map[string]any) map[string]string {
	out := map[string]string{}
	for _, c := range table.Own {
		switch value := row[c.Name].(type) {
		case nil:
		case float64:
			out[c.Name] = strconv.FormatFloat(value, 'f', -1, 64)
		default:
			out[c.Name] = fmt.Sprint(value)
		}
	}
	return out
}

func TestNoValueBecomesNullAndEmptyTextStays(t *testing.T) {
	s := named(t, Offline(), "links")
	rows, rejected, err := decoded(t, s, []byte(`{"results":[{"anchor_text":"","date_first_seen":"2020-06-29","date_disappeared":"","nofollow":false,
		"source":{"page":"a.com/","http_code":0,"spam_score":-1,"last_crawled":"","title":"","pages_to_subdomain":18753876101,"link_propensity":730.3268433},
		"target":{"page":"b.com/","http_code":5,"spam_score":1}}]}`))
	if err != nil || len(rejected) > 0 || len(rows) != 1 {
		t.Fatal(rows, rejected, err)
	}
	want := map[string]string{"anchor_text": "", "date_first_seen": "2020-06-29", "nofollow": "false", "source_page": "a.com/", "source_title": "",
		"source_pages_to_subdomain": "18753876101", "source_link_propensity": "730.3268433", "target_page": "b.com/", "target_http_code": "5", "target_spam_score": "1"}
	if diff := cmp.Diff(want, texts(s.Endpoint().Table, rows[0])); diff != "" {
		t.Error(diff)
	}
}

func TestRowsThatDoNotFitAreKeptWithTheirReason(t *testing.T) {
	rows, rejected, err := decoded(t, named(t, Offline(), "linking_root_domains"), []byte(`{"results":[
		{"root_domain":"a.com","to_target":{"pages":1}}, {"domain_authority":1}, {"root_domain":"b.com","to_target":{"pages":"many"}}, null,
		{"root_domain":"c.com","to_target":{"pages":2,"new":true},"brand_authority":7,"date_lost":"2026-02-28"}]}`))
	if err != nil || len(rows) != 2 || rows[1]["rank"] != int64(2) || rows[1]["date_lost"] != "2026-02-28" || rows[1]["extra"] != `{"brand_authority":7,"to_target":{"new":true}}` {
		t.Fatal(rows, err)
	}
	var reasons []string
	for _, r := range rejected {
		reasons = append(reasons, fmt.Sprintf("%d %s: %s", r.Row, r.JSON, r.Reason))
	}
	want := []string{`1 {"domain_authority":1}: root_domain: missing`,
		`2 {"root_domain":"b.com","to_target":{"pages":"many"}}: to_target.pages: want an integer, got "many"`, `3 null: want an object, got null`}
	if diff := cmp.Diff(want, reasons); diff != "" {
		t.Error(diff)
	}
}

func FuzzAnchorText(f *testing.F)         { fuzz(f, "anchor_text") }
func FuzzLinks(f *testing.F)              { fuzz(f, "links") }
func FuzzLinkingRootDomains(f *testing.F) { fuzz(f, "linking_root_domains") }

// fuzz: whatever arrives, what fetching accepts decoding reads, each row is loaded or rejected, and the other way round.
func fuzz(f *testing.F, endpoint string) {
	for _, s := range []string{
		threeAnchors + `,"next_token":"KIkQ=="}`, threeAnchors, `{"results":[]}`, `{"results":[{"anchor_text":"a","anchor_text":"a"}]}`,
		`{"results":[{"anchor_text":"","source":{"page":"a/","spam_score":-1,"new":[1]},"target":{"page":"b/"},"date_first_seen":"2026-02-28"}]}`,
		`{"results":[{"root_domain":"a.com","to_target":{"pages":2.0},"link_propensity":1e-3}],"next_token":null}`, "\xff", ``,
	} {
		f.Add([]byte(s))
	}
	s := named(f, Offline(), endpoint).(*source)
	online, err := New(Config{Token: token})
	if err != nil {
		f.Fatal(err)
	}
	buyer := named(f, online.Sources(), endpoint).(*source)
	f.Fuzz(func(t *testing.T, body []byte) {
		page, failed := buyer.read(pipeline.Page{Body: body})
		rows, rejected, err := decoded(t, s, body)
		if (failed == nil) != (err == nil) {
			t.Fatalf("fetch says %v, decode says %v", failed, err)
		}
		if len(rows)+len(rejected) != page.Rows || page.Units != pipeline.Units(page.Rows) {
			t.Fatalf("%d rows for %d units: %d loaded, %d rejected", page.Rows, page.Units, len(rows), len(rejected))
		}
		for _, r := range rejected {
			if r.Reason == "" || !json.Valid(r.JSON) || !bytes.Contains(body, r.JSON) {
				t.Fatalf("rejected %q: %s", r.JSON, r.Reason)
			}
		}
	})
}
