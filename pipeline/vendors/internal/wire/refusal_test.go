package wire

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"backhaul/pipeline"
)

func TestStatusBecomesKind(t *testing.T) {
	for _, tc := range []struct {
		status int
		after  string
		want   pipeline.Kind
	}{
		{400, "", pipeline.Rejected}, {401, "", pipeline.Denied}, {402, "", pipeline.Exhausted}, {403, "", pipeline.Denied},
		{404, "", pipeline.Rejected}, {405, "", pipeline.Rejected}, {408, "", pipeline.Transient}, {409, "", pipeline.Rejected},
		{410, "", pipeline.Stale}, {413, "", pipeline.Rejected}, {422, "", pipeline.Rejected}, {429, "", pipeline.Throttled},
		{429, "7", pipeline.Throttled}, {451, "", pipeline.Rejected}, {500, "", pipeline.Transient}, {500, "7", pipeline.Transient},
		{502, "", pipeline.Transient}, {503, "", pipeline.Transient}, {503, "7", pipeline.Throttled}, {504, "", pipeline.Transient}, {599, "", pipeline.Transient},
	} {
		c := serve(t, answer(tc.status, `{"message":"no"}`, "Retry-After", tc.after))
		_, fail := c.Do(t.Context(), "POST", "", []byte("{}"))
		if fail == nil || fail.Kind != tc.want || fail.Status != tc.status || fail.Message != "no" || fail.Unreachable {
			t.Errorf("%d %s: %+v", tc.status, tc.after, fail)
			continue
		}
		if want := time.Duration(len(tc.after)) * 7 * time.Second; fail.After != want {
			t.Errorf("%d: wait %s, want %s", tc.status, fail.After, want)
		}
		if fail.MaybeCharged != (tc.status == 504) {
			t.Errorf("%d: maybe charged %v", tc.status, fail.MaybeCharged)
		}
	}
}

func TestAStatusWithoutWordsIsSaidToBeOne(t *testing.T) {
	for head, charged := range map[string]bool{"HTTP/1.1 599 \r\n\r\n": false, "HTTP/1.1 000 \r\n\r\n": true, "HTTP/1.1 101 \r\n\r\n": true} {
		c := raw(t, say(head))
		_, fail := c.Do(t.Context(), "POST", "", []byte("{}"))
		if fail == nil || fail.Kind != pipeline.Transient || fail.Message == "" || fail.MaybeCharged != charged {
			t.Errorf("%q: %+v", head, fail)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	for value, want := range map[string]time.Duration{
		"0": 0, "30": 30 * time.Second, " 30 ": 30 * time.Second, "999999999999999999": longestWait,
		"Wed, 01 Jul 2026 12:01:30 GMT": 90 * time.Second, "Wed, 01 Jul 2026 11:00:00 GMT": 0, "Fri, 01 Jan 2038 00:00:00 GMT": longestWait,
	} {
		if got, ok := retryAfter(value, noon); got != want || !ok {
			t.Errorf("%q: %s, %v, want %s", value, got, ok, want)
		}
	}
	for _, value := range []string{"", "soon", "-1", "1.5", "99999999999999999999999"} {
		if got, ok := retryAfter(value, noon); ok {
			t.Errorf("%q: %s", value, got)
		}
	}
}

func TestClassifierRefinesTheKind(t *testing.T) {
	c := serve(t, answer(403, `{"message":"quota\nused up"}`, "Retry-After", "5"))
	c.opt.Classify = func(status int, text string) (pipeline.Kind, bool) {
		if status != 403 || !strings.Contains(text, "used up") {
			t.Errorf("asked about %d %q", status, text)
		}
		return pipeline.Exhausted, true
	}
	if _, fail := c.Do(t.Context(), "POST", "", []byte("{}")); fail.Kind != pipeline.Exhausted || fail.After != 5*time.Second {
		t.Errorf("%+v", fail)
	}
	c.opt.Classify = func(int, string) (pipeline.Kind, bool) { return pipeline.Exhausted, false }
	if _, fail := c.Do(t.Context(), "POST", "", []byte("{}")); fail.Kind != pipeline.Denied {
		t.Errorf("%+v", fail)
	}
}

func TestMessageIsTheVendorsWord(t *testing.T) {
	long := strings.Repeat("ä", 400)
	for body, want := range map[string]string{
		`{"message":"m","error":"e","error_message":"em"}`:              "m",
		`{"error":"e","error_message":"em"}`:                            "em",
		`{"error":"e"}`:                                                 "e",
		`{"error":{"code":-32652,"message":"Please include a target"}}`: "Please include a target",
		`{"error":{"error":{"error_message":"deep"}}}`:                  "deep",
		`{"message":"","error":"e"}`:                                    "e",
		`{"message":"two\nlines\t and\u0000 a NUL"}`:                    "two lines and a NUL",
		`{"message":17}`:                                                `{"message":17}`,
		`{"detail":"x"}`:                                                `{"detail":"x"}`,
		`{"message":"twice","message":"the last"}`:                      "the last",
		"plain\r\n text \x1b[31m":                                       "plain text [31m",
		"bad \xff utf-8":                                                "bad \ufffd utf-8",
		"":                                                              "Bad Request",
		long:                                                            strings.Repeat("ä", 148) + "…",
	} {
		c := serve(t, answer(400, body))
		_, fail := c.Do(t.Context(), "POST", "", []byte("{}"))
		if fail.Message != want {
			t.Errorf("%q: %q (%s bytes), want %q", body, fail.Message, strconv.Itoa(len(fail.Message)), want)
		}
	}
}
