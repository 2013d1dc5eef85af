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
			info := map[string]string{"backhaul": version, "go": runtime.Version()}
			if build, ok := debug.ReadBuildInfo(); ok {
				for _, d := range build.Deps {
					switch d.Path {
					case "github.com/apache/arrow-go/v18":
						info["arrow-go"] = d.Version
					case "github.com/duckdb/duckdb-go/v2":
						info["duckdb-go"] = d.Version
					case "modernc.org/sqlite":
						info["sqlite"] = d.Version
					}
				}
			}
			if a.json {
				return a.printJSON(info)
			}
			_, err := fmt.Fprintf(a.stdout, "backhaul %s (%s, arrow-go %s, duckdb-go %s, sqlite %s)\n",
				version, info["go"], info["arrow-go"], info["duckdb-go"], info["sqlite"])
			return err
		},
	}
}
