package mozrpc

import (
	"maps"
	"slices"

	"github.com/go-json-experiment/json"
)

// RequestOf returns what was asked, as far as a reply tells whose request is not known: which of the endpoint's methods it
// is of. Nil: of none.
func (s *source) RequestOf(body []byte) []byte {
	for _, name := range slices.Sorted(maps.Keys(methods())) {
		m := methods()[name]
		if m.load[s.endpoint.Table.Name] == nil {
			continue
		}
		if _, fault, err := m.read(body); err != nil || fault != nil {
			continue
		}
		if request, err := json.Marshal(envelope{Method: name}); err == nil {
			return request
		}
	}
	return nil
}
