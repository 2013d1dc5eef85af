//go:build !linux

package main

// holdMemory does nothing: only Linux bounds a process by what it allocates.
func holdMemory(int64) (release func()) { return func() {} }
