package plan

import "backhaul/pipeline"

// estimate is what remains of one task.
type estimate struct {
	Missing
	done bool
}

// remaining is what the task is expected to need from its place on.
func remaining(it *Item, histories map[string]pipeline.History) estimate {
	t, place := it.Task, it.Place
	if place.Pages > 0 && place.End || t.MaxRows > 0 && place.ChainRows >= t.MaxRows {
		return estimate{done: true}
	}
	if c, ok := exact(it); ok {
		return estimate{Missing: Missing{Cost: c, Known: true}}
	}
	h, known := history(t, histories)
	rows := h.Rows - place.ChainRows
	counted := !known && it.Counted > place.ChainRows
	switch {
	case counted:
		rows = it.Counted - place.ChainRows
	case !known || rows < 0:
		rows = int64(pageOf(it))
	}
	if left := t.MaxRows - place.ChainRows; t.MaxRows > 0 && rows >= left {
		rows = wholePages(it, left)
	}
	c := price(it, rows)
	if known && place.Pages == 0 && rows == h.Rows && hasLeast(it) {
		// What a list comes to where a request has a least price depends on how the vendor cut it.
		c = pipeline.Cost{Pages: max(c.Pages, h.Pages), Rows: rows, Units: max(c.Units, h.Units)}
	}
	return estimate{Missing: Missing{Cost: c, Known: known || counted, Counted: counted}}
}

// history is what an earlier answer to the task's request says, and whether that is how long its list is.
func history(t pipeline.Task, histories map[string]pipeline.History) (h pipeline.History, known bool) {
	if len(histories) > 0 { // a request is known by a hash, which takes time
		h, known = histories[t.Request()]
	}
	if h.More && (t.MaxRows == 0 || t.MaxRows > h.Rows) {
		known = false
	}
	return h, known
}

// Read reports whether an earlier complete answer says how long the task's list is.
func Read(t pipeline.Task, histories map[string]pipeline.History) bool {
	_, known := history(t, histories)
	return known
}

// hasLeast reports whether a request costs something however few its rows.
func hasLeast(it *Item) bool {
	rule, err := it.Endpoint.PriceOf(it.Task, pipeline.Ask{Limit: it.PageSize})
	return err == nil && !rule.Free && rule.Least > 0
}

// exact is what the task can cost at most from its place on, where that follows from what is asked: of a batch, of a
// request that brings all there is, or where the endpoint knows better than the general rule.
func exact(it *Item) (pipeline.Cost, bool) {
	e := it.Endpoint
	if e.Estimate != nil {
		c, ok := batch(it) // a row for each input left
		if !ok {           // the cursor is the endpoint's own
			c.Rows = int64(len(it.Task.Inputs)) - it.Place.ChainRows
		}
		pages, units, ok := e.Estimate(it.Task, it.Place.Next)
		if !e.Asks.Batched() { // a list whose end is known
			if c.Rows = pages * int64(e.PageSize); it.Task.MaxRows > 0 {
				c.Rows = min(c.Rows, it.Task.MaxRows-it.Place.ChainRows)
			}
		}
		return pipeline.Cost{Pages: pages, Rows: max(c.Rows, 0), Units: units}, ok
	}
	switch {
	case e.Asks.Batched():
		return batch(it)
	case e.Once:
		rule, err := e.PriceOf(it.Task, pipeline.Ask{})
		if err != nil {
			return pipeline.Cost{}, true
		}
		return pipeline.Cost{Pages: 1, Rows: int64(max(1, rule.MaxRows)), Units: rule.Worst(0)}, true
	}
	return pipeline.Cost{}, false
}

// batch is what the rest of a batch costs.
func batch(it *Item) (c pipeline.Cost, ok bool) {
	for at := it.Place.Next; ; {
		ask := pipeline.Ask{Cursor: at, Limit: it.PageSize}
		n, next, end, err := it.Task.Step(ask, it.PageSize)
		if err != nil {
			return pipeline.Cost{}, false
		}
		rule, err := it.Endpoint.PriceOf(it.Task, ask)
		if err != nil {
			return pipeline.Cost{}, true // what cannot be priced will not be sent
		}
		c.Add(pipeline.Cost{Pages: 1, Rows: int64(n), Units: rule.Worst(n)})
		if end {
			return c, true
		}
		at = next
	}
}

// Worst is the most a task can cost from its place on, or nil if nothing bounds it.
func Worst(it *Item) *pipeline.Cost {
	if c, ok := exact(it); ok {
		known := c // so that only what is returned is allocated
		return &known
	}
	if it.Task.MaxRows == 0 {
		return nil
	}
	rows := it.Task.MaxRows - it.Place.ChainRows
	if it.Endpoint.SteadySize && it.Place.Next != "" && it.Place.LastRows != pageOf(it) && it.Place.ChainRows <= int64(it.PageSize) {
		rows = it.Task.MaxRows // a vendor that insists on the size of the last page has the list started over
	}
	c := price(it, wholePages(it, rows))
	if it.Endpoint.Worst != nil {
		c.Pages, c.Units = it.Endpoint.Worst(it.Task, it.Place.Next, rows)
	}
	return &c
}

// pageOf is how many rows of a list are asked for at a time.
func pageOf(it *Item) int {
	last := 0
	if it.Place.Next != "" {
		last = it.Place.LastRows
	}
	return it.Endpoint.PageOf(it.Task.MaxRows, it.PageSize, last)
}

// wholePages is how many rows come where so many are wanted: a vendor may refuse to make the last page smaller.
func wholePages(it *Item, rows int64) int64 {
	size := int64(pageOf(it))
	if !it.Endpoint.SteadySize || size < 1 {
		return rows
	}
	return (rows + size - 1) / size * size
}

// price is the cost of so many rows. A list without rows still takes a page. What cannot be priced will not be sent, and
// costs nothing.
func price(it *Item, rows int64) pipeline.Cost {
	rule, err := it.Endpoint.PriceOf(it.Task, pipeline.Ask{Cursor: it.Place.Next, Limit: it.PageSize})
	if err != nil {
		return pipeline.Cost{Rows: rows}
	}
	pages, units := rule.Pages(rows, pageOf(it))
	return pipeline.Cost{Rows: rows, Pages: pages, Units: units}
}
