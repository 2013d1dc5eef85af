package notify

import (
	"context"
	"errors"
	"fmt"

	"github.com/cenkalti/backoff/v5"
	"github.com/wneessen/go-mail"

	"backhaul/jobs/post"
)

// Email hands messages in at a server of outgoing mail.
type Email struct {
	Host string
	// Port 465 is TLS from the first byte on. At any other STARTTLS must follow, but on this machine itself.
	Port           int
	From           string
	To             []string
	User, Password string // default none
}

const implicitTLS = 465

// Name implements Channel.
func (e *Email) Name() string { return fmt.Sprintf("email to %s by %s", e.To[0], e.Host) }

// Send implements Channel.
func (e *Email) Send(ctx context.Context, m Message) error {
	letter, err := e.letter(m)
	if err != nil {
		return backoff.Permanent(err)
	}
	client, err := e.client()
	if err != nil {
		return backoff.Permanent(errors.New("its server cannot be spoken to as the spec says"))
	}
	if err := client.DialAndSendWithContext(ctx, letter); err != nil {
		return plainMail(err)
	}
	return nil
}

func (e *Email) letter(m Message) (*mail.Msg, error) {
	letter := mail.NewMsg()
	if err := letter.From(e.From); err != nil {
		return nil, fmt.Errorf("from %q is not an address", e.From)
	}
	if err := letter.To(e.To...); err != nil {
		return nil, errors.New("to holds something that is not an address")
	}
	letter.Subject(m.Title)
	letter.SetDate()
	letter.SetMessageID()
	letter.SetBodyString(mail.TypeTextPlain, m.Text+"\n")
	return letter, nil
}

func (e *Email) client() (*mail.Client, error) {
	policy, auth := mail.TLSMandatory, mail.SMTPAuthAutoDiscover
	if post.IsLoopback(e.Host) {
		policy, auth = mail.TLSOpportunistic, mail.SMTPAuthPlainNoEnc // it does not leave the machine
	}
	options := []mail.Option{mail.WithTLSPolicy(policy), mail.WithPort(e.Port), mail.WithTimeout(usualTimeout)}
	if e.Port == implicitTLS {
		options = append(options, mail.WithSSL())
	}
	if e.User != "" {
		options = append(options, mail.WithSMTPAuth(auth), mail.WithUsername(e.User), mail.WithPassword(e.Password))
	}
	return mail.NewClient(e.Host, options...)
}

// plainMail says what went wrong without what the server said, which may repeat a user's name or more.
func plainMail(err error) error {
	var sending *mail.SendError
	if errors.As(err, &sending) {
		if sending.IsTemp() {
			return errors.New("its server does not take the mail for now")
		}
		return backoff.Permanent(fmt.Errorf("its server does not take the mail (%v)", sending.Reason))
	}
	return plain(err)
}
