package main

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/html"
)

// reportText returns the report in words, as a mail carries it.
func reportText(t *testing.T, warehouse string, args ...string) string {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(backhaul(t, exitComplete, append([]string{"report", "--mime", "--warehouse", warehouse}, args...)...)))
	if err != nil {
		t.Fatal(err)
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	part, err := multipart.NewReader(m.Body, params["boundary"]).NextPart()
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(part)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}

// What a report says came and went is what marts.*_between say, of both vendors; and what a comparison of the two runs says.
func TestAReportCountsAsTheMartsDo(t *testing.T) {
	e, err := startEmulator(emulatorFlags{listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.close)
	for name, value := range e.environment() {
		setenv(t, name, value)
	}
	dir := t.TempDir()
	w, site := filepath.Join(dir, "w"), "trailhead-co.example"
	job := writeFile(t, dir, "both.yaml", `job: both
vendors: {moz: {requests_per_second: 1000}, ahrefs: {requests_per_minute: 60000}}
budget: {moz: {month: 9000}, ahrefs: {run: 90000}}
targets: {own: [`+site+`]}
extracts:
  - {name: anchors, endpoint: moz/anchor_text, targets: [own], params: {scope: root_domain}}
  - {name: links, endpoint: moz/links, targets: [own], params: {target_scope: root_domain, filter: external+not_deleted}}
  - {name: domains, endpoint: moz/linking_root_domains, targets: [own], params: {target_scope: root_domain, filter: external}}
  - {name: a_anchors, endpoint: ahrefs/anchors, targets: [own], params: {mode: subdomains, select: [anchor, refdomains, refpages, dofollow_links, last_seen]}}
  - {name: a_domains, endpoint: ahrefs/refdomains, targets: [own], params: {mode: subdomains, select: [domain, links_to_target, domain_rating, last_seen]}}
`)
	for day, date := range []string{"2026-11-20", "2026-11-21"} {
		e.setDay(day * 30) // so that every list has news
		backhaul(t, exitComplete, "run", job, "--date", date, "--warehouse", w)
	}
	type news struct {
		Vendor    string
		Won, Lost int64
	}
	one, two := reportText(t, w, "both/2026-11-21"), reportText(t, w, "--compare", "both/2026-11-20", "both/2026-11-21")
	changes := int64(0)
	for what, macro := range map[string]string{"domains": "domains_between", "links": "links_between", "anchor texts": "anchors_between"} {
		for _, n := range ask[news](t, w, fmt.Sprintf(`select vendor as Vendor, count(*) filter (change = 'new') as Won, count(*) filter (change = 'lost') as Lost
			from marts.%s('%s', '2026-11-20', '2026-11-21') group by vendor`, macro, site)) {
			want := fmt.Sprintf("%s +%d −%d (%s)", what, n.Won, n.Lost, n.Vendor)
			if changes += n.Won + n.Lost; !strings.Contains(one, want) || !strings.Contains(two, want) {
				t.Errorf("want %q in both\n%s\n%s", want, one, two)
			}
		}
	}
	if changes < 10 {
		t.Errorf("%d changes are too few to tell", changes)
	}
	for _, want := range []string{"its budget for the month is 9,000", "it has no budget for the month"} {
		if !strings.Contains(one, want) {
			t.Errorf("want %q in\n%s", want, one)
		}
	}
	file := backhaul(t, exitComplete, "report", "-o", "-", "--warehouse", w)
	for _, want := range []string{"Kinds of anchor texts: ahrefs, a_anchors, subdomains", "Authority of linking domains: moz, domains, root_domain", "Vendor overlap", "Seen by one vendor alone: domain, site"} {
		if !strings.Contains(file, want) {
			t.Errorf("the file does not say %q", want)
		}
	}
}

// Anchor texts are whatever somebody put into a page; some rows do not fit, a list breaks off, and the program has a secret.
func TestAReportHoldsWhatTheVendorSentAsTextAndNoSecret(t *testing.T) {
	hostile := []string{`</script><script>alert(1)</script>`, `"onmouseover="alert(1)`, "\u202eevil", "שלום", "🧗‍♀️", `<img src=//x.example onerror=alert(1)>`, "javascript:alert(1)"}
	var night atomic.Int64
	s := newListServer(t, listSettings{answer: func(w http.ResponseWriter, target, _ string) bool {
		if night.Load() == 2 && strings.HasPrefix(target, "t2") {
			http.Error(w, `{"message":"no <b>such</b> target, token secret-token"}`, http.StatusNotFound)
			return true
		}
		var rows []string
		for _, text := range hostile[:max(1, night.Load()*int64(len(hostile))/2)] {
			name, _ := json.Marshal(text)
			rows = append(rows, fmt.Sprintf(`{"anchor_text":%s,"external_root_domains":3,"external_pages":4}`, name))
		}
		if night.Load() == 2 && strings.HasPrefix(target, "t3") {
			rows = append(rows, `{"anchor_text":"misfit","external_root_domains":"<i>many</i>","external_pages":4}`)
		}
		fmt.Fprintf(w, `{"results":[%s],"next_token":""}`, strings.Join(rows, ","))
		return true
	}})
	setenv(t, "MOZ_TOKEN", "secret-token")
	setenv(t, "BACKHAUL_MOZ_V2_URL", s.URL)
	dir := t.TempDir()
	w := filepath.Join(dir, "w")
	job := writeJob(t, dir, "{requests_per_second: 1000}", []string{listTarget(1, 1), listTarget(2, 1), listTarget(3, 1)})
	text, err := os.ReadFile(job)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, dir, filepath.Base(job), string(text)+"report: true\n")
	for n, date := range []string{"2026-11-20", "2026-11-21"} {
		night.Store(int64(n + 1))
		backhaul(t, []int{exitComplete, exitTasksFailed}[n], "run", job, "--date", date, "--warehouse", w)
	}
	file, err := os.ReadFile(filepath.Join(w, "reports", "measured.2026-11-21.html"))
	if err != nil {
		t.Fatal(err)
	}
	root, err := html.Parse(strings.NewReader(string(file)))
	if err != nil {
		t.Fatal(err)
	}
	var cells []string
	for n := range root.Descendants() {
		switch {
		case n.Type != html.ElementNode:
		case n.Data == "img" || n.Data == "i" || n.Data == "b":
			t.Errorf("<%s> came in by a text", n.Data)
		case n.Data == "bdi" && n.FirstChild != nil:
			cells = append(cells, n.FirstChild.Data)
		}
	}
	for _, text := range hostile[len(hostile)/2:] { // those that are new in the second night
		if !slices.Contains(cells, text) {
			t.Errorf("%q is in no cell", text)
		}
	}
	if all := strings.Join(cells, "\n"); !strings.Contains(all, "such") || !strings.Contains(all, "external_root_domains") {
		t.Errorf("it does not say what failed and what did not fit\n%s", all)
	}
	if said := string(file) + reportText(t, w); strings.Contains(said, "secret-token") {
		t.Error("the report holds the token")
	}
}
