package moz

import (
	"fmt"
	"slices"
	"strings"
)

// The rules of combination. They refuse what a vendor document says fails, so that it fails before money is spent.
// V2's own table of compatible parameters was out of reach; the rules marked JSON-RPC are Moz's for the successor of
// the same endpoint.

// linksSort: with anchor_text only four sorts, with source_root_domain only one. Source: Moz JSON-RPC,
// data.site.link.filter.anchor.text and data.site.link.filter.domain, options.sort.
func linksSort(value any, params map[string]any) error {
	if given(params, "source_root_domain") {
		return oneOf("sort", value, "source_root_domain", "source_page_authority")
	}
	if given(params, "anchor_text") {
		return oneOf("sort", value, "anchor_text", "source_page_authority", "source_domain_authority", "source_link_propensity", "source_spam_score")
	}
	return nil
}

// linksFilter: several words need external among them; with source_root_domain only seven words. Source: Moz JSON-RPC,
// data.site.link.list and data.site.link.filter.domain, options.filters.
func linksFilter(value any, params map[string]any) error {
	if err := severalNeedExternal(value, params); err != nil {
		return err
	}
	if !given(params, "source_root_domain") {
		return nil
	}
	for _, word := range words(value) {
		if err := oneOf("filter", word, "source_root_domain", "external", "follow", "nofollow", "deleted", "not_deleted", "gained_last_60_days", "lost_last_60_days"); err != nil {
			return err
		}
	}
	return nil
}

// severalNeedExternal. Source: Moz JSON-RPC, options.filters of the link lists.
func severalNeedExternal(value any, _ map[string]any) error {
	if list := words(value); len(list) > 1 && !slices.Contains(list, "external") {
		return fmt.Errorf("several filters must have external among them: external+%s", strings.Join(list, "+"))
	}
	return nil
}

// needsSort: Source: Moz JSON-RPC, data.site.link.list, options.subdomains_limited_to_one.
func needsSort(_ any, params map[string]any) error {
	if !given(params, "sort") {
		return fmt.Errorf("subdomains_limited_to_one needs sort to be given, such as source_page_authority")
	}
	return nil
}

// needsDateSort: V2 answers 400 otherwise. Source: Moz, linking_root_domains, begin_date and end_date.
func needsDateSort(_ any, params map[string]any) error {
	switch params["sort"] {
	case "date_gained", "date_lost":
		return nil
	}
	return fmt.Errorf("begin_date and end_date need sort date_gained or date_lost")
}

func given(params map[string]any, name string) bool { return params[name] != nil }

func words(value any) []string {
	s, _ := value.(string)
	return strings.Split(s, "+")
}

func oneOf(name string, value any, because string, allowed ...string) error {
	if s, ok := value.(string); ok && slices.Contains(allowed, s) {
		return nil
	}
	return fmt.Errorf("with %s, %s may only be %s, not %v", because, name, strings.Join(allowed, ", "), value)
}
