// Package fleettest is a Temporal server, for tests: one of Temporal's own over a SQLite file, which `make cluster-temporal` builds.
package fleettest
