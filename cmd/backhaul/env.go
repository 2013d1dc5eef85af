package main

import (
	"fmt"
	"os"
	"strings"
)

// env returns the value of a variable, or the content of the file that NAME_FILE names.
func env(name string) (string, error) {
	if value := os.Getenv(name); value != "" {
		return value, nil
	}
	path := os.Getenv(name + "_FILE")
	if path == "" {
		return "", nil
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read %s_FILE: %w", name, err)
	}
	return strings.TrimSpace(string(content)), nil
}

// envs reads several variables at once.
func envs(names ...string) (map[string]string, error) {
	values := map[string]string{}
	for _, name := range names {
		value, err := env(name)
		if err != nil {
			return nil, err
		}
		values[name] = value
	}
	return values, nil
}
