package sourcetest_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"backhaul/pipeline"
	"backhaul/pipeline/vendors/ahrefsv2"
	"backhaul/pipeline/vendors/ahrefsv3"
	"backhaul/pipeline/vendors/mozrpc"
	"backhaul/pipeline/vendors/mozv2"
	"backhaul/schemas"
	"backhaul/testdata/vendors"
)

const credential = "s3cr3t-of-the-fuzzer"

// buyer is a surface whose replies are made up.
type buyer struct {
	sources  func(dial) ([]pipeline.Source, error)
	endpoint string
	task     pipeline.Task
	list     []string          // the members that lead to the rows of a reply; nil where it is one row, or rows are put in another order
	members  map[string]string // of a row, by the columns that have another name
	seeds    []string
	recorded string // a reply that the vendor really sent, in testdata/vendors
}

type dial func(ctx context.Context, network, address string) (net.Conn, error)

func ofMozV2(d dial) ([]pipeline.Source, error) {
	c, err := mozv2.New(mozv2.Config{BaseURL: address, Token: credential, HTTP: mozv2.HTTP{Dial: d}})
	return c.Sources(), err
}

func ofMozRPC(d dial) ([]pipeline.Source, error) {
	c, err := mozrpc.New(mozrpc.Config{BaseURL: address, Token: credential, HTTP: mozrpc.HTTP{Dial: d}})
	return c.Sources(), err
}

func ofAhrefsV3(d dial) ([]pipeline.Source, error) {
	c, err := ahrefsv3.New(ahrefsv3.Config{BaseURL: address, Key: credential, HTTP: ahrefsv3.HTTP{Dial: d}})
	return c.Sources(), err
}

func ofAhrefsV2(d dial) ([]pipeline.Source, error) {
	c, err := ahrefsv2.New(ahrefsv2.Config{BaseURL: address, Token: credential, HTTP: ahrefsv2.HTTP{Dial: d}})
	return c.Sources(), err
}

const address = "http://127.0.0.1:1"

var buyers = []buyer{
	{
		sources:  ofMozV2,
		endpoint: "anchor_text", task: pipeline.Task{Target: "moz.com", Scope: "page"}, list: []string{"results"},
		seeds: []string{
			`{"next_token":"KIkQ","results":[{"anchor_text":"moz","external_pages":7162,"external_root_domains":2026}]}`, `{"results":[]}`,
			`{"results":[{"anchor_text":"\u00e4","external_pages":1.5,"external_root_domains":2e2,"new":[1]},{"anchor_text":7},{"anchor_text":"b","external_root_domains":1}]}`,
			`{"message":"bad token ` + credential + `"}`, `{"error":"quota","results":[]}`,
		},
	},
	{
		sources:  ofMozRPC,
		endpoint: "anchor_text", task: pipeline.Task{Target: "moz.com", Scope: "page"}, list: []string{"result", "anchor_texts"}, members: map[string]string{"anchor_text": "text"},
		seeds: []string{
			`{"id":"$id","jsonrpc":"2.0","result":{"offset":{"provided_token":null,"token":"IIkQ","limit":1},"anchor_texts":[{"text":"moz","external_root_domains":31377,"external_pages":776762}]}}`,
			`{"id":"$id","jsonrpc":"2.0","error":{"code":-32655,"status":404,"message":"` + credential + `"}}`, `{"id":"other","jsonrpc":"2.0","result":{"anchor_texts":[]}}`,
		},
	},
	{
		sources:  ofAhrefsV3,
		endpoint: "anchors", task: pipeline.Task{Target: "ahrefs.example", Params: `{"select":["anchor","links_to_target","refdomains"]}`}, list: []string{"anchors"},
		seeds: []string{
			`{"anchors": [{"anchor": "a", "links_to_target": 3, "refdomains": 2}, {"anchor": "b", "links_to_target": 1, "refdomains": 1}]}`, `{"anchors":[]}`,
			`["Error","Unauthorized"]`, `{"error":"API units limit reached. Expected usage: 50, API units left: 0."}`,
		},
	},
	{
		sources:  ofAhrefsV2,
		endpoint: "anchors", task: pipeline.Task{Target: "ahrefs.example"}, list: []string{"anchors"}, members: map[string]string{"links_to_target": "backlinks"},
		seeds: []string{
			`{"anchors":[{"anchor":"a","backlinks":2,"refpages":2,"refdomains":1,"first_seen":"2013-08-08T19:04:00Z"}],"stats":{"backlinks":9}}`,
			`<AhrefsApiResponse><anchors><anchor><anchor>a</anchor><backlinks>2</backlinks></anchor></anchors></AhrefsApiResponse>`, `{"error":"invalid token"}`,
		},
	},
	{
		sources: ofMozV2, endpoint: "top_pages", task: pipeline.Task{Target: "moz.com", Scope: "root_domain"}, list: []string{"results"},
		recorded: "moz/v2_top_pages.json",
		seeds:    []string{`{"results":[{"page":"a.com/","spam_score":-1,"http_code":0,"link_propensity":1e-3,"last_crawled":""},{"page":"a.com/x","spam_score":101,"last_crawled":"2026-02-30"}]}`},
	},
	{
		sources: ofMozV2, endpoint: "url_metrics", task: pipeline.Task{Inputs: []pipeline.Input{{Target: "moz.com"}, {Target: "nytimes.com"}}},
		recorded: "moz/v2_url_metrics.json",
		seeds:    []string{`{"results":[{"page":"moz.com/","title":"\ud83d\ude00"},{"page":"nytimes.com/"}]}`, `{"results":[{"page":"nytimes.com/"},{"page":"moz.com/"}]}`},
	},
	{
		sources: ofAhrefsV3, endpoint: "all_backlinks", list: []string{"backlinks"}, recorded: "ahrefs/v3_all-backlinks.json",
		task:  pipeline.Task{Target: "ahrefs.example", Params: `{"aggregation":"1_per_domain","select":["url_from","url_to","anchor","domain_rating_source","is_dofollow","first_seen","last_seen","is_lost","is_new"],"order_by":["url_from:asc"]}`},
		seeds: []string{`{"backlinks": [{"url_from": "http://a.example/", "url_to": "http://b.example/", "anchor": "", "domain_rating_source": 1.5, "is_dofollow": true, "first_seen": "2021-04-08T07:06:33Z", "last_seen": null, "is_lost": false, "is_new": 1}]}`},
	},
	{
		sources: ofAhrefsV2, endpoint: "backlinks_stats", task: pipeline.Task{Target: "ahrefs.example"},
		seeds: []string{`{"metrics":{"backlinks":5,"refdomains":2,"gov":0}}`, `{"metrics":[]}`, `{"metrics":{"backlinks":"5"}}`},
	},
}

var idOf = regexp.MustCompile(`"id":"([^"]*)"`)

// serve answers one request on a connection of its own with what is left of head and body when the last cut bytes are lost. An empty head is
// that of a good reply. What the body calls $id is the request's.
func (b buyer) serve(head, body string, cut uint16) (source pipeline.Source, sent func() []byte, err error) {
	var wire sync.WaitGroup
	var written []byte
	connect := func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		wire.Go(func() {
			defer theirs.Close()
			req, err := http.ReadRequest(bufio.NewReader(theirs))
			if err != nil {
				return
			}
			asked, _ := io.ReadAll(req.Body)
			content := body
			if id := idOf.FindSubmatch(asked); id != nil {
				content = strings.ReplaceAll(content, "$id", string(id[1]))
			}
			written = []byte(content)
			begin := head
			if begin == "" {
				begin = fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", len(content))
			}
			reply := begin + content
			_, _ = io.WriteString(theirs, reply[:max(0, len(reply)-int(cut))])
		})
		return ours, nil
	}
	sources, err := b.sources(connect)
	if err != nil {
		return nil, nil, err
	}
	at := slices.IndexFunc(sources, func(s pipeline.Source) bool { return s.Endpoint().Name == b.endpoint })
	return sources[at], func() []byte { wire.Wait(); return written }, nil
}

// FuzzWholeReplies gives the clients whatever a vendor, or what stands in between, may send: head, body and where it breaks off. It either is an
// error that says what to do and tells no credential, or a page whose rows hold what encoding/json/v2 reads in it.
func FuzzWholeReplies(f *testing.F) {
	const html = "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\n\r\n"
	for which, b := range buyers {
		seeds := b.seeds
		if b.recorded != "" {
			seeds = append(slices.Clone(seeds), string(vendors.Read(f, b.recorded)))
		}
		for _, seed := range seeds {
			f.Add(uint8(which), "", seed, uint16(0))
			f.Add(uint8(which), "", seed, uint16(7))
			f.Add(uint8(which), html, seed, uint16(0))
			f.Add(uint8(which), "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(seed), seed), uint16(0))
		}
		f.Add(uint8(which), "HTTP/1.1 429 Slow\r\nRetry-After: 99999999999999999999\r\nContent-Length: 0\r\n\r\n", "", uint16(0))
		f.Add(uint8(which), "HTTP/1.1 302 There\r\nLocation: http://x/?token="+credential+"\r\nContent-Length: 0\r\n\r\n", "", uint16(0))
		f.Add(uint8(which), "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n", "\x1f\x8b", uint16(0))
		f.Add(uint8(which), "HTTP/2.0 200\r\n\r\n", "{}", uint16(0))
		f.Add(uint8(which), "HTTP/0.0 000 \n\n", "", uint16(0))
	}
	f.Fuzz(func(t *testing.T, which uint8, head, body string, cut uint16) {
		b := buyers[int(which)%len(buyers)]
		source, sent, err := b.serve(head, body, cut)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		page, err := source.Fetch(ctx, b.task, pipeline.Ask{Limit: 50})
		written := sent()
		if ctx.Err() != nil {
			t.Fatal("it does not end")
		}
		if err != nil {
			refused(t, page, err)
			return
		}
		accepted(t, b, source, page)
		if head == "" && (cut > 0 || !bytes.Equal(page.Body, written)) {
			t.Fatalf("%d bytes of %d were taken for the reply, of which the last %d were lost", len(page.Body), len(written), cut)
		}
	})
}

// refused: the error is of a kind, in one line, and tells nothing; only what cannot be read comes with a page.
func refused(t *testing.T, page pipeline.Page, err error) {
	t.Helper()
	var e *pipeline.Error
	if !errors.As(err, &e) || e.Message == "" || strings.Contains(err.Error(), credential) || strings.ContainsFunc(e.Message, unicode.IsControl) || len(e.Message) > 400 {
		t.Fatalf("%#v", err)
	}
	if (page.Body != nil) != (e.Kind == pipeline.Malformed) || e.After < 0 || e.Unreachable {
		t.Fatalf("%+v with %d bytes", e, len(page.Body))
	}
}

// accepted: the page's price is within what it may cost, and every row of it is in the batch, or rejected with its reason.
func accepted(t *testing.T, b buyer, source pipeline.Source, page pipeline.Page) {
	t.Helper()
	price, err := source.Endpoint().PriceOf(b.task, pipeline.Ask{Limit: 50})
	if err != nil || page.Status/100 != 2 || page.Units > price.Worst(max(50, page.Rows)) || page.Units < 0 {
		t.Fatalf("status %d, %d rows for %d units, %v", page.Status, page.Rows, page.Units, err)
	}
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	table := source.Endpoint().Table
	builder := schemas.NewBuilder(mem, table)
	defer builder.Release()
	builder.Begin(schemas.Origin{Rank: 1})
	if err := source.Decode(page, builder); err != nil {
		t.Fatalf("a page that cannot be decoded: %v", err)
	}
	rejected := map[int]bool{}
	for _, r := range builder.Rejected() {
		if rejected[r.Row] = true; r.Reason == "" {
			t.Fatalf("row %d is rejected for nothing", r.Row)
		}
	}
	batch := builder.Batch()
	defer batch.Release()
	if int(batch.NumRows())+len(rejected) != page.Rows {
		t.Fatalf("%d rows, of which %d are loaded and %d rejected", page.Rows, batch.NumRows(), len(rejected))
	}
	if list, ok := b.rows(t, page.Body); ok {
		if len(list) != page.Rows {
			t.Fatalf("%d rows, json/v2 has %d", page.Rows, len(list))
		}
		at := 0
		for i, raw := range list {
			if !rejected[i] {
				b.compare(t, table, batch, at, raw)
				at++
			}
		}
	}
}

// rows are the reply's as json/v2 has them; false if they cannot be compared.
func (b buyer) rows(t *testing.T, body []byte) (list []jsontext.Value, ok bool) {
	t.Helper()
	value := jsontext.Value(body)
	if b.list == nil || bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")) {
		return nil, false
	}
	for _, name := range b.list {
		var object map[string]jsontext.Value
		if err := json.Unmarshal(value, &object); err != nil {
			t.Fatalf("accepted, but json/v2 says %v", err)
		}
		if value = object[name]; value == nil {
			return nil, true // an error that means an empty list
		}
	}
	if err := json.Unmarshal(value, &list); err != nil {
		t.Fatalf("accepted, but json/v2 says %v", err)
	}
	return list, true
}

// compare holds a row of the batch against what json/v2 reads in it. A value that does not fit is in extra.
func (b buyer) compare(t *testing.T, table *schemas.Table, batch arrow.RecordBatch, at int, raw jsontext.Value) {
	t.Helper()
	var row map[string]jsontext.Value
	if err := json.Unmarshal(raw, &row); err != nil {
		t.Fatalf("%s is loaded, and json/v2 says %v", raw, err)
	}
	extra, _ := batch.Column(table.Index(schemas.ColExtra)).GetOneForMarshal(at).(string)
	for i, c := range table.Own {
		name := c.Name
		if other := b.members[name]; other != "" {
			name = other
		}
		value, column := row[name], batch.Column(i)
		if !column.IsValid(at) {
			if s := string(value); value != nil && s != "null" && s != `""` && len(c.NoValue) == 0 && !strings.Contains(extra, `"`+name+`":`) {
				t.Fatalf("%s is null, not %s, and extra is %s", c.Name, value, extra)
			}
			continue
		}
		var same bool
		switch got := column.GetOneForMarshal(at).(type) {
		case int64:
			same = number(value, got)
		case float64:
			var want float64
			same = json.Unmarshal(value, &want) == nil && want == got
		case bool:
			var want bool
			same = json.Unmarshal(value, &want) == nil && want == got
		case string:
			var want string
			same = json.Unmarshal(value, &want) == nil && (want == got || c.Type != schemas.String)
		default:
			same = value != nil
		}
		if !same {
			t.Fatalf("%s is %v, not %s", c.Name, column.GetOneForMarshal(at), value)
		}
	}
}

// number reports whether a number is an integer, exactly. A huge exponent, which big.Rat would write out, is a zero's.
func number(value jsontext.Value, got int64) bool {
	if got == 0 && bytes.ContainsAny(value, "eE") {
		return true
	}
	want, ok := new(big.Rat).SetString(string(value))
	return ok && want.Cmp(new(big.Rat).SetInt64(got)) == 0
}
