package main

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestALargeArchiveIsImportedExactly imports replies of 1,000 anchors each, as a night of API v2 left them behind.
func TestALargeArchiveIsImportedExactly(t *testing.T) {
	t.Parallel()
	const pages, size = 100, 1000
	dir := t.TempDir()
	path := filepath.Join(dir, "anchors_example.com_domain_2025-10-31.ndjson.gz")
	writeArchive(t, path, pages, size)
	w := filepath.Join(dir, "w")
	begin := time.Now()
	backhaul(t, 0, "import", "ahrefs-v2", path, "--warehouse", w)
	took := time.Since(begin)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d rows of %d kB in %s", pages*size, info.Size()>>10, took.Round(time.Millisecond))

	type verdict struct{ Rows, Bad, Pages int64 }
	got := ask[verdict](t, w, `select count(*) as Rows, count(distinct page_seq) as Pages, count(*) filter (where
		anchor <> 'anchor "' || (rank - 1) || '" é' or page_seq <> (rank - 1) // 1000 or links_to_target <> 100000 - (rank - 1) or refpages <> 2 * links_to_target
		or refdomains <> (rank - 1) % 7 or first_seen <> timestamp '2013-08-08 19:04:00' + interval (rank - 1) minute or last_visited is null
		or target <> 'example.com' or scope <> 'domain' or surface <> 'v2' or run_date <> date '2025-10-31' or job <> 'import'
		or extra is not null or is_spam is not null) as Bad from ahrefs.anchors`)
	if len(got) != 1 || got[0] != (verdict{Rows: pages * size, Pages: pages}) {
		t.Errorf("the lake has %+v", got)
	}
	type spent struct{ Units, Pages int64 }
	if got := ask[spent](t, w, `select sum(units)::bigint as Units, sum(pages)::bigint as Pages from ops.tasks`); len(got) != 1 || got[0] != (spent{Pages: pages}) {
		t.Errorf("the account has %+v", got)
	}
}

// writeArchive writes a list of pages*size anchors as replies of API v2, one a line.
func writeArchive(t *testing.T, path string, pages, size int) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	z := gzip.NewWriter(f)
	b := bufio.NewWriter(z)
	first := time.Date(2013, 8, 8, 19, 4, 0, 0, time.UTC)
	for page := range pages {
		b.WriteString(`{"anchors":[`)
		for row := range size {
			i := page*size + row
			if row > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(b, `{"anchor":"anchor \"%d\" é","backlinks":%d,"refpages":%d,"refdomains":%d,"first_seen":"%s","last_visited":"2025-10-30T00:00:00Z"}`,
				i, pages*size-i, 2*(pages*size-i), i%7, first.Add(time.Duration(i)*time.Minute).Format(time.RFC3339))
		}
		b.WriteString("],\"stats\":{\"backlinks\":5000050000,\"refpages\":10000100000}}\n")
	}
	for _, closing := range []func() error{b.Flush, z.Close, f.Close} {
		if err := closing(); err != nil {
			t.Fatal(err)
		}
	}
}
