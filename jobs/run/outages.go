package run

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"backhaul/pipeline/engine"
)

// tellOutages returns an observer that enters into the ledger which vendors do not answer, for whoever asks how the run goes, and
// passes every event on. What cannot be entered is only not told.
func (r *runner) tellOutages(ctx context.Context) func(engine.Event) {
	var mu sync.Mutex
	away := map[string]string{} // by vendor
	tell := func(vendor, text string) {
		mu.Lock()
		defer mu.Unlock()
		if away[vendor] == text {
			return
		}
		away[vendor] = text
		if text == "" {
			delete(away, vendor)
		}
		var texts []string
		for _, vendor := range slices.Sorted(maps.Keys(away)) {
			texts = append(texts, away[vendor])
		}
		_ = r.ledger.Tell(ctx, r.run.ID, strings.Join(texts, "; "))
	}
	return func(ev engine.Event) {
		switch o := ev.Outage; {
		case o != nil:
			tell(o.Vendor, o.Text("at "+r.Now().Add(o.Wait).UTC().Format(time.TimeOnly)))
		case ev.Page != nil || ev.Outcome != nil:
			tell(ev.Task.Vendor(), "")
		}
		if r.Observe != nil {
			r.Observe(ev)
		}
	}
}
