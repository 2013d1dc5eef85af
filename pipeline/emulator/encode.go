package emulator

import (
	"strconv"

	"backhaul/pipeline/emulator/graph"
	"backhaul/pipeline/emulator/internal/quote"
)

// JSON is written by hand: in the vendor's order of fields, with its ", " between them and nothing after the colon.

// appendMetrics writes the 52 fields in wire order.
func appendMetrics(buf []byte, m graph.Metrics) []byte {
	text := func(name, value string) { buf = quote.Append(append(buf, name...), value) }
	number := func(name string, n int) { buf = strconv.AppendInt(append(buf, name...), int64(n), 10) }
	text(`{"page":`, m.Page)
	text(`, "subdomain":`, m.Host)
	text(`, "root_domain":`, m.Domain)
	text(`, "title":`, m.Title)
	text(`, "last_crawled":`, m.LastCrawled)
	number(`, "http_code":`, m.HTTPCode)
	number(`, "pages_to_page":`, m.ToPage.Pages)
	number(`, "nofollow_pages_to_page":`, m.ToPage.NofollowPages)
	number(`, "redirect_pages_to_page":`, m.ToPage.RedirectPages)
	number(`, "external_pages_to_page":`, m.ToPage.ExternalPages)
	number(`, "external_nofollow_pages_to_page":`, m.ToPage.ExternalNofollowPages)
	number(`, "external_redirect_pages_to_page":`, m.ToPage.ExternalRedirectPages)
	number(`, "deleted_pages_to_page":`, m.ToPage.DeletedPages)
	number(`, "root_domains_to_page":`, m.ToPage.Domains)
	number(`, "indirect_root_domains_to_page":`, m.ToPage.IndirectDomains)
	number(`, "deleted_root_domains_to_page":`, m.ToPage.DeletedDomains)
	number(`, "nofollow_root_domains_to_page":`, m.ToPage.NofollowDomains)
	number(`, "pages_to_subdomain":`, m.ToHost.Pages)
	number(`, "nofollow_pages_to_subdomain":`, m.ToHost.NofollowPages)
	number(`, "redirect_pages_to_subdomain":`, m.ToHost.RedirectPages)
	number(`, "external_pages_to_subdomain":`, m.ToHost.ExternalPages)
	number(`, "external_nofollow_pages_to_subdomain":`, m.ToHost.ExternalNofollowPages)
	number(`, "external_redirect_pages_to_subdomain":`, m.ToHost.ExternalRedirectPages)
	number(`, "deleted_pages_to_subdomain":`, m.ToHost.DeletedPages)
	number(`, "root_domains_to_subdomain":`, m.ToHost.Domains)
	number(`, "deleted_root_domains_to_subdomain":`, m.ToHost.DeletedDomains)
	number(`, "nofollow_root_domains_to_subdomain":`, m.ToHost.NofollowDomains)
	number(`, "pages_to_root_domain":`, m.ToDomain.Pages)
	number(`, "nofollow_pages_to_root_domain":`, m.ToDomain.NofollowPages)
	number(`, "redirect_pages_to_root_domain":`, m.ToDomain.RedirectPages)
	number(`, "external_pages_to_root_domain":`, m.ToDomain.ExternalPages)
	number(`, "external_indirect_pages_to_root_domain":`, m.ToDomain.ExternalIndirectPages)
	number(`, "external_nofollow_pages_to_root_domain":`, m.ToDomain.ExternalNofollowPages)
	number(`, "external_redirect_pages_to_root_domain":`, m.ToDomain.ExternalRedirectPages)
	number(`, "deleted_pages_to_root_domain":`, m.ToDomain.DeletedPages)
	number(`, "root_domains_to_root_domain":`, m.ToDomain.Domains)
	number(`, "indirect_root_domains_to_root_domain":`, m.ToDomain.IndirectDomains)
	number(`, "deleted_root_domains_to_root_domain":`, m.ToDomain.DeletedDomains)
	number(`, "nofollow_root_domains_to_root_domain":`, m.ToDomain.NofollowDomains)
	number(`, "page_authority":`, m.PageAuthority)
	number(`, "domain_authority":`, m.DomainAuthority)
	buf = appendPropensity(append(buf, `, "link_propensity":`...), m.LinkPropensity)
	number(`, "spam_score":`, m.SpamScore)
	number(`, "root_domains_from_page":`, m.FromPage.Domains)
	number(`, "nofollow_root_domains_from_page":`, m.FromPage.NofollowDomains)
	number(`, "pages_from_page":`, m.FromPage.Pages)
	number(`, "nofollow_pages_from_page":`, m.FromPage.NofollowPages)
	number(`, "root_domains_from_root_domain":`, m.FromDomain.Domains)
	number(`, "nofollow_root_domains_from_root_domain":`, m.FromDomain.NofollowDomains)
	number(`, "pages_from_root_domain":`, m.FromDomain.Pages)
	number(`, "nofollow_pages_from_root_domain":`, m.FromDomain.NofollowPages)
	number(`, "pages_crawled_from_root_domain":`, m.PagesCrawledOfItsSite)
	return append(buf, '}')
}

// appendPropensity writes a 32-bit float with up to ten significant digits, as the real replies have it.
func appendPropensity(buf []byte, f float32) []byte {
	return strconv.AppendFloat(buf, float64(f), 'g', 10, 64)
}

func appendFlag(buf []byte, name string, value bool) []byte {
	return strconv.AppendBool(append(buf, name...), value)
}

// refuse is an error answer; see the package comment for its form.
func refuse(status int, name, message string) reply {
	body := quote.Append([]byte(`{"name":`), name)
	body = quote.Append(append(body, `, "message":`...), message)
	return reply{status: status, body: append(body, '}')}
}
