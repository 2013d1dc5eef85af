"""The JDBC driver on the catalog, in a Java process of its own: names and columns by the calls that tools make of a driver."""

import glob
import json
import pathlib
import subprocess
import sys

import summary


class Catalog(summary.CatalogReader):
    def __init__(self, catalog):
        [driver] = glob.glob(f"{sys.prefix}/../java/duckdb_jdbc-*.jar")
        source = pathlib.Path(__file__).with_name("Jdbc.java")
        self.process = subprocess.Popen(
            ["java", "-Duser.timezone=UTC", "-cp", driver, source, catalog], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
        )
        self.version = " on DuckDB ".join(self.query("version"))

    def query(self, line):
        print(line, file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())

    def tables(self):
        schemas = {row[0] for row in self.query("schemas")}
        return [f"{schema}.{view}" for schema, view in self.query("tables") if schema in schemas]

    def columns(self, table):
        """Views have no keys; the columns of a macro are those of its result."""
        if "(" in table:
            return super().columns(table)
        columns = self.query(f"columns {table.replace('.', ' ')}")
        if self.query(f"keys {table.replace('.', ' ')}"):
            raise ValueError(f"{table} has a primary key")
        return {name: kind for name, kind in columns}


summary.main(Catalog(*sys.argv[1:]))
