package pipeline

import (
	"encoding/json"
	"fmt"
	"strconv"
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

// EncodeBatch returns inputs as Task.Batch holds them.
func EncodeBatch(inputs []Input) string {
	text, err := json.Marshal(inputs)
	if err != nil {
		panic(fmt.Sprintf("encode a batch: %v", err)) // structs of strings always encode
	}
	return string(text)
}

// Inputs returns the task's batch; none for a task about one target.
func (t Task) Inputs() ([]Input, error) {
	if t.Batch == "" {
		return nil, nil
	}
	var inputs []Input
	if err := json.Unmarshal([]byte(t.Batch), &inputs); err != nil {
		return nil, fmt.Errorf("read the batch of task %s: %w", t.ID, err)
	}
	return inputs, nil
}

// Slice returns the part of the task's batch that a request at ask.Cursor is about: at most size inputs, and at most
// ask.Limit where that is more than 0. The cursor of a batch is the number of inputs behind it, "" for none; next is the
// cursor behind the part, and end says that nothing is left then.
func (t Task) Slice(ask Ask, size int) (part []Input, next Cursor, end bool, err error) {
	inputs, err := t.Inputs()
	if err != nil {
		return nil, "", false, err
	}
	from := 0
	if ask.Cursor != "" {
		if from, err = strconv.Atoi(string(ask.Cursor)); err != nil || from < 0 || from > len(inputs) {
			return nil, "", false, fmt.Errorf("cursor %q does not lie in a batch of %d", ask.Cursor, len(inputs))
		}
	}
	if ask.Limit > 0 {
		size = min(size, ask.Limit)
	}
	to := min(from+max(size, 1), len(inputs))
	return inputs[from:to], Cursor(strconv.Itoa(to)), to == len(inputs), nil
}
