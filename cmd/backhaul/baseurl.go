package main

import (
	"fmt"
	"net/url"
	"strings"

	"backhaul/pipeline/vendors"
)

// withoutPath says what is wrong with a base URL that has lost its path, while the vendor's own has one; "" if nothing is. own
// says that the host is the vendor's, so that it cannot be right.
func withoutPath(s vendors.Surface, base string) (text string, own bool) {
	given, err := url.Parse(strings.TrimSpace(base))
	documented, err2 := url.Parse(s.DefaultURL)
	if err != nil || err2 != nil || given.Host == "" || strings.Trim(documented.Path, "/") == "" || strings.Trim(given.Path, "/") != "" {
		return "", false
	}
	return fmt.Sprintf("%s: the URL of host %s has no path; the vendor's own is %s", s.URL, given.Host, s.DefaultURL), strings.EqualFold(given.Hostname(), documented.Hostname())
}

// warnOfURLs prints what is odd about where the surfaces of a job are said to be.
func (a *app) warnOfURLs(job *loadedJob) {
	for i := range job.Extracts {
		e := job.Extracts[i].Endpoint
		s, ok := a.vendors.Surface(e.Vendor, e.Surface)
		if base, err := a.env(s.URL); ok && err == nil {
			if text, own := withoutPath(s, base); text != "" && !own {
				fmt.Fprintln(a.stderr, "warning: "+text)
				return
			}
		}
	}
}
