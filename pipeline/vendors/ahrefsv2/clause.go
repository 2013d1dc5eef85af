package ahrefsv2

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// condition is one comparison of a clause: column op value, or function(column, value).
type condition struct {
	function, column, op string
	value                string // as it is written, strings with their quotes
}

// clause is the text of `where` or `having`: comparisons, all of which must hold. There is no OR, no NOT and no bracket.
//
//	clause    := condition { "," condition }
//	condition := column op value | function "(" column "," string ")"
//	op        := "=" | "<>" | "<" | ">" | "<=" | ">=" | ":"
//	function  := substring | word | subdomain
//	value     := string | integer | true | false
//
// Strings stand in double quotes, with backslashes before quotes and backslashes inside; dates are strings, "2013-08-08". A
// colon, which one example of Ahrefs has, means equal and is sent as such. Source: Ahrefs' PHP client and the Node client;
// API v2 documentation, backlinks_new_lost, for the colon.
type clause []condition

// operators, the longer of two that begin alike first.
var operators = []string{"<>", "<=", ">=", "<", ">", "=", ":"}

// functions compare texts.
var functions = map[string]bool{"substring": true, "word": true, "subdomain": true}

// parseClause reads a clause as far as its syntax goes. Errors say at which character.
func parseClause(text string) (clause, error) {
	p := &parser{text: text}
	if p.space(); p.at == len(text) {
		return nil, errors.New("is empty: write a condition, such as refdomains>1, or remove it")
	}
	var c clause
	for {
		one, err := p.condition()
		if err != nil {
			return nil, fmt.Errorf("at character %d: %w", p.at+1, err)
		}
		c = append(c, one)
		switch p.space(); {
		case p.at == len(text):
			return c, nil
		case !p.take(","):
			return nil, fmt.Errorf("at character %d: want a comma and another condition, or the end, not %q; a comma means and, nothing else joins conditions", p.at+1, p.ahead())
		}
	}
}

// String writes the clause as it is sent, without spaces between its words.
func (c clause) String() string {
	var b strings.Builder
	for i, one := range c {
		if i > 0 {
			b.WriteByte(',')
		}
		if one.function != "" {
			fmt.Fprintf(&b, "%s(%s,%s)", one.function, one.column, one.value)
		} else {
			b.WriteString(one.column + one.op + one.value)
		}
	}
	return b.String()
}

type parser struct {
	text string
	at   int
}

func (p *parser) space() {
	for p.at < len(p.text) && p.text[p.at] == ' ' {
		p.at++
	}
}

// take moves over a word if it comes next.
func (p *parser) take(word string) bool {
	if !strings.HasPrefix(p.text[p.at:], word) {
		return false
	}
	p.at += len(word)
	return true
}

// ahead is the beginning of what comes next, for messages.
func (p *parser) ahead() string {
	const enough = 12
	rest := p.text[p.at:]
	if len(rest) > enough {
		rest = strings.ToValidUTF8(rest[:enough], "") + "…"
	}
	return rest
}

func (p *parser) condition() (c condition, err error) {
	p.space()
	if c.column = p.name(); c.column == "" {
		return c, fmt.Errorf("want the name of a column, not %q", p.ahead())
	}
	p.space()
	if p.take("(") {
		return p.call(c.column)
	}
	for _, op := range operators {
		if p.take(op) {
			c.op = strings.ReplaceAll(op, ":", "=")
			p.space()
			c.value, err = p.value()
			return c, err
		}
	}
	return c, fmt.Errorf("want one of = <> < > <= >= behind %s, not %q", c.column, p.ahead())
}

// call reads the rest of a function.
func (p *parser) call(function string) (c condition, err error) {
	if !functions[function] {
		return c, fmt.Errorf("%s is not a function: there are substring, word and subdomain", function)
	}
	c.function = function
	p.space()
	if c.column = p.name(); c.column == "" {
		return c, fmt.Errorf("want the name of a column in %s(), not %q", function, p.ahead())
	}
	p.space()
	if !p.take(",") {
		return c, fmt.Errorf("want a comma behind %s(%s, not %q", function, c.column, p.ahead())
	}
	p.space()
	if c.value, err = p.str(); err != nil {
		return c, err
	}
	p.space()
	if !p.take(")") {
		return c, fmt.Errorf("want the ) of %s(%s, …), not %q", function, c.column, p.ahead())
	}
	return c, nil
}

func (p *parser) name() string {
	from := p.at
	for p.at < len(p.text) {
		ch := p.text[p.at]
		if ch != '_' && (ch < 'a' || ch > 'z') && (ch < '0' || ch > '9' || p.at == from) {
			break
		}
		p.at++
	}
	return p.text[from:p.at]
}

func (p *parser) value() (string, error) {
	if strings.HasPrefix(p.text[p.at:], `"`) {
		return p.str()
	}
	from := p.at
	p.take("-")
	for p.at < len(p.text) && (p.text[p.at]|0x20 >= 'a' && p.text[p.at]|0x20 <= 'z' || p.text[p.at] >= '0' && p.text[p.at] <= '9') {
		p.at++
	}
	value := p.text[from:p.at]
	if value == "true" || value == "false" || integer(value) {
		return value, nil
	}
	p.at = from
	return "", fmt.Errorf(`want a value: a text in double quotes, an integer, true or false, not %q`, p.ahead())
}

// str reads a string in quotes and returns it with them.
func (p *parser) str() (string, error) {
	from := p.at
	if !p.take(`"`) {
		return "", fmt.Errorf("want a text in double quotes, not %q", p.ahead())
	}
	for escaped := false; p.at < len(p.text); p.at++ {
		switch ch := p.text[p.at]; {
		case ch < ' ' || ch == 0x7f:
			return "", errors.New("a control character stands in a text")
		case ch == '"' && !escaped:
			p.at++
			return p.text[from:p.at], nil
		default:
			escaped = ch == '\\' && !escaped
		}
	}
	p.at = from
	return "", errors.New(`the text has no closing "`)
}

func integer(s string) bool {
	digits := strings.TrimPrefix(s, "-")
	if digits == "" || len(digits) > 18 {
		return false
	}
	return strings.Trim(digits, "0123456789") == ""
}

// translate checks a clause against the table's columns, under our names for them, and writes it with v2's. use is Where
// or Having.
func (r *report) translate(t *Table, use Use, text string) (string, error) {
	c, err := parseClause(text)
	if err != nil {
		return "", err
	}
	for i := range c {
		column, err := r.usable(t, use, c[i].column)
		if err == nil {
			err = column.takes(c[i])
		}
		if err != nil {
			return "", err
		}
		c[i].column = column.Name
	}
	return c.String(), nil
}

// usable returns the column that we call so, if the clause takes it.
func (r *report) usable(t *Table, use Use, name string) (*Column, error) {
	var others []string
	for i := range t.Columns {
		c := &t.Columns[i]
		ours := r.column(c.Name)
		switch {
		case ours == name && c.Use&use != 0:
			return c, nil
		case ours == name && c.Use == Where:
			return nil, fmt.Errorf("%s can only stand in where: it is not in the result", name)
		case ours == name && c.Use == Having:
			return nil, fmt.Errorf("%s can only stand in having: rows are counted before it is known", name)
		case c.Name == name && ours != name && !r.isOurs(name):
			return nil, fmt.Errorf("%s is called %s here, as on surface v3", name, ours)
		}
		if c.Use&use != 0 {
			others = append(others, ours)
		}
	}
	if len(others) == 0 {
		return nil, fmt.Errorf("%s cannot be filtered", t.Name)
	}
	return nil, fmt.Errorf("there is no column %s to filter by; there are %s", name, join(others))
}

// takes says whether the condition fits the column's type.
func (c *Column) takes(one condition) error {
	text := strings.HasPrefix(one.value, `"`)
	switch c.Type {
	case String:
		if !text {
			return fmt.Errorf("%s is a text: write %q with quotes", one.column, one.value)
		}
		return nil
	case Date:
		if _, err := time.Parse(`"`+time.DateOnly+`"`, one.value); err != nil {
			return fmt.Errorf(`%s wants a date in quotes, "YYYY-MM-DD", not %s`, one.column, one.value)
		}
	case Boolean:
		if one.value != "true" && one.value != "false" || one.op != "=" && one.op != "<>" {
			return fmt.Errorf("%s wants =true or =false", one.column)
		}
	default:
		if !integer(one.value) {
			return fmt.Errorf("%s is a number: want an integer, not %s", one.column, one.value)
		}
	}
	if one.function != "" {
		return fmt.Errorf("%s is for texts, and %s is not one", one.function, one.column)
	}
	return nil
}
