package notify

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"backhaul/jobs/account"
	"backhaul/jobs/report"
	"backhaul/pipeline"
)

var patience = Delivery{Timeout: 10 * time.Second, Wait: time.Millisecond}

// received is one request of a webhook.
type received struct {
	header http.Header
	body   []byte
}

// hookServer answers with the statuses, one after another, the last for ever.
func hookServer(t *testing.T, statuses ...int) (url string, requests func() []received) {
	var all []received
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		all = append(all, received{r.Header, body})
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(statuses[min(len(all), len(statuses))-1])
		fmt.Fprint(w, "the-servers-own-secret")
	}))
	t.Cleanup(s.Close)
	return s.URL + "/services/T0/c4n4ry", func() []received { return all }
}

var failure = Compose(Due{Events: []string{"failed", "breach"}, Nights: 3}, report.Summary{
	RunID: "01J", Job: "nightly", RunDate: "2026-11-23", ExitStatus: 1, Stop: "moz: the key was refused",
	Bought:       pipeline.Cost{Rows: 45301, Units: 45301},
	Incomplete:   []report.Task{{Extract: "links", Ending: "denied", Error: "denied: <403>"}, {Extract: "links", Ending: "denied"}, {Extract: "anchors", Ending: "not reached"}},
	Expectations: []account.Finding{{Extract: "anchors", Check: "rows", Found: new(int64(3)), Min: new(int64(100)), Breached: true}},
}, []Change{{What: "links", Change: "lost", Target: "a.example", From: "spam.example", Count: 40}})

func TestAMessageSaysInFewLinesWhatHappened(t *testing.T) {
	const want = `backhaul: job nightly of 2026-11-23 failed, the 3rd night in a row
moz: the key was refused
rows of anchors: 3, at least 100 are expected
2 tasks of links incomplete: denied: <403>
1 task of anchors incomplete: not reached
it bought 45,301 rows for 45,301 units in 0.0s
what changed most:
  40 lost links from spam.example of a.example
see ` + "`backhaul status 01J`"
	if failure.Text != want {
		t.Errorf("got\n%s\nwant\n%s", failure.Text, want)
	}
}

func TestAMessageSaysThatAnAmountIsAFloor(t *testing.T) {
	s := report.Summary{RunID: "01J", Missing: &pipeline.Cost{Units: 50}, MissingUnknown: 2}
	if m := Compose(Due{Events: []string{"stopped"}}, s, nil); !strings.Contains(m.Text, "expected to cost at least 50 units more") {
		t.Error(m.Text)
	}
}

func TestAWebhookGetsTheSummarySigned(t *testing.T) {
	url, requests := hookServer(t, 200)
	hook, err := NewWebhook(Webhook{Label: "HOOK_URL", URL: url, Secret: "key"})
	if err != nil {
		t.Fatal(err)
	}
	if err := patience.Send(t.Context(), hook, failure); err != nil {
		t.Fatal(err)
	}
	got := requests()[0]
	var told Message
	if err := json.Unmarshal(got.body, &told); err != nil || told.Event != "failed" || told.Summary.Bought.Units != 45301 || told.Changes[0].Count != 40 {
		t.Errorf("%v: %s", err, got.body)
	}
	if want := "sha256=" + sign("key", got.body); got.header.Get(Signature) != want {
		t.Errorf("signed %q, want %q", got.header.Get(Signature), want)
	}
	// By an implementation of its own: printf abc | openssl dgst -sha256 -hmac key
	if got := sign("key", []byte("abc")); got != "9c196e32dc0175f86f4b1cb89289d6619de6bee699e4c378e68309ed97a1a6ab" {
		t.Errorf("signature %s", got)
	}
}

func TestSlackGetsTextWithoutMarkup(t *testing.T) {
	url, requests := hookServer(t, 200)
	if err := patience.Send(t.Context(), &Webhook{Label: "HOOK_URL", URL: url, Slack: true}, failure); err != nil {
		t.Fatal(err)
	}
	var told map[string]string
	if err := json.Unmarshal(requests()[0].body, &told); err != nil || len(told) != 1 {
		t.Fatalf("%v: %s", err, requests()[0].body)
	}
	if !strings.HasPrefix(told["text"], "*backhaul: job nightly of 2026-11-23 failed") || !strings.Contains(told["text"], "denied: &lt;403&gt;") {
		t.Error(told["text"])
	}
}

func TestATryThatMayHelpIsMadeThreeTimes(t *testing.T) {
	for _, c := range []struct {
		statuses []int
		tries    int
		err      string
	}{{[]int{500, 200}, 2, ""}, {[]int{503}, 3, "it answered with HTTP status 503"}, {[]int{404}, 1, "it answered with HTTP status 404"}, {[]int{302}, 1, "it answered with HTTP status 302"}} {
		url, requests := hookServer(t, c.statuses...)
		err := patience.Send(t.Context(), &Webhook{Label: "HOOK_URL", URL: url}, failure)
		if said := fmt.Sprint(err); len(requests()) != c.tries || c.err == "" && err != nil || c.err != "" && said != c.err {
			t.Errorf("%v: %d tries, want %d: %v", c.statuses, len(requests()), c.tries, err)
		}
	}
}

func TestNoErrorRepeatsASecret(t *testing.T) {
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body); <-r.Context().Done() }))
	t.Cleanup(silent.Close)
	refusing, _ := hookServer(t, 403)
	for _, url := range []string{closed.URL + "/c4n4ry", silent.URL + "/c4n4ry", refusing, "http://c4n4ry.invalid", "https://%c4n4ry", "ftp://c4n4ry", "c4n4ry", "http://192.0.2.1/c4n4ry"} {
		hook, err := NewWebhook(Webhook{Label: "HOOK_URL", URL: url})
		if err == nil {
			err = Delivery{Timeout: 50 * time.Millisecond, Wait: time.Millisecond}.Send(t.Context(), hook, failure)
		}
		if err == nil || strings.Contains(err.Error(), "c4n4ry") || strings.Contains(err.Error(), "127.0.0.1") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestACommandGetsTheMessageAndNoCredentials(t *testing.T) {
	t.Setenv("MOZ_TOKEN", "c4n4ry")
	dir := t.TempDir()
	program := filepath.Join(dir, "tell")
	if err := os.WriteFile(program, []byte("#!/bin/sh\ncat > \"$1\"; /usr/bin/env >> \"$1\"; [ \"$2\" = '; true' ] || exit 7\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out")
	c := &Command{Argv: []string{program, out, "; true"}, Environ: []string{"PATH=/usr/bin:/bin"}}
	if err := patience.Send(t.Context(), c, failure); err != nil {
		t.Fatal(err)
	}
	told, err := os.ReadFile(out)
	if err != nil || strings.Contains(string(told), "c4n4ry") {
		t.Errorf("%v: %s", err, told)
	}
	line, _, _ := strings.Cut(string(told), "\n")
	var m Message
	if err := json.Unmarshal([]byte(line), &m); err != nil || m.Title != failure.Title {
		t.Errorf("%v: %s", err, told)
	}
	c.Argv[2] = "false"
	if err := patience.Send(t.Context(), c, failure); err == nil || !strings.Contains(err.Error(), "exit status 7") {
		t.Errorf("a program that fails: %v", err)
	}
	if err := patience.Send(t.Context(), &Command{Argv: []string{filepath.Join(dir, "none")}}, failure); err == nil || err.Error() != "there is no such program" {
		t.Errorf("a program that is not there: %v", err)
	}
}

// smtpServer speaks as much SMTP (RFC 5321) as it takes to hand one letter in, and answers RCPT with the reply.
func smtpServer(t *testing.T, reply string) (port int, said func() string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	var open atomic.Pointer[net.Conn] // which a client may leave open
	served := make(chan struct{})
	go func() {
		defer close(served)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			open.Store(&conn)
			converse(conn, reply, &all)
		}
	}()
	stop := func() {
		_ = l.Close()
		if conn := open.Load(); conn != nil {
			_ = (*conn).Close()
		}
		<-served
	}
	t.Cleanup(stop)
	return l.Addr().(*net.TCPAddr).Port, func() string { stop(); return all.String() }
}

func converse(conn net.Conn, reply string, all *strings.Builder) {
	defer conn.Close()
	fmt.Fprint(conn, "220 here\r\n")
	in := bufio.NewScanner(conn)
	data := false
	for in.Scan() {
		line := in.Text()
		fmt.Fprintln(all, line)
		verb := strings.ToUpper(strings.Fields(line + " x")[0])
		switch {
		case data && line == ".":
			data = false
			fmt.Fprint(conn, "250 taken\r\n")
		case data:
		case verb == "EHLO":
			fmt.Fprint(conn, "250-here\r\n250 AUTH PLAIN\r\n")
		case verb == "AUTH":
			fmt.Fprint(conn, "235 come in\r\n")
		case verb == "RCPT":
			fmt.Fprint(conn, reply+"\r\n")
		case verb == "DATA":
			data = true
			fmt.Fprint(conn, "354 go on\r\n")
		case verb == "QUIT":
			fmt.Fprint(conn, "221 bye\r\n")
			return
		default:
			fmt.Fprint(conn, "250 ok\r\n")
		}
	}
}

func TestMailIsHandedIn(t *testing.T) {
	port, said := smtpServer(t, "250 ok")
	e := &Email{Host: "127.0.0.1", Port: port, From: "b@example.com", To: []string{"ops@example.com", "seo@example.com"}, User: "me", Password: "pa55"}
	if err := patience.Send(t.Context(), e, failure); err != nil {
		t.Fatal(err)
	}
	letter := said()
	for _, want := range []string{"MAIL FROM:<b@example.com>", "RCPT TO:<ops@example.com>", "RCPT TO:<seo@example.com>", "AUTH PLAIN", "Subject: backhaul: job nightly of 2026-11-23", "moz: the key was refused"} {
		if !strings.Contains(letter, want) {
			t.Errorf("no %q in\n%s", want, letter)
		}
	}
}

func TestAServerThatTakesNoMailIsToldWithoutItsWords(t *testing.T) {
	for reply, want := range map[string]int{"451 c4n4ry later": tries, "550 c4n4ry never": 1} {
		port, said := smtpServer(t, reply)
		err := patience.Send(t.Context(), &Email{Host: "127.0.0.1", Port: port, From: "b@example.com", To: []string{"ops@example.com"}}, failure)
		if err == nil || strings.Contains(err.Error(), "c4n4ry") || strings.Contains(err.Error(), strconv.Itoa(port)) {
			t.Errorf("%s: %v", reply, err)
		}
		if n := strings.Count(said(), "RCPT"); n != want {
			t.Errorf("%s: %d tries, want %d", reply, n, want)
		}
	}
}

func TestMailToAnotherMachineIsAlwaysEncrypted(t *testing.T) {
	for host, want := range map[string]string{"smtp.example.com": "TLSMandatory", "127.0.0.1": "TLSOpportunistic"} {
		client, err := (&Email{Host: host, Port: 587}).client()
		if err != nil || client.TLSPolicy() != want {
			t.Errorf("%s: %v, %v", host, client.TLSPolicy(), err)
		}
	}
}
