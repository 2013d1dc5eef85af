//go:build fleet

package fleet

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.temporal.io/sdk/client"
	"golang.org/x/sync/errgroup"
)

// mostReplays is how many replays of an order are under way at once: what hosts with 128 cores take. A thousand that wait would be of no use,
// and each is waited for by a request to Temporal.
const mostReplays = 64

// Ended is how a replay ended.
type Ended struct {
	Order  Order
	Report Report
	// Attached: it was under way already, by another order.
	Attached bool
	// Err is why there is no report. Default nil.
	Err error
}

// Replay has runs replayed, each by a workflow of its own, many at once, and tells how each ended as it does, one at a time: through outages
// of Temporal. What is under way already is attached to. When ctx ends those under way are cancelled, and waited for still; of the others
// nothing is told.
func Replay(ctx context.Context, c client.Client, queue string, orders []Order, told func(Ended)) {
	var mu sync.Mutex
	var all errgroup.Group
	all.SetLimit(mostReplays)
	for _, o := range orders {
		all.Go(func() error {
			ended, begun := replayOne(ctx, c, queue, o)
			mu.Lock()
			defer mu.Unlock()
			if begun {
				told(ended)
			}
			return nil
		})
	}
	_ = all.Wait()
}

func replayOne(ctx context.Context, c client.Client, queue string, o Order) (ended Ended, began bool) {
	if ended.Order = o; ctx.Err() != nil {
		return ended, false
	}
	options := optionsOf(idOf(queue, o.Run())+"/replay", queue, o)
	ended.Attached = isUnderWay(ctx, c, options.ID)
	begun, err := startThrough(ctx, c, options, attributesOf(o), replayWorkflow, o)
	if err != nil {
		ended.Err = fmt.Errorf("start the replay: %w", err)
		return ended, ctx.Err() == nil
	}
	err = await(ctx, c, begun, &ended.Report, time.Hour, func(context.Context) {})
	ended.Report, ended.Err = reported(ended.Report, err)
	return ended, true
}

// HasReplayers reports whether anybody is there to replay runs, as far as Temporal says.
func HasReplayers(ctx context.Context, c client.Client, queue string) bool {
	return !isDeserted(ctx, c, replaysOf(queue))
}
