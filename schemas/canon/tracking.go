package canon

import (
	"slices"
	"strings"
)

// trackingPrefixes and tracking are the query parameters that say how a visitor came and never which page this
// is. Parameters that some sites use to choose a page (ref, source, id, campaign) are not among them.
var (
	trackingPrefixes = []string{"utm_", "mtm_", "pk_", "hsa_", "__hs"}

	tracking = map[string]bool{
		"gclid": true, "gclsrc": true, "dclid": true, "gbraid": true, "wbraid": true, "gad_source": true, // Google Ads
		"gad_campaignid": true, "srsltid": true, "_ga": true, "_gl": true, // Google
		"fbclid": true, "igsh": true, "igshid": true, // Meta
		"msclkid": true, "twclid": true, "ttclid": true, "li_fat_id": true, "epik": true, "rdt_cid": true, // Microsoft, X, TikTok, LinkedIn, Pinterest, Reddit
		"sccid": true, "scclid": true, "yclid": true, "ysclid": true, "_openstat": true, // Snapchat, Yandex
		"mc_cid": true, "mc_eid": true, "mkt_tok": true, "s_kwcid": true, "ef_id": true, // Mailchimp, Marketo, Adobe
		"_hsenc": true, "_hsmi": true, "hsctatracking": true, // HubSpot
		"irclickid": true, "vero_id": true, "wickedid": true, "oly_anon_id": true, "oly_enc_id": true, // Impact, Vero, Wicked Reports, Omeda
	}
)

func tracks(name string) bool {
	name = strings.ToLower(name)
	return tracking[name] || slices.ContainsFunc(trackingPrefixes, func(prefix string) bool {
		return strings.HasPrefix(name, prefix)
	})
}

// cleanQuery escapes a query and removes its tracking parameters.
func cleanQuery(query string) string {
	if query == "" {
		return ""
	}
	parts := strings.Split(escape(query, inQuery), "&")
	parts = slices.DeleteFunc(parts, func(part string) bool {
		name, _, _ := strings.Cut(part, "=")
		return tracks(name)
	})
	return strings.Join(parts, "&")
}
