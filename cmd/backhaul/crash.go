package main

/*
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static void failed(int sig) {
	static const char text[] = "backhaul: the program crashed; what was bought is in the journal: the same command again goes on."
		" If the above says that memory was refused, give it more, or ask for less with --memory-limit\n";
	if (write(STDERR_FILENO, text, sizeof text - 1) < 0) {
		// Nobody is left to tell.
	}
	_exit(1);
}

// Runs before Go's runtime, which passes signals on to the handlers that it finds.
__attribute__((constructor)) static void handle_abort(void) {
	struct sigaction action = {0};
	action.sa_handler = failed;
	sigemptyset(&action.sa_mask);
	sigaction(SIGABRT, &action, NULL);
}
*/
import "C"

import "runtime/debug"

// failOnCrash gives a crash the status of a failure. Go's runtime ends a process with status 2 when memory is refused, a
// goroutine panics or C code aborts, and 2 is what users know as their own mistake. Nothing in Go can change that; but where a
// crash is to raise SIGABRT, the handler above has the last word. It makes no core file, which would hold the credentials.
//
// Two ends stay beyond reach: a limit so low that the program does not come to main (about 1 GiB of address space) has status
// 2, and who is killed by the kernel for want of memory has none.
func failOnCrash() { debug.SetTraceback("crash") }
