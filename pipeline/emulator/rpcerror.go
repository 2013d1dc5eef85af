package emulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"backhaul/pipeline/emulator/internal/quote"
)

// Codes of Moz's errors. The vendor's: 32600, 32601, 32602, 32651, 32652, 32654, 32655. Chosen: 32700 as JSON-RPC has it, the
// others from the gaps.
const (
	codeParse     = -32700
	codeEnvelope  = -32600
	codeNoMethod  = -32601
	codeUnhandled = -32602
	codeRate      = -32650
	codeAuth      = -32651
	codeMissing   = -32652
	codeInvalid   = -32653
	codeShortID   = -32654
	codeNoRecord  = -32655
	codeExhausted = -32656
)

// rpcError is an error of a call. The status of the HTTP answer is its own.
type rpcError struct {
	code, status int
	message      string
	key          string // the parameter at fault, "" for none
	issue        string // "" for none
	explanation  string
	value        any // what the parameter was, nil to leave it away
}

func (e *rpcError) Error() string { return e.message }

// missing is a required parameter that is not there.
func missing(key string) *rpcError {
	return &rpcError{code: codeMissing, status: http.StatusBadRequest, message: "Please include a " + key, key: key,
		issue: "param-is-missing", explanation: key + " is a required field and was not included."}
}

// noRecord is the answer for something the index has not heard of. It bills nothing.
func noRecord(what, key string, value any) *rpcError {
	return &rpcError{code: codeNoRecord, status: http.StatusNotFound, message: "No " + what + " for that " + key + ".", key: key, value: value}
}

// asRPC is any error in this API's form: what the parameters' parser complains of is a bad parameter.
func asRPC(err error) *rpcError {
	if e, ok := errors.AsType[*rpcError](err); ok {
		return e
	}
	return &rpcError{code: codeInvalid, status: http.StatusBadRequest, message: err.Error(), issue: "param-is-invalid", explanation: err.Error()}
}

// refuseRPC turns an error into an answer. Of a call whose envelope is wrong the status is called httpStatus (seen).
func refuseRPC(id json.RawMessage, e *rpcError) reply {
	status := "status"
	if e.code == codeEnvelope {
		status = "httpStatus"
	}
	body := append([]byte(`{"id":`), id...)
	body = fmt.Appendf(body, `,"jsonrpc":"2.0","error":{"code":%d,"%s":%d`, e.code, status, e.status)
	body = e.appendData(body)
	body = quote.Append(append(body, `,"message":`...), e.message)
	return reply{status: e.status, body: append(body, "}}"...)}
}

// appendData writes the member "data"; simple errors have none.
func (e *rpcError) appendData(buf []byte) []byte {
	if e.key == "" && e.issue == "" {
		return buf
	}
	data := map[string]any{}
	for name, text := range map[string]string{"explanation": e.explanation, "issue": e.issue, "key": e.key} {
		if text != "" {
			data[name] = text
		}
	}
	if e.value != nil {
		data["value"] = e.value
	}
	return append(append(buf, `,"data":`...), mustJSON(data)...)
}

// appendItem writes the error of one item of a batch.
func (e *rpcError) appendItem(buf []byte, name string) []byte {
	buf = quote.Append(append(buf, `{"name":`...), name)
	if e.message != "" {
		buf = quote.Append(append(buf, `,"message":`...), e.message)
	}
	buf = e.appendData(buf)
	buf = strconv.AppendInt(append(buf, `,"httpStatus":`...), int64(e.status), 10)
	buf = strconv.AppendInt(append(buf, `,"jsonrpcCode":`...), int64(e.code), 10)
	return append(buf, '}')
}

// fromV2 is an answer of V2's in this API's form.
func fromV2(id json.RawMessage, r reply) reply {
	if r.body == nil || r.html {
		return r
	}
	code := codeUnhandled
	switch r.status {
	case http.StatusBadRequest:
		code = codeInvalid
	case http.StatusGone:
		// Chosen; what becomes of the tokens of a replaced index is unknown. The code is that of "no record": only the status tells a
		// list broken off from a list that does not exist.
		code = codeNoRecord
	case http.StatusTooManyRequests:
		code = codeRate
	}
	var said struct{ Message string }
	if err := json.Unmarshal(r.body, &said); err != nil {
		panic(err) // refuse writes JSON
	}
	out := refuseRPC(id, &rpcError{code: code, status: r.status, message: said.Message})
	out.retryAfter = r.retryAfter
	return out
}

func mustJSON(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings, numbers and maps of them always encode
	}
	return text
}
