package account

import (
	"context"
	"maps"
	"slices"
	"time"

	"backhaul/jobs/ledger"
	"backhaul/pipeline"
	"backhaul/pipeline/journal"
)

// RecordLost sets aside what the requests that were under way when a process died may have cost: nobody was left to record
// them, and the vendor may have billed every one. The journal remembers it as an attempt of the first unfinished task, at
// the time of the process's last sign of life.
func RecordLost(ctx context.Context, l *ledger.Ledger, j *journal.Journal, runID string, at time.Time) error {
	spends, err := l.Spends(ctx, runID)
	if err != nil {
		return err
	}
	open, inFlight := map[string]pipeline.Units{}, map[string]pipeline.Units{}
	for _, s := range spends {
		open[s.Vendor] += s.Granted - s.Charged + s.Cleared // as the journal knows it
		inFlight[s.Vendor] = max(inFlight[s.Vendor], s.InFlight)
	}
	tasks, err := j.Tasks(ctx)
	if err != nil {
		return err
	}
	places, err := j.Places(ctx)
	if err != nil {
		return err
	}
	for _, t := range tasks {
		place := places[t.ID]
		open[t.Vendor()] -= place.Units + place.MaybeUnits
		if place.Fetched.After(at) && place.ReusedFrom == "" {
			at = place.Fetched
		}
	}
	for _, t := range tasks {
		vendor, place := t.Vendor(), places[t.ID]
		lost := min(open[vendor], inFlight[vendor])
		if finished := place.End || t.MaxRows > 0 && place.ChainRows >= t.MaxRows; finished || lost <= 0 {
			continue
		}
		open[vendor] = 0
		err := j.AddAttempt(ctx, t.ID, pipeline.Attempt{Seq: place.Pages, At: at, Kind: pipeline.Transient, MaybeUnits: lost,
			Message: "the process died; what the requests under way have cost is unknown"})
		if err != nil {
			return err
		}
	}
	return nil
}

// CalendarMonth is the month for runs that were granted nothing yet.
func CalendarMonth(t time.Time) func(vendor string) string {
	return func(string) string { return t.UTC().Format("2006-01") }
}

// Settle shrinks the grants of a run to what its journal says. What is beyond the grants of earlier months belongs to the
// latest month that has one, or to month where none has.
func Settle(ctx context.Context, l *ledger.Ledger, j *journal.Journal, runID string, month func(vendor string) string) error {
	bills, err := j.Bills(ctx)
	if err != nil {
		return err
	}
	for _, vendor := range slices.Sorted(maps.Keys(bills)) {
		last, err := l.LastMonth(ctx, runID, vendor)
		if err != nil {
			return err
		}
		if last == "" {
			last = month(vendor)
		}
		var all pipeline.Bill
		for _, bill := range bills[vendor] {
			all.Add(bill)
		}
		if err := l.Settle(ctx, runID, vendor, last, all); err != nil {
			return err
		}
	}
	return nil
}
