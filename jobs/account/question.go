package account

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"backhaul/jobs/ledger"
)

// list is what an extract's rows of one target are: one list for whoever compares nights, however many tasks brought it.
type list struct{ extract, endpoint, target, scope string }

func listOf(t ledger.Task) list { return list{t.Extract, t.Endpoint, t.Target, t.Scope} }

// questionsOf returns what was asked for each list: the id of its task, or where there are several, what identifies theirs.
// marts.whole_nights derives the same of rows of earlier versions, which do not have it.
func questionsOf(tasks []ledger.Task) map[list]string {
	ids := map[list][]string{}
	for _, t := range tasks {
		ids[listOf(t)] = append(ids[listOf(t)], t.ID)
	}
	questions := map[list]string{}
	for l, all := range ids {
		slices.Sort(all)
		questions[l] = all[0]
		if len(all) > 1 {
			sum := sha256.Sum256([]byte(strings.Join(all, " ")))
			questions[l] = hex.EncodeToString(sum[:8])
		}
	}
	return questions
}
