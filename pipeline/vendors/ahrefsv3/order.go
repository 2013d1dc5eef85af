package ahrefsv3

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// term is one field of an order.
type term struct {
	*Field
	desc bool
}

func (t term) String() string {
	if t.desc {
		return t.Name + ":desc"
	}
	return t.Name + ":asc"
}

// order is what a list is sorted by: what the job asks for, then what makes it total.
type order []term

// terms are the order as `order_by` takes it. The direction is always said: the default is not documented.
func (o order) terms() []string {
	var out []string
	for _, t := range o {
		out = append(out, t.String())
	}
	return out
}

func (o order) has(name string) bool {
	return slices.ContainsFunc(o, func(t term) bool { return t.Name == name })
}

// reversed is the order from the other end.
func (o order) reversed() order {
	out := slices.Clone(o)
	for i := range out {
		out[i].desc = !out[i].desc
	}
	return out
}

// parseOrder reads terms; a term without a direction is descending, as Ahrefs states it for the endpoints where it states
// one.
func (r *Report) parseOrder(terms []string) order {
	var o order
	for _, text := range terms {
		name, direction, _ := strings.Cut(text, ":")
		if f := r.Field(name); f != nil && !o.has(name) {
			o = append(o, term{f, direction != "asc"})
		}
	}
	return o
}

// total completes the order that was asked for: by what makes a row important, where nothing was asked for; by when it was
// first seen, which tells nearly all rows apart; by the key. Fields that are not selected would cost extra, so of them only
// the key is taken.
func (r *Report) total(asked []string, selected []string) order {
	o := r.parseOrder(asked)
	add := func(name string, desc bool) {
		if !o.has(name) {
			o = append(o, term{r.Field(name), desc})
		}
	}
	if len(o) == 0 {
		for _, name := range r.Ranks {
			if slices.Contains(selected, name) {
				add(name, true)
			}
		}
	}
	if slices.Contains(selected, r.Since) {
		add(r.Since, false)
	}
	for _, name := range r.Key {
		add(name, false)
	}
	return o
}

// finer is an order that may tell rows apart which are equal in the terms o: by numbers, those that cost nothing first, and by
// one time behind them.
func (r *Report) finer(o order, selected []string) order {
	const most = 12 // the conditions have to fit into a URL
	var out order
	for _, free := range []bool{true, false} {
		for i := range r.Fields {
			f := &r.Fields[i]
			usable := f.Type == Integer && !f.Nullable && f.Units == 1 && !slices.Contains(r.Unordered, f.Name) && !o.has(f.Name)
			if usable && slices.Contains(selected, f.Name) == free && len(out) < most && f.Name != "link_group_count" {
				out = append(out, term{f, false})
			}
		}
	}
	if f := r.Field(r.Since); f != nil && !o.has(r.Since) {
		out = append(out, term{f, false})
	}
	return out
}

// safe is how many of the leading terms are beyond doubt: whole numbers and truth values, and behind them one time or
// fraction. What is sorted behind a time or a fraction may be sorted within something the printed value does not show.
func (o order) safe() int {
	for i, t := range o {
		switch {
		case t.Nullable:
			return i
		case t.Type == Integer || t.Type == Boolean:
		case t.Type == DateTime || t.Type == Date || t.Type == Float:
			return i + 1
		default:
			return i
		}
	}
	return len(o)
}

// value is the value of a term in a row. First says that the rows which are equal in the terms before began with null.
type value struct {
	Raw   jsontext.Value `json:"v"`
	First bool           `json:"n,omitzero"`
}

func (v value) null() bool { return len(v.Raw) == 0 || v.Raw.Kind() == 'n' }

func (v value) number() (n float64) {
	_ = json.Unmarshal(v.Raw, &n)
	return n
}

func (v value) text() (s string) {
	_ = json.Unmarshal(v.Raw, &s)
	return s
}

// time reads a time, or a date.
func (v value) time() time.Time {
	s := v.text()
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return t
	}
	t, _ := time.Parse(time.DateOnly, s)
	return t
}

// valid says whether the value is one of the field's type.
func (f *Field) valid(v value) bool {
	if v.null() {
		return true
	}
	switch f.Type {
	case Integer, Float:
		var n float64
		return v.Raw.Kind() == '0' && json.Unmarshal(v.Raw, &n) == nil
	case Boolean:
		return v.Raw.Kind() == 't' || v.Raw.Kind() == 'f'
	case DateTime, Date:
		return v.Raw.Kind() == '"' && !v.time().IsZero()
	}
	return v.Raw.Kind() == '"'
}

// compare says which of two values comes first by the term. It knows nothing of strings.
func (t term) compare(a, b value) (c int) {
	switch t.Type {
	case Integer, Float:
		c = cmp.Compare(a.number(), b.number())
	case Boolean:
		c = cmp.Compare(truth(a), truth(b))
	case DateTime, Date:
		c = a.time().Compare(b.time())
	}
	if t.desc {
		return -c
	}
	return c
}

func truth(v value) int {
	if v.Raw.Kind() == 't' {
		return 1
	}
	return 0
}

// compare says which of two rows comes first by the first n terms, which must be safe.
func (o order) compare(a, b []value, n int) int {
	for i := range min(n, len(a), len(b)) {
		if c := o[i].compare(a[i], b[i]); c != 0 {
			return c
		}
	}
	return 0
}

// same says whether two rows are equal in the first n terms, as they are printed.
func (o order) same(a, b []value, n int) bool {
	if len(a) < n || len(b) < n {
		return false
	}
	for i := range n {
		if a[i].null() != b[i].null() || string(a[i].Raw) != string(b[i].Raw) {
			return false
		}
	}
	return true
}

// A fraction is compared within a band, and a time as the whole second: a value stored as a 32-bit number, or with parts of
// a second, is not equal to how it is printed.
const band = 0.005

func fraction(f float64) jsontext.Value {
	return jsontext.Value(strconv.FormatFloat(f, 'f', -1, 64))
}

func second(t time.Time) jsontext.Value {
	return jsontext.Value(strconv.Quote(t.UTC().Truncate(time.Second).Format(time.RFC3339)))
}
