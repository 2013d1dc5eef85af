package notify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os/exec"
	"syscall"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Channel is a way to tell somebody. Send makes one try, which ends with ctx; an error that trying again would not mend is
// permanent (backoff.Permanent). No error repeats a secret, or what the other side said.
type Channel interface {
	// Name says which it is, without secrets.
	Name() string
	Send(ctx context.Context, m Message) error
}

// Delivery is how patient one is with a channel.
type Delivery struct {
	// Timeout bounds each try. Default 10 s.
	Timeout time.Duration
	// Wait is how long to wait between tries, to begin with; it grows. Default 1 s.
	Wait time.Duration
}

const usualTimeout = 10 * time.Second

// tries is how often a message is handed over at most.
const tries = 3

// Send hands a message over, in up to three tries.
func (d Delivery) Send(ctx context.Context, c Channel, m Message) error {
	timeout, wait := d.Timeout, backoff.NewExponentialBackOff()
	if timeout == 0 {
		timeout = usualTimeout
	}
	if wait.InitialInterval = time.Second; d.Wait != 0 {
		wait.InitialInterval = d.Wait
	}
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		return struct{}{}, c.Send(ctx, m)
	}, backoff.WithBackOff(wait), backoff.WithMaxTries(tries))
	var last *backoff.PermanentError
	if errors.As(err, &last) {
		err = last.Err
	}
	return err
}

// plain says what went wrong in words of its own: errors of the network name hosts and URLs, which are secrets.
func plain(err error) error {
	var timeout net.Error
	var unknown *net.DNSError
	var untrusted *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return errors.New("it did not answer in time")
	case errors.Is(err, context.Canceled):
		return errors.New("it was interrupted")
	case errors.As(err, &unknown):
		return errors.New("the name of its host is not known")
	case errors.Is(err, syscall.ECONNREFUSED):
		return errors.New("it refuses the connection")
	case errors.As(err, &untrusted), errors.As(err, &authority):
		return errors.New("its certificate is not trusted")
	}
	return errors.New("the connection failed")
}

// plainCommand does so for a program.
func plainCommand(err error) error {
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return fmt.Errorf("it ended with %v; what it said is not repeated here", exit.ProcessState)
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return backoff.Permanent(errors.New("there is no such program"))
	case errors.Is(err, fs.ErrPermission):
		return backoff.Permanent(errors.New("the program may not be executed"))
	}
	return errors.New("it could not be run")
}
