package emulator

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"backhaul/pipeline/emulator/ahrefs"
)

const anchorsOfAhrefs = "/v3/site-explorer/anchors?target=rivalgear.example&select=anchor,links_to_target&limit=100"

// getAhrefs makes one request without a network; a connection that the server closes is a status of 0.
func getAhrefs(s *Server, path string) (w *httptest.ResponseRecorder, closed bool) {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header.Set("Authorization", "Bearer "+ahrefs.DefaultKey)
	w = httptest.NewRecorder()
	defer func() {
		if e := recover(); e != nil {
			if e != http.ErrAbortHandler {
				panic(e)
			}
			closed = true
		}
	}()
	s.ServeHTTP(w, r)
	return w, false
}

func TestFaultsOfAhrefsBillAsTheySay(t *testing.T) {
	for kind, want := range map[Kind]struct {
		status int
		bills  bool
		whole  bool
	}{
		Kind429: {429, false, false}, Kind429Bare: {429, false, false}, Kind500: {500, false, false}, Kind503: {503, false, false},
		KindHTML200: {200, false, false}, KindHTML502: {502, false, false}, KindCut: {200, true, false}, KindCloseBefore: {0, false, false},
		KindCloseAfter: {0, true, false}, KindBadLength: {200, true, false}, KindSlow: {200, true, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := New(Options{Faults: Faults{Rate: 1, Max: 1, Kinds: []Kind{kind}}})
			w, closed := getAhrefs(s, anchorsOfAhrefs)
			m, status := s.Ahrefs().Meter(), w.Code
			if closed && kind != KindCut {
				status = 0
			}
			units := int64(0)
			if want.bills {
				units = 200
			}
			if status != want.status || m.Units != units || m.Requests["/v3/site-explorer/anchors"][want.status] != 1 {
				t.Errorf("%s: %d, %+v", kind, w.Code, m)
			}
			if (m.Pages == 1) != want.whole || (m.WastePages == 1) != (want.bills && !want.whole) || m.WasteUnits > m.Units {
				t.Errorf("%s: %+v", kind, m)
			}
			if retry := w.Header().Get("Retry-After"); (retry != "") != (kind == Kind429 || kind == Kind503) {
				t.Errorf("%s: Retry-After %q", kind, retry)
			}
			if billed := w.Header().Get("X-Api-Units-Cost-Total") != ""; billed != (want.bills && status != 0) {
				t.Errorf("%s: %v", kind, w.Header())
			}
			if w.Code >= 400 && kind != KindHTML502 && !strings.HasPrefix(w.Body.String(), `{"error":"`) {
				t.Errorf("%s: the body is not the vendor's: %s", kind, w.Body)
			}
			if w, _ := getAhrefs(s, anchorsOfAhrefs); w.Code != 200 {
				t.Errorf("%s: again: %d", kind, w.Code)
			}
			if m, s := s.Meter(), s.Meter().Faults[kind]; s != 1 || m.Rows != 0 || m.Pages != 0 {
				t.Errorf("%s: %+v", kind, m)
			}
		})
	}
}

func TestAhrefsSharesLatencyDenialAndTheDay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Latency: time.Second, Faults: Faults{DenyAfter: 2}})
		start := time.Now()
		first, _ := getAhrefs(s, anchorsOfAhrefs)
		if first.Code != 200 || time.Since(start) != time.Second {
			t.Errorf("%d after %v", first.Code, time.Since(start))
		}
		s.SetDay(30)
		if second, _ := getAhrefs(s, anchorsOfAhrefs); second.Code != 200 || second.Body.String() == first.Body.String() {
			t.Errorf("%d, or nothing moved in a month", second.Code)
		}
		if third, _ := getAhrefs(s, anchorsOfAhrefs); third.Code != 401 || third.Body.String() != `["Error","Unauthorized"]` {
			t.Errorf("%d %s", third.Code, third.Body)
		}
	})
}

func TestAhrefsOverTheNetwork(t *testing.T) {
	s := New(Options{Ahrefs: ahrefs.Options{Key: "k"}})
	h := httptest.NewServer(s)
	defer h.Close()
	r, err := http.NewRequest(http.MethodGet, h.URL+anchorsOfAhrefs, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer k")
	got, err := http.DefaultClient.Do(r) // asks for gzip and unpacks it
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	body, err := io.ReadAll(got.Body)
	if err != nil || got.StatusCode != 200 || !got.Uncompressed || !strings.HasPrefix(string(body), `{"anchors": [{"anchor": `) || got.Header.Get("x-api-units-cost-total-actual") != "200" {
		t.Errorf("%v %d %v %.100s", err, got.StatusCode, got.Header, body)
	}
}
