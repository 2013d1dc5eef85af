package mozrpc

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"backhaul/pipeline"
	"backhaul/pipeline/vendors/internal/moz"
)

// data is `params.data` of a request, of any method: Moz refuses members that a method does not know.
type data struct {
	SiteQuery       *site          `json:"site_query,omitzero"`
	DomainSiteQuery *site          `json:"domain_site_query,omitzero"`
	SiteQueries     []site         `json:"site_queries,omitzero"`
	Queries         []pair         `json:"queries,omitzero"`
	IsLinkingTo     []site         `json:"is_linking_to,omitzero"`
	NotLinkingTo    []site         `json:"not_linking_to,omitzero"`
	AnchorText      jsontext.Value `json:"anchor_text,omitzero"` // null asks for links without a text
	DailyDeltas     []string       `json:"get_daily_history_deltas_for,omitzero"`
	DailyValues     []string       `json:"get_daily_history_values_for,omitzero"`
	MonthlyDeltas   []string       `json:"get_monthly_history_deltas_for,omitzero"`
	MonthlyValues   []string       `json:"get_monthly_history_values_for,omitzero"`
	Options         options        `json:"options,omitzero"`
	Offset          *offset        `json:"offset,omitzero"`
	Page            *pageNumber    `json:"page,omitzero"`
	Path            string         `json:"path,omitzero"`
}

// site is what Moz calls a site query: both members are required.
type site struct {
	Query string `json:"query"`
	Scope string `json:"scope"`
}

// pair is one question of a link_status.
type pair struct {
	Target site `json:"target_site_query"`
	Source site `json:"source_site_query"`
}

// options are those of all lists.
type options struct {
	Scope                  string   `json:"scope,omitzero"`
	Sort                   string   `json:"sort,omitzero"`
	Filter                 string   `json:"filter,omitzero"`
	Filters                []string `json:"filters,omitzero"`
	SubdomainsLimitedToOne []string `json:"subdomains_limited_to_one,omitzero"`
	BeginDate              string   `json:"begin_date,omitzero"`
	EndDate                string   `json:"end_date,omitzero"`
	MinimumMatching        int64    `json:"minimum_matching_targets,omitzero"`
}

func (o options) IsZero() bool {
	return o.Scope == "" && o.Sort == "" && o.Filter == "" && o.Filters == nil && o.SubdomainsLimitedToOne == nil &&
		o.BeginDate == "" && o.EndDate == "" && o.MinimumMatching == 0
}

// offset is the place in a list. Both members are sent: the methods of gained and lost domains want them, and a limit
// beside offset is ignored.
type offset struct {
	Token *string `json:"token"`
	Limit int     `json:"limit"`
}

func at(ask pipeline.Ask) *offset {
	o := &offset{Limit: pageSize}
	if ask.Limit > 0 {
		o.Limit = min(ask.Limit, pageSize)
	}
	if ask.Cursor != "" {
		token := string(ask.Cursor)
		o.Token = &token
	}
	return o
}

// pageNumber is the place in a list of the whole web.
type pageNumber struct {
	N     int `json:"n"`
	Limit int `json:"limit"`
}

// The names of scopes here, by those of V2. What a site is has other names than what a source is.
var (
	siteScopes   = map[string]string{"page": "url", "subdomain": "subdomain", "root_domain": "domain"}
	sourceScopes = map[string]string{"page": "page", "subdomain": "subdomain", "root_domain": "domain"}
)

// v2Scope is the other way round.
func v2Scope(scope string) string {
	for v2, name := range siteScopes {
		if name == scope {
			return v2
		}
	}
	return scope
}

// asked is the target as a site. scope is the endpoint's scope parameter, "" where the task does not give it; it is always
// sent.
func asked(t pipeline.Task, scope, otherwise string) (*site, error) {
	if t.Target == "" {
		return nil, errors.New("the task has no target")
	}
	return siteOf(t.Target, cmp.Or(scope, t.Scope, otherwise))
}

func siteOf(target, scope string) (*site, error) {
	name, ok := siteScopes[scope]
	if !ok {
		return nil, fmt.Errorf("scope %q is not one of page, subdomain, root_domain", scope)
	}
	return &site{Query: target, Scope: name}, nil
}

func sitesOf(targets []moz.Target) ([]site, error) {
	var sites []site
	for _, t := range targets {
		s, err := siteOf(t.Target, t.Scope)
		if err != nil {
			return nil, err
		}
		sites = append(sites, *s)
	}
	return sites, nil
}

// envelope is a request.
type envelope struct {
	JSONRPC string `json:"jsonrpc"`
	// ID must have 24 characters or more.
	ID     string `json:"id"`
	Method string `json:"method"`
	Params struct {
		Data data `json:"data"`
	} `json:"params"`
}

// readRequest reads a request as it was sent.
func readRequest(body []byte) (envelope, error) {
	var e envelope
	if err := json.Unmarshal(body, &e); err != nil {
		return e, fmt.Errorf("read the request: %w", err)
	}
	return e, nil
}

// size is how many rows, or inputs of a batch, a request is for; otherwise if it does not say.
func (d data) size(otherwise int) int {
	n := max(len(d.SiteQueries), len(d.Queries))
	if d.Offset != nil {
		n = d.Offset.Limit
	}
	if n > 0 {
		return n
	}
	return otherwise
}

func queries(sites []site) []string {
	list := make([]string, len(sites))
	for i, s := range sites {
		list[i] = s.Query
	}
	return list
}
