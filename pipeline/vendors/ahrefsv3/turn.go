package ahrefsv3

import (
	"fmt"
	"slices"

	"backhaul/pipeline/vendors/internal/rows"
)

// turn is what a reply leads to.
type turn struct {
	next    place
	end     bool
	overlap int
}

// fault is what only the vendor can mend.
type fault struct{ text string }

func (f fault) Error() string { return f.text }

// turnTo reads off a reply where the list goes on; x is what was asked.
func (q *question) turnTo(p place, x request, reply rows.Reply) (turn, error) {
	all, err := readRows(reply, x.order, q.identity())
	if err != nil {
		return turn{}, fault{err.Error()}
	}
	if err := q.sorted(p, x, all); err != nil {
		return turn{}, err
	}
	step := visit{question: q, place: p, request: x, rows: all}
	if p.Step != probe && p.Step != check {
		step.place.Asked = max(p.Asked, x.limit)
		step.place.Most = max(p.Most, len(all))
	}
	switch p.Step {
	case probe:
		return step.probed()
	case check:
		return step.checked()
	case deep:
		return step.deepened()
	}
	return step.walked()
}

// identity is what rows are known by whatever was added to the request.
func (q *question) identity() []string { return q.report.identity(q.sel) }

// sorted finds out a reply that is not in the order asked for, or begins before the place, as far as terms are safe.
func (q *question) sorted(p place, x request, all []row) error {
	safe := x.order.safe()
	for i := 1; i < len(all); i++ {
		if x.order.compare(all[i-1].at, all[i].at, safe) > 0 {
			return fault{fmt.Sprintf("rows %d and %d are not in the order asked for, %v", i-1, i, x.order[:safe].terms())}
		}
	}
	if (p.Step == walk || p.Step == past) && len(p.At) > 0 && len(all) > 0 && x.order.compare(p.At, all[0].at, safe) > 0 {
		return fault{fmt.Sprintf("the reply goes back to before the place it was asked for, by %v", x.order[:safe].terms())}
	}
	return nil
}

// visit is a reply that is being read.
type visit struct {
	*question
	place
	request
	rows []row
}

// leastCap: no plan is known to cap a reply at less. Source: Ahrefs, pricing, rows per request.
const leastCap = 100

// ends says whether the list, or the part of it that was asked for, ends with the reply. A full reply never does. A shorter
// one does if it is shorter than another reply of the list, as the cap is not below that; or if its length is not one that
// anybody would choose as a cap: less than the lowest known, or neither a multiple of ten nor a power of two. Else it
// may have been cut, and what follows is asked for.
func (v *visit) ends() bool {
	n := len(v.rows)
	switch {
	case n >= v.request.limit:
		return false
	case n < v.place.Most, n < leastCap, n%10 != 0 && n&(n-1) != 0:
		return true
	}
	v.place.Cap = n
	return false
}

// carry is a place that keeps what is known of the list.
func (v *visit) carry(s step, at []value) place {
	p := v.place
	return place{Step: s, Order: p.Order, At: at, Asked: p.Asked, Most: p.Most, Cap: p.Cap, Met: p.Met, Missed: p.Missed}
}

// walked reads a reply in the list's own order.
func (v *visit) walked() (turn, error) {
	dropped, n := drop(v.rows, v.place.known())
	t := turn{overlap: n}
	if v.witness(n); v.place.Missed > 2 && v.doubtful() {
		return t, fault{fmt.Sprintf("%d of %d times rows did not come that were asked for by their own %v: rows may have been left out",
			v.place.Missed, v.place.Missed+v.place.Met, v.question.order[:len(v.place.At)].terms())}
	}
	if v.ends() {
		return v.last(t)
	}
	last := v.rows[len(v.rows)-1]
	full, safe := len(v.question.order), v.question.order.safe()
	within := len(v.place.At) == full && v.question.order.same(v.place.At, last.at, safe)
	group := v.group(last.at, safe)
	switch {
	case n == len(v.rows) && len(v.place.At) == full: // a whole page, and nothing new
		t.next = v.deepen(v.place.At, v.place.At, v.place.Behind, v.place.Held)
	case !within && safe > 0 && len(group) <= v.few():
		t.next = v.carry(walk, v.stamped(last.at)[:safe])
		t.next.Held, t.next.Again = group, len(group)
	case v.question.order.same(v.rows[0].at, last.at, full) && len(v.rows) >= max(leastCap, v.place.Most):
		// A page of equal rows: there may be more of them than a page has, and to go on at them brings the same again.
		t.next = v.deepen(last.at, nil, false, group)
		if within {
			t.next = v.deepen(last.at, v.place.At, v.place.Behind, v.more(v.place.Held, last.at, safe, dropped))
		}
	default:
		t.next = v.doubt(v.edge(len(group)), within, dropped)
	}
	return t, nil
}

// doubt is the place among the rows that are equal in the safe terms where strings decide, and how the list would leave
// rows out there. It is behind row k if the last row is surely sorted behind that one: then all rows that the order takes
// for equal to k are on the page. Else it is at the last row.
func (v *visit) doubt(k int, within bool, dropped []bool) place {
	full, safe := len(v.question.order), v.question.order.safe()
	last := len(v.rows) - 1
	at := v.rows[max(k, 0)].at
	if k < 0 {
		at = v.rows[last].at
	}
	p := v.carry(probe, v.stamped(at))
	p.Held, p.Again, p.Behind = v.group(at, safe), last-k, k >= 0
	if within && v.question.order.same(v.place.At, at, full) {
		p.Held = v.more(v.place.Held, at, safe, dropped)
	}
	if k < 0 {
		p.Again = len(v.group(at, full))
	}
	if within {
		p.Back, p.Beyond = v.place.At, v.place.Behind
	}
	return p
}

// edge returns the last of the reply's final n rows that its last row is surely sorted behind, -1 if that is not among the
// few that may come again.
func (v *visit) edge(n int) int {
	last := len(v.rows) - 1
	for k := last - 1; k >= 0 && k > last-n && k >= last-v.few(); k-- {
		if v.question.order.apart(v.rows[k].at, v.rows[last].at) {
			return k
		}
	}
	return -1
}

// few is how many rows of a page may come again.
func (v *visit) few() int { return max(1, v.request.limit/64) }

// group returns the rows that are equal to a place in the first n terms.
func (v *visit) group(at []value, n int) hashes {
	var out hashes
	for _, x := range v.rows {
		if v.request.order.same(x.at, at, n) {
			out = append(out, x.hash)
		}
	}
	return out
}

// more adds to the rows held at a place the others that the reply brought there: which of them come, where there are more
// than fit, need not be the same each time. known marks those that are among the held.
func (v *visit) more(held hashes, at []value, n int, known []bool) hashes {
	out := slices.Clone(held)
	for i, x := range v.rows {
		if !known[i] && v.request.order.same(x.at, at, n) {
			out = append(out, x.hash)
		}
	}
	return out
}

// stamped notes in each value whether the rows that are equal in the terms before began with null: in this reply, or where
// they began earlier, as the place has it.
func (v *visit) stamped(at []value) []value {
	out := slices.Clone(at)
	for i := range out {
		if !v.question.order[i].Nullable {
			continue
		}
		if len(v.place.At) > i && v.question.order.same(v.place.At, at, i) {
			out[i].First = v.place.At[i].First
			continue
		}
		begin := slices.IndexFunc(v.rows, func(x row) bool { return v.question.order.same(x.at, at, i) })
		out[i].First = v.rows[begin].at[i].null()
	}
	return out
}

// witness notes whether rows that were asked for again came. Where the place ends with a time or a fraction that is what
// shows that it is compared as it is printed.
func (v *visit) witness(returned int) {
	p := &v.place
	safe := v.question.order.safe()
	if p.Step != walk || len(p.At) == 0 || len(p.At) != safe || v.question.order[safe-1].Type == Integer || v.question.order[safe-1].Type == Boolean {
		return
	}
	if returned > 0 {
		p.Met++
	} else if len(p.Held) > 0 {
		p.Missed++
	}
}

// doubtful says whether more places did not bring their rows again than rows that went away in between account for.
func (v *visit) doubtful() bool { return v.place.Missed*8 > v.place.Met }

// last ends the list, unless it must be made sure first that no row was left out where one was missed.
func (v *visit) last(t turn) (turn, error) {
	if !v.doubtful() {
		t.end = true
		return t, nil
	}
	if len(v.rows) == 0 {
		return t, fault{fmt.Sprintf("the row the list was to go on from was not found again, nor anything behind it: whether Ahrefs compares %v as it prints it is in doubt", v.question.order[:v.question.order.safe()].terms())}
	}
	x := v.rows[len(v.rows)-1]
	t.next = v.carry(check, x.at[:v.question.order.safe()])
	t.next.Held, t.next.Again = v.group(x.at, v.question.order.safe()), 1
	return t, nil
}

// checked: a row that is there was asked for by its values.
func (v *visit) checked() (turn, error) {
	if len(v.rows) == 0 || !slices.Contains(v.place.Held, v.rows[0].hash) {
		return turn{}, fault{fmt.Sprintf("a row was asked for by its own %v and did not come: rows may have been left out", v.question.order[:len(v.place.At)].terms())}
	}
	return turn{end: true, overlap: len(v.rows)}, nil
}

// probed: the reply has the row that Ahrefs sorts last among those it does not compare as behind the place. If that is one
// of the rows held up to the place, none of those that follow in the list is among them, and the list can go on behind it.
func (v *visit) probed() (turn, error) {
	t := turn{overlap: len(v.rows)}
	upTo := v.place.Held
	if v.place.Behind {
		upTo = upTo[:len(upTo)-v.place.Again]
	}
	if len(v.rows) > 0 && !slices.Contains(upTo, v.rows[0].hash) {
		t.next = v.deepen(v.place.At, v.place.Back, v.place.Beyond, v.place.Held)
		return t, nil
	}
	t.next = v.carry(walk, v.place.At)
	t.next.Behind = v.place.Behind
	t.next.Held, t.next.Again = v.place.Held, v.place.Again
	return t, nil
}

// deepen begins to read by a finer order what is equal to the place in the safe terms, from back on.
func (v *visit) deepen(at, back []value, beyond bool, held hashes) place {
	safe := v.question.order.safe()
	p := v.carry(deep, at[:safe])
	p.Back, p.Beyond, p.Held = back, beyond, held
	for _, t := range v.report.finer(v.question.order[:safe], v.question.sel) {
		p.Finer = append(p.Finer, t.String())
		if !slices.Contains(v.question.sel, t.Name) {
			p.Added = append(p.Added, t.Name)
		}
	}
	return p
}

// deepened reads a reply in the finer order.
func (v *visit) deepened() (turn, error) {
	p, o := v.place, v.request.order
	dropped, n := drop(v.rows, p.known())
	t := turn{overlap: n}
	if v.ends() {
		if rest := v.question.order[:len(p.At)].from(p.At, true); rest == false {
			t.end = true // nothing is behind the last value there is
			return t, nil
		}
		t.next = v.carry(past, p.At)
		return t, nil
	}
	last := v.rows[len(v.rows)-1].at
	if n == len(v.rows) && o.same(p.Deep, last, len(o)) {
		return t, fault{fmt.Sprintf("more than %d rows are equal in everything they could be told apart by (%v, %v): they cannot be read; a filter may part them",
			len(v.rows), v.question.order.terms(), o.terms())}
	}
	t.next = v.carry(deep, p.At)
	t.next.Back, t.next.Beyond, t.next.Finer, t.next.Added = p.Back, p.Beyond, p.Finer, p.Added
	t.next.Deep, t.next.Bought = last, v.group(last, len(o))
	if o.same(p.Deep, last, len(o)) {
		again, _ := drop(v.rows, p.Bought)
		t.next.Bought = v.more(p.Bought, last, len(o), again)
	}
	t.next.Held = v.unmet(dropped)
	t.next.Again = len(t.next.Bought)
	return t, nil
}

// unmet returns the held rows that have not come again yet. What came of those bought at the place is not counted.
func (v *visit) unmet(dropped []bool) hashes {
	bought := v.place.Bought.count()
	left := v.place.Held.count()
	for i, x := range v.rows {
		switch {
		case !dropped[i]:
		case bought[x.hash] > 0 && v.request.order.same(x.at, v.place.Deep, len(v.request.order)):
			bought[x.hash]--
		case left[x.hash] > 0:
			left[x.hash]--
		}
	}
	var out hashes
	for _, h := range v.place.Held {
		if left[h] > 0 {
			left[h]--
			out = append(out, h)
		}
	}
	return out
}
