package pipeline

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Asks says what one request of an endpoint is about, and so how tasks are made of targets.
type Asks uint8

// The kinds of questions.
const (
	// AboutTarget: one target. A task is one target.
	AboutTarget Asks = iota
	// AboutNothing: no target. A task is the whole extract, its Target "".
	AboutNothing
	// AboutTargets: several targets at once. A task is a batch of up to PageSize of them, its Target "".
	AboutTargets
	// AboutSources: one target and several sources. A task is a target with all its sources, asked PageSize at a time.
	AboutSources
	// AboutParams: the targets are among the parameters; Endpoint.TargetOf says what names them.
	AboutParams
)

// Batched reports whether a request takes several targets or sources.
func (a Asks) Batched() bool { return a == AboutTargets || a == AboutSources }

// Input is one target of a batch, or one source of a task that asks about sources: as sent, and as the spec spelled it.
type Input struct {
	Target        string `json:"target,omitempty"`
	TargetAsGiven string `json:"target_as_given,omitempty"`
	Source        string `json:"source,omitempty"`
	SourceAsGiven string `json:"source_as_given,omitempty"`
}

// EncodeInputs returns the JSON by which a batch is stored, and known: "" for none.
func EncodeInputs(inputs []Input) string {
	if len(inputs) == 0 {
		return ""
	}
	text, err := json.Marshal(inputs)
	if err != nil {
		panic(fmt.Sprintf("encode a batch: %v", err)) // structs of strings always encode
	}
	return string(text)
}

// encodeInput returns the JSON of one input.
func encodeInput(in Input) []byte {
	text, err := json.Marshal(in)
	if err != nil {
		panic(fmt.Sprintf("encode an input: %v", err)) // a struct of strings always encodes
	}
	return text
}

// DecodeInputs is the inverse of EncodeInputs.
func DecodeInputs(text string) (inputs []Input, err error) {
	if text == "" {
		return nil, nil
	}
	if err := json.Unmarshal([]byte(text), &inputs); err != nil {
		return nil, fmt.Errorf("read a batch: %w", err)
	}
	return inputs, nil
}

// Slice is Part for sources whose vendor answers every input of a request for good.
func (t Task) Slice(ask Ask, size int) (part []Input, next Cursor, end bool, err error) {
	p, err := t.Part(ask, size)
	if err != nil {
		return nil, "", false, err
	}
	next, end = p.Next()
	return p.Inputs, next, end, nil
}

// Part is what one request of a batch is about.
type Part struct {
	Inputs []Input
	places []int // of the inputs in the batch
	done   int   // how many inputs of the batch were asked about, behind this part
	again  []int // places of those to be asked about once more, behind this part
	total  int
}

// Part returns the part of the task's batch that a request at ask.Cursor is about: at most size inputs, and at most ask.Limit
// where that is more than 0. The cursor of a batch is the number of inputs behind it, "" for none, and the places of those
// among them that are still without an answer: "50", "50 again 3 17". They are asked about when the others have been.
func (t Task) Part(ask Ask, size int) (p Part, err error) {
	inputs := t.Inputs
	p.total = len(inputs)
	if p.done, p.again, err = readCursor(ask.Cursor, len(inputs)); err != nil {
		return Part{}, err
	}
	if ask.Limit > 0 {
		size = min(size, ask.Limit)
	}
	size = max(size, 1)
	for ; p.done < len(inputs) && len(p.places) < size; p.done++ {
		p.places = append(p.places, p.done)
	}
	if len(p.places) == 0 {
		n := min(size, len(p.again))
		p.places, p.again = p.again[:n], p.again[n:]
	}
	for _, place := range p.places {
		p.Inputs = append(p.Inputs, inputs[place])
	}
	return p, nil
}

// Step is Slice for those who need not know which inputs a request is about: only how many.
func (t Task) Step(ask Ask, size int) (n int, next Cursor, end bool, err error) {
	done, again, err := readCursor(ask.Cursor, len(t.Inputs))
	if err != nil || len(again) > 0 {
		part, next, end, err := t.Slice(ask, size)
		return len(part), next, end, err
	}
	if ask.Limit > 0 {
		size = min(size, ask.Limit)
	}
	n = min(max(size, 1), len(t.Inputs)-done)
	return n, cursorOf(done+n, nil), done+n == len(t.Inputs), nil
}

// Left is how many inputs of the task's batch are without an answer at a place.
func (t Task) Left(at Cursor) (int, error) {
	done, again, err := readCursor(at, len(t.Inputs))
	return len(t.Inputs) - done + len(again), err
}

// Next returns the cursor behind the part; end says that nothing is left then. unanswered are the indexes of inputs of the
// part that the vendor failed at for now, and that are to be asked about again. A part whose inputs all are has no next: the
// request has failed.
func (p Part) Next(unanswered ...int) (next Cursor, end bool) {
	again := slices.Clone(p.again)
	for _, i := range unanswered {
		again = append(again, p.places[i])
	}
	return cursorOf(p.done, again), p.done == p.total && len(again) == 0
}

const againWord = " again "

// AsksAgain says that at a place of a batch inputs are without an answer that were asked about.
func (c Cursor) AsksAgain() bool { return strings.Contains(string(c), againWord) }

func cursorOf(done int, again []int) Cursor {
	text := strconv.Itoa(done)
	for i, place := range again {
		if i == 0 {
			text += againWord
		} else {
			text += " "
		}
		text += strconv.Itoa(place)
	}
	return Cursor(text)
}

func readCursor(at Cursor, total int) (done int, again []int, err error) {
	if at == "" {
		return 0, nil, nil
	}
	behind, places, _ := strings.Cut(string(at), againWord)
	if done, err = strconv.Atoi(behind); err != nil || done < 0 || done > total {
		return 0, nil, fmt.Errorf("cursor %q does not lie in a batch of %d", at, total)
	}
	for _, word := range strings.Fields(places) {
		place, err := strconv.Atoi(word)
		if err != nil || place < 0 || place >= done || slices.Contains(again, place) {
			return 0, nil, fmt.Errorf("cursor %q does not lie in a batch of %d", at, total)
		}
		again = append(again, place)
	}
	return done, again, nil
}
