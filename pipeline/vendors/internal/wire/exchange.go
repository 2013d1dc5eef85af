package wire

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http/httptrace"
	"sync/atomic"

	"backhaul/pipeline"
)

// exchange follows one request, to know afterwards how far it came.
type exchange struct {
	client    *Client
	outer     context.Context // the caller's, as opposed to the one with our own time limit
	connected atomic.Bool
}

func (x *exchange) traced(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { x.connected.Store(true) },
	})
}

// broken explains an exchange that brought no status. From the moment it has a connection the request may have been
// written, read and billed; without one it was not.
func (x *exchange) broken(err error) *pipeline.Error {
	e := &pipeline.Error{Kind: pipeline.Transient, MaybeCharged: x.connected.Load(), Err: x.cause(err)}
	e.Unreachable = !e.MaybeCharged && x.outer.Err() == nil
	what := "no reply from " + x.client.host
	if e.Unreachable {
		what = "cannot reach " + x.client.host
	}
	e.Message = x.client.Text(what + ": " + x.why(err))
	return e
}

// brokenOff explains a 2xx reply that did not arrive whole.
func (x *exchange) brokenOff(status, got int, err error) *pipeline.Error {
	return &pipeline.Error{Kind: pipeline.Transient, Status: status, MaybeCharged: true, Err: x.cause(err),
		Message: x.client.Text(fmt.Sprintf("the reply broke off after %d bytes: %s", got, x.why(err)))}
}

func (x *exchange) why(err error) string {
	var timeout net.Error
	switch {
	case x.outer.Err() != nil:
		return context.Cause(x.outer).Error()
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("not done within %s", x.client.opt.Timeout)
	case errors.As(err, &timeout) && timeout.Timeout():
		return "time out: " + err.Error()
	default:
		return err.Error()
	}
}

// cause is kept for errors.Is, unless its own text would show a secret.
func (x *exchange) cause(err error) error {
	if outer := x.outer.Err(); outer != nil {
		err = outer
	}
	if text := err.Error(); x.client.mask.Replace(text) != text {
		return nil
	}
	return err
}
