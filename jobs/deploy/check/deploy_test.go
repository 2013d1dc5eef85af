// Package check reads the recipes of jobs/deploy with the types and parsers of what they are for. It is a module of its own, so
// that the program links none of them.
package check

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/robfig/cron/v3"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

func read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestTheCronJobIsWhatKubernetesKnows(t *testing.T) {
	parts := bytes.Split(read(t, "cronjob.yaml"), []byte("\n---\n"))
	if len(parts) != 2 {
		t.Fatalf("%d documents", len(parts))
	}
	var disk core.PersistentVolumeClaim
	var job batch.CronJob
	for i, into := range []any{&disk, &job} {
		if err := yaml.UnmarshalStrict(parts[i], into); err != nil {
			t.Error(err)
		}
	}
	if disk.APIVersion != "v1" || disk.Kind != "PersistentVolumeClaim" || job.APIVersion != "batch/v1" || job.Kind != "CronJob" {
		t.Errorf("%s %s, %s %s", disk.APIVersion, disk.Kind, job.APIVersion, job.Kind)
	}
	spec := job.Spec.JobTemplate.Spec
	pod := spec.Template.Spec
	if pod.RestartPolicy != core.RestartPolicyNever || len(spec.PodFailurePolicy.Rules) == 0 {
		t.Error("a policy for failures needs restartPolicy Never")
	}
	if codes := spec.PodFailurePolicy.Rules[0].OnExitCodes.Values; slices.Contains(codes, 75) || !slices.Equal(codes, []int32{1, 2, 3, 4, 5}) {
		t.Errorf("what stays as it is: %v", codes)
	}
	if claim := pod.Volumes[0].PersistentVolumeClaim; claim == nil || claim.ClaimName != disk.Name {
		t.Error("the pod does not mount the warehouse's disk")
	}
	for _, mount := range pod.Containers[0].VolumeMounts {
		if !slices.ContainsFunc(pod.Volumes, func(v core.Volume) bool { return v.Name == mount.Name }) {
			t.Errorf("no volume %s", mount.Name)
		}
	}
}

// schedules finds cron's expressions in the files that have one.
var schedules = map[string]*regexp.Regexp{
	"kubernetes/backhaul.yaml": regexp.MustCompile(`(?m)^  schedule: "(.*)"`),
	"cronjob.yaml":             regexp.MustCompile(`(?m)^  schedule: "(.*)"`),
	"airflow_dag.py":           regexp.MustCompile(`schedule="(.*?)"`),
	"dagster_job.py":           regexp.MustCompile(`cron_schedule="(.*?)"`),
	"backhaul.cron":            regexp.MustCompile(`(?m)^([0-9*/,-]+ [0-9*/,-]+ [0-9*/,-]+ [0-9*/,-]+ [0-9*/,-]+) +backhaul +backhaul run `),
}

func TestEveryScheduleIsOne(t *testing.T) {
	for name, pattern := range schedules {
		found := pattern.FindAllSubmatch(read(t, name), -1)
		if len(found) == 0 {
			t.Errorf("%s: no schedule", name)
		}
		for _, m := range found {
			if _, err := cron.ParseStandard(string(m[1])); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	for n, line := range strings.Split(string(read(t, "backhaul.cron")), "\n") {
		assignment := regexp.MustCompile(`^[A-Z_]+=\S`).MatchString(line)
		if line != "" && line[0] != '#' && !assignment && !schedules["backhaul.cron"].MatchString(line) {
			t.Errorf("backhaul.cron:%d: %s", n+1, line)
		}
	}
}

func TestTheImageIsBuiltByWhatDockerKnowsAndNotRunAsRoot(t *testing.T) {
	text, err := parser.Parse(bytes.NewReader(read(t, "Dockerfile")))
	if err != nil {
		t.Fatal(err)
	}
	stages, _, err := instructions.Parse(text.AST, nil)
	if err != nil {
		t.Fatal(err)
	}
	user := "root"
	for _, c := range stages[len(stages)-1].Commands {
		if c, ok := c.(*instructions.UserCommand); ok {
			user = c.User
		}
	}
	if len(stages) != 2 || user != "65532:65532" {
		t.Errorf("%d stages, run as %s", len(stages), user)
	}
	for _, w := range text.Warnings {
		t.Error(w.Short)
	}
}
