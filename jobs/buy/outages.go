package buy

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
func (o Order) tellOutages(ctx context.Context) func(engine.Event) {
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
		_ = o.Books.Ledger.Tell(ctx, o.Books.RunID, strings.Join(texts, "; "))
	}
	return func(ev engine.Event) {
		switch outage := ev.Outage; {
		case outage != nil:
			tell(outage.Vendor, outage.Text("at "+o.Now().Add(outage.Wait).UTC().Format(time.TimeOnly)))
		case ev.Page != nil || ev.Outcome != nil:
			tell(ev.Task.Vendor(), "")
		}
		if o.Observe != nil {
			o.Observe(ev)
		}
	}
}
