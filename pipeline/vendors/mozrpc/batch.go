package mozrpc

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"backhaul/pipeline/vendors/internal/moz"
	"backhaul/schemas"
)

// outcome is what a reply says of one input of a batch.
type outcome struct {
	// raw is the element of the reply, a result or an error.
	raw jsontext.Value
	// fault is why there is no result. Nil: there is one.
	fault *fault
}

// batch says where the outcomes of a batch are.
type batch struct {
	results, errors string // lists, by their path
	echo            string // the member of an element that repeats the input
}

// outcomes returns what a record says of each of the inputs, in their order. Moz does not promise to keep it: its own
// examples answer in another than they ask in, and failures stand in a list of their own. So an element is told by the
// input it repeats. An error means that inputs and elements do not match one to one.
func (l batch) outcomes(r record, inputs []string) ([]outcome, error) {
	var all []outcome
	var echoes []string
	for _, path := range []string{l.results, l.errors} {
		var list []jsontext.Value
		if raw := r.Member(path); raw != nil {
			if err := json.Unmarshal(raw, &list); err != nil {
				return nil, fmt.Errorf("%s: want a list", path)
			}
		}
		for _, raw := range list {
			o, echo := l.read(raw, path == l.errors)
			all, echoes = append(all, o), append(echoes, echo)
		}
	}
	owners, err := moz.Assign(inputs, echoes)
	if err != nil {
		return nil, err
	}
	ordered := make([]outcome, len(inputs))
	for i, owner := range owners {
		ordered[owner] = all[i]
	}
	return ordered, nil
}

// read returns an element and the input it repeats: as it was asked, or else as Moz understood it.
func (l batch) read(raw jsontext.Value, failed bool) (o outcome, echo string) {
	var element map[string]jsontext.Value
	_ = json.Unmarshal(raw, &element) // what is not an object repeats no input
	var repeated struct {
		Query    string `json:"query"`
		Original struct {
			Query string `json:"query"`
		} `json:"original_site_query"`
	}
	_ = json.Unmarshal(element[l.echo], &repeated)
	if echo = repeated.Original.Query; echo == "" {
		echo = repeated.Query
	}
	o.raw = raw
	if failed {
		if o.fault = readFault(element["error"]); o.fault == nil {
			o.fault = &fault{}
		}
	}
	return o, echo
}

// rejected keeps an input without a result, with Moz's reason. That Moz has no record of it is an answer, and leaves no row.
func (o outcome) rejected(i int, b *schemas.Builder) bool {
	if o.fault != nil && !o.fault.none(0) {
		b.Reject(i, o.raw, errors.New("Moz answers with an error: "+o.fault.String()))
	}
	return o.fault != nil
}

// passing reports whether there is no result because Moz failed for now, for which it charges nothing: the same question may
// be answered soon. What it refuses, or has no record of, stays so.
func (o outcome) passing() bool {
	if o.fault == nil || o.fault.none(0) {
		return false
	}
	status := o.fault.http(0)
	return status == 429 || status/100 == 5
}

// pending reports whether the input was asked about again behind the record, so that it is neither a row nor a rejected one
// here. Pages of an archive, and of runs before anything was asked again, have the last word on all their inputs.
func (o outcome) pending(r record) bool { return r.again && o.passing() }

// unanswered are the inputs that Moz failed at for now. If it failed at all of them, the request has failed.
func unanswered(outcomes []outcome, inputs []string) ([]int, error) {
	var failed []int
	for i, o := range outcomes {
		if o.passing() {
			failed = append(failed, i)
		}
	}
	if len(failed) > 0 && len(failed) == len(inputs) {
		return nil, failedAtAll{inputs: inputs, fault: outcomes[0].fault}
	}
	return failed, nil
}

// failedAtAll is a reply to a batch without an answer about any of its inputs. It brings nothing and costs nothing, so it is
// no page; the same request may succeed soon.
type failedAtAll struct {
	inputs []string
	fault  *fault
}

func (f failedAtAll) Error() string {
	const shown = 5
	text := strings.Join(f.inputs[:min(shown, len(f.inputs))], ", ")
	if more := len(f.inputs) - shown; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return fmt.Sprintf("Moz fails at %s: %s", text, f.fault)
}
