package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"backhaul/jobs/notify"
	"backhaul/pipeline/emulator"
)

// office is two people's inboxes, and a vendor who has bad nights.
type office struct {
	t         *testing.T
	warehouse string
	jobs      []string  // specs, in the order of a night
	clock     time.Time // when the night began, and
	began     time.Time // by the machine's clock
	vendor    *emulator.Server
	exhausted *emulator.Server // the same vendor with a quota that is used up

	mu   sync.Mutex
	down bool
	dry  bool     // the quota is used up
	told []string // channel job event, of the night
}

// newOffice unpacks two of the ready-made jobs and has them tell the operator of trouble and the SEO team of good nights and losses.
// With all, it is all of them, and they ask about all their targets.
func newOffice(t *testing.T, first time.Time, all bool) *office {
	dir := t.TempDir()
	o := &office{t: t, warehouse: filepath.Join(dir, "w"), clock: first, began: time.Now()}
	o.vendor = emulator.New(emulator.Options{Clock: o.now})
	o.exhausted = emulator.New(emulator.Options{Clock: o.now, Quota: 1})
	front := httptest.NewServer(http.HandlerFunc(o.answer))
	t.Cleanup(front.Close)
	setenv(t, "BACKHAUL_MOZ_V2_URL", front.URL+"/v2")
	for _, channel := range []string{"operator", "team"} {
		hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { o.hear(channel, r.Body) }))
		t.Cleanup(hook.Close)
		setenv(t, strings.ToUpper(channel)+"_HOOK", hook.URL)
	}
	names := []string{"nightly", "campaign"}
	if all {
		names = append(names, "monitor", "linkgap")
	}
	for _, name := range names {
		path := unpack(t, dir, name)
		spec, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		spec = bytes.Replace(spec, []byte("requests_per_second: 2,"), []byte("requests_per_second: 10000,"), 1)
		spec = append(spec, "\nretry_for: 5s\nnotify:\n"+
			"  - {on: [failed, stopped, incomplete, recovered], webhook: {url_env: OPERATOR_HOOK}}\n"+
			"  - {on: [breach, complete], webhook: {url_env: TEAM_HOOK}}\n"...)
		if !all {
			spec = bytes.Replace(spec, []byte("own:    [acme-outdoor.example]"), []byte("own:    [tiny-tarps.example]"), 1)
			writeFile(t, dir, "rivals.csv", "target,scope\nquietpeak.example,\n")
		}
		o.jobs = append(o.jobs, writeFile(t, dir, filepath.Base(path), string(spec)))
	}
	return o
}

func (o *office) now() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.clock.Add(time.Since(o.began))
}

func (o *office) answer(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	down, dry := o.down, o.dry
	o.mu.Unlock()
	switch {
	case down:
		http.Error(w, "down for maintenance", http.StatusServiceUnavailable)
	case dry:
		o.exhausted.ServeHTTP(w, r)
	default:
		o.vendor.ServeHTTP(w, r)
	}
}

func (o *office) hear(channel string, body io.Reader) {
	var m notify.Message
	if err := json.NewDecoder(body).Decode(&m); err != nil {
		o.t.Error(err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, event := range m.Events {
		o.told = append(o.told, strings.Join([]string{channel, m.Summary.Job, event}, " "))
	}
	if m.Summary.RunDate != o.clock.Format(time.DateOnly) {
		o.t.Errorf("%s of %s was told on %s", m.Title, m.Summary.RunDate, o.clock.Format(time.DateOnly))
	}
}

// night runs the jobs side by side, so often each, as a second timer would, and returns what was told, in the order of the
// alphabet, and how they ended.
func (o *office) night(date time.Time, key string, times int) (told []string, statuses []int, said string) {
	o.mu.Lock()
	o.clock, o.began, o.told = date.Add(3*time.Hour), time.Now(), nil
	o.mu.Unlock()
	setenv(o.t, "MOZ_TOKEN", key)
	var all sync.WaitGroup
	for _, job := range o.jobs {
		all.Go(func() {
			for range times {
				var out bytes.Buffer
				e := inTest(o.t, &out, &out, "run", job, "--yes", "--warehouse", o.warehouse)
				e.now = o.now
				status := Main(context.Background(), e)
				o.mu.Lock()
				statuses, said = append(statuses, status), said+out.String()
				o.mu.Unlock()
			}
		})
	}
	all.Wait()
	slices.Sort(o.told)
	return o.told, statuses, said
}

// lostOn is the night on which the campaign knows of its first lost placement: it takes a second index to be sure.
const lostOn = 5

// TestAMonthOfNightsTellsEveryEventOnce schedules ready-made jobs for nights in accelerated time, some of them bad: the vendor is
// down, the quota is used up, the key is wrong two nights in a row. BACKHAUL_NIGHTS=30 makes it a month, of
// all of them and all their targets.
func TestAMonthOfNightsTellsEveryEventOnce(t *testing.T) {
	t.Parallel()
	first, nights, all := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), 9, os.Getenv(nightsVariable) != ""
	if all {
		nights = 30
	}
	o := newOffice(t, first, all)
	bad := false // how the last night ended
	for n := range nights {
		date := first.AddDate(0, 0, n)
		o.vendor.SetDay(n)
		key, event, status := o.vendor.Options().Token, "", exitComplete
		switch n {
		case 2:
			event, status = "stopped", exitTryLater
		case 4:
			event, status = "stopped", exitBudget
		case 6, 7:
			key, event, status = "no key of theirs", "failed", exitFailed
		}
		o.mu.Lock()
		o.down, o.dry = n == 2, n == 4
		o.mu.Unlock()
		told, statuses, said := o.night(date, key, 1+n%3%2)
		var want []string
		for _, path := range o.jobs {
			job := strings.TrimSuffix(filepath.Base(path), ".yaml")
			switch {
			case event != "" && !bad:
				want = append(want, "operator "+job+" "+event)
			case event == "" && bad:
				want = append(want, "operator "+job+" recovered", "team "+job+" complete")
			case event == "":
				want = append(want, "team "+job+" complete")
			}
			if job == "campaign" && n == lostOn {
				want = append(want, "team campaign breach")
			}
		}
		slices.Sort(want)
		if diff := cmp.Diff(want, told); diff != "" {
			t.Errorf("night %d: %s\n%s", n+1, diff, said)
		}
		if slices.ContainsFunc(statuses, func(s int) bool { return s != status }) {
			t.Errorf("night %d ended with %v, not %d\n%s", n+1, statuses, status, said)
		}
		bad = event != ""
	}
}
