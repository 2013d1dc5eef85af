package canon

import "testing"

func TestAPartOfATarget(t *testing.T) {
	for target, want := range map[string]struct{ host, root string }{
		"example.com":                 {"example.com", "example.com"},
		"www.example.com":             {"www.example.com", "example.com"},
		"a.b.example.co.uk/blog?x=/y": {"a.b.example.co.uk", "example.co.uk"},
		"example.com:8080/x":          {"example.com:8080", "example.com"},
		"www.trailhead-co.example":    {"www.trailhead-co.example", "trailhead-co.example"},
		"a.github.io/x":               {"a.github.io", "a.github.io"},
		"co.uk":                       {"co.uk", "co.uk"},
		"192.0.2.1/x":                 {"192.0.2.1", "192.0.2.1"},
		"xn--bcher-kva.example/":      {"xn--bcher-kva.example", "xn--bcher-kva.example"},
	} {
		if host, root := HostOf(target), RootDomainOf(target); host != want.host || root != want.root {
			t.Errorf("%s: host %s, root domain %s; want %v", target, host, root, want)
		}
	}
}
