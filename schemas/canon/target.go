package canon

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Target returns the canonical spelling of a web page, directory or host; see the package comment. The result is
// ASCII. The error says what is wrong with s and never repeats it, as s may hold a password.
func Target(s string) (string, error) {
	s = strings.TrimSpace(s)
	if err := readable(s); err != nil {
		return "", err
	}
	s, _, _ = strings.Cut(s, "#")
	rest, schemed, err := cutScheme(s)
	if err != nil {
		return "", err
	}
	authority, path, query := split(rest)
	authority, err = cutUser(authority, schemed)
	if err != nil {
		return "", err
	}
	host, err := hostPort(authority)
	if err != nil {
		return "", err
	}
	return host + tail(removeDots(escape(path, inPath)), cleanQuery(query)), nil
}

// readable refuses what cannot be one target: nothing, broken text, or several words.
func readable(s string) error {
	if s == "" {
		return errors.New("is empty")
	}
	if !utf8.ValidString(s) {
		return errors.New("is not valid UTF-8")
	}
	for _, r := range s {
		switch {
		case unicode.IsSpace(r):
			return errors.New("has a space inside: give one host or page, and write a space of a path as %20")
		case unicode.IsControl(r):
			return fmt.Errorf("has the control character %U inside", r)
		}
	}
	return nil
}

// cutScheme drops http:, https: and // and refuses every other scheme.
func cutScheme(s string) (rest string, schemed bool, err error) {
	scheme, after, found := strings.Cut(s, ":")
	if !found || !isScheme(scheme) {
		scheme, after = "", s
	}
	slashed := strings.HasPrefix(strings.ReplaceAll(prefix(after, 2), `\`, "/"), "//")
	switch lower := strings.ToLower(scheme); {
	case lower == "" && slashed, (lower == "http" || lower == "https") && slashed:
		return after[2:], true, nil
	case lower == "http" || lower == "https":
		return "", false, fmt.Errorf("has no // after its scheme %s", lower)
	case lower != "" && slashed, bareSchemes[lower]:
		return "", false, fmt.Errorf("has the scheme %s: only http and https pages have links", prefix(lower, maxScheme))
	}
	return s, false, nil
}

// maxScheme is how much of a scheme an error repeats: what stands before :// may be anything.
const maxScheme = 12

// bareSchemes are the schemes without // that people paste; anything else before a colon is a host or a user.
var bareSchemes = map[string]bool{"mailto": true, "javascript": true, "data": true, "tel": true, "about": true, "blob": true}

func isScheme(s string) bool {
	for i, r := range s {
		letter := 'a' <= r|0x20 && r|0x20 <= 'z'
		if !letter && (i == 0 || !strings.ContainsRune("0123456789+-.", r)) {
			return false
		}
	}
	return s != ""
}

func prefix(s string, n int) string { return s[:min(n, len(s))] }

// split cuts a URL without scheme and fragment into authority, path (with its slash) and query (without ?).
func split(s string) (authority, path, query string) {
	s, query, _ = strings.Cut(s, "?")
	s = strings.ReplaceAll(s, `\`, "/")
	if i := strings.IndexByte(s, '/'); i >= 0 {
		return s[:i], s[i:], query
	}
	return s, "", query
}

// cutUser drops user information. Without a scheme or a password, user@host is an address of a person.
func cutUser(authority string, schemed bool) (string, error) {
	i := strings.LastIndexByte(authority, '@')
	if i < 0 {
		return authority, nil
	}
	if !schemed && !strings.Contains(authority[:i], ":") {
		return "", errors.New("is an e-mail address, not a host or page")
	}
	return authority[i+1:], nil
}

// tail joins a clean path and a clean query. A host alone has no slash.
func tail(path, query string) string {
	switch {
	case query == "" && path == "/":
		return ""
	case query == "":
		return path
	case path == "":
		return "/?" + query
	}
	return path + "?" + query
}
