// Package postgrestest starts PostgreSQL servers for tests, of the binaries that the machine has, in directories of their own, on
// Linux. Tests that use it have the build tag cluster: `make cluster` runs them.
package postgrestest
