package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const canary = "c4n4ry-s3cret-of-acme"

func TestAConfigurationGoesBeforeTheEnvironment(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, dir, "acme.moz", canary+"\n")
	file := writeFile(t, dir, "acme.env", `# the client
BACKHAUL_WAREHOUSE=w
MOZ_TOKEN_FILE=acme.moz
AHREFS_API_KEY_COMMAND="echo from-a-command"
BACKHAUL_MOZ_V2_URL=https://gateway.example/v2
BACKHAUL_PARAM_CLIENT=acme
BACKHAUL_PARAM_LIST_FILE=list.csv
`)
	for name, value := range map[string]string{ // what another client left behind
		"MOZ_TOKEN": "of-another", "MOZ_ACCESS_ID": "of-another", "MOZ_SECRET_KEY": "of-another", "AHREFS_API_KEY_FILE": "/of/another", "BACKHAUL_WAREHOUSE": "/of/another",
		"AHREFS_API_KEY_COMMAND": "", "MOZ_TOKEN_FILE": "", "BACKHAUL_MOZ_V2_URL": "", "BACKHAUL_PARAM_CLIENT": "other", "BACKHAUL_PARAM_LIST_FILE": "", "BACKHAUL_PARAM_LIST": "kept", "AHREFS_V2_TOKEN": "not-named-by-the-file",
	} {
		setenv(t, name, value)
	}
	a := &app{environment: inTest(t, nil, nil), configFile: file}
	if err := a.configure(); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"MOZ_TOKEN": canary, "AHREFS_API_KEY": "from-a-command", "BACKHAUL_WAREHOUSE": filepath.Join(dir, "w"), "MOZ_ACCESS_ID": "", "MOZ_SECRET_KEY": "",
		"BACKHAUL_MOZ_V2_URL": "https://gateway.example/v2", "BACKHAUL_PARAM_CLIENT": "acme", "AHREFS_V2_TOKEN": "not-named-by-the-file",
	} {
		if got, err := a.env(name); got != want || err != nil {
			t.Errorf("%s is %q (%v), want %q", name, got, err, want)
		}
	}
	for name, want := range map[string]string{"client": "acme", "list_file": "list.csv", "list": "kept"} {
		if got, err := a.ambient(name); got != want || err != nil {
			t.Errorf("parameter %s is %q (%v), want %q", name, got, err, want)
		}
	}
	a.warehouseDir = "/flag"
	if w, err := a.warehouse(t.Context()); w.Root != "/flag" || err != nil {
		t.Errorf("a flag does not go first: %v %v", w, err)
	}
}

func TestAConfigurationRefusesSecretsAndWhatItDoesNotKnow(t *testing.T) {
	dir := t.TempDir()
	for content, want := range map[string]string{
		"MOZ_TOKEN=" + canary:           "MOZ_TOKEN is a secret, which does not belong into a file of settings: name the file that holds it, MOZ_TOKEN_FILE=PATH, or a command that prints it, MOZ_TOKEN_COMMAND=COMMAND",
		"BACKHAUL_DATABASE=" + canary:   "BACKHAUL_DATABASE is a secret",
		"MOZ_TOKN_FILE=" + canary:       "MOZ_TOKN_FILE is not a variable of this program",
		"PATH=/tmp":                     "PATH is not a variable of this program",
		"MOZ_TOKEN_FILE " + canary:      "want lines of NAME=VALUE",
		"MOZ_TOKEN_FILE=\"" + canary:    "want lines of NAME=VALUE",
		"BACKHAUL_CONFIG=another":       "BACKHAUL_CONFIG is not a variable of this program",
		"BACKHAUL_FAILPOINT=x.y.z:kill": "BACKHAUL_FAILPOINT is not a variable",
	} {
		status, text := said(t, "status", "--config", writeFile(t, dir, "bad.env", content+"\n"))
		if status != exitUsage || !strings.Contains(text, want) || strings.Contains(text, canary) {
			t.Errorf("%s: exit %d, %s", content, status, text)
		}
	}
	if status, text := said(t, "status", "--config", filepath.Join(dir, "none.env")); status != exitUsage || !strings.Contains(text, "no such file") {
		t.Errorf("exit %d, %s", status, text)
	}
}

func TestACommandPrintsAValueAndNothingElseOfItIsTold(t *testing.T) {
	setenv(t, "MOZ_TOKEN", "")
	setenv(t, "MOZ_TOKEN_FILE", "")
	for command, want := range map[string]string{
		"echo " + canary: "", "printf ' " + canary + " \\n\\n'": "",
		"true": "it is empty: it must print the value", "exit 3": "exit status 3; try it by hand", "echo " + canary + " >&2; exit 1": "exit status 1",
		"echo " + canary + "; echo " + canary: "it has several lines", "echo '\"" + canary + "\"'": "it is in quotes: it must print the value alone",
		"yes " + canary + " | head -c 100000": "printed more than 64 KiB", canary: "exit status 127",
	} {
		setenv(t, "MOZ_TOKEN_COMMAND", command)
		got, err := inTest(t, nil, nil).env("MOZ_TOKEN")
		switch {
		case want == "" && (got != canary || err != nil):
			t.Errorf("%s: %q, %v", command, got, err)
		case want != "" && (err == nil || got != "" || !strings.Contains(err.Error(), "MOZ_TOKEN_COMMAND") || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), canary)):
			t.Errorf("%s: %q, %v", command, got, err)
		}
	}
	setenv(t, "MOZ_TOKEN_FILE", writeFile(t, t.TempDir(), "key", "'"+canary+"'\n"))
	if got, err := inTest(t, nil, nil).env("MOZ_TOKEN"); err == nil || got != "" || !strings.Contains(err.Error(), "it is in quotes: it must hold the value alone") || strings.Contains(err.Error(), canary) {
		t.Errorf("%q, %v", got, err)
	}
}

func TestAURLThatLostItsPathIsToldBeforeAnythingIsAsked(t *testing.T) {
	for _, s := range builtIn {
		lost := strings.TrimSuffix(s.DefaultURL, "/")
		if at := strings.Index(lost[len("https://"):], "/"); at >= 0 {
			lost = lost[:len("https://")+at]
		}
		text, own := withoutPath(s, lost)
		if has := lost != s.DefaultURL; own != has || has && !strings.Contains(text, s.DefaultURL) {
			t.Errorf("%s: %q %v", lost, text, own)
		}
		for _, right := range []string{s.DefaultURL, s.DefaultURL + "/", "", "http://127.0.0.1:1/x"} {
			if text, _ := withoutPath(s, right); text != "" {
				t.Errorf("%s: %s", right, text)
			}
		}
		if text, own := withoutPath(s, "https://gateway.example/"); own || lost != s.DefaultURL && text == "" {
			t.Errorf("a gateway at %s: %q %v", s.URL, text, own)
		}
	}
	setenv(t, "MOZ_TOKEN", canary)
	setenv(t, "BACKHAUL_MOZ_V2_URL", "https://lsapi.seomoz.com")
	dir := t.TempDir()
	job := writeFile(t, dir, "job.yaml", "job: j\ntargets: {own: [example.com]}\nextracts: [{name: x, endpoint: moz/anchor_text, targets: own}]\n")
	status, text := said(t, "run", job, "--warehouse", filepath.Join(dir, "w"))
	if status != exitFailed || !strings.Contains(text, "BACKHAUL_MOZ_V2_URL: the URL of host lsapi.seomoz.com has no path; the vendor's own is https://lsapi.seomoz.com/v2") {
		t.Errorf("exit %d, %s", status, text)
	}
	if _, err := os.Stat(filepath.Join(dir, "w")); err == nil {
		t.Error("a warehouse was made")
	}
}
