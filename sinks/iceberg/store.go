//go:build fleet

package iceberg

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"

	iceio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/io/gocloud/blobfs"
	"gocloud.dev/blob"

	"github.com/apache/iceberg-go/catalog"

	"backhaul/schemas"
	"backhaul/sinks/lake"
)

// Store is a warehouse in an object store. It is safe for concurrent use. Use Open to make one.
type Store struct {
	at      address
	bucket  *blob.Bucket
	catalog catalog.Catalog
	changed atomic.Bool
}

// Open opens the warehouse at an address. Close it when it is no longer used.
func Open(ctx context.Context, text string, from Catalog) (*Store, error) {
	at, err := parseAddress(text)
	if err != nil {
		return nil, err
	}
	bucket, err := at.open(ctx)
	if err != nil {
		return nil, err
	}
	s, err := in(ctx, at, bucket, from)
	if err != nil {
		return nil, errors.Join(err, bucket.Close())
	}
	return s, nil
}

// in is the warehouse in a bucket that is open.
func in(ctx context.Context, at address, bucket *blob.Bucket, from Catalog) (*Store, error) {
	s := &Store{at: at, bucket: bucket}
	open.add(s)
	var err error
	if s.catalog, err = from(ctx, at.base()+"/"+at.prefix); err != nil {
		open.remove(s)
		return nil, fmt.Errorf("open the Iceberg catalog: %w", err)
	}
	return s, nil
}

// Name is where the warehouse is, without options.
func (s *Store) Name() string { return s.at.name() }

// Changed reports whether a table was changed through this value.
func (s *Store) Changed() bool { return s.changed.Load() }

// Put makes a content the object of a name below the prefix, in the place of what was there: what is written for people, and not a table.
func (s *Store) Put(ctx context.Context, name, contentType string, content io.Reader) error {
	if err := s.bucket.Upload(ctx, s.at.key(name), content, &blob.WriterOptions{ContentType: contentType}); err != nil {
		return fmt.Errorf("write %s/%s: %w", s.at.name(), name, err)
	}
	return nil
}

// Close closes the bucket.
func (s *Store) Close() error {
	open.remove(s)
	if c, ok := s.catalog.(catalog.Closer); ok {
		return errors.Join(c.Close(), s.bucket.Close())
	}
	return s.bucket.Close()
}

// Fetch is [lake.Origin.Fetch].
func (s *Store) Fetch(ctx context.Context, o lake.Object, to io.Writer) error {
	key, err := s.keyOf(o.Place)
	if err != nil {
		return err
	}
	return s.told(s.bucket.Download(ctx, key, to, nil))
}

// location is where a table is.
func (s *Store) location(t *schemas.Table) string {
	return s.at.base() + "/" + s.at.key("lake/"+t.Schema+"/"+t.Name)
}

// keyOf is the key of what Iceberg's metadata calls by its place.
func (s *Store) keyOf(place string) (string, error) {
	key, ok := strings.CutPrefix(place, s.at.base()+"/")
	if !ok {
		return "", fmt.Errorf("%s is not in %s", place, s.at.base())
	}
	return key, nil
}

// files are the objects as Iceberg reads and writes its metadata.
func (s *Store) files(ctx context.Context) iceio.IO {
	u, _ := url.Parse(s.at.base())
	authority := strings.TrimPrefix(s.at.base(), u.Scheme+"://")
	return blobfs.New(ctx, s.bucket, func(place string) (blobfs.ObjectLocation, error) {
		key, err := s.keyOf(place)
		return blobfs.NewObjectLocation(u.Scheme, authority, key), err
	})
}

// open are the stores of this process. Iceberg finds by the beginning of a place who reads it, so that its metadata comes through the same
// bucket, with the same credentials, as everything else.
var open stores

type stores struct {
	mu  sync.Mutex
	all []*Store
}

func (all *stores) add(s *Store) {
	all.mu.Lock()
	defer all.mu.Unlock()
	all.all = append(all.all, s)
}

func (all *stores) remove(s *Store) {
	all.mu.Lock()
	defer all.mu.Unlock()
	for i, other := range all.all {
		if other == s {
			all.all = append(all.all[:i:i], all.all[i+1:]...)
			return
		}
	}
}

// reader is who reads a place.
func (all *stores) reader(ctx context.Context, place *url.URL, _ map[string]string) (iceio.IO, error) {
	all.mu.Lock()
	defer all.mu.Unlock()
	for _, s := range all.all {
		if strings.HasPrefix(place.String(), s.at.base()+"/") {
			return s.files(ctx), nil
		}
	}
	return nil, fmt.Errorf("%s is in no store that is open", place.Redacted())
}

func init() {
	for _, scheme := range []string{"s3", "gs", "abfss"} {
		iceio.Register(scheme, open.reader)
	}
}
