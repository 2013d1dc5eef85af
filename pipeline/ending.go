package pipeline

// Ending says how a task's list ended, so that "no rows" can be told from "not fetched".
type Ending string

// The endings. Only the first three are complete.
const (
	EndOfList      Ending = "end of list"
	EndMaxRows     Ending = "max_rows"
	EndUnchanged   Ending = "index unchanged" // an earlier run holds the rows; this one has none
	EndNotReached  Ending = "not reached"     // the run stopped before the task's turn
	EndInterrupted Ending = "interrupted"
	EndBudget      Ending = "budget" // the user's ceiling
	EndQuota       Ending = "quota"  // the vendor's
	EndDenied      Ending = "denied" // the credentials
	EndUnreachable Ending = "unreachable"
	EndStale       Ending = "stale"   // the cursor died too often
	EndRepeats     Ending = "repeats" // the list brings what it has brought before
	EndFault       Ending = "fault"
)

// Complete reports whether everything the task asks for is held.
func (e Ending) Complete() bool { return e == EndOfList || e == EndMaxRows || e == EndUnchanged }
