package mozrpc

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"backhaul/pipeline"
	"backhaul/testdata/vendors"
)

func fetch(t *testing.T, c *Client, endpoint, cursor string) (pipeline.Page, error) {
	t.Helper()
	task := pipeline.Task{Target: "moz.com", Params: "{}"}
	return named(t, c.Sources(), endpoint).Fetch(t.Context(), task, pipeline.Ask{Cursor: pipeline.Cursor(cursor)})
}

func fail(code, status int, message, rest string) string {
	return fmt.Sprintf(`{"id":"REQUEST-ID","jsonrpc":"2.0","error":{"code":%d,"status":%d,"message":%q%s}}`, code, status, message, rest)
}

func TestErrorsAskForWhatTheirKindSays(t *testing.T) {
	for name, tc := range map[string]struct {
		status int
		body   string
		want   pipeline.Kind
	}{
		"no token":             {401, fail(-32651, 401, "Missing or invalid authentication", ""), pipeline.Denied},
		"no access":            {403, fail(-32600, 403, "Forbidden", ""), pipeline.Denied},
		"plan lacks it":        {403, fail(-1, 403, "your plan does not include this method", ""), pipeline.Denied},
		"missing parameter":    {400, fail(-32652, 400, "Please include a query", `,"data":{"explanation":"query is a required field and was not included.","issue":"param-is-missing","key":"query"}`), pipeline.Rejected},
		"status elsewhere":     {400, `{"error":{"code":-32600,"httpStatus":400,"message":"jsonrpc must be \"2.0\""}}`, pipeline.Rejected},
		"no method":            {400, fail(-32601, 400, "Action not found: DataSite", ""), pipeline.Rejected},
		"short id":             {400, fail(-32654, 400, "Minimum Request ID length is 24.", ""), pipeline.Rejected},
		"limit":                {400, fail(-32602, 400, "limit must be between 1 and 50 rows", `,"data":{"key":"offset.limit"}`), pipeline.Rejected},
		"unhandled":            {500, `{"error":{"name":"UnhandledError","httpStatus":500,"jsonrpcCode":-32602}}`, pipeline.Transient},
		"internal":             {500, fail(-32603, 500, "Internal error", ""), pipeline.Transient},
		"quota, 402":           {402, fail(-1, 402, "", ""), pipeline.Exhausted},
		"quota, 403":           {403, fail(-1, 403, "Quota exceeded for api.limits.data.rows", ""), pipeline.Exhausted},
		"quota, 429":           {429, fail(-1, 429, "You have used all rows of this month", ""), pipeline.Exhausted},
		"quota, 400":           {400, fail(-32656, 400, "Insufficient quota", ""), pipeline.Exhausted},
		"quota, key":           {400, fail(-32656, 400, "Limit", `,"data":{"key":"api.limits.data.rows"}`), pipeline.Exhausted},
		"pace":                 {429, fail(-1, 429, "Too many requests", ""), pipeline.Throttled},
		"pace, in quota talk":  {429, fail(-1, 429, "Rate limit: quota of requests per minute exceeded", ""), pipeline.Throttled},
		"silent 429":           {429, ``, pipeline.Throttled},
		"404 that is no error": {404, `{"message":"no such address"}`, pipeline.Rejected},
		"proxy's page":         {503, `<html>no more rows`, pipeline.Transient},
		"server":               {502, `bad gateway`, pipeline.Transient},

		"400 with an auth code":       {400, fail(-32651, 400, "no", ""), pipeline.Denied},
		"200 with 401":                {200, fail(-32651, 401, "Missing or invalid authentication", ""), pipeline.Denied},
		"200 with an auth code alone": {200, `{"error":{"code":-32651,"message":"no"}}`, pipeline.Denied},
		"200 with 400":                {200, fail(-32652, 400, "Please include a query", ""), pipeline.Rejected},
		"200 with 500":                {200, fail(-32602, 500, "UnhandledError", ""), pipeline.Transient},
		"200 with an internal error":  {200, `{"error":{"message":"Internal error"}}`, pipeline.Transient},
		"200 with a server's code":    {200, `{"error":{"code":-32050,"message":"oops"}}`, pipeline.Transient},
		"200 with a text":             {200, `{"error":"Quota exceeded"}`, pipeline.Exhausted},
		"200 with something":          {200, `{"error":{"code":"x"}}`, pipeline.Rejected},
		"error and result":            {200, `{"result":{"anchor_texts":[],"offset":{"token":null}},"error":{"code":-32602,"status":400,"message":"bad"}}`, pipeline.Rejected},
		"429 in 200":                  {200, fail(-1, 429, "slow down", ""), pipeline.Throttled},
	} {
		c, _ := fake(t, tc.status, tc.body)
		p, err := fetch(t, c, "anchor_text", "")
		if err == nil || pipeline.KindOf(err) != tc.want || p.Body != nil {
			t.Errorf("%s: %v, want %s", name, err, tc.want)
		}
		var e *pipeline.Error
		if errors.As(err, &e) && e.MaybeCharged {
			t.Errorf("%s: an error is not charged", name)
		}
	}
}

// Which words or code Moz has for a token that expired here was never seen, so several are taken for it; without a token in
// the request they mean something else.
func TestDeadTokensAreStale(t *testing.T) {
	for name, body := range map[string]string{
		"V2's words":  fail(-32602, 400, "The next token has expired", ""),
		"invalid":     fail(-32652, 400, "Invalid offset token", ""),
		"key":         fail(-32653, 400, "Bad value", `,"data":{"key":"offset.token","value":"x"}`),
		"explanation": fail(-32653, 404, "Bad request", `,"data":{"explanation":"the token is no longer valid"}`),
	} {
		status := 400
		for _, status := range []int{status, 200} {
			c, _ := fake(t, status, body)
			if _, err := fetch(t, c, "links", "ASP+gHcla1GA"); pipeline.KindOf(err) != pipeline.Stale || err == nil {
				t.Errorf("%s, %d: %v", name, status, err)
			}
			if _, err := fetch(t, c, "links", ""); pipeline.KindOf(err) != pipeline.Rejected {
				t.Errorf("%s, %d, no token sent: %v", name, status, err)
			}
		}
	}
	// The code alone does not say that there is nothing: a list under way is broken off, not ended.
	for status, body := range map[int]string{410: fail(-32655, 410, "The next token has expired", ""), 404: fail(-32655, 404, "No links for that site_query", "")} {
		c, _ := fake(t, status, body)
		if _, err := fetch(t, c, "links", "x"); pipeline.KindOf(err) != pipeline.Stale || err == nil {
			t.Errorf("%d with the code of no record: %v", status, err)
		}
	}
	c, _ := fake(t, 410, ``)
	if _, err := fetch(t, c, "links", "x"); pipeline.KindOf(err) != pipeline.Stale {
		t.Errorf("410: %v", err)
	}
	c, _ = fake(t, 401, fail(-32651, 401, "Invalid token", ""))
	if _, err := fetch(t, c, "links", "x"); pipeline.KindOf(err) != pipeline.Denied {
		t.Errorf("401: %v", err)
	}
}

func TestNoRecordIsAnEmptyAnswerFreeOfCharge(t *testing.T) {
	body := fail(-32655, 404, "No anchor texts for that site_query", `,"data":{"key":"site_query","value":{"query":"zzqq.example"}}`)
	for _, endpoint := range []string{"anchor_text", "links", "linking_root_domains", "final_redirect", "top_pages", "global_top_pages"} {
		for _, status := range []int{404, 200} {
			c, _ := fake(t, status, body)
			p, err := fetch(t, c, endpoint, "")
			if err != nil || !p.End || p.Rows != 0 || p.Units != 0 || p.Status != status || !strings.Contains(string(p.Body), "-32655") {
				t.Errorf("%s, %d: %+v, %v", endpoint, status, p, err)
				continue
			}
			s := named(t, Offline(), endpoint)
			rows, rejected, err := decoded(t, s, s.Endpoint().Table, p)
			if err != nil || len(rows)+len(rejected) > 0 {
				t.Errorf("%s: %v, %v, %v", endpoint, rows, rejected, err)
			}
		}
	}
}

// A body was recorded of some errors; of the others the code, the status and the message.
func TestRecordedErrorsMapToTheirKinds(t *testing.T) {
	var recorded []struct {
		Code, Status int
		Message      string
		Body         json.RawMessage
	}
	vendors.Decode(t, "moz/rpc_errors.json", &recorded)
	want := map[int]pipeline.Kind{-32600: pipeline.Rejected, -32601: pipeline.Rejected, -32651: pipeline.Denied, -32652: pipeline.Rejected, -32654: pipeline.Rejected}
	if len(recorded) != 7 {
		t.Errorf("%d errors were recorded", len(recorded))
	}
	for _, r := range recorded {
		body := string(r.Body)
		if body == "" {
			body = fail(r.Code, r.Status, r.Message, "")
		}
		c, _ := fake(t, r.Status, body)
		p, err := fetch(t, c, "anchor_text", "")
		if r.Code == -32655 {
			if err != nil || p.Rows != 0 || !p.End {
				t.Errorf("%d: %v", r.Code, err)
			}
			continue
		}
		if kind, known := want[r.Code]; !known || err == nil || pipeline.KindOf(err) != kind {
			t.Errorf("%d: %v, want %s", r.Code, err, kind)
		}
	}
}

func TestErrorsSayWhatMozSaysWithoutTheToken(t *testing.T) {
	c, _ := fake(t, 400, fail(-32652, 400, "Please include a query", `,"data":{"explanation":"query is missing for `+token+`","key":"query"}`))
	_, err := fetch(t, c, "links", "")
	if err == nil || !strings.Contains(err.Error(), "data.site.link.list: Please include a query: query is missing for [redacted] (query)") {
		t.Error(err)
	}
}

func TestWaitsEndThePenalty(t *testing.T) {
	for name, tc := range map[string]struct {
		status int
		body   string
		header []string
		want   time.Duration
	}{
		"said":          {429, ``, []string{"Retry-After", "7"}, 7 * time.Second},
		"not said":      {429, fail(-1, 429, "Too many requests", ""), nil, 30 * time.Second},
		"in 200":        {200, fail(-1, 429, "Too many requests", ""), nil, 30 * time.Second},
		"server's wait": {503, ``, []string{"Retry-After", "0"}, 0},
	} {
		c, _ := fake(t, tc.status, tc.body, tc.header...)
		_, err := fetch(t, c, "links", "")
		var e *pipeline.Error
		if !errors.As(err, &e) || e.Kind != pipeline.Throttled || e.After != tc.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}
