package archive

import (
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"backhaul/pipeline"
)

// fileName is what follows the endpoint in a file's name: _TARGET[_MODE]_DATE[_NUMBER].
var fileName = regexp.MustCompile(`^_(.+)_(\d{4}-\d{2}-\d{2})(?:[_-]\d+)?$`)

// named is what a file's name says.
type named struct {
	endpoint      *pipeline.Endpoint
	target, scope string
	date          time.Time
}

// nameOf reads a file's name, such as anchors_example.com_domain_2025-01-31_0002.json.gz. What does not look it says
// nothing.
func (x *examiner) nameOf(path string) (n named) {
	name := filepath.Base(path)
	for _, end := range []string{".gz", ".zst", ".json", ".ndjson", ".jsonl", ".xml"} {
		name = strings.TrimSuffix(name, end)
	}
	// Names of endpoints have underscores themselves, so the longest that fits counts.
	for i := len(name); i > 0; i-- {
		if i < len(name) && name[i] != '_' {
			continue
		}
		s := x.source(name[:i])
		parts := fileName.FindStringSubmatch(name[i:])
		if s == nil || parts == nil {
			continue
		}
		date, err := time.Parse(time.DateOnly, parts[2])
		target, unescapeErr := url.PathUnescape(parts[1])
		if err != nil || unescapeErr != nil {
			continue
		}
		n = named{endpoint: s.Endpoint(), target: target, date: date}
		for _, word := range scopes(n.endpoint) {
			if host, ok := strings.CutSuffix(target, "_"+word); ok && host != "" {
				n.target, n.scope = host, word
			}
		}
		return n
	}
	return n
}

// scopes are the words for how wide an endpoint takes its target.
func scopes(e *pipeline.Endpoint) []string {
	if p := e.Param(e.ScopeParam); p != nil {
		return p.Values
	}
	return nil
}
