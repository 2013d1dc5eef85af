package account

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"backhaul/jobs/ledger"
)

// list is what an extract's rows of one target are: one list for whoever compares nights, however many tasks brought it.
type list struct{ extract, endpoint, target, scope string }

func listOf(t *ledger.Task) list { return list{t.Extract, t.Endpoint, t.Target, t.Scope} }

// questions are what was asked for each list that several tasks brought.
type questions map[list]string

// of returns what was asked for the list of a task: the task's id, as of most, or what identifies those of all its tasks.
// marts.whole_nights derives the same of rows of earlier versions, which do not have it.
func (q questions) of(t *ledger.Task) string { return cmp.Or(q[listOf(t)], t.ID) }

// questionsOf returns those of tasks, which stand list by list.
func questionsOf(tasks []ledger.Task) questions {
	all := questions{}
	for len(tasks) > 0 {
		first, n := listOf(&tasks[0]), 1
		for n < len(tasks) && listOf(&tasks[n]) == first {
			n++
		}
		if n > 1 {
			all[first] = question(tasks[:n])
		}
		tasks = tasks[n:]
	}
	return all
}

// question identifies what several tasks ask.
func question(tasks []ledger.Task) string {
	ids := make([]string, len(tasks))
	for i := range tasks {
		ids[i] = tasks[i].ID
	}
	slices.Sort(ids)
	sum := sha256.Sum256([]byte(strings.Join(ids, " ")))
	return hex.EncodeToString(sum[:8])
}
