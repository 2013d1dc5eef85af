package account

import (
	"fmt"
	"time"

	"backhaul/pipeline/words"
)

// Expectation is what an extract, or a table of a job, is to bring each night. A bound that is nil does not bind.
type Expectation struct {
	// Extract or Table, like moz.links or marts.campaign, is what it is about; the other is "".
	Extract, Table string
	// Query counts the rows of a mart, which is asked once the night is published; Where is its condition, if it has one.
	Query, Where          string
	MinRows, MaxRows      *int64
	MaxChange             *int64 // of its rows against the last whole night, in percent of those
	MaxRejected, MaxDrift *int64 // rows, fields
	MaxUnits              *int64
	// Freshness is how old the last whole night of a list may be. Default 0: as old as may be.
	Freshness time.Duration
	// Hold keeps its tables from being published while it is breached.
	Hold bool
}

// Finding is one bound of an expectation, against what was found.
type Finding struct {
	Extract string `json:"extract,omitempty"`
	Table   string `json:"table,omitempty"`
	// Where is the condition of the rows that were counted, of a mart.
	Where string `json:"where,omitempty"`
	// Check is rows, change (percent), rejected_rows, drift (fields), units, or freshness (hours).
	Check string `json:"check"`
	// Found is null where there is nothing to compare with.
	Found    *int64 `json:"found"`
	Min      *int64 `json:"min,omitempty"`
	Max      *int64 `json:"max,omitempty"`
	Breached bool   `json:"breached"`
	// Held: its tables were not published for it.
	Held bool `json:"held"`
}

// About says which expectation it is of: "rows of anchors".
func (f Finding) About() string { return f.Check + " of " + f.of() }

func (f Finding) of() string {
	if f.Where != "" {
		return f.Table + " where " + f.Where
	}
	return f.Extract + f.Table
}

// Text says what was found and what is expected.
func (f Finding) Text() string {
	found := "nothing"
	if f.Found != nil {
		found = words.Count(*f.Found)
	}
	text := fmt.Sprintf("%s: %s%s", f.About(), found, map[string]string{"change": " percent", "freshness": " hours"}[f.Check])
	switch {
	case f.Min != nil && f.Max != nil:
		text += fmt.Sprintf(", from %s to %s are expected", words.Count(*f.Min), words.Count(*f.Max))
	case f.Min != nil:
		text += fmt.Sprintf(", at least %s are expected", words.Count(*f.Min))
	case f.Max != nil:
		text += fmt.Sprintf(", at most %s are expected", words.Count(*f.Max))
	}
	if f.Held {
		text += "; it is not published until `backhaul run --accept`"
	}
	return text
}

// Judge returns the finding of one bound.
func (e Expectation) Judge(check string, found, least, most *int64) Finding {
	f := Finding{Extract: e.Extract, Table: e.Table, Where: e.Where, Check: check, Found: found, Min: least, Max: most}
	f.Breached = found != nil && (least != nil && *found < *least || most != nil && *found > *most)
	return f
}

// expectations fills ops.expectations.
func (a *accountant) expectations(findings []Finding) error {
	for _, f := range findings {
		r := a.row()
		r.text("about", f.of())
		r.text("check_name", f.Check)
		for name, value := range map[string]*int64{"found": f.Found, "min": f.Min, "max": f.Max} {
			if value != nil {
				r.number(name, *value)
			}
		}
		r.flag("breached", f.Breached)
		r.flag("held", f.Held)
		if err := r.done(); err != nil {
			return err
		}
	}
	return nil
}
