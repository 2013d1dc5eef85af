package mozrpc

import (
	"regexp"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"backhaul/pipeline"
	"backhaul/pipeline/vendors/internal/wire"
)

// The codes of errors that decide something. Moz publishes no list of its codes; these were seen in answers to probes.
// Source: Moz JSON-RPC, error handling, and probes of 2026-08-26 and 2026-08-28.
const (
	codeAction   = -32601 // no such method
	codeUnhandle = -32602 // UnhandledError, with HTTP 500; by JSON-RPC's own table invalid params
	codeInternal = -32603 // by JSON-RPC's own table
	codeAuth     = -32651
	codeParam    = -32652 // a parameter is missing
	codeNone     = -32655 // no record of what was asked: an answer, which bills nothing
)

// fault is an `error` of JSON-RPC, or one of a batch's input. Moz spells the HTTP status in it in one of two ways, and
// the code likewise.
type fault struct {
	code, status int
	name         string
	message      string
	explanation  string
	issue        string // machine-readable: param-is-missing, interdependent-parameters
	key          string // path to the parameter that caused it: offset.token
}

// readFault reads the value of an `error`. It reads leniently: that there is one counts, not what it looks like.
func readFault(raw []byte) *fault {
	var v any
	if json.Unmarshal(raw, &v, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) != nil || v == nil {
		return nil
	}
	f := &fault{}
	if text, ok := v.(string); ok {
		f.message = text
	}
	members, _ := v.(map[string]any)
	data, _ := members["data"].(map[string]any)
	number := func(names ...string) int {
		for _, name := range names {
			if n, ok := members[name].(float64); ok {
				return int(n)
			}
		}
		return 0
	}
	text := func(of map[string]any, name string) string { s, _ := of[name].(string); return s }
	f.code, f.status = number("code", "jsonrpcCode"), number("status", "httpStatus")
	f.name, f.explanation, f.issue, f.key = text(members, "name"), text(data, "explanation"), text(data, "issue"), text(data, "key")
	if f.message == "" {
		f.message = text(members, "message")
	}
	return f
}

// refusal finds the error in the body of a refusal, or returns nil: somebody between us and Moz may have spoken.
func refusal(body []byte) *fault {
	var reply struct {
		Error jsontext.Value `json:"error"`
	}
	if json.Unmarshal(body, &reply, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) != nil || !wire.Says(reply.Error) {
		return nil
	}
	return readFault(reply.Error)
}

// none reports whether Moz has no record of what was asked. status is that of the reply; 0 for an input of a batch.
func (f *fault) none(status int) bool { return f.code == codeNone && f.http(status) == 404 }

func (f *fault) String() string {
	text := f.message
	if text == "" {
		text = f.name
	}
	if text == "" {
		text = "an error without a text"
	}
	if f.explanation != "" {
		text += ": " + f.explanation
	}
	if f.key != "" {
		text += " (" + f.key + ")"
	}
	return text
}

// HTTP returns the status of the reply the error came with, or, where that was 200, the status it states or stands for.
func (f *fault) http(status int) int {
	switch {
	case status >= 300:
		return status
	case f.status != 0:
		return f.status
	case f.code == codeAuth:
		return 401
	case f.code == codeNone:
		return 404
	case f.code == codeUnhandle, f.code == codeInternal, aboutItself.MatchString(f.message), aboutItself.MatchString(f.name):
		return 500
	case f.code <= -32000 && f.code >= -32099: // JSON-RPC leaves these to servers for errors of their own
		return 500
	default:
		return 400
	}
}

// How Moz words an exhausted quota, or a token that has expired, on this surface is not known: neither was seen.
var (
	aboutItself = regexp.MustCompile(`(?i)^(internal error|unhandled ?error)`)
	aboutQuota  = regexp.MustCompile(`(?i)\bquota|allot(ment|ted)|billing period|out of rows|no (more )?rows|` +
		`\brows?\b.{0,40}\b(left|remain|exceed|exhaust|used up|reached)|\b(exceed|exhaust|reach|insufficient|not enough)\w*\b.{0,40}\brows?\b|` +
		`\bmonth\w*\b.{0,40}\b(limit|allow|exceed|reach|used)|\b(limit|allow|exceed|reach|used)\w*\b.{0,40}\bmonth|` +
		`\b(plan|usage|account|subscription) limit`)
	aboutPace  = regexp.MustCompile(`(?i)per (second|minute|hour)|/ ?(s|sec|min)\b|rate.?limit|too many requests|too fast|slow down|throttl`)
	aboutRows  = regexp.MustCompile(`(?i)\bmonth|billing period|\brows?\b`)
	aboutToken = regexp.MustCompile(`(?i)\b(next |offset |page )?token\b.{0,60}\b(expired?|invalid|not valid|unknown|stale|not found|no longer)|` +
		`\b(expired|invalid|unknown|stale)\b.{0,20}\b(next |offset |page )?token\b`)
)

// kind says what an error asks of the caller. general is what the status says by itself, paged that the request carried a
// token.
func (f *fault) kind(status int, general pipeline.Kind, paged bool) pipeline.Kind {
	switch {
	case f.code == codeAuth || status == 401:
		return pipeline.Denied
	case status == 410, paged && status < 500 && (f.aboutToken() || f.none(status)):
		return pipeline.Stale // a list that was there is there no more
	case status < 500 && f.aboutQuota(), status == 503 && f.aboutQuota():
		return pipeline.Exhausted
	default:
		return general
	}
}

func (f *fault) aboutToken() bool {
	return strings.HasPrefix(f.key, "offset") && strings.HasSuffix(f.key, "token") || aboutToken.MatchString(f.message) || aboutToken.MatchString(f.explanation)
}

// aboutQuota tells "no rows left this month", which stops the vendor, from "too fast", and from a parameter that is
// about rows.
func (f *fault) aboutQuota() bool {
	text := f.name + " " + f.message + " " + f.explanation
	if f.code == codeParam || f.issue == "param-is-missing" || strings.HasPrefix(f.key, "offset") || strings.HasPrefix(f.key, "options") {
		return false
	}
	return (aboutQuota.MatchString(text) || strings.Contains(f.key, "api.limits")) && (!aboutPace.MatchString(text) || aboutRows.MatchString(text))
}
