package vendors

import (
	"slices"
	"testing"

	"backhaul/pipeline"
)

func TestARegistryKeepsItsOrderAndKnowsNothingElse(t *testing.T) {
	slow := Surface{Vendor: "b", Name: "v1", Limits: pipeline.Limits{PerSecond: 1}, Offline: func() []pipeline.Source { return nil }}
	r := Registry{{Vendor: "b", Name: "v2"}, {Vendor: "a", Name: "v1"}, slow}
	if got := r.Vendors(); !slices.Equal(got, []string{"b", "a"}) {
		t.Errorf("vendors: %v", got)
	}
	if got := r.Surfaces("b"); !slices.Equal(got, []string{"v2", "v1"}) {
		t.Errorf("surfaces: %v", got)
	}
	for i, want := range []bool{true, true, false} {
		if got := r.Default(r[i]); got != want {
			t.Errorf("%s/%s is the default: %v", r[i].Vendor, r[i].Name, got)
		}
	}
	if s, ok := r.Surface("b", "v1"); !ok || s.Limits != slow.Limits || r.Limits("b", "v1") != slow.Limits {
		t.Errorf("%+v, %v", s, ok)
	}
	if _, ok := r.Surface("a", "v2"); ok || r.Surfaces("c") != nil || r.Endpoints("a", "v2") != nil || r.Limits("a", "v2") != (pipeline.Limits{}) {
		t.Error("something is told of a surface that is not there")
	}
}

func TestCredentialsAreNamedAsPeopleSayThem(t *testing.T) {
	for want, c := range map[string]Credentials{
		"":              nil,
		"A":             {{"A"}},
		"A, or B and C": {{"A"}, {"B", "C"}},
	} {
		if got := c.String(); got != want {
			t.Errorf("%v: %q, want %q", [][]string(c), got, want)
		}
	}
}
