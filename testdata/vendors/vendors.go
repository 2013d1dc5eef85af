// Package vendors holds what the vendors were seen to answer, cut to what the tests assert. It is for tests alone: see README.md
// for where each file comes from.
package vendors

import (
	"embed"
	"encoding/json"
	"testing"
)

//go:embed moz ahrefs
var files embed.FS

// Read returns a file by its name in this folder: "moz/v2_links.json". A file that is not there fails the test.
func Read(t testing.TB, name string) []byte {
	t.Helper()
	content, err := files.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// Decode reads a JSON file into a value.
func Decode(t testing.TB, name string, into any) {
	t.Helper()
	if err := json.Unmarshal(Read(t, name), into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}
