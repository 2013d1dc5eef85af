package emulator

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"slices"
	"strconv"

	"backhaul/pipeline/emulator/graph"
	"backhaul/pipeline/emulator/internal/quote"
)

// endpoint is one path. from is where the page begins, which a shifting list moves away from `at`, its place by the token.
type endpoint struct {
	parse  func(*fields, *query)
	answer func(s *Server, v *graph.View, q *query, from, at int) reply
	billed bool
}

var endpoints map[string]endpoint

func init() {
	one := weighs(1)
	endpoints = map[string]endpoint{
		"/v2/anchor_text":             {parseAnchorText, pageOf(anchorList, one), true},
		"/v2/links":                   {parseLinks, pageOf(linkList, one), true},
		"/v2/linking_root_domains":    {parseLinkingRootDomains, pageOf(domainList, one), true},
		"/v2/link_intersect":          {parseLinkIntersect, (*Server).linkIntersect, true},
		"/v2/link_status":             {parseLinkStatus, (*Server).linkStatus, true},
		"/v2/final_redirect":          {parseFinalRedirect, (*Server).finalRedirect, true},
		"/v2/global_top_pages":        {(*fields).paging, pageOf(topPageList, one), true},
		"/v2/global_top_root_domains": {(*fields).paging, pageOf(topDomainList, one), true},
		"/v2/top_pages":               {parseTopPages, (*Server).topPages, true},
		"/v2/url_metrics":             {parseURLMetrics, (*Server).urlMetrics, true},
		"/v2/usage_data":              {parseUsageData, (*Server).usageData, false},
		"/v2/index_metadata":          {func(*fields, *query) {}, (*Server).indexMetadata, false},
	}
}

func parseAnchorText(f *fields, q *query) {
	f.target(q)
	q.Scope = f.choice("scope", "page", "subdomain", "root_domain")
	f.paging(q)
}

var (
	linkFilters = []string{"external", "follow", "nofollow", "deleted", "not_deleted", "redirect", "not_redirect", "rel_canonical",
		"not_rel_canonical", "via_redirect", "not_via_redirect", "via_rel_canonical", "not_via_rel_canonical", "gained_last_60_days", "lost_last_60_days"}
	domainFilters = []string{"external", "follow", "nofollow", "deleted", "not_deleted", "gained_last_60_days", "lost_last_60_days"}
	anchorSorts   = []string{"source_page_authority", "source_domain_authority", "source_link_propensity", "source_spam_score"}
)

// parseLinks holds the compatibility table, which is V3's: V2's own was not found.
func parseLinks(f *fields, q *query) {
	f.target(q)
	q.Scope = f.choice("target_scope", "page", "subdomain", "root_domain")
	_, sorted := f.values["sort"]
	q.Sort = f.choice("sort", "source_page_authority", "source_domain_authority", "source_spam_score", "source_link_propensity",
		"root_domains_to_source_page", "root_domains_to_source_root_domain")
	q.Filter = f.filter(linkFilters)
	if anchor, ok := f.text("anchor_text"); ok {
		// The documented way to ask for links without text is "\u0000"; an empty string asks for the same (chosen).
		if anchor == "\x00" {
			anchor = ""
		}
		anchor = graph.Normalise(anchor)
		q.Anchor = &anchor
		if !slices.Contains(anchorSorts, q.Sort) {
			f.fail("sort %s does not go with anchor_text", q.Sort)
		}
	}
	if domain, ok := f.text("source_root_domain"); ok {
		q.SourceRootDomain = domain
		if domain == "" {
			f.fail("source_root_domain must not be empty")
		}
		if q.Sort != "source_page_authority" {
			f.fail("sort %s does not go with source_root_domain", q.Sort)
		}
		for _, name := range q.Filter {
			if !slices.Contains(domainFilters, name) {
				f.fail("filter %s does not go with source_root_domain", name)
			}
		}
	}
	q.SourceScope = f.choice("source_scope", "page", "subdomain", "root_domain")
	if f.take("subdomains_limited_to_one", &q.LimitedToOne, "an array of strings") && !sorted {
		f.fail("subdomains_limited_to_one needs sort")
	}
	slices.Sort(q.LimitedToOne)
	f.paging(q)
}

func parseLinkingRootDomains(f *fields, q *query) {
	f.target(q)
	q.Scope = f.choice("target_scope", "page", "subdomain", "root_domain")
	q.Filter = f.filter(domainFilters)
	q.Sort = f.choice("sort", "source_domain_authority", "source_link_propensity", "source_spam_score", "date_gained", "date_lost")
	q.Begin, q.End = f.date("begin_date"), f.date("end_date")
	if dated := q.Sort == "date_gained" || q.Sort == "date_lost"; !dated && q.Begin+q.End != "" {
		f.fail("begin_date and end_date need sort date_gained or date_lost")
	}
	if q.Begin != "" && q.End != "" && q.Begin > q.End {
		f.fail("begin_date must not be after end_date")
	}
	f.paging(q)
}

// parseUsageData reads the period: strings of Unix seconds. Both ends belong to it, and end defaults to now (chosen).
func parseUsageData(f *fields, q *query) {
	q.start, q.end = -1, -1
	for name, at := range map[string]*int64{"start": &q.start, "end": &q.end} {
		if text, ok := f.text(name); ok {
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil || n < 0 {
				f.fail("%s must be Unix seconds", name)
			}
			*at = n
		}
	}
	if q.start >= 0 && q.end >= 0 && q.start >= q.end {
		f.fail("start must be before end")
	}
}

func (s *Server) usageData(_ *graph.View, q *query, _, _ int) reply {
	now := s.options.Clock()
	start, end := q.start, q.end
	if start < 0 {
		start = monthOf(now)
	}
	if end < 0 {
		end = now.Unix()
	}
	body := append([]byte(`{"rows_consumed":`), strconv.FormatInt(s.meter.between(start, end), 10)...)
	return reply{status: http.StatusOK, body: append(body, '}')}
}

// indexDays is how long an index keeps its id unless Options say otherwise (chosen).
const indexDays = 3

// indexOf numbers the index that serves a day.
func (s *Server) indexOf(day int) int32 {
	n := s.options.IndexDays
	if day < 0 {
		day -= n - 1
	}
	return int32(day / n)
}

// indexMetadata answers base64 of 16 bytes that follow from the index, and the spam score's dates, oldest first (invented).
func (s *Server) indexMetadata(v *graph.View, _ *query, _, _ int) reply {
	body := append([]byte(`{"index_id":"`), s.indexID(v.Day())...)
	body = append(body, `", "spam_score_update_days":[`...)
	for i, day := range []int{-700, -512, -365, -180, -41} {
		if i > 0 {
			body = append(body, ", "...)
		}
		body = quote.Append(body, graph.Date(day))
	}
	return reply{status: http.StatusOK, body: append(body, "]}"...)}
}

func (s *Server) indexID(day int) string {
	var in [12]byte
	binary.BigEndian.PutUint64(in[:], s.options.Seed)
	binary.BigEndian.PutUint32(in[8:], uint32(s.indexOf(day)))
	sum := sha256.Sum256(in[:])
	return base64.StdEncoding.EncodeToString(sum[:16])
}
