//go:build !linux && !darwin

package blob

import "errors"

// exchange swaps two directories in one step, which this system cannot.
func exchange(a, b string) error { return errors.ErrUnsupported }
