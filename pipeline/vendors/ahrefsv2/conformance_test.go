package ahrefsv2

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"backhaul/pipeline"
	"backhaul/pipeline/emulator"
	"backhaul/pipeline/emulator/ahrefs"
	"backhaul/pipeline/sourcetest"
)

func TestSourcesKeepWhatTheyPromise(t *testing.T) {
	of := func(params string) pipeline.Task {
		return pipeline.Task{Target: "summit-supply.example", Params: params}
	}
	sourcetest.Run(t, sourcetest.Config{
		New: func(t testing.TB, s sourcetest.Server) sourcetest.Client {
			c, err := New(Config{BaseURL: s.URL, Token: token, HTTP: HTTP{Clock: s.Clock, MaxBody: s.MaxBody, Dial: s.Dial}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(c.Close)
			return sourcetest.Client{Sources: c.Sources(), Calls: map[string]func(context.Context) error{
				"usage": func(ctx context.Context) error { _, err := c.Usage(ctx, time.Time{}, time.Time{}); return err },
			}}
		},
		Offline: Offline,
		Vendor:  unknown(emulator.New(emulator.Options{Ahrefs: ahrefs.Options{V2Token: token, RequestsPerMinute: 1_000_000}})),
		Path:    "/ahrefs-v2", Secrets: []string{token},
		Cases: []sourcetest.Case{
			{Endpoint: "anchors", Task: of(`{}`), Limit: 300},
			{Endpoint: "all_backlinks", Task: of(`{"aggregation":"1_per_domain"}`), Limit: 300},
			{Endpoint: "broken_backlinks", Task: of(`{}`), Limit: 50},
			{Endpoint: "refdomains", Task: of(`{"having":"domain_rating>20"}`), Limit: 100},
			{Endpoint: "linkeddomains", Task: of(`{}`), Limit: 20},
			{Endpoint: "pages_by_backlinks", Task: of(`{}`), Limit: 50},
			{Endpoint: "backlinks_stats", Task: of(`{"from":"metrics"}`)},
			{Endpoint: "domain_rating", Task: of(`{}`)},
		},
	})
}

// unknown answers for the tables that the emulated vendor does not have; all others are its own.
func unknown(emulated http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		member, known := map[string]string{"broken_backlinks": "refpages", "linked_domains": "domains", "pages_extended": "pages"}[q.Get("from")]
		switch {
		case q.Get("from") == "domain_rating":
			io.WriteString(w, `{"domain":{"domain_rating":91,"ahrefs_top":3}}`)
		case !known:
			emulated.ServeHTTP(w, r)
		default:
			limit, _ := strconv.Atoi(q.Get("limit"))
			offset, _ := strconv.Atoi(q.Get("offset"))
			var rows []string
			for i := offset; i < min(offset+limit, 125); i++ {
				rows = append(rows, fmt.Sprintf(`{"url_from":"http://a%d.example/","url":"http://b%d.example/","domain_to":"c%d.example"}`, i, i, i))
			}
			io.WriteString(w, `{"`+member+`":[`+strings.Join(rows, ",")+`]}`)
		}
	})
}
