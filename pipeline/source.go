package pipeline

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"backhaul/schemas"
)

// Source is one endpoint of one vendor surface.
type Source interface {
	// Endpoint returns the facts about the endpoint. It works offline.
	Endpoint() *Endpoint

	// Fetch makes exactly one request and neither waits nor retries. The page it returns is whole and was
	// paid for. When the error is not nil it is an *Error, whose Kind says what to do; of kind Malformed
	// the page holds what was received, so that it can be kept: see Read. Safe for concurrent use.
	Fetch(ctx context.Context, t Task, ask Ask) (Page, error)

	// Read reads a reply that was received and kept before: p has Cursor, Request, Status, Body and FetchedAt. It returns the
	// page as Fetch would have returned it; the kind of its *Error says what is wrong with it. What was asked for is taken from
	// p as far as p tells it, from t and ask otherwise. Response headers were not kept, so what only they say is taken from the
	// price rule or left empty; and what Fetch learns from other replies is not known here. It is pure, and safe for concurrent use.
	Read(t Task, ask Ask, p Page) (Page, error)

	// Decode appends the page's rows to the builder, in the vendor's order, and rejects those that do not
	// fit the table; Begin has been called on it. It is pure, and safe for concurrent use with different
	// builders. An error means the page as a whole cannot be read.
	Decode(p Page, b *schemas.Builder) error
}

// Endpoint is what is known offline about one report of a vendor.
type Endpoint struct {
	Vendor  string // moz
	Surface string // v2
	Name    string // anchor_text
	Table   *schemas.Table
	// Also are the tables that a reply fills beside Table: series, distributions, statistics. Decode is called once for each,
	// and fills the one its builder is of. Default none.
	Also []*schemas.Table
	// Asks says what one request is about. Default AboutTarget.
	Asks Asks
	// TargetOf names what a request is about whose targets are parameters: for the columns target and scope. params are as
	// in Task.Params, decoded. Only for AboutParams.
	TargetOf func(params map[string]any) (target, scope string)
	// Once: one request brings all there is. Its price is known before, and a smaller one cannot be asked for.
	Once bool
	// Params are the vendor's own parameters a job may set, without those the program fills in itself
	// (target, limit, next_token).
	Params []Param
	// ScopeParam names the parameter that is the target's scope. "" where there is none.
	ScopeParam string
	// DefaultScope is the vendor's default for it; it is always sent.
	DefaultScope string
	// Means returns what the vendor takes of a canonical target at a scope: targets of which that is equal have the same list.
	// Default: all of it.
	Means func(target, scope string) string
	// CountOf returns where the length of a task's list can be learnt. ok is false where nothing tells. Default: nothing does.
	CountOf func(t Task) (c Count, ok bool)
	// PageSize is the largest number of rows the vendor returns at once, which is what is asked for.
	PageSize int
	// MaxLimit is the largest `limit` a job may set. Default PageSize.
	MaxLimit int
	// SteadySize: a cursor may hold only for pages of the size it came with, so a list's pages are made alike; see PageOf.
	// Default: pages of any size follow each other.
	SteadySize bool
	// UnitsPerRow is the price of one row, where Price does not say more.
	UnitsPerRow Units
	// Estimate returns what a task about to begin, or under way at a cursor, can still cost at most, and in how many requests,
	// where the general rule would be wrong: where several different requests answer one task. ok is false where that is not
	// known offline. Default: worked out from Price.
	Estimate func(t Task, at Cursor) (pages int64, units Units, ok bool)
	// Worst returns what so many further rows of a list can cost at most from a place on, and in how many requests, where more
	// is bought than the rows: what a continuation without a cursor brings again. Default: worked out from Price.
	Worst func(t Task, at Cursor, rows int64) (pages int64, units Units)
	// Price returns the rule by which a request is charged, from the task's parameters and the place asked for. Of a batch,
	// its MaxRows is at most what is left at the place. It is pure; an error means that the parameters cannot be priced, so they must not be sent. Default: see PriceOf.
	Price func(t Task, ask Ask) (Price, error)
	// Meaning is one line for people.
	Meaning string
	// Source names the vendor document.
	Source string
}

// Tables returns the tables that a reply fills, Table first.
func (e *Endpoint) Tables() []*schemas.Table { return append([]*schemas.Table{e.Table}, e.Also...) }

// String returns vendor and name as a job spells them: moz/anchor_text.
func (e *Endpoint) String() string { return e.Vendor + "/" + e.Name }

// PriceOf returns the rule by which a request is charged: the endpoint's own, else UnitsPerRow for each of at most
// PageSize rows.
func (e *Endpoint) PriceOf(t Task, ask Ask) (Price, error) {
	if e.Price != nil {
		return e.Price(t, ask)
	}
	return Price{PerRow: e.UnitsPerRow, MaxRows: e.PageSize, Source: e.Source}, nil
}

// PageOf returns how many rows of a list to ask for at a time: most, but where pages are to be alike in size, maxRows divided
// among the fewest pages, which together bring hardly more: 60 rows by 50 are 2 pages of 30, 51 are 2 of 26. maxRows is that
// of the task, 0 for none. A list under way keeps the size of its last page, of last rows, unless something cut that short;
// 0 is for a list that begins.
func (e *Endpoint) PageOf(maxRows int64, most, last int) int {
	if !e.SteadySize || most <= 0 {
		return most
	}
	size := most
	if maxRows > 0 {
		pages := (maxRows-1)/int64(most) + 1
		size = int((maxRows-1)/pages + 1)
	}
	if last <= most && 2*last >= size {
		return last
	}
	return size
}

// WorstCase returns the most a request for limit rows can cost where UnitsPerRow is all there is to it.
func (e *Endpoint) WorstCase(limit int) Units {
	return Price{PerRow: e.UnitsPerRow}.Total(Reply{Rows: limit})
}

// ParamType is what a parameter's value must look like.
type ParamType uint8

// The types of parameters. ParamWords are words from Values joined by Separator in one string.
const (
	ParamString ParamType = iota
	ParamEnum
	ParamWords
	ParamInt
	ParamBool
	ParamDate
	ParamStrings
	// ParamTargets is a list of mappings {target, scope}, both required; the scope is one of Values.
	ParamTargets
	// ParamJSON is any value: given as YAML, or as a string of JSON, and kept as its JSON text.
	ParamJSON
)

// String says the type as people read it.
func (t ParamType) String() string {
	return [...]string{"string", "word", "words", "whole number", "true or false", "date", "strings", "targets with scopes", "JSON"}[t]
}

// Param is one parameter of an endpoint, under the vendor's name.
type Param struct {
	Name string
	Type ParamType
	// Values are the allowed words of ParamEnum and ParamWords.
	Values []string
	// Separator joins the words of ParamWords.
	Separator string
	// Min and Max bound ParamInt when Max is not 0.
	Min, Max int64
	Meaning  string
	// Required: a request cannot be made without it. Default false.
	Required bool
	// Window reports whether the list is over a moving window of time with this value, or with it among the words of
	// ParamWords. Default: with none.
	Window func(value string) bool
	// Check refuses combinations with other parameters; params are all the extract's parameters as
	// decoded from YAML. Default none.
	Check func(value any, params map[string]any) error
}

// Windowed reports whether the task's list is over a moving window of time, so that what leaves it is not gone.
func (e *Endpoint) Windowed(t Task) bool {
	if !slices.ContainsFunc(e.Params, func(p Param) bool { return p.Window != nil }) {
		return false // as most are, of a million tasks
	}
	var params map[string]any
	_ = json.Unmarshal([]byte(t.Params), &params) // a placeholder's are none
	for _, p := range e.Params {
		text, given := params[p.Name].(string)
		if !given || p.Window == nil {
			continue
		}
		words := []string{text}
		if p.Separator != "" {
			words = strings.Split(text, p.Separator)
		}
		if slices.ContainsFunc(words, p.Window) {
			return true
		}
	}
	return false
}

// Param returns the parameter of that name, or nil.
func (e *Endpoint) Param(name string) *Param {
	for i := range e.Params {
		if e.Params[i].Name == name {
			return &e.Params[i]
		}
	}
	return nil
}
