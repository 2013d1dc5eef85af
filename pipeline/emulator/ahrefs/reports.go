package ahrefs

import (
	"net/http"
	"slices"
)

// report is one path of v3: its parameters, its fields and how it is answered. Names and parameters are those of the OpenAPI
// document; a report without build is a single answer, made by answer.
type report struct {
	method     string
	envelope   string
	fields     []string // selectable
	conditions []string // further names that where may use
	unordered  []string // selectable names that order_by may not use
	params     params
	build      func(*call) List
	answer     func(*call) []row
	single     bool // the envelope holds one row, not an array
	ofLinks    bool // rows are links, not groups of them
	outward    bool // about the links from the target
	unpriced   bool // no units
	uncached   bool // x-api-cache: no_cache
}

// params are the parameters a report takes beside target, timeout and output.
type params struct{ list, mode, history, aggregation, date, span bool }

var reports map[string]*report

func init() {
	reports = map[string]*report{
		"/v3/site-explorer/anchors": {
			method: http.MethodGet, envelope: "anchors",
			params: params{list: true, mode: true, history: true}, build: anchorList,
			fields: words(`anchor dofollow_links first_seen is_spam last_seen links_to_target lost_links new_links refdomains refpages
				top_domain_rating`),
			conditions: words(`discovered_status domain_rating drop_reason is_content is_dofollow is_homepage_link is_nofollow is_non_html
				is_root_domain is_sponsored is_ugc languages len_url_redirect link_type linked_domains links_external lost_reason
				noindex positions positions_source_domain powered_by refdomains_source root_domain_name snippet_left snippet_right
				source_page_author title traffic_domain traffic_page url_from url_redirect url_redirect_with_target url_to`),
		},
		"/v3/site-explorer/all-backlinks": {
			method: http.MethodGet, envelope: "backlinks",
			params: params{list: true, mode: true, history: true, aggregation: true}, build: backlinkList, ofLinks: true,
			unordered: words(`link_group_count`),
			fields: words(`ahrefs_rank_source ahrefs_rank_target alt anchor broken_redirect_new_target broken_redirect_reason
				broken_redirect_source class_c discovered_status domain_rating_source domain_rating_target drop_reason encoding
				first_seen first_seen_link http_code http_crawl ip_source is_alternate is_canonical is_content is_dofollow is_form
				is_frame is_image is_lost is_new is_nofollow is_redirect is_redirect_lost is_root_source is_root_target is_rss is_spam
				is_sponsored is_text is_ugc js_crawl languages last_seen last_visited link_group_count link_type
				linked_domains_source_domain linked_domains_source_page linked_domains_target_domain links_external links_internal
				lost_reason name_source name_target noindex page_category_source page_size page_type_source port_source port_target
				positions powered_by redirect_code redirect_kind refdomains_source refdomains_source_domain refdomains_target_domain
				root_name_source root_name_target snippet_left snippet_right source_page_author source_page_publish_date title
				tld_class_source tld_class_target traffic traffic_domain url_from url_from_plain url_rating_source url_redirect
				url_redirect_with_target url_to url_to_plain`),
			conditions: words(`is_homepage_link is_non_html len_url_redirect positions_source_domain`),
		},
		"/v3/site-explorer/broken-backlinks": {
			method: http.MethodGet, envelope: "backlinks",
			params: params{list: true, mode: true, aggregation: true}, build: brokenList, ofLinks: true,
			unordered: words(`http_code_target last_visited_target link_group_count`),
			fields: words(`ahrefs_rank_source ahrefs_rank_target alt anchor class_c domain_rating_source domain_rating_target encoding first_seen
				first_seen_link http_code http_code_target http_crawl ip_source is_alternate is_canonical is_content is_dofollow is_form
				is_frame is_image is_nofollow is_redirect is_root_source is_root_target is_rss is_spam is_sponsored is_text is_ugc
				js_crawl languages last_seen last_visited last_visited_target link_group_count link_type linked_domains_source_domain
				linked_domains_source_page linked_domains_target_domain links_external links_internal name_source name_target
				page_category_source page_size page_type_source port_source port_target positions powered_by redirect_code redirect_kind
				refdomains_source refdomains_source_domain refdomains_target_domain root_name_source root_name_target snippet_left
				snippet_right source_page_author title tld_class_source tld_class_target traffic traffic_domain url_from url_from_plain
				url_rating_source url_redirect url_redirect_with_target url_to url_to_plain`),
			conditions: words(`is_homepage_link is_non_html len_url_redirect positions_source_domain`),
		},
		"/v3/site-explorer/refdomains": {
			method: http.MethodGet, envelope: "refdomains",
			params: params{list: true, mode: true, history: true}, build: refdomainList,
			fields: words(`dofollow_linked_domains dofollow_links dofollow_refdomains domain domain_rating first_seen ip_source is_root_domain
				is_spam last_seen links_to_target lost_links new_links positions_source_domain traffic_domain`),
			conditions: words(`anchor discovered_status drop_reason is_content is_dofollow is_homepage_link is_nofollow is_non_html is_sponsored is_ugc
				languages len_url_redirect link_type linked_domains links_external lost_reason noindex port_source port_target positions
				powered_by refdomains root_domain_name snippet_left snippet_right source_page_author title traffic_page url_from
				url_redirect url_redirect_with_target url_to`),
		},
		"/v3/site-explorer/linkeddomains": {
			method: http.MethodGet, envelope: "linkeddomains",
			params: params{list: true, mode: true}, build: linkedDomainList, outward: true,
			fields: words(`dofollow_linked_domains dofollow_links dofollow_refdomains domain domain_rating first_seen is_root_domain
				linked_domain_traffic linked_pages links_from_target`),
			conditions: words(`anchor is_content is_dofollow is_nofollow is_non_html is_sponsored is_ugc languages len_url_redirect link_type
				linked_domains links_external port_source port_target positions powered_by refdomains root_domain_name snippet_left
				snippet_right title traffic_page url_from url_redirect url_redirect_with_target url_to`),
		},
		"/v3/site-explorer/linked-anchors-external": {
			method: http.MethodGet, envelope: "linkedanchors",
			params: params{list: true, mode: true}, build: linkedAnchorList, outward: true,
			fields: words(`anchor dofollow_links first_seen linked_domains linked_pages links_from_target`),
			conditions: words(`domain domain_rating is_content is_dofollow is_nofollow is_non_html is_sponsored is_ugc languages len_url_redirect
				link_type linked_domains_source links_external port_source port_target positions powered_by refdomains_source
				snippet_left snippet_right title traffic_page url_from url_redirect url_redirect_with_target url_to`),
		},
		"/v3/site-explorer/pages-by-backlinks": {
			method: http.MethodGet, envelope: "pages",
			params: params{list: true, mode: true, history: true}, build: pageList,
			unordered: words(`http_code_target languages_target last_visited_target powered_by_target target_redirect
				title_target url_rating_target`),
			fields: words(`dofollow_to_target first_seen_link http_code_target is_spam languages_target last_seen last_visited_source
				last_visited_target links_to_target lost_links_to_target new_links_to_target nofollow_to_target powered_by_target
				redirects_to_target refdomains_target target_redirect title_target top_domain_rating_source url_rating_target url_to
				url_to_plain`),
			conditions: words(`anchor domain_rating_source http_code_source is_content is_dofollow is_homepage_link is_lost is_new is_nofollow
				is_non_html is_root_source is_sponsored is_ugc languages_source len_url_redirect link_type linked_domains_source
				links_external_source positions_source positions_source_domain powered_by_source refdomains_source root_name_source
				snippet_left snippet_right source_page_author title_source traffic_domain_source traffic_source url_from_plain
				url_rating_source url_redirect url_redirect_with_target`),
		},
		"/v3/site-explorer/domain-rating": {
			method: http.MethodGet, envelope: "domain_rating",
			params: params{date: true}, answer: domainRating, single: true, uncached: true,
			fields: words(`ahrefs_rank domain_rating`),
		},
		"/v3/site-explorer/backlinks-stats": {
			method: http.MethodGet, envelope: "metrics",
			params: params{mode: true, date: true}, answer: backlinksStats, single: true,
			fields: words(`all_time all_time_refdomains live live_refdomains`),
		},
		"/v3/site-explorer/outlinks-stats": {
			method: http.MethodGet, envelope: "metrics",
			params: params{mode: true}, answer: outlinksStats, single: true,
			fields: words(`linked_domains linked_domains_dofollow outgoing_links outgoing_links_dofollow`),
		},
		"/v3/site-explorer/refdomains-history": {
			method: http.MethodGet, envelope: "refdomains",
			params: params{mode: true, span: true}, answer: refdomainsHistory,
			fields: words(`date refdomains`),
		},
		"/v3/site-explorer/domain-rating-history": {
			method: http.MethodGet, envelope: "domain_ratings",
			params: params{span: true}, answer: ratingHistory,
			fields: words(`date domain_rating`),
		},
		"/v3/batch-analysis/batch-analysis": {
			method: http.MethodPost, envelope: "targets",
			answer: batchAnalysis,
			fields: words(`ahrefs_rank backlinks backlinks_dofollow backlinks_internal backlinks_nofollow backlinks_redirect domain_rating index ip
				linked_domains linked_domains_dofollow mode org_cost org_keywords org_keywords_11_20 org_keywords_1_3 org_keywords_21_50
		org_keywords_4_10 org_keywords_51_plus org_traffic org_traffic_top_by_country outgoing_links outgoing_links_dofollow
				paid_ads paid_cost paid_keywords paid_traffic protocol refdomains refdomains_dofollow refdomains_nofollow refips
				refips_subnets url url_rating`),
		},
		"/v3/subscription-info/limits-and-usage": {
			method: http.MethodGet, envelope: "limits_and_usage", answer: limitsAndUsage, single: true, unpriced: true, uncached: true,
			fields: words(`subscription usage_reset_date units_limit_workspace units_usage_workspace units_limit_api_key
				units_usage_api_key api_key_expiration_date`),
		},
	}
}

func (r *report) takes(name string) bool {
	return slices.Contains(r.fields, name) || slices.Contains(r.conditions, name)
}

// grouped tells whether a condition on the name is about a row of the report, and not about one of the links it is made of.
func (r *report) grouped(name string) bool { return slices.Contains(r.fields, name) }
