package notify

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"backhaul/jobs"
	"backhaul/jobs/account"
	"backhaul/jobs/report"
)

// mute is a channel whose messages nobody reads.
type mute struct{ name string }

func (m mute) Name() string                        { return m.name }
func (m mute) Send(context.Context, Message) error { return nil }

// night is one run: its date, its exit status, the expectations that it breaches, and what each rule should be told, "" for nothing.
type night struct {
	date     string
	status   int
	breaches []string
	want     []string
}

// unchecked is what a night breaches that came to check nothing.
var unchecked = []string{"?"}

func breached(extracts []string) (all []account.Finding) {
	for _, x := range extracts {
		all = append(all, account.Finding{Extract: x, Check: "rows", Breached: true})
	}
	return append(all, account.Finding{Extract: "kept", Check: "rows"})
}

func TestNothingIsToldTwice(t *testing.T) {
	all := jobs.Events()
	for name, c := range map[string]struct {
		rules  []Rule
		nights []night
	}{
		"a state that lasts is told once, and its end once": {
			[]Rule{{On: []string{"failed", "recovered"}, After: 1}},
			[]night{{"01", 0, nil, []string{""}}, {"02", 1, nil, []string{"failed"}}, {"02", 1, nil, []string{""}}, {"03", 5, nil, []string{""}}, {"04", 0, nil, []string{"recovered"}}, {"05", 0, nil, []string{""}}, {"06", 1, nil, []string{"failed"}}},
		},
		"complete nights are told once each": {
			[]Rule{{On: []string{"complete"}, After: 1}},
			[]night{{"01", 0, nil, []string{"complete"}}, {"01", 0, nil, []string{""}}, {"02", 3, nil, []string{""}}, {"03", 0, nil, []string{"complete"}}},
		},
		"all that a run has to say to one channel is one message": {
			[]Rule{{On: all, After: 1}},
			[]night{{"01", 3, []string{"anchors"}, []string{"incomplete breach"}}, {"02", 0, nil, []string{"recovered complete"}}},
		},
		"grace counts nights, not executions, and what was not told does not recover": {
			[]Rule{{On: []string{"stopped", "recovered"}, After: 3}},
			[]night{{"01", 4, nil, []string{""}}, {"01", 130, nil, []string{""}}, {"01", 4, nil, []string{""}}, {"02", 4, nil, []string{""}}, {"03", 0, nil, []string{""}},
				{"04", 4, nil, []string{""}}, {"05", 75, nil, []string{""}}, {"06", 4, nil, []string{"stopped"}}, {"07", 4, nil, []string{""}}, {"08", 0, nil, []string{"recovered"}}},
		},
		"another breach is news, one less is none": {
			[]Rule{{On: []string{"breach", "recovered"}, After: 1}},
			[]night{{"01", 0, []string{"a"}, []string{"breach"}}, {"02", 0, []string{"a"}, []string{""}}, {"03", 0, []string{"a", "b"}, []string{"breach"}}, {"04", 0, []string{"b"}, []string{""}}, {"05", 0, nil, []string{"recovered"}}},
		},
		"a breach lasts over nights that came to check nothing": {
			[]Rule{{On: []string{"breach", "recovered"}, After: 1}, {On: []string{"failed", "recovered"}, After: 1}, {On: []string{"recovered"}, After: 1}},
			[]night{{"01", 0, []string{"a"}, []string{"breach", "", ""}}, {"02", 1, unchecked, []string{"", "failed", ""}}, {"03", 0, []string{"a"}, []string{"", "recovered", ""}},
				{"04", 0, unchecked, []string{"", "", ""}}, {"05", 0, nil, []string{"recovered", "", "recovered"}}, {"06", 0, unchecked, []string{"", "", ""}}, {"07", 0, []string{"a"}, []string{"breach", "", ""}}},
		},
		"each channel knows what it was told": {
			[]Rule{{On: []string{"failed", "recovered"}, After: 1}, {On: []string{"recovered"}, After: 1}, {On: []string{"stopped", "recovered"}, After: 1}},
			[]night{{"01", 1, nil, []string{"failed", "", ""}}, {"02", 4, nil, []string{"", "", "stopped"}}, {"03", 1, nil, []string{"failed", "", ""}}, {"04", 0, nil, []string{"recovered", "recovered", "recovered"}}, {"05", 0, nil, []string{"", "", ""}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var m Memory
			for i := range c.rules {
				c.rules[i].Channel = mute{string(rune('a' + i))}
			}
			for i, n := range c.nights {
				s := report.Summary{Job: "nightly", RunDate: n.date, ExitStatus: n.status, Expectations: breached(n.breaches)}
				if slices.Equal(n.breaches, unchecked) {
					s.Expectations = nil
				}
				conditions := Conditions(s, true)
				got := make([]string, len(c.rules))
				for _, d := range m.Decide(c.rules, s, conditions) {
					at := slices.IndexFunc(c.rules, func(r Rule) bool { return r.Channel == d.Rule.Channel })
					got[at] = strings.Join(d.Events, " ")
					m.Delivered(d, s, conditions)
				}
				if !slices.Equal(got, n.want) {
					t.Errorf("run %d, of %s: told %q, want %q", i, n.date, got, n.want)
				}
			}
		})
	}
}

func TestWhatWasNotDeliveredIsDueAgainAndRemembered(t *testing.T) {
	var m Memory
	rules := []Rule{{On: []string{"failed", "recovered"}, After: 1, Channel: mute{"hook"}}}
	for _, date := range []string{"01", "02"} {
		s := report.Summary{RunDate: date, ExitStatus: 1}
		due := m.Decide(rules, s, Conditions(s, false))
		if len(due) != 1 {
			t.Fatalf("%s: %d notices are due, want 1", date, len(due))
		}
		m.Failed(due[0], s, time.Unix(0, 0), errors.New("it refuses the connection"))
	}
	if u := m.Undelivered[rules[0].Key()]; u.RunDate != "02" || u.Channel != "hook" || u.Error != "it refuses the connection" {
		t.Errorf("remembered %+v", u)
	}
	s := report.Summary{RunDate: "03", ExitStatus: 1}
	due := m.Decide(rules, s, Conditions(s, false))
	m.Delivered(due[0], s, Conditions(s, false))
	if len(m.Undelivered) != 0 || due[0].Nights != 3 {
		t.Errorf("after it got through: %+v, night %d", m.Undelivered, due[0].Nights)
	}
}
