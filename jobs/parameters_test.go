package jobs

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const forClients = `
job: nightly-${client}
parameters:
  client: {}
  rows: {default: 5, same_run: true}
  kind: {default: page, same_run: true}
targets: {own: ["www.${client}.example"]}
extracts:
  - name: x
    endpoint: moz/links
    targets: [own]
    max_rows: ${rows}
    params: {target_scope: "${kind}", anchor_text: "$${client} of ${client}", limit: "${rows}"}
`

// loadGiven loads a spec from the disk with the parameters that are given.
func loadGiven(t *testing.T, spec string, given Parameters) (*Spec, []Problem) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "job.yaml")
	if err := os.WriteFile(file, []byte(spec), 0o600); err != nil {
		t.Fatal(err)
	}
	s, found := Load(file, fake, Access{Parameters: given})
	for i := range found {
		found[i].File = "job.yaml"
	}
	return s, found
}

func set(pairs ...string) Parameters {
	p := Parameters{Set: map[string]string{}}
	for i := 0; i+1 < len(pairs); i += 2 {
		p.Set[pairs[i]] = pairs[i+1]
	}
	return p
}

func TestOneSpecServesManyClients(t *testing.T) {
	s, found := loadGiven(t, forClients, set("client", "acme"))
	if len(found) != 0 {
		t.Fatal(lines(found))
	}
	x := s.Extracts[0]
	if s.Job != "nightly-acme" || x.MaxRows != 5 || x.Limit != 5 {
		t.Errorf("%s %d %d", s.Job, x.MaxRows, x.Limit)
	}
	wantTasks(t, s, `x www.acme.example page {"anchor_text":"${client} of acme","target_scope":"page"}`)
	other, found := loadGiven(t, forClients, set("client", "bolt", "rows", "7", "kind", "root_domain"))
	if len(found) != 0 {
		t.Fatal(lines(found))
	}
	if x := other.Extracts[0]; other.Job != "nightly-bolt" || x.MaxRows != 7 || x.Scope != "root_domain" || other.Hash == s.Hash {
		t.Errorf("%s %d %s", other.Job, x.MaxRows, x.Scope)
	}
	if err := bySchema(forClients); err != nil {
		t.Error(err)
	}
	again, _ := loadGiven(t, forClients, set("client", "acme"))
	if again.Hash != s.Hash {
		t.Error("the same values have two hashes")
	}
}

func TestTheSurroundingsAreAskedForWhatIsDeclaredAlone(t *testing.T) {
	var asked []string
	ambient := func(name string) (string, error) {
		asked = append(asked, name)
		return map[string]string{"client": "fromenv", "rows": "9"}[name], nil
	}
	s, found := loadGiven(t, forClients, Parameters{Set: map[string]string{"rows": "3"}, Ambient: ambient})
	if len(found) != 0 || s.Job != "nightly-fromenv" || s.Extracts[0].MaxRows != 3 {
		t.Error(lines(found), s)
	}
	if got := strings.Join(asked, " "); got != "client kind" {
		t.Errorf("asked for %s", got)
	}
	_, found = loadGiven(t, forClients, Parameters{Ambient: func(string) (string, error) { return "", errors.New("it is a secret") }})
	if !strings.Contains(lines(found), `4:3: parameter "client": it is a secret`) {
		t.Error(lines(found))
	}
}

func TestMistakesInParametersAreTold(t *testing.T) {
	apart := strings.Replace(forClients, "nightly-${client}", "nightly", 1)
	for _, c := range []struct {
		spec  string
		given Parameters
		want  string
	}{
		{forClients, set(), `job.yaml:4:3: parameter "client" has no value: set it with --set client=VALUE, or with BACKHAUL_PARAM_CLIENT in the environment, or give it a default`},
		{forClients, set("client", "acme", "clint", "x"), `job.yaml:2:1: --set clint: the spec declares no such parameter; did you mean "client"? it declares: client, kind, rows`},
		{apart, set("client", "acme"), `job.yaml:4:3: parameter "client" is not in the job's name, so runs of two values on one date would be one run: write job: NAME-${client}, or same_run: true here if another value is to edit the run`},
		{strings.Replace(apart, "client: {}", "client: {default: acme}", 1), set("client", "acme"), ""},
		{strings.Replace(apart, "client: {}", "client: {default: acme}", 1), set("client", "bolt"), `job.yaml:4:3: parameter "client" is not in the job's name`},
		{forClients, set("client", "Acme Inc"), `job.yaml:2:6: job "nightly-Acme Inc" may hold only a-z, 0-9 and -, and not be empty`},
		{forClients, set("client", "acme", "rows", "many"), `job.yaml:12:15: max_rows is "many"; it must be a whole number of at least 1 in plain digits`},
		{forClients, set("client", "a\nb"), `job.yaml:4:3: the value set for parameter "client" must be one line of text, of at most 64 KiB`},
		{strings.Replace(forClients, "max_rows: ${rows}", "max_rows: ${row}", 1), set("client", "acme"), `job.yaml:12:15: ${row} names no parameter of the job; did you mean "rows"? declare it under parameters, or write $${row} for the text itself; there are: client, kind, rows`},
		{strings.Replace(minimal(), "job: j", "job: j-${x}", 1), set(), `job.yaml:1:6: ${x} names no parameter of the job; declare it under parameters, or write $${x} for the text itself; there are: nothing`},
		{minimal() + "parameters: {moz_token: {default: x}}\n", set(), `job.yaml:8:14: parameter "moz_token" sounds like a secret`},
	} {
		s, found := loadGiven(t, c.spec, c.given)
		if got := lines(found); (s == nil) == (c.want == "") || !strings.HasPrefix(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%v: %s\nwant %s", c.given.Set, got, c.want)
		}
	}
}

func TestAValueIsPutInOnceAndNotReadAgain(t *testing.T) {
	spec := `
job: j-${a}
parameters: {a: {default: "x"}, text: {default: "${a} $${a}", same_run: true}}
targets: {own: [a.example]}
extracts:
  - {name: x, endpoint: moz/links, targets: own, params: &p {anchor_text: "${text}"}}
  - {name: y, endpoint: moz/links, targets: own, params: *p}
`
	wantTasks(t, mustLoad(t, spec),
		`x a.example page {"anchor_text":"${a} $${a}","target_scope":"page"}`,
		`y a.example page {"anchor_text":"${a} $${a}","target_scope":"page"}`)
}
