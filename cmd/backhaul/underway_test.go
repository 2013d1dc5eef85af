package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"backhaul/jobs/books"
	"backhaul/jobs/recovery"
	"backhaul/jobs/report"
	"backhaul/pipeline"
	"backhaul/sinks"
)

// stalled serves a vendor that keeps the first request for a list waiting: asked is closed when it is there, and answer lets it
// go on.
func stalled(t *testing.T) (asked <-chan struct{}, answer func()) {
	t.Helper()
	return stalledAfter(t, 0)
}

// stalledAfter answers so many requests before.
func stalledAfter(t *testing.T, answered int) (asked <-chan struct{}, answer func()) {
	t.Helper()
	e, err := startEmulator(emulatorFlags{listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.close)
	there, free := make(chan struct{}), make(chan struct{})
	first := make(chan struct{}, 1)
	first <- struct{}{}
	var n atomic.Int64
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/anchor_text") && n.Add(1) > int64(answered) {
			select {
			case <-first:
				close(there)
			default:
			}
			<-free
		}
		e.server.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	let := onlyOnce(func() { close(free) })
	t.Cleanup(let) // before the server waits for its requests
	setenv(t, "MOZ_TOKEN", e.server.Options().Token)
	setenv(t, "BACKHAUL_MOZ_V2_URL", front.URL+"/v2")
	return there, let
}

func onlyOnce(f func()) func() {
	todo := make(chan struct{}, 1)
	todo <- struct{}{}
	return func() {
		select {
		case <-todo:
			f()
		default:
		}
	}
}

// anchorsOfTwo is a job of two lists, of which one connection reads one after the other.
func anchorsOfTwo(t *testing.T) (job, warehouse string) {
	t.Helper()
	dir := t.TempDir()
	return writeFile(t, dir, "job.yaml", `job: held
vendors: {moz: {requests_per_second: 1000, connections: 1}}
targets: {all: [pinecone-packs.example, trailhead-co.example]}
extracts: [{name: anchors, endpoint: moz/anchor_text, targets: [all], params: {scope: root_domain}, max_rows: 50}]
`), filepath.Join(dir, "w")
}

func TestWhoStopsARunIsToldAtOnceWhatItWaitsFor(t *testing.T) {
	asked, answer := stalled(t)
	job, warehouse := anchorsOfTwo(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	said := &notice{of: "stopping: ", seen: make(chan struct{})}
	ended := make(chan int, 1)
	go func() { ended <- Main(ctx, inTest(t, io.Discard, said, "run", job, "--warehouse", warehouse)) }()
	<-asked
	stop()
	<-said.seen // while the vendor has not answered
	answer()
	if status := <-ended; status != exitInterrupted {
		t.Errorf("exit %d", status)
	}
	if text := said.text.String(); !strings.Contains(text, "stopping: waiting for the replies to 1 request under way, which are paid for, for 1m at most; a second signal stops at once, and leaves open what they cost\n") {
		t.Error(text)
	}
}

// notice is written to by one goroutine at a time, and closes seen at the first text of a kind.
type notice struct {
	text bytes.Buffer
	of   string
	seen chan struct{}
	told bool
}

func (n *notice) Write(p []byte) (int, error) {
	n.text.Write(p)
	if !n.told && strings.Contains(n.text.String(), n.of) {
		n.told = true
		close(n.seen)
	}
	return len(p), nil
}

func TestASecondProcessIsToldWhoIsAtWorkAndMayWait(t *testing.T) {
	asked, answer := stalled(t)
	job, warehouse := anchorsOfTwo(t)
	run := []string{"run", job, "--warehouse", warehouse, "--date", wardDate}
	ended := make(chan int, 2)
	go func() { ended <- Main(t.Context(), inTest(t, io.Discard, io.Discard, run...)) }()
	<-asked
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	status, text := said(t, run...)
	if want := "the run is in progress in another process (pid "; status != exitTryLater || !strings.Contains(text, want) || !strings.Contains(text, " on "+host+", since ") || !strings.Contains(text, "--wait") {
		t.Errorf("exit %d, %s", status, text)
	}
	status, text = said(t, "status", "held/"+wardDate, "--warehouse", warehouse)
	if want := fmt.Sprintf("pid %d on %s is at work on it, since ", os.Getpid(), host); status != exitComplete || !strings.Contains(text, want) {
		t.Errorf("exit %d, %s", status, text)
	}
	if status, text := said(t, "status", "--json", "--warehouse", warehouse); status != exitComplete || !strings.Contains(text, fmt.Sprintf("\"pid\": %d", os.Getpid())) {
		t.Errorf("exit %d, %s", status, text)
	}
	waiting := &notice{of: "waiting: pid ", seen: make(chan struct{})}
	go func() { ended <- Main(t.Context(), inTest(t, io.Discard, waiting, append(run, "--wait")...)) }()
	<-waiting.seen
	answer()
	for range 2 {
		if status := <-ended; status != exitComplete {
			t.Errorf("exit %d, %s", status, waiting.text.String())
		}
	}
	if status, text := said(t, "status", "held/"+wardDate, "--warehouse", warehouse); status != exitComplete || strings.Contains(text, "at work") {
		t.Errorf("of a run that is over: exit %d, %s", status, text)
	}
}

func TestStatusShowsHowFarARunAtWorkHasCome(t *testing.T) {
	asked, answer := stalledAfter(t, 2)
	dir := t.TempDir()
	warehouse := filepath.Join(dir, "w")
	job := writeFile(t, dir, "job.yaml", `job: live
vendors: {moz: {requests_per_second: 1000, connections: 1}}
targets: {one: [pinecone-packs.example], other: [trailhead-co.example]}
extracts:
  - {name: few, endpoint: moz/anchor_text, targets: [one], params: {scope: root_domain}, max_rows: 50, priority: 2}
  - {name: anchors, endpoint: moz/anchor_text, targets: [one, other], params: {scope: root_domain, limit: 10}}
`)
	ended := make(chan int, 1)
	go func() {
		ended <- Main(t.Context(), inTest(t, io.Discard, io.Discard, "run", job, "--warehouse", warehouse, "--date", wardDate))
	}()
	select {
	case <-asked:
	case status := <-ended:
		t.Fatalf("exit %d before it asked", status)
	}
	status, text := said(t, "status", "live/"+wardDate, "--warehouse", warehouse)
	for _, want := range []string{`few +│ moz/anchor_text │ 1 +│ 1 +│ +0 │ 30 +│ 1 +│ 30 +│ +0`, `anchors +│ moz/anchor_text │ 2 +│ 0 +│ +1 │ 10 +│ 1 +│ 10 +│ +0`,
		`anchors +│ [a-z-]+.example +│ root_domain │ under way +│`, `: running, 1 of 3 tasks complete, 40 rows, 40 units spent, `} {
		if status != exitComplete || !regexp.MustCompile(want).MatchString(text) {
			t.Errorf("exit %d, no %s in\n%s", status, want, text)
		}
	}
	var s report.Status
	if err := json.Unmarshal([]byte(backhaul(t, exitComplete, "status", "live/"+wardDate, "--warehouse", warehouse, "--json")), &s); err != nil {
		t.Fatal(err)
	}
	if len(s.Extracts) != 2 || s.Extracts[0].Rows != 10 || s.Extracts[0].UnderWay != 1 || s.Rows != 40 {
		t.Errorf("%+v", s)
	}
	if _, text := said(t, "status", "--warehouse", warehouse); !regexp.MustCompile(`│ live .*│ running .*│ +3 │ +2 │ 40 +│ 0 +│ 40 +│`).MatchString(text) {
		t.Error(text)
	}
	answer()
	if status := <-ended; status != exitComplete {
		t.Errorf("exit %d", status)
	}
}

func TestWhoWaitsForARunCanBeStopped(t *testing.T) {
	job, warehouse := anchorsOfTwo(t)
	setenv(t, "MOZ_TOKEN", "x")
	setenv(t, "BACKHAUL_MOZ_V2_URL", "http://127.0.0.1:1/v2")
	unlock, err := books.InFiles(sinks.Warehouse{Root: warehouse}).Of("held", wardDate).Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	waiting := &notice{of: "waiting: another process", seen: make(chan struct{})}
	ended := make(chan int, 1)
	go func() {
		ended <- Main(ctx, inTest(t, io.Discard, waiting, "run", job, "--warehouse", warehouse, "--date", wardDate, "--wait"))
	}()
	<-waiting.seen
	stop()
	if status := <-ended; status != exitInterrupted {
		t.Errorf("exit %d, %s", status, waiting.text.String())
	}
}

// TestHangingUpStopsARunAsCtrlCDoes needs a process of its own: signals are a process's.
func TestHangingUpStopsARunAsCtrlCDoes(t *testing.T) {
	heard := make(chan os.Signal, 1)
	signal.Notify(heard, syscall.SIGHUP) // a child of what runs under nohup would not hear of it
	defer signal.Stop(heard)
	asked, answer := stalled(t)
	job, warehouse := anchorsOfTwo(t)
	said := &notice{of: "stopping: ", seen: make(chan struct{})}
	self, err := exec.LookPath("backhaul") // which TestMain has put there
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "run", job, "--warehouse", warehouse)
	cmd.Env = processEnviron(t)
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	<-asked
	if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	<-said.seen
	answer()
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != exitInterrupted {
		t.Errorf("%v, %s", err, said.text.String())
	}
}

func TestASignKeepsTheSignOfLifeOfTheProcessBefore(t *testing.T) {
	w := sinks.Warehouse{Root: t.TempDir()}
	book := books.InFiles(w).Of("nightly", wardDate)
	unlock, err := book.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	if h := book.Holder(t.Context()); h.String() != "" {
		t.Errorf("somebody is known: %v", h)
	}
	before := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	if err := os.Chtimes(w.JournalOf("nightly", wardDate)+".lock", before, before); err != nil {
		t.Fatal(err)
	}
	erase := book.Sign(before.Add(time.Hour))
	if h := book.Holder(t.Context()); h.PID != os.Getpid() || !h.Since.Equal(before.Add(time.Hour)) || !strings.HasSuffix(h.String(), ", since 2026-11-23 03:00:00 UTC") {
		t.Errorf("%v", h)
	}
	erase()
	if h := book.Holder(t.Context()); h.String() != "" {
		t.Errorf("who has left is still named: %v", h)
	}
	if sign := recovery.LastSign(t.Context(), book, time.Now()); sign.Sub(before) > time.Minute {
		t.Errorf("the sign of life is of %v", sign)
	}
}

func TestAnAddressThatAnswersNothingButNotFoundIsNoFaultOfTheLists(t *testing.T) {
	e, err := startEmulator(emulatorFlags{listen: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.close)
	setenv(t, "MOZ_TOKEN", e.server.Options().Token)
	setenv(t, "BACKHAUL_MOZ_V2_URL", "http://"+e.address)
	for _, targets := range []string{"[pinecone-packs.example]", "[pinecone-packs.example, trailhead-co.example, rivalgear.example, acme-outdoor.example, quietpeak.example]"} {
		dir := t.TempDir()
		job := writeFile(t, dir, "job.yaml", "job: lost\nvendors: {moz: {requests_per_second: 1000}}\ntargets: {all: "+targets+"}\nextracts: [{name: anchors, endpoint: moz/anchor_text, targets: [all], params: {scope: root_domain}}]\n")
		run := []string{"run", job, "--warehouse", filepath.Join(dir, "w"), "--date", wardDate}
		status, text := said(t, run...)
		if status != exitFailed || !strings.Contains(text, errWrongPlace.Error()) || !strings.Contains(text, "check BACKHAUL_MOZ_V2_URL, which is https://lsapi.seomoz.com/v2") || strings.Contains(text, "check the credentials") {
			t.Errorf("exit %d, %s", status, text)
		}
		if files, err := filepath.Glob(filepath.Join(dir, "w/lake/moz/anchor_text/month=2*/*")); len(files) > 0 || err != nil {
			t.Errorf("a table was published: %v %v", files, err)
		}
		setenv(t, "BACKHAUL_MOZ_V2_URL", "http://"+e.address+"/v2")
		if status, text := said(t, run...); status != exitComplete {
			t.Errorf("at the right address: exit %d, %s", status, text)
		}
		setenv(t, "BACKHAUL_MOZ_V2_URL", "http://"+e.address)
	}
}

func TestOneListThatIsNotFoundIsTheFaultOfThatList(t *testing.T) {
	absent := &pipeline.Error{Kind: pipeline.Rejected, Status: 404, Message: "no record"}
	for name, before := range map[string][]error{"after an answer": {nil}, "after a refusal": {&pipeline.Error{Kind: pipeline.Throttled, Status: 429}}, "first of many": nil} {
		u := newUnderWay(20)
		for _, err := range before {
			if got := u.wrongPlace("moz", err); got != err {
				t.Errorf("%s: %v", name, got)
			}
		}
		for range 2 {
			if err := u.wrongPlace("moz", absent); err != error(absent) {
				t.Errorf("%s: %v", name, err)
			}
		}
		var e *pipeline.Error
		if err := u.wrongPlace("moz", absent); !errors.As(err, &e) || (e.Kind == pipeline.Denied) != (before == nil) {
			t.Errorf("%s: %v", name, err)
		}
		if err := u.wrongPlace("ahrefs", absent); err != error(absent) {
			t.Errorf("%s: of another vendor: %v", name, err)
		}
	}
}
