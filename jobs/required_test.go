package jobs

import (
	"strings"
	"testing"

	"backhaul/pipeline"
)

func TestAMissingParameterThatARequestNeedsIsAProblemOfTheExtract(t *testing.T) {
	needy := registry{{Vendor: "moz", Surface: "v2", Name: "links", PageSize: 50, UnitsPerRow: 1,
		Params: []pipeline.Param{{Name: "via", Type: pipeline.ParamString, Required: true, Meaning: "what it goes through"}}}}
	for more, want := range map[string]string{
		"priority: 1": `job.yaml:5:5: moz/links needs parameter "via": what it goes through`, "params: {}": `needs parameter "via"`, "params: {via: x}": "",
	} {
		_, found := LoadFS(folderOf(minimal(more)), "job.yaml", needy)
		if got := lines(found); !strings.Contains(got, want) || (got == "") != (want == "") {
			t.Errorf("%s: %q, want %q", more, got, want)
		}
	}
}
