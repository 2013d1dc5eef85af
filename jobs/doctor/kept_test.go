package doctor

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"backhaul/sinks"
)

func TestRepliesThatWaitToBeEnteredAreTold(t *testing.T) {
	t.Parallel()
	w, r := sinks.Warehouse{Root: t.TempDir()}, &record{job: "nightly", date: "2026-11-23"}
	dir := w.Kept(r.job, r.date)
	e := &examination{Options: Options{Warehouse: w}}
	if e.kept(r); len(e.findings) != 0 {
		t.Errorf("%+v", e.findings)
	}
	if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, "a.00000000.page.reply"), nil, 0o600), os.WriteFile(filepath.Join(dir, "a.reply.new"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if e.kept(r); len(e.findings) != 1 || e.findings[0].Level != Warn || !strings.HasSuffix(e.findings[0].Text, ": 1 answer") {
		t.Errorf("%+v", e.findings)
	}
}
