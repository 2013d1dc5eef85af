package ahrefs

import (
	"math"
	"slices"
	"strings"
	"testing"

	"backhaul/pipeline/emulator/graph"
)

const target = "target=summit-supply.example"

// whole asks for everything a list has.
func everything(t *testing.T, s *Server, report string, params ...string) answer {
	t.Helper()
	a := get(t, s, "site-explorer/"+report, append([]string{target, all(report), "limit=1000000"}, params...)...)
	if a.Status != 200 || len(a.rows) == 0 {
		t.Fatalf("%s %v: %d, %d rows, %.300s", report, params, a.Status, len(a.rows), a.Body)
	}
	return a
}

func TestTheReportsAgreeOnTheLinks(t *testing.T) {
	s := serve(Options{})
	stats := get(t, s, "site-explorer/backlinks-stats", target, "date=2026-01-01").rows[0]
	for _, history := range []struct{ name, links, domains string }{{"live", "live", "live_refdomains"}, {"all_time", "all_time", "all_time_refdomains"}} {
		h := "history=" + history.name
		links, domains := stats[history.links].(float64), stats[history.domains].(float64)
		anchors := everything(t, s, "anchors", h)
		refdomains := everything(t, s, "refdomains", h)
		backlinks := everything(t, s, "all-backlinks", h, "aggregation=all", "select="+strings.ReplaceAll(strings.TrimPrefix(all("all-backlinks"), "select="), ",link_group_count", ""))
		onePer := everything(t, s, "all-backlinks", h, "aggregation=1_per_domain")
		similar := everything(t, s, "all-backlinks", h)
		pages := everything(t, s, "pages-by-backlinks", h)
		for name, got := range map[string]int{
			"anchors":                 sum(column[float64](t, anchors, "links_to_target")),
			"refdomains":              sum(column[float64](t, refdomains, "links_to_target")),
			"pages":                   sum(column[float64](t, pages, "links_to_target")),
			"all-backlinks, all":      len(backlinks.rows),
			"groups of one a domain":  sum(column[float64](t, onePer, "link_group_count")),
			"groups of similar links": sum(column[float64](t, similar, "link_group_count")),
		} {
			if got != int(links) {
				t.Errorf("%s, %s: %d links, want %v", history.name, name, got, links)
			}
		}
		names := column[string](t, refdomains, "domain")
		slices.Sort(names)
		from := column[string](t, backlinks, "root_name_source")
		slices.Sort(from)
		if from = slices.Compact(from); !slices.Equal(names, from) || len(names) != int(domains) || len(onePer.rows) != len(names) {
			t.Errorf("%s: %d refdomains, %d by links, %d by one a domain, want %v", history.name, len(names), len(from), len(onePer.rows), domains)
		}
		ofAnchors(t, anchors, backlinks)
	}
}

// ofAnchors counts the links by hand and compares every anchor.
func ofAnchors(t *testing.T, anchors, backlinks answer) {
	t.Helper()
	type counts struct {
		links, dofollow, fresh, lost int
		pages, domains               map[any]bool
		top                          float64
		first                        string
		last                         any
	}
	byText := map[any]*counts{}
	for _, r := range backlinks.rows {
		c := byText[r["anchor"]]
		if c == nil {
			c = &counts{pages: map[any]bool{}, domains: map[any]bool{}, first: "9", last: ""}
			byText[r["anchor"]] = c
		}
		c.links++
		c.dofollow += number(r["is_dofollow"] == true)
		c.fresh += number(r["is_new"] == true)
		c.lost += number(r["is_lost"] == true)
		c.pages[r["url_from"]], c.domains[r["root_name_source"]] = true, true
		c.top = max(c.top, r["domain_rating_source"].(float64))
		c.first = min(c.first, r["first_seen_link"].(string))
		if last, ok := r["last_seen"].(string); !ok {
			c.last = nil
		} else if c.last != nil {
			c.last = max(c.last.(string), last)
		}
		if (r["last_seen"] == nil) == (r["is_lost"] == true) || r["is_dofollow"] == r["is_nofollow"] {
			t.Fatalf("a row contradicts itself: %v", r)
		}
	}
	for _, r := range anchors.rows {
		c := byText[r["anchor"]]
		if c == nil {
			t.Fatalf("no link has the text %v", r["anchor"])
		}
		got := []any{r["links_to_target"], r["dofollow_links"], r["new_links"], r["lost_links"], r["refpages"], r["refdomains"], r["top_domain_rating"], r["first_seen"], r["last_seen"]}
		want := []any{float64(c.links), float64(c.dofollow), float64(c.fresh), float64(c.lost), float64(len(c.pages)), float64(len(c.domains)), c.top, c.first, c.last}
		if !slices.Equal(got, want) {
			t.Fatalf("anchor %v: %v, want %v", r["anchor"], got, want)
		}
	}
	if len(byText) != len(anchors.rows) {
		t.Errorf("%d anchors, %d texts", len(anchors.rows), len(byText))
	}
}

func TestAggregationsTellLinksApart(t *testing.T) {
	s := serve(Options{})
	size := map[string]int{}
	for _, aggregation := range []string{"all", "similar_links", "1_per_domain"} {
		a := get(t, s, "site-explorer/all-backlinks", "target=acme-outdoor.example", "select=root_name_source,anchor", "limit=1000000", "aggregation="+aggregation)
		size[aggregation] = len(a.rows)
		seen := map[string]bool{}
		for _, r := range a.rows {
			key := r["root_name_source"].(string)
			if aggregation == "similar_links" {
				key += " " + r["anchor"].(string)
			}
			if seen[key] && aggregation != "all" {
				t.Fatalf("%s: %s comes twice", aggregation, key)
			}
			seen[key] = true
		}
	}
	if size["all"] <= size["similar_links"] || size["similar_links"] <= size["1_per_domain"] {
		t.Errorf("%v", size)
	}
}

func TestHistoryIsAWindow(t *testing.T) {
	s := serve(Options{})
	all, live, since := everything(t, s, "anchors"), everything(t, s, "anchors", "history=live"), everything(t, s, "anchors", "history=since:2025-11-01")
	total := func(a answer, name string) int { return sum(column[float64](t, a, name)) }
	if total(live, "lost_links") != 0 || total(live, "links_to_target") != total(all, "links_to_target")-total(all, "lost_links") {
		t.Error("live has other links than those that are not lost")
	}
	if total(since, "links_to_target") != total(live, "links_to_target")+total(since, "lost_links") || total(since, "lost_links") >= total(all, "lost_links") || total(since, "lost_links") == 0 {
		t.Error("since has other links than the live ones and those lost since")
	}
	if n := total(since, "new_links"); n == 0 || n >= total(all, "new_links") || total(all, "new_links") != total(all, "links_to_target") {
		t.Errorf("%d new links", n)
	}
	for _, r := range all.rows {
		for _, name := range []string{"first_seen", "last_seen"} {
			if s, ok := r[name].(string); ok && s > "2026-01-01T23:59:59Z" {
				t.Fatalf("%s is %s on 2026-01-01", name, s)
			}
		}
	}
}

func TestModesCoverWhatTheySay(t *testing.T) {
	s := serve(Options{})
	hosts := web().Hosts("acme-outdoor.example")
	links := func(target, mode string, more ...string) int {
		a := get(t, s, "site-explorer/backlinks-stats", append([]string{"target=" + target, "mode=" + mode, "date=2026-01-01"}, more...)...)
		if a.Status != 200 {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
		return int(a.rows[0]["live"].(float64))
	}
	byHost := 0
	for _, h := range hosts {
		byHost += links(h, "domain")
	}
	whole := links("acme-outdoor.example", "subdomains")
	if whole != byHost || len(hosts) < 2 {
		t.Errorf("%d links to the domain, %d to its hosts", whole, byHost)
	}
	if default_ := get(t, s, "site-explorer/backlinks-stats", "target=acme-outdoor.example", "date=2026-01-01").rows[0]["live"]; default_ != float64(whole) {
		t.Errorf("the default is not subdomains: %v", default_)
	}
	home := links("https://www.acme-outdoor.example/", "exact")
	prefix := links("www.acme-outdoor.example/", "prefix")
	if host := links("www.acme-outdoor.example", "domain"); prefix != host || home == 0 || home >= host || host >= whole {
		t.Errorf("exact %d, prefix %d, host %d, whole %d", home, prefix, host, whole)
	}
	if some := links("www.acme-outdoor.example/g", "prefix"); some == 0 || some >= prefix {
		t.Errorf("%d links to pages that begin with g", some)
	}
	http, https := links("acme-outdoor.example", "subdomains", "protocol=http"), links("acme-outdoor.example", "subdomains", "protocol=https")
	if http+https != whole {
		t.Errorf("%d and %d links by protocol, %d together", http, https, whole)
	}
	if links("nowhere.example", "subdomains")+links("quietpeak.example", "subdomains") != 0 {
		t.Error("links to nothing")
	}
}

func TestOutgoingReportsAgree(t *testing.T) {
	s := serve(Options{})
	stats := get(t, s, "site-explorer/outlinks-stats", target).rows[0]
	domains, anchors := everything(t, s, "linkeddomains"), everything(t, s, "linked-anchors-external")
	for _, a := range []answer{domains, anchors} {
		if n, f := sum(column[float64](t, a, "links_from_target")), sum(column[float64](t, a, "dofollow_links")); float64(n) != stats["outgoing_links"] || float64(f) != stats["outgoing_links_dofollow"] {
			t.Errorf("%d links, %d followed, want %v", n, f, stats)
		}
	}
	if float64(len(domains.rows)) != stats["linked_domains"] {
		t.Errorf("%d domains, want %v", len(domains.rows), stats["linked_domains"])
	}
	followed := 0
	for _, n := range column[float64](t, domains, "dofollow_links") {
		followed += number(n > 0)
	}
	if float64(followed) != stats["linked_domains_dofollow"] {
		t.Errorf("%d domains followed, want %v", followed, stats["linked_domains_dofollow"])
	}
	// Seen from the other end, the links are the same.
	one := domains.rows[0]
	back := get(t, s, "site-explorer/refdomains", "target="+one["domain"].(string), "select=links_to_target,lost_links", "history=live", `where={"field":"domain","is":["eq","summit-supply.example"]}`, "protocol=both")
	if len(back.rows) != 1 || back.rows[0]["links_to_target"].(float64) < one["links_from_target"].(float64) {
		t.Errorf("%v has %v", one, back.rows)
	}
}

func TestBrokenBacklinksGoToPagesThatAreGone(t *testing.T) {
	for _, r := range everything(t, serve(Options{}), "broken-backlinks", "target=acme-outdoor.example").rows {
		if r["http_code_target"] != 404.0 || r["last_seen"] != nil {
			t.Fatalf("%v", r)
		}
	}
}

func TestHistoriesEndInThePresent(t *testing.T) {
	s := serve(Options{})
	stats := get(t, s, "site-explorer/backlinks-stats", target, "date=2026-01-01").rows[0]
	now := get(t, s, "site-explorer/domain-rating", target, "date=2026-01-01").rows[0]
	last := func(path string, params ...string) map[string]any {
		a := get(t, s, "site-explorer/"+path, append([]string{target}, params...)...)
		if len(a.rows) == 0 {
			t.Fatalf("%s: %s", path, a.Body)
		}
		return a.rows[len(a.rows)-1]
	}
	if r := last("refdomains-history", "date_from=2024-06-15"); r["refdomains"] != stats["live_refdomains"] || r["date"] != "2026-01-01" {
		t.Errorf("%v, want %v", r, stats)
	}
	if r := last("domain-rating-history", "date_from=2025-12-30", "history_grouping=daily", "date_to=2027-01-01"); r["domain_rating"] != now["domain_rating"] {
		t.Errorf("%v, want %v", r, now)
	}
	d, _ := web().LookupDomain("summit-supply.example")
	if got := int(math.Ceil(now["domain_rating"].(float64))); got != web().At(0).DomainAuthority(d) {
		t.Errorf("rating %v, authority %d", now, web().At(0).DomainAuthority(d))
	}
	for grouping, want := range map[string][]string{
		"monthly": {"2025-11-01", "2025-12-01"}, "weekly": {"2025-11-03", "2025-11-10", "2025-11-17", "2025-11-24", "2025-12-01"},
	} {
		a := get(t, s, "site-explorer/refdomains-history", target, "date_from=2025-11-01", "date_to=2025-12-01", "history_grouping="+grouping)
		if got := column[string](t, a, "date"); !slices.Equal(got, want) {
			t.Errorf("%s: %v", grouping, got)
		}
	}
	past := get(t, s, "site-explorer/backlinks-stats", target, "date=2024-01-01").rows[0]
	if past["live"].(float64) >= stats["live"].(float64) {
		t.Errorf("%v links in 2024, %v now", past["live"], stats["live"])
	}
}

func TestABatchCountsAsTheReportsDo(t *testing.T) {
	s := serve(Options{})
	body := `{"select":["url","index","backlinks","refdomains","outgoing_links","linked_domains","domain_rating","ahrefs_rank","mode","org_traffic_top_by_country"],
		"order_by":["backlinks"],"targets":[{"url":"tiny-tarps.example","mode":"subdomains","protocol":"both"},{"url":"nowhere.example","mode":"exact","protocol":"both"},
		{"url":"summit-supply.example","mode":"subdomains","protocol":"both"}]}`
	a := post(t, s, "batch-analysis/batch-analysis", body)
	if a.Status != 200 || len(a.rows) != 3 || a.header(t, "X-Api-Units-Cost-Row") != 23 || a.header(t, "X-Api-Units-Cost-Total") != 69 {
		t.Fatalf("%d %v %s", a.Status, a.Header, a.Body)
	}
	if got := column[float64](t, a, "index"); !slices.Equal(got, []float64{2, 0, 1}) {
		t.Errorf("order %v", got)
	}
	stats, out := get(t, s, "site-explorer/backlinks-stats", target, "date=2026-01-01").rows[0], get(t, s, "site-explorer/outlinks-stats", target).rows[0]
	r := a.rows[0]
	if r["backlinks"] != stats["live"] || r["refdomains"] != stats["live_refdomains"] || r["outgoing_links"] != out["outgoing_links"] || r["linked_domains"] != out["linked_domains"] {
		t.Errorf("%v, want %v and %v", r, stats, out)
	}
	if r["domain_rating"] != get(t, s, "site-explorer/domain-rating", target, "date=2026-01-01").rows[0]["domain_rating"] || r["ahrefs_rank"].(float64) >= a.rows[1]["ahrefs_rank"].(float64) {
		t.Errorf("%v", r)
	}
}

func TestTheWebMovesByTheDay(t *testing.T) {
	day := 0
	s := New(func() *graph.View { return web().At(day) }, Options{})
	before := everything(t, s, "anchors")
	day = 30
	if after := everything(t, s, "anchors"); string(after.Body) == string(before.Body) {
		t.Error("nothing moved in a month")
	}
}
