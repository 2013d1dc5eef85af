package ahrefsv2

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"backhaul/pipeline"
	"backhaul/schemas"
	"backhaul/testdata/vendors"
)

// The recorded replies, and what is to become of them under v3's names.
func TestRecordedRepliesDecodeUnderTheNamesOfV3(t *testing.T) {
	for file, tc := range map[string]struct {
		endpoint string
		want     []row
	}{
		"anchors.json": {"anchors", []row{
			{"anchor": "$11.99/month", "links_to_target": int64(2), "refpages": int64(2), "refdomains": int64(1),
				"first_seen": "2013-08-08T19:04:00", "last_visited": "2013-08-08T20:18:13"},
			{"anchor": "$79/month to $499/month", "links_to_target": int64(2), "refpages": int64(2), "refdomains": int64(2),
				"first_seen": "2013-09-28T18:18:27", "last_visited": "2013-10-03T05:23:31"},
		}},
		"anchors_refdomains.json": {"refdomains", []row{
			{"domain": "domainoom.com", "links_to_target": int64(66570), "extra": `{"anchors":26676}`},
			{"domain": "tntu.edu.ua", "links_to_target": int64(450), "extra": `{"anchors":240}`},
			{"domain": "blackhatworld.com", "links_to_target": int64(298), "extra": `{"anchors":189}`},
		}},
		"refdomains.json": {"refdomains", []row{
			{"domain": "001baidu.com", "links_to_target": int64(1), "first_seen": "2013-08-08T23:04:54", "domain_rating": 431.0,
				"extra": `{"last_visited":"2013-11-07T11:10:04Z","refpages":1}`},
			{"domain": "0411soft.net", "links_to_target": int64(1), "first_seen": "2013-08-09T06:38:13", "domain_rating": 41.0,
				"extra": `{"last_visited":"2013-08-09T06:38:13Z","refpages":1}`},
			{"domain": "0769pxw.com", "links_to_target": int64(1), "first_seen": "2013-08-08T18:57:12", "domain_rating": 47.0,
				"extra": `{"last_visited":"2013-11-07T11:10:04Z","refpages":1}`},
		}},
		"refdomains_by_type.json": {"refdomains", []row{
			{"domain": "linkedin.com", "links_to_target": int64(3), "dofollow_links": int64(0), "first_seen": "2020-01-14T05:16:39", "domain_rating": 98.0,
				"extra": `{"last_visited":"2020-12-09T09:54:58Z","linked_domains":903,"refdomain_top":"linkedin.com","refdomains":8724253,"refpages":3,"traffic":163250217.345815}`},
		}},
		"refips.xml": {"refdomains", []row{
			{"domain": "nydailynews.com", "ip_source": "204.225.190.144", "links_to_target": int64(960541)},
			{"domain": "webometrics.info", "ip_source": "161.111.47.11", "links_to_target": int64(246135)},
			{"domain": "netinfo.org.ua", "ip_source": "65.254.53.187", "links_to_target": int64(120625)},
		}},
		"backlinks_one_per_domain.json": {"all_backlinks", []row{{
			"url_from": "https://worldwidetopsiteslist.blogspot.com/2020/10/theworldsmostvisitedwebpages203.html", "url_to": "https://www.directcbdonline.com/",
			"url_rating_source": 5.0, "domain_rating_source": 2.0, "ip_source": "216.58.198.193", "links_internal": int64(21), "links_external": int64(7463),
			"page_size": int64(84102), "encoding": "utf8", "title": "World Wide top Sites List : the_worlds_most_visited_web_pages_203",
			"first_seen_link": "2020-10-28T12:23:00", "first_seen": "2020-10-25T22:24:38", "last_visited": "2020-12-07T21:53:23", "alt": "",
			"anchor": "https://directcbdonline.com", "snippet_left": "572086 https://betongmaidanang.com 572087 https://planetel.it 572088",
			"snippet_right": "572089 https://yeahfieldtrip.com 572090 https://leonardoborges.com 572091", "http_code": int64(200), "link_type": "href",
			"is_dofollow": true, "is_nofollow": false, "is_ugc": false, "is_sponsored": false, "link_group_count": int64(2),
			"extra": `{"ahrefs_top":46372866,"first_origin":"fresh","language":"en","last_origin":"recrawl","original":true,"prev_visited":"2020-12-01T05:34:47Z"}`,
		}}},
		"pages.json": {"pages_by_backlinks", []row{{
			"url_to": "https://petlifetoday.com/", "url_rating_target": 83.0, "last_visited_target": "2020-12-15T03:44:34", "http_code_target": int64(200),
			"title_target": "Pet Care Advice, Tips and Product Reviews - Pet Life Today",
			"extra":        `{"content_encoding":"br","encoding":"utf8","first_seen":"2018-12-20T17:01:04Z","links_external":3,"links_internal":173,"redirect_url":"","size":29239}`,
		}}},
	} {
		t.Run(file, func(t *testing.T) {
			s := named(t, Offline(), tc.endpoint)
			got, rejected, err := decoded(t, s, s.Endpoint().Table, pipeline.Page{Body: vendors.Read(t, "ahrefs/v2_"+file)})
			if diff := cmp.Diff(tc.want, got); diff != "" || len(rejected) > 0 || err != nil {
				t.Errorf("%v, rejected %v: %s", err, rejected, diff)
			}
		})
	}
}

func TestWhatLinksAskAndWhereTheyRedirectHasTheNamesOfV3(t *testing.T) {
	for _, name := range []string{"all_backlinks", "broken_backlinks"} {
		s := named(t, Offline(), name)
		body := []byte(`{"refpages":[
			{"url_from":"http://a.example/","url_to":"http://b.example/","anchor":"","redirect":301,"nofollow":false},
			{"url_from":"http://a.example/","url_to":"http://b.example/","anchor":"","redirect":0,"nofollow":true},
			{"url_from":"http://a.example/","url_to":"http://b.example/","anchor":"","nofollow":false,"ugc":true},
			{"url_from":"http://a.example/","url_to":"http://b.example/","anchor":"","nofollow":false,"ugc":false,"sponsored":true},
			{"url_from":"http://a.example/","url_to":"http://b.example/","anchor":""}]}`)
		want := []row{
			{"redirect_code": int64(301), "is_dofollow": true, "is_nofollow": false},
			{"is_dofollow": false, "is_nofollow": true},
			{"is_dofollow": false, "is_nofollow": false, "is_ugc": true},
			{"is_dofollow": false, "is_nofollow": false, "is_ugc": false, "is_sponsored": true},
			{},
		}
		got, rejected, err := decoded(t, s, s.Endpoint().Table, pipeline.Page{Body: body})
		for _, r := range got {
			delete(r, "url_from")
			delete(r, "url_to")
			delete(r, "anchor")
		}
		if diff := cmp.Diff(want, got); diff != "" || len(rejected) > 0 || err != nil {
			t.Errorf("%s: %v, rejected %v: %s", name, err, rejected, diff)
		}
	}
}

func TestTotalsStandInTheirOwnTableOnceAList(t *testing.T) {
	s := named(t, Offline(), "anchors")
	body := []byte(`{"anchors":[],"stats":{"backlinks":2574830,"refpages":2560709}}`)
	want := []row{{"links_to_target": int64(2574830), "refpages": int64(2560709)}}
	for name, tc := range map[string]struct {
		page pipeline.Page
		want []row
	}{
		"first page": {pipeline.Page{Body: body}, want},
		"second":     {pipeline.Page{Body: body, Cursor: "1000"}, nil},
		"none":       {pipeline.Page{Body: []byte(`{"anchors":[]}`)}, nil},
		"xml": {pipeline.Page{Body: []byte("<AhrefsApiResponse><anchors/><stats>\n<backlinks>2574830</backlinks><refpages>\n2560709\n</refpages></stats></AhrefsApiResponse>")},
			want},
	} {
		got, rejected, err := decoded(t, s, schemas.Lookup("ahrefs.anchors_stats"), tc.page)
		if diff := cmp.Diff(tc.want, got); diff != "" || len(rejected) > 0 || err != nil {
			t.Errorf("%s: %v, rejected %v: %s", name, err, rejected, diff)
		}
	}
}

func TestRepliesWithoutARecordedEnvelopeDecode(t *testing.T) {
	for endpoint, tc := range map[string]struct {
		body string
		want row
	}{
		"linkeddomains":    {`{"anything":[{"domain_to":"b.example","links":3,"domain_to_rating":7}],"stats":{"x":1}}`, row{"domain": "b.example", "links_from_target": int64(3), "domain_rating": 7.0}},
		"broken_backlinks": {`{"refpages":[{"url_from":"http://a.example/","http_code":404}]}`, row{"url_from": "http://a.example/", "extra": `{"http_code":404}`}},
		"domain_rating":    {`{"domain":{"domain_rating":91,"ahrefs_top":3}}`, row{"domain_rating": 91.0, "extra": `{"ahrefs_top":3}`}},
		"backlinks_stats":  {`{"metrics":{"backlinks":5,"refdomains":4,"html_pages":3}}`, row{"live": int64(5), "live_refdomains": int64(4), "extra": `{"html_pages":3}`}},
	} {
		s := named(t, Offline(), endpoint)
		got, rejected, err := decoded(t, s, s.Endpoint().Table, pipeline.Page{Body: []byte(tc.body)})
		if diff := cmp.Diff([]row{tc.want}, got); diff != "" || len(rejected) > 0 || err != nil {
			t.Errorf("%s: %v, rejected %v: %s", endpoint, err, rejected, diff)
		}
	}
	for _, body := range []string{`{}`, `{"a":[],"b":[]}`, `{"a":{}}`} {
		s := named(t, Offline(), "linkeddomains")
		if _, _, err := decoded(t, s, s.Endpoint().Table, pipeline.Page{Body: []byte(body)}); err == nil || !strings.Contains(err.Error(), "one member with the rows") {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestXMLSaysWhatTheJSONOfTheSameRowsSays(t *testing.T) {
	const head = `<?xml version="1.0" encoding="UTF-8"?><AhrefsApiResponse>`
	for name, tc := range map[string]struct{ endpoint, xml, json string }{
		"texts keep their spaces": {"anchors", `<anchors><anchor><anchor> a &lt;b&gt; "c" </anchor><backlinks> 3 </backlinks><first_seen></first_seen></anchor></anchors>`,
			`{"anchors":[{"anchor":" a <b> \"c\" ","backlinks":3,"first_seen":null}]}`},
		"line breaks are wrapping":  {"anchors", "<anchors>\n<anchor>\n  <anchor>\n    two words\n  </anchor>\n</anchor>\n</anchors>", `{"anchors":[{"anchor":"two words"}]}`},
		"digits that are a text":    {"anchors", "<anchors><anchor><anchor>007</anchor></anchor></anchors>", `{"anchors":[{"anchor":"007"}]}`},
		"rows side by side":         {"anchors", "<anchors><anchor>a</anchor></anchors><anchors><anchor>b</anchor></anchors>", `{"anchors":[{"anchor":"a"},{"anchor":"b"}]}`},
		"an empty list":             {"anchors", "<anchors></anchors>", `{"anchors":[]}`},
		"booleans":                  {"all_backlinks", "<refpages><refpage><nofollow>1</nofollow><ugc>false</ugc></refpage></refpages>", `{"refpages":[{"nofollow":true,"ugc":false}]}`},
		"members nobody knows":      {"anchors", "<anchors><anchor><anchor>a</anchor><new>5</new></anchor></anchors>", `{"anchors":[{"anchor":"a","new":"5"}]}`},
		"an object":                 {"backlinks_stats", "<metrics><backlinks>5</backlinks><refdomains>4</refdomains></metrics>", `{"metrics":{"backlinks":5,"refdomains":4}}`},
		"numbers that are none":     {"anchors", "<anchors><anchor><backlinks>many</backlinks></anchor></anchors>", `{"anchors":[{"backlinks":"many"}]}`},
		"numbers with leading zero": {"anchors", "<anchors><anchor><backlinks>007</backlinks></anchor></anchors>", `{"anchors":[{"backlinks":"007"}]}`},
	} {
		s := named(t, Offline(), tc.endpoint)
		table := s.Endpoint().Table
		got, bad, err := decoded(t, s, table, pipeline.Page{Body: []byte(head + tc.xml + "</AhrefsApiResponse>")})
		want, wantBad, wantErr := decoded(t, s, table, pipeline.Page{Body: []byte(tc.json)})
		if diff := cmp.Diff(want, got); diff != "" || len(bad) != len(wantBad) || err != nil || wantErr != nil {
			t.Errorf("%s: %v, %v; %d and %d rejected: %s", name, err, wantErr, len(bad), len(wantBad), diff)
		}
	}
}

func TestWhatIsNoReplySaysSo(t *testing.T) {
	s := named(t, Offline(), "anchors")
	for body, says := range map[string]string{
		`{"error":"invalid token"}`: "it is a refusal: invalid token",
		`<AhrefsApiResponse><error>invalid token</error></AhrefsApiResponse>`: "it is a refusal: invalid token",
		`<html><body>no</body></html>`:                                        "the XML is a html: want AhrefsApiResponse",
		`<AhrefsApiResponse><anchors>`:                                        "not XML",
		`<?xml version="1.0" encoding="koi8-r"?>`:                             "not XML",
		`{"anchors":[`:               "breaks off",
		`{"anchors":{}}`:             "anchors: want a list",
		``:                           "breaks off",
		`a:1:{s:7:"anchors";a:0:{}}`: "not strict JSON",
	} {
		if _, _, err := decoded(t, s, s.Endpoint().Table, pipeline.Page{Body: []byte(body)}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q in it", body, err, says)
		}
	}
}

// FuzzXML holds the reading of XML against what it promises: it never panics, and what it writes is JSON that can be read.
func FuzzXML(f *testing.F) {
	for _, seed := range []string{
		"<AhrefsApiResponse><anchors><anchor><anchor>a</anchor></anchor></anchors></AhrefsApiResponse>", "<AhrefsApiResponse/>",
		"<AhrefsApiResponse><a>1</a><a><b/></a><anchors>x</anchors></AhrefsApiResponse>", "<a><b></a>", "<AhrefsApiResponse><stats><backlinks>1e5</backlinks></stats></AhrefsApiResponse>",
		"<AhrefsApiResponse><anchors><x><backlinks>-0</backlinks><backlinks/></x></anchors></AhrefsApiResponse>",
	} {
		f.Add([]byte(seed))
	}
	all := reports()
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, r := range all {
			out, err := r.json(body)
			if err != nil || len(out) == len(body) && string(out) == string(body) {
				continue
			}
			if _, err := r.scan(out); err != nil && strings.Contains(err.Error(), "not strict JSON") && !strings.Contains(err.Error(), "twice") {
				t.Fatalf("%s: %v\n%s", r.endpoint, err, out)
			}
		}
	})
}
