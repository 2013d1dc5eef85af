package postgres

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// giveUp has the system give a connection up whose data nobody acknowledges, which keepalives do not do.
func giveUp(_, _ string, c syscall.RawConn) error {
	var failed error
	err := c.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(silence.Milliseconds()))
	})
	if err == nil && failed != nil && failed != unix.EOPNOTSUPP && failed != unix.ENOPROTOOPT { // a socket in the file system has no such thing
		err = failed
	}
	return err
}
