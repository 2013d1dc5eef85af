package emulator

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// result is what a client sees of a request under a fault.
type result struct {
	status     int
	body       string
	err        error // of the request, or of reading the body
	retryAfter string
	took       time.Duration
}

// over sends a request through a real HTTP server and client joined by a pipe, so that time in a synctest bubble is exact.
func over(t *testing.T, s *Server, body object) (out result) {
	t.Helper()
	here, there := net.Pipe()
	l := &oneConn{conn: there, closed: make(chan struct{})}
	h := &http.Server{Handler: s, ConnState: s.ConnState}
	served := make(chan error, 1)
	go func() { served <- h.Serve(l) }()
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		if here == nil {
			return nil, errors.New("no second connection")
		}
		c := here
		here = nil
		return c, nil
	}}
	defer func() {
		transport.CloseIdleConnections()
		_ = h.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	}()
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequest(http.MethodPost, "http://emulator/v2/anchor_text", strings.NewReader(string(raw)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("x-moz-token", DefaultToken)
	r.Header.Set("Accept-Encoding", "identity")
	start := time.Now()
	answer, err := (&http.Client{Transport: transport, Timeout: 10 * time.Second}).Do(r)
	if err != nil {
		return result{err: err, took: time.Since(start)}
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return result{answer.StatusCode, string(text), err, answer.Header.Get("Retry-After"), time.Since(start)}
}

type oneConn struct {
	conn   net.Conn
	closed chan struct{}
}

func (l *oneConn) Accept() (net.Conn, error) {
	if c := l.conn; c != nil {
		l.conn = nil
		return c, nil
	}
	<-l.closed
	return nil, net.ErrClosed
}
func (l *oneConn) Close() error {
	select {
	case <-l.closed:
	default:
		close(l.closed)
	}
	return nil
}
func (l *oneConn) Addr() net.Addr { return &net.TCPAddr{} }

func TestEachFaultDoesWhatItSaysAndBillsWhatItSays(t *testing.T) {
	good := send(New(Options{}), "anchor_text", ask, nil).Body.String()
	for kind, test := range map[Kind]struct {
		fits        func(result) bool
		rows, waste int
	}{
		Kind429:         {func(r result) bool { return r.status == 429 && r.retryAfter == "3" }, 0, 0},
		Kind429Bare:     {func(r result) bool { return r.status == 429 && r.retryAfter == "" }, 0, 0},
		Kind500:         {func(r result) bool { return r.status == 500 }, 0, 0},
		Kind503:         {func(r result) bool { return r.status == 503 && r.retryAfter == "3" }, 0, 0},
		KindHTML200:     {func(r result) bool { return r.status == 200 && strings.HasPrefix(r.body, "<!DOCTYPE") }, 0, 0},
		KindHTML502:     {func(r result) bool { return r.status == 502 && strings.HasPrefix(r.body, "<!DOCTYPE") }, 0, 0},
		KindCut:         {func(r result) bool { return errors.Is(r.err, io.ErrUnexpectedEOF) && len(r.body) == len(good)/2 }, 25, 25},
		KindCloseBefore: {func(r result) bool { return r.status == 0 && errors.Is(r.err, io.EOF) }, 0, 0},
		KindCloseAfter:  {func(r result) bool { return r.status == 0 && errors.Is(r.err, io.EOF) }, 25, 25},
		KindStall:       {func(r result) bool { return r.status == 0 && r.took == 10*time.Second }, 25, 25},
		KindSlow:        {func(r result) bool { return r.status == 200 && len(r.body) == len(good) && r.took >= 4*time.Second }, 25, 0},
		KindBadLength: {func(r result) bool {
			return r.status == 200 && r.err == nil && len(r.body) == len(good)/2 && !json.Valid([]byte(r.body))
		}, 25, 25},
		KindGone: {func(r result) bool { return r.status == 200 && len(r.body) == len(good) }, 25, 0}, // a first page has no token to lose
	} {
		t.Run(string(kind), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := New(Options{Faults: Faults{Rate: 1, Kinds: []Kind{kind}, RetryAfter: 3 * time.Second, Slow: 5 * time.Second, Stall: time.Minute}})
				r := over(t, s, ask)
				if !test.fits(r) {
					t.Errorf("%+v", r)
				}
				synctest.Wait() // the server may learn later than the client that the client left
				m := s.Meter()
				if int(m.Rows) != test.rows || int(m.WasteRows) != test.waste || m.Pages != one(test.rows > test.waste) {
					t.Errorf("billed %d, wasted %d, delivered %d pages; want %d and %d rows", m.Rows, m.WasteRows, m.Pages, test.rows, test.waste)
				}
				if want := one(kind != KindGone); m.Faults[kind] != want {
					t.Errorf("%d faults were counted", m.Faults[kind])
				}
			})
		})
	}
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestAStallEndsByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Faults: Faults{Rate: 1, Kinds: []Kind{KindStall}, Stall: 4 * time.Second}})
		if r := over(t, s, ask); !errors.Is(r.err, io.EOF) || r.took != 4*time.Second {
			t.Errorf("%+v", r)
		}
	})
}

func TestGoneStrikesLiveTokens(t *testing.T) {
	s := New(Options{Faults: Faults{Rate: 1, Kinds: []Kind{KindGone}}})
	_, body := call(t, s, "anchor_text", ask)
	_, token := page(t, body)
	if got, body := call(t, s, "anchor_text", with(ask, "next_token", token)); got != 410 || !strings.Contains(string(body), "The next token has expired") {
		t.Errorf("%d %s", got, body)
	}
}

func TestTheSameSeedFailsTheSameRequestsInAnyOrder(t *testing.T) {
	statuses := func(seed uint64, targets []string) map[string][]int {
		s := New(Options{Faults: Faults{Rate: 0.4, Seed: seed, Kinds: []Kind{Kind429, Kind500, Kind503}}})
		out := map[string][]int{}
		for range 3 {
			for _, name := range targets {
				status, _ := call(t, s, "anchor_text", object{"target": name})
				out[name] = append(out[name], status)
			}
		}
		return out
	}
	names := New(Options{}).Graph().Largest(40)
	backwards := make([]string, len(names))
	for i, name := range names {
		backwards[len(names)-1-i] = name
	}
	a := statuses(7, names)
	if diff := cmp.Diff(a, statuses(7, backwards)); diff != "" {
		t.Error(diff)
	}
	if cmp.Equal(a, statuses(8, names)) {
		t.Error("another seed fails the same requests")
	}
	failed := 0
	for _, list := range a {
		for _, status := range list {
			failed += one(status != 200)
		}
	}
	if failed < 30 || failed > 70 {
		t.Errorf("%d of 120 requests failed at a rate of 0.4", failed)
	}
}

func TestTriesAndMaxLetARunEnd(t *testing.T) {
	s := New(Options{Faults: Faults{Rate: 1, Kinds: []Kind{Kind500}, Tries: 2}})
	for i, want := range []int{500, 500, 200, 200} {
		if got, _ := call(t, s, "anchor_text", ask); got != want {
			t.Errorf("delivery %d: %d", i+1, got)
		}
	}
	s = New(Options{Faults: Faults{Rate: 1, Kinds: []Kind{Kind500}, Max: 1}})
	call(t, s, "anchor_text", ask)
	if got, _ := call(t, s, "usage_data", object{}); got != 200 {
		t.Errorf("after the last fault: %d", got)
	}
}

func TestDenyAndQuotaStrikeInTheMiddleOfARun(t *testing.T) {
	s := New(Options{Faults: Faults{DenyAfter: 2}})
	for i, want := range []int{200, 200, 401, 401} {
		if got, _ := call(t, s, "anchor_text", ask); got != want {
			t.Errorf("deny, request %d: %d", i, got)
		}
	}
	s = New(Options{Faults: Faults{QuotaAfter: 26}})
	for i, want := range []int{200, 200, 403} {
		if got, _ := call(t, s, "anchor_text", ask); got != want {
			t.Errorf("quota, request %d: %d", i, got)
		}
	}
}

func TestAShiftingListRepeatsAndSkipsRows(t *testing.T) {
	list := func(f Faults) []string {
		var out []string
		for _, a := range pageThroughLoosely(t, New(Options{Faults: f})) {
			out = append(out, a.AnchorText)
		}
		return out
	}
	still, moving := list(Faults{}), list(Faults{Shift: 0.5, Seed: 3})
	seen := map[string]int{}
	for _, text := range moving {
		seen[text]++
	}
	var repeated, skipped int
	for _, text := range still {
		repeated += one(seen[text] > 1)
		skipped += one(seen[text] == 0)
	}
	if repeated == 0 || skipped == 0 {
		t.Errorf("%d rows came twice, %d never", repeated, skipped)
	}
	if diff := cmp.Diff(moving, list(Faults{Shift: 0.5, Seed: 3})); diff != "" {
		t.Error("the same seed moves other rows")
	}
}

func pageThroughLoosely(t *testing.T, s *Server) (all []anchorRow) {
	body := with(ask, "limit", 50)
	for {
		_, raw := call(t, s, "anchor_text", body)
		var p struct {
			Results []anchorRow
			Token   string `json:"next_token"`
		}
		if err := json.Unmarshal(raw, &p); err != nil {
			t.Fatal(err)
		}
		all = append(all, p.Results...)
		if p.Token == "" {
			return all
		}
		body["next_token"] = p.Token
	}
}

func TestParseFaultsReadsWhatHelpDescribes(t *testing.T) {
	got, err := ParseFaults("rate=0.3, seed=7,kinds=429+cut+close_after,tries=2,max=9,retry_after=2s,stall=5s,slow=1s,deny_after=4,quota_after=100,shift=0.1")
	want := Faults{Rate: 0.3, Seed: 7, Kinds: []Kind{Kind429, KindCut, KindCloseAfter}, Tries: 2, Max: 9, RetryAfter: 2 * time.Second,
		Stall: 5 * time.Second, Slow: time.Second, DenyAfter: 4, QuotaAfter: 100, Shift: 0.1}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	if got, err := ParseFaults(""); err != nil || !cmp.Equal(got, Faults{}) {
		t.Errorf("%+v, %v", got, err)
	}
	for _, bad := range []string{"rate", "rate=2", "rate=-1", "rate=NaN", "kinds=", "kinds=429+nonsense", "seed=-1", "tries=0", "stall=5", "nonsense=1", "slow=-1s"} {
		if _, err := ParseFaults(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
	help := FaultHelp()
	for _, name := range []string{"rate", "seed", "kinds", "tries", "max", "retry_after", "stall", "slow", "deny_after", "quota_after", "shift"} {
		if !strings.Contains(help, "\n  "+name+"=") {
			t.Errorf("help does not mention %s", name)
		}
	}
	for _, k := range kinds {
		if !strings.Contains(help, "\n  "+string(k.kind)+" ") {
			t.Errorf("help does not mention %s", k.kind)
		}
	}
}
