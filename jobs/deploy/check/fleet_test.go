package check

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	policy "k8s.io/api/policy/v1"
	"sigs.k8s.io/yaml"
)

// stopTime is how long a worker waits for replies that it is paying for (StopTime of jobs/fleet).
const stopTime = 3 * time.Minute

// secretName is what a variable is called that holds a secret itself, and not where it is.
var secretName = regexp.MustCompile(`(PASSWORD|PWD|TOKEN|SECRET|KEY|BACKHAUL_DATABASE)$`)

// composed is compose.yaml as `docker compose config` reads it: against its schema, with every reference resolved.
func composed(t *testing.T) *types.Project {
	t.Helper()
	dir, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	p, err := loader.LoadWithContext(context.Background(), types.ConfigDetails{
		WorkingDir: dir, ConfigFiles: []types.ConfigFile{{Filename: filepath.Join(dir, "compose.yaml"), Content: read(t, "compose.yaml")}},
		Environment: types.Mapping{},
	}, loader.WithProfiles([]string{"*"}))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestTheComposeFileIsWhatComposeKnows(t *testing.T) {
	p := composed(t)
	workers, caches := 0, map[string]string{}
	for name, s := range p.Services {
		for variable, value := range s.Environment {
			if secretName.MatchString(variable) && value != nil {
				t.Errorf("%s: %s is a secret in the file", name, variable)
			}
		}
		for of, how := range s.DependsOn {
			if how.Condition == types.ServiceConditionHealthy && p.Services[of].HealthCheck == nil {
				t.Errorf("%s waits until %s is healthy, which has no health check", name, of)
			}
		}
		if s.Image != "backhaul-fleet" {
			continue
		}
		if s.StopGracePeriod == nil || time.Duration(*s.StopGracePeriod) <= stopTime || !s.ReadOnly || !slices.Contains(s.CapDrop, "ALL") {
			t.Errorf("%s may be killed in the midst of what it pays for, or may do more than it has to", name)
		}
		for _, v := range s.Volumes {
			if v.Target == *s.Environment["BACKHAUL_CACHE"] {
				if other := caches[v.Source]; other != "" || v.Type != types.VolumeTypeVolume {
					t.Errorf("%s keeps replies where %s does, or nowhere that lasts: %s", name, other, v.Source)
				}
				caches[v.Source] = name
			}
		}
		if len(s.Command) > 0 && s.Command[0] == "worker" {
			workers++
		}
	}
	if workers != 2 || len(caches) != 3 {
		t.Errorf("%d workers, folders for replies %v", workers, caches)
	}
}

// manifest is one of Kubernetes' objects, with the pods that it makes.
type manifest struct {
	file, kind, name string
	pod              *core.PodTemplateSpec
	claims           []core.PersistentVolumeClaim
	object           any
}

// manifests reads those of kubernetes/ strictly.
func manifests(t *testing.T) (all []manifest) {
	t.Helper()
	files, err := filepath.Glob("../kubernetes/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		for _, part := range bytes.Split(read(t, filepath.Join("kubernetes", filepath.Base(file))), []byte("\n---\n")) {
			all = append(all, parse(t, filepath.Base(file), part))
		}
	}
	return all
}

func parse(t *testing.T, file string, text []byte) (m manifest) {
	t.Helper()
	var head struct {
		Kind     string
		Metadata struct{ Name string }
	}
	if err := yaml.Unmarshal(text, &head); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	m = manifest{file: file, kind: head.Kind, name: head.Metadata.Name}
	strict := func(into any) {
		m.object = into
		if err := yaml.UnmarshalStrict(text, into); err != nil {
			t.Errorf("%s: %s %s: %v", file, m.kind, m.name, err)
		}
	}
	switch m.kind {
	case "ConfigMap":
		strict(&core.ConfigMap{})
	case "Service":
		strict(&core.Service{})
	case "PodDisruptionBudget":
		strict(&policy.PodDisruptionBudget{})
	case "StatefulSet":
		s := &apps.StatefulSet{}
		strict(s)
		m.pod, m.claims = &s.Spec.Template, s.Spec.VolumeClaimTemplates
	case "Deployment":
		d := &apps.Deployment{}
		strict(d)
		m.pod = &d.Spec.Template
	case "Job":
		j := &batch.Job{}
		strict(j)
		m.pod = &j.Spec.Template
	case "CronJob":
		c := &batch.CronJob{}
		strict(c)
		m.pod = &c.Spec.JobTemplate.Spec.Template
	default:
		t.Errorf("%s: %s %q", file, m.kind, m.name)
	}
	return m
}

func TestPodsMayDoNoMoreThanTheyHaveTo(t *testing.T) {
	for _, m := range manifests(t) {
		if m.pod == nil {
			continue
		}
		spec, as := m.pod.Spec, m.pod.Spec.SecurityContext
		if as == nil || as.RunAsNonRoot == nil || !*as.RunAsNonRoot || as.SeccompProfile == nil || spec.AutomountServiceAccountToken == nil || *spec.AutomountServiceAccountToken || spec.EnableServiceLinks == nil || *spec.EnableServiceLinks {
			t.Errorf("%s: the pod of %s may do more than it has to", m.file, m.name)
		}
		for _, c := range slices.Concat(spec.InitContainers, spec.Containers) {
			own := c.SecurityContext
			if own == nil || own.ReadOnlyRootFilesystem == nil || !*own.ReadOnlyRootFilesystem || own.AllowPrivilegeEscalation == nil || *own.AllowPrivilegeEscalation || own.Capabilities == nil || !slices.Contains(own.Capabilities.Drop, "ALL") {
				t.Errorf("%s: %s may do more than it has to", m.file, c.Name)
			}
			if c.Resources.Requests.Cpu().IsZero() || c.Resources.Requests.Memory().IsZero() || c.Resources.Limits.Memory().IsZero() {
				t.Errorf("%s: %s does not say what it needs", m.file, c.Name)
			}
			for _, e := range c.Env {
				if secretName.MatchString(e.Name) && e.Value != "" {
					t.Errorf("%s: %s is a secret in the file", m.file, e.Name)
				}
			}
			checkMounts(t, m, c)
		}
	}
}

// checkMounts holds the mounts of a container against the volumes of its pod.
func checkMounts(t *testing.T, m manifest, c core.Container) {
	t.Helper()
	for _, mount := range c.VolumeMounts {
		inPod := slices.ContainsFunc(m.pod.Spec.Volumes, func(v core.Volume) bool { return v.Name == mount.Name })
		if !inPod && !slices.ContainsFunc(m.claims, func(v core.PersistentVolumeClaim) bool { return v.Name == mount.Name }) {
			t.Errorf("%s: %s: no volume %s", m.file, c.Name, mount.Name)
		}
	}
}

func TestAWorkerHasADiskOfItsOwnAndTimeToStop(t *testing.T) {
	for _, m := range manifests(t) {
		if m.pod == nil || m.pod.Spec.Containers[0].Name != "backhaul" {
			continue
		}
		if grace := m.pod.Spec.TerminationGracePeriodSeconds; grace == nil || time.Duration(*grace)*time.Second <= stopTime {
			t.Errorf("%s is killed in the midst of what it pays for", m.name)
		}
		set, is := m.object.(*apps.StatefulSet)
		if !is {
			continue
		}
		keeps := set.Spec.PersistentVolumeClaimRetentionPolicy
		if len(m.claims) != 1 || keeps == nil || keeps.WhenScaled != apps.RetainPersistentVolumeClaimRetentionPolicyType || *set.Spec.Replicas < 2 {
			t.Errorf("%s: %d disks, kept as %v", m.name, len(m.claims), keeps)
		}
	}
}

// matches reports whether a pod has the labels.
func matches(want map[string]string, pod *core.PodTemplateSpec) bool {
	for name, value := range want {
		if pod.Labels[name] != value {
			return false
		}
	}
	return len(want) > 0
}

func TestEveryServiceAndBudgetHasItsPods(t *testing.T) {
	all := manifests(t)
	for _, m := range all {
		var want map[string]string
		var ports []core.ServicePort
		switch o := m.object.(type) {
		case *core.Service:
			want, ports = o.Spec.Selector, o.Spec.Ports
		case *policy.PodDisruptionBudget:
			want = o.Spec.Selector.MatchLabels
		case *apps.StatefulSet:
			want = o.Spec.Selector.MatchLabels
		case *apps.Deployment:
			want = o.Spec.Selector.MatchLabels
		default:
			continue
		}
		at := slices.IndexFunc(all, func(of manifest) bool { return of.pod != nil && matches(want, of.pod) })
		if at < 0 {
			t.Errorf("%s: %s %s has no pods", m.file, m.kind, m.name)
			continue
		}
		for _, p := range ports {
			if !slices.ContainsFunc(all[at].pod.Spec.Containers[0].Ports, func(c core.ContainerPort) bool { return c.Name == p.TargetPort.String() }) {
				t.Errorf("%s: nothing listens to %s", m.file, p.TargetPort.String())
			}
		}
	}
}

// TestWhatAManifestRefersToIsMade: the commands at the head of backhaul.yaml make what pods ask for by name.
func TestWhatAManifestRefersToIsMade(t *testing.T) {
	made := map[string]bool{}
	for _, m := range regexp.MustCompile(`kubectl create (?:configmap|secret generic) (\S+)`).FindAllSubmatch(read(t, "kubernetes/backhaul.yaml"), -1) {
		made[string(m[1])] = true
	}
	asked := map[string]bool{}
	all := manifests(t)
	for _, m := range all {
		if m.kind == "ConfigMap" {
			made[m.name] = true
		}
		if m.pod == nil {
			continue
		}
		for _, v := range m.pod.Spec.Volumes {
			if v.Secret != nil {
				asked[v.Secret.SecretName] = true
			}
			if v.ConfigMap != nil {
				asked[v.ConfigMap.Name] = true
			}
			if v.Projected != nil {
				for _, s := range v.Projected.Sources {
					asked[s.Secret.Name] = true
				}
			}
		}
		for _, from := range m.pod.Spec.Containers[0].EnvFrom {
			asked[from.ConfigMapRef.Name] = true
		}
	}
	if !maps.Equal(made, asked) {
		t.Errorf("made: %v, asked for: %v", slices.Sorted(maps.Keys(made)), slices.Sorted(maps.Keys(asked)))
	}
}

// TestBothFleetsAreOne holds the two recipes together: the same images, scripts and settings.
func TestBothFleetsAreOne(t *testing.T) {
	plain := strings.NewReplacer("/run/secrets/", "/credentials/")
	composedScripts, composedSettings := map[string]string{}, map[string]string{}
	for name, s := range composed(t).Services {
		if len(s.Entrypoint) > 0 && s.Entrypoint[0] == "sh" {
			settings := map[string]string{}
			for variable, value := range s.Environment {
				settings[variable] = *value
			}
			composedScripts[fmt.Sprintln(s.Image, plain.Replace(s.Command[0]), settings)] = name
		}
		if name == "worker-1" {
			for variable, value := range s.Environment {
				composedSettings[variable] = plain.Replace(*value)
			}
		}
	}
	seen := 0
	for _, m := range manifests(t) {
		if c, is := m.object.(*core.ConfigMap); is && !maps.Equal(c.Data, composedSettings) {
			t.Errorf("the environment is %v, with compose %v", c.Data, composedSettings)
		}
		if m.pod == nil {
			continue
		}
		for _, c := range slices.Concat(m.pod.Spec.InitContainers, m.pod.Spec.Containers) {
			if len(c.Command) == 0 || c.Command[0] != "sh" {
				continue
			}
			settings := map[string]string{}
			for _, e := range c.Env {
				settings[e.Name] = e.Value
			}
			if seen++; composedScripts[fmt.Sprintln(c.Image, c.Args[0], settings)] == "" {
				t.Errorf("%s: compose.yaml has no such script for %s, or with other settings than %v: %s", m.file, c.Image, settings, c.Args[0])
			}
		}
	}
	if seen != len(composedScripts) {
		t.Errorf("%d scripts, with compose %d", seen, len(composedScripts))
	}
}
