package pipeline

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestPriceFollowsItsRule(t *testing.T) {
	for name, tc := range map[string]struct {
		price Price
		reply Reply
		want  Units
	}{
		"nothing is free":                        {Price{}, Reply{Inputs: 7, Rows: 50}, 0},
		"a row":                                  {Price{PerRow: 1}, Reply{Rows: 50}, 50},
		"no row":                                 {Price{PerRow: 1}, Reply{}, 0},
		"five a row":                             {Price{PerRow: 5}, Reply{Rows: 50}, 250},
		"two an input, found or not":             {Price{PerInput: 2}, Reply{Inputs: 50, Rows: 3}, 100},
		"a request and its rows":                 {Price{PerRequest: 11, PerRow: 1}, Reply{Rows: 2}, 13},
		"under the least":                        {Price{PerRow: 2, Least: 50}, Reply{Rows: 1}, 50},
		"at the least":                           {Price{PerRow: 2, Least: 50}, Reply{Rows: 25}, 50},
		"over the least":                         {Price{PerRow: 2, Least: 50}, Reply{Rows: 26}, 52},
		"no rows at the least":                   {Price{PerRow: 2, Least: 50}, Reply{}, 50},
		"a fifth of a unit":                      {Price{PerRow: 1, Every: 5}, Reply{Rows: 1}, 1},
		"five fifths":                            {Price{PerRow: 1, Every: 5}, Reply{Rows: 5}, 1},
		"six fifths":                             {Price{PerRow: 1, Every: 5}, Reply{Rows: 6}, 2},
		"two fifths a row are exact":             {Price{PerRow: 2, Every: 5}, Reply{Rows: 3}, 2},
		"cached":                                 {Price{PerRow: 9, Least: 50}, Reply{Rows: 10, Cached: true}, 0},
		"free":                                   {Price{PerRow: 9, Least: 50, Free: true}, Reply{Rows: 10}, 0},
		"more rows than there can be are billed": {Price{PerRow: 1, MaxRows: 50}, Reply{Rows: 51}, 51},
		"more than a number can hold":            {Price{PerRequest: 1, PerRow: 3}, Reply{Rows: math.MaxInt}, Unbounded},
		"a negative count is none":               {Price{PerRequest: 1, PerRow: 3}, Reply{Rows: -4, Inputs: -1}, 1},
	} {
		if got := tc.price.Actual(tc.reply); got != tc.want {
			t.Errorf("%s: %d units, want %d", name, got, tc.want)
		}
	}
}

func TestWhatIsNotChargedStillHasATotal(t *testing.T) {
	p := Price{PerRow: 1, Least: 50, Free: true}
	if got := p.Total(Reply{Rows: 100, Cached: true}); got != 100 {
		t.Errorf("total %d, want 100", got)
	}
}

func TestWorstCaseIsBoundedByWhatCanComeBack(t *testing.T) {
	for name, tc := range map[string]struct {
		price Price
		n     int
		want  Units
	}{
		"as asked":                  {Price{PerRow: 5}, 10, 50},
		"no more than can come":     {Price{PerRow: 5, MaxRows: 50}, 1000, 250},
		"all that can come":         {Price{PerRow: 5, MaxRows: 50}, 0, 250},
		"nothing bounds it":         {Price{PerRow: 5}, 0, Unbounded},
		"nothing bounds the inputs": {Price{PerInput: 5}, 0, Unbounded},
		"rows cost nothing":         {Price{PerRequest: 1}, 0, 1},
		"inputs and rows":           {Price{PerRequest: 1, PerInput: 2, PerRow: 3, MaxRows: 10}, 4, 21},
		"free":                      {Price{PerRow: 5, Least: 50, Free: true}, 0, 0},
	} {
		if got := tc.price.Worst(tc.n); got != tc.want {
			t.Errorf("%s: %d units, want %d", name, got, tc.want)
		}
	}
}

// prices yields prices of all shapes, small enough that limits matter.
func prices(yield func(r *rand.Rand, p Price) bool) {
	r := rand.New(rand.NewPCG(4, 1))
	for range 20_000 {
		p := Price{Every: r.IntN(7), MaxRows: r.IntN(3) * r.IntN(60), Free: r.IntN(20) == 0}
		for _, u := range []*Units{&p.PerRequest, &p.PerInput, &p.PerRow, &p.Least} {
			if r.IntN(2) == 0 {
				*u = Units(r.IntN(60))
			}
		}
		if !yield(r, p) {
			return
		}
	}
}

func TestActualNeverExceedsWorst(t *testing.T) {
	for r, p := range prices {
		asked := 1 + r.IntN(120)
		most := asked
		if p.MaxRows > 0 {
			most = min(most, p.MaxRows)
		}
		inputs := r.IntN(most + 1)
		reply := Reply{Inputs: inputs, Rows: r.IntN(most + 1), Cached: r.IntN(5) == 0}
		if actual, worst := p.Actual(reply), p.Worst(asked); actual > worst {
			t.Fatalf("%+v: %+v costs %d, the worst of %d was %d", p, reply, actual, asked, worst)
		}
		if full := (Reply{Inputs: most, Rows: most}); p.Actual(full) != p.Worst(asked) {
			t.Fatalf("%+v: a full reply costs %d, the worst of %d was %d: too dear a promise", p, p.Actual(full), asked, p.Worst(asked))
		}
	}
}

func TestAffordsIsTheLargestRequestThatFits(t *testing.T) {
	cut := 0
	for r, p := range prices {
		units, want := Units(r.IntN(400)), r.IntN(100)
		n := p.Affords(units, want)
		if n < 0 || n > want || n > 0 && p.Worst(n) > units {
			t.Fatalf("%+v: Affords(%d, %d) = %d, which costs up to %d", p, units, want, n, p.Worst(n))
		}
		if n < want {
			cut++
			if p.Worst(n+1) <= units {
				t.Fatalf("%+v: Affords(%d, %d) = %d, but %d would fit", p, units, want, n, n+1)
			}
		}
	}
	if cut < 1000 {
		t.Errorf("only %d prices were short of units: the test proves little", cut)
	}
}

func TestPagesCostWhatTheirRequestsCostTogether(t *testing.T) {
	for r, p := range prices {
		rows, size := int64(r.IntN(300)), 1+r.IntN(80)
		each := int64(size)
		if p.MaxRows > 0 {
			each = min(each, int64(p.MaxRows))
		}
		wantPages, wantUnits := int64(0), Units(0)
		for left := rows; left > 0 || wantPages == 0; left -= each {
			n := int(min(left, each))
			wantPages++
			wantUnits += p.Actual(Reply{Inputs: n, Rows: n})
		}
		if pages, units := p.Pages(rows, size); pages != wantPages || units != wantUnits {
			t.Fatalf("%+v: %d rows by %d are %d pages for %d, want %d for %d", p, rows, size, pages, units, wantPages, wantUnits)
		}
	}
}

func TestEndpointWithoutARuleChargesItsUnitsPerRow(t *testing.T) {
	e := &Endpoint{PageSize: 50, UnitsPerRow: 5, Source: "doc"}
	p, err := e.PriceOf(Task{}, Ask{})
	if want := (Price{PerRow: 5, MaxRows: 50, Source: "doc"}); err != nil || p != want {
		t.Fatalf("%+v, %v; want %+v", p, err, want)
	}
	for _, n := range []int{1, 7, 50} {
		if e.WorstCase(n) != p.Worst(n) || e.WorstCase(n) != Units(5*n) {
			t.Errorf("%d rows: %d by WorstCase, %d by the price", n, e.WorstCase(n), p.Worst(n))
		}
	}
	e.Price = func(task Task, ask Ask) (Price, error) {
		return Price{PerRow: Units(len(task.Params)), MaxRows: ask.Limit}, nil
	}
	if p, _ := e.PriceOf(Task{Params: "{}"}, Ask{Limit: 3}); p != (Price{PerRow: 2, MaxRows: 3}) {
		t.Errorf("the endpoint's own rule was not asked: %+v", p)
	}
}
