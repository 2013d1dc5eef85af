package wire

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// Auth puts credentials on a request, and knows which texts must therefore never be shown. The zero value sends none.
type Auth struct {
	header, query, value string
	secrets              []string
}

// HeaderAuth sends a token in a header of its own.
func HeaderAuth(header, token string) Auth {
	return Auth{header: header, value: token, secrets: []string{token}}
}

// BearerAuth sends a key as Authorization: Bearer.
func BearerAuth(key string) Auth {
	return Auth{header: "Authorization", value: "Bearer " + key, secrets: []string{key}}
}

// QueryAuth sends a token as a parameter of the query. No text of this package spells a URL with its query.
func QueryAuth(name, token string) Auth {
	return Auth{query: name, value: token, secrets: []string{token}}
}

// BasicAuth sends user and password as HTTP Basic. Both count as secret.
func BasicAuth(user, password string) Auth {
	pair := []byte(user + ":" + password)
	value := base64.StdEncoding.EncodeToString(pair)
	return Auth{header: "Authorization", value: "Basic " + value,
		secrets: []string{user, password, string(pair)}}
}

func (a Auth) apply(req *http.Request) {
	if a.header != "" {
		req.Header.Set(a.header, a.value)
	}
	if a.query != "" {
		pair := url.QueryEscape(a.query) + "=" + url.QueryEscape(a.value)
		req.URL.RawQuery = strings.TrimPrefix(req.URL.RawQuery+"&"+pair, "&")
	}
}

func (a Auth) check() error {
	for _, r := range a.value {
		if r < ' ' || r == 0x7f {
			return errors.New("credentials: a control character (a line end?) is in them")
		}
	}
	return nil
}

// mask finds the credentials in texts.
func (a Auth) mask() mask {
	texts := append([]string{a.value}, a.secrets...)
	for _, s := range a.secrets {
		texts = append(texts, decoded(s)...)
	}
	return newMask(texts...)
}
