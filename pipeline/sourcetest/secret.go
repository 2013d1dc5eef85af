package sourcetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"backhaul/pipeline"
)

// secret: credentials that the vendor or the network repeats stand in no error, in none of its causes, and in no error of
// reading what was kept.
func (r run) secret(t *testing.T, pages []pipeline.Page) {
	said := strings.Join(r.cfg.Secrets, " and ")
	quoted := quote(said)
	quoted = quoted[1 : len(quoted)-1]
	bodies := map[string]string{
		"text": said, "HTML": "<p>" + said, "cut": `{"results":["` + quoted, "a name twice": `{"` + quoted + `":1,"` + quoted + `":2}`,
		"message": `{"message":"` + quoted + `"}`, "messages": `{"message":["` + quoted + `"]}`, "error": `{"error":"` + quoted + `"}`,
		"error of an object": `{"error":{"message":"` + quoted + `","key":"` + quoted + `"}}`, "code": `{"error":{"code":-1,"message":"` + quoted + `","data":{"explanation":"` + quoted + `"}}}`,
		"errors": `{"errors":[7,"` + quoted + `"]}`, "a list": `["Error","` + quoted + `"]`, "a list in it": `["Error",["` + quoted + `"]]`, "a member": `{"` + quoted + `":"` + quoted + `"}`,
	}
	tries := map[string]http.Handler{"redirect": reply(302, "", "Location", "/"+url.PathEscape(said)), "broken off": breaking(said)}
	for name, body := range bodies {
		for _, status := range []int{200, 202, 206, 400, 401, 402, 403, 404, 410, 422, 429, 500, 503} {
			tries[fmt.Sprintf("%s, %d", name, status)] = reply(status, body)
		}
	}
	var now http.Handler
	client, _ := r.client(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { now.ServeHTTP(w, req) }), Server{})
	for name, h := range tries {
		now = h
		r.repeats(t, name, client)
	}
	s := r.source(t, client.Sources)
	for _, page := range pages[:min(3, len(pages))] { // in place of the values of a good reply
		starts := valueStarts(page.Body)
		for _, from := range starts[:min(40, len(starts))] {
			with := kept(page)
			with.Body = []byte(string(page.Body[:from]) + `["` + quoted + `"]` + string(page.Body[from+valueEnd(page.Body[from:]):]))
			_, err := s.Read(r.c.Task, pipeline.Ask{Cursor: page.Cursor}, with)
			r.clean(t, "a value", err)
		}
	}
	dial := func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("dial with " + said) }
	client, _ = r.client(t, nil, Server{Dial: dial})
	r.repeats(t, "dial", client)
}

// quote is a text as JSON, with slashes escaped, as some do.
func quote(text string) string {
	raw, _ := json.Marshal(text) // a string always encodes
	return strings.ReplaceAll(string(raw), "/", `\/`)
}

func (r run) repeats(t *testing.T, name string, client Client) {
	t.Helper()
	s := r.source(t, client.Sources)
	page, err := r.first(t.Context(), s)
	if err == nil {
		t.Errorf("%s: no error", name)
	}
	r.clean(t, name, err)
	if page.Body != nil {
		_, err := s.Read(r.c.Task, pipeline.Ask{}, kept(page))
		r.clean(t, name+", read again", err)
		r.clean(t, name+", the request", fmt.Errorf("%s", page.Request))
	}
	for call, do := range client.Calls {
		err := do(t.Context())
		if err == nil {
			t.Errorf("%s, %s: no error", name, call)
		}
		r.clean(t, name+", "+call, err)
	}
}

// clean looks through an error and all its causes.
func (r run) clean(t *testing.T, what string, err error) {
	t.Helper()
	for ; err != nil; err = errors.Unwrap(err) {
		for _, secret := range r.cfg.Secrets {
			for _, spelling := range []string{secret, strings.ReplaceAll(secret, "/", `\/`), url.QueryEscape(secret), url.PathEscape(secret)} {
				if strings.Contains(err.Error(), spelling) {
					t.Errorf("%s: shows a credential: %s", what, err)
				}
			}
		}
	}
}
