// Package tiny buys one list from a vendor that does not exist. It is the least that a vendor's package can be, and tests
// add it to a registry.
package tiny

import (
	"context"
	"errors"
	"net/url"

	"backhaul/pipeline"
	"backhaul/pipeline/vendors"
	"backhaul/pipeline/vendors/internal/rows"
	"backhaul/pipeline/vendors/internal/wire"
	"backhaul/schemas"
)

// Surface is what the program is told of Tiny's one API.
func Surface() vendors.Surface {
	return vendors.Surface{
		Vendor: "tiny", Name: "v1", Title: "Tiny",
		Limits:      pipeline.Limits{PerSecond: 100, Connections: 2},
		URL:         "BACKHAUL_TINY_URL",
		Credentials: vendors.Credentials{{"TINY_KEY"}},
		Offline:     func() []pipeline.Source { return client{wire.Offline(wire.Options{})}.Sources() },
		Open: func(s vendors.Settings) (vendors.Client, error) {
			w, err := wire.New(wire.Options{HTTP: wire.HTTP{Conns: s.Connections}, Base: s.BaseURL, Auth: wire.BearerAuth(s.Credentials["TINY_KEY"])})
			return client{w}, err
		},
	}
}

type client struct{ *wire.Client }

func (c client) Sources() []pipeline.Source { return []pipeline.Source{source(c)} }

var (
	anchors = &pipeline.Endpoint{
		Vendor: "tiny", Surface: "v1", Name: "anchors", Table: schemas.Lookup("moz.anchor_text"), PageSize: 2, UnitsPerRow: 1,
		Meaning: "anchor texts of links to the target", Source: "none: Tiny does not exist",
	}
	layout = rows.Layout{List: "anchors", Token: "next"}
	shape  = rows.MustCompile(anchors.Table)
)

type source client

func (source) Endpoint() *pipeline.Endpoint { return anchors }

func (s source) Fetch(ctx context.Context, t pipeline.Task, ask pipeline.Ask) (pipeline.Page, error) {
	if fail := s.Ready(); fail != nil {
		return pipeline.Page{}, fail
	}
	path := "anchors?" + url.Values{"target": {t.Target}, "token": {string(ask.Cursor)}}.Encode()
	resp, fail := s.Do(ctx, "GET", path, nil)
	return s.read(pipeline.Page{Cursor: ask.Cursor, Request: []byte(path)}, resp, fail)
}

func (s source) Read(_ pipeline.Task, _ pipeline.Ask, p pipeline.Page) (pipeline.Page, error) {
	resp := wire.Kept(p)
	return s.read(pipeline.Page{Cursor: p.Cursor, Request: p.Request}, resp, s.Judge(resp))
}

func (s source) read(p pipeline.Page, resp wire.Response, fail *pipeline.Error) (pipeline.Page, error) {
	if fail != nil && fail.Kind != pipeline.Malformed {
		return pipeline.Page{}, fail
	}
	p.Status, p.Body, p.FetchedAt = resp.Status, resp.Body, resp.At
	if fail != nil {
		return p, fail
	}
	reply, err := rows.Scan(resp.Body, layout)
	if err != nil {
		return p, s.Unreadable(resp, err, errors.Is(err, rows.ErrCut))
	}
	p.Rows, p.Units = reply.Count, pipeline.Units(reply.Count)*anchors.UnitsPerRow
	p.Next, p.End = pipeline.Cursor(reply.Token), reply.Token == ""
	return p, nil
}

func (source) Decode(p pipeline.Page, b *schemas.Builder) error {
	reply, err := rows.Scan(p.Body, layout)
	if err != nil {
		return err
	}
	return shape.Load(reply, b)
}
