package price

import (
	"backhaul/jobs/account"
	"backhaul/jobs/chain"
	"backhaul/jobs/plan"
)

// place says how far an item's task has come, and whether it is stuck there.
func (p *Pricer) place(past chain.Past, it *plan.Item) {
	it.Place = past.Places[it.Task.ID]
	lifted := p.cfg.Again && !p.cfg.Chain.Tried(it.Task.Extract) // what this execution has bought and found no use in, it leaves as well
	unreadable := account.Unreadable(it.Place) && (it.Place.Unreadable >= hopeless || !p.Recovers(past, it.Endpoint.Vendor))
	it.Stuck = !lifted && (it.Place.Repeats() || unreadable)
}

// hopeless is how many replies of one place that cannot be read are enough also at a vendor where that passes with time.
const hopeless = 6

// Recovers reports whether the vendor has answered a question with something that cannot be read and then with a page: so
// that is a matter of time there.
func (p *Pricer) Recovers(past chain.Past, vendor string) bool {
	for it := range p.cfg.Chain.All() {
		if it.Endpoint.Vendor == vendor && past.Places[it.Task.ID].Recovered > 0 {
			return true
		}
	}
	return false
}
