package moz

import (
	"encoding/json"
	"slices"
	"strings"

	"backhaul/pipeline"
)

// anchorsPerDomain is about how many anchor texts a target has for each root domain that links to it: nobody counts them, so this
// is good for their order of magnitude.
const anchorsPerDomain = 0.6

// countAnchors counts anchor texts by the root domains that link to the target.
func countAnchors(t pipeline.Task) (pipeline.Count, bool) {
	_, ok := narrowed(t)
	return counted(t, anchorsPerDomain, []string{"root_domains"}, nil), ok
}

// countLinks counts by pages, of which most link once. Plain external includes links that are gone.
func countLinks(t pipeline.Task) (pipeline.Count, bool) {
	words, ok := narrowed(t)
	plus, minus := []string{"external_pages", "deleted_pages"}, []string(nil)
	for _, word := range words {
		switch word {
		case "external":
		case "not_deleted":
			plus = slices.DeleteFunc(plus, func(c string) bool { return c == "deleted_pages" })
		case "follow":
			minus = append(minus, "external_nofollow_pages")
		default:
			ok = false
		}
	}
	return counted(t, 1, plus, minus), ok && !(len(minus) > 0 && slices.Contains(plus, "deleted_pages")) // of those gone nobody counts the followed ones
}

// countDomains counts root domains. Plain external includes those that link no more.
func countDomains(t pipeline.Task) (pipeline.Count, bool) {
	words, ok := narrowed(t)
	plus, minus := []string{"root_domains", "deleted_root_domains"}, []string(nil)
	for _, word := range words {
		switch word {
		case "external":
		case "not_deleted":
			plus = plus[:1]
		case "follow":
			minus = append(minus, "nofollow_root_domains")
		default:
			ok = false
		}
	}
	return counted(t, 1, plus, minus), ok && !(len(minus) > 0 && len(plus) > 1)
}

func counted(t pipeline.Task, share float64, plus, minus []string) pipeline.Count {
	at := func(columns []string) (names []string) {
		for _, c := range columns {
			names = append(names, c+"_to_"+t.Scope)
		}
		return names
	}
	return pipeline.Count{Endpoint: "url_metrics", Plus: at(plus), Minus: at(minus), Share: share}
}

// narrowed returns the words of the task's filter, or reports false if other parameters narrow its list as well.
func narrowed(t pipeline.Task) (filter []string, ok bool) {
	var params map[string]any
	if err := json.Unmarshal([]byte(t.Params), &params); err != nil {
		return nil, false
	}
	for name, value := range params {
		text, _ := value.(string)
		switch name {
		case "scope", "target_scope", "sort":
		case "filter":
			filter = strings.Split(text, "+")
		default:
			return nil, false
		}
	}
	return filter, true
}
