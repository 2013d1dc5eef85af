package ahrefsv2

var metrics = &Table{
	Name: "metrics", Envelope: "metrics", cost: once,
	Columns: []Column{
		{Name: "backlinks", Type: Integer},
		{Name: "refpages", Type: Integer},
		{Name: "pages", Type: Integer},
		{Name: "text", Type: Integer},
		{Name: "image", Type: Integer},
		{Name: "sitewide", Type: Integer},
		{Name: "not_sitewide", Type: Integer},
		{Name: "nofollow", Type: Integer},
		{Name: "dofollow", Type: Integer},
		{Name: "redirect", Type: Integer},
		{Name: "gov", Type: Integer},
		{Name: "edu", Type: Integer},
		{Name: "html_pages", Type: Integer},
		{Name: "links_internal", Type: Integer},
		{Name: "links_external", Type: Integer},
	},
}

var metricsExtended = &Table{
	Name: "metrics_extended", Envelope: "metrics", cost: ordinary,
	Columns: []Column{
		{Name: "backlinks", Type: Integer},
		{Name: "refpages", Type: Integer},
		{Name: "pages", Type: Integer},
		{Name: "text", Type: Integer},
		{Name: "image", Type: Integer},
		{Name: "sitewide", Type: Integer},
		{Name: "not_sitewide", Type: Integer},
		{Name: "nofollow", Type: Integer},
		{Name: "dofollow", Type: Integer},
		{Name: "redirect", Type: Integer},
		{Name: "gov", Type: Integer},
		{Name: "edu", Type: Integer},
		{Name: "html_pages", Type: Integer},
		{Name: "links_internal", Type: Integer},
		{Name: "links_external", Type: Integer},
		{Name: "refdomains", Type: Integer},
		{Name: "refclass_c", Type: Integer},
		{Name: "refips", Type: Integer},
	},
}

var subscriptionInfo = &Table{
	Name: "subscription_info", Envelope: "info", cost: free,
	Columns: []Column{
		{Name: "rows_left", Type: Integer},
		{Name: "rows_limit", Type: Integer},
		{Name: "subscription", Type: String},
	},
}
