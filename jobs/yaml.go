package jobs

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

const byteOrderMark = "\ufeff"

// parse returns the spec's one document as a mapping, or nil if it reported why there is none.
func parse(file, data string, report *problems) *node {
	start := Place{file, 1, 1}
	data, ok := clean(file, data, report)
	if !ok {
		return nil
	}
	body, err := document(file, data, report)
	if err != nil {
		report.errorf(start, "%v", err)
		return nil
	}
	if body == nil {
		return nil
	}
	b := &builder{problems: report, file: file, anchors: map[string]*node{}}
	root := b.build(body, start, 0)
	if b.hostile {
		return nil
	}
	if root != nil && root.kind != mapping {
		report.errorf(root.Place, "a job spec is a mapping that begins with job: NAME, not %s", root.kind)
		return nil
	}
	return root
}

// clean drops the byte order mark, turns line ends into \n (the scanner counts \r\n behind a comment twice) and
// refuses what is not text.
func clean(file, data string, report *problems) (string, bool) {
	start := Place{file, 1, 1}
	data = strings.TrimPrefix(data, byteOrderMark)
	data = strings.ReplaceAll(data, "\r\n", "\n")
	data = strings.ReplaceAll(data, "\r", "\n")
	switch {
	case len(data) > maxSize:
		report.errorf(start, "the file is larger than %d MiB: put long lists of targets into a CSV file", maxSize>>20)
		return "", false
	case !utf8.ValidString(data):
		report.errorf(firstInvalid(file, data), "the file is not valid UTF-8: save it as UTF-8")
		return "", false
	case strings.IndexByte(data, 0) >= 0:
		report.errorf(start, "the file holds a NUL byte: it is not YAML text")
		return "", false
	}
	return data, true
}

// firstInvalid returns the place of the first byte that is not UTF-8.
func firstInvalid(file, data string) Place {
	line, column := 1, 1
	for len(data) > 0 {
		r, size := utf8.DecodeRuneInString(data)
		if r == utf8.RuneError && size == 1 {
			break
		}
		column++
		if r == '\n' {
			line, column = line+1, 1
		}
		data = data[size:]
	}
	return Place{file, line, column}
}

// document parses the file. The body is nil if a problem with a place was reported.
func document(file, data string, report *problems) (body ast.Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			body, err = nil, errors.New("the file is not valid YAML, and the parser cannot say where")
		}
	}()
	tokens := lexer.Tokenize(data)
	if !guard(file, tokens, report) {
		return nil, nil
	}
	parsed, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, syntax(file, data, err, report)
	}
	for _, doc := range parsed.Docs {
		switch {
		case doc.Body == nil:
		case body != nil:
			report.errorf(place(file, doc.Body.GetToken()), "a second document begins here: one file is one job spec")
			return nil, nil
		default:
			body = doc.Body
		}
	}
	if body == nil {
		return nil, errors.New("the file is empty: a job spec begins with job: NAME")
	}
	return body, nil
}

// syntax reports a parser's error at its place; an error without one is returned.
func syntax(file, data string, err error, report *problems) error {
	var located yaml.Error
	if !errors.As(err, &located) || located.GetToken() == nil {
		first, _, _ := strings.Cut(err.Error(), "\n")
		return fmt.Errorf("the file is not valid YAML: %s", shorten(first))
	}
	at := place(file, located.GetToken())
	if column := indentTab(data, at.Line); column > 0 {
		at.Column = column
		report.errorf(at, "YAML takes no tabs as indentation: use spaces")
		return nil
	}
	message, _, _ := strings.Cut(located.GetMessage(), "\n")
	report.errorf(at, "not valid YAML here: %s", shorten(message))
	return nil
}

// indentTab returns the column of the first tab in the indentation of a line, or 0.
func indentTab(data string, line int) int {
	for text := range strings.SplitSeq(data, "\n") {
		if line--; line == 0 {
			indent := text[:len(text)-len(strings.TrimLeft(text, " \t"))]
			return strings.IndexByte(indent, '\t') + 1
		}
	}
	return 0
}

func place(file string, t *token.Token) Place {
	if t == nil || t.Position == nil {
		return Place{file, 1, 1}
	}
	return Place{file, t.Position.Line, t.Position.Column}
}

// guard refuses, before the recursive parser sees them, files that would exhaust its stack or time, and the parts of
// YAML a spec has no use for.
func guard(file string, tokens token.Tokens, report *problems) bool {
	var g depths
	for _, t := range tokens {
		if reason := g.refuse(t); reason != "" {
			report.errorf(place(file, t), "%s", reason)
			return false
		}
	}
	return true
}

// depths counts what makes the parser recurse.
type depths struct {
	flow, keys, anchors int
	line, entries       int
}

// refuse returns why the file cannot go on with this token, or "".
func (g *depths) refuse(t *token.Token) string {
	if t.Position != nil && t.Position.Line != g.line {
		g.line, g.entries = t.Position.Line, 0
	}
	switch t.Type {
	case token.TagType:
		return fmt.Sprintf("tags (%s) are not supported in a job spec: write the value without", shorten(t.Value))
	case token.MappingKeyType:
		return "complex keys (?) are not supported in a job spec: write key: value"
	case token.SequenceStartType, token.MappingStartType:
		g.flow++
	case token.SequenceEndType, token.MappingEndType:
		g.flow = max(0, g.flow-1)
	case token.SequenceEntryType:
		g.entries++
	case token.MappingValueType:
		g.keys++
	case token.AnchorType:
		g.anchors++
	}
	switch {
	case g.flow > maxDepth || g.entries > maxDepth:
		return fmt.Sprintf("brackets or dashes are nested more than %d deep: a spec needs no more than six levels", maxDepth)
	case g.keys > maxKeys:
		return fmt.Sprintf("the file has more than %d keys: put long lists of targets into a CSV file", maxKeys)
	case g.anchors > maxAnchors:
		return fmt.Sprintf("the file has more than %d anchors: put long lists of targets into a CSV file", maxAnchors)
	}
	return ""
}
