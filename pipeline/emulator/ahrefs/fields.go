package ahrefs

import "strings"

// kind is the type of a field's values, written as the Go type they have here: all but null ones.
type kind uint8

const (
	text   kind = iota // string
	stamp              // string, 2021-04-08T07:06:33Z
	day                // string, 2021-04-08
	whole              // int
	real               // float64
	flag               // bool
	texts              // []string
	wholes             // []int
	pairs              // [][2]any: a country and a number
)

// field is what the vendor's OpenAPI document says of a name. A name means the same type and price in all reports.
type field struct {
	kind  kind
	units int // price in a row, whether selected, in a condition or ordered by
	null  bool
	words []string // the only values, if the document lists them
}

func words(s string) []string { return strings.Fields(s) }

// dictionary has every name of every report (fields of the OpenAPI document, version 3.0.0). ahrefs_rank may be null only in domain-rating.
var dictionary = map[string]field{
	"ahrefs_rank":                  {kind: whole, units: 1, null: true},
	"ahrefs_rank_source":           {kind: whole, units: 1},
	"ahrefs_rank_target":           {kind: whole, units: 1},
	"all_time":                     {kind: whole, units: 1},
	"all_time_refdomains":          {kind: whole, units: 5},
	"alt":                          {kind: text, units: 1, null: true},
	"anchor":                       {kind: text, units: 1},
	"backlinks":                    {kind: whole, units: 1},
	"backlinks_dofollow":           {kind: whole, units: 1},
	"backlinks_internal":           {kind: whole, units: 1},
	"backlinks_nofollow":           {kind: whole, units: 1},
	"backlinks_redirect":           {kind: whole, units: 1},
	"broken_redirect_new_target":   {kind: text, units: 1, null: true},
	"broken_redirect_reason":       {kind: text, units: 1, null: true, words: words(`droppedmanual droppedtooold dropped codechanged nxdomain robotsdisallowed curlerror invalidtarget nomorecanonical isnowparked targetchanged`)},
	"broken_redirect_source":       {kind: text, units: 1, null: true},
	"class_c":                      {kind: whole, units: 5},
	"date":                         {kind: day, units: 1},
	"discovered_status":            {kind: text, units: 1, null: true, words: words(`pagefound linkfound linkrestored`)},
	"dofollow_linked_domains":      {kind: whole, units: 1},
	"dofollow_links":               {kind: whole, units: 1},
	"dofollow_refdomains":          {kind: whole, units: 5},
	"dofollow_to_target":           {kind: whole, units: 1},
	"domain":                       {kind: text, units: 1},
	"domain_rating":                {kind: real, units: 1},
	"domain_rating_source":         {kind: real, units: 1},
	"domain_rating_target":         {kind: real, units: 1},
	"drop_reason":                  {kind: text, units: 1, null: true, words: words(`manual noratingunused notop tooold oldunavailable rescursive duplicate nxdomain malformed blockedport disallowed unlinked lowvalue`)},
	"encoding":                     {kind: text, units: 1},
	"first_seen":                   {kind: stamp, units: 1},
	"first_seen_link":              {kind: stamp, units: 1},
	"http_code":                    {kind: whole, units: 1},
	"http_code_source":             {kind: whole, units: 1},
	"http_code_target":             {kind: whole, units: 1, null: true},
	"http_crawl":                   {kind: flag, units: 1},
	"index":                        {kind: whole, units: 1},
	"ip":                           {kind: text, units: 1, null: true},
	"ip_source":                    {kind: text, units: 1, null: true},
	"is_alternate":                 {kind: flag, units: 1},
	"is_canonical":                 {kind: flag, units: 1},
	"is_content":                   {kind: flag, units: 1},
	"is_dofollow":                  {kind: flag, units: 1},
	"is_form":                      {kind: flag, units: 1},
	"is_frame":                     {kind: flag, units: 1},
	"is_homepage_link":             {kind: flag, units: 1},
	"is_image":                     {kind: flag, units: 1},
	"is_lost":                      {kind: flag, units: 1},
	"is_new":                       {kind: flag, units: 1},
	"is_nofollow":                  {kind: flag, units: 1},
	"is_non_html":                  {kind: flag, units: 1},
	"is_redirect":                  {kind: flag, units: 1},
	"is_redirect_lost":             {kind: flag, units: 1},
	"is_root_domain":               {kind: flag, units: 1},
	"is_root_source":               {kind: flag, units: 1},
	"is_root_target":               {kind: flag, units: 1},
	"is_rss":                       {kind: flag, units: 1},
	"is_spam":                      {kind: flag, units: 1},
	"is_sponsored":                 {kind: flag, units: 1},
	"is_text":                      {kind: flag, units: 1},
	"is_ugc":                       {kind: flag, units: 1},
	"js_crawl":                     {kind: flag, units: 1},
	"languages":                    {kind: texts, units: 1},
	"languages_source":             {kind: texts, units: 1},
	"languages_target":             {kind: texts, units: 1},
	"last_seen":                    {kind: stamp, units: 1, null: true},
	"last_visited":                 {kind: stamp, units: 1},
	"last_visited_source":          {kind: stamp, units: 1},
	"last_visited_target":          {kind: stamp, units: 1, null: true},
	"len_url_redirect":             {kind: whole, units: 1},
	"link_group_count":             {kind: whole, units: 1},
	"link_type":                    {kind: text, units: 1, words: words(`redirect frame text form canonical alternate rss image`)},
	"linked_domain_traffic":        {kind: whole, units: 10},
	"linked_domains":               {kind: whole, units: 1},
	"linked_domains_dofollow":      {kind: whole, units: 1},
	"linked_domains_source":        {kind: whole, units: 1},
	"linked_domains_source_domain": {kind: whole, units: 1},
	"linked_domains_source_page":   {kind: whole, units: 1},
	"linked_domains_target_domain": {kind: whole, units: 1},
	"linked_pages":                 {kind: whole, units: 1},
	"links_external":               {kind: whole, units: 1},
	"links_external_source":        {kind: whole, units: 1},
	"links_from_target":            {kind: whole, units: 1},
	"links_internal":               {kind: whole, units: 1},
	"links_to_target":              {kind: whole, units: 1},
	"live":                         {kind: whole, units: 1},
	"live_refdomains":              {kind: whole, units: 5},
	"lost_links":                   {kind: whole, units: 1},
	"lost_links_to_target":         {kind: whole, units: 1},
	"lost_reason":                  {kind: text, units: 1, null: true, words: words(`removedfromhtml notcanonical noindex pageredirected pageerror lostredirect notfound`)},
	"mode":                         {kind: text, units: 1},
	"name_source":                  {kind: text, units: 1},
	"name_target":                  {kind: text, units: 1},
	"new_links":                    {kind: whole, units: 1},
	"new_links_to_target":          {kind: whole, units: 1},
	"nofollow_to_target":           {kind: whole, units: 1},
	"noindex":                      {kind: flag, units: 1},
	"org_cost":                     {kind: whole, units: 10},
	"org_keywords":                 {kind: whole, units: 1},
	"org_keywords_11_20":           {kind: whole, units: 1},
	"org_keywords_1_3":             {kind: whole, units: 1},
	"org_keywords_21_50":           {kind: whole, units: 1},
	"org_keywords_4_10":            {kind: whole, units: 1},
	"org_keywords_51_plus":         {kind: whole, units: 1},
	"org_traffic":                  {kind: whole, units: 10},
	"org_traffic_top_by_country":   {kind: pairs, units: 10},
	"outgoing_links":               {kind: whole, units: 1},
	"outgoing_links_dofollow":      {kind: whole, units: 1},
	"page_category_source":         {kind: text, units: 1, null: true},
	"page_size":                    {kind: whole, units: 1},
	"page_type_source":             {kind: text, units: 1, null: true},
	"paid_ads":                     {kind: whole, units: 1},
	"paid_cost":                    {kind: whole, units: 10},
	"paid_keywords":                {kind: whole, units: 1},
	"paid_traffic":                 {kind: whole, units: 10},
	"port_source":                  {kind: whole, units: 1},
	"port_target":                  {kind: whole, units: 1},
	"positions":                    {kind: whole, units: 1},
	"positions_source":             {kind: whole, units: 1},
	"positions_source_domain":      {kind: whole, units: 1},
	"powered_by":                   {kind: texts, units: 1},
	"powered_by_source":            {kind: texts, units: 1},
	"powered_by_target":            {kind: texts, units: 1},
	"protocol":                     {kind: text, units: 1},
	"redirect_code":                {kind: whole, units: 1, null: true},
	"redirect_kind":                {kind: wholes, units: 1},
	"redirects_to_target":          {kind: whole, units: 1},
	"refdomains":                   {kind: whole, units: 5},
	"refdomains_dofollow":          {kind: whole, units: 5},
	"refdomains_nofollow":          {kind: whole, units: 5},
	"refdomains_source":            {kind: whole, units: 5},
	"refdomains_source_domain":     {kind: whole, units: 5},
	"refdomains_target":            {kind: whole, units: 5},
	"refdomains_target_domain":     {kind: whole, units: 5},
	"refips":                       {kind: whole, units: 1},
	"refips_subnets":               {kind: whole, units: 1},
	"refpages":                     {kind: whole, units: 1},
	"root_domain_name":             {kind: text, units: 1},
	"root_name_source":             {kind: text, units: 1},
	"root_name_target":             {kind: text, units: 1},
	"snippet_left":                 {kind: text, units: 1},
	"snippet_right":                {kind: text, units: 1},
	"source_page_author":           {kind: text, units: 1, null: true},
	"source_page_publish_date":     {kind: day, units: 1, null: true},
	"target_redirect":              {kind: text, units: 1, null: true},
	"title":                        {kind: text, units: 1},
	"title_source":                 {kind: text, units: 1},
	"title_target":                 {kind: text, units: 1, null: true},
	"tld_class_source":             {kind: text, units: 1, words: words(`gov edu normal`)},
	"tld_class_target":             {kind: text, units: 1, words: words(`gov edu normal`)},
	"top_domain_rating":            {kind: real, units: 1},
	"top_domain_rating_source":     {kind: real, units: 1},
	"traffic":                      {kind: whole, units: 10},
	"traffic_domain":               {kind: whole, units: 10},
	"traffic_domain_source":        {kind: whole, units: 10},
	"traffic_page":                 {kind: whole, units: 10},
	"traffic_source":               {kind: whole, units: 10},
	"url":                          {kind: text, units: 1},
	"url_from":                     {kind: text, units: 1},
	"url_from_plain":               {kind: text, units: 1},
	"url_rating":                   {kind: real, units: 1},
	"url_rating_source":            {kind: real, units: 1},
	"url_rating_target":            {kind: real, units: 1, null: true},
	"url_redirect":                 {kind: texts, units: 1},
	"url_redirect_with_target":     {kind: texts, units: 1},
	"url_to":                       {kind: text, units: 1},
	"url_to_plain":                 {kind: text, units: 1},
}

// price sums the units of names; each counts once.
func price(names ...[]string) (units int) {
	seen := map[string]bool{}
	for _, list := range names {
		for _, name := range list {
			if !seen[name] {
				seen[name] = true
				units += dictionary[name].units
			}
		}
	}
	return units
}
