//go:build fleet

package iceberg

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	ice "github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/catalog/rest"
	icesql "github.com/apache/iceberg-go/catalog/sql"
	"github.com/apache/iceberg-go/table"
)

// Catalog opens the catalog of a warehouse that is at a location.
type Catalog func(ctx context.Context, location string) (catalog.Catalog, error)

// CatalogName is what the warehouse is called in its catalog, where one can have several.
const CatalogName = "backhaul"

// CatalogTables makes the tables of a catalog in a PostgreSQL database, as Iceberg's JDBC catalogs have them.
const CatalogTables = `
CREATE TABLE IF NOT EXISTS iceberg_tables (catalog_name VARCHAR(255) NOT NULL, table_namespace VARCHAR(255) NOT NULL, table_name VARCHAR(255) NOT NULL,
	metadata_location VARCHAR(1000), previous_metadata_location VARCHAR(1000), iceberg_type VARCHAR(5), PRIMARY KEY (catalog_name, table_namespace, table_name));
CREATE TABLE IF NOT EXISTS iceberg_namespace_properties (catalog_name VARCHAR(255) NOT NULL, namespace VARCHAR(255) NOT NULL, property_key VARCHAR(255),
	property_value VARCHAR(1000), PRIMARY KEY (catalog_name, namespace, property_key))`

// InDatabase is a catalog in a database that has CatalogTables.
func InDatabase(db *sql.DB) Catalog { return inDatabase(db, icesql.Postgres) }

func inDatabase(db *sql.DB, dialect icesql.SupportedDialect) Catalog {
	return func(_ context.Context, location string) (catalog.Catalog, error) {
		return icesql.NewCatalog(CatalogName, db, dialect, ice.Properties{"warehouse": location, "init_catalog_tables": "false"})
	}
}

// AtURL is a REST catalog. token is sent to it if it is not "".
func AtURL(address, token string) Catalog {
	return func(ctx context.Context, location string) (catalog.Catalog, error) {
		options := []rest.Option{rest.WithWarehouseLocation(location)}
		if token != "" {
			options = append(options, rest.WithOAuthToken(token))
		}
		c, err := rest.NewCatalog(ctx, CatalogName, address, options...)
		if err != nil {
			return nil, err
		}
		return c, nil
	}
}

// isAbsent reports whether an error says that a table is not there.
func isAbsent(err error) bool {
	return errors.Is(err, catalog.ErrNoSuchTable) || errors.Is(err, catalog.ErrNoSuchNamespace)
}

// ensureNamespace makes a namespace where it is absent.
func (s *Store) ensureNamespace(ctx context.Context, name string) error {
	there, err := s.catalog.CheckNamespaceExists(ctx, table.Identifier{name})
	if err != nil || there {
		return err
	}
	err = s.catalog.CreateNamespace(ctx, table.Identifier{name}, nil)
	if there, again := s.catalog.CheckNamespaceExists(ctx, table.Identifier{name}); again == nil && there {
		return nil // perhaps by another host
	}
	if err != nil {
		err = fmt.Errorf("make namespace %s: %w", name, err)
	}
	return err
}
