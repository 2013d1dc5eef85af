package pipeline

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"backhaul/pipeline/words"
)

// Units is an amount in what the vendor counts and charges: rows (Moz, Ahrefs v2) or API units (Ahrefs v3).
type Units int64

// Task is one extract for one target: the smallest thing that is bought, fails or completes as a whole.
type Task struct {
	// ID identifies what is asked within a job, across runs: see TaskID.
	ID       string
	Extract  string
	Endpoint string // moz/anchor_text
	Surface  string // v2
	// Target is the target as sent, "" where the endpoint has none.
	Target string
	// Inputs are what a task asks about that takes many targets or sources at once: its batch. They are shared by all copies
	// of the task, and never changed. Default none.
	Inputs []Input
	// TargetAsGiven is the target as the spec spelled it.
	TargetAsGiven string
	// Scope is the value of the endpoint's scope parameter.
	Scope string
	// Params are the request's other parameters as a JSON object with sorted keys, {} if none; it includes
	// the scope under the endpoint's own name for it.
	Params string
	// MaxRows bounds the rows of the task. Default 0: until the list ends.
	MaxRows int64
	// Priority: higher is bought first when the budget is short.
	Priority int
}

// Vendor is who sells what the task asks for: the first part of its endpoint's name.
func (t Task) Vendor() string {
	vendor, _, _ := strings.Cut(t.Endpoint, "/")
	return vendor
}

// PlaceholderParams are those of a task that stands for the tasks of an extract that are not known, because it never came to
// make them. They are no JSON object, so that no task of a spec has them.
const PlaceholderParams = "waiting"

// IsPlaceholder tells such a task. It has no pages.
func (t Task) IsPlaceholder() bool { return t.Params == PlaceholderParams }

// About says to people what the task is about: its target, or which batch of targets. "" where it is about none.
func (t Task) About() string {
	inputs := t.Inputs
	switch {
	case len(inputs) == 0:
		return t.Target
	case t.Target != "":
		return fmt.Sprintf("%s and %s", t.Target, words.Plural(len(inputs), "source"))
	case len(inputs) == 1:
		return inputs[0].Target
	}
	return fmt.Sprintf("a batch of %s from %s to %s", words.Plural(len(inputs), "target"), inputs[0].Target, inputs[len(inputs)-1].Target)
}

// Request identifies what the task asks the vendor for, whatever job or extract asks: the key under which
// earlier answers to the same question are found. 16 hexadecimal digits.
func (t Task) Request() string {
	return t.digest(t.Endpoint, t.Surface, t.Target, t.Scope, t.Params)
}

// TaskID derives the ID of a task from what it asks and the extract it belongs to. MaxRows and Priority are
// not part of it, so that a raised bound continues the same chain of pages. 16 hexadecimal digits.
func TaskID(t Task) string {
	return t.digest(t.Extract, t.Endpoint, t.Surface, t.Target, t.Scope, t.Params)
}

// digest identifies parts of a task, and what its batch asks, whatever its spellings: the JSON of its inputs, which may be a
// million, is hashed as it is made.
func (t Task) digest(parts ...string) string {
	h := sha256.New()
	text := make([]byte, 0, 512)
	for i, part := range parts {
		if i > 0 {
			text = append(text, 0)
		}
		text = append(text, part...)
	}
	for i, in := range t.Inputs {
		if i == 0 {
			text = append(text, '[')
		} else {
			text = append(text, ',')
		}
		_, _ = h.Write(appendQuestion(text, in))
		text = text[:0]
	}
	if len(t.Inputs) > 0 {
		text = append(text, ']')
	}
	_, _ = h.Write(text)
	var sum [sha256.Size]byte
	return hex.EncodeToString(h.Sum(sum[:0])[:8])
}

// appendQuestion appends what an input asks, as JSON.
func appendQuestion(text []byte, in Input) []byte {
	name, value := "target", in.Target
	if value == "" {
		name, value = "source", in.Source
	}
	if value == "" || in.Target != "" && in.Source != "" || escaped(value) {
		return append(text, encodeInput(Input{Target: in.Target, Source: in.Source})...)
	}
	text = append(append(text, `{"`...), name...)
	text = append(append(text, `":"`...), value...)
	return append(text, `"}`...)
}

// escaped reports whether encoding/json may write a text in another way than as it is.
func escaped(text string) bool {
	for i := range len(text) {
		switch c := text[i]; {
		case c < ' ', c > '~', c == '"', c == '\\', c == '<', c == '>', c == '&':
			return true
		}
	}
	return false
}
