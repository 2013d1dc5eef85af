package duckdb

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"backhaul/sinks"
)

// Try opens the catalog and asks nothing. Errors are those of Query.
func Try(ctx context.Context, catalogPath string) error {
	s, err := openCatalog(ctx, catalogPath, 0)
	if err != nil {
		return damage(err)
	}
	return s.close()
}

// viewText is a view that names files.
type viewText struct{ schema, name, sql string }

// views returns the catalog's views over files.
func (s *session) views(ctx context.Context) ([]viewText, error) {
	_, rows, err := s.rows(ctx, `SELECT schema_name, view_name, sql FROM duckdb_views()
		WHERE NOT internal AND database_name = `+quote(catalogName)+` AND contains(sql, 'read_parquet')`)
	if err != nil {
		return nil, err
	}
	views := make([]viewText, len(rows))
	for i, row := range rows {
		views[i] = viewText{row[0].(string), row[1].(string), row[2].(string)}
	}
	return views, nil
}

// moved returns an error if the views read the files of another warehouse than the one the catalog lies in. Their paths are
// absolute: a copy would answer from the original, as long as that is there.
func moved(views []viewText, root string) error {
	for _, v := range views {
		old := rootOf(v.sql, v.schema, v.name)
		if old == "" {
			continue
		}
		if old == root || same(old, root) { // under another name, through a link say
			return nil // catalogs are built whole
		}
		return fmt.Errorf("%w from %s: run `backhaul catalog --warehouse %s`", sinks.ErrMoved, old, root)
	}
	return nil
}

var (
	texts    = regexp.MustCompile(`'(?:[^']|'')*'`)
	unescape = strings.NewReplacer("''", "'", "[[]", "[", "[*]", "*")
)

// rootOf returns the warehouse that a view over a table's files was made for; "" if it names none.
func rootOf(sql, schema, table string) string {
	for _, text := range texts.FindAllString(sql, -1) {
		path := unescape.Replace(text[1 : len(text)-1])
		for _, dir := range []string{"versions", "lake"} {
			middle := filepath.Join(string(filepath.Separator), dir, schema, table) + string(filepath.Separator)
			if i := strings.LastIndex(path, middle); i > 0 {
				return path[:i]
			}
		}
	}
	return ""
}

func same(a, b string) bool {
	one, err := os.Stat(a)
	if err != nil {
		return false
	}
	other, err := os.Stat(b)
	return err == nil && os.SameFile(one, other)
}
