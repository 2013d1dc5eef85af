package mozv2

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"backhaul/pipeline"
)

// usageClient speaks to a server of the test.
func usageClient(t *testing.T, h http.HandlerFunc) *Client {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	c, err := New(Config{BaseURL: srv.URL + "/v2", Token: "s3cret"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

var (
	november = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	later    = time.Date(2026, 11, 23, 2, 0, 0, 999, time.UTC)
)

func TestUsageAsksForThePeriodInUnixSecondsAsTexts(t *testing.T) {
	for _, c := range []struct {
		from, to time.Time
		want     string
	}{
		{november, later, `{"end":"1795399200","start":"1793491200"}`},
		{november, time.Time{}, `{"start":"1793491200"}`},
		{time.Time{}, time.Time{}, `{}`},
	} {
		client := usageClient(t, func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			if r.Method != "POST" || r.URL.Path != "/v2/usage_data" || string(body) != c.want || r.Header.Get("x-moz-token") != "s3cret" {
				t.Errorf("got %s %s %s, want %s", r.Method, r.URL.Path, body, c.want)
			}
			w.Header().Set("Date", "Mon, 23 Nov 2026 02:00:00 GMT")
			_, _ = io.WriteString(w, `{"rows_consumed": 12345, "something_new": [1]}`)
		})
		got, err := client.Usage(t.Context(), c.from, c.to)
		if err != nil || got.Units != 12345 || got.Lag != time.Hour || got.At.IsZero() || !got.VendorTime.Equal(later.Truncate(time.Second)) {
			t.Errorf("%+v, %v", got, err)
		}
	}
}

func TestUsageRefusesAPeriodThatDoesNotBeginBeforeItEnds(t *testing.T) {
	client := usageClient(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was made") })
	_, err := client.Usage(t.Context(), later, later.Truncate(time.Second))
	if pipeline.KindOf(err) != pipeline.Rejected {
		t.Errorf("%v", err)
	}
}

func TestUsageReadsNothingIntoARepliesFaults(t *testing.T) {
	for _, body := range []string{
		`{}`, `{"rows_consumed":null}`, `{"rows_consumed":-1}`, `{"rows_consumed":1.5}`, `{"rows_consumed":1e3}`, `{"rows_consumed":"7"}`,
		`{"rows_consumed":7,"rows_consumed":8}`, `{"rows_consumed":7}x`, `{"rows_consumed":99999999999999999999}`, `[7]`, `7`, `{"rows_consumed":7`, ``,
		`{"Rows_Consumed":7}`, "{\"rows_consumed\":7,\"x\":\"\xff\"}",
	} {
		client := usageClient(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
		got, err := client.Usage(t.Context(), november, later)
		if pipeline.KindOf(err) != pipeline.Malformed || err == nil || got.Units != 0 {
			t.Errorf("%s was read as %d units, %v", body, got.Units, err)
		}
	}
}

func TestUsageErrorsSayWhatToDoWithoutTheToken(t *testing.T) {
	client := usageClient(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"message":"token s3cret is not known"}`)
	})
	_, err := client.Usage(t.Context(), november, later)
	if pipeline.KindOf(err) != pipeline.Denied || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("%v", err)
	}
	gone, err := New(Config{BaseURL: "http://127.0.0.1:1/v2", Token: "s3cret"})
	if err != nil {
		t.Fatal(err)
	}
	_, err = gone.Usage(t.Context(), november, later)
	var e *pipeline.Error
	if !errors.As(err, &e) || !e.Unreachable {
		t.Errorf("%v", err)
	}
}
