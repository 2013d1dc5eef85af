package canon

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// lookup is UTS 46 as browsers apply it. Lengths and the letters, digits, hyphens and underscores of the result
// are checked here, so that the error says which label is wrong.
var lookup = idna.New(
	idna.MapForLookup(),
	idna.Transitional(false),
	idna.StrictDomainName(false),
	idna.VerifyDNSLength(false),
	idna.CheckHyphens(false),
	idna.CheckJoiners(true),
	idna.BidiRule(),
)

// The bounds of the domain name system, in bytes.
const (
	maxHost  = 253
	maxLabel = 63
)

// Host returns the canonical spelling of a host name: lower case, punycode, no trailing dot. A host has at
// least two labels, or is an IPv4 address: vendors crawl the public web, so localhost and IPv6 are refused.
// Underscores, which DNS allows and the web has, are kept.
func Host(s string) (string, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return "", errors.New("has no host")
	}
	ascii, err := toASCII(s)
	if err != nil {
		return "", err
	}
	if err := checkHost(ascii); err != nil {
		return "", err
	}
	return ascii, nil
}

func toASCII(s string) (string, error) {
	if !plain(s) {
		ascii, err := lookup.ToASCII(s)
		if err != nil {
			return "", errors.New("has a host that is no valid international domain name (IDNA)")
		}
		s = ascii
	}
	return strings.TrimSuffix(strings.ToLower(s), "."), nil
}

// plain reports whether lower-casing is all that IDNA would do.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return !strings.Contains(strings.ToLower(s), "xn--")
}

func checkHost(host string) error {
	if host == "" {
		return errors.New("has no host")
	}
	if len(host) > maxHost {
		return fmt.Errorf("has a host of %d bytes, a host has at most %d", len(host), maxHost)
	}
	labels := strings.Split(host, ".")
	for _, label := range labels {
		if err := checkLabel(label); err != nil {
			return err
		}
	}
	if len(labels) == 1 {
		return errors.New("has a host without a dot: give the whole name, like example.com")
	}
	if numeric(labels[len(labels)-1]) {
		if _, err := netip.ParseAddr(host); err != nil {
			return errors.New("has a host that ends in a number and is no IPv4 address")
		}
	}
	return nil
}

func checkLabel(label string) error {
	switch {
	case label == "":
		return errors.New("has a host with an empty label: two dots, or a dot at its start")
	case len(label) > maxLabel:
		return fmt.Errorf("has a host with a label of %d bytes, a label has at most %d", len(label), maxLabel)
	case strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-"):
		return errors.New("has a host with a label that starts or ends with a hyphen")
	}
	for i := range len(label) {
		if !hostByte(label[i]) {
			return fmt.Errorf("has the character %q in its host", label[i])
		}
	}
	return nil
}

func hostByte(c byte) bool {
	return 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_'
}

func numeric(label string) bool {
	return strings.Trim(label, "0123456789") == ""
}

// hostPort returns the canonical host[:port] of an authority without user information.
func hostPort(authority string) (string, error) {
	if strings.HasPrefix(authority, "[") {
		return "", errors.New("has an IPv6 address for a host: give a name")
	}
	name, digits, found := strings.Cut(authority, ":")
	host, err := Host(name)
	if err != nil || !found || digits == "" {
		return host, err
	}
	port, err := strconv.ParseUint(digits, 10, 16)
	if err != nil || port == 0 {
		return "", errors.New("has a port that is not a number from 1 to 65535")
	}
	if port == 80 || port == 443 {
		return host, nil
	}
	return host + ":" + strconv.FormatUint(port, 10), nil
}
