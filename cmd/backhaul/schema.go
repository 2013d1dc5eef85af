package main

import (
	"github.com/spf13/cobra"

	"backhaul/jobs"
)

// schemaName is what the JSON Schema of jobs is called where a job refers to it.
const schemaName = "job.schema.json"

func (a *app) schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema job",
		Short: "Print the JSON Schema of a job, for editors",
		Long: `Prints the JSON Schema (draft 2020-12) of a job: every key, every endpoint, every parameter. An editor that knows
it completes and checks while you type; the first line of a job says where it lies:

  # yaml-language-server: $schema=` + schemaName + `

What it cannot say, ` + "`backhaul validate`" + ` does: names that refer to others, files, combinations of parameters.`,
		ValidArgs: []string{"job"},
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 || args[0] != "job" {
				return usage("want `backhaul schema job`; see `%s --help`", cmd.CommandPath())
			}
			return nil
		},
		RunE: func(*cobra.Command, []string) error {
			text, err := jobs.Schema(a.vendors)
			if err != nil {
				return err
			}
			_, err = a.stdout.Write(text)
			return err
		},
	}
}
