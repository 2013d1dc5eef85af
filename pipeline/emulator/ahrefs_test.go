package emulator

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
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

func TestTheQuotaOfAhrefsIsUsedUpWhenTheFaultSaysSo(t *testing.T) {
	s := New(Options{Faults: Faults{QuotaAfter: 500}})
	for i, want := range []int{200, 200, 403} { // 200 units each
		w, _ := getAhrefs(s, anchorsOfAhrefs)
		if w.Code != want || want == 403 && !strings.HasPrefix(w.Body.String(), `{"error":"API units limit reached.`) {
			t.Errorf("request %d: %d %.100s", i, w.Code, w.Body)
		}
	}
	const v2 = "/ahrefs-v2?from=anchors&mode=subdomains&target=rivalgear.example&limit=240&token=" + ahrefs.DefaultV2Token
	for i, refused := range []bool{false, false, true} { // 241 rows each
		w, _ := getAhrefs(s, v2)
		if (w.Header().Get("X-Status") == "error") != refused {
			t.Errorf("v2, request %d: %v %.100s", i, w.Header(), w.Body)
		}
	}
	if m := s.Ahrefs().Meter(); m.Units != 400 || m.V2Rows != 482 {
		t.Errorf("%d units and %d rows billed", m.Units, m.V2Rows)
	}
}

func TestAListOfAhrefsV2Shifts(t *testing.T) {
	list := func(f Faults) (all []string, rows int64) {
		s := New(Options{Faults: f})
		for offset := 0; offset < 1000; offset += 50 {
			w, _ := getAhrefs(s, "/ahrefs-v2?from=anchors&mode=subdomains&target=rivalgear.example&select=anchor&order_by=anchor:asc&limit=50&offset="+
				strconv.Itoa(offset)+"&token="+ahrefs.DefaultV2Token)
			var reply struct{ Anchors []struct{ Anchor string } }
			if err := json.Unmarshal(w.Body.Bytes(), &reply); err != nil || len(reply.Anchors) != 50 {
				t.Fatalf("%v: %d rows of %.100s", err, len(reply.Anchors), w.Body)
			}
			for _, r := range reply.Anchors {
				all = append(all, r.Anchor)
			}
		}
		return all, s.Ahrefs().Meter().V2Rows
	}
	still, price := list(Faults{})
	moving, same := list(Faults{Shift: 0.5, Seed: 3})
	again, _ := list(Faults{Shift: 0.5, Seed: 3})
	if !slices.Equal(moving, again) || slices.Equal(still, moving) || !slices.Equal(still[:50], moving[:50]) || price != same {
		t.Errorf("%d and %d rows, for %d and %d", len(still), len(moving), price, same)
	}
	slices.Sort(moving)
	if distinct := len(slices.Compact(moving)); distinct == len(still) || distinct < len(still)-100 {
		t.Errorf("%d of %d rows came once", distinct, len(still))
	}
}
