// Package fleettest is a Temporal server, for tests: that of Temporal's own program, over a SQLite file. `make cluster` has it from PyPI.
package fleettest
