package ahrefsv2

var pages = &Table{
	Name: "pages", Envelope: "pages", cost: ordinary,
	Columns: []Column{
		{Name: "url", Type: String, Use: Where | Having},
		{Name: "ahrefs_rank", Type: Integer, Use: Where | Having},
		{Name: "last_visited", Type: Date, Use: Where | Having},
		{Name: "http_code", Type: Integer, Use: Where | Having},
		{Name: "size", Type: Integer, Use: Where | Having},
		{Name: "links_internal", Type: Integer, Use: Where | Having},
		{Name: "links_external", Type: Integer, Use: Where | Having},
		{Name: "encoding", Type: String, Use: Where | Having},
		{Name: "title", Type: String, Use: Where | Having},
		{Name: "redirect_url", Type: String, Use: Where | Having},
		{Name: "content_encoding", Type: String, Use: Where | Having},
	},
}

var pagesExtended = &Table{
	Name: "pages_extended", cost: ordinary,
	Columns: []Column{
		{Name: "url", Type: String, Use: Where | Having},
		{Name: "ahrefs_rank", Type: Integer, Use: Where | Having},
		{Name: "last_visited", Type: Date, Use: Where | Having},
		{Name: "http_code", Type: Integer, Use: Where | Having},
		{Name: "size", Type: Integer, Use: Where | Having},
		{Name: "links_internal", Type: Integer, Use: Where | Having},
		{Name: "links_external", Type: Integer, Use: Where | Having},
		{Name: "encoding", Type: String, Use: Where | Having},
		{Name: "title", Type: String, Use: Where | Having},
		{Name: "redirect_url", Type: String, Use: Where | Having},
		{Name: "content_encoding", Type: String, Use: Where | Having},
		{Name: "backlinks", Type: Integer, Use: Where | Having},
		{Name: "dofollow", Type: Integer, Use: Where | Having},
		{Name: "nofollow", Type: Integer, Use: Where | Having},
		{Name: "redirects", Type: Integer, Use: Where | Having},
		{Name: "refdomains", Type: Integer, Use: Where | Having},
		{Name: "refclass_c", Type: Integer, Use: Where | Having},
		{Name: "refips", Type: Integer, Use: Where | Having},
	},
}
