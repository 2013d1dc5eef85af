//go:build fleet

package main

import (
	"context"
	"net/url"

	"backhaul/jobs/post"
	"backhaul/sinks/iceberg"
)

const hasStores = true

// openStore opens the object store of a warehouse, and the catalog of its tables.
func openStore(ctx context.Context, a *app, address string) (store, error) {
	catalog, err := a.icebergCatalog(ctx)
	if err != nil {
		return nil, err
	}
	s, err := iceberg.Open(ctx, address, catalog)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// icebergSchema is the schema of the database that has the catalog of the tables.
const icebergSchema = "backhaul_lake"

// icebergCatalog is the REST catalog that the environment names, else one in the database of the books.
func (a *app) icebergCatalog(ctx context.Context) (iceberg.Catalog, error) {
	address, err := a.env(catalogVariable)
	if err != nil {
		return nil, err
	}
	if address != "" {
		if u, err := url.Parse(address); err != nil || u.Scheme != "https" && (u.Scheme != "http" || !post.IsLoopback(u.Hostname())) {
			return nil, usage("%s wants the https URL of a REST catalog", a.setAs(catalogVariable))
		}
		token, err := a.env(tokenVariable)
		return iceberg.AtURL(address, token), err
	}
	db, err := a.shared.Beside(ctx, icebergSchema, iceberg.CatalogTables)
	if err != nil {
		return nil, err
	}
	return iceberg.InDatabase(db), nil
}
