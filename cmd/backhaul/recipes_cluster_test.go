//go:build cluster && fleet && linux

package main

import (
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/jackc/pgx/v5"

	"backhaul/jobs/fleet/fleettest"
	"backhaul/pipeline/postgres/postgrestest"
)

// recipe is what compose.yaml says of its services.
type recipe struct {
	Services map[string]struct {
		Image       string
		Command     []string
		Environment map[string]string
	}
}

// played is compose.yaml as it is carried out here: its secrets in files, and where its services are.
type played struct {
	recipe
	dir      string // of the secrets and the jobs
	database *postgrestest.Server
	places   *strings.Replacer
}

// play writes the secrets of the recipe by its own script, and starts what its workers need.
func play(t *testing.T) *played {
	t.Helper()
	p := &played{dir: t.TempDir(), database: postgrestest.Start(t)}
	text, err := os.ReadFile(filepath.Join(recipesDir, "compose.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &p.recipe); err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile(filepath.Join(recipesDir, "secrets.sh"))
	if err != nil {
		t.Fatal(err)
	}
	_ = p.database.Database(t, "backhaul")
	address := p.database.Address("postgres") // where the tests look for the books
	for _, dir := range []string{"secrets", "jobs"} {
		if err := os.Mkdir(filepath.Join(p.dir, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	writeFile(t, p.dir, "secrets/database", address) // whoever has a server writes this himself
	writeFile(t, p.dir, "secrets/postgres-password", postgrestest.Password)
	cmd := exec.Command("sh", writeFile(t, p.dir, "secrets.sh", string(script)))
	cmd.Stdin = strings.NewReader(environ(t)["MOZ_TOKEN"] + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if got, err := os.ReadFile(filepath.Join(p.dir, "secrets", "database")); err != nil || string(got) != address {
		t.Errorf("the script has written over %q: %v", got, err)
	}
	p.places = strings.NewReplacer("/run/secrets/", filepath.Join(p.dir, "secrets")+"/", "/jobs/", filepath.Join(p.dir, "jobs")+"/", "$$", "$",
		"temporal:7233", fleettest.Start(t).Address, "s3://backhaul/warehouse", filepath.Join(p.dir, "lake"), "/var/cache/backhaul", filepath.Join(p.dir, "cache"))
	return p
}

// databases carries out the script that gives Temporal databases and a user.
func (p *played) databases(t *testing.T) {
	t.Helper()
	address, err := url.Parse(p.database.Address("backhaul"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-ec", p.places.Replace(p.Services["temporal-databases"].Command[0]))
	cmd.Env = append(os.Environ(), "PGHOST="+address.Hostname(), "PGPORT="+address.Port(), "PGUSER=backhaul", "PGDATABASE=backhaul")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// asTemporal is the address of a database for the user whom the script makes.
func (p *played) asTemporal(t *testing.T, database string) string {
	t.Helper()
	password, err := os.ReadFile(filepath.Join(p.dir, "secrets", "temporal-password"))
	if err != nil {
		t.Fatal(err)
	}
	address, err := url.Parse(p.database.Address(database))
	if err != nil {
		t.Fatal(err)
	}
	address.User = url.UserPassword("temporal", string(password))
	return address.String()
}

func TestTheRecipeGivesTemporalDatabasesAndNoSightOfTheBooks(t *testing.T) {
	setenv(t, "MOZ_TOKEN", "of tests")
	p := play(t)
	p.databases(t)
	p.databases(t) // which changes nothing
	for database, open := range map[string]bool{"temporal": true, "temporal_visibility": true, "backhaul": false} {
		conn, err := pgx.Connect(t.Context(), p.asTemporal(t, database))
		if err == nil {
			_, err = conn.Exec(t.Context(), `CREATE TABLE public.own (n int)`)
			_ = conn.Close(t.Context())
		}
		if (err == nil) != open {
			t.Errorf("%s: %v", database, err)
		}
	}
}

// start starts a service of the program with what the recipe says, as a process here; with other words for its command if there are any.
func (p *played) start(t *testing.T, service string, words ...string) *childProcess {
	t.Helper()
	s := p.Services[service]
	for name, value := range s.Environment {
		if setenv(t, name, p.places.Replace(value)); strings.HasSuffix(name, inFile) {
			setenv(t, strings.TrimSuffix(name, inFile), "")
		}
	}
	if len(words) == 0 {
		words = s.Command
	}
	args := make([]string, len(words))
	for i, word := range words {
		args[i] = p.places.Replace(word)
	}
	return startChild(t, args...)
}

// TestTheWorkersOfTheRecipeCarryOutARunByTemporal has compose.yaml's workers and commands do what it says: all but the containers, and
// the store, in whose place is a folder.
func TestTheWorkersOfTheRecipeCarryOutARunByTemporal(t *testing.T) {
	job := workersJob(fleetPerSecond)
	want := byOneProcess(t, job)
	vendor := openAccount(t, 0)
	p := play(t)
	writeFile(t, p.dir, "jobs/nightly.yaml", job)
	setenv(t, leaseVariable, "2s")
	started := 0
	for name, s := range p.Services {
		if len(s.Command) > 0 && s.Command[0] == "worker" {
			started++
			p.start(t, name)
		}
	}
	if started != 2 {
		t.Fatalf("%d workers", started)
	}
	text, err := os.ReadFile(filepath.Join(recipesDir, "compose.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)docker compose run --rm backhaul (.*?)   `).FindAllSubmatch(text, -1) {
		words, when, scheduled := strings.Cut(string(m[1]), " '")
		args := strings.Fields(words)
		if scheduled {
			args = append(args, strings.TrimSuffix(when, "'"))
		}
		if args[0] == "run" {
			args = append(args, "--date", fleetDate)
		}
		if order := p.start(t, "backhaul", args...); order.Wait() != nil {
			t.Fatalf("%v: %s", args, order.text())
		}
	}
	(&workers{database: p.database, vendor: vendor, hosts: []string{filepath.Join(p.dir, "lake")}}).check(t, want, 0)
}
