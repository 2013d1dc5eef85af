package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRepliesThatCannotBeReadCanBeLookedAtAndAreNotBoughtAgain(t *testing.T) {
	t.Parallel()
	const strange = `{"answers":[]}`
	s := newListServer(t, listSettings{answer: func(w http.ResponseWriter, _, token string) bool {
		if token != "50" {
			return false
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(strange))
		return true
	}})
	setenv(t, "MOZ_TOKEN", "secret-token")
	setenv(t, "BACKHAUL_MOZ_V2_URL", s.URL)
	dir := t.TempDir()
	w := filepath.Join(dir, "w")
	job := writeFile(t, dir, "job.yaml", "job: strange\nvendors: {moz: {requests_per_second: 1000}}\ntargets: {all: ["+listTarget(1, 120)+"]}\nextracts:\n  - {name: x, endpoint: moz/anchor_text, targets: [all]}\n")
	for range 2 {
		backhaul(t, 3, "run", job, "--warehouse", w, "--date", "2026-11-23")
	}
	if n := s.boughtTwice(); n != 1 {
		t.Errorf("the reply was bought %d times more than once", n)
	}
	text := backhaul(t, 0, "status", "--replies", "--warehouse", w)
	for _, word := range []string{"as reply 1", "open", "200", "t1-120.example"} {
		if !strings.Contains(text, word) {
			t.Errorf("no %q in\n%s", word, text)
		}
	}
	var kept []keptReply
	out := backhaul(t, 0, "status", "--replies", "--json", "--warehouse", w, "strange/2026-11-23")
	if err := json.Unmarshal([]byte(out), &kept); err != nil || len(kept) != 2 || kept[1].SameAs != kept[0].Reply || kept[1].Units != 50 || kept[1].Bytes != int64(len(strange)) || kept[1].Page != 1 {
		t.Errorf("%v: %s", err, out)
	}
	if got := backhaul(t, 0, "status", "strange/2026-11-23", "--reply", "2", "--warehouse", w); got != strange {
		t.Errorf("%q", got)
	}
	file := filepath.Join(dir, "reply")
	backhaul(t, 0, "status", "strange/2026-11-23", "--reply", "1", "-o", file, "--warehouse", w)
	if got, err := os.ReadFile(file); err != nil || string(got) != strange {
		t.Errorf("%q, %v", got, err)
	}
	backhaul(t, 2, "status", "--reply", "1", "--warehouse", w)
	backhaul(t, 1, "status", "strange/2026-11-23", "--reply", "9", "--warehouse", w)
	type sizes struct{ N, Bytes int64 }
	if got := ask[sizes](t, w, "select count(*) as N, sum(bytes)::bigint as Bytes from ops.attempts")[0]; got != (sizes{2, 2 * int64(len(strange))}) {
		t.Errorf("%+v in ops.attempts", got)
	}
}
