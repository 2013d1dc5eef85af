//go:build !fleet

package main

import (
	"context"
	"errors"
)

// hasStores reports whether this build has what object stores and Iceberg take, which is larger than all the rest.
const hasStores = false

func openStore(context.Context, *app, string) (store, error) { return nil, errors.ErrUnsupported }
