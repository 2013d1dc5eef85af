// Package simulation tries whole runs under virtual time, by seed: the engine, its gates, the ledger, the journals and the clients, with
// the emulated vendors and the warehouse of two or three processes, all of them in one. Vendors fail in every way the emulator
// knows, months and budgets turn, clocks jump, disks refuse a write, and processes are interrupted or killed between any two steps,
// and begun again. It is tests and nothing else.
//
// # What is real, and what is not
//
// Everything between a resolved job and the staged rows is the program's own, SQLite files and HTTP included; connections are pipes.
// In place of the lake is a shelf in memory; a few warehouses are loaded into files in the end, for DuckDB to read.
//
// A process is killed by taking the world from it: from that step on no write of its reaches a file, no request the vendor, and its
// locks are let go as it unwinds. What it had committed stays. The test of power loss says what a disk may forget beside that.
//
// # The same seed is the same run
//
// Time moves when everybody waits. Whatever a process does takes a while of its own, drawn from the seed and of odd
// nanoseconds, so hardly ever two are at work in one moment, and what they do has one order: the trace, which two executions of
// a scenario must have alike.
package simulation
