package ahrefsv2

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"backhaul/pipeline"
	"backhaul/pipeline/vendors/internal/wire"
	"backhaul/testdata/vendors"
)

func fetch(t *testing.T, c *Client, endpoint, params string, ask pipeline.Ask) (pipeline.Page, error) {
	t.Helper()
	task := pipeline.Task{Target: "example.com", Params: params}
	return named(t, c.Sources(), endpoint).Fetch(t.Context(), task, ask)
}

func TestRequestsAreThoseOfTheDocumentation(t *testing.T) {
	for name, tc := range map[string]struct {
		endpoint, params string
		ask              pipeline.Ask
		want             string
	}{
		"plain":    {"anchors", `{"mode":"domain"}`, pipeline.Ask{}, "from=anchors&limit=1000&mode=domain&output=json&target=example.com"},
		"defaults": {"anchors", ``, pipeline.Ask{}, "from=anchors&limit=1000&mode=subdomains&output=json&target=example.com"},
		"all of it": {"anchors", `{"mode":"exact","select":"anchor,links_to_target","where":"links_to_target>3","having":"refdomains>=2","order_by":["refdomains:desc"]}`,
			pipeline.Ask{Cursor: "2000", Limit: 50},
			"from=anchors&having=refdomains%3E%3D2&limit=50&mode=exact&offset=2000&order_by=refdomains%3Adesc&output=json&select=anchor%2Cbacklinks&target=example.com&where=backlinks%3E3"},
		"a space":     {"anchors", `{"where":"anchor=\"a b+c\""}`, pipeline.Ask{}, "from=anchors&limit=1000&mode=subdomains&output=json&target=example.com&where=anchor%3D%22a%20b%2Bc%22"},
		"another":     {"all_backlinks", `{"aggregation":"1_per_domain"}`, pipeline.Ask{Limit: 200_000}, "from=backlinks_one_per_domain&limit=100000&mode=subdomains&output=json&target=example.com"},
		"one object":  {"backlinks_stats", `{}`, pipeline.Ask{Limit: 1}, "from=metrics_extended&mode=subdomains&output=json&target=example.com"},
		"from chosen": {"refdomains", `{"from":"refips"}`, pipeline.Ask{}, "from=refips&limit=1000&mode=subdomains&output=json&target=example.com"},
	} {
		t.Run(name, func(t *testing.T) {
			var seen url.Values
			c := serve(t, func(w http.ResponseWriter, q url.Values) {
				seen = q
				io.WriteString(w, `{"anchors":[],"refpages":[],"refdomains":[],"metrics":{}}`)
			})
			page, err := fetch(t, c, tc.endpoint, tc.params, tc.ask)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, string(page.Request)); diff != "" {
				t.Error(diff)
			}
			if want, err := url.ParseQuery(string(page.Request)); err != nil || cmp.Diff(want, seen) != "" {
				t.Errorf("the request kept is not the one sent: %v, %s", err, cmp.Diff(want, seen))
			}
			if !page.FetchedAt.Equal(arrival) || page.Cursor != tc.ask.Cursor || page.Status != 200 {
				t.Errorf("%+v", page)
			}
		})
	}
}

func TestParametersThatCannotBeSentAreNot(t *testing.T) {
	c := serve(t, func(http.ResponseWriter, url.Values) { t.Error("a request was made") })
	for params, says := range map[string]string{
		`{"mode":"everything"}`:    "not one of exact, prefix, domain, subdomains",
		`{"where":"refdomains>1"}`: "can only stand in having",
		`{"limit":5}`:              "filled in by the program",
		`{"offset":5}`:             "filled in by the program",
		`{"from":"refips"}`:        "filled in by the program",
		`[`:                        "not a JSON object",
	} {
		_, err := fetch(t, c, "anchors", params, pipeline.Ask{})
		if pipeline.KindOf(err) != pipeline.Rejected || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", params, err, says)
		}
		if _, err := named(t, Offline(), "anchors").Endpoint().PriceOf(pipeline.Task{Params: params}, pipeline.Ask{}); err == nil {
			t.Errorf("%s has a price", params)
		}
	}
	for _, cursor := range []pipeline.Cursor{"x", "-1", "1.5"} {
		if _, err := fetch(t, c, "anchors", "", pipeline.Ask{Cursor: cursor}); pipeline.KindOf(err) != pipeline.Rejected {
			t.Errorf("cursor %q: %v", cursor, err)
		}
	}
	if _, err := named(t, c.Sources(), "anchors").Fetch(t.Context(), pipeline.Task{}, pipeline.Ask{}); pipeline.KindOf(err) != pipeline.Rejected {
		t.Errorf("without a target: %v", err)
	}
}

// list is a server with a list of so many anchors; count says what X-Results-Count tells of it.
func list(t *testing.T, total int, count func(offset, got int) string) *Client {
	return serve(t, func(w http.ResponseWriter, q url.Values) {
		limit, _ := strconv.Atoi(q.Get("limit"))
		offset, _ := strconv.Atoi(q.Get("offset"))
		var rows []string
		for i := offset; i < min(total, offset+limit); i++ {
			rows = append(rows, fmt.Sprintf(`{"anchor":"a%d","backlinks":%d}`, i, total-i))
		}
		if text := count(offset, len(rows)); text != "" {
			w.Header().Set("X-Results-Count", text)
		}
		io.WriteString(w, `{"anchors":[`+strings.Join(rows, ",")+`],"stats":{"backlinks":9,"refpages":8}}`)
	})
}

func TestAListIsReadByOffsetsToItsEnd(t *testing.T) {
	silent := func(int, int) string { return "" }
	ofReply := func(_, got int) string { return strconv.Itoa(got) }
	for name, tc := range map[string]struct {
		total, limit, pages int
		count               func(offset, got int) string
		units               pipeline.Units
	}{
		"a short last page":         {25, 10, 3, silent, 11 + 16 + 11},
		"a full last page":          {20, 10, 3, ofReply, 11 + 16 + 6},
		"nothing":                   {0, 10, 1, ofReply, 1},
		"the whole list is counted": {20, 10, 2, func(int, int) string { return "20" }, 11 + 16},
		"a count that is none":      {25, 10, 3, func(int, int) string { return "x" }, 11 + 16 + 11},
	} {
		t.Run(name, func(t *testing.T) {
			c := list(t, tc.total, tc.count)
			ask, pages, units, got := pipeline.Ask{Limit: tc.limit}, 0, pipeline.Units(0), 0
			for end := false; !end; pages++ {
				price, err := named(t, c.Sources(), "anchors").Endpoint().PriceOf(pipeline.Task{Target: "example.com"}, ask)
				if err != nil {
					t.Fatal(err)
				}
				page, err := fetch(t, c, "anchors", "", ask)
				if err != nil || pages > 9 {
					t.Fatal(err, pages)
				}
				if page.Units > price.Worst(tc.limit) || page.Units != price.Actual(pipeline.Reply{Rows: page.Rows}) {
					t.Errorf("page %d cost %d, said to be at most %d", pages, page.Units, price.Worst(tc.limit))
				}
				units += page.Units
				got += page.Rows
				end, ask.Cursor = page.End, page.Next
			}
			if pages != tc.pages || units != tc.units || got != tc.total {
				t.Errorf("%d rows on %d pages for %d, want %d on %d for %d", got, pages, units, tc.total, tc.pages, tc.units)
			}
		})
	}
}

func TestAServerWithASmallerPageThanAskedForIsReadOnWhereItCountsTheList(t *testing.T) {
	resp := wire.Response{Header: http.Header{"X-Results-Count": {"250"}}}
	if ended(resp, 100, 100, 1000) || !ended(resp, 200, 50, 1000) || !ended(resp, 250, 0, 1000) {
		t.Error("the list of 250 is not read to its end")
	}
}

// Vector 13 of the fact sheet, from the reply to the price.
func TestAPageCostsItsClausesAndItsRows(t *testing.T) {
	c := serve(t, reply(`{"anchors":[{"anchor":"a"},{"anchor":"b"}]}`))
	page, err := fetch(t, c, "anchors", `{"where":"links_to_target>3","having":"refdomains>1"}`, pipeline.Ask{Limit: 2})
	if err != nil || page.Units != 13 || page.Rows != 2 {
		t.Errorf("%d units for %d rows, %v", page.Units, page.Rows, err)
	}
}

func TestRefusalsSayWhatToDo(t *testing.T) {
	const header, status = "X-Status", "error"
	for name, tc := range map[string]struct {
		answer func(http.ResponseWriter, url.Values)
		kind   pipeline.Kind
		says   string
	}{
		"token":                {reply(`{"error":"invalid token"}`, header, status), pipeline.Denied, "invalid token"},
		"token, no header":     {reply(`{"error":"invalid token"}`), pipeline.Denied, "invalid token"},
		"column":               {reply(`{"error":"order_by: column 'foobar_rating' not found"}`, header, status), pipeline.Rejected, "foobar_rating"},
		"clause about a token": {reply(`{"error":"where: unexpected token '>'"}`, header, status), pipeline.Rejected, "unexpected"},
		"clause about rows":    {reply(`{"error":"limit: no more than 5000000 rows"}`, header, status), pipeline.Rejected, "limit"},
		"parse error":          {reply(`{"error":"unexpected token '>'"}`, header, status), pipeline.Rejected, "unexpected"},
		"rows used up":         {reply(`{"error":"not enough rows left"}`, header, status), pipeline.Exhausted, "rows"},
		"monthly limit":        {reply(`{"error":"rows limit exceeded for this month"}`, header, status), pipeline.Exhausted, "month"},
		"plan":                 {reply(`{"error":"you have reached your plan limit"}`, header, status), pipeline.Exhausted, "plan"},
		"pace":                 {reply(`{"error":"too many requests per minute"}`, header, status), pipeline.Throttled, "minute"},
		"trouble":              {reply(`{"error":"internal error, try again"}`, header, status), pipeline.Transient, "internal"},
		"the end":              {reply(`{"error":"API v2 has been discontinued"}`, header, status), pipeline.Denied, "discontinued"},
		"header alone":         {reply(`{}`, header, "Error"), pipeline.Rejected, ""},
		"header, no JSON":      {reply(`invalid token`, header, status), pipeline.Denied, "invalid token"},
		"status": {func(w http.ResponseWriter, _ url.Values) {
			w.WriteHeader(403)
			io.WriteString(w, `{"error":"no rows left"}`)
		}, pipeline.Exhausted, "rows"},
		"an object":      {reply(`{"error":{"message":"invalid token"}}`), pipeline.Denied, "invalid token"},
		"beside nothing": {reply(`{"error":"invalid token","anchors":[]}`), pipeline.Denied, "invalid token"},
		"a message":      {reply(`{"message":"not enough rows left","anchors":[]}`), pipeline.Exhausted, "rows"},
	} {
		page, err := fetch(t, serve(t, tc.answer), "anchors", "", pipeline.Ask{})
		if err == nil || pipeline.KindOf(err) != tc.kind || !strings.Contains(err.Error(), tc.says) || page.Body != nil {
			t.Errorf("%s: %v, want %s with %q", name, err, tc.kind, tc.says)
		}
	}
}

func TestRecordedRefusals(t *testing.T) {
	for file, kind := range map[string]pipeline.Kind{"error_invalid_token.http": pipeline.Denied, "error_bad_column.http": pipeline.Rejected} {
		head, body, _ := strings.Cut(string(vendors.Read(t, "ahrefs/v2_"+file)), "\n\n")
		var header []string
		for _, line := range strings.Split(head, "\n")[1:] {
			name, value, _ := strings.Cut(line, ": ")
			header = append(header, name, value)
		}
		if _, err := fetch(t, serve(t, reply(body, header...)), "anchors", "", pipeline.Ask{}); err == nil || pipeline.KindOf(err) != kind || len(header) != 4 {
			t.Errorf("%s: %v, want %s", file, err, kind)
		}
	}
}

func TestWhatCannotBeReadIsKept(t *testing.T) {
	for _, body := range []string{`{"refdomains":[]}`, `{"anchors":{}}`} {
		page, err := fetch(t, serve(t, reply(body)), "anchors", "", pipeline.Ask{})
		if pipeline.KindOf(err) != pipeline.Malformed || string(page.Body) != body || len(page.Request) == 0 {
			t.Errorf("%s: %v, page %+v", body, err, page)
		}
	}
	for _, body := range []string{`{"anchors":[{"anchor":"a"}],"error":"rows were left out"}`} {
		page, err := fetch(t, serve(t, reply(body)), "anchors", "", pipeline.Ask{})
		if e := new(pipeline.Error); !errors.As(err, &e) || e.Kind != pipeline.Malformed || !e.MaybeCharged || page.Status != 200 || string(page.Body) != body {
			t.Errorf("%s: %v, page %+v", body, err, page)
		}
	}
	page, err := fetch(t, serve(t, reply(`{"anchors":[{"anchor":"a"}]}`, "X-Status", "error")), "anchors", "", pipeline.Ask{})
	if pipeline.KindOf(err) != pipeline.Malformed || err == nil || len(page.Body) == 0 {
		t.Errorf("rows under X-Status error: %v", err)
	}
	page, err = fetch(t, serve(t, reply(`{"anchors":[{"anchor":"a","error":"of a row"}],"error":null,"message":"a remark"}`)), "anchors", "", pipeline.Ask{})
	if err != nil || page.Rows != 1 {
		t.Errorf("rows and a remark: %v", err)
	}
}

func TestNewSaysWhatIsMissing(t *testing.T) {
	if _, err := New(Config{Token: token, BaseURL: "http://apiv2.ahrefs.com"}); err == nil || strings.Contains(err.Error(), token) {
		t.Errorf("plain http: %v", err)
	}
	if _, err := New(Config{}); err == nil {
		t.Error("without a token there is a client")
	}
}

func TestUsageIsWhatThePlanSays(t *testing.T) {
	for body, kind := range map[string]pipeline.Kind{`{"error":"invalid token"}`: pipeline.Denied, `{"info":{"rows_left":1}}`: pipeline.Malformed, `x`: pipeline.Malformed} {
		if _, err := serve(t, reply(body)).Usage(t.Context(), time.Time{}, time.Time{}); pipeline.KindOf(err) != kind || err == nil {
			t.Errorf("%s: %v", body, err)
		}
	}
	recorded := vendors.Read(t, "ahrefs/v2_subscription_info.json")
	c := serve(t, func(w http.ResponseWriter, q url.Values) {
		if q.Get("from") != "subscription_info" || q.Has("target") {
			t.Errorf("asked %v", q)
		}
		w.Write(recorded)
	})
	got, err := c.Usage(t.Context(), time.Time{}, time.Time{})
	if err != nil || got.Units != 2677 || *got.Limit != 500000 || *got.Remaining != 497323 || !got.At.Equal(arrival) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestEndpoints(t *testing.T) {
	var names []string
	for i, s := range Offline() {
		e := s.Endpoint()
		names = append(names, e.String())
		if e != Surface().Endpoints()[i] || e.ScopeParam != "mode" || e.Param("mode") == nil {
			t.Errorf("%s: %+v", e, e)
		}
		if price, err := e.PriceOf(pipeline.Task{Target: "example.com"}, pipeline.Ask{}); err != nil || price.Worst(1) == 0 || price.Source == "" {
			t.Errorf("%s: %+v, %v", e, price, err)
		}
	}
	if diff := cmp.Diff([]string{"ahrefs/anchors", "ahrefs/all_backlinks", "ahrefs/broken_backlinks", "ahrefs/refdomains", "ahrefs/linkeddomains",
		"ahrefs/pages_by_backlinks", "ahrefs/backlinks_stats", "ahrefs/domain_rating"}, names); diff != "" {
		t.Error(diff)
	}
}
