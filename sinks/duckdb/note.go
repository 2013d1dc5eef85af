package duckdb

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/zeebo/xxh3"

	"backhaul/schemas"
	"backhaul/sinks"
	"backhaul/sinks/blob"
)

// note is what is remembered of the last build, to tell whether another is due. It stands for nothing: without it the
// catalog is built.
type note struct {
	// Columns identify those of all tables.
	Columns string `json:"columns"`
	// Mixed are the tables with files that lack some of them: written by earlier versions.
	Mixed []string `json:"mixed,omitempty"`
	// Declared identifies all statements of the catalog, Size and Changed (in ns) its file.
	Declared string `json:"declared"`
	Size     int64  `json:"size"`
	Changed  int64  `json:"changed"`
}

func notePath(w sinks.Warehouse) string { return filepath.Join(w.Staging(), "catalog.json") }

// readNote returns the note of the last build, or an empty one.
func readNote(w sinks.Warehouse) (n note) {
	text, err := os.ReadFile(notePath(w))
	if err != nil || json.Unmarshal(text, &n) != nil {
		return note{}
	}
	return n
}

// write remembers the build of the catalog that was just published.
func (n note) write(disk blob.FS, staging *blob.Staging, w sinks.Warehouse) error {
	info, err := os.Stat(w.Catalog())
	if err != nil {
		return err
	}
	n.Size, n.Changed = info.Size(), info.ModTime().UnixNano()
	text, err := json.Marshal(n)
	if err != nil {
		return err
	}
	return write(disk, staging.Path("catalog.json"), notePath(w), text)
}

// current reports whether the catalog in place is the one that was built of these declarations, and every table has its
// columns in the lake.
func (n note) current(w sinks.Warehouse, d *declarations) bool {
	if slices.ContainsFunc(schemas.All(), func(t *schemas.Table) bool { return !hasColumns(w, t) }) {
		return false
	}
	info, err := os.Stat(w.Catalog())
	return err == nil && n.Declared == d.hash() && n.Size == info.Size() && n.Changed == info.ModTime().UnixNano()
}

func fingerprint(tables []*schemas.Table) string {
	h := xxh3.New()
	for _, t := range tables {
		_, _ = fmt.Fprintln(h, t.FullName(), t.Fingerprint())
	}
	return fmt.Sprintf("%016x", h.Sum64())
}

// findMixed returns the tables that have files without some of the columns declared today. It opens every file of those that may:
// under the declarations of the last build that is what was mixed then, since what was published after it has all columns.
func (n note) findMixed(ctx context.Context, w sinks.Warehouse, tables []*schemas.Table) ([]string, error) {
	known := n.Columns == fingerprint(tables)
	unsure := slices.DeleteFunc(slices.Clone(tables), func(t *schemas.Table) bool {
		return known && !slices.Contains(n.Mixed, t.FullName()) || !hasRows(w, t)
	})
	if len(unsure) == 0 {
		return nil, nil
	}
	s, err := openSession(ctx)
	if err != nil {
		return nil, err
	}
	defer s.close()
	var mixed []string
	for _, t := range unsure {
		lacks, err := s.lacks(ctx, w, t)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case lacks && err == nil: // a file that cannot be read is told of by whoever reads it
			mixed = append(mixed, t.FullName())
		}
	}
	return mixed, nil
}

// lacks reports whether a file of the table has not all of its columns.
func (s *session) lacks(ctx context.Context, w sinks.Warehouse, t *schemas.Table) (bool, error) {
	names := make([]string, len(t.Columns()))
	for i, c := range t.Columns() {
		names[i] = quote(c.Name)
	}
	query := fmt.Sprintf(`SELECT 1 FROM parquet_schema(%s) GROUP BY file_name
		HAVING count(DISTINCT name) FILTER (name IN (%s)) < %d LIMIT 1`, quote(escapePattern.Replace(w.Table(t.Schema, t.Name))+allFiles),
		strings.Join(names, ", "), len(names))
	var rows [][]any
	err := again(ctx, func() (err error) {
		_, rows, err = s.rows(ctx, query)
		return err
	})
	return len(rows) > 0, err
}

// hasColumns reports whether the table has its file without rows.
func hasColumns(w sinks.Warehouse, t *schemas.Table) bool {
	entries, err := os.ReadDir(w.SchemaMonth(t.Schema, t.Name))
	return err == nil && len(entries) > 0
}

// hasRows reports whether the table may have files beside the one without rows, whose columns are today's.
func hasRows(w sinks.Warehouse, t *schemas.Table) bool {
	months, err := os.ReadDir(w.Table(t.Schema, t.Name))
	return err == nil && (len(months) > 1 || len(months) == 1 && !hasColumns(w, t))
}

// hasFiles reports whether the table has a file in the lake, be it one without rows. One that has is not looked through.
func hasFiles(w sinks.Warehouse, t *schemas.Table) bool {
	if hasColumns(w, t) {
		return true
	}
	found, err := filepath.Glob(filepath.Join(globEscape.Replace(w.Table(t.Schema, t.Name)), "month=*", "*.parquet"))
	return err == nil && len(found) > 0
}

// globEscape quotes what Go takes for a pattern.
var globEscape = strings.NewReplacer(`\`, `\\`, "[", `\[`, "*", `\*`, "?", `\?`)
