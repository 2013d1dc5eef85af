package wire

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestCredentialsAreMaskedInEverySpelling(t *testing.T) {
	token := newClient(t, "http://localhost", nil)
	basic := newClient(t, "http://localhost", func(o *Options) { o.Auth = BasicAuth("mozscape-abc", "key/with+signs") })
	pair := newClient(t, "http://localhost", func(o *Options) {
		o.Auth = HeaderAuth("x-moz-token", base64.StdEncoding.EncodeToString([]byte("mozscape-abc:key/with+signs")))
	})
	quoted, _ := json.Marshal(map[string]string{"message": "bad token " + secret})
	for _, tc := range []struct {
		c    *Client
		body string
		leak string
	}{
		{token, "your token " + secret + " is bad", secret},
		{token, string(quoted), secret},
		{token, `{"message":"` + strings.ReplaceAll(secret, "/", `\/`) + `"}`, secret},
		{token, "raw " + strings.ReplaceAll(secret, "/", `\/`), strings.ReplaceAll(secret, "/", `\/`)},
		{token, "GET /?token=" + url.QueryEscape(secret), url.QueryEscape(secret)},
		{token, strings.Repeat(" ", 5000) + secret, "s3cr3t"},
		{token, strings.Repeat("x", MaxText-10) + secret, "s3c"},
		{basic, "mozscape-abc:key/with+signs", "key/with"},
		{basic, "user mozscape-abc unknown", "mozscape-abc"},
		{token, "base64 " + base64.StdEncoding.EncodeToString([]byte(secret)), base64.RawStdEncoding.EncodeToString([]byte(secret))[4:20]},
		{token, "base64 " + base64.URLEncoding.EncodeToString([]byte("x:"+secret+":y")), base64.RawURLEncoding.EncodeToString([]byte("x:" + secret))[4:20]},
		{token, "GET /?token=s3cr3t%2f%2BToken%3d%3D", "Token"},
		{token, "GET /?token=" + percent(secret), percent(secret)},
		{token, "GET /?token=" + url.QueryEscape(percent(secret)), url.QueryEscape(percent(secret))},
		{token, `{"message":"` + strings.ReplaceAll(secret, secret[:1], fmt.Sprintf(`\u%04x`, secret[0])) + `"}`, secret},
		{token, "raw " + fmt.Sprintf(`\u%04X`, secret[0]) + secret[1:], secret[1:]},
		{pair, "user mozscape-abc unknown", "mozscape-abc"},
		{pair, "bad signature key/with+signs", "key/with"},
		{basic, "base64 " + base64.StdEncoding.EncodeToString([]byte("key/with+signs")), base64.StdEncoding.EncodeToString([]byte("key/with"))[:8]},
		{basic, "Authorization: " + basic.opt.Auth.value, strings.TrimRight(strings.TrimPrefix(basic.opt.Auth.value, "Basic "), "=")},
	} {
		if got := tc.c.Say([]byte(tc.body)); strings.Contains(got, tc.leak) || !strings.Contains(got, "[red") {
			t.Errorf("%q becomes %q", tc.body, got)
		}
	}
}

// percent escapes every character, needed or not.
func percent(s string) string {
	return regexp.MustCompile("..").ReplaceAllString(hex.EncodeToString([]byte(s)), "%$0")
}

func TestWhatIsNoSecretIsShownAsItIs(t *testing.T) {
	c := newClient(t, "http://localhost", nil)
	for _, text := range []string{"limit must be <= 50 (100% sure)", "%", "%2", "%25", "%zz%2525", `C:\u00`, `\u00zz \`, secret[:len(secret)-1], "a+b%20c"} {
		if got := c.Text(text); got != text {
			t.Errorf("%q becomes %q", text, got)
		}
	}
}

func TestAShortSecretCutsNoWords(t *testing.T) {
	const said = "invalid token: the id acted upon is redacted, Bearer a of an Id"
	for secret, want := range map[string]string{
		"a":       "invalid token: the id acted upon is redacted, [redacted] of an Id",
		"id":      "invalid token: the [redacted] acted upon is redacted, Bearer a of an Id",
		"red":     said,
		"acted":   "invalid token: the id [redacted] upon is redacted, Bearer a of an Id",
		"invalid": "[redacted] token: the id acted upon is redacted, Bearer a of an Id",
		":":       "invalid token: the id acted upon is redacted, Bearer a of an Id",
	} {
		c := newClient(t, "http://localhost", func(o *Options) { o.Auth = BearerAuth(secret) })
		if got := c.Text(said); got != want {
			t.Errorf("%q: %q, want %q", secret, got, want)
		}
	}
	c := newClient(t, "http://localhost", func(o *Options) { o.Auth = BasicAuth("me", "aa") })
	if got, want := c.Text("aa aaa (aa) me:aa memo me"), "[redacted] aaa ([redacted]) [redacted] memo [redacted]"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestBase(t *testing.T) {
	for raw, want := range map[string]string{
		"https://lsapi.seomoz.com/v2":  "https://lsapi.seomoz.com/v2",
		"https://lsapi.seomoz.com/v2/": "https://lsapi.seomoz.com/v2",
		" https://h//\n":               "https://h",
		"HTTPS://h":                    "https://h",
		"http://127.0.0.1:8080/v2/":    "http://127.0.0.1:8080/v2",
		"http://127.9.9.9":             "http://127.9.9.9",
		"http://[::1]:1":               "http://[::1]:1",
		"http://[::ffff:127.0.0.1]:1":  "http://[::ffff:127.0.0.1]:1",
		"http://LocalHost:1":           "http://LocalHost:1",
	} {
		if got, err := Base(raw); got != want || err != nil {
			t.Errorf("%q: %q, %v", raw, got, err)
		}
	}
	for _, raw := range []string{
		"", "lsapi.seomoz.com/v2", "http://lsapi.seomoz.com/v2", "http://10.0.0.1", "http://0.0.0.0", "http://localhost.evil.example",
		"http://127.0.0.1.evil.example", "ftp://localhost", "https://", "https:///v2", "https://:443",
		"https://user:hush@h", "https://h?key=hush", "https://h#hush", "https://h?", "http://%zzhush",
	} {
		if got, err := Base(raw); err == nil || strings.Contains(err.Error(), "hush") {
			t.Errorf("%q: %q, %v", raw, got, err)
		}
	}
}

func FuzzSay(f *testing.F) {
	for _, s := range []string{"", "x", `{"message":"a"}`, `{"error":{"message":"` + secret + `"}}`, secret, "\xff\x00\u2028", strings.Repeat("ä ", 200), `{"error":{"error":{}}}`} {
		f.Add([]byte(s))
	}
	c, err := New(Options{Base: "http://localhost", Auth: HeaderAuth("x", secret)})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got := c.Say(body)
		if len(got) > MaxText || !utf8.ValidString(got) || strings.Contains(got, secret) || strings.ContainsFunc(got, unicode.IsControl) {
			t.Errorf("%q becomes %q", body, got)
		}
	})
}
