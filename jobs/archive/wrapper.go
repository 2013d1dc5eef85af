package archive

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// said is what an archive says of a reply, and the reply.
type said struct {
	body                    []byte
	endpoint, target, scope string
	date, fetchedAt         time.Time
	status                  int
	// sent are the parameters of the request, with whatever secrets are among them. Nil: the request is not known.
	sent map[string]any
}

// read takes a reply out of its wrapper, if it has one: no vendor's reply has a member response.
func read(body []byte) (said, error) {
	s := said{body: body, status: 200}
	if len(body) == 0 || body[0] != '{' {
		return s, nil // XML
	}
	var w struct {
		Response  jsontext.Value `json:"response"`
		Request   jsontext.Value `json:"request"`
		URL       string         `json:"url"`
		Endpoint  string         `json:"endpoint"`
		Target    string         `json:"target"`
		Mode      string         `json:"mode"`
		Scope     string         `json:"scope"`
		Date      string         `json:"date"`
		FetchedAt string         `json:"fetched_at"`
		Status    int            `json:"status"`
	}
	if err := json.Unmarshal(body, &w); err != nil {
		wrapped, strict := hasResponse(body)
		switch {
		case strict != nil:
			return s, fmt.Errorf("not strict JSON: %w", strict)
		case wrapped:
			return s, fmt.Errorf("the wrapper of the reply: %s", strings.TrimPrefix(err.Error(), "json: "))
		}
		return s, nil // a vendor's reply has what it likes under the names of a wrapper's members
	}
	if w.Response == nil {
		return s, nil
	}
	s.endpoint, s.target, s.scope = w.Endpoint, w.Target, w.Mode
	if s.scope == "" {
		s.scope = w.Scope
	}
	if w.Status != 0 {
		s.status = w.Status
	}
	var errs [4]error
	s.body, errs[0] = response(w.Response)
	s.date, errs[1] = moment("date", w.Date)
	s.fetchedAt, errs[2] = moment("fetched_at", w.FetchedAt)
	errs[3] = s.request(w.Request, w.URL)
	return s, errors.Join(errs[:]...)
}

// hasResponse reports whether there is a reply in a wrapper, whatever else that has.
func hasResponse(body []byte) (bool, error) {
	var probe struct {
		Response jsontext.Value `json:"response"`
	}
	err := json.Unmarshal(body, &probe)
	return probe.Response != nil, err
}

// response is the reply itself: the value, or the text that is it.
func response(v jsontext.Value) ([]byte, error) {
	switch v.Kind() {
	case '{':
		return v, nil
	case '"':
		var text string
		err := json.Unmarshal(v, &text)
		return []byte(text), err
	}
	return nil, errors.New("response: want the reply, as an object or as its text")
}

// moment reads a day, or a time of RFC 3339.
func moment(name, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339Nano, time.DateTime} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%s: want a day, 2025-01-31, or a time, 2025-01-31T04:00:00Z, not %q", name, text)
}

// request reads what was asked: an object of parameters, or a URL or its query.
func (s *said) request(v jsontext.Value, address string) error {
	switch v.Kind() {
	case 0, 'n':
	case '{':
		if err := json.Unmarshal(v, &s.sent); err != nil {
			return fmt.Errorf("request: %w", err)
		}
	case '"':
		var text string
		if err := json.Unmarshal(v, &text); err != nil {
			return fmt.Errorf("request: %w", err)
		}
		if address == "" {
			address = text
		}
	default:
		return errors.New("request: want an object of parameters, or a URL")
	}
	if address == "" {
		return nil
	}
	return s.address(address)
}

// address reads a URL, or a query alone. Errors do not repeat it, as there may be a key in it.
func (s *said) address(text string) error {
	text = strings.TrimPrefix(strings.TrimPrefix(text, "GET "), "POST ")
	if !strings.Contains(text, "?") && !strings.Contains(text, "/") {
		text = "?" + text
	}
	u, err := url.Parse(text)
	if err != nil {
		return errors.New("url: it cannot be read")
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return errors.New("url: its query cannot be read")
	}
	if s.sent == nil {
		s.sent = map[string]any{}
	}
	for name, values := range query {
		s.sent[name] = values[0]
	}
	if last := path.Base(u.Path); s.endpoint == "" && last != "." && last != "/" {
		s.endpoint = last
	}
	return nil
}

// text returns a parameter of the request that is a text.
func (s *said) text(name string) string {
	text, _ := s.sent[name].(string)
	return text
}
