package ahrefs

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// v2condition is one condition of where or having.
type v2condition struct {
	column string
	test   func(any) bool
}

func (q *v2query) readConditions() (err error) {
	if q.where, err = q.readClause("where", func(c v2column) bool { return c.where }); err != nil {
		return err
	}
	q.having, err = q.readClause("having", func(c v2column) bool { return c.having })
	return err
}

func (q *v2query) readClause(clause string, allowed func(v2column) bool) ([]v2condition, error) {
	text := q.params.Get(clause)
	if text == "" {
		return nil, nil
	}
	p := &v2parser{rest: text, find: func(name string) (v2column, bool) {
		col, ok := q.table.column(name)
		return col, ok && allowed(col)
	}}
	conditions, err := p.conditions()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", clause, err)
	}
	return conditions, nil
}

// v2parser reads conditions joined with commas, which mean and: there is no or, no not and no parentheses.
//
//	column op value | substring(column,"text") | word(column,"text") | subdomain(column,"host")
//
// The operators are =, <>, <, >, <= and >=; an example of the documentation has a colon for =.
type v2parser struct {
	rest string
	find func(name string) (v2column, bool)
}

func (p *v2parser) conditions() (out []v2condition, err error) {
	for {
		c, err := p.condition()
		if err != nil {
			return nil, err
		}
		out = append(out, c)
		if p.space(); p.rest == "" {
			return out, nil
		}
		if !p.eat(",") {
			return nil, fmt.Errorf("want a comma before '%s'", p.rest)
		}
	}
}

func (p *v2parser) space() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

func (p *v2parser) eat(token string) bool {
	p.space()
	rest, ok := strings.CutPrefix(p.rest, token)
	if ok {
		p.rest = rest
	}
	return ok
}

func (p *v2parser) word() string {
	p.space()
	end := strings.IndexFunc(p.rest, func(r rune) bool {
		return !(r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z')
	})
	if end < 0 {
		end = len(p.rest)
	}
	word := p.rest[:end]
	p.rest = p.rest[end:]
	return word
}

func (p *v2parser) condition() (v2condition, error) {
	name := p.word()
	if p.eat("(") {
		return p.function(name)
	}
	col, ok := p.find(name)
	if !ok {
		return v2condition{}, fmt.Errorf("column '%s' not found", name)
	}
	for _, op := range []string{"<>", "<=", ">=", "<", ">", "=", ":"} {
		if p.eat(op) {
			want, err := p.value(col.kind)
			if err != nil {
				return v2condition{}, fmt.Errorf("column '%s': %w", name, err)
			}
			return v2condition{name, v2Operators[op](want)}, nil
		}
	}
	return v2condition{}, fmt.Errorf("column '%s': want =, <>, <, >, <= or >=", name)
}

// v2Operators compare; null meets none of them (chosen).
var v2Operators = map[string]func(want any) func(any) bool{
	"=": v2Compare(func(c int) bool { return c == 0 }), ":": v2Compare(func(c int) bool { return c == 0 }), "<>": v2Compare(func(c int) bool { return c != 0 }),
	"<": v2Compare(func(c int) bool { return c < 0 }), ">": v2Compare(func(c int) bool { return c > 0 }),
	"<=": v2Compare(func(c int) bool { return c <= 0 }), ">=": v2Compare(func(c int) bool { return c >= 0 }),
}

func v2Compare(accept func(int) bool) func(any) func(any) bool {
	return func(want any) func(any) bool {
		return func(v any) bool { return v != nil && accept(compare(v, want, false)) }
	}
}

// value reads "text", a quoted date, a whole number, true or false, as the column's type wants.
func (p *v2parser) value(kind kind) (any, error) {
	p.space()
	if strings.HasPrefix(p.rest, `"`) {
		s, err := p.quoted()
		if err != nil || kind == text {
			return s, err
		}
		for _, layout := range []string{time.DateOnly, time.RFC3339} {
			if t, err := time.Parse(layout, s); err == nil && kind == stamp {
				return t.UTC().Format(time.RFC3339), nil
			}
		}
		return nil, fmt.Errorf("bad value '%s'", s)
	}
	sign := ""
	if p.eat("-") {
		sign = "-"
	}
	word := sign + p.word()
	if n, err := strconv.Atoi(word); err == nil && kind == whole {
		return n, nil
	}
	if kind == flag && (word == "true" || word == "false") {
		return word == "true", nil
	}
	return nil, fmt.Errorf("bad value '%s'", word)
}

// quoted reads a text in double quotes, in which a backslash makes the next character plain.
func (p *v2parser) quoted() (string, error) {
	var b strings.Builder
	for i := 1; i < len(p.rest); i++ {
		switch c := p.rest[i]; {
		case c == '"':
			p.rest = p.rest[i+1:]
			return b.String(), nil
		case c == '\\' && i+1 < len(p.rest):
			i++
			b.WriteByte(p.rest[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", errors.New("a text without an end")
}

// function reads what follows the name and its parenthesis. word is a match of whole words, subdomain a host or one below it (both chosen).
func (p *v2parser) function(name string) (v2condition, error) {
	tests := map[string]func(s, want string) bool{
		"substring": strings.Contains, "word": hasPhrase,
		"subdomain": func(s, want string) bool {
			host, _ := split(s)
			return host == want || strings.HasSuffix(host, "."+want)
		},
	}
	test := tests[name]
	if test == nil {
		return v2condition{}, fmt.Errorf("function '%s' not found", name)
	}
	column := p.word()
	col, ok := p.find(column)
	if !ok || col.kind != text {
		return v2condition{}, fmt.Errorf("column '%s' not found", column)
	}
	if p.space(); !p.eat(",") {
		return v2condition{}, fmt.Errorf("%s: want a comma and a text", name)
	}
	if p.space(); !strings.HasPrefix(p.rest, `"`) {
		return v2condition{}, fmt.Errorf("%s: want a text in quotes", name)
	}
	want, err := p.quoted()
	if err != nil || !p.eat(")") {
		return v2condition{}, fmt.Errorf("%s: want a text in quotes and a parenthesis", name)
	}
	return v2condition{column, func(v any) bool { s, ok := v.(string); return ok && test(s, want) }}, nil
}

// v2column is a column of a table and where it may be used.
type v2column struct {
	name          string
	kind          kind
	where, having bool
	filterOnly    bool // not part of a row
}

func (t *table) column(name string) (v2column, bool) {
	i := slices.IndexFunc(t.columns, func(c v2column) bool { return c.name == name })
	if i < 0 {
		return v2column{}, false
	}
	return t.columns[i], true
}
