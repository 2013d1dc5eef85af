package main

import (
	"bytes"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestATableOnATerminalFitsItAndSaysWhereItIsCut(t *testing.T) {
	s := newListServer(t, listSettings{})
	setenv(t, "MOZ_TOKEN", "secret-token")
	setenv(t, "BACKHAUL_MOZ_V2_URL", s.URL)
	dir := t.TempDir()
	job := writeFile(t, dir, "wide.yaml", "job: wide\nvendors: {moz: {requests_per_second: 1000}}\ntargets: {all: ["+listTarget(1, 60)+"]}\nextracts: [{name: anchors, endpoint: moz/anchor_text, targets: [all]}]\n")
	warehouse := filepath.Join(dir, "w")
	var said bytes.Buffer
	if status := Main(t.Context(), inTest(t, io.Discard, &said, "run", job, "--warehouse", warehouse, "--date", wardDate)); status != exitComplete {
		t.Fatalf("exit %d, %s", status, said.String())
	}
	const sql, wide = "from moz.anchor_text, range(20)", 160
	screen, seen := terminal(t)
	status := Main(t.Context(), inTest(t, screen, &said, "query", sql, "--warehouse", warehouse))
	text := seen()
	if status != exitComplete || !strings.Contains(text, "─ 1000 of 1000 ─") || !strings.Contains(text, "the first 1000 rows, and there are more") {
		t.Errorf("exit %d, %s, %.2000s", status, said.String(), text)
	}
	for line := range strings.Lines(text) {
		if utf8.RuneCountInString(strings.TrimRight(line, "\r\n")) > wide {
			t.Fatalf("too wide: %s", line)
		}
	}
	var all bytes.Buffer
	if status := Main(t.Context(), inTest(t, &all, &said, "query", sql, "--warehouse", warehouse)); status != exitComplete || !strings.HasSuffix(all.String(), "\n1200 rows\n") {
		t.Errorf("exit %d where there is no terminal: %.200s", status, all.String())
	}
}
