package ahrefsv2

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"backhaul/schemas"
)

// xmlRoot is the outermost element of every reply in XML. Source: Ahrefs API v2 documentation, refips.
const xmlRoot = "AhrefsApiResponse"

// element is an element of a reply.
type element struct {
	name string
	text []byte
	kids []element
}

// json returns a reply in JSON, which what is not XML is taken to be.
func (r *report) json(body []byte) ([]byte, error) {
	if start := bytes.TrimLeft(bytes.TrimPrefix(body, []byte("\ufeff")), " \t\r\n"); len(start) == 0 || start[0] != '<' {
		return body, nil
	}
	root, err := parseXML(body)
	if err != nil {
		return nil, err
	}
	if root.name != xmlRoot {
		return nil, fmt.Errorf("the XML is a %s: want %s", root.name, xmlRoot)
	}
	return r.object(root), nil
}

// parseXML reads a document whole.
func parseXML(body []byte) (element, error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	open := []element{{}}
	for {
		token, err := d.Token()
		switch {
		case err == io.EOF && len(open) == 1 && len(open[0].kids) == 1:
			return open[0].kids[0], nil
		case err == io.EOF:
			return element{}, errors.New("not XML: want one outermost element")
		case err != nil:
			return element{}, fmt.Errorf("not XML: %w", err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			const deepest = 8
			if len(open) > deepest {
				return element{}, fmt.Errorf("the XML is nested deeper than %d levels", deepest)
			}
			open = append(open, element{name: t.Name.Local})
		case xml.CharData:
			last := &open[len(open)-1]
			last.text = append(last.text, t...)
		case xml.EndElement:
			last := open[len(open)-1]
			open = open[:len(open)-1]
			parent := &open[len(open)-1]
			parent.kids = append(parent.kids, last)
		}
	}
}

// object writes the members of a reply.
func (r *report) object(root element) []byte {
	out := []byte{'{'}
	for i, e := range root.kids {
		if slices.ContainsFunc(root.kids[:i], func(before element) bool { return before.name == e.name }) {
			continue // written with the first of the name
		}
		out = name(out, e.name)
		switch {
		case !r.one && r.isList(e):
			out = r.list(out, root.kids[i:], e.name)
		case len(e.kids) > 0:
			out = r.row(out, e)
		default:
			out = r.value(out, e)
		}
	}
	return append(out, '}')
}

// isList tells the rows from what stands beside them.
func (r *report) isList(e element) bool {
	if envelope := r.tables[0].Envelope; envelope != "" {
		return e.name == envelope
	}
	return nested(e)
}

func nested(e element) bool {
	return slices.ContainsFunc(e.kids, func(kid element) bool { return len(kid.kids) > 0 })
}

// list writes rows: the children of one element, as Ahrefs documented it, or elements of the same name side by side.
func (r *report) list(out []byte, all []element, called string) []byte {
	out = append(out, '[')
	for _, e := range all {
		items := []element{e}
		switch {
		case e.name != called || len(e.kids) == 0:
			continue
		case nested(e):
			items = e.kids
		}
		for _, item := range items {
			out = r.row(comma(out), item)
		}
	}
	return append(out, ']')
}

func (r *report) row(out []byte, e element) []byte {
	out = append(out, '{')
	for _, kid := range e.kids {
		if out = name(out, kid.name); len(kid.kids) > 0 {
			out = r.row(out, kid)
		} else {
			out = r.value(out, kid)
		}
	}
	return append(out, '}')
}

// value writes a leaf by the type its member has in JSON. What does not look it is written as a text, to be rejected with
// its row; members nobody knows are texts.
func (r *report) value(out []byte, e element) []byte {
	typ, known := r.types[e.name]
	plain := bytes.TrimSpace(e.text)
	switch {
	case !known || typ == schemas.String:
		return quote(out, unwrapped(e.text))
	case len(plain) == 0:
		return append(out, "null"...)
	case typ == schemas.Bool && (string(plain) == "true" || string(plain) == "1"):
		return append(out, "true"...)
	case typ == schemas.Bool && (string(plain) == "false" || string(plain) == "0"):
		return append(out, "false"...)
	case typ != schemas.Bool && isNumber(plain):
		return append(out, plain...)
	}
	return quote(out, plain)
}

func isNumber(text []byte) bool {
	v := jsontext.Value(text)
	return v.Kind() == '0' && v.IsValid()
}

// unwrapped is the text without the line breaks that the documented reply has round every value. Spaces that stand there
// without a line break belong to the text.
func unwrapped(text []byte) []byte {
	if start := bytes.TrimLeft(text, " \t"); len(start) > 0 && strings.ContainsRune("\r\n", rune(start[0])) {
		return bytes.TrimSpace(text)
	}
	return text
}

// comma precedes a further member or element.
func comma(out []byte) []byte {
	if last := out[len(out)-1]; last != '{' && last != '[' {
		return append(out, ',')
	}
	return out
}

func name(out []byte, s string) []byte { return append(quote(comma(out), []byte(s)), ':') }

func quote(out, text []byte) []byte {
	out, _ = jsontext.AppendQuote(out, text) // the XML reader lets no invalid UTF-8 through
	return out
}
