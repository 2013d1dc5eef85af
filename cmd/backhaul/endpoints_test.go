package main

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"testing"
)

func TestEndpointsTellsWhatEverySurfaceSellsAndTakes(t *testing.T) {
	var out bytes.Buffer
	if status := Main(t.Context(), inTest(t, &out, io.Discard, "endpoints", "--json")); status != exitComplete {
		t.Fatalf("status %d", status)
	}
	var all []endpointInfo
	if err := json.Unmarshal(out.Bytes(), &all); err != nil {
		t.Fatal(err)
	}
	told := map[string]surfaceInfo{}
	for _, e := range all {
		for _, s := range e.Surfaces {
			told[e.Endpoint+" "+s.Surface] = s
		}
	}
	sold := 0
	for _, s := range builtIn {
		for _, e := range s.Endpoints() {
			sold++
			info, ok := told[e.String()+" "+s.Name]
			if !ok || info.Price == "" || info.Source == "" {
				t.Errorf("%s of %s: %+v", e, s.Name, info)
			}
			for _, p := range e.Params {
				at := slices.IndexFunc(info.Params, func(i paramInfo) bool { return i.Param == p.Name })
				if at < 0 || !slices.Equal(info.Params[at].Values, p.Values) || info.Params[at].Meaning != p.Meaning {
					t.Errorf("%s of %s does not tell %s as it is", e, s.Name, p.Name)
				}
			}
		}
	}
	if sold != len(told) || sold == 0 {
		t.Errorf("%d endpoints are told, %d are sold", len(told), sold)
	}
	if strings.Contains(out.String(), "has no target") {
		t.Error("a price was asked for without a target")
	}
}
