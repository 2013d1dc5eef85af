package main

import (
	"errors"
	"slices"
	"strings"

	"backhaul/jobs"
)

// errSecret keeps credentials out of what a job's parameters end up in: names, targets, rows, error messages.
var errSecret = errors.New("its value is a credential of this environment, which would be written into the warehouse and sent to the vendor")

// parameters are what the command line and the environment set of a job's parameters.
func (a *app) parameters() (jobs.Parameters, error) {
	set := map[string]string{}
	for _, text := range a.set {
		name, value, ok := strings.Cut(text, "=")
		switch _, twice := set[name]; {
		case !ok || name == "":
			return jobs.Parameters{}, usage("--set wants NAME=VALUE, for a parameter that the job declares")
		case twice:
			return jobs.Parameters{}, usage("--set %s is given twice: keep one", name)
		case a.isCredential(value):
			return jobs.Parameters{}, usage("--set %s: %v", name, errSecret)
		}
		set[name] = value
	}
	return jobs.Parameters{Set: set, Ambient: a.ambient}, nil
}

// ambient is what the environment says of a parameter: the variable alone, since a parameter is not a secret, and x_file another one.
func (a *app) ambient(name string) (string, error) {
	value := a.variable(jobs.Variable(name))
	if a.isCredential(value) {
		return "", errSecret
	}
	return value, nil
}

// leastSecret is the length from which a credential is looked for within a value; a shorter one may be a common word.
const leastSecret = 8

// isCredential reports whether a value is, or holds, a credential of the environment.
func (a *app) isCredential(value string) bool {
	for _, s := range a.vendors {
		for _, name := range slices.Concat(s.Credentials...) {
			if a.setAs(name) == name+byCommand {
				continue // nobody is asked for a secret only to compare it
			}
			secret, err := a.env(name) // one that cannot be read is told by whoever needs it
			if err == nil && secret != "" && (value == secret || len(secret) >= leastSecret && strings.Contains(value, secret)) {
				return true
			}
		}
	}
	return false
}
