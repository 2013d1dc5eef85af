package mozrpc

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"backhaul/pipeline"
)

// The phases of a url_metrics, in their order.
const (
	phaseMetrics       = "metrics"
	phaseHistories     = "histories"
	phaseDistributions = "distributions"
)

var phases = []string{phaseMetrics, phaseHistories, phaseDistributions}

// stage is how far a url_metrics has come: the cursor, as JSON. It remembers of the metrics what the later phases need:
// which inputs have none, so that they are not asked about again, and which page an input turned out to be, as the rows of
// histories and distributions name it and their replies do not. Inputs that Moz failed at for now are asked about in a round
// of their own, through all phases, when the others are done.
type stage struct {
	Phase string `json:"phase"`
	// Round are the inputs of the batch that are asked about. Default: all, in the first round. All other members count
	// inputs by their place in the round.
	Round []int `json:"round,omitempty"`
	// At is the next input.
	At int `json:"at"`
	// Without are the inputs without metrics, ascending.
	Without []int `json:"without,omitempty"`
	// Again are those among them that Moz failed at, ascending: the next round.
	Again []int `json:"again,omitempty"`
	// Pages are the pages, by input, that Moz spells in another way than would be guessed.
	Pages map[int]string `json:"pages,omitempty"`
}

// asksAgain says that behind a place inputs are asked about that Moz failed at.
func asksAgain(at pipeline.Cursor) bool {
	var s stage
	if json.Unmarshal([]byte(at), &s) != nil {
		return at.AsksAgain() // of a link_status
	}
	return len(s.Again) > 0 || len(s.Round) > 0
}

// readStage reads a cursor. inputs, if more than 0, is how many the batch has.
func readStage(at pipeline.Cursor, inputs int) (stage, error) {
	s := stage{Phase: phaseMetrics}
	if at != "" {
		if err := json.Unmarshal([]byte(at), &s, json.RejectUnknownMembers(true)); err != nil {
			return s, fmt.Errorf("cursor %q is not one of url_metrics: %w", at, err)
		}
	}
	for _, i := range s.Round {
		if i < 0 || inputs > 0 && i >= inputs {
			return s, fmt.Errorf("cursor %q does not lie in a batch of %d", at, inputs)
		}
	}
	if len(s.Round) > 0 {
		inputs = len(s.Round)
	}
	switch {
	case !slices.Contains(phases, s.Phase):
		return s, fmt.Errorf("cursor %q names no phase of url_metrics", at)
	case s.At < 0 || inputs > 0 && s.At >= inputs, inputs == 0 && at == "":
		return s, fmt.Errorf("cursor %q does not lie in a batch of %d", at, inputs)
	}
	return s, nil
}

// inputs are those of the round.
func (s stage) inputs(batch []pipeline.Input) []pipeline.Input {
	if len(s.Round) == 0 {
		return batch
	}
	round := make([]pipeline.Input, len(s.Round))
	for i, place := range s.Round {
		round[i] = batch[place]
	}
	return round
}

func (s stage) cursor() pipeline.Cursor {
	text, err := json.Marshal(s, json.Deterministic(true))
	if err != nil {
		panic("mozrpc: write a cursor: " + err.Error()) // numbers and valid UTF-8 always encode
	}
	return pipeline.Cursor(text)
}

// learn remembers what the later phases, and rounds, need of a batch that begins at the stage.
func (s *stage) learn(r record) error {
	targets := queries(r.asked.SiteQueries)
	if r.none {
		for i := range targets {
			s.Without = append(s.Without, s.At+i)
		}
		return nil
	}
	outcomes, err := metricsBatch.outcomes(r, targets)
	if err != nil {
		return err
	}
	failed, err := unanswered(outcomes, targets)
	if err != nil {
		return err
	}
	for _, i := range failed {
		s.Again = append(s.Again, s.At+i)
	}
	for i, o := range outcomes {
		var metrics struct {
			Page string `json:"page"`
		}
		switch {
		case o.fault != nil:
			s.Without = append(s.Without, s.At+i)
		case json.Unmarshal(o.metrics(), &metrics) != nil || metrics.Page == "":
			s.Without = append(s.Without, s.At+i) // the row is rejected, and nothing could be told apart by its page
		case metrics.Page != pageOf(targets[i]):
			if s.Pages == nil {
				s.Pages = map[int]string{}
			}
			s.Pages[s.At+i] = metrics.Page
		}
	}
	return nil
}

// page is the page that a target turned out to be.
func (s stage) page(target string) string {
	if page, ok := s.Pages[s.At]; ok {
		return page
	}
	return pageOf(target)
}

// pageOf is how Moz spells the page of a target: the host alone gets a slash, a path gets none.
func pageOf(target string) string {
	if !strings.Contains(target, "/") {
		return target + "/"
	}
	return target
}

// wanted reports whether a phase has anything to ask.
func wanted(phase string, p params) bool {
	switch phase {
	case phaseHistories:
		return p.series() > 0
	case phaseDistributions:
		return p.Distributions
	}
	return true
}

// place is the next input there is something to ask about, from the stage on. inputs is how many the round has.
func (s stage) place(p params, inputs int) place {
	for _, phase := range phases[slices.Index(phases, s.Phase):] {
		if phase != s.Phase {
			s.Phase, s.At = phase, 0
		}
		for s.At < inputs && slices.Contains(s.Without, s.At) {
			s.At++
		}
		if s.At < inputs && wanted(phase, p) {
			return place{at: s.cursor()}
		}
	}
	if len(s.Again) > 0 {
		return place{at: stage{Phase: phaseMetrics, Round: s.again()}.cursor()}
	}
	return place{end: true}
}

// again are the inputs of the next round, by their place in the batch.
func (s stage) again() []int {
	if len(s.Round) == 0 {
		return s.Again
	}
	round := make([]int, len(s.Again))
	for i, place := range s.Again {
		round[i] = s.Round[place]
	}
	return round
}

// left is how many inputs a phase still asks about.
func (s stage) left(phase string, p params, inputs int) int {
	from := 0
	switch {
	case !wanted(phase, p), s.Phase == phaseDistributions && phase == phaseHistories:
		return 0
	case s.Phase == phase:
		from = s.At
	}
	n := inputs - from
	for _, i := range s.Without {
		if i >= from {
			n--
		}
	}
	return n
}

// cost is what a round costs at most from the stage on, and in how many calls.
func (s stage) cost(p params, inputs int) (pages int64, units pipeline.Units) {
	if s.Phase == phaseMetrics {
		left := inputs - s.At
		pages, units = int64((left+pageSize-1)/pageSize), pipeline.Units(left)
	}
	if n := s.left(phaseHistories, p, inputs); n > 0 {
		pages, units = pages+int64(n), units+pipeline.Units(n*p.series())
	}
	if n := s.left(phaseDistributions, p, inputs); n > 0 {
		pages, units = pages+int64(n), units+pipeline.Units(n)
	}
	return pages, units
}
