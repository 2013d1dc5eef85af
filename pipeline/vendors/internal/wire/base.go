package wire

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

// Base returns a base URL without its trailing slashes. Credentials travel with every request, so it must be https,
// unless the host is this machine itself: localhost, 127.0.0.0/8 or ::1. Errors do not repeat user, password or query.
func Base(raw string) (string, error) {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil {
		return "", errors.New("base URL: it cannot be read: want https://host/path")
	}
	switch {
	case u.Host == "" || u.Hostname() == "":
		return "", errors.New("base URL: want https://host/path")
	case u.User != nil:
		return "", fmt.Errorf("base URL of %s: user and password do not belong into it", u.Host)
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return "", fmt.Errorf("base URL of %s: query and fragment do not belong into it", u.Host)
	case u.Scheme == "https", u.Scheme == "http" && loopback(u.Hostname()):
		return strings.TrimRight(u.String(), "/"), nil
	case u.Scheme == "http":
		return "", fmt.Errorf("base URL http://%s: want https; http is accepted on this machine only", u.Host)
	default:
		return "", fmt.Errorf("base URL of %s: want https, got scheme %q", u.Host, u.Scheme)
	}
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
