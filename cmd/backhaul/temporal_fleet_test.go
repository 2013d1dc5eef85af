//go:build fleet

package main

import (
	"io"
	"slices"
	"testing"

	"backhaul/jobs/fleet"
)

// A warehouse in a store is left before the database that its catalog is in.
func TestARunThatIsConductedIsLeftTheLastFirst(t *testing.T) {
	t.Parallel()
	c := &conductor{app: &app{environment: inTest(t, io.Discard, io.Discard)}}
	b, end := c.fresh(fleet.Order{Job: "nightly", RunDate: "2026-11-23"}, io.Discard)
	var left []string
	for _, name := range []string{"database", "store"} {
		b.atEnd(func() { left = append(left, name) })
	}
	if end(); !slices.Equal(left, []string{"store", "database"}) {
		t.Errorf("left in the order %v", left)
	}
}

func TestARunIsOfTheClientWhoseSettingsAreInForce(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{"": "", "/etc/backhaul/acme.env": "acme", "acme": "acme", "clients/b.c.env": "b.c"} {
		a := &app{environment: inTest(t, io.Discard, io.Discard), configFile: file}
		if got := a.clientName(); got != want {
			t.Errorf("%q: client %q, want %q", file, got, want)
		}
	}
}
