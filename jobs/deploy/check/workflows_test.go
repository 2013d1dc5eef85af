package check

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rhysd/actionlint"
	"sigs.k8s.io/yaml"
)

const root = "../../.."

func workflow(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, ".github", "workflows", name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestTheWorkflowsAreWhatGitHubKnows has actionlint read them: keys, expressions, names of runners, inputs of known actions.
func TestTheWorkflowsAreWhatGitHubKnows(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(root, ".github", "workflows", "*.yml"))
	if err != nil || len(files) < 2 {
		t.Fatal(files, err)
	}
	lint, err := actionlint.NewLinter(io.Discard, &actionlint.LinterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		problems, err := lint.Lint(path, workflow(t, filepath.Base(path)), nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range problems {
			t.Error(p)
		}
	}
}

// runners are those that are of a system and a processor, by GitHub's names.
var runners = map[string]*regexp.Regexp{
	"linux/amd64":  regexp.MustCompile(`^ubuntu-[0-9.]+$`),
	"linux/arm64":  regexp.MustCompile(`^ubuntu-[0-9.]+-arm$`),
	"darwin/amd64": regexp.MustCompile(`^macos-[0-9]+-intel$`),
	"darwin/arm64": regexp.MustCompile(`^macos-[0-9]+$`),
}

// TestAReleaseIsBuiltForEverySystemThatIsPromised holds the matrix against what DuckDB can be linked for.
func TestAReleaseIsBuiltForEverySystemThatIsPromised(t *testing.T) {
	var release struct {
		Jobs map[string]struct {
			Strategy struct {
				Matrix struct {
					Include []struct{ Runner, OS, Arch string }
				}
			}
			Steps []struct{ Run string }
		}
	}
	if err := yaml.Unmarshal(workflow(t, "release.yml"), &release); err != nil {
		t.Fatal(err)
	}
	module, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	var built []string
	for _, m := range release.Jobs["build"].Strategy.Matrix.Include {
		built = append(built, m.OS+"/"+m.Arch)
		if !strings.Contains(string(module), "duckdb-go-bindings/lib/"+m.OS+"-"+m.Arch+" ") {
			t.Errorf("DuckDB's library for %s/%s is not among the modules", m.OS, m.Arch)
		}
		if runner := runners[m.OS+"/"+m.Arch]; runner == nil || !runner.MatchString(m.Runner) {
			t.Errorf("%s/%s is built on %s", m.OS, m.Arch, m.Runner)
		}
	}
	slices.Sort(built)
	if want := []string{"darwin/amd64", "darwin/arm64", "linux/amd64", "linux/arm64"}; !slices.Equal(built, want) {
		t.Errorf("built for %v, want %v", built, want)
	}
	script := false
	for _, s := range release.Jobs["build"].Steps {
		script = script || strings.HasPrefix(s.Run, ".ci/release ")
	}
	if info, err := os.Stat(filepath.Join(root, ".ci", "release")); err != nil || info.Mode()&0o111 == 0 || !script {
		t.Errorf("the script that builds it: %v", err)
	}
}
