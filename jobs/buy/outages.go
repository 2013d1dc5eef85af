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

// outages enters into the ledger which vendors do not answer, for whoever asks how the run goes, and counts for how long they did not.
type outages struct {
	Order
	ctx  context.Context
	mu   sync.Mutex
	away map[string]string // what is told of vendors that do not answer now
	from map[string]time.Time
	lost map[string]time.Duration
}

func newOutages(ctx context.Context, o Order) *outages {
	return &outages{Order: o, ctx: ctx, away: map[string]string{}, from: map[string]time.Time{}, lost: map[string]time.Duration{}}
}

// observe notes what an event says of outages, and passes it on. What cannot be entered is only not told.
func (o *outages) observe(ev engine.Event) {
	switch outage := ev.Outage; {
	case outage != nil:
		o.tell(outage.Vendor, outage.Text("at "+o.Now().Add(outage.Wait).UTC().Format(time.TimeOnly)), outage.Since)
	case ev.Page != nil || ev.Outcome != nil:
		o.tell(ev.Task.Vendor(), "", time.Time{})
	}
	if o.Observe != nil {
		o.Observe(ev)
	}
}

// tell notes that a vendor does not answer since a time, or with "" that it does again, or is given up.
func (o *outages) tell(vendor, text string, since time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.away[vendor] == text {
		return
	}
	if o.away[vendor] = text; text != "" {
		o.from[vendor] = since
	} else {
		o.lost[vendor] += time.Since(o.from[vendor])
		delete(o.away, vendor)
	}
	var texts []string
	for _, vendor := range slices.Sorted(maps.Keys(o.away)) {
		texts = append(texts, o.away[vendor])
	}
	_ = o.Books.Ledger.Tell(o.ctx, o.Books.RunID, strings.Join(texts, "; "))
}
