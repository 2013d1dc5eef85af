package blob

import (
	"encoding/binary"
	"testing"

	"golang.org/x/sys/unix"
)

func TestListingsUnderWayAreCounted(t *testing.T) {
	event := func(mask, name uint32) []byte {
		e := make([]byte, unix.SizeofInotifyEvent+name)
		binary.NativeEndian.PutUint32(e[4:], mask)
		binary.NativeEndian.PutUint32(e[12:], name)
		return e
	}
	dir := uint32(unix.IN_ISDIR)
	var events []byte
	for _, e := range [][]byte{
		event(dir|unix.IN_OPEN, 0), event(unix.IN_OPEN, 16), event(unix.IN_CLOSE_NOWRITE, 16), event(dir|unix.IN_OPEN, 16), event(dir|unix.IN_OPEN, 0),
		event(dir|unix.IN_CLOSE_NOWRITE, 0),
	} {
		events = append(events, e...)
	}
	if n := opened(events); n != 1 {
		t.Errorf("%d under way", n)
	}
}
