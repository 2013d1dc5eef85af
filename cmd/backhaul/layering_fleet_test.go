//go:build fleet

package main

func init() { buildFlags = []string{"-tags", "fleet"} }
