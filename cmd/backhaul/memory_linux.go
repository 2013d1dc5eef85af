package main

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
)

// holdMemory bounds what the process may allocate until release is called, for a command that does nothing but ask one
// statement: DuckDB does not count all that its functions hold, and a statement must not take the machine down. What DuckDB
// cannot have it reports as an error. memory is 0 for the default of the flag.
func holdMemory(memory int64) (release func()) {
	var before syscall.Rlimit
	held := allocated()
	if held == 0 || syscall.Getrlimit(syscall.RLIMIT_DATA, &before) != nil {
		return func() {}
	}
	if memory == 0 {
		memory = 4 << 30
		var machine syscall.Sysinfo_t
		if syscall.Sysinfo(&machine) == nil {
			memory = min(memory, int64(machine.Totalram)*int64(machine.Unit)/2)
		}
	}
	const ours = 1 << 30 // for the program itself, which dies if it is refused
	most := before
	most.Cur = min(before.Cur, uint64(held+memory+memory/4+ours))
	if syscall.Setrlimit(syscall.RLIMIT_DATA, &most) != nil {
		return func() {}
	}
	return func() { _ = syscall.Setrlimit(syscall.RLIMIT_DATA, &before) }
}

// allocated returns what counts against the limit already, in bytes; 0 where it is not told.
func allocated() int64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(text, []byte("VmData:"))
	fields := bytes.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kib, _ := strconv.ParseInt(string(fields[0]), 10, 64)
	return kib << 10
}
