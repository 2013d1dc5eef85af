package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/joho/godotenv"
	"github.com/spf13/cobra"

	"backhaul/jobs"
	"backhaul/pipeline/vendors"
)

// The ways to give the value of a variable beside the variable itself.
const (
	inFile    = "_FILE"    // a file that holds it
	byCommand = "_COMMAND" // a command that prints it
)

// database is the variable with the address, and so the password, of a shared ledger.
const database = "BACKHAUL_DATABASE"

// temporalKey is Temporal's key, which is secret; its other variables are not.
const temporalKey = "TEMPORAL_API_KEY"

// temporalVariables are those that say where Temporal is, as its own tools read them. Those of TLS name files.
var temporalVariables = []string{
	"TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE", "TEMPORAL_TLS", "TEMPORAL_TLS_CLIENT_CERT_PATH", "TEMPORAL_TLS_CLIENT_KEY_PATH",
	"TEMPORAL_TLS_SERVER_CA_CERT_PATH", "TEMPORAL_TLS_SERVER_NAME",
}

// configVariable names the file of a configuration where --config does not.
const configVariable = "BACKHAUL_CONFIG"

// paramPrefix is what the variables of all parameters of jobs begin with.
var paramPrefix = jobs.Variable("")

// configFlag gives every command --config, which is applied before any of them reads a variable.
func (a *app) configFlag(root *cobra.Command) {
	root.PersistentFlags().StringVar(&a.configFile, "config", "", "file of variables of one client: warehouse, URLs, where credentials are; see 'backhaul help config' (default $"+configVariable+")")
	before := root.PersistentPreRunE
	root.PersistentPreRunE = func(cmd *cobra.Command, args []string) error {
		if err := a.configure(); err != nil {
			return err
		}
		return before(cmd, args)
	}
}

// configure makes the variables of the configuration those of the environment. What the file says goes before what the
// environment says, and where it names a credential of a surface, no other credential of that surface counts: what one client
// pays for is never bought with the key of another that happens to be set.
func (a *app) configure() error {
	path := a.configFile
	if path == "" {
		path = a.variable(configVariable)
	}
	if path == "" {
		return nil
	}
	set, err := readConfig(path, a.vendors)
	if err != nil {
		return usage("%s: %v", path, err)
	}
	over := map[string]string{}
	for _, name := range hidden(set, a.vendors) {
		over[name] = ""
	}
	maps.Copy(over, set)
	a.put(over)
	return nil
}

// readConfig reads a file of NAME=VALUE lines and refuses what does not belong into one. Paths are made relative to its folder.
func readConfig(path string, r vendors.Registry) (map[string]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, bare(err)
	}
	defer f.Close()
	set, err := godotenv.Parse(f)
	if err != nil {
		return nil, errors.New("want lines of NAME=VALUE, and # before comments") // its own words may repeat a value
	}
	known, secret := configurable(r)
	for name, value := range set {
		switch base, _ := cutWay(name); {
		case slices.Contains(secret, name):
			return nil, fmt.Errorf("%s is a secret, which does not belong into a file of settings: name the file that holds it, %[1]s%[2]s=PATH, or a command that prints it, %[1]s%[3]s=COMMAND", name, inFile, byCommand)
		case strings.HasPrefix(name, paramPrefix):
		case !slices.Contains(known, base):
			return nil, fmt.Errorf("%s is not a variable of this program%s see `backhaul help config`", name, nearest(known, name))
		case strings.HasSuffix(name, inFile), strings.HasSuffix(name, "_PATH"), name == cacheVariable, name == "BACKHAUL_WAREHOUSE" && !isStore(value):
			if !filepath.IsAbs(value) && value != "" {
				set[name] = filepath.Join(filepath.Dir(path), value)
			}
		}
	}
	return set, nil
}

// cutWay returns the variable whose value another one gives.
func cutWay(name string) (base, way string) {
	for _, way := range []string{inFile, byCommand} {
		if base, ok := strings.CutSuffix(name, way); ok {
			return base, way
		}
	}
	return name, ""
}

// configurable are the variables that a configuration may set, by any way, and those of them whose value is secret.
func configurable(r vendors.Registry) (all, secret []string) {
	for _, s := range r {
		all = append(all, s.URL)
		secret = append(secret, slices.Concat(s.Credentials...)...)
	}
	secret = append(secret, database, temporalKey, tokenVariable)
	all = append(all, temporalVariables...)
	slices.Sort(secret)
	secret = slices.Compact(secret) // surfaces of a vendor share some
	return append(append(all, "BACKHAUL_WAREHOUSE", cacheVariable, catalogVariable, allowedCommands), secret...), secret
}

// hidden are the variables of the environment that do not count beside those that a configuration sets: other ways to give the
// same value, and other credentials of the same surface.
func hidden(set map[string]string, r vendors.Registry) []string {
	var names []string
	hide := func(base string) { names = append(names, base, base+inFile, base+byCommand) }
	for name := range set {
		if strings.HasPrefix(name, paramPrefix) {
			continue
		}
		base, _ := cutWay(name)
		hide(base)
		for _, s := range r {
			if all := slices.Concat(s.Credentials...); slices.Contains(all, base) {
				for _, other := range all {
					hide(other)
				}
			}
		}
	}
	return names
}

// configText is what `backhaul help config` says.
func (a *app) configText() string {
	known, secret := configurable(a.vendors)
	var b strings.Builder
	fmt.Fprintf(&b, `A file of settings serves one client, account or machine: --config acme.env, or %s=acme.env.
It holds lines of NAME=VALUE, and comments after #:

  BACKHAUL_WAREHOUSE=/srv/acme/warehouse
  MOZ_TOKEN_FILE=secrets/acme.moz
  AHREFS_API_KEY_COMMAND=pass show acme/ahrefs
  BACKHAUL_PARAM_CLIENT=acme

What the file sets goes before what the environment sets, and flags go before both. Where it names a credential of
a vendor, no other credential of that vendor counts. Paths are relative to the folder of the file. Secrets do not
belong into it: it names the file that holds one, or a command that prints it.

`, configVariable)
	for _, name := range known {
		if slices.Contains(secret, name) {
			name += inFile + ", " + name + byCommand
		}
		fmt.Fprintf(&b, "  %s\n", name)
	}
	fmt.Fprintf(&b, "  %s…, the parameters of jobs\n", paramPrefix)
	return b.String()
}
