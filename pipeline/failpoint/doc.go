// Package failpoint lets a test kill the program at a named step, to prove that what follows a crash there is right.
//
// A step is a call such as
//
//	failpoint.Hit("journal.append.before")
//
// between two things that must not be torn apart. In a program built as usual, Hit is an empty function that the
// compiler removes: no variable is read, and nobody's environment can kill a run. In one built with -tags failpoint,
//
//	BACKHAUL_FAILPOINT=journal.append.before:3
//
// makes the process send itself SIGKILL at the third call of that name, counted over all goroutines. SIGKILL runs no
// deferred function and flushes nothing, so it is what a crash, the kernel's out-of-memory killer or `kill -9` is to
// the files. It is not what a loss of power is to them: what was written and not synced survives it.
//
// With BACKHAUL_FAILPOINT_TRACE=FILE the process appends the name of every step it takes to the file, a line each, which
// tells a test how often each comes up.
//
// Names are package.step.moment, literal at the call, so that a test finds all of them in the source.
package failpoint

// Variable is the environment variable that says where to die: a name, a colon, and the how-manieth hit it is to be.
const Variable = "BACKHAUL_FAILPOINT"

// TraceVariable is the environment variable that names the file to trace hits to.
const TraceVariable = "BACKHAUL_FAILPOINT_TRACE"
