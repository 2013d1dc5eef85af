package document

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
)

func htmlOf(t *testing.T, r *Report) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := r.HTML(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// nodes yields every element of a file by a reader that shares nothing with its writer.
func nodes(t *testing.T, file []byte) (all []*html.Node) {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode {
			all = append(all, n)
		}
	}
	return all
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func textOf(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return b.String()
}

// withHostileTexts puts what an anchor text may be wherever somebody else's words stand.
func withHostileTexts(t *testing.T) *Report {
	known := answers()
	known["anchors"] = nil
	for _, text := range hostile {
		known["anchors"] = append(known["anchors"], []any{"acme.example", "moz, anchors, root_domain", int64(len(hostile)), "won", text, int64(1), int64(1)})
		known["domains"] = append(known["domains"], []any{"acme.example", "moz, domains, root_domain", int64(3), "won", text, nil, nil, nil})
		known["nights"] = append(known["nights"], []any{text, "links", text, text, int64(1), int64(1)})
		known["verdicts"] = append(known["verdicts"], []any{text, int64(1), text})
		known["gap"] = append(known["gap"], []any{text, text, text, int64(1), int64(1), int64(1), int64(1), int64(1), int64(1)})
	}
	s := ofRun()
	for _, text := range hostile {
		task := s.Run.Tasks[0]
		task.Target, task.Ending, task.Error = text, "fault", text
		s.Run.Tasks = append(s.Run.Tasks, task)
	}
	s.Rows = 100
	return build(t, s, known)
}

func TestWhatOthersWroteIsTextAndNothingElse(t *testing.T) {
	plain, file := nodes(t, htmlOf(t, build(t, ofRun(), answers()))), htmlOf(t, withHostileTexts(t))
	kinds := map[string]bool{}
	for _, n := range plain {
		kinds[n.Data] = true
	}
	var cells []string
	scripts := 0
	for _, n := range nodes(t, file) {
		if !kinds[n.Data] {
			t.Errorf("<%s> came in by a text", n.Data)
		}
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") {
				t.Errorf("<%s %s=%q>", n.Data, a.Key, a.Val)
			}
		}
		switch n.Data {
		case "script":
			scripts++
		case "td":
			cells = append(cells, textOf(n))
		}
	}
	if want := len(scriptFiles) + 1; scripts != want {
		t.Errorf("%d scripts, want %d", scripts, want)
	}
	for _, text := range hostile {
		if want := strings.ReplaceAll(shorten(text), "\x00", "\ufffd"); !slices.Contains(cells, want) {
			t.Errorf("%q is in no cell", want)
		}
	}
}

func TestChartsGetTheirDataAsItIs(t *testing.T) {
	r := withHostileTexts(t)
	var got []Chart
	for _, n := range nodes(t, htmlOf(t, r)) {
		if attribute(n, "id") == "charts" {
			if err := json.Unmarshal([]byte(textOf(n)), &got); err != nil {
				t.Fatal(err)
			}
		}
	}
	want := r.charts()
	if len(got) != len(want) || len(want) < 10 {
		t.Fatalf("%d charts, want %d", len(got), len(want))
	}
	found := map[string]bool{}
	for i := range want {
		if !slices.Equal(got[i].Labels, want[i].Labels) {
			t.Errorf("%q, want %q", got[i].Labels, want[i].Labels)
		}
		for _, label := range got[i].Labels {
			found[label] = true
		}
	}
	if !found[hostile[0]] {
		t.Error("no chart has a hostile label")
	}
}

var (
	namespace = regexp.MustCompile(`http://(www\.w3\.org/(2000/svg|2000/xmlns/|1999/xhtml|1999/xlink)|gionkunz\.github\.com/chartist-js/ct)"`)
	fetching  = regexp.MustCompile(`(?i)https?://|url\(|@import|sourceMappingURL|fetch\(|XMLHttpRequest|WebSocket|sendBeacon|EventSource|import\(`)
)

func TestTheFileAsksNoNetwork(t *testing.T) {
	for _, n := range nodes(t, htmlOf(t, withHostileTexts(t))) {
		for _, a := range n.Attr {
			switch {
			case n.Data == "a" && a.Key == "href":
				if !strings.HasPrefix(a.Val, "#") && !strings.HasPrefix(a.Val, "https://") && !strings.HasPrefix(a.Val, "http://") {
					t.Errorf("a link to %q", a.Val)
				}
			case slices.Contains([]string{"src", "href", "srcset", "action", "data", "poster", "background", "ping", "manifest"}, a.Key):
				t.Errorf("<%s %s=%q>", n.Data, a.Key, a.Val)
			}
		}
		if n.Data == "link" || n.Data == "img" || n.Data == "iframe" {
			t.Errorf("<%s>", n.Data)
		}
		if n.Data == "style" || n.Data == "script" && attribute(n, "type") == "" {
			if m := fetching.FindString(namespace.ReplaceAllString(textOf(n), "")); m != "" {
				t.Errorf("%s in <%s>", m, n.Data)
			}
		}
	}
}

func TestOnlyAddressesOfTheWebAreLinks(t *testing.T) {
	for page, want := range map[string]string{
		"blog.example/a?b=c": "https://blog.example/a?b=c", "http://blog.example/ä": "http://blog.example/%C3%A4", "https://blog.example": "https://blog.example",
		"javascript:alert(1)": "", "data:text/html,x": "", "": "", "localhost": "", "user:pass@blog.example": "", "file:///etc/passwd": "", "//blog.example": "", "a b.example": "",
	} {
		if got := link(page); got != want {
			t.Errorf("%q leads to %q, want %q", page, got, want)
		}
	}
}

func TestTheSamePageIsTheSameFile(t *testing.T) {
	if !bytes.Equal(htmlOf(t, withHostileTexts(t)), htmlOf(t, withHostileTexts(t))) {
		t.Error("two files of one report differ")
	}
}

func TestAMailCarriesTheTextAndTheFile(t *testing.T) {
	r := withHostileTexts(t)
	var b bytes.Buffer
	if err := r.Mail(&b, "backhaul:\r\nBcc: x@y.example ü", "nightly.2026-11-23.html", time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)); err != nil {
		t.Fatal(err)
	}
	m, err := mail.ReadMessage(&b)
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || subject != "backhaul: Bcc: x@y.example ü" || m.Header.Get("Bcc") != "" || m.Header.Get("Date") != "Mon, 23 Nov 2026 03:00:00 +0000" {
		t.Errorf("%q %v %v", subject, err, m.Header)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/mixed" {
		t.Fatal(kind, err)
	}
	var text bytes.Buffer
	if err := r.Text(&text); err != nil {
		t.Fatal(err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for _, want := range []struct{ kind, file, content string }{
		{"text/plain; charset=utf-8", "", text.String()}, {"text/html; charset=utf-8", "nightly.2026-11-23.html", string(htmlOf(t, r))},
	} {
		p, err := parts.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(p)
		if got := strings.ReplaceAll(string(content), "\r\n", "\n"); err != nil || p.Header.Get("Content-Type") != want.kind || p.FileName() != want.file || got != strings.ReplaceAll(want.content, "\r\n", "\n") {
			t.Errorf("%v %v: %d bytes, want %d of %s", err, p.Header, len(got), len(want.content), want.kind)
		}
	}
}
