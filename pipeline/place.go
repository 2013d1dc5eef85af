package pipeline

import "time"

// Place is how far a task has come.
type Place struct {
	// Pages bought so far; the next page has this number.
	Pages int
	// Chain counts the restarts of the list.
	Chain int
	// Rows held, without those bought again.
	Rows int64
	// Waste is rows bought again: of repeated pages, and where pages overlap. Those of restarted chains are known only after loading.
	Waste int64
	// ChainRows is Rows of the current chain.
	ChainRows int64
	Units     Units
	// MaybeUnits may have been charged by attempts that yielded no page.
	MaybeUnits Units
	Attempts   int
	// RepeatsAt is how many pages the task had when its list was last found to repeat itself; see Repeats. Default 0: never.
	RepeatsAt int
	// Unreadable is how many replies came at this place that could not be read, Recovered how many at earlier places, where
	// the same question brought a page afterwards.
	Unreadable, Recovered int
	// ReusedFrom is the run whose pages were taken over instead of bought. "" if none.
	ReusedFrom string
	// Next is where the list goes on; meaningless when End.
	Next Cursor
	// Fetched is when the last page arrived, and with it Next. Zero without a page.
	Fetched time.Time
	// LastRows is how many rows the last page holds.
	LastRows int
	// End: the list was read to its end.
	End bool
}

// Repeats reports whether the list was found to repeat itself at this very place.
func (p Place) Repeats() bool { return p.RepeatsAt > 0 && p.RepeatsAt == p.Pages }

// Since is what was bought since the task stood at an earlier place, rows that came again included.
func (p Place) Since(was Place) Cost {
	return Cost{Pages: int64(p.Pages - was.Pages), Rows: p.Rows + p.Waste - was.Rows - was.Waste, Units: p.Units - was.Units}
}

// MostUnreadable is how many replies that cannot be read one page is worth: each may have been billed, and the same question
// mostly has the same answer.
const MostUnreadable = 2
