package wire

import (
	"encoding/json"
	"iter"
	"strings"
	"testing"

	"backhaul/pipeline"
)

// members are those of a JSON object.
func members(body string) iter.Seq2[string, []byte] {
	var object map[string]json.RawMessage
	_ = json.Unmarshal([]byte(body), &object)
	return func(yield func(string, []byte) bool) {
		for name, raw := range object {
			if !yield(name, raw) {
				return
			}
		}
	}
}

func TestFaultsAreFoundWhereTheyUsuallyStand(t *testing.T) {
	c := newClient(t, "http://localhost", nil)
	for body, want := range map[string]string{
		`{}`: "", `7`: "", `{"error":null}`: "", `{"error":""}`: "", `{"error":" "}`: "", `{"error":{}}`: "", `{"error":[]}`: "", `{"error":false}`: "", `{"error":0}`: "",
		`{"error":{"code":0,"message":null}}`: "", `{"errors":[null,{}],"message":"","error_message":null}`: "", `{"status":401}`: "",

		`{"error":"invalid token"}`:                                             "denied: invalid token",
		`{"error":{"message":"quota exceeded","code":7}}`:                       "exhausted: quota exceeded",
		`{"error":{"error":{"error_message":"slow down"}}}`:                     "throttled: slow down",
		`{"error":{"detail":"try again"}}`:                                      "transient: try again",
		`{"error_message":"The next token has expired"}`:                        "stale: The next token has expired",
		`{"errors":["limit reached for this month"]}`:                           "exhausted: limit reached for this month",
		`{"error":"surprise"}`:                                                  "rejected: surprise",
		`{"error":true,"message":"Unauthorized"}`:                               "denied: Unauthorized",
		`{"error":true}`:                                                        `rejected: {"error":true}`,
		`{"error":{"code":17}}`:                                                 `rejected: {"error":{"code":17}}`,
		`{"error":{"code":429}}`:                                                `throttled: {"error":{"code":429}}`,
		`{"error":{"status":401,"message":"nope"}}`:                             "denied: nope",
		`{"error":{"httpStatus":503,"message":"nope"}}`:                         "transient: nope",
		`{"error":"nope","status":402}`:                                         "exhausted: nope",
		`{"error":"nope","status":200}`:                                         "rejected: nope",
		`{"error":"rate limit","code":401}`:                                     "throttled: rate limit",
		`{"message":"Forbidden"}`:                                               "denied: Forbidden (note)",
		`{"message":{"text":"hello"}}`:                                          "rejected: hello (note)",
		`{"message":"hello","error":""}`:                                        "rejected: hello (note)",
		`{"message":"hello","error":"` + strings.Repeat("x", 400) + `"}`:        "rejected: " + strings.Repeat("x", 297) + "…",
		`{"error":"bad ` + secret + `"}`:                                        "rejected: bad [redacted]",
		`{"error":{"a":["` + strings.ReplaceAll(secret, "/", `\/`) + `","b"]}}`: "rejected: [redacted]: b",
	} {
		got := ""
		if f := c.Fault(members(body)); f != nil {
			got = f.Kind.String() + ": " + f.Text
			if f.Note {
				got += " (note)"
			}
		}
		if got != want {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
}

func TestWordsTellWhatARefusalAsksFor(t *testing.T) {
	for text, want := range map[string]pipeline.Kind{
		"The next token has expired": pipeline.Stale, "invalid next_token": pipeline.Stale, "unknown cursor": pipeline.Rejected, "the cursor is invalid": pipeline.Stale,
		"Invalid API key": pipeline.Denied, "token expired": pipeline.Denied, "Missing or invalid authentication": pipeline.Denied, "Authentication failed": pipeline.Denied,
		"Forbidden": pipeline.Denied, "this API has been discontinued": pipeline.Denied, "your subscription has expired": pipeline.Denied,
		"Rate limit: request quota per second exceeded": pipeline.Throttled, "too many requests": pipeline.Throttled, "slow down": pipeline.Throttled,
		"row limit of this month reached, 10 rows per second": pipeline.Exhausted, "API units limit reached. Expected usage: 50, API units left: 0.": pipeline.Exhausted,
		"No rows remaining in this billing period": pipeline.Exhausted, "plan limit": pipeline.Exhausted,
		"Internal server error": pipeline.Transient, "down for monthly maintenance": pipeline.Transient, "try again later": pipeline.Transient,
	} {
		kind, ok := Meaning(text)
		if kind != want || ok != (want != pipeline.Rejected) {
			t.Errorf("%s: %s, %v, want %s", text, kind, ok, want)
		}
	}
	for _, text := range []string{"", "surprise", "scope: not one of page", "no such target", "target not found in the index", strings.Repeat("x", 4096) + " forbidden"} {
		if kind, ok := Meaning(text); ok || kind != pipeline.Rejected {
			t.Errorf("%.40s: %s, %v", text, kind, ok)
		}
	}
}

func FuzzFault(f *testing.F) {
	for _, s := range []string{`"x"`, `{"message":"` + secret + `"}`, `[["a",{"b":1}],null]`, `{"error":{"error":{"status":429}}}`, `{`, "\xff", `1e400`} {
		f.Add([]byte(s), []byte(s))
	}
	c, err := New(Options{Base: "http://localhost", Auth: HeaderAuth("x", secret)})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, problem, message []byte) {
		fault := c.Fault(func(yield func(string, []byte) bool) {
			_ = yield("error", problem) && yield("message", message)
		})
		said := Says(problem) || Says(message)
		if (fault != nil) != said {
			t.Fatalf("%q, %q: %+v", problem, message, fault)
		}
		if fault != nil && (strings.Contains(fault.Text, secret) || len(fault.Text) > MaxText || fault.Kind == pipeline.Malformed) {
			t.Fatalf("%q, %q: %+v", problem, message, fault)
		}
	})
}
