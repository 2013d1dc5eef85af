package blob

import (
	"encoding/binary"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// stillness is how long nobody must have had a directory open. Listing one and looking at its names takes less.
	stillness = 5 * time.Millisecond
	// mostWaiting is after how long a change is made all the same.
	mostWaiting = time.Second
)

// awaitQuiet waits until nobody is in the middle of listing a directory. A reader that finds a name and looks at the file
// after the name has gone leaves it out without a word (DuckDB 1.1 to 2.0 do, and Arrow): it would see neither the old state
// nor the new one. Where the system does not tell who reads, nobody waits.
func awaitQuiet(dir string) {
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	if _, err := unix.InotifyAddWatch(fd, dir, unix.IN_OPEN|unix.IN_CLOSE_NOWRITE|unix.IN_ONLYDIR); err != nil {
		return
	}
	open, events := 0, make([]byte, 64<<10)
	for end := time.Now().Add(mostWaiting); time.Now().Before(end); {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(stillness.Milliseconds()))
		switch {
		case err == unix.EINTR:
			continue
		case err != nil, n == 0 && open <= 0:
			return
		case n == 0:
			continue
		}
		if n, err = unix.Read(fd, events); err != nil {
			return
		}
		open += opened(events[:n])
	}
}

// opened returns how many more times the directory itself was opened than closed.
func opened(events []byte) (n int) {
	for len(events) >= unix.SizeofInotifyEvent {
		mask, name := binary.NativeEndian.Uint32(events[4:]), binary.NativeEndian.Uint32(events[12:])
		switch {
		case name > 0 || mask&unix.IN_ISDIR == 0: // of a file in it
		case mask&unix.IN_OPEN != 0:
			n++
		default:
			n--
		}
		events = events[unix.SizeofInotifyEvent+int(name):]
	}
	return n
}
