package main

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"backhaul/pipeline/emulator/ahrefs"
)

func TestTheEnvironmentOfTheEmulatorOpensAhrefs(t *testing.T) {
	t.Parallel()
	e, err := startEmulator(emulatorFlags{listen: "127.0.0.1:0", ahrefs: ahrefs.Options{UnitsLimit: 700}})
	if err != nil {
		t.Fatal(err)
	}
	defer e.close()
	env := e.environment()
	fetch := func(url, key string) (int, string) {
		r, err := http.NewRequest(http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+key)
		got, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer got.Body.Close()
		body, err := io.ReadAll(got.Body)
		if err != nil {
			t.Fatal(err)
		}
		return got.StatusCode, string(body)
	}
	limits := env["BACKHAUL_AHREFS_V3_URL"] + "/subscription-info/limits-and-usage"
	if status, body := fetch(limits, env["AHREFS_API_KEY"]); status != 200 || !strings.Contains(body, `"units_limit_workspace": 700`) {
		t.Errorf("v3: %d %s", status, body)
	}
	if status, _ := fetch(limits, "another"); status != 401 {
		t.Errorf("v3 opens to another key: %d", status)
	}
	if status, body := fetch(env["BACKHAUL_AHREFS_V2_URL"]+"?from=subscription_info&token="+env["AHREFS_V2_TOKEN"], ""); status != 200 || !strings.Contains(body, `{"info": {"rows_left": `) {
		t.Errorf("v2: %d %s", status, body)
	}
}
