// Package rows reads vendors' JSON replies strictly and turns their rows into rows of a [schemas.Table].
//
// Reading has two steps. [Scan] checks a reply as a whole, in one pass: RFC 8259 and I-JSON (no duplicate names, no invalid
// UTF-8, no lone surrogates), nothing behind the value, nesting of at most MaxDepth. The rows of what passed are then walked
// without checking again, in place and without copies. A [Shape] maps the members of one row, at whatever depth, to columns and
// converts them by the columns' types; members it does not know go to the column extra.
//
// The package knows no vendor: which member holds the rows, and how members are called, are arguments.
package rows

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// MaxDepth is the deepest nesting of objects and arrays accepted.
const MaxDepth = 64

// ErrCut means that the reply is the beginning of a JSON text: something on the way cut it off.
var ErrCut = errors.New("the JSON breaks off")

// Layout names the members of a reply that matter, by their path from the outermost object: names joined by dots.
type Layout struct {
	// List is the member that holds the rows, an array.
	List string
	// One: List holds an object instead, the one row there is; with List "" the reply itself is the row.
	One bool
	// Token is the member that holds the next page's token: a string, or null, "" or absent where the list ends. "" means
	// the endpoint has no paging.
	Token string
}

// Reply is one reply that has been checked. It refers to the bytes it was read from.
type Reply struct {
	// Count is the number of the list's elements, whatever they are.
	Count int
	// Token leads to the next page; "" means there is none, be its member null, "" or absent. Marked: it is there.
	Token  string
	Marked bool

	body, list []byte
	rows       []span // the elements of a list, in the body
}

// Scan checks a whole reply and finds the list and the token in it. An error that is ErrCut means the body is a mere
// prefix of JSON; any other, that it is not the vendor's or not JSON. Whatever is strict JSON has its members.
func Scan(body []byte, l Layout) (Reply, error) {
	r := Reply{body: body}
	token, err := scan(&r, l)
	if err != nil {
		return Reply{}, err
	}
	if c := (cursor{b: body}); !c.open('{') {
		return r, fmt.Errorf("want an object, got %s", snippet(body))
	}
	if l.List == "" {
		r.list = body
	}
	if err := r.count(l); err != nil || l.Token == "" {
		return r, err
	}
	return r, r.readToken(l.Token, token)
}

// Member returns the value at a path of the checked reply, as received, or nil if there is none.
func (r Reply) Member(path string) []byte { return member(r.body, path) }

// Members yields the members of the checked reply's outermost object, the values as received; none if it is not an object.
func (r Reply) Members() iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		c := cursor{b: r.body}
		if !c.open('{') {
			return
		}
		for c.next('}') {
			name := string(plain(c.value()))
			if !yield(name, c.value()) {
				return
			}
		}
	}
}

// Text returns the string at a path of a row as Rows yields it, or "" if there is none.
func Text(row []byte, path string) string {
	raw := member(row, path)
	if len(raw) == 0 || raw[0] != '"' {
		return ""
	}
	return string(plain(raw))
}

// member walks a path through checked JSON.
func member(body []byte, path string) []byte {
	name, rest, deeper := strings.Cut(path, ".")
	c := cursor{b: body}
	if !c.open('{') {
		return nil
	}
	for c.next('}') {
		key := plain(c.value())
		value := c.value()
		switch {
		case string(key) != name:
		case deeper:
			return member(value, rest)
		default:
			return value
		}
	}
	return nil
}

func (r *Reply) count(l Layout) error {
	name := l.List
	if r.list == nil {
		return fmt.Errorf("%s: missing", name)
	}
	c := cursor{b: r.list}
	switch {
	case l.One && c.open('{'):
		r.Count = 1
		return nil
	case l.One:
		return fmt.Errorf("%s: want an object, got %s", name, snippet(r.list))
	case !c.open('['):
		return fmt.Errorf("%s: want a list, got %s", name, snippet(r.list))
	}
	r.Count = len(r.rows)
	return nil
}

func (r *Reply) readToken(name string, raw []byte) error {
	r.Marked = raw != nil
	switch {
	case raw == nil || string(raw) == "null":
		return nil
	case raw[0] != '"':
		return fmt.Errorf("%s: want a string, got %s", name, snippet(raw))
	}
	r.Token = string(plain(raw))
	return nil
}

// Rows yields the list's elements, each with its place from 0. They are as received and must not be changed.
func (r Reply) Rows() iter.Seq2[int, []byte] {
	return func(yield func(int, []byte) bool) {
		c := cursor{b: r.list}
		if c.open('{') {
			yield(0, bytes.TrimSpace(r.list))
			return
		}
		for i, at := range r.rows {
			if !yield(i, r.body[at.from:at.to]) {
				return
			}
		}
	}
}

// explain returns why a body is not exactly one JSON value, nil if it is.
func explain(body []byte) error {
	d := jsontext.NewDecoder(bytes.NewReader(body), jsontext.AllowDuplicateNames(true))
	if _, err := d.ReadValue(); err != nil {
		return syntaxError(body, err)
	}
	if _, err := d.ReadToken(); err != io.EOF {
		return fmt.Errorf("something follows the JSON after %d bytes", d.InputOffset())
	}
	return nil
}

func syntaxError(body []byte, err error) error {
	if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w after %d bytes", ErrCut, len(body))
	}
	return errors.New("not strict JSON: " + clip(strings.TrimPrefix(err.Error(), "jsontext: "), 200))
}
