package emulator

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"
)

// envelope is a JSON-RPC request. Batches of calls are not part of the API (chosen).
type envelope struct {
	Version json.RawMessage `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Method  string          `json:"method"`
	Params  json.RawMessage `json:"params"`
}

func (e *envelope) read(r io.Reader) error {
	bad := &rpcError{code: codeParse, status: http.StatusBadRequest, message: "the body is not a JSON-RPC request"}
	body, err := io.ReadAll(io.LimitReader(r, maxBody+1))
	if err != nil {
		return bad
	}
	if len(body) > maxBody {
		bad.message = "the body is too long"
		return bad
	}
	if err := json.Unmarshal(body, e); err != nil {
		return bad
	}
	return nil
}

// text returns the id if it is a string.
func (e *envelope) text() (id string, ok bool) {
	if len(e.ID) == 0 || e.ID[0] != '"' {
		return "", false
	}
	return id, json.Unmarshal(e.ID, &id) == nil
}

// echoedID is the id as an answer repeats it: null for one that is not a string.
func (e *envelope) echoedID() json.RawMessage {
	if _, ok := e.text(); ok {
		return e.ID
	}
	return json.RawMessage("null")
}

// minimumID is the length of a request's id below which it is refused, in characters.
const minimumID = 24

// method finds what is called, or what is wrong with the envelope.
func (e *envelope) method() (*rpcMethod, error) {
	bad := func(code int, message string) error {
		return &rpcError{code: code, status: http.StatusBadRequest, message: message}
	}
	if string(e.Version) != `"2.0"` {
		return nil, bad(codeEnvelope, `jsonrpc must be "2.0"`)
	}
	if id, _ := e.text(); utf8.RuneCountInString(id) < minimumID {
		return nil, bad(codeShortID, "Minimum Request ID length is 24.")
	}
	m := rpcMethods[actionOf(e.Method)]
	if m == nil {
		return nil, bad(codeNoMethod, "Action not found: "+actionOf(e.Method))
	}
	return m, nil
}

// actionOf is the name the vendor's server makes of a method: each part between dots or hyphens begins with a capital, so
// data.site.linking.domain.list is data.site.linking-domain.list.
func actionOf(method string) string {
	var b strings.Builder
	for _, part := range strings.FieldsFunc(method, func(r rune) bool { return r == '.' || r == '-' }) {
		first, size := utf8.DecodeRuneInString(part)
		b.WriteRune(unicode.ToUpper(first))
		b.WriteString(part[size:])
	}
	return b.String() + "Action"
}
