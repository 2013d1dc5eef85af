package emulator

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sample reads a recorded reply, or skips the test where there are none.
func sample(t *testing.T, name string) any {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "samples", "moz", name))
	if os.IsNotExist(err) {
		t.Skip("recorded replies are not here")
	}
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return out
}

// shape lists the members of a reply as "path: type", those of all elements of an array together.
func shape(v any) []string {
	found := map[string]bool{}
	var visit func(path string, v any)
	visit = func(path string, v any) {
		switch v := v.(type) {
		case object:
			found[path+": object"] = true
			for name, member := range v {
				visit(path+"."+name, member)
			}
		case []any:
			found[path+": array"] = true
			for _, item := range v {
				visit(path+"[]", item)
			}
		default:
			found[fmt.Sprintf("%s: %T", path, v)] = true
		}
	}
	visit("", v)
	return slices.Sorted(maps.Keys(found))
}

func TestRepliesHaveTheMembersOfRecordedOnes(t *testing.T) {
	s := New(Options{})
	pair := []object{at("rivalgear.example", "root_domain"), at("summit-supply.example", "root_domain")}
	for file, body := range map[string]object{
		"anchor_text":             {"target": "rivalgear.example"},
		"links":                   {"target": "rivalgear.example"},
		"linking_root_domains":    {"target": "rivalgear.example"},
		"link_intersect":          {"positive_targets": pair, "negative_targets": pair[:1]},
		"link_status":             {"target": "rivalgear.example", "sources": []string{"tiny-tarps.example"}},
		"final_redirect":          {"page": "acme-outdoor.example"},
		"global_top_pages":        {},
		"global_top_root_domains": {},
		"index_metadata":          {},
		"top_pages":               {"target": "rivalgear.example"},
		"url_metrics":             {"targets": []string{"rivalgear.example"}},
		"usage_data":              {},
	} {
		t.Run(file, func(t *testing.T) {
			want := sample(t, "v2_"+file+".response.json")
			if diff := cmp.Diff(shape(want), shape(decode[any](t, s, file, body))); diff != "" {
				t.Errorf("-recorded +ours:\n%s", diff)
			}
		})
	}
}
