package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"backhaul/schemas"
	"backhaul/sinks"
	"backhaul/sinks/duckdb"
	"backhaul/sinks/lake"
)

// The variables of a warehouse in an object store.
const (
	cacheVariable   = "BACKHAUL_CACHE"
	catalogVariable = "BACKHAUL_ICEBERG_CATALOG"
	tokenVariable   = "BACKHAUL_ICEBERG_TOKEN"
)

// store is an object store that has the tables of a warehouse.
type store interface {
	lake.Origin
	// Name is its address, without options.
	Name() string
	// Changed reports whether this process has changed a table.
	Changed() bool
	// Put makes a text or a file the object of a name, in the place of what was there.
	Put(ctx context.Context, name, contentType string, content io.Reader) error
	// Collect expires snapshots and removes leftovers of a table.
	Collect(ctx context.Context, t *schemas.Table, keep time.Duration, dry bool) (lake.Collected, error)
	Close() error
}

// isStore reports whether a warehouse is named by the address of an object store.
func isStore(name string) bool { return strings.Contains(name, "://") }

// copyOf returns this host's copy of a warehouse in an object store, brought up to date once for each command.
func (a *app) copyOf(ctx context.Context, address string) (sinks.Warehouse, error) {
	if a.store != nil {
		return a.copied, nil
	}
	if storeScheme(address) == "" {
		return sinks.Warehouse{}, usage("--warehouse %s: want a directory, s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or azblob://CONTAINER/PREFIX", storeName(address))
	}
	if !hasStores {
		return sinks.Warehouse{}, usage("this build keeps warehouses in directories: %s needs backhaul-fleet, which is beside it in every release (`go build -tags fleet`)", storeName(address))
	}
	if a.shared == nil {
		return sinks.Warehouse{}, usage("a warehouse in an object store has tables alone: set %s for its ledger and journals; see `backhaul help lake`", database)
	}
	root, err := a.cache(address)
	if err != nil {
		return sinks.Warehouse{}, err
	}
	s, err := openStore(ctx, a, address)
	if err != nil {
		return sinks.Warehouse{}, err
	}
	a.store, a.copied = s, sinks.Warehouse{Root: root}
	if a.atEnd != nil {
		began := a.now()
		a.atEnd(func() { a.leaveStore(context.WithoutCancel(ctx), began) })
	}
	return a.copied, a.pull(ctx)
}

// cache makes the folder of a warehouse's copy, for this user alone.
func (a *app) cache(address string) (string, error) {
	base, err := a.env(cacheVariable)
	if err != nil {
		return "", err
	}
	if base == "" {
		if base, err = os.UserCacheDir(); err != nil {
			return "", usage("there is no folder for this host's copy of the warehouse: set %s: %v", cacheVariable, err)
		}
		base = filepath.Join(base, "backhaul")
	}
	place, _, _ := strings.Cut(strings.TrimRight(address, "/"), "?")
	sum := sha256.Sum256([]byte(address))
	name := strings.NewReplacer("://", "-", "/", "-").Replace(strings.TrimRight(place, "/")) + "-" + hex.EncodeToString(sum[:6])
	root, err := filepath.Abs(filepath.Join(base, name))
	if err != nil {
		return "", err
	}
	return root, errors.Join(os.MkdirAll(root, 0o700), os.Chmod(root, 0o700))
}

// mostPulls is how many tables are asked about at once.
const mostPulls = 8

// pull brings every table of this host's copy up to date.
func (a *app) pull(ctx context.Context) error {
	l := a.lakeIn(a.copied)
	return pullAll(ctx, l)
}

func pullAll(ctx context.Context, l lake.Lake) error {
	if l.Origin == nil {
		return nil
	}
	all, ctx := errgroup.WithContext(ctx)
	all.SetLimit(mostPulls)
	for _, t := range schemas.All() {
		all.Go(func() error { _, err := l.Pull(ctx, t); return err })
	}
	return all.Wait()
}

// lakeIn is the lake of a warehouse, and of the store that it is a copy of.
func (a *app) lakeIn(w sinks.Warehouse) lake.Lake {
	l := lake.Lake{Disk: a.disk, Warehouse: w}
	if a.store != nil {
		l.Origin = a.store
	}
	return l
}

// noteCopy says that it is this host's copy that is asked.
func (a *app) noteCopy() {
	if a.store != nil {
		fmt.Fprintf(a.stderr, "note: asked of this host's copy of %s, which was brought up to date\n", a.store.Name())
	}
}

// leaveTime is how long it may take to tell others in the store what has changed.
const leaveTime = 2 * time.Minute

// leaveStore puts what people read beside the tables into the store, if this process has changed any, and lets go of it.
func (a *app) leaveStore(ctx context.Context, began time.Time) {
	ctx, cancel := context.WithTimeout(ctx, leaveTime)
	defer cancel()
	var err error
	if a.store.Changed() {
		err = errors.Join(a.putScripts(ctx), a.putReports(ctx, began))
	}
	if err = errors.Join(err, a.store.Close()); err != nil {
		fmt.Fprintln(a.stderr, "warning: what others read beside the tables could not be brought up to date:", err)
	}
}

// scriptTries bounds how often the scripts are rewritten because others have published meanwhile.
const scriptTries = 5

// putScripts writes catalog.sql and marts.sql, which have DuckDB read the files that the tables have now. Whoever is the last to write
// them has seen the tables as they are.
func (a *app) putScripts(ctx context.Context) error {
	tables, marts, err := a.scripts(ctx)
	for try := 0; err == nil && try < scriptTries; try++ {
		err = errors.Join(a.store.Put(ctx, "catalog.sql", "application/sql", strings.NewReader(tables)),
			a.store.Put(ctx, "marts.sql", "application/sql", strings.NewReader(marts)))
		before := tables
		if err == nil {
			tables, marts, err = a.scripts(ctx)
		}
		if before == tables {
			break
		}
	}
	return err
}

// scripts are SQL for DuckDB: the tables as they are now, and what is derived from them.
func (a *app) scripts(ctx context.Context) (tables, marts string, err error) {
	files := map[string][]string{}
	for _, t := range schemas.All() {
		_, objects, err := a.store.State(ctx, t, "")
		if err != nil {
			return "", "", err
		}
		for _, o := range objects {
			files[t.FullName()] = append(files[t.FullName()], o.Place)
		}
	}
	return duckdb.Script(files)
}

// putReports puts the reports that were written since a time into the store.
func (a *app) putReports(ctx context.Context, since time.Time) error {
	entries, err := os.ReadDir(a.copied.Reports())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		info, infoErr := e.Info()
		if infoErr != nil || !info.Mode().IsRegular() || info.ModTime().Before(since.Add(-time.Minute)) {
			continue
		}
		err = errors.Join(err, a.putFile(ctx, "reports/"+e.Name(), filepath.Join(a.copied.Reports(), e.Name())))
	}
	return err
}

func (a *app) putFile(ctx context.Context, name, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return a.store.Put(ctx, name, "text/html; charset=utf-8", f)
}

// storeScheme is the beginning of an address that says which kind of store it is; "" if it is not a known one.
func storeScheme(address string) string {
	scheme, _, _ := strings.Cut(address, "://")
	switch scheme {
	case "s3", "gs", "azblob":
		return scheme
	}
	return ""
}

// storeName is an address without its options.
func storeName(address string) string {
	name, _, _ := strings.Cut(address, "?")
	return name
}
