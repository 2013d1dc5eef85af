package main

import (
	"math/rand/v2"
	"time"
)

// costs are what things take. What of them was measured how, .github/CAPACITY.md says.
type costs struct {
	turn    time.Duration // of the database's CPU, a request's turn
	page    time.Duration // the same, a reply that is entered
	grant   time.Duration // the same, a grant that is alone in its month
	beside  time.Duration // the same, for each other grant of the month, as a grant adds them up
	hold    time.Duration // for which a grant keeps the ledger beyond that: ways there and back, and the disk
	request time.Duration // of a host's CPU, a request with all that comes of it but its rows
	row     time.Duration // the same, a row that is loaded
	night   time.Duration // the same, a night whatever it brings
	publish time.Duration // for which a table is locked in a lake that is a directory
	commit  time.Duration // between a host's look at a table in a store and its commit
}

// times are the costs if everything takes so many times as long.
func (c costs) times(by float64) costs {
	for _, d := range []*time.Duration{&c.turn, &c.page, &c.grant, &c.beside, &c.hold, &c.request, &c.row, &c.night, &c.publish, &c.commit} {
		*d = time.Duration(float64(*d) * by)
	}
	return c
}

// vendor is what an account allows, and what a night asks of it.
type vendor struct {
	perSecond   float64
	connections int
	reply       time.Duration // on average
	requests    int           // a night
	rows        int           // a request
	tables      int           // that a night publishes, those of ops among them
}

// setting is a fleet and its day.
type setting struct {
	costs
	accounts  int
	of        []vendor // in turn
	hosts     int
	cores     int // of each host
	database  int // cores of the server
	ledgers   int // databases, each with a ledger of its own; accounts are spread over them
	perGrant  int // requests for which a grant is enough
	nights    int // of the month, before this one
	store     bool
	begin     time.Duration // within which the nights begin, evenly
	mostTries int           // of a commit; 0: no end
}

// day is what came of a setting.
type day struct {
	last      time.Duration // when the last night was complete, since the first began
	bound     time.Duration // the same, if there were nothing but the vendors' rates and replies
	requests  int
	buying    time.Duration // when the last reply was entered
	database  float64       // shares of the time of buying, 0 to 1
	ledger    float64       // of the busiest
	hosts     float64       // of the whole time
	tables    float64       // the same, of the busiest table
	conflicts int           // commits that others were quicker than
	lost      int           // publishings that were given up
}

// fleet is a setting at work.
type fleet struct {
	setting
	clock
	random   *rand.Rand
	server   *cores
	machines []*cores
	ledgers  []*lock
	grants   []int           // that are in each ledger
	lakes    [][]*lock       // by host (one, where the lake is shared and no store) and table
	versions []int           // of the tables in the store
	commits  []time.Duration // that succeeded, by table
	day      day
}

const mostTables = 16

// simulate is the day of a setting.
func simulate(s setting) day { return newFleet(s).live() }

// newFleet is a fleet on whose day nothing has happened yet.
func newFleet(s setting) *fleet {
	f := &fleet{setting: s, random: rand.New(rand.NewPCG(1, 2)), versions: make([]int, mostTables), commits: make([]time.Duration, mostTables)}
	f.server = newCores(&f.clock, s.database)
	lakes := 1
	if s.store {
		lakes = s.hosts
	}
	for range lakes {
		tables := make([]*lock, mostTables)
		for i := range tables {
			tables[i] = &lock{clock: &f.clock}
		}
		f.lakes = append(f.lakes, tables)
	}
	for range s.hosts {
		f.machines = append(f.machines, newCores(&f.clock, s.cores))
	}
	for range max(1, s.ledgers) {
		f.ledgers = append(f.ledgers, &lock{clock: &f.clock})
		f.grants = append(f.grants, s.nights*s.accounts/max(1, s.ledgers))
	}
	return f
}

// live begins every account's night at its time, and goes on until all are over.
func (f *fleet) live() day {
	s := f.setting
	for i := range s.accounts {
		a := &account{fleet: f, vendor: s.of[i%len(s.of)], host: i % s.hosts, ledger: i % len(f.ledgers)}
		begin := s.begin * time.Duration(i) / time.Duration(s.accounts)
		f.day.requests += a.requests
		f.day.bound = max(f.day.bound, begin+a.bound())
		f.at(begin, a.start)
	}
	f.run()
	return f.result()
}

func (f *fleet) result() day {
	d := f.day
	d.database = share(f.server.busy, d.buying) / float64(f.setting.database)
	for _, l := range f.ledgers {
		d.ledger = max(d.ledger, share(l.busy, d.buying))
	}
	for _, m := range f.machines {
		d.hosts = max(d.hosts, share(m.busy, d.last)/float64(f.cores))
	}
	for table := range mostTables {
		busy := f.commits[table]
		if !f.store {
			busy = f.lakes[0][table].busy
		}
		d.tables = max(d.tables, share(busy, d.last))
	}
	return d
}

func share(of, all time.Duration) float64 {
	if all == 0 {
		return 0
	}
	return of.Seconds() / all.Seconds()
}

// varied is a time of a reply: between half and one and a half of what it is on average.
func (f *fleet) varied(d time.Duration) time.Duration {
	return d/2 + time.Duration(f.random.Int64N(int64(d)+1))
}
