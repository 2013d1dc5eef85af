package books

import (
	"os"
	"strings"
	"testing"
	"time"

	"backhaul/sinks"
)

func TestWhoLooksTellsAStoppedProcessFromOneThatWorks(t *testing.T) {
	t.Parallel()
	book, now := InFiles(sinks.Warehouse{Root: t.TempDir()}).Of("nightly", "2026-11-23").(file), time.Now()
	unlock, err := book.Lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	defer book.Sign(now.Add(-time.Hour))()
	signed := func(ago time.Duration) Holder {
		t.Helper()
		if err := os.Chtimes(book.lock(), now.Add(-ago), now.Add(-ago)); err != nil {
			t.Fatal(err)
		}
		return book.Holder(t.Context())
	}
	if h := signed(2 * time.Hour); h.Silent != 0 {
		t.Errorf("a sign of who had the run before: silent for %v", h.Silent)
	}
	if h := signed(time.Minute); h.Silent < time.Minute || !strings.Contains(h.String(), "UTC, without a sign of life for 1m") {
		t.Errorf("silent for %v: %s", h.Silent, h)
	}
	book.Beat(time.Now())
	if h := book.Holder(t.Context()); h.Silent != 0 || strings.Contains(h.String(), "life") {
		t.Errorf("it beats, and is silent for %v: %s", h.Silent, h)
	}
}
