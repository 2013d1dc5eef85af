package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"
)

// askWait is how long a command may take to print a value: a person may have to unlock something.
const askWait = 2 * time.Minute

// printed returns what a command prints. Neither its words nor the command are repeated in an error: they may hold the secret.
func printed(command string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), askWait)
	defer cancel()
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, "sh", "-c", command)
	cmd.Stdout = &capped{&out}
	cmd.WaitDelay = valueWait // for what it has started
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return "", fmt.Errorf("it printed nothing whole for %v", askWait)
	case errors.As(err, &exit):
		return "", fmt.Errorf("%v; try it by hand, since what it says is not repeated here", exit.ProcessState)
	case err != nil:
		return "", fmt.Errorf("sh cannot run it: %w", err)
	case out.Len() > mostValue:
		return "", fmt.Errorf("it printed more than %d KiB", mostValue>>10)
	}
	return oneValue(out.Bytes(), "print")
}

// capped takes everything and keeps little more than a value may have.
type capped struct{ kept *bytes.Buffer }

func (c *capped) Write(p []byte) (int, error) {
	if room := mostValue + 1 - c.kept.Len(); room > 0 {
		c.kept.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}
