package moz

import (
	"bytes"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// member is one name of an object, with its value as received.
type member struct {
	name  string
	value jsontext.Value
}

// membersOf returns the members of an object in its order.
func membersOf(raw []byte) ([]member, error) {
	d := jsontext.NewDecoder(bytes.NewReader(raw))
	if d.PeekKind() != '{' {
		return nil, fmt.Errorf("want an object, got %s", brief(raw))
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, err
	}
	var members []member
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			return members, err
		}
		text := name.String()
		value, err := d.ReadValue()
		if err != nil {
			return members, err
		}
		members = append(members, member{text, value.Clone()})
	}
	return members, nil
}

// brief shows a found value within a message.
func brief(raw []byte) string {
	const most = 60
	if len(raw) == 0 {
		return "nothing"
	}
	if len(raw) <= most {
		return string(raw)
	}
	return string(bytes.ToValidUTF8(raw[:most], nil)) + "…"
}
