package ahrefs

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"

	"backhaul/pipeline/emulator/graph"
)

// batchTargets is the most targets of one batch (OpenAPI document).
const batchTargets = 100

type batchTarget struct {
	URL      string `json:"url"`
	Mode     string `json:"mode"`
	Protocol string `json:"protocol"`
}

// readBatch reads the body of batch-analysis. Unknown keys are ignored (chosen).
func (q *query) readBatch(r *http.Request, o Options) {
	var body struct {
		Select  []string      `json:"select"`
		Targets []batchTarget `json:"targets"`
		OrderBy []string      `json:"order_by"`
		Country string        `json:"country"`
		Volume  string        `json:"volume_mode"`
		Output  string        `json:"output"`
	}
	raw, err := readBody(r)
	if err != nil || json.Unmarshal(raw, &body) != nil {
		q.fail("the body is not a JSON object of this endpoint")
		return
	}
	q.params.Set("\x00body", string(raw)) // for the key
	if q.output = body.Output; q.output == "" {
		q.output = "json"
	}
	if q.output != "json" && q.output != "php" || body.Volume != "" && body.Volume != "monthly" && body.Volume != "average" {
		q.fail("bad value for output or volume_mode")
	}
	if len(body.Select) == 0 {
		q.fail("missing required parameter: select")
	}
	for _, name := range body.Select {
		if !slices.Contains(q.report.fields, name) {
			q.fail("column %s not found", strconv.Quote(name))
		} else if !slices.Contains(q.selected, name) {
			q.selected = append(q.selected, name)
		}
	}
	q.readOrder(body.OrderBy, false) // here the default is documented: desc
	if n := len(body.Targets); n < 1 || n > batchTargets {
		q.fail("targets must have 1 to %d items", batchTargets)
	}
	for i, t := range body.Targets {
		modes, protocols := []string{"exact", "prefix", "domain", "subdomains"}, []string{"both", "http", "https"}
		if t.URL == "" || !slices.Contains(modes, t.Mode) || !slices.Contains(protocols, t.Protocol) {
			q.fail("targets[%d] must have url, mode and protocol", i)
		}
	}
	q.batch = body.Targets
}

func batchAnalysis(c *call) []row {
	var all []map[string]any
	for i, t := range c.q.batch {
		one := *c
		q := *c.q
		q.target, q.mode, q.protocol = t.URL, t.Mode, t.Protocol
		one.q = &q
		all = append(all, one.analyse(i, t))
	}
	for _, by := range slices.Backward(c.q.order) {
		slices.SortStableFunc(all, func(a, b map[string]any) int {
			x, y := a[by.name], b[by.name]
			if by.down && x != nil && y != nil {
				x, y = y, x
			}
			return compare(x, y, false)
		})
	}
	out := make([]row, len(all))
	for i, values := range all {
		for _, name := range c.q.selected {
			out[i] = append(out[i], cell{name, values[name]})
		}
	}
	return out
}

// analyse counts what the lists count: live links to and from the target.
func (c *call) analyse(index int, t batchTarget) map[string]any {
	host, _ := split(t.URL)
	d, known := c.domain(t.URL)
	out := map[string]any{}
	for _, name := range c.q.report.fields {
		out[name] = invent(name, roll(host, 0))
	}
	c.inbound(out)
	o := c.outbound()
	out["outgoing_links"], out["outgoing_links_dofollow"] = o.links, o.dofollow
	out["linked_domains"], out["linked_domains_dofollow"] = o.domains, o.dofollowDomains
	out["index"], out["mode"], out["protocol"], out["url"] = index, t.Mode, t.Protocol, t.URL
	n, _, _, _ := c.graph.Size()
	out["domain_rating"], out["ahrefs_rank"], out["url_rating"] = 0.0, n+1, 0.0 // a rank below all for what nobody links to: it may not be null here
	if known {
		out["domain_rating"], out["ahrefs_rank"] = c.rating(d), c.server.rank(c.view, d)
		out["url_rating"] = c.pageRating(c.graph.Home(d))
	}
	return out
}

// inbound counts the links to the target. Each domain has one address and one network (chosen).
func (c *call) inbound(out map[string]any) {
	var all, followed []graph.PageID
	redirects := 0
	for _, id := range c.backlinks() {
		l := c.view.Link(id)
		if !l.Live {
			continue
		}
		all = append(all, l.Source)
		redirects += number(l.Redirect)
		if !l.Nofollow {
			followed = append(followed, l.Source)
		}
	}
	out["backlinks"], out["backlinks_dofollow"] = len(all), len(followed)
	out["backlinks_nofollow"], out["backlinks_redirect"] = len(all)-len(followed), redirects
	_, domains := c.distinct(all)
	_, dofollow := c.distinct(followed)
	out["refdomains"], out["refdomains_dofollow"], out["refdomains_nofollow"] = domains, dofollow, domains-dofollow
	out["refips"], out["refips_subnets"] = domains, domains
	p := find(c.graph, c.q.target, c.q.mode, c.q.protocol)
	internal := 0
	for _, id := range c.view.InLinks(p.all) {
		l := c.view.Link(id)
		internal += number(standing(l) && !l.External && l.Live && p.keep(l.Target))
	}
	out["backlinks_internal"] = internal
}
