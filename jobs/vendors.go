package jobs

import "backhaul/pipeline"

// vendorFacts are what the contract says of a vendor.
type vendorFacts struct {
	name     string
	surfaces []string
	defaults Vendor
}

var knownVendors = []vendorFacts{
	{"moz", []string{"v2", "rpc"}, Vendor{Surface: "v2", RequestsPerSecond: 2, Connections: 8}},
	{"ahrefs", []string{"v3", "v2"}, Vendor{Surface: "v3", RequestsPerSecond: 1, Connections: 4}},
}

func vendorNames() []string {
	var names []string
	for _, v := range knownVendors {
		names = append(names, v.name)
	}
	return names
}

// The bounds of what a spec may ask of a vendor: beyond them is a slip of the finger.
const (
	maxPerSecond   = 1_000_000
	maxConnections = 1000
)

func (l *loader) vendors(n *node) map[string]Vendor {
	f := l.section(n, "vendors", vendorNames()...)
	out := map[string]Vendor{}
	for _, facts := range knownVendors {
		out[facts.name] = l.vendor(f[facts.name].value, facts)
	}
	return out
}

func (l *loader) vendor(n *node, facts vendorFacts) Vendor {
	v := facts.defaults
	f := l.section(n, "vendor "+facts.name, "surface", "requests_per_second", "requests_per_minute", "connections", "token_life")
	if s := f["surface"].value; s != nil {
		if surface, ok := l.word(s, "surface of "+facts.name, facts.surfaces); ok {
			v.Surface = surface
		}
	}
	second, minute := f["requests_per_second"], f["requests_per_minute"]
	if second.value != nil && minute.value != nil {
		l.errorf(minute.Place, "%s has requests_per_second and requests_per_minute: keep one", facts.name)
	}
	if second.value != nil {
		if rate, ok := l.rate(second.value, "requests_per_second", maxPerSecond); ok {
			v.RequestsPerSecond = rate
		}
	}
	if minute.value != nil {
		if rate, ok := l.rate(minute.value, "requests_per_minute", maxPerSecond*60); ok {
			v.RequestsPerSecond = rate / 60
		}
	}
	if c := f["connections"].value; c != nil {
		if connections, ok := l.integer(c, "connections", 1, maxConnections); ok {
			v.Connections = int(connections)
		}
	}
	v.TokenLife = l.period(f["token_life"].value, "token_life")
	return v
}

func (l *loader) budgets(n *node) map[string]Budget {
	out := map[string]Budget{}
	for vendor, f := range l.section(n, "budget", vendorNames()...) {
		ceilings := l.section(f.value, "the budget of "+vendor, "run", "month", "month_starts_on")
		b := Budget{
			Run:           l.ceiling(ceilings["run"].value, "run"),
			Month:         l.ceiling(ceilings["month"].value, "month"),
			MonthStartsOn: 1,
		}
		if day := ceilings["month_starts_on"].value; day != nil {
			if n, ok := l.integer(day, "month_starts_on", 1, 28); ok {
				b.MonthStartsOn = int(n)
			}
		}
		out[vendor] = b
	}
	return out
}

func (l *loader) confirmations(n *node) map[string]pipeline.Units {
	out := map[string]pipeline.Units{}
	for vendor, f := range l.section(n, "confirm_over", vendorNames()...) {
		if units := l.ceiling(f.value, "confirm_over of "+vendor); units != nil {
			out[vendor] = *units
		}
	}
	return out
}
