package wire

import (
	"errors"
	"strings"
	"testing"

	"backhaul/pipeline"
)

func TestOnlyStatus200IsAWholeReply(t *testing.T) {
	for _, status := range []int{201, 202, 203, 206, 207, 226} {
		c := serve(t, answer(status, `{"results":[]}`))
		resp, fail := c.Do(t.Context(), "POST", "", []byte("{}"))
		if fail == nil || fail.Kind != pipeline.Malformed || fail.Status != status || !fail.MaybeCharged || string(resp.Body) != `{"results":[]}` {
			t.Errorf("%d: %+v, kept %q", status, fail, resp.Body)
		}
	}
	c := serve(t, answer(204, ""))
	resp, fail := c.Do(t.Context(), "POST", "", []byte("{}"))
	if fail == nil || fail.Kind != pipeline.Malformed || resp.Status != 204 || resp.At.IsZero() {
		t.Errorf("204: %+v, %+v", fail, resp)
	}
}

func TestAnEmptyReplyIsMalformed(t *testing.T) {
	for _, body := range []string{"", " \n"} {
		c := serve(t, answer(200, body))
		resp, fail := c.Do(t.Context(), "POST", "", []byte("{}"))
		if fail == nil || fail.Kind != pipeline.Malformed || !fail.MaybeCharged || fail.Unreachable || resp.Status != 200 || string(resp.Body) != body {
			t.Errorf("%q: %+v, %+v", body, fail, resp)
		}
	}
}

// What was kept is judged as it was when it arrived.
func TestAKeptReplyIsJudgedAlike(t *testing.T) {
	for body, status := range map[string]int{"": 200, "<p>": 200, "{}": 200, "[1]": 202, `{"error":"no"}`: 404, "busy": 429} {
		c := serve(t, answer(status, body))
		resp, fail := c.Do(t.Context(), "POST", "", []byte("{}"))
		kept := Kept(pipeline.Page{Status: resp.Status, Body: resp.Body, FetchedAt: resp.At})
		for name, reader := range map[string]*Client{"online": c, "offline": Offline(Options{})} {
			again := reader.Judge(kept)
			if (again == nil) != (fail == nil) || again != nil && (again.Kind != fail.Kind || again.Message != fail.Message || again.MaybeCharged != fail.MaybeCharged) {
				t.Errorf("%d %q, %s: %v, was %v", status, body, name, again, fail)
			}
		}
	}
}

func TestWhatBreaksOffMayBeWholeTheNextTime(t *testing.T) {
	c := newClient(t, "http://localhost", nil)
	resp := Response{Status: 200, Body: []byte(`{"message":"` + secret + `"`)}
	if e := c.Unreadable(resp, errors.New("cut"), true); e.Kind != pipeline.Transient || !e.MaybeCharged || e.Message != "cut" {
		t.Errorf("%+v", e)
	}
	if e := c.Unreadable(resp, errors.New("cut behind "+secret), true); e.Message != "cut behind [redacted]" {
		t.Errorf("%+v", e)
	}
	if e := c.Unreadable(resp, errors.New("odd"), false); e.Kind != pipeline.Malformed || !e.MaybeCharged || e.Status != 200 ||
		!strings.HasPrefix(e.Message, "odd; the reply says: ") || strings.Contains(e.Message, secret) {
		t.Errorf("%+v", e)
	}
}

func TestAFaultIsWeighedAgainstWhatStandsBesideIt(t *testing.T) {
	c := newClient(t, "http://localhost", nil)
	fault := &Fault{Kind: pipeline.Denied, Text: "no"}
	note := &Fault{Kind: pipeline.Denied, Text: "no", Note: true}
	for _, tc := range []struct {
		fault *Fault
		has   Content
		want  string
	}{
		{nil, Nothing, ""}, {nil, Rows, ""}, {note, Rows, ""}, {note, Blank, ""}, {note, Nothing, "denied"},
		{fault, Nothing, "denied"}, {fault, Blank, "denied"}, {fault, Rows, "malformed"},
	} {
		got := ""
		if e := c.Refusal(200, tc.fault, tc.has); e != nil {
			if got = e.Kind.String(); !e.MaybeCharged || e.Status != 200 || !strings.Contains(e.Message, "no") {
				t.Errorf("%+v", e)
			}
		}
		if got != tc.want {
			t.Errorf("%+v beside %d: %q, want %q", tc.fault, tc.has, got, tc.want)
		}
	}
	for raw, want := range map[string]Content{"": Nothing, "null": Blank, `""`: Blank, "0": Blank, `{"a":0,"b":[null]}`: Blank, `{"a":1}`: Rows, `"x"`: Rows, "false": Blank} {
		value := []byte(raw)
		if raw == "" {
			value = nil
		}
		if got := ContentOf(value); got != want {
			t.Errorf("%q: %d, want %d", raw, got, want)
		}
	}
}

func TestOfflineNobodyIsAsked(t *testing.T) {
	c := Offline(Options{})
	resp, fail := c.Do(t.Context(), "POST", "x", []byte("{}"))
	if fail == nil || fail.Kind != pipeline.Denied || fail.MaybeCharged || resp.Status != 0 || c.Ready() == nil {
		t.Errorf("%+v, %+v", resp, fail)
	}
	if got := c.Say([]byte(`{"message":"as it is"}`)); got != "as it is" {
		t.Error(got)
	}
	if newClient(t, "http://localhost", nil).Ready() != nil {
		t.Error("a client is not ready")
	}
}
