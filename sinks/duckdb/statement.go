package duckdb

import (
	"errors"
	"regexp"
	"strings"
)

// errSeveral refuses more than one statement: DuckDB would run all but the last while preparing it.
var errSeveral = errors.New("one statement at a time, please: there is text after the semicolon")

var errNoStatement = errors.New("no statement")

// statement returns the one statement of a text without what follows it: semicolons, comments, white space. What
// goes before it stays, so that the positions in DuckDB's messages stay right.
func statement(text string) (string, error) {
	end := 0 // of the last token of the statement
	over := false
	for i := 0; i < len(text); {
		next, blank := token(text, i)
		switch {
		case blank:
		case text[i] == ';':
			over = end > 0
		case over:
			return "", errSeveral
		default:
			end = next
		}
		i = next
	}
	if end == 0 {
		return "", errNoStatement
	}
	return strings.Trim(text[:end], "; \t\r\n"), nil
}

var dollarTag = regexp.MustCompile(`^\$([A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*)?\$`)

// token returns where the token that begins at i ends, and whether it is white space or a comment. It knows just
// enough of SQL to tell a semicolon from one inside a text, a name or a comment.
func token(s string, i int) (end int, blank bool) {
	rest := s[i:]
	switch {
	case strings.ContainsRune(" \t\r\n\v\f", rune(rest[0])):
		return i + 1, true
	case strings.HasPrefix(rest, "--"):
		return i + until(rest, "\n", 2), true
	case strings.HasPrefix(rest, "/*"):
		return i + until(rest, "*/", 2), true
	case rest[0] == '\'':
		escapes := i > 0 && (s[i-1] == 'e' || s[i-1] == 'E') && (i < 2 || !isWord(s[i-2]))
		return i + quoted(rest, escapes), false
	case rest[0] == '"':
		return i + quoted(rest, false), false
	case rest[0] == '$' && (i == 0 || !isWord(s[i-1])):
		if tag := dollarTag.FindString(rest); tag != "" {
			return i + until(rest, tag, len(tag)), false
		}
	}
	return i + 1, false
}

func isWord(c byte) bool {
	return c == '_' || c >= 0x80 || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}

// until returns where the first end after from ends, or the length of s.
func until(s, end string, from int) int {
	if n := strings.Index(s[from:], end); n >= 0 {
		return from + n + len(end)
	}
	return len(s)
}

// quoted returns where the quoted token that s begins with ends. A doubled quote stands for itself, which needs
// no care here: what follows reads as another quoted token.
func quoted(s string, escapes bool) int {
	for i := 1; i < len(s); i++ {
		switch {
		case escapes && s[i] == '\\':
			i++
		case s[i] == s[0]:
			return i + 1
		}
	}
	return len(s)
}
