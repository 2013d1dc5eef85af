package ahrefsv3

import (
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/zeebo/xxh3"

	"backhaul/pipeline/vendors/internal/rows"
)

// row is one row of a reply, as the list's cursor sees it.
type row struct {
	members map[string]jsontext.Value
	at      []value // by the order's terms
	hash    uint64
}

// identity says by what a row is known again: the key where no two rows share one, else all that was selected.
func (r *Report) identity(selected []string) []string {
	if r.Unique {
		return r.Key
	}
	return selected
}

// readRows reads the values of the order's terms from all rows, and what they are known by.
func readRows(reply rows.Reply, o order, identity []string) ([]row, error) {
	out := make([]row, 0, reply.Count)
	for i, raw := range reply.Rows() {
		var x row
		if err := json.Unmarshal(raw, &x.members); err != nil {
			return nil, fmt.Errorf("row %d is not an object", i)
		}
		for _, t := range o {
			raw, given := x.members[t.Name]
			v := value{Raw: canonical(raw)}
			if !given || !t.valid(v) {
				return nil, fmt.Errorf("row %d: %s, which the list is sorted by, is %s", i, t.Name, brief(string(raw)))
			}
			x.at = append(x.at, v)
		}
		x.hash = x.known(identity)
		out = append(out, x)
	}
	return out, nil
}

// known hashes the row's values under those names, however they are spelled.
func (x row) known(names []string) uint64 {
	var text []byte
	for _, name := range names {
		text = append(append(text, canonical(x.members[name])...), '\n')
	}
	return xxh3.Hash(text)
}

// canonical is a value in the one spelling it has; nil for one that is absent. Whole numbers keep all their digits.
func canonical(raw jsontext.Value) jsontext.Value {
	v := raw.Clone()
	if len(v) == 0 || v.Canonicalize(jsontext.CanonicalizeRawInts(false)) != nil {
		return nil
	}
	return v
}

// drop marks the rows that are held already, each as often as it is held.
func drop(all []row, held hashes) (dropped []bool, n int) {
	dropped = make([]bool, len(all))
	left := held.count()
	for i := range all {
		if h := all[i].hash; left[h] > 0 {
			left[h]--
			dropped[i] = true
			n++
		}
	}
	return dropped, n
}
