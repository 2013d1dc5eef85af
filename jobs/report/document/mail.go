package document

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/textproto"
	"time"
)

// Mail writes the report as a mail message (RFC 5322, without From and To): its text, and the file attached, since mail programs
// run no script. made is its date, name the file's.
func (r *Report) Mail(w io.Writer, subject, name string, made time.Time) error {
	var text, html bytes.Buffer
	if err := r.Text(&text); err != nil {
		return err
	}
	if err := r.HTML(&html); err != nil {
		return err
	}
	parts := multipart.NewWriter(w)
	if _, err := fmt.Fprintf(w, "Subject: %s\r\nDate: %s\r\nMIME-Version: 1.0\r\nContent-Type: %s\r\n\r\n", mime.QEncoding.Encode("utf-8", oneLine(subject)),
		made.UTC().Format(time.RFC1123Z), mime.FormatMediaType("multipart/mixed", map[string]string{"boundary": parts.Boundary()})); err != nil {
		return err
	}
	for _, part := range []struct {
		kind, disposition string
		content           []byte
	}{
		{"text/plain; charset=utf-8", "inline", text.Bytes()},
		{"text/html; charset=utf-8", mime.FormatMediaType("attachment", map[string]string{"filename": name}), html.Bytes()},
	} {
		header := textproto.MIMEHeader{"Content-Type": {part.kind}, "Content-Disposition": {part.disposition}, "Content-Transfer-Encoding": {"quoted-printable"}}
		to, err := parts.CreatePart(header)
		if err != nil {
			return err
		}
		encoded := quotedprintable.NewWriter(to)
		if _, err := encoded.Write(part.content); err != nil {
			return err
		}
		if err := encoded.Close(); err != nil {
			return err
		}
	}
	return parts.Close()
}
