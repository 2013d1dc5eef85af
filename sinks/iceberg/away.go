//go:build fleet

package iceberg

import (
	"context"
	"errors"
	"fmt"
	"net"

	"gocloud.dev/gcerrors"

	"backhaul/sinks/lake"
)

// told is an error of the store's, or of the catalog's, with [lake.ErrAway] where they do not answer.
func (s *Store) told(err error) error {
	if err == nil || errors.Is(err, lake.ErrMoved) || !isAway(err) {
		return err
	}
	return fmt.Errorf("%s: %w: %w", s.at.name(), lake.ErrAway, err)
}

// isAway reports whether an error is of a network, or of a server that cannot answer now. The SDKs have asked several times.
func isAway(err error) bool {
	if errors.Is(err, context.Canceled) {
		return false
	}
	const serverError = 500 // and above
	var answered interface{ HTTPStatusCode() int }
	if errors.As(err, &answered) && answered.HTTPStatusCode() >= serverError {
		return true
	}
	switch gcerrors.Code(err) {
	case gcerrors.DeadlineExceeded, gcerrors.ResourceExhausted:
		return true
	}
	return errors.As(err, new(net.Error)) || errors.Is(err, context.DeadlineExceeded)
}
