package account

import (
	"strings"
	"testing"
	"time"

	"backhaul/jobs/ledger"
	"backhaul/pipeline"
)

// What a vendor counts between two moments is explained by what the ledger has learnt meanwhile.
func TestADifferenceIsExplained(t *testing.T) {
	begin := time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		vendor, ledger, maybe pipeline.Units // by how much each has grown
		held, charged         pipeline.Units // settled meanwhile
		want                  string
	}{
		"equal":                {vendor: 50, ledger: 50, want: "the vendor and the ledger agree"},
		"late":                 {vendor: 40, ledger: 50, want: "10 units behind"},
		"charged":              {vendor: 60, ledger: 50, maybe: 30, want: "10 of at most 30 units of requests without an answer were charged"},
		"others":               {vendor: 90, ledger: 50, maybe: 30, want: "at least 10 units by other users"},
		"settled":              {vendor: 50, ledger: 50, held: 1000, charged: 6, want: "6 of the 1,000 units held for requests without an answer were charged; the vendor and the ledger agree"},
		"settled from before":  {vendor: 44, ledger: 50, held: 1000, charged: 6, want: "the vendor and the ledger agree: 6 of them were charged before"},
		"settled, and late":    {vendor: 40, ledger: 50, held: 1000, charged: 6, want: "10 units behind"},
		"settled, and a third": {vendor: 51, ledger: 50, held: 1000, charged: 6, want: "at least 1 unit by other users"},
	} {
		usages := []ledger.Usage{
			{Vendor: "moz", Month: "2026-11", At: begin},
			{Vendor: "moz", Month: "2026-11", At: begin.Add(time.Hour), VendorUnits: tc.vendor, LedgerUnits: tc.ledger, MaybeUnits: tc.maybe},
		}
		settled := []ledger.Settlement{
			{Vendor: "moz", Month: "2026-11", At: begin.Add(time.Minute), Held: tc.held, Charged: tc.charged, Why: ledger.ByCount},
			{Vendor: "moz", Month: "2026-11", At: begin.Add(2 * time.Hour), Held: 77, Charged: 7, Why: ledger.ByCount},  // later
			{Vendor: "moz", Month: "2026-11", At: begin.Add(time.Minute), Held: 77, Charged: 0, Why: ledger.ByHand},     // nobody's count
			{Vendor: "ahrefs", Month: "2026-11", At: begin.Add(time.Minute), Held: 77, Charged: 7, Why: ledger.ByCount}, // another's
		}
		all := reconcile(usages, settled)
		if len(all) != 1 || !strings.Contains(all[0].Explanation, tc.want) {
			t.Errorf("%s: %+v, want %q", name, all, tc.want)
		}
	}
}
