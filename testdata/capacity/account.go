package main

import "time"

// account is a vendor's account in its night: one run, whose requests are made as the engine and the gate make them (a connection asks for
// units, then for its turn, one connection at a time; then it makes the request, and enters the reply before it goes on).
type account struct {
	*fleet
	vendor
	host, ledger int

	asked   int           // requests so far
	open    int           // connections that are not done
	units   int           // requests that are granted and not made
	asking  lock          // held by who asks for a grant
	line    lock          // held by who is the next to be sent
	next    time.Duration // the account's next turn
	granted bool          // the run is in the ledger
}

// bound is how long the night takes by the vendor's rate alone, or by its connections where those are less.
func (a *account) bound() time.Duration {
	rate := float64(a.connections) / a.reply.Seconds()
	if a.perSecond > 0 {
		rate = min(rate, a.perSecond)
	}
	return time.Duration(float64(a.requests-1)/rate*float64(time.Second)) + a.reply
}

func (a *account) start() {
	a.asking.clock, a.line.clock = &a.fleet.clock, &a.fleet.clock
	a.open = a.connections
	for range a.connections {
		a.request()
	}
}

// request makes the next request of a connection, if there is one.
func (a *account) request() {
	if a.asked == a.requests {
		if a.open--; a.open == 0 {
			a.day.buying = max(a.day.buying, a.now)
			a.load()
		}
		return
	}
	a.asked++
	a.asking.take(func() {
		a.grant(func() { a.asking.release(); a.line.take(a.turn) })
	})
}

// grant has units for one request.
func (a *account) grant(then func()) {
	if a.units > 0 {
		a.units--
		then()
		return
	}
	ledger := a.ledgers[a.ledger]
	ledger.take(func() {
		a.server.serve(a.costs.grant+time.Duration(a.grants[a.ledger])*a.beside, func() {
			a.at(a.now+a.hold, func() {
				if !a.granted {
					a.granted = true
					a.grants[a.ledger]++
				}
				a.units = a.perGrant - 1
				ledger.release()
				then()
			})
		})
	})
}

// turn waits for the account's next turn, and sends the request then.
func (a *account) turn() {
	a.server.serve(a.costs.turn, func() {
		at := max(a.now, a.next)
		if a.perSecond > 0 {
			a.next = at + time.Duration(float64(time.Second)/a.perSecond)
		}
		a.at(at, func() {
			a.line.release()
			a.at(a.now+a.varied(a.reply), a.replied)
		})
	})
}

func (a *account) replied() {
	a.machines[a.host].serve(a.costs.request, func() { a.server.serve(a.page, a.request) })
}

// load loads and publishes what was bought.
func (a *account) load() {
	a.machines[a.host].serve(a.night+time.Duration(a.requests*a.rows)*a.row, func() { a.publish(0) })
}

func (a *account) publish(table int) {
	if table == a.tables {
		a.day.last = max(a.day.last, a.now)
		return
	}
	next := func() { a.publish(table + 1) }
	if a.store {
		l := a.lakes[a.host][table]
		l.take(func() { a.commitTo(table, 1, func() { l.release(); next() }) })
		return
	}
	l := a.lakes[0][table]
	l.take(func() { a.at(a.now+a.costs.publish, func() { l.release(); next() }) })
}

// commitTo changes a table in the store as it was when this host looked, and starts over where another was quicker.
func (a *account) commitTo(table, try int, then func()) {
	seen, took := a.versions[table], a.varied(a.costs.commit)
	a.at(a.now+took, func() {
		switch {
		case a.versions[table] == seen:
			a.versions[table]++
			a.commits[table] += took
			then()
		case try == a.mostTries:
			a.day.lost++
			then()
		default:
			a.day.conflicts++
			a.commitTo(table, try+1, then)
		}
	})
}
