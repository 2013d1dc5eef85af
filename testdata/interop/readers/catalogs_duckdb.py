"""DuckDB on several catalogs at once: catalogs_duckdb.py NAME=CATALOG..., the tables are NAME.moz.links."""

import sys

import duckdb
import summary


class Catalogs(summary.CatalogReader):
    version = duckdb.__version__

    def __init__(self, *catalogs):
        self.connection = duckdb.connect()
        for catalog in catalogs:
            name, _, path = catalog.partition("=")
            self.query(f"ATTACH '{path}' AS {name} (READ_ONLY)")

    def query(self, sql):
        return self.connection.execute(sql).fetchall()

    def tables(self):
        return [".".join(row) for row in self.query(f"SELECT database_name, schema_name, view_name {summary.VIEWS}")]


summary.main(Catalogs(*sys.argv[1:]))
