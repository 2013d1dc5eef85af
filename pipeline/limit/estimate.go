package limit

import (
	"math"
	"time"
)

// estimate is what the answers of a vendor tell of the rate it allows, where two things may have a request turned away: more
// are sent than are allowed, or mere chance. Chance is the same at every rate, and what exceeds the limit is not; so every pair
// of a limit and a chance is held against the answers, and their likelihoods are compared. Answers lose weight with time, and
// with those that follow, since limits change.
type estimate struct {
	limits []float64   // requests per second, from the ceiling down, each a tenth below the one before
	logs   [][]float64 // by limit and chance: the logarithm of how likely the answers are
	last   time.Time   // when they lost weight by time
}

// chances are the shares of requests that a vendor may be taken to turn away whatever the rate.
var chances = [...]float64{0, .05, .1, .15, .2, .3, .4, .5}

const (
	tenth = 0.9
	// memory is how many answers it takes to bring the weight of an earlier one down to 1/e, and halfLife how long to halve it.
	memory   = 200
	halfLife = 10 * time.Minute
	// doubt is how much less likely chance is taken to be before there are answers, as a logarithm, for a chance of 1.
	doubt = 10
	// slack is by how much a limit may be less likely than the best one and still be tried, as a logarithm.
	slack = 1
	// leastLikely and mostLikely are for vendors that do neither of the two things.
	leastLikely, mostLikely = 0.02, 0.99
)

func newEstimate(ceiling float64, now time.Time) *estimate {
	e := &estimate{last: now}
	for limit := ceiling; ; limit *= tenth {
		e.limits = append(e.limits, limit)
		e.logs = append(e.logs, make([]float64, len(chances)))
		if limit <= slowest {
			return e
		}
	}
}

// note adds so many answers to requests that were sent at a pace, in requests per second.
func (e *estimate) note(now time.Time, pace float64, served bool, times float64) {
	keep := math.Exp(-times/memory) * math.Exp2(-float64(now.Sub(e.last))/float64(halfLife))
	e.last = now
	for i, limit := range e.limits {
		share := min(1, limit/pace)
		for j, chance := range chances {
			likely := min(max(leastLikely, (1-chance)*share), mostLikely)
			if !served {
				likely = 1 - likely
			}
			e.logs[i][j] = e.logs[i][j]*keep + times*math.Log(likely)
		}
	}
}

// rate returns the highest limit that the answers do not speak against.
func (e *estimate) rate() float64 {
	top := math.Inf(-1)
	for i := range e.limits {
		top = max(top, e.likely(i))
	}
	for i, limit := range e.limits {
		if e.likely(i) >= top-slack {
			return limit
		}
	}
	return e.limits[len(e.limits)-1]
}

// likely is how likely the answers are at a limit, with whatever chance fits best.
func (e *estimate) likely(i int) float64 {
	best := math.Inf(-1)
	for j, chance := range chances {
		best = max(best, e.logs[i][j]-doubt*chance)
	}
	return best
}
