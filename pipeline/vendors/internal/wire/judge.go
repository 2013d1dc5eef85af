package wire

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"

	"backhaul/pipeline"
)

// Kept returns the reply that a page holds. What its headers said is not known any more.
func Kept(p pipeline.Page) Response {
	return Response{Status: p.Status, Body: p.Body, At: p.FetchedAt}
}

// Judge says what is wrong with a reply before its JSON is read, or returns nil: that its status is a refusal; that it is
// too large, empty or a page of HTML; or that its status is another 2xx than 200, which no vendor documents for a whole reply.
// The latter are Malformed, as they may have been billed. It is pure.
func (c *Client) Judge(resp Response) *pipeline.Error {
	switch {
	case resp.Status/100 != 2:
		return c.refusal(resp)
	case int64(len(resp.Body)) > c.maxBody:
		return c.tooLarge(resp.Status)
	case resp.Status != http.StatusOK:
		return c.Malformed(resp.Status, "want status 200 for a whole reply"+c.saying(resp.Body))
	case len(bytes.TrimSpace(resp.Body)) == 0:
		return c.Malformed(resp.Status, "the reply is empty")
	case html(resp.Header.Get("Content-Type"), resp.Body):
		return c.Malformed(resp.Status, "an HTML page instead of JSON: "+string(resp.Body))
	}
	return nil
}

// Unreadable explains a reply that Judge finds nothing wrong with, and that err says cannot be read. cut means that its JSON
// breaks off. Then its length matched what was announced, so it was cut before it was measured: asked again it may be whole.
// Unless it is so long that it was cut here.
func (c *Client) Unreadable(resp Response, err error, cut bool) *pipeline.Error {
	switch {
	case cut && int64(len(resp.Body)) >= c.maxBody:
		return c.tooLarge(resp.Status)
	case cut:
		return &pipeline.Error{Kind: pipeline.Transient, Status: resp.Status, MaybeCharged: true, Message: c.Text(err.Error())}
	}
	return c.Malformed(resp.Status, err.Error()+c.saying(resp.Body))
}

func (c *Client) saying(body []byte) string {
	if said := c.Say(body); said != "" {
		return "; the reply says: " + said
	}
	return ""
}

// Malformed explains a reply that was paid for, as far as anybody can tell, and is not what was asked for.
func (c *Client) Malformed(status int, text string) *pipeline.Error {
	return &pipeline.Error{Kind: pipeline.Malformed, Status: status, MaybeCharged: true, Message: c.Text(text)}
}

// Content is how much of what was asked for a reply has.
type Content uint8

// The contents of replies: nothing, not even the place for it, or an empty list; the one object that was asked for, but with
// nothing to say; rows.
const (
	Nothing Content = iota
	Blank
	Rows
)

// ContentOf is the content of a reply that is to have one object, or one member of it; raw is its value, nil if it has none.
func ContentOf(raw []byte) Content {
	switch {
	case raw == nil:
		return Nothing
	case !Says(raw):
		return Blank
	}
	return Rows
}

// Refusal explains a reply with status 200 by the fault that was found in it, or returns nil if there is none, or a mere note
// beside what was asked for. A fault instead of rows is an error of its kind. No vendor says whether that is billed, so it
// counts as if it may be: a budget that sets it aside cannot be overrun. A fault beside rows, which were paid for, is Malformed.
func (c *Client) Refusal(status int, f *Fault, has Content) *pipeline.Error {
	switch {
	case f == nil, f.Note && has != Nothing:
		return nil
	case has == Rows:
		return c.Malformed(status, "the reply has an error beside what was asked for: "+f.Text)
	}
	return &pipeline.Error{Kind: f.Kind, Status: status, MaybeCharged: true, Message: f.Text}
}

func (c *Client) tooLarge(status int) *pipeline.Error {
	return c.Malformed(status, fmt.Sprintf("the reply is larger than %d bytes", c.maxBody))
}

// html reports whether something between us and the vendor answered in its stead.
func html(contentType string, body []byte) bool {
	body = bytes.TrimLeft(bytes.TrimPrefix(body, []byte("\ufeff")), " \t\r\n")
	switch {
	case len(body) == 0:
		return false
	case body[0] == '<':
		return true
	default:
		return strings.HasPrefix(strings.ToLower(contentType), "text/html") && body[0] != '{' && body[0] != '['
	}
}
