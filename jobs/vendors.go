package jobs

import "backhaul/pipeline"

// The bounds of what a spec may ask of a vendor: beyond them is a slip of the finger.
const (
	maxPerSecond   = 1_000_000
	maxConnections = 1000
)

func (l *loader) vendors(n *node) map[string]Vendor {
	names := l.known.Vendors()
	f := l.section(n, "vendors", named(names))
	out := map[string]Vendor{}
	for _, name := range names {
		out[name] = l.vendor(f[name].value, name)
	}
	return out
}

func (l *loader) vendor(n *node, name string) Vendor {
	f := l.section(n, "vendor "+name, vendorKeys)
	surfaces := l.known.Surfaces(name)
	surface := surfaces[0]
	if s := f["surface"].value; s != nil {
		if word, ok := l.word(s, "surface of "+name, surfaces); ok {
			surface = word
		}
	}
	limits := l.known.Limits(name, surface)
	v := Vendor{Surface: surface, RequestsPerSecond: limits.PerSecond, Connections: limits.Connections, TokenLife: limits.TokenLife}
	second, minute := f["requests_per_second"], f["requests_per_minute"]
	if second.value != nil && minute.value != nil {
		l.errorf(minute.Place, "%s has requests_per_second and requests_per_minute: keep one", name)
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
	if life := f["token_life"].value; life != nil {
		v.TokenLife = l.period(life, "token_life")
	}
	return v
}

func (l *loader) budgets(n *node) map[string]Budget {
	out := map[string]Budget{}
	for vendor, f := range l.section(n, "budget", named(l.known.Vendors())) {
		ceilings := l.section(f.value, "the budget of "+vendor, budgetKeys)
		b := Budget{
			Run:            l.ceiling(ceilings["run"].value, "run"),
			Month:          l.ceiling(ceilings["month"].value, "month"),
			WarehouseMonth: l.ceiling(ceilings["warehouse_month"].value, "warehouse_month"),
			MonthStartsOn:  1,
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
	for vendor, f := range l.section(n, "confirm_over", named(l.known.Vendors())) {
		if units := l.ceiling(f.value, "confirm_over of "+vendor); units != nil {
			out[vendor] = *units
		}
	}
	return out
}
