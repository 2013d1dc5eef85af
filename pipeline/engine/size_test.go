package engine

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"backhaul/pipeline"
	"backhaul/pipeline/limit"
)

// steady is a vendor whose cursors may hold for one size of page only.
type steady struct{ *vendor }

var steadyFacts = func() *pipeline.Endpoint { e := *facts; e.SteadySize = true; return &e }()

func (steady) Endpoint() *pipeline.Endpoint { return steadyFacts }

// sized makes the vendor refuse cursors with another size of page than they came with, and notes the sizes asked for. It has
// one list, whose pages so far were of that size.
func sized(v *vendor, last int) *[]string {
	asked := &[]string{}
	v.fault = func(_ int, _ pipeline.Task, ask pipeline.Ask) (*pipeline.Page, error) {
		*asked = append(*asked, strconv.Itoa(ask.Limit))
		if ask.Cursor != "" && ask.Limit != last {
			return nil, &pipeline.Error{Kind: pipeline.Rejected, Status: 400, Message: "token does not fit the request"}
		}
		last = ask.Limit
		return nil, nil
	}
	return asked
}

func TestPagesAreAlikeAndBringHardlyMoreThanMaxRows(t *testing.T) {
	for _, tc := range []struct {
		maxRows, rows int64
		asked         string
	}{
		{10, 10, "10"}, {50, 50, "50"}, {60, 60, "30 30"}, {120, 120, "40 40 40"},
		{51, 52, "26 25 26"}, // whether a smaller last page is refused is tried once
		{0, 170, "50 50 50 50"},
	} {
		synctest.Test(t, func(t *testing.T) {
			v, m := &vendor{}, &memory{}
			asked := sized(v, 0)
			w := works(v, 170)
			w[0].Source, w[0].Task.MaxRows = steady{v}, tc.maxRows
			outcomes, err := Run(context.Background(), config(m, 1, w, limit.Config{}))
			if got := strings.Join(*asked, " "); err != nil || got != tc.asked || outcomes[0].Place.Rows != tc.rows || !outcomes[0].Ending.Complete() {
				t.Errorf("max_rows %d: %d rows by %s, want %d by %s; %v", tc.maxRows, outcomes[0].Place.Rows, got, tc.rows, tc.asked, err)
			}
		})
	}
}

func TestAListUnderWayKeepsTheSizeOfItsPages(t *testing.T) {
	for name, tc := range map[string]struct {
		first, then int64 // max_rows
		rows        int64 // bought in all
		asked       string
	}{
		"max_rows is raised":           {60, 120, 120, "30 30"},
		"max_rows is taken away":       {60, 0, 170, "30 30 30 30"},
		"the first page was all":       {30, 90, 90, "30 30"},
		"its pages are much too small": {10, 100, 110, "50 50 50"}, // refused, and started over
	} {
		synctest.Test(t, func(t *testing.T) {
			v, m := &vendor{}, &memory{}
			sized(v, 0)
			w := works(v, 170)
			w[0].Source, w[0].Task.MaxRows = steady{v}, tc.first
			outcomes, err := Run(context.Background(), config(m, 1, w, limit.Config{}))
			if err != nil || outcomes[0].Ending != pipeline.EndMaxRows {
				t.Fatalf("%s: %+v, %v", name, outcomes[0], err)
			}
			asked := sized(v, outcomes[0].Place.LastRows)
			w[0].Task.MaxRows, w[0].From = tc.then, outcomes[0].Place
			outcomes, err = Run(context.Background(), config(m, 1, w, limit.Config{}))
			if got := strings.Join(*asked, " "); err != nil || got != tc.asked || outcomes[0].Place.Rows != tc.rows || !outcomes[0].Ending.Complete() {
				t.Errorf("%s: %s with %d rows by %s, want %d by %s; %v", name, outcomes[0].Ending, outcomes[0].Place.Rows, got, tc.rows, tc.asked, err)
			}
		})
	}
}

// A page that the vendor made shorter than was asked says nothing about the size its cursor wants.
func TestAPageTheVendorCutShortDoesNotEndItsList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, m := &vendor{}, &memory{}
		v.fault = func(_ int, _ pipeline.Task, ask pipeline.Ask) (*pipeline.Page, error) {
			if ask.Limit != 50 {
				return nil, &pipeline.Error{Kind: pipeline.Rejected, Status: 400, Message: "token does not fit the request"}
			}
			return nil, nil
		}
		w := works(v, 170)
		w[0].Source = steady{v}
		w[0].From = &pipeline.Place{Pages: 2, Rows: 90, ChainRows: 90, LastRows: 40, Next: "90"}
		m.pages = map[string][]pipeline.Page{"t0": make([]pipeline.Page, 2)}
		outcomes, err := Run(context.Background(), config(m, 1, w, limit.Config{}))
		if err != nil || outcomes[0].Ending != pipeline.EndOfList || outcomes[0].Place.Rows != 170 || outcomes[0].Place.Chain != 0 {
			t.Errorf("%+v, %v", outcomes[0], err)
		}
	})
}
