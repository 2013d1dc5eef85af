package ahrefs

// Anchors is a list of anchors for Options.Lists, in the order it has when none is asked for.
type Anchors []AnchorRow

// AnchorRow is one anchor with its counts.
type AnchorRow struct {
	Anchor                     string
	Links, Dofollow, New, Lost int
	Pages, Domains             int     // linking ones
	TopRating                  float64 // of the linking domains
	FirstSeen                  string  // 2021-04-08T07:06:33Z. Default: invented
	LastSeen                   string  // the same. Default: the anchor is live
	Spam                       bool
}

func (a Anchors) Len() int { return len(a) }

func (a Anchors) Value(i int, field string) (any, bool) {
	r := &a[i]
	switch field {
	case "anchor":
		return r.Anchor, true
	case "links_to_target":
		return r.Links, true
	case "dofollow_links":
		return r.Dofollow, true
	case "new_links":
		return r.New, true
	case "lost_links":
		return r.Lost, true
	case "refpages":
		return r.Pages, true
	case "refdomains":
		return r.Domains, true
	case "top_domain_rating":
		return r.TopRating, true
	case "is_spam":
		return r.Spam, true
	case "first_seen":
		return r.FirstSeen, r.FirstSeen != ""
	case "last_seen":
		if r.LastSeen == "" {
			return nil, true
		}
		return r.LastSeen, true
	}
	return nil, false
}
