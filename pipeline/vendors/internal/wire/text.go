package wire

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// MaxText is the longest message, in bytes.
const MaxText = 300

// Text makes any text fit to be shown: one line of valid UTF-8, at most MaxText bytes, without the credentials.
func (c *Client) Text(s string) string { return shorten(c.clean(s), MaxText) }

// Say returns what the vendor says in the body of a refusal, as Text would: the first of the members message,
// error_message and error that holds one, else the whole text.
func (c *Client) Say(body []byte) string {
	if s := message(body); s != "" {
		return c.Text(s)
	}
	return c.Text(string(body))
}

// clean masks before and after the spaces are collapsed, as either may be what makes a secret recognisable.
func (c *Client) clean(s string) string { return c.mask.Replace(oneLine(c.mask.Replace(s))) }

func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
	return strings.Join(strings.Fields(s), " ")
}

func shorten(s string, most int) string {
	const mark = "…"
	if len(s) <= most {
		return s
	}
	cut := most - len(mark)
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + mark
}

// message finds the human text in a JSON body, or "". It reads leniently: the body is only shown.
func message(body []byte) string {
	var v any
	if json.Unmarshal(body, &v, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) != nil {
		return ""
	}
	return find(v, 8)
}

func find(v any, depth int) string {
	object, ok := v.(map[string]any)
	if !ok || depth == 0 {
		return ""
	}
	for _, name := range []string{"message", "error_message", "error"} {
		switch v := object[name].(type) {
		case string:
			if strings.TrimSpace(v) != "" {
				return v
			}
		case map[string]any:
			if s := find(v, depth-1); s != "" {
				return s
			}
		}
	}
	return ""
}
