//go:build !linux

package blob

// listings would tell of those who are in the middle of listing a directory, which this system does not.
type listings struct{}

func listingsOf(string) *listings { return nil }

func (*listings) close()    {}
func (*listings) await()    {}
func (*listings) any() bool { return false }

func awaitClosed(string) {}

func unreadable() string       { return "" }
func isUnreadable(string) bool { return false }
