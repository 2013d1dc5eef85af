package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/apache/arrow-go/v18/parquet/file"
)

// peers buys the same lists with the program and with those that others would write, and compares the CPU time of the whole
// processes.
func peers(b *bench, dir string) ([]pair, error) {
	const lists, rows = 100, 1000
	spec, list, err := job(dir, "{requests_per_second: 1000000, connections: 8}", targets(lists, rows))
	if err != nil {
		return nil, err
	}
	b.server.begin(0)
	ours, err := b.backhaul(0, "run", spec, "--yes", "--warehouse", filepath.Join(dir, "w"))
	if err != nil {
		return nil, err
	}
	perRow := func(s spent) float64 { return float64(s.cpu.Microseconds()) / (lists * rows) }
	var pairs []pair
	for _, peer := range []struct {
		script string
		rows   func(out string) (int64, error)
	}{{"dlt_pipeline.py", parquetRows}, {"airbyte_source.py", messages}, {"requests_pyarrow.py", parquetRows}} {
		out := filepath.Join(dir, peer.script+".out")
		script := filepath.Join("testdata", "bench", "peers", peer.script)
		theirs, err := finish(b.command(b.peers, []string{script, b.listener.URL, list, out}), 0, nil)
		if err != nil {
			return nil, err
		}
		if n, err := peer.rows(out); err != nil || n != lists*rows {
			return nil, errors.Join(fmt.Errorf("%s has %d rows, want %d", peer.script, n, lists*rows), err)
		}
		pairs = append(pairs, pair{perRow(ours), perRow(theirs)})
	}
	return pairs, nil
}

// parquetRows counts the rows of anchors in a Parquet file, or in those below a folder.
func parquetRows(path string) (rows int64, err error) {
	err = filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(name) == ".jsonl" {
			return err
		}
		f, err := file.OpenParquetFile(name, false)
		if err != nil {
			return nil // dlt's own notes
		}
		defer f.Close()
		if f.MetaData().Schema.ColumnIndexByName("anchor_text") >= 0 {
			rows += f.NumRows()
		}
		return nil
	})
	return rows, err
}

// messages counts the records that a source of Airbyte has handed over.
func messages(path string) (int64, error) {
	text, err := os.ReadFile(path)
	return int64(bytes.Count(text, []byte(`"external_root_domains":`))), err
}
