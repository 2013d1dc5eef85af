package mozv2

import (
	"fmt"

	"github.com/go-json-experiment/json"

	"backhaul/pipeline"
	"backhaul/pipeline/vendors/internal/rows"
	"backhaul/schemas"
)

// linkStatus: a boolean for each source, in their order, and nothing but the order tells which is whose. The scope of the
// sources is always sent, since the rows say it. Moz does not tell which index it answers from; should it, the rows have it.
func linkStatus() *report {
	r := batch("link_status", "exists")
	r.defaults = map[string]string{"source_scope": "page"} // Source: Moz, link_status.
	r.fits = func(p pipeline.Page, reply rows.Reply) error {
		request, err := asked[statusRequest](p)
		if err == nil && reply.Count != len(request.Sources) {
			err = fmt.Errorf("exists: %d answers for %d sources: which belongs to which cannot be told", reply.Count, len(request.Sources))
		}
		return err
	}
	r.load = func(p pipeline.Page, reply rows.Reply, b *schemas.Builder) error {
		request, err := asked[statusRequest](p)
		if err != nil {
			return err
		}
		request.load(reply, b)
		return nil
	}
	return r
}

type statusRequest struct {
	Sources     []string `json:"sources"`
	SourceScope string   `json:"source_scope"`
	TargetScope string   `json:"target_scope"`
}

func (request statusRequest) load(reply rows.Reply, b *schemas.Builder) {
	t := b.Table()
	var index string
	_ = json.Unmarshal(reply.Member("index_id"), &index) // "" unless it is a text
	for i, raw := range reply.Rows() {
		if b.Full() {
			return
		}
		exists := string(raw) == "true"
		if !exists && string(raw) != "false" {
			b.Reject(i, raw, &schemas.FieldError{Field: "exists", Problem: fmt.Sprintf("want true or false for %s, got %.60s", request.Sources[i], raw)})
			continue
		}
		row := b.Row()
		row.SetString(t.Index("source"), request.Sources[i])
		row.SetString(t.Index("source_scope"), request.SourceScope)
		row.SetString(t.Index("target_scope"), request.TargetScope)
		row.SetBool(t.Index("link_exists"), exists)
		if index != "" {
			row.SetString(t.Index("index_id"), index)
		}
		b.Append()
	}
}
