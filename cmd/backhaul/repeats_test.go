package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"backhaul/pipeline/emulator"
	"backhaul/pipeline/emulator/ahrefs"
)

// forgetful is a vendor that answers every request with the start of its list, and hands out a place it has never given
// before each time.
type forgetful struct {
	vendor *emulator.Server
	places atomic.Int64
}

var (
	sentPlace  = regexp.MustCompile(`"(next_token|token)":\s*"[^"]+",?`)
	givenPlace = regexp.MustCompile(`"(next_token|token)":\s*"[^"]+"`)
)

func (f *forgetful) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	body = sentPlace.ReplaceAll(body, nil)
	body = bytes.ReplaceAll(body, []byte(",}"), []byte("}"))
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	query := r.URL.Query()
	query.Del("where")
	query.Del("offset")
	r.URL.RawQuery = query.Encode()
	r.Header.Del("Accept-Encoding")
	said := httptest.NewRecorder()
	f.vendor.ServeHTTP(said, r)
	for name, values := range said.Header() {
		w.Header()[name] = values
	}
	w.Header().Del("Content-Length")
	w.WriteHeader(said.Code)
	_, _ = w.Write(givenPlace.ReplaceAllFunc(said.Body.Bytes(), func(place []byte) []byte {
		name, _, _ := bytes.Cut(place, []byte(":"))
		return fmt.Appendf(name, `: "place %d"`, f.places.Add(1))
	}))
}

// The promise: whatever a vendor's places say, rows that come again are paid for at most three pages long, are in the table
// once, and are not bought again by a rerun of the date. Where the place is of the program's own making, its source sees that
// the reply is not what was asked for, and it is kept as one that cannot be read.
func TestAVendorThatRepeatsItselfIsPaidForAtMostThreePages(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ surface, vendor, extract, table, ending, says string }{
		{"v2", "moz", "endpoint: moz/anchor_text, params: {scope: root_domain}", "moz.anchor_text", "repeats", "had come before"},
		{"rpc", "moz", "endpoint: moz/anchor_text, params: {scope: root_domain}", "moz.anchor_text", "repeats", "had come before"},
		{"v3", "ahrefs", "endpoint: ahrefs/anchors", "ahrefs.anchors", "fault", "goes back"},
		{"v2", "ahrefs", "endpoint: ahrefs/anchors, params: {mode: subdomains, limit: 100}", "ahrefs.anchors", "repeats", "had come before"},
	} {
		t.Run(test.vendor+" "+test.surface, func(t *testing.T) {
			server := emulator.New(emulator.Options{Ahrefs: ahrefs.Options{RowCap: 100}})
			srv := httptest.NewServer(&forgetful{vendor: server})
			t.Cleanup(srv.Close)
			e := runningEmulator{server: server, address: strings.TrimPrefix(srv.URL, "http://")}
			for name, value := range e.environment() {
				setenv(t, name, value)
			}
			dir := t.TempDir()
			w := filepath.Join(dir, "w")
			job := writeFile(t, dir, "job.yaml", fmt.Sprintf("job: repeats\nvendors: {%s: {surface: %s}}\ntargets: {all: [trailhead-co.example]}\nextracts:\n  - {name: x, targets: [all], %s}\n",
				test.vendor, test.surface, test.extract))
			again := func(args ...string) string {
				return backhaul(t, 3, append([]string{"run", job, "--warehouse", w, "--date", "2026-11-23"}, args...)...)
			}
			again()
			type account struct {
				Ending, Error                        string
				Pages, Rows, Waste, Maybe, Held, Set int64
			}
			state := func() account {
				return ask[account](t, w, fmt.Sprintf(`select ending as Ending, error as Error, pages as Pages, rows as Rows, waste_rows as Waste, maybe_units as Maybe,
					(select count(*) from %[1]s) as Held, (select count(*) from (select distinct * exclude (rank, page_seq, fetched_at) from %[1]s)) as Set from ops.tasks`, test.table))[0]
			}
			a, billed := state(), billedBy(server)
			if a.Ending != test.ending || a.Pages > 4 || a.Held == 0 || a.Held != a.Rows || a.Held != a.Set || a.Waste+a.Maybe == 0 || a.Maybe > 2*billed/3 {
				t.Errorf("%+v", a)
			}
			if !strings.Contains(a.Error, test.says) || !strings.Contains(a.Error, "--again") {
				t.Error(a.Error)
			}
			again()
			if b := state(); b != a || billedBy(server) != billed {
				t.Errorf("a rerun bought more: %+v, %d units after %d", b, billedBy(server), billed)
			}
			again("--again")
			if b := state(); billedBy(server) == billed || b.Pages > a.Pages+2 || b.Held != a.Held {
				t.Errorf("with --again: %+v after %+v", b, a)
			}
		})
	}
}

// billedBy is what the vendor has charged, by its own count.
func billedBy(s *emulator.Server) int64 {
	ahrefs := s.Ahrefs().Meter()
	return s.Meter().Rows + ahrefs.Units + ahrefs.V2Rows
}
