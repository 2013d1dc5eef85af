package mozrpc

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"backhaul/pipeline"
	"backhaul/pipeline/vendors/internal/moz"
)

func TestNewSaysWhatIsMissing(t *testing.T) {
	for name, tc := range map[string]struct {
		cfg  Config
		says string
	}{
		"nothing":        {Config{}, "wants a token"},
		"plain http":     {Config{Token: token, BaseURL: "http://api.moz.com/jsonrpc"}, "https"},
		"token of lines": {Config{Token: token + "\n"}, "control character"},
	} {
		_, err := New(tc.cfg)
		if err == nil || !strings.Contains(err.Error(), tc.says) || strings.Contains(err.Error(), token) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := New(Config{Token: token}); err != nil {
		t.Error(err)
	}
}

// A job moves here by one line if what it says of endpoints is said in the same words.
func TestEndpointsAreThoseOfV2(t *testing.T) {
	var names []string
	for i, s := range Offline() {
		e := s.Endpoint()
		names = append(names, e.Name)
		if e != Surface().Endpoints()[i] || e.Vendor != "moz" || e.Surface != "rpc" || e.Source == "" || e.PageSize < 1 {
			t.Errorf("%+v", e)
		}
		common := moz.Endpoint(e.Name)
		if len(e.Params) != len(common.Params) || e.ScopeParam != common.ScopeParam || e.DefaultScope != common.DefaultScope || e.Asks != common.Asks || e.Table != common.Table {
			t.Errorf("%s differs from what both surfaces have in common", e)
		}
	}
	if diff := cmp.Diff(moz.Names(), names); diff != "" {
		t.Error(diff)
	}
	for endpoint, names := range rules {
		for name := range names {
			if named(t, Offline(), endpoint).Endpoint().Param(name) == nil {
				t.Errorf("a rule is about %s of %s, which is no parameter", name, endpoint)
			}
		}
	}
}

func TestFirstPagesTellWhatTheyAreSortedBy(t *testing.T) {
	for endpoint, list := range map[string]string{
		"anchor_text":          `"anchor_texts":[{"text":"a","external_root_domains":90},{"text":"b","external_root_domains":42}]`,
		"links":                `"links":[{"source_site_metrics":{"page_authority":42,"domain_authority":99}}]`,
		"linking_root_domains": `"linking_domains":[{"site_metrics":{"domain_authority":42}}]`,
	} {
		c, _ := fake(t, 200, result(`{`+list+`,"offset":{"token":"x"}}`))
		if p, err := fetch(t, c, endpoint, ""); err != nil || p.Tail != 42 {
			t.Errorf("%s: %v, %v", endpoint, p.Tail, err)
		}
	}
}

func TestListEndsWhereTheTokenIsAbsentNullOrEmpty(t *testing.T) {
	for rest, end := range map[string]bool{``: true, `,"offset":null`: true, `,"offset":{}`: true, `,"offset":{"token":null}`: true,
		`,"offset":{"token":""}`: true, `,"offset":{"provided_token":"y","token":"x"}`: false} {
		c, _ := fake(t, 200, result(`{"links":[]`+rest+`}`))
		p, err := fetch(t, c, "links", "")
		if err != nil || p.End != end || end && p.Next != "" {
			t.Errorf("%s: %+v, %v", rest, p, err)
		}
	}
}

func TestGlobalListsEndAfter500RowsOrAPageThatIsNotWhole(t *testing.T) {
	for cursor, tc := range map[string]struct {
		rows int
		next pipeline.Cursor
		end  bool
	}{
		"": {50, "1", false}, "8": {50, "9", false}, "9": {50, "10", true}, "3": {49, "4", true}, "4": {0, "5", true},
	} {
		list := strings.TrimSuffix(strings.Repeat(`{"page":"a/"},`, tc.rows), ",")
		c, _ := fake(t, 200, result(`{"top_pages":[`+list+`]}`))
		p, err := fetch(t, c, "global_top_pages", cursor)
		if err != nil || p.Next != tc.next || p.End != tc.end || p.Units != 0 {
			t.Errorf("page %q: %+v, %v", cursor, p, err)
		}
	}
}

func TestMalformedPagesAreHandedOverWithTheError(t *testing.T) {
	for name, body := range map[string]string{
		"neither":         `{"jsonrpc":"2.0"}`,
		"null error":      `{"error":null,"message":"something is wrong"}`,
		"another's":       `{"id":"AAAAAAAAAAAAAAAAAAAAAAAAAA","result":{"anchor_texts":[]}}`,
		"another result":  `{"result":{"links":[]}}`,
		"token":           `{"result":{"anchor_texts":[],"offset":{"token":1}}}`,
		"list of objects": `[{"result":{"anchor_texts":[]}}]`,
		"an empty error":  `{"error":{}}`,
		"rows, error":     `{"result":{"anchor_texts":[{}],"offset":{"token":null}},"error":{"code":-32602,"status":400,"message":"bad"}}`,
	} {
		c, _ := fake(t, 200, body)
		p, err := fetch(t, c, "anchor_text", "")
		var e *pipeline.Error
		if !errors.As(err, &e) || e.Kind != pipeline.Malformed || !e.MaybeCharged || e.Status != 200 {
			t.Errorf("%s: %v", name, err)
		}
		if !strings.HasPrefix(body, string(p.Body)) || len(p.Body) < len(body) || len(p.Request) == 0 || p.Status != 200 || p.FetchedAt.IsZero() {
			t.Errorf("%s: the page is lost: %d bytes", name, len(p.Body))
		}
	}
	for endpoint, body := range map[string]string{"final_redirect": `{"site_query":{}}`, "index_metadata": `{}`, "usage_data": `{"quota":{"path":"x"}}`, "link_intersect": `{}`} {
		c, _ := fake(t, 200, result(body))
		task := pipeline.Task{Target: "a.com"}
		if endpoint == "link_intersect" {
			task.Params = oneTarget
		}
		_, err := named(t, c.Sources(), endpoint).Fetch(t.Context(), task, pipeline.Ask{})
		if pipeline.KindOf(err) != pipeline.Malformed || err == nil {
			t.Errorf("%s: %v", endpoint, err)
		}
	}
}
