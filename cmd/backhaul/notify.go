package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"github.com/spf13/cobra"

	"backhaul/jobs"
	"backhaul/jobs/books"
	"backhaul/jobs/notify"
	"backhaul/jobs/report"
	"backhaul/pipeline/words"
	"backhaul/sinks"
	"backhaul/sinks/blob"
	"backhaul/sinks/duckdb"
)

// allowedCommands is the variable that lists the programs which the notices of jobs may start, separated as in PATH.
const allowedCommands = "BACKHAUL_ALLOW_COMMANDS"

// tellTime bounds what telling may take of a run's time, whatever its channels do.
const tellTime = 2 * time.Minute

func (a *app) notifyCommand() *cobra.Command {
	var test bool
	cmd := &cobra.Command{
		Use:   "notify JOB",
		Short: "Show whom a job tells how its runs end; --test sends each a message",
		Long: `Shows the channels of a job's notify, and what could not be delivered. With --test every channel gets a message
that says it is a test; the status is 1 if one of them does not.

URLs of webhooks, keys and passwords come from the variables that the spec names, or from files that X_FILE names.
A program is started only if ` + allowedCommands + ` lists it, as the spec spells it, separated as in PATH; it gets none
of the credentials. A notice that cannot be delivered fails no run: it is tried again at the end of the next one.`,
		Args: exactly(1, "one job file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			job, err := a.loadJob(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if len(job.Notices) == 0 {
				return usage("job %s has no notify: see `backhaul help job`", job.Job)
			}
			if test {
				return a.testNotices(cmd.Context(), job)
			}
			return a.showNotices(cmd.Context(), job)
		},
	}
	cmd.Flags().BoolVar(&test, "test", false, "send every channel a message")
	a.specFlags(cmd)
	return cmd
}

// broken is a channel that cannot be used, and why.
type broken struct {
	name string
	err  error
}

func (b broken) Name() string                               { return b.name }
func (b broken) Send(context.Context, notify.Message) error { return b.err }

// rules are the job's notices with their channels, secrets filled in. A channel that lacks something fails when it is used.
func (a *app) rules(job *loadedJob) []notify.Rule {
	rules := make([]notify.Rule, len(job.Notices))
	for i, n := range job.Notices {
		rules[i] = notify.Rule{On: n.On, After: n.After, Channel: a.channel(n)}
	}
	return rules
}

func (a *app) channel(n jobs.Notice) notify.Channel {
	switch {
	case n.Webhook != nil:
		w := notify.Webhook{Label: n.Webhook.URLEnv, Slack: n.Webhook.Format == jobs.SlackFormat}
		err := a.fill(map[string]*string{n.Webhook.URLEnv: &w.URL, n.Webhook.SecretEnv: &w.Secret})
		if err != nil {
			return broken{w.Name(), err}
		}
		hook, err := notify.NewWebhook(w)
		if err != nil {
			return broken{w.Name(), err}
		}
		return hook
	case n.Email != nil:
		e := &notify.Email{Host: n.Email.Host, Port: n.Email.Port, From: n.Email.From, To: n.Email.To}
		if err := a.fill(map[string]*string{n.Email.UserEnv: &e.User, n.Email.PasswordEnv: &e.Password}); err != nil {
			return broken{e.Name(), err}
		}
		return e
	}
	c := &notify.Command{Argv: n.Command, Environ: a.harmless()}
	if !slices.Contains(filepath.SplitList(a.variable(allowedCommands)), n.Command[0]) {
		return broken{c.Name(), fmt.Errorf("%s does not list it: a spec starts no program that the environment does not allow", allowedCommands)}
	}
	return c
}

// fill reads variables, all of which must be set. One without a name is skipped.
func (a *app) fill(values map[string]*string) error {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if name == "" {
			continue
		}
		value, err := a.env(name)
		if err == nil && value == "" {
			err = fmt.Errorf("%s is not set: set it, or %[1]s%s to a file that holds it", name, inFile)
		}
		if err != nil {
			return err
		}
		*values[name] = value
	}
	return nil
}

// harmless is the environment of a program that is to learn no credentials.
func (a *app) harmless() (environ []string) {
	for _, name := range []string{"PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TZ", "TMPDIR"} {
		if value := a.variable(name); value != "" {
			environ = append(environ, name+"="+value)
		}
	}
	return environ
}

func (a *app) testNotices(ctx context.Context, job *loadedJob) error {
	failed := 0
	for _, r := range a.rules(job) {
		m := notify.Message{Event: "test", Events: []string{"test"}, Title: "backhaul: a test of job " + job.Job, Summary: report.Summary{Job: job.Job, State: "test"}}
		m.Text = m.Title + "\nit tells nothing of a run; this channel is told of: " + strings.Join(r.On, ", ")
		text := "sent"
		if err := (notify.Delivery{}).Send(ctx, r.Channel, m); err != nil {
			failed++
			text = "not sent: " + err.Error()
		}
		fmt.Fprintf(a.stdout, "%s: %s\n", r.Channel.Name(), text)
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d channels did not get the test", failed, len(job.Notices))
	}
	return nil
}

func (a *app) showNotices(ctx context.Context, job *loadedJob) error {
	w, err := a.warehouse(ctx)
	if err != nil {
		return err
	}
	memory, err := readMemory(w, job.Job)
	if err != nil {
		return err
	}
	if a.json {
		return a.printJSON(memory)
	}
	for _, r := range a.rules(job) {
		text := r.Key()
		if r.After > 1 {
			text += fmt.Sprintf(", from the %s night in a row on", words.Ordinal(r.After))
		}
		if u, failed := memory.Undelivered[r.Key()]; failed {
			text += "; " + undeliveredText(u)
		}
		fmt.Fprintln(a.stdout, text)
	}
	return nil
}

// tell tells whom the job says how a run of it ended. Nothing that goes wrong here is of the run; it is printed and remembered.
func (a *app) tell(ctx context.Context, job *loadedJob, date time.Time, s report.Summary, runErr error) {
	nothingNew := s.ExitStatus == exitComplete && s.Bought.Pages == 0 && len(s.Files) == 0 // it was complete before
	if len(job.Notices) == 0 || !isEvent(runErr) || runErr == nil && nothingNew {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tellTime)
	defer cancel()
	if s.Job == "" {
		s = report.Summary{Job: job.Job, RunDate: date.Format(time.DateOnly), State: "failed", ExitStatus: ending(ctx, runErr).status, Stop: advise(runErr)}
	} else if exit := (*exitError)(nil); runErr != nil && (!errors.As(runErr, &exit) || exit.err != nil) {
		s.Stop = advise(runErr) // with what to do
	}
	w, err := a.warehouse(ctx)
	if err == nil {
		err = a.tellAll(ctx, w, a.rules(job), s, len(job.Expectations) > 0)
	}
	if err != nil {
		fmt.Fprintln(a.stderr, "warning: nobody was told how the run ended:", err)
	}
}

// isEvent reports whether the end of a run concerns anybody but who started it: not if it was typed wrong, not wanted, or
// another process is at work on it.
func isEvent(err error) bool {
	var exit *exitError
	return !errors.Is(err, books.ErrBusy) && !errors.Is(err, errNotConfirmed) && !(errors.As(err, &exit) && exit.status == exitUsage)
}

// tellAll decides what is due and sends it, while no other run of the job does.
func (a *app) tellAll(ctx context.Context, w sinks.Warehouse, rules []notify.Rule, s report.Summary, expects bool) error {
	path := w.Notices(s.Job)
	if err := a.disk.MkdirAll(filepath.Dir(path)); err != nil {
		return err
	}
	lock := flock.New(path + ".lock")
	if _, err := lock.TryLockContext(ctx, 100*time.Millisecond); err != nil {
		return err
	}
	defer func() { _ = lock.Unlock() }()
	memory, err := readMemory(w, s.Job)
	if err != nil {
		fmt.Fprintf(a.stderr, "warning: what was told before is not known, so it starts over: %v\n", err)
	}
	conditions := notify.Conditions(s, expects)
	due := memory.Decide(rules, s, conditions)
	var changes []notify.Change
	if len(due) > 0 && len(s.Files) > 0 {
		changes = a.changes(ctx, w, s)
	}
	for _, d := range due {
		if err := (notify.Delivery{}).Send(ctx, d.Rule.Channel, notify.Compose(d, s, changes)); err != nil {
			memory.Failed(d, s, a.now(), err)
			fmt.Fprintf(a.stderr, "warning: %s was not told: %v; it is tried again with the next run\n", d.Rule.Channel.Name(), err)
			continue
		}
		memory.Delivered(d, s, conditions)
	}
	return writeMemory(a.disk, path, memory)
}

func readMemory(w sinks.Warehouse, job string) (m notify.Memory, err error) {
	content, err := os.ReadFile(w.Notices(job))
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err == nil {
		if err = json.Unmarshal(content, &m); err != nil {
			return notify.Memory{}, fmt.Errorf("%s: %w", w.Notices(job), err)
		}
	}
	return m, err
}

func writeMemory(disk blob.FS, path string, m notify.Memory) error {
	content, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return writeWhole(disk, path, func(f *blob.File) error {
		_, err := f.Write(append(content, '\n'))
		return err
	})
}

// largest are the largest changes of a night; links are counted by the domain they are from.
const largest = `SELECT what, change, coalesce(target, ''), source, n FROM (
  SELECT 'links' AS what, change, target, coalesce(source_root_domain, '') AS source, count(*) AS n FROM marts.link_changes WHERE job = '%[1]s' AND run_date = DATE '%[2]s' GROUP BY ALL
  UNION ALL
  SELECT 'linking domains', change, target, '', count(*) FROM marts.domain_changes WHERE job = '%[1]s' AND run_date = DATE '%[2]s' GROUP BY ALL
  UNION ALL
  SELECT 'anchor texts', change, target, '', count(*) FROM marts.anchor_changes WHERE job = '%[1]s' AND run_date = DATE '%[2]s' GROUP BY ALL
) ORDER BY n DESC, what, change, target, source LIMIT %[3]d`

// changes are the largest changes of the run's night. A message without them is better than none.
func (a *app) changes(ctx context.Context, w sinks.Warehouse, s report.Summary) (all []notify.Change) {
	_, rows, err := duckdb.Select(ctx, w, fmt.Sprintf(largest, s.Job, s.RunDate, notify.MostChanges))
	if err != nil {
		fmt.Fprintln(a.stderr, "warning: the notices lack what changed:", err)
	}
	for _, row := range rows {
		all = append(all, notify.Change{What: row[0].(string), Change: row[1].(string), Target: row[2].(string), From: row[3].(string), Count: row[4].(int64)})
	}
	return all
}

// nameUndelivered says of runs what nobody was told. The memory of each job is read once.
func nameUndelivered(statuses []report.Status, w sinks.Warehouse) {
	type remembered struct {
		notify.Memory
		err error
	}
	jobs := map[string]remembered{}
	for i := range statuses {
		s := &statuses[i]
		m, known := jobs[s.Job]
		if !known {
			m.Memory, m.err = readMemory(w, s.Job)
			jobs[s.Job] = m
		}
		if m.err != nil {
			s.Undelivered = []string{"what was told of the job is not known: " + m.err.Error()}
		}
		for _, key := range slices.Sorted(maps.Keys(m.Undelivered)) {
			if u := m.Undelivered[key]; u.RunDate == s.RunDate {
				s.Undelivered = append(s.Undelivered, undeliveredText(u))
			}
		}
	}
}

func undeliveredText(u notify.Undelivered) string {
	return fmt.Sprintf("%s was not told of %s (%s UTC): %s", u.Channel, strings.Join(u.Events, " and "), u.At.UTC().Format(time.DateTime), u.Error)
}

func printUndelivered(out io.Writer, statuses []report.Status) error {
	for _, s := range statuses {
		for _, text := range s.Undelivered {
			if _, err := fmt.Fprintf(out, "run of job %s for %s: %s; see `backhaul notify --test`\n", s.Job, s.RunDate, text); err != nil {
				return err
			}
		}
	}
	return nil
}
