package moz

import (
	"encoding/json"
	"strings"

	"backhaul/pipeline"
)

// countAnchors says what the anchor texts of a target have together: the domains and pages that link to it and are followed, as no
// others are listed.
func countAnchors(t pipeline.Task) (pipeline.Count, bool) {
	_, ok := narrowed(t)
	c := counted(t, []string{"root_domains"}, []string{"nofollow_root_domains"})
	pages := counted(t, []string{"external_pages"}, []string{"external_nofollow_pages"})
	c.Tail = &pipeline.Tail{Domains: "external_root_domains", Pages: "external_pages", PagesSum: pages.Sum}
	return c, ok
}

// countLinks counts by pages, of which most link once.
func countLinks(t pipeline.Task) (pipeline.Count, bool) {
	return countFiltered(t, "external_pages", "deleted_pages", "external_nofollow_pages")
}

// countDomains counts root domains.
func countDomains(t pipeline.Task) (pipeline.Count, bool) {
	return countFiltered(t, "root_domains", "deleted_root_domains", "nofollow_root_domains")
}

// countFiltered counts by what is there now, and by what is gone, which a plain filter brings as well. Of what is gone nobody counts
// what is followed.
func countFiltered(t pipeline.Task, there, gone, nofollow string) (pipeline.Count, bool) {
	words, ok := narrowed(t)
	plus, minus := []string{there, gone}, []string(nil)
	for _, word := range words {
		switch word {
		case "external":
		case "not_deleted":
			plus = plus[:1]
		case "follow":
			minus = []string{nofollow}
		default:
			ok = false
		}
	}
	return counted(t, plus, minus), ok && (len(minus) == 0 || len(plus) == 1)
}

func counted(t pipeline.Task, plus, minus []string) pipeline.Count {
	at := func(columns []string) (names []string) {
		for _, c := range columns {
			names = append(names, c+"_to_"+t.Scope)
		}
		return names
	}
	return pipeline.Count{Endpoint: "url_metrics", Sum: pipeline.Sum{Plus: at(plus), Minus: at(minus)}}
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
