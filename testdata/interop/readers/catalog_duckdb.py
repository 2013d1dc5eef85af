"""DuckDB on the catalog: catalog_duckdb.py CATALOG [WAREHOUSE], with the warehouse's path where it is not the written one."""

import sys

import duckdb
import summary


class Catalog(summary.CatalogReader):
    version = duckdb.__version__

    def __init__(self, catalog, warehouse=None):
        self.connection = duckdb.connect(catalog, read_only=True)
        if warehouse:
            self.connection.execute(f"SET VARIABLE backhaul_warehouse = '{warehouse}'")

    def query(self, sql):
        return self.connection.execute(sql).fetchall()


summary.main(Catalog(*sys.argv[1:]))
