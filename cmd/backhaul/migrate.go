package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"backhaul/jobs/books"
	"backhaul/pipeline/words"
)

func (a *app) migrateCommand() *cobra.Command {
	var toFiles bool
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Move ledger and journals from the warehouse's files into the database, or back",
		Long: `Moves the ledger and the journals of a warehouse into the PostgreSQL database that ` + database + ` names, or with
--to-files back. There must be none where they go, and no process may be at work on any run. All is copied and compared
first, with every page's checksum; then the old ones are put aside under another name, where they can be removed. The lake
stays as it is. See 'backhaul help database'.`,
		Args: exactly(0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.migrate(cmd.Context(), toFiles) },
	}
	cmd.Flags().BoolVar(&toFiles, "to-files", false, "move them from the database into files of the warehouse")
	return cmd
}

func (a *app) migrate(ctx context.Context, toFiles bool) error {
	w, err := a.warehouse(ctx)
	if err != nil {
		return err
	}
	if a.shared == nil {
		return usage("migrate wants %s, the database; see `backhaul help database`", database)
	}
	var from, to books.Movable = books.InFiles(w), a.shared
	if toFiles {
		from, to = to, from
	}
	moved, err := books.Move(ctx, from, to, a.now())
	switch {
	case errors.Is(err, books.ErrOccupied):
		return fmt.Errorf("%w, and books are not merged; name an empty database or warehouse", err)
	case err != nil:
		return err
	}
	if toFiles {
		err = a.disk.Remove(w.Elsewhere())
	} else {
		err = a.leaveNote(w)
	}
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(map[string]any{"journals": moved.Journals, "retired": moved.Retired, "ledger": to.LedgerName(), "aside": moved.Aside})
	}
	after := "from now on every command needs " + database
	if toFiles {
		after = "unset " + database + " from now on"
	}
	_, err = fmt.Fprintf(a.stdout, "moved %s and what remains of %d to %s; the old ones are %s; %s\n", words.Plural(moved.Journals, "journal"), moved.Retired, to.LedgerName(), moved.Aside, after)
	return err
}
