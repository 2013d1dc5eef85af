package jobs_test

import (
	"fmt"
	"testing/fstest"

	"backhaul/jobs"
	"backhaul/pipeline/vendors"
	"backhaul/pipeline/vendors/mozv2"
)

// A spec is read with the lists it names, from a file system of the caller's. What is wrong with one is said at its place.
func ExampleLoadFS() {
	folder := fstest.MapFS{
		"nightly.yaml": {Data: []byte(`job: nightly
budget: {moz: {run: 1000}}
targets: {own: [https://Example.com/, example.org]}
extracts:
  - {name: anchors, endpoint: moz/anchor_text, targets: [own], params: {scope: root_domain}, max_rows: 500}
`)},
		"slip.yaml": {Data: []byte(`job: slip
targets: {own: [example.com]}
extracts:
  - {name: anchors, endpoint: moz/anchor_text, targets: [own], params: {scop: page}}
`)},
	}
	known := vendors.Registry{mozv2.Surface()}
	spec, _ := jobs.LoadFS(folder, "nightly.yaml", known)
	for t := range spec.Tasks() {
		fmt.Println(t.Extract, t.Endpoint, t.Surface, t.Target, t.Scope, t.MaxRows)
	}
	_, problems := jobs.LoadFS(folder, "slip.yaml", known)
	for _, p := range problems {
		fmt.Println(p)
	}
	// Output:
	// anchors moz/anchor_text v2 example.com root_domain 500
	// anchors moz/anchor_text v2 example.org root_domain 500
	// slip.yaml:4:73: unknown parameter "scop" of moz/anchor_text; did you mean "scope"? it takes: scope, limit
}
