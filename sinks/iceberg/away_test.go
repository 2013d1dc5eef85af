//go:build fleet

package iceberg

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	icesql "github.com/apache/iceberg-go/catalog/sql"

	"backhaul/sinks/lake"
)

// A store that nobody answers for, or that cannot answer now, is told from one that refuses.
func TestAStoreThatDoesNotAnswerIsToldAsSuch(t *testing.T) {
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1", "AWS_MAX_ATTEMPTS": "1"} {
		t.Setenv(name, value)
	}
	status := http.StatusServiceUnavailable
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	shop := newShop(t)
	store, err := Open(t.Context(), "s3://bucket/acme?endpoint="+server.URL, inDatabase(shop.db, icesql.SQLite))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	fetch := func() error {
		return store.Fetch(t.Context(), lake.Object{Name: "x", Place: "s3://bucket/acme/x"}, new(bytes.Buffer))
	}
	if err := fetch(); !errors.Is(err, lake.ErrAway) {
		t.Errorf("cannot answer now: %v", err)
	}
	status = http.StatusForbidden
	if err := fetch(); err == nil || errors.Is(err, lake.ErrAway) {
		t.Errorf("refuses: %v", err)
	}
	server.Close()
	if err := fetch(); !errors.Is(err, lake.ErrAway) {
		t.Errorf("nobody is there: %v", err)
	}
}
