package notify

import (
	"maps"
	"slices"
	"strings"
	"time"

	"backhaul/jobs"
	"backhaul/jobs/report"
)

// Condition is what a run has shown of its job: one of the events, and for jobs.EventBreach what it is about.
type Condition struct {
	Event string
	About []string
	// Unknown: whether it lasts cannot be told, and it stays as it was.
	Unknown bool
}

// bad reports whether the end of a condition is told as recovered.
func bad(event string) bool {
	return event != jobs.EventComplete && event != jobs.EventRecovered
}

// Memory is what is known of a job from run to run. The zero value is that of a job that has not run.
type Memory struct {
	// Streaks are the conditions of the latest run, with since when they last.
	Streaks map[string]Streak `json:"streaks,omitempty"`
	// Told is what each rule's channel has been told, by the rule's Key.
	Told map[string]Told `json:"told,omitempty"`
	// Undelivered is the latest notice of each rule that could not be delivered, until one is.
	Undelivered map[string]Undelivered `json:"undelivered,omitempty"`
}

// Streak counts the nights in a row, run dates, that showed a condition.
type Streak struct {
	Nights int    `json:"nights"`
	Since  string `json:"since"`
	Last   string `json:"last"`
}

// Told is what a channel believes of the job.
type Told struct {
	// Bad are the bad conditions it was told of that last, with what they are about.
	Bad map[string][]string `json:"bad,omitempty"`
	// Owed: it was told of something bad, or is told of recoveries alone and something was bad; when all is well it hears so.
	Owed bool `json:"owed,omitempty"`
	// Complete is the last run date it was told is complete.
	Complete string `json:"complete,omitempty"`
}

// Undelivered is a notice that nobody got.
type Undelivered struct {
	Channel string    `json:"channel"`
	Events  []string  `json:"events"`
	RunDate string    `json:"run_date"`
	At      time.Time `json:"at"` // UTC
	Error   string    `json:"error"`
}

// Rule is one entry of a job's notify.
type Rule struct {
	On    []string
	After int
	// Channel is how its messages go out.
	Channel Channel
}

// Key identifies the rule in a memory.
func (r Rule) Key() string {
	on := slices.Sorted(slices.Values(r.On))
	return r.Channel.Name() + " on " + strings.Join(on, ", ")
}

// Due is what a rule has to say.
type Due struct {
	Rule   Rule
	Events []string // the gravest first
	Nights int      // how many nights in a row the gravest of them has shown
}

// Decide enters a run's conditions in the memory and returns what is due. A notice that is delivered must be entered by
// Delivered, one that is not by Failed.
func (m *Memory) Decide(rules []Rule, s report.Summary, conditions []Condition) (due []Due) {
	m.count(s.RunDate, conditions)
	for _, r := range rules {
		d := Due{Rule: r}
		for _, event := range jobs.Events() {
			if slices.Contains(r.On, event) && m.isDue(r, s, event, conditions) {
				d.Events = append(d.Events, event)
			}
		}
		if len(d.Events) > 0 {
			d.Nights = m.Streaks[d.Events[0]].Nights
			due = append(due, d)
		}
	}
	m.forget(rules, conditions)
	return due
}

// count brings the streaks to where they are with the run.
func (m *Memory) count(date string, conditions []Condition) {
	streaks := map[string]Streak{}
	for _, c := range conditions {
		s := m.Streaks[c.Event]
		if c.Unknown {
			if s.Nights > 0 {
				streaks[c.Event] = s
			}
			continue
		}
		if s.Nights == 0 {
			s.Since = date
		}
		if s.Last != date {
			s.Nights++
		}
		s.Last = date
		streaks[c.Event] = s
	}
	m.Streaks = streaks
}

func (m *Memory) isDue(r Rule, s report.Summary, event string, conditions []Condition) bool {
	told := m.Told[r.Key()]
	at := slices.IndexFunc(conditions, func(c Condition) bool { return c.Event == event })
	switch {
	case event == jobs.EventRecovered:
		return told.Owed && !slices.ContainsFunc(conditions, func(c Condition) bool { return m.lasts(r, c) })
	case at < 0 || conditions[at].Unknown:
		return false
	case event == jobs.EventComplete:
		return told.Complete != s.RunDate
	case m.Streaks[event].Nights < r.After:
		return false
	}
	about, before := told.Bad[event]
	return !before || slices.ContainsFunc(conditions[at].About, func(what string) bool { return !slices.Contains(about, what) })
}

// lasts reports whether a condition keeps what a rule tells of from being well again. A breach does not concern rules that tell how
// runs end and not of breaches.
func (m *Memory) lasts(r Rule, c Condition) bool {
	switch {
	case c.Event == jobs.EventBreach && slices.ContainsFunc(r.On, bad) && !slices.Contains(r.On, c.Event):
		return false
	case c.Unknown:
		return m.Streaks[c.Event].Nights > 0
	}
	return bad(c.Event)
}

// forget drops what was told of conditions that have given way to others, so that they are told when they come back, and what
// concerns rules that the job has no more.
func (m *Memory) forget(rules []Rule, conditions []Condition) {
	isBad := slices.ContainsFunc(conditions, func(c Condition) bool { return bad(c.Event) && !c.Unknown })
	told, undelivered := map[string]Told{}, map[string]Undelivered{}
	for _, r := range rules {
		key := r.Key()
		t := m.Told[key]
		maps.DeleteFunc(t.Bad, func(event string, _ []string) bool {
			return !slices.ContainsFunc(conditions, func(c Condition) bool { return c.Event == event })
		})
		t.Owed = t.Owed || isBad && !slices.ContainsFunc(r.On, bad)
		told[key] = t
		if u, failed := m.Undelivered[key]; failed {
			undelivered[key] = u
		}
	}
	m.Told, m.Undelivered = told, undelivered
}

// Delivered enters that a notice has reached its channel.
func (m *Memory) Delivered(d Due, s report.Summary, conditions []Condition) {
	key := d.Rule.Key()
	told := m.Told[key]
	for _, event := range d.Events {
		switch event {
		case jobs.EventComplete:
			told.Complete = s.RunDate
		case jobs.EventRecovered:
			told.Owed = false
		default:
			told.Owed = true
			if told.Bad == nil {
				told.Bad = map[string][]string{}
			}
			told.Bad[event] = aboutOf(conditions, event)
		}
	}
	m.Told[key] = told
	delete(m.Undelivered, key)
}

func aboutOf(conditions []Condition, event string) []string {
	for _, c := range conditions {
		if c.Event == event {
			return c.About
		}
	}
	return nil
}

// Failed enters that a notice did not reach its channel, and why.
func (m *Memory) Failed(d Due, s report.Summary, at time.Time, err error) {
	m.Undelivered[d.Rule.Key()] = Undelivered{Channel: d.Rule.Channel.Name(), Events: d.Events, RunDate: s.RunDate, At: at.UTC(), Error: err.Error()}
}
