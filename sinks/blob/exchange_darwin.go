package blob

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// exchange swaps two directories in one step. Where the filesystem cannot, the error is errors.ErrUnsupported.
func exchange(a, b string) error {
	err := unix.RenamexNp(a, b, unix.RENAME_SWAP)
	if err == unix.EINVAL || err == unix.ENOTSUP {
		return fmt.Errorf("%w: %w", errors.ErrUnsupported, err)
	}
	return err
}
