package wire

import (
	"cmp"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"backhaul/pipeline"
)

// longestWait bounds what a Retry-After may ask for; beyond it is a mistake of the server.
const longestWait = 24 * time.Hour

// refusal turns a reply that is not 2xx into an error.
func (c *Client) refusal(resp Response) *pipeline.Error {
	after, asked := retryAfter(resp.Header.Get("Retry-After"), c.opt.Clock())
	e := &pipeline.Error{Kind: KindOf(resp.Status, asked), Status: resp.Status, After: after, Message: c.Say(resp.Body)}
	// A gateway that lost patience does not know whether the vendor went on to do the work, and what has no status of HTTP's
	// tells nothing at all.
	e.MaybeCharged = resp.Status == http.StatusGatewayTimeout || resp.Status < 200
	if resp.Status/100 == 3 {
		e.Message = c.Text("a redirect to " + place(resp.Header.Get("Location")) + ", which is not followed: check the base URL")
		return e
	}
	if e.Message == "" {
		e.Message = cmp.Or(http.StatusText(resp.Status), "a status that HTTP does not know, without a word")
	}
	if c.opt.Classify != nil {
		if kind, ok := c.opt.Classify(resp.Status, oneLine(string(resp.Body))); ok {
			e.Kind = kind
		}
	}
	return e
}

// KindOf is the general rule from status to kind; asked says that the reply carries a Retry-After.
func KindOf(status int, asked bool) pipeline.Kind {
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return pipeline.Denied
	case status == http.StatusPaymentRequired:
		return pipeline.Exhausted
	case status == http.StatusRequestTimeout:
		return pipeline.Transient
	case status == http.StatusGone:
		return pipeline.Stale
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable && asked:
		return pipeline.Throttled
	case status >= 300 && status < 500:
		return pipeline.Rejected
	default:
		return pipeline.Transient
	}
}

// retryAfter reads the header's two forms, seconds and an HTTP date; a date that has passed asks for no wait.
func retryAfter(value string, now time.Time) (after time.Duration, ok bool) {
	value = strings.TrimSpace(value)
	if seconds, err := strconv.ParseUint(value, 10, 63); err == nil {
		return time.Duration(min(seconds, uint64(longestWait/time.Second))) * time.Second, true
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0, false
	}
	return min(max(at.Sub(now), 0), longestWait), true
}

// place shows where a redirect leads, without its query.
func place(location string) string {
	u, err := url.Parse(location)
	if err != nil || location == "" {
		return "nowhere"
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}
