package run

import (
	"backhaul/jobs/account"
	"backhaul/jobs/plan"
)

// place says how far an item's task has come, and whether it is stuck there.
func (r *runner) place(it *plan.Item) {
	it.Place = r.places[it.Task.ID]
	lifted := r.Again && !r.chain.Tried(it.Task.Extract) // what this execution has bought and found no use in, it leaves as well
	unreadable := account.Unreadable(it.Place) && (it.Place.Unreadable >= hopeless || !r.recovers(it.Endpoint.Vendor))
	it.Stuck = !lifted && (it.Place.Repeats() || unreadable)
}

// hopeless is how many replies of one place that cannot be read are enough also at a vendor where that passes with time.
const hopeless = 6

// recovers reports whether the vendor has answered a question with something that cannot be read and then with a page: so
// that is a matter of time there.
func (r *runner) recovers(vendor string) bool {
	for it := range r.chain.All() {
		if it.Endpoint.Vendor == vendor && r.places[it.Task.ID].Recovered > 0 {
			return true
		}
	}
	return false
}
