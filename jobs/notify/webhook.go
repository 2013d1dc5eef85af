package notify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/cenkalti/backoff/v5"

	"backhaul/jobs/post"
)

// Signature is the header with sha256= and the HMAC of the body, in hexadecimal.
const Signature = "X-Backhaul-Signature"

// Webhook posts messages to a URL.
type Webhook struct {
	// Label names it in place of its URL, which is a secret: the variable that the URL comes from.
	Label string
	URL   string
	// Secret is the key that bodies are signed with. Default "": they are not.
	Secret string
	// Slack: the body is a message for Slack; else the message's JSON.
	Slack bool
}

// NewWebhook returns the webhook, or says what is wrong with its URL: it is https, or of this machine.
func NewWebhook(w Webhook) (*Webhook, error) {
	u, err := url.Parse(w.URL)
	switch {
	case w.URL == "":
		return nil, fmt.Errorf("%s is not set: set it, or %[1]s_FILE, to the URL", w.Label)
	case err != nil || u.Host == "":
		return nil, fmt.Errorf("%s holds no URL like https://hooks.example.com/…", w.Label)
	case u.Scheme != "https" && (u.Scheme != "http" || !post.IsLoopback(u.Hostname())):
		return nil, fmt.Errorf("%s holds a URL that is not https: others could read what is posted", w.Label)
	}
	return &w, nil
}

// Name implements Channel.
func (w *Webhook) Name() string { return "webhook " + w.Label }

// Send implements Channel.
func (w *Webhook) Send(ctx context.Context, m Message) error {
	body, err := w.body(m)
	if err != nil {
		return backoff.Permanent(err)
	}
	headers := map[string]string{"User-Agent": "backhaul", "X-Backhaul-Event": m.Event}
	if w.Secret != "" {
		headers[Signature] = "sha256=" + sign(w.Secret, body)
	}
	status, err := post.JSON(ctx, w.URL, headers, body)
	switch {
	case errors.Is(err, post.ErrURL):
		return backoff.Permanent(err)
	case err != nil:
		return plain(err)
	}
	return judge(status)
}

func judge(status int) error {
	switch err := fmt.Errorf("it answered with HTTP status %d", status); {
	case status/100 == 2:
		return nil
	case status/100 == 5, status == http.StatusTooManyRequests, status == http.StatusRequestTimeout:
		return err
	default:
		return backoff.Permanent(err)
	}
}

func (w *Webhook) body(m Message) ([]byte, error) {
	if !w.Slack {
		return m.JSON()
	}
	return json.Marshal(map[string]string{"text": slackText(m)})
}

// slackText escapes what Slack would take for markup: & < > (https://api.slack.com/reference/surfaces/formatting#escaping).
func slackText(m Message) string {
	title, rest, _ := strings.Cut(m.Text, "\n")
	escape := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")
	return strings.TrimSpace("*" + escape.Replace(title) + "*\n" + escape.Replace(rest))
}

func sign(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}
