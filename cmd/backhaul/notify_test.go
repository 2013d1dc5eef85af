package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"backhaul/jobs/notify"
)

// hook is a webhook that keeps what it is told.
type hook struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	told   []notify.Message
}

// newHook sets HOOK_URL to a hook; its URL has a secret in it.
func newHook(t *testing.T) *hook {
	h := &hook{status: http.StatusOK}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var m notify.Message
		_ = json.Unmarshal(body, &m)
		h.mu.Lock()
		defer h.mu.Unlock()
		w.WriteHeader(h.status)
		if h.status == http.StatusOK {
			h.told = append(h.told, m)
		}
	}))
	t.Cleanup(h.Close)
	setenv(t, "HOOK_URL", h.URL+"/services/"+hookSecret)
	return h
}

const hookSecret = "h00k-c4n4ry"

// take returns the events of what was told since, "" for nothing, and the last message.
func (h *hook) take() (events string, last notify.Message) {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []string
	for _, m := range h.told {
		all = append(all, strings.Join(m.Events, "+"))
		last = m
	}
	h.told = nil
	return strings.Join(all, " "), last
}

// noticed is the ward's job with a notify.
func noticed(t *testing.T, w *ward, entry string) {
	t.Helper()
	spec, err := os.ReadFile(w.job)
	if err != nil {
		t.Fatal(err)
	}
	w.job = writeFile(t, filepath.Dir(w.job), "noticed.yaml", string(spec)+"notify: ["+entry+"]\n")
}

func TestTheEndOfEveryNightIsToldOnce(t *testing.T) {
	t.Parallel()
	denied := false
	w := watched(t, listSettings{answer: func(out http.ResponseWriter, _, _ string) bool {
		if denied {
			out.WriteHeader(http.StatusForbidden)
		}
		return denied
	}})
	dir := t.TempDir()
	w.warehouse = filepath.Join(dir, "w")
	w.job = writeJob(t, dir, "{requests_per_second: 100000, connections: 4}", []string{listTarget(1, 70), listTarget(2, 50)})
	noticed(t, w, "{on: [failed, stopped, incomplete, recovered], webhook: {url_env: HOOK_URL}}")
	h := newHook(t)
	said := ""
	for i, night := range []struct {
		date   string
		denied bool
		token  string
		hook   int
		exit   int
		want   string
	}{
		{"2026-11-20", false, "secret-token", 200, exitComplete, ""},
		{"2026-11-21", true, "secret-token", 200, exitFailed, "failed"},
		{"2026-11-21", true, "secret-token", 200, exitFailed, ""},
		{"2026-11-22", false, "", 200, exitFailed, ""}, // no credentials, before anything is bought
		{"2026-11-23", false, "secret-token", 404, exitComplete, ""},
		{"2026-11-24", false, "secret-token", 200, exitComplete, "recovered"},
		{"2026-11-25", false, "secret-token", 200, exitComplete, ""},
		{"2026-11-26", false, "", 200, exitFailed, "failed"},
		{"2026-11-99", false, "secret-token", 200, exitUsage, ""},
	} {
		denied, h.status = night.denied, night.hook
		setenv(t, "MOZ_TOKEN", night.token)
		status, text := w.try("run", w.job, "--date", night.date)
		said += text
		got, last := h.take()
		if status != night.exit || got != night.want {
			t.Errorf("run %d: exit %d, want %d; told %q, want %q\n%s", i, status, night.exit, got, night.want, text)
		}
		if got == "failed" && (last.Summary.RunDate != night.date || last.Summary.Job != "measured" || !strings.Contains(last.Summary.Stop, "MOZ_TOKEN")) {
			t.Errorf("run %d: told %+v", i, last)
		}
		if night.hook == 404 {
			_, status := w.try("status")
			if said += status; !strings.Contains(status, "webhook HOOK_URL was not told of recovered") || !strings.Contains(status, "it answered with HTTP status 404") {
				t.Errorf("status says\n%s", status)
			}
		}
	}
	_, status := w.try("status")
	if said += status; strings.Contains(status, "was not told") || strings.Contains(said, hookSecret) {
		t.Errorf("said\n%s", said)
	}
	noSecretIn(t, w.warehouse, hookSecret)
}

func noSecretIn(t *testing.T, dir, secret string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if strings.Contains(string(content), secret) {
			t.Errorf("%s holds the secret", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestEachChannelCanBeTried(t *testing.T) {
	t.Parallel()
	w := newWard(t)
	h := newHook(t)
	program := filepath.Join(t.TempDir(), "tell")
	if err := os.WriteFile(program, []byte("#!/bin/sh\ncat > \"$1\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "out")
	noticed(t, w, "{on: failed, webhook: {url_env: HOOK_URL}}, {on: complete, command: ["+program+", "+out+"]}, {on: failed, webhook: {url_env: OTHER_HOOK}}")
	status, said := w.try("notify", w.job, "--test")
	if status != exitFailed || !strings.Contains(said, "webhook HOOK_URL: sent\n") || !strings.Contains(said, allowedCommands+" does not list it") || !strings.Contains(said, "OTHER_HOOK is not set") {
		t.Errorf("exit %d\n%s", status, said)
	}
	if got, _ := h.take(); got != "test" {
		t.Errorf("told %q", got)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("a program was started that the environment does not allow")
	}
	setenv(t, allowedCommands, "/bin/true"+string(filepath.ListSeparator)+program)
	setenv(t, "OTHER_HOOK", "http://example.com/"+hookSecret)
	if _, said = w.try("notify", w.job, "--test"); !strings.Contains(said, "tell: sent\n") || !strings.Contains(said, "OTHER_HOOK holds a URL that is not https") || strings.Contains(said, hookSecret) {
		t.Error(said)
	}
	if told, err := os.ReadFile(out); err != nil || !strings.Contains(string(told), `"event":"test"`) {
		t.Errorf("%v: %s", err, told)
	}
	if status, said = w.try("notify", w.job); status != exitComplete || !strings.Contains(said, "webhook HOOK_URL on failed") {
		t.Errorf("exit %d\n%s", status, said)
	}
}
