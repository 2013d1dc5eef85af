package ahrefsv3

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"

	"backhaul/pipeline"
)

// step is what the request at a place is for.
type step string

const (
	walk  step = "walk"  // go on at a row, with the row
	past  step = "past"  // go on behind all rows that are equal in the safe terms
	probe step = "probe" // look whether going on at a row would leave one out
	deep  step = "deep"  // read by a finer order what the order cannot tell apart
	check step = "check" // ask for a row that is held, to see whether asking for it brings it
)

// place is where a list has been read to: what a cursor holds, as JSON.
type place struct {
	Step step `json:"step"`
	// Order is the order the list is read in, as `order_by` takes it.
	Order []string `json:"order"`
	// At are the values of the leading terms where the list goes on.
	At []value `json:"at,omitempty"`
	// Back is where what a probe or a finer order reads begins; nil is where the rows begin that are equal in the safe terms.
	Back []value `json:"back,omitempty"`
	// Held are rows held already that the reply may bring again, as often as they are held.
	Held hashes `json:"held,omitempty"`
	// Again is how many rows of the reply will be rows held already, as far as that is known.
	Again int `json:"again,omitzero"`
	// Finer, Added, Deep and Bought are of step deep: its order, the fields that had to be added to `select` for it, how far it
	// has come, and which rows it brought there.
	Finer  []string `json:"finer,omitempty"`
	Added  []string `json:"added,omitempty"`
	Deep   []value  `json:"deep,omitempty"`
	Bought hashes   `json:"bought,omitempty"`
	// Asked is the largest number of rows asked for so far, Most the largest that came. Cap is what a reply was cut to, 0 if
	// none was.
	Asked int `json:"asked,omitzero"`
	Most  int `json:"most,omitzero"`
	Cap   int `json:"cap,omitzero"`
	// Sure: a row at a time or fraction came back when it was asked for. Missed: none has yet, and one did not.
	Sure   bool `json:"sure,omitzero"`
	Missed bool `json:"missed,omitzero"`
}

// cursor returns the place as a cursor.
func (p place) cursor() pipeline.Cursor {
	out, err := json.Marshal(p)
	if err != nil {
		panic(fmt.Sprintf("ahrefsv3: encode a cursor: %v", err)) // values come from JSON that was checked
	}
	return pipeline.Cursor(out)
}

// errForeign means that a cursor is not one of the list as it is asked for now.
var errForeign = errors.New("the cursor belongs to another order of the list")

// place reads a cursor; "" is the start. The order must be the one the list is read in now.
func (q *question) place(c pipeline.Cursor) (place, error) {
	p := place{Step: walk, Order: q.order.terms()}
	if c == "" {
		return p, nil
	}
	given, err := readPlace(c)
	if err != nil {
		return p, err
	}
	if !slices.Equal(given.Order, p.Order) {
		return p, errForeign
	}
	return given, q.validate(&given)
}

func readPlace(c pipeline.Cursor) (p place, err error) {
	if err := json.Unmarshal([]byte(c), &p, json.RejectUnknownMembers(true)); err != nil {
		return place{}, fmt.Errorf("read the cursor: %w", err)
	}
	return p, nil
}

// known are all rows that a reply may bring again.
func (p place) known() hashes { return slices.Concat(p.Bought, p.Held) }

// validate refuses a place that no reply can have led to.
func (q *question) validate(p *place) error {
	safe, all := q.order.safe(), len(q.order)
	at, back := -1, 0
	switch p.Step {
	case walk, check:
	case past, deep:
		at = safe
	case probe:
		at = all
	default:
		return fmt.Errorf("read the cursor: step %q is unknown", p.Step)
	}
	if p.Step == probe || p.Step == deep {
		back = all
	}
	finer := q.report.parseOrder(p.Finer)
	switch {
	case at >= 0 && len(p.At) != at, at < 0 && len(p.At) != safe && len(p.At) != all:
		return fmt.Errorf("read the cursor: %d values for step %s", len(p.At), p.Step)
	case len(p.Back) != 0 && len(p.Back) != back:
		return errors.New("read the cursor: it begins at an impossible place")
	case p.Step == deep && (len(finer) == 0 || len(finer) != len(p.Finer) || len(p.Deep) != 0 && len(p.Deep) != len(finer)):
		return errors.New("read the cursor: it has no finer order")
	case p.Step != deep && len(p.Finer)+len(p.Added)+len(p.Deep)+len(p.Bought) > 0:
		return errors.New("read the cursor: it has a finer order")
	case p.Asked < 0 || p.Most < 0 || p.Cap < 0 || p.Again < 0 || p.Again > len(p.Held)+len(p.Bought):
		return errors.New("read the cursor: a count is impossible")
	}
	for _, name := range p.Added {
		if !finer.has(name) {
			return fmt.Errorf("read the cursor: %q was not added", name)
		}
	}
	for _, list := range []struct {
		order
		values []value
	}{{q.order, p.At}, {q.order, p.Back}, {finer, p.Deep}} {
		for i, v := range list.values {
			if !list.order[i].valid(v) {
				return fmt.Errorf("read the cursor: %s cannot be %s", list.order[i].Name, brief(string(v.Raw)))
			}
		}
	}
	return nil
}

// hashes stand for rows, each as often as there is one.
type hashes []uint64

// MarshalText and UnmarshalText spell them as base64 of 8 bytes each.
func (h hashes) MarshalText() ([]byte, error) {
	raw := make([]byte, 0, 8*len(h))
	for _, x := range h {
		raw = binary.LittleEndian.AppendUint64(raw, x)
	}
	return base64.RawURLEncoding.AppendEncode(nil, raw), nil
}

func (h *hashes) UnmarshalText(text []byte) error {
	raw, err := base64.RawURLEncoding.DecodeString(string(text))
	if err != nil || len(raw)%8 != 0 {
		return errors.New("hashes are not base64 of 8 bytes each")
	}
	*h = nil
	for ; len(raw) > 0; raw = raw[8:] {
		*h = append(*h, binary.LittleEndian.Uint64(raw))
	}
	return nil
}

// count returns how often each is there.
func (h hashes) count() map[uint64]int {
	out := make(map[uint64]int, len(h))
	for _, x := range h {
		out[x]++
	}
	return out
}
