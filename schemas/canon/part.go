package canon

import (
	"net/netip"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// HostOf returns the host of a canonical target, with its port if it has one: a.example.com of a.example.com/b.
func HostOf(target string) string {
	host, _, _ := strings.Cut(target, "/")
	return host
}

// RootDomainOf returns the registrable domain of a canonical target, by the public suffix list with its private part: two
// targets of one registrable domain there are of one by any other list, too. An address, or a suffix, stands for itself.
func RootDomainOf(target string) string {
	host, _, _ := strings.Cut(HostOf(target), ":")
	if _, err := netip.ParseAddr(host); err == nil {
		return host
	}
	if root, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
		return root
	}
	return host
}
