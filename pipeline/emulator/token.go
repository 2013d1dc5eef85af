package emulator

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"time"
)

// A next_token is base64 of 25 bytes: version, position, index, the millisecond it was given out, and eight bytes that
// bind it to the request with all its parameters, limit included (chosen: "send the same request again").

const (
	tokenVersion = 1
	tokenSize    = 25
	tokenSeal    = 8
)

var tokenKey = []byte("the emulator's tokens need no secrecy")

// nextToken continues a request at a position.
func (s *Server) nextToken(q *query, day, at int) string {
	raw := make([]byte, tokenSize-tokenSeal, tokenSize)
	raw[0] = tokenVersion
	binary.BigEndian.PutUint32(raw[1:], uint32(at))
	binary.BigEndian.PutUint32(raw[5:], uint32(s.indexOf(day)))
	binary.BigEndian.PutUint64(raw[9:], uint64(s.options.Clock().UnixMilli()))
	return base64.StdEncoding.EncodeToString(append(raw, seal(raw, q)...))
}

func seal(raw []byte, q *query) []byte {
	mac := hmac.New(sha256.New, tokenKey)
	mac.Write(raw)
	mac.Write([]byte(q.key()))
	return mac.Sum(nil)[:tokenSeal]
}

// position returns where the request's page begins, or why it has none: 400 for a token of another request (chosen),
// 410 for one too old, used too often, or of an index that has been replaced.
func (s *Server) position(q *query, day int) (int, *reply) {
	if q.token == "" {
		return 0, nil
	}
	raw, err := base64.StdEncoding.DecodeString(q.token)
	if err != nil || len(raw) != tokenSize || raw[0] != tokenVersion || !hmac.Equal(raw[tokenSize-tokenSeal:], seal(raw[:tokenSize-tokenSeal], q)) {
		no := refuse(http.StatusBadRequest, "invalid_parameter", "next_token does not belong to this request")
		return 0, &no
	}
	age := s.options.Clock().Sub(time.UnixMilli(int64(binary.BigEndian.Uint64(raw[9:]))))
	old := s.options.TokenLife > 0 && age > s.options.TokenLife
	if old || int32(binary.BigEndian.Uint32(raw[5:])) != s.indexOf(day) || !s.useToken(q.token) {
		no := gone()
		return 0, &no
	}
	return int(binary.BigEndian.Uint32(raw[1:])), nil
}

func (s *Server) useToken(token string) bool {
	if s.options.TokenUses <= 0 {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.uses[token]++
	return s.uses[token] <= s.options.TokenUses
}

// gone is the one error whose text is documented.
func gone() reply {
	return refuse(http.StatusGone, "token_expired", "The next token has expired")
}
