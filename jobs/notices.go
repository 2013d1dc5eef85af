package jobs

import (
	"math"
	"net/mail"
	"regexp"
	"slices"
	"strings"
)

// The events of a run that a notice can be on.
const (
	EventFailed     = "failed"     // an error ended it: a wrong key, a vendor that is down, damage
	EventStopped    = "stopped"    // a budget, a quota or somebody ended it before its time; it can go on
	EventIncomplete = "incomplete" // it ended, and some of its tasks did not complete, or rows did not fit
	EventBreach     = "breach"     // what was bought is not what the spec expects
	EventRecovered  = "recovered"  // it is complete after one of these
	EventComplete   = "complete"   // it is complete
)

// Events are all of them, the gravest first.
func Events() []string {
	return []string{EventFailed, EventStopped, EventIncomplete, EventBreach, EventRecovered, EventComplete}
}

// Notice says on which events somebody is told of a run, and on which way: exactly one of Webhook, Email and Command is set.
type Notice struct {
	// Place is where the spec defines it.
	Place
	// On are the events.
	On []string
	// After is from which night in a row on a bad state is told. Default 1.
	After   int
	Webhook *Webhook
	Email   *Email
	// Command is a program with its arguments, which gets the notice on its standard input.
	Command []string
}

// Webhook is a URL to post to, which is a secret.
type Webhook struct {
	// URLEnv names the variable with the URL, SecretEnv one with the key that signs what is posted. Default SecretEnv "": unsigned.
	URLEnv, SecretEnv string
	// Format is JSONFormat or SlackFormat.
	Format string
}

// The formats of webhooks.
const (
	JSONFormat  = "json"
	SlackFormat = "slack"
)

// Email is where mail is handed in, and to whom it goes.
type Email struct {
	Host string
	// Port is 465 for TLS from the first byte on, else STARTTLS follows. Default 587.
	Port int
	From string
	To   []string
	// UserEnv and PasswordEnv name the variables with the credentials. Default "": none.
	UserEnv, PasswordEnv string
}

// messageVariable is which variables a notice may name. A spec may come from somebody who must not learn the credentials of its
// run: it cannot have other secrets of the environment sent to a server of its own.
var messageVariable = regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`)

var messageWord = regexp.MustCompile(`HOOK|NOTIFY|SLACK|MAIL|SMTP`)

func (l *loader) notices(n *node) (all []Notice) {
	for _, item := range l.entries(n, "notify", "on: [failed]") {
		all = append(all, l.notice(item))
	}
	return all
}

func (l *loader) notice(n *node) Notice {
	f := l.section(n, "an entry of notify", noticeKeys)
	out := Notice{Place: n.Place, After: 1}
	if on := l.required(n, f, "on", "an entry of notify", "on: [failed, recovered]"); on != nil {
		out.On = l.events(on)
	}
	if after := f["after"].value; after != nil {
		if nights, ok := l.integer(after, "after", 1, maxNights); ok {
			out.After = int(nights)
		}
	}
	out.Webhook, out.Email, out.Command = l.webhook(f["webhook"].value), l.email(f["email"].value), l.command(f["command"].value)
	var ways []field
	for _, way := range noticeWays {
		if f[way].value != nil {
			ways = append(ways, f[way])
		}
	}
	switch {
	case len(ways) > 1:
		l.errorf(ways[1].Place, "an entry of notify has %s and %s: make it two entries", ways[0].key, ways[1].key)
	case n.kind == mapping && len(ways) == 0 && !slices.ContainsFunc(noticeWays, n.has):
		l.errorf(n.Place, "an entry of notify does not say how: add one of %s", join(noticeWays))
	}
	return out
}

// maxNights bounds how long a notice may be held back.
const maxNights = 365

func (l *loader) events(n *node) (on []string) {
	if n.kind == list && len(n.items) == 0 {
		l.errorf(n.Place, "on is an empty list: it takes %s", join(Events()))
	}
	for _, item := range l.strs(n, "an event") {
		if event, ok := l.word(item, "an event", Events()); ok && !slices.Contains(on, event) {
			on = append(on, event)
		}
	}
	return on
}

func (l *loader) webhook(n *node) *Webhook {
	if n == nil {
		return nil
	}
	f := l.section(n, "webhook", webhookKeys)
	out := &Webhook{Format: JSONFormat}
	if v := l.required(n, f, "url_env", "webhook", "url_env: HOOK_URL, the variable with the URL"); v != nil {
		out.URLEnv = l.messageVariable(v, "url_env")
	}
	out.SecretEnv = l.messageVariable(f["secret_env"].value, "secret_env")
	if v := f["format"].value; v != nil {
		out.Format, _ = l.word(v, "format", []string{JSONFormat, SlackFormat})
	}
	return out
}

func (l *loader) email(n *node) *Email {
	if n == nil {
		return nil
	}
	f := l.section(n, "email", emailKeys)
	out := &Email{Port: 587}
	if v := l.required(n, f, "host", "email", "host: smtp.example.com"); v != nil {
		out.Host = l.line(v, "host")
	}
	if v := f["port"].value; v != nil {
		if port, ok := l.integer(v, "port", 1, math.MaxUint16); ok {
			out.Port = int(port)
		}
	}
	if v := l.required(n, f, "from", "email", "from: backhaul@example.com"); v != nil {
		out.From = l.address(v, "from")
	}
	if v := l.required(n, f, "to", "email", "to: [ops@example.com]"); v != nil {
		if v.kind == list && len(v.items) == 0 {
			l.errorf(v.Place, "to is an empty list: name who gets the mail")
		}
		for _, item := range l.strs(v, "to") {
			out.To = append(out.To, l.address(item, "to"))
		}
	}
	out.UserEnv, out.PasswordEnv = l.messageVariable(f["user_env"].value, "user_env"), l.messageVariable(f["password_env"].value, "password_env")
	if (f["user_env"].value == nil) != (f["password_env"].value == nil) {
		l.errorf(n.Place, "email has one of user_env and password_env: give both, or none")
	}
	return out
}

func (l *loader) command(n *node) (argv []string) {
	if n == nil {
		return nil
	}
	if n.kind != list || len(n.items) == 0 {
		l.errorf(n.Place, "command must be a list of a program and its arguments, [mail, -s, backhaul, ops], not %s: no shell reads it", emptyOr(n))
		return nil
	}
	for _, item := range l.strs(n, "a part of command") {
		argv = append(argv, item.text)
	}
	if len(argv) > 0 && strings.TrimSpace(argv[0]) == "" {
		l.errorf(n.Place, "command names no program: its first entry is blank")
	}
	return argv
}

// messageVariable returns the name of a variable that a notice may have sent away.
func (l *loader) messageVariable(n *node, what string) string {
	if n == nil {
		return ""
	}
	name, ok := l.str(n, what)
	switch {
	case !ok:
		return ""
	case !messageVariable.MatchString(name):
		l.errorf(n.Place, "%s is the name of a variable, of A-Z, 0-9 and _: the value itself, which is a secret, does not belong into a spec", what)
	case !messageWord.MatchString(name):
		l.errorf(n.Place, "%s may name only variables meant for messages, whose names have HOOK, NOTIFY, SLACK, MAIL or SMTP in them: no other secret may leave by a spec", what)
	}
	return name
}

// line returns a string of one line that is not blank.
func (l *loader) line(n *node, what string) string {
	s, ok := l.str(n, what)
	if ok && (strings.TrimSpace(s) == "" || strings.ContainsAny(s, "\r\n")) {
		l.errorf(n.Place, "%s must be one line, and not be empty", what)
	}
	return s
}

func (l *loader) address(n *node, what string) string {
	s := l.line(n, what)
	if _, err := mail.ParseAddress(s); err != nil && strings.TrimSpace(s) != "" {
		l.errorf(n.Place, "%s is %q, which is not a mail address", what, shorten(s))
	}
	return s
}
