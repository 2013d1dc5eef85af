package mozv2

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"

	"backhaul/pipeline"
)

var _ pipeline.Index = (*Client)(nil)

// IndexID asks index_metadata for the index_id, an opaque string that changes when the index is updated. What the call
// costs on V2 is not documented; it is free in Moz's successor API, and is taken to be so here. Source: Moz, index_metadata.
func (c *Client) IndexID(ctx context.Context) (string, error) {
	resp, err := c.about(ctx, "index_metadata", "index_id", []byte("{}"))
	if err != nil {
		return "", err
	}
	id, err := readIndex(resp.Body)
	if err != nil {
		return "", &pipeline.Error{Kind: pipeline.Malformed, Status: resp.Status, Message: c.wire.Text("index_metadata: " + err.Error())}
	}
	return id, nil
}

// readIndex accepts one strict JSON object with an index_id that says something.
func readIndex(body []byte) (string, error) {
	var reply struct {
		IndexID string `json:"index_id"`
	}
	if err := json.Unmarshal(body, &reply); err != nil {
		return "", fmt.Errorf("not the JSON expected: %w", err)
	}
	if reply.IndexID == "" {
		return "", errors.New("index_id: missing")
	}
	return reply.IndexID, nil
}
