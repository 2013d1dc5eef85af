package emulator

import (
	"cmp"
	"slices"
	"strconv"

	"backhaul/pipeline/emulator/graph"
	"backhaul/pipeline/emulator/internal/quote"
)

// anchors are the texts of the followed, external, live links to a target: what links lists under
// external+follow+not_deleted. Redirects and canonicals count there and so count here, under the empty text (chosen).
type anchors []anchor

type anchor struct {
	text           string
	domains, pages int
	lastDomain     graph.DomainID
	lastPage       graph.PageID
}

// anchorList orders by root domains (documented), then pages, then text (both chosen), the last one ascending.
func anchorList(v *graph.View, q *query) rows {
	var all anchors
	byText := map[string]int{}
	for _, id := range v.InLinks(q.find(v)) { // by source page, so a page or domain seen before is the last one
		l := v.Link(id)
		if !l.Live || !l.External || l.Nofollow {
			continue
		}
		text := v.Anchor(id)
		domain := v.Graph().DomainOf(l.Source)
		i, ok := byText[text]
		if !ok {
			byText[text] = len(all)
			all = append(all, anchor{text, 1, 1, domain, l.Source})
			continue
		}
		a := &all[i]
		if a.lastPage != l.Source {
			a.pages++
			a.lastPage = l.Source
		}
		if a.lastDomain != domain {
			a.domains++
			a.lastDomain = domain
		}
	}
	slices.SortFunc(all, func(a, b anchor) int {
		return cmp.Or(cmp.Compare(b.domains, a.domains), cmp.Compare(b.pages, a.pages), cmp.Compare(a.text, b.text))
	})
	return all
}

func (a anchors) Len() int { return len(a) }

func (a anchors) Append(buf []byte, i int) []byte { return a.append(buf, i, `{"anchor_text":`) }

// append writes an anchor with its text under the name the API has for it.
func (a anchors) append(buf []byte, i int, text string) []byte {
	buf = quote.Append(append(buf, text...), a[i].text)
	buf = strconv.AppendInt(append(buf, `, "external_root_domains":`...), int64(a[i].domains), 10)
	buf = strconv.AppendInt(append(buf, `, "external_pages":`...), int64(a[i].pages), 10)
	return append(buf, '}')
}
