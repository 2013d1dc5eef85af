package blob

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// stillness is how long nobody must have had a directory open. Listing one and looking at its names takes less.
	stillness = 5 * time.Millisecond
	// mostStillness is after how many of them in a row nobody is believed to have it open, whatever was counted: of two that close
	// it at once the system tells as of one.
	mostStillness = 20
	// mostWaiting is after how long a change goes on all the same.
	mostWaiting = time.Second
)

// listings tells of those who are in the middle of listing a directory, whoever they are, if they began after it did.
type listings struct {
	fd int
	// open is how many have it open, of those who opened it since.
	open   int
	events [16 << 10]byte
}

// listingsOf begins to count. It returns nil where the system does not tell; a nil listings counts nobody.
func listingsOf(dir string) *listings {
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		return nil
	}
	if _, err := unix.InotifyAddWatch(fd, dir, unix.IN_OPEN|unix.IN_CLOSE_NOWRITE|unix.IN_ONLYDIR); err != nil {
		unix.Close(fd)
		return nil
	}
	return &listings{fd: fd}
}

func (l *listings) close() {
	if l != nil {
		unix.Close(l.fd)
	}
}

// await returns once nobody has the directory open and nobody has opened or closed it for a while. The system tells of two that
// open it at once as of one, hence the while.
func (l *listings) await() {
	if l == nil {
		return
	}
	still := 0
	for end := time.Now().Add(mostWaiting); time.Now().Before(end); {
		if still++; l.look(stillness) {
			still = 0
		}
		if still > 0 && l.open == 0 || still == mostStillness {
			return
		}
	}
}

// any reports whether somebody may have it open.
func (l *listings) any() bool { return l != nil && (l.look(0) || l.open > 0) }

// look counts what happens next, and reports whether anything did in this time.
func (l *listings) look(within time.Duration) bool {
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(l.fd), Events: unix.POLLIN}}, int(within.Milliseconds()))
	if err != nil || n == 0 {
		return err == unix.EINTR
	}
	if n, err = unix.Read(l.fd, l.events[:]); err != nil {
		return false
	}
	l.count(l.events[:n])
	return true
}

func (l *listings) count(events []byte) {
	for len(events) >= unix.SizeofInotifyEvent {
		mask, name := binary.NativeEndian.Uint32(events[4:]), binary.NativeEndian.Uint32(events[12:])
		switch {
		case name > 0 || mask&unix.IN_ISDIR == 0: // of a file in it
		case mask&unix.IN_OPEN != 0:
			l.open++
		case l.open > 0: // else it was opened before we looked
			l.open--
		}
		events = events[unix.SizeofInotifyEvent+int(name):]
	}
}

// awaitClosed returns once no process that we may look into, or after a while, has the directory of this name open, be it since long
// before: our own ones, and all if we are root.
func awaitClosed(dir string) {
	name := filepath.Base(dir) // the path to it is another one in a container
	for end := time.Now().Add(mostWaiting); isOpen(name) && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
}

func isOpen(name string) bool {
	processes, _ := os.ReadDir("/proc")
	for _, process := range processes {
		dir := filepath.Join("/proc", process.Name(), "fd")
		opened, _ := os.ReadDir(dir) // none of what is not a process, or may not be looked into
		for _, fd := range opened {
			if to, err := os.Readlink(filepath.Join(dir, fd.Name())); err == nil && filepath.Base(to) == name {
				return true
			}
		}
	}
	return false
}

// unreadable is a file that is there for who looks, is no Parquet file for who opens it, and is gone with this process.
func unreadable() string { return fmt.Sprintf("/proc/%d/comm", os.Getpid()) }

// isUnreadable reports whether a name is a link to such a file, of this process or of one that was killed.
func isUnreadable(path string) bool {
	to, err := os.Readlink(path)
	if err != nil {
		return false
	}
	is, _ := filepath.Match("/proc/[0-9]*/comm", to)
	return is
}
