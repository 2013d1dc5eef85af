// Package post hands messages to receivers over HTTP, for those that tell others how runs go. It follows no redirect, which would lead
// who knows where, and its errors name no URL, which may be a secret.
package post

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// ErrURL means that a URL cannot be asked.
var ErrURL = errors.New("its URL cannot be asked")

var client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// JSON posts a body with further headers, and returns the HTTP status of the answer. How long it may take is the context's to say.
func JSON(ctx context.Context, to string, headers map[string]string, body []byte) (status int, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return 0, ErrURL
	}
	r.Header.Set("Content-Type", "application/json")
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	answer, err := client.Do(r)
	if err != nil {
		var of *url.Error
		if errors.As(err, &of) {
			err = of.Err // without the URL
		}
		return 0, err
	}
	defer answer.Body.Close()
	_, _ = io.CopyN(io.Discard, answer.Body, 64<<10) // so that the connection can serve again
	return answer.StatusCode, nil
}

// IsLoopback reports whether a host is this machine, to which secrets may go in the clear.
func IsLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
