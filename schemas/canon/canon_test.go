package canon

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

var spellings = []struct{ name, given, want string }{
	{"a host is itself", "moz.com", "moz.com"},
	{"a host alone has no slash", "moz.com/", "moz.com"},
	{"a path keeps its lack of a slash", "moz.com/blog", "moz.com/blog"},
	{"a path keeps its slash", "moz.com/blog/", "moz.com/blog/"},
	{"www is part of the host", "www.moz.com", "www.moz.com"},
	{"space around", " \t\u00a0moz.com\r\n", "moz.com"},
	{"http", "http://moz.com", "moz.com"},
	{"https in capitals", "HTTPS://moz.com/blog", "moz.com/blog"},
	{"no scheme but slashes", "//moz.com/blog", "moz.com/blog"},
	{"user", "https://me@moz.com/", "moz.com"},
	{"user and password", "https://me:p@ss@moz.com/x", "moz.com/x"},
	{"user and password without a scheme", "me:pass@moz.com", "moz.com"},
	{"at sign in a path", "medium.com/@me", "medium.com/@me"},
	{"host in capitals", "MOZ.Com/Blog", "moz.com/Blog"},
	{"trailing dot", "moz.com./blog", "moz.com/blog"},
	{"umlaut", "bücher.example", "xn--bcher-kva.example"},
	{"umlaut in capitals", "BÜCHER.example", "xn--bcher-kva.example"},
	{"decomposed umlaut", "bu\u0308cher.example", "xn--bcher-kva.example"},
	{"sharp s stays", "faß.de", "xn--fa-hia.de"},
	{"punycode stays", "XN--BCHER-KVA.example", "xn--bcher-kva.example"},
	{"ideographic dot", "例え。テスト", "xn--r8jz45g.xn--zckzah"},
	{"full-width letters", "ｍｏｚ．ｃｏｍ", "moz.com"},
	{"underscore", "my_blog.example.com", "my_blog.example.com"},
	{"hyphens that IDNA reserves", "r3---sn-a.example.com", "r3---sn-a.example.com"},
	{"address", "192.0.2.1/x", "192.0.2.1/x"},
	{"port 80", "moz.com:80", "moz.com"},
	{"port 443", "https://moz.com:443/x", "moz.com/x"},
	{"empty port", "moz.com:/x", "moz.com/x"},
	{"other port", "http://moz.com:08080/x", "moz.com:8080/x"},
	{"dot segments", "moz.com/a/./b/../c", "moz.com/a/c"},
	{"dot segments at the end", "moz.com/a/b/..", "moz.com/a/"},
	{"dot segments beyond the root", "moz.com/../..", "moz.com"},
	{"escaped dot segments", "moz.com/a/%2e%2E/b", "moz.com/b"},
	{"empty segments stay", "moz.com//a//b", "moz.com//a//b"},
	{"dots in names", "moz.com/.well-known/a..b", "moz.com/.well-known/a..b"},
	{"backslashes", `https:\\moz.com\blog`, "moz.com/blog"},
	{"path in Unicode", "moz.com/é", "moz.com/%C3%A9"},
	{"escapes in capitals", "moz.com/%c3%a9%2f", "moz.com/%C3%A9%2F"},
	{"unreserved unescaped", "moz.com/%7Eme%2D%41", "moz.com/~me-A"},
	{"bad escape", "moz.com/100%/%zz/%2", "moz.com/100%25/%25zz/%252"},
	{"what browsers encode", "moz.com/<a>\"`{}^", "moz.com/%3Ca%3E%22%60%7B%7D%5E"},
	{"what browsers keep", "moz.com/a;b=(c),[d]|'e'", "moz.com/a;b=(c),[d]|'e'"},
	{"fragment", "moz.com/a#b?c=d", "moz.com/a"},
	{"fragment behind a host", "moz.com#x", "moz.com"},
	{"query", "wordpress.com/?ref=footer_blog", "wordpress.com/?ref=footer_blog"},
	{"query behind a host", "wordpress.com?ref=footer_blog", "wordpress.com/?ref=footer_blog"},
	{"order of the query", "moz.com/a?b=2&a=1&b=3", "moz.com/a?b=2&a=1&b=3"},
	{"empty query", "moz.com/a?", "moz.com/a"},
	{"query in Unicode", "moz.com/a?q=ü'", "moz.com/a?q=%C3%BC%27"},
	{"a URL in a query", "moz.com/a?u=http://b.example/?c", "moz.com/a?u=http://b.example/?c"},
	{"tracking", "moz.com/a?utm_source=x&id=1&gclid=y&FBCLID=z&b", "moz.com/a?id=1&b"},
	{"nothing but tracking", "moz.com/?utm_source=x&msclkid=1", "moz.com"},
	{"escaped tracking", "moz.com/?%75tm_source=x", "moz.com"},
	{"nearly tracking", "moz.com/?utmost=1&xgclid=2", "moz.com/?utmost=1&xgclid=2"},
	{"all of it", "HTTPS://User:pw@WWW.Bücher.example.:443/./a%7eb/ü?utm_source=x&id=1#top", "www.xn--bcher-kva.example/a~b/%C3%BC?id=1"},
}

func TestTargetSpelling(t *testing.T) {
	for _, c := range spellings {
		t.Run(c.name, func(t *testing.T) {
			got, err := Target(c.given)
			if err != nil || got != c.want {
				t.Fatalf("Target(%q) = %q, %v; want %q", c.given, got, err, c.want)
			}
			if again, err := Target(got); err != nil || again != got {
				t.Fatalf("Target(%q) = %q, %v; not idempotent", got, again, err)
			}
		})
	}
}

func TestTargetRefusesWhatIsNoTarget(t *testing.T) {
	for given, want := range map[string]string{
		"":                                "empty",
		"  ":                              "empty",
		"moz.com rival.com":               "space",
		"moz.com/a\u00a0b":                "space",
		"moz.com/\x01":                    "control character",
		"moz.com/\xff":                    "UTF-8",
		"#top":                            "no host",
		"/blog":                           "no host",
		"https://":                        "no host",
		"https:///blog":                   "no host",
		"http:moz.com":                    "no //",
		"ftp://moz.com":                   "scheme ftp",
		"mailto:me@moz.com":               "scheme mailto",
		"me@moz.com":                      "e-mail",
		"moz":                             "without a dot",
		"localhost":                       "without a dot",
		"localhost:8080/x":                "without a dot",
		"https://[::1]/":                  "IPv6",
		"3.14":                            "no IPv4",
		"1.2.3.4.5":                       "no IPv4",
		"1.2.3.256":                       "no IPv4",
		"moz..com":                        "empty label",
		".moz.com":                        "empty label",
		"-moz.com":                        "hyphen",
		"moz,com.example":                 "character ','",
		"m%6fz.com":                       "character '%'",
		strings.Repeat("a", 64) + ".com":  "label of 64",
		strings.Repeat("a.", 127) + "com": "host of 257",
		"xn--\u00fc.com":                  "IDNA",
		"xn--zzzzzzz--.com":               "IDNA",
		"moz.com:0":                       "port",
		"moz.com:65536":                   "port",
		"moz.com:x":                       "port",
	} {
		got, err := Target(given)
		if err == nil {
			t.Errorf("Target(%q) = %q; want an error about %q", given, got, want)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("Target(%q): %v; want %q", given, err, want)
		}
	}
}

func TestErrorsDoNotRepeatPasswords(t *testing.T) {
	for _, given := range []string{"https://me:hunter2@", "https://me:hunter2@moz", "me:hunter2@moz.com:x", "https://me:hunter2@m z.com"} {
		if _, err := Target(given); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("Target(%q): %v", given, err)
		}
	}
}

func TestTrackingIsRemovedWhole(t *testing.T) {
	names := slices.Collect(maps.Keys(tracking))
	for _, prefix := range trackingPrefixes {
		names = append(names, prefix+"x")
	}
	if !slices.Contains(names, "utm_x") {
		t.Fatal(names)
	}
	for _, name := range names {
		if got, err := Target("moz.com/a?" + name + "=1&keep=2"); err != nil || got != "moz.com/a?keep=2" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestHostIsAHostAlone(t *testing.T) {
	if got, err := Host(" Bücher.EXAMPLE. "); err != nil || got != "xn--bcher-kva.example" {
		t.Errorf("%q, %v", got, err)
	}
	for _, given := range []string{"", "moz.com/", "moz.com:80", "https://moz.com", "moz", "a b.com"} {
		if got, err := Host(given); err == nil {
			t.Errorf("Host(%q) = %q; want an error", given, got)
		}
	}
}

func TestDateIsOneSpelling(t *testing.T) {
	if got, err := Date(" 2026-02-28 "); err != nil || got != "2026-02-28" {
		t.Errorf("%q, %v", got, err)
	}
	for _, given := range []string{"", "2026-02-30", "2026-2-3", "01/02/2026", "20260203", "2026-02-03T00:00:00Z"} {
		if got, err := Date(given); err == nil {
			t.Errorf("Date(%q) = %q; want an error", given, got)
		}
	}
}

func FuzzTarget(f *testing.F) {
	for _, c := range spellings {
		f.Add(c.given)
	}
	f.Add("xn--a.example/\u200b%")
	f.Fuzz(func(t *testing.T, given string) {
		once, err := Target(given)
		if err != nil {
			return
		}
		twice, err := Target(once)
		if err != nil || twice != once {
			t.Fatalf("Target(%q) = %q, then %q, %v", given, once, twice, err)
		}
		for i := range len(once) {
			if once[i] <= 0x20 || once[i] >= 0x7f {
				t.Fatalf("Target(%q) = %q is not printable ASCII", given, once)
			}
		}
	})
}

func BenchmarkTarget(b *testing.B) {
	for b.Loop() {
		if _, err := Target("https://www.acme-outdoor.example/tents/two-person?utm_source=x&id=7"); err != nil {
			b.Fatal(err)
		}
	}
}
