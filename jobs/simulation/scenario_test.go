package simulation

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"time"
)

// scenario is everything that decides how a simulated warehouse fares. As JSON in one line it can be run again, whatever becomes of
// the way in which scenarios are drawn.
type scenario struct {
	Seed  uint64 // of what things take, and of which requests fail
	Lead  time.Duration
	Lists []list
	// Run, Month and Warehouse are ceilings, in rows of Moz; of Ahrefs in what so many cost. 0: none.
	Run, Month, Warehouse int64         `json:",omitempty"`
	Quota                 int64         `json:",omitempty"` // rows of the vendor's, a month. 0: none
	PerSecond             float64       `json:",omitempty"` // requests that the vendor takes. 0: all
	Rate                  float64       `json:",omitempty"` // share of requests that fail
	Kinds                 []string      `json:",omitempty"`
	Stall                 time.Duration `json:",omitempty"`
	// Away and Denied are when the vendors cannot be reached, and when they refuse the credentials.
	Away, Denied window `json:",omitzero"`
	// Loose: there are ceilings, and processes with several connections all the same. When units are short, a request that settles
	// lets others go on in the same moment, in any order, so that two executions may differ.
	Loose     bool `json:",omitempty"`
	Fresh     bool `json:",omitempty"` // the warehouse is not there yet
	RPC       bool `json:",omitempty"` // Moz is asked by JSON-RPC
	Processes []fate
}

// window is a time from the beginning of the scenario.
type window struct{ From, For time.Duration }

func (w window) open(at time.Duration) bool { return at >= w.From && at < w.From+w.For }

// list is one extract about one target.
type list struct {
	Job      int
	Endpoint string
	Target   string
	MaxRows  int64 `json:",omitempty"`
	Size     int   // rows of a page
	Priority int   `json:",omitempty"`
	// After: it waits for the first list of its job, if that is another, and a query over that one's rows says what to ask.
	After bool `json:",omitempty"`
}

// fate is one process: which run it is for, and what becomes of it.
type fate struct {
	Job, Day    int
	At          time.Duration // when it starts
	Connections int
	PerSecond   float64       `json:",omitempty"` // that it keeps to
	RetryFor    time.Duration `json:",omitempty"`
	Waits       bool          `json:",omitempty"`
	// Kill, Interrupt, Disk and Jump are the steps at which it dies, is told to stop, has a write refused, and has its clock set
	// by By. 0: never.
	Kill, Interrupt, Disk, Jump int           `json:",omitempty"`
	By                          time.Duration `json:",omitempty"`
}

func (s scenario) String() string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // it has nothing that JSON has not
	}
	return string(text)
}

// kinds of faults of the emulator.
var kinds = []string{"429", "429bare", "500", "503", "html200", "html502", "cut", "close_before", "close_after", "stall", "slow", "badlength", "gone"}

// draw makes the scenario of a seed: one of two or three processes, or a short one of one or two, beside those that complete the runs.
func draw(seed uint64, short bool) scenario {
	r := rand.New(rand.NewPCG(seed, 13))
	lists, processes := 3, 2+r.IntN(4)/3
	if short {
		lists, processes = 2, 1+r.IntN(2)
	}
	s := scenario{Seed: seed, Lead: time.Hour, Fresh: r.IntN(8) == 0}
	if r.IntN(3) == 0 {
		s.Lead = time.Duration(r.Int64N(int64(time.Minute)))
	}
	for range 1 + r.IntN(lists) {
		s.Lists = append(s.Lists, drawList(r))
	}
	for _, ceiling := range []*int64{&s.Run, &s.Month, &s.Warehouse} {
		if r.IntN(4) == 0 {
			*ceiling = 1 + r.Int64N(200)
		}
	}
	if r.IntN(6) == 0 {
		s.Quota = 100 + r.Int64N(200)
	}
	if r.IntN(5) == 0 {
		s.PerSecond = []float64{0.5, 1, 3, 10}[r.IntN(4)]
	}
	if r.IntN(4) > 0 {
		s.Rate, s.Kinds, s.Stall = 0.05+0.6*r.Float64(), drawKinds(r), []time.Duration{0, 90 * time.Second}[r.IntN(2)]
	}
	for _, w := range []*window{&s.Away, &s.Denied} {
		if r.IntN(8) == 0 {
			*w = window{time.Duration(r.Int64N(int64(20 * time.Second))), time.Duration(r.Int64N(int64([]time.Duration{20 * time.Second, time.Hour}[r.IntN(2)])))}
		}
	}
	s.RPC = rand.New(rand.NewPCG(seed, 14)).IntN(4) == 0
	s.Loose = s.scarce() && r.IntN(4) == 0
	for i := range processes {
		s.Processes = append(s.Processes, drawFate(r, i))
		if short {
			s.Processes[i].Day = 0
		}
		if s.scarce() && !s.Loose {
			s.Processes[i].Connections = 1
		}
	}
	return s
}

// scarce reports whether there is a ceiling.
func (s scenario) scarce() bool { return s.Run+s.Month+s.Warehouse > 0 }

func drawList(r *rand.Rand) list {
	l := list{Job: r.IntN(4) / 3, Size: 3 + r.IntN(20), Endpoint: []string{"moz/anchor_text", "moz/linking_root_domains", "ahrefs/anchors"}[r.IntN(5)/2],
		Target: []string{"tiny-tarps.example", "pinecone-packs.example", "pinecone-packs.example", "quietpeak.example", "trailhead-co.example"}[r.IntN(5)], Priority: r.IntN(8) / 7}
	if l.Target == "trailhead-co.example" || r.IntN(4) == 0 {
		l.MaxRows = 1 + r.Int64N(60)
	}
	l.After = r.IntN(4) == 0
	return l
}

func drawKinds(r *rand.Rand) (drawn []string) {
	if r.IntN(3) == 0 {
		return kinds
	}
	for range 1 + r.IntN(3) {
		if k := kinds[r.IntN(len(kinds))]; !slices.Contains(drawn, k) {
			drawn = append(drawn, k)
		}
	}
	return drawn
}

func drawFate(r *rand.Rand, nth int) fate {
	f := fate{Job: r.IntN(4) / 3, Day: r.IntN(8) / 7, Connections: 1 + r.IntN(3), PerSecond: []float64{0, 0, 2, 20}[r.IntN(4)],
		RetryFor: []time.Duration{0, 30 * time.Minute}[r.IntN(2)], Waits: r.IntN(3) == 0}
	if nth > 0 {
		f.At = time.Duration(r.Int64N(int64([]time.Duration{2 * time.Second, time.Minute, 3 * time.Hour}[r.IntN(3)])))
	}
	for _, step := range []struct {
		at   *int
		of   int
		most int
	}{{&f.Kill, 2, 120}, {&f.Interrupt, 8, 120}, {&f.Disk, 8, 80}, {&f.Jump, 8, 80}} {
		if r.IntN(step.of) == 0 {
			*step.at = 1 + r.IntN(step.most)
		}
	}
	if f.Jump > 0 {
		f.By = []time.Duration{-1, -1, 1}[r.IntN(3)] * time.Duration(r.Int64N(int64([]time.Duration{time.Hour, 40 * 24 * time.Hour}[r.IntN(2)])))
	}
	return f
}

// lesser yields scenarios that are one step simpler, the boldest first.
func (s scenario) lesser() (all []scenario) {
	change := func(how func(*scenario)) {
		less := s
		less.Lists, less.Processes, less.Kinds = slices.Clone(s.Lists), slices.Clone(s.Processes), slices.Clone(s.Kinds)
		if how(&less); less.String() != s.String() {
			all = append(all, less)
		}
	}
	for i := range s.Processes {
		if len(s.Processes) > 1 {
			change(func(l *scenario) { l.Processes = slices.Delete(l.Processes, i, i+1) })
		}
	}
	for i := range s.Lists {
		if len(s.Lists) > 1 {
			change(func(l *scenario) { l.Lists = slices.Delete(l.Lists, i, i+1) })
		}
		change(func(l *scenario) { l.Lists[i].After = false })
	}
	change(func(l *scenario) { l.Rate, l.Kinds, l.Stall = 0, nil, 0 })
	for i := range s.Kinds {
		if len(s.Kinds) > 1 {
			change(func(l *scenario) { l.Kinds = slices.Delete(l.Kinds, i, i+1) })
		}
	}
	for _, ceiling := range []func(*scenario) *int64{
		func(l *scenario) *int64 { return &l.Run }, func(l *scenario) *int64 { return &l.Month },
		func(l *scenario) *int64 { return &l.Warehouse }, func(l *scenario) *int64 { return &l.Quota },
	} {
		change(func(l *scenario) { *ceiling(l) = 0 })
	}
	change(func(l *scenario) { l.PerSecond = 0 })
	change(func(l *scenario) { l.Away = window{} })
	change(func(l *scenario) { l.Denied = window{} })
	change(func(l *scenario) { l.Lead = time.Hour })
	change(func(l *scenario) { l.Fresh = false })
	change(func(l *scenario) { l.RPC = false })
	for i := range s.Processes {
		change(func(l *scenario) { l.Processes[i].Kill = 0 })
		change(func(l *scenario) { l.Processes[i].Interrupt = 0 })
		change(func(l *scenario) { l.Processes[i].Disk = 0 })
		change(func(l *scenario) { l.Processes[i].Jump, l.Processes[i].By = 0, 0 })
		change(func(l *scenario) { l.Processes[i].Connections = 1 })
		change(func(l *scenario) { l.Processes[i].PerSecond = 0 })
		change(func(l *scenario) { l.Processes[i].RetryFor = 0 })
		change(func(l *scenario) { l.Processes[i].Waits = false })
		change(func(l *scenario) { l.Processes[i].At = l.Processes[i].At.Truncate(time.Minute) })
	}
	return all
}
