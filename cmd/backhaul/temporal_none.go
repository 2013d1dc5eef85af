//go:build !fleet

package main

import (
	"context"
	"errors"
	"time"
)

// errNoTemporal is said where this build cannot do what is wanted.
var errNoTemporal = &exitError{status: exitUsage, err: errors.New("this program was built without Temporal: use the release file backhaul-fleet, or build it with -tags fleet")}

func (a *app) work(context.Context, []string, workerFlags) error { return errNoTemporal }

func (a *app) schedule(context.Context, string, scheduleFlags) error { return errNoTemporal }

func (a *app) replayByTemporal(context.Context, engineFlags) (replayer, func(), error) {
	return nil, nil, errNoTemporal
}

func (a *app) runByTemporal(context.Context, *loadedJob, time.Time, runFlags) error {
	return errNoTemporal
}
