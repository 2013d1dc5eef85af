package notify

import (
	"bytes"
	"context"
	"os/exec"
	"time"
)

// Command starts a program, without a shell, and hands it the message's JSON on its standard input.
type Command struct {
	Argv []string
	// Environ is all the program's environment, NAME=VALUE: it gets no credentials of the run.
	Environ []string
}

// Name implements Channel. Arguments may be whatever; the program tells.
func (c *Command) Name() string { return "command " + c.Argv[0] }

// Send implements Channel.
func (c *Command) Send(ctx context.Context, m Message) error {
	body, err := m.JSON()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, c.Argv[0], c.Argv[1:]...)
	cmd.Env, cmd.Stdin, cmd.WaitDelay = c.Environ, bytes.NewReader(append(body, '\n')), time.Second
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return plain(ctx.Err())
		}
		return plainCommand(err)
	}
	return nil
}
