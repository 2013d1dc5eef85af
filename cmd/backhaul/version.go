package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is the program's own; releases set it with -ldflags "-X main.version=…".
var version = "0.1.0-dev"

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Show the version of the program and of what it is built on",
		Args:  exactly(0, "no argument"),
		RunE: func(*cobra.Command, []string) error {
			if a.json {
				return a.printJSON(versions())
			}
			_, err := fmt.Fprint(a.stdout, versionText())
			return err
		},
	}
}

// versionText is what `version` and --version print.
func versionText() string {
	of := versions()
	return fmt.Sprintf("backhaul %s (%s, arrow-go %s, duckdb-go %s, sqlite %s)\n", version, of["go"], of["arrow-go"], of["duckdb-go"], of["sqlite"])
}

// versions are those of the program and of what it is built on, by name.
func versions() map[string]string {
	all := map[string]string{"backhaul": version, "go": runtime.Version()}
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return all
	}
	for _, d := range build.Deps {
		switch d.Path {
		case "github.com/apache/arrow-go/v18":
			all["arrow-go"] = d.Version
		case "github.com/duckdb/duckdb-go/v2":
			all["duckdb-go"] = d.Version
		case "modernc.org/sqlite":
			all["sqlite"] = d.Version
		}
	}
	return all
}
