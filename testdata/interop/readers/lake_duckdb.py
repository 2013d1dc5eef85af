"""DuckDB on the files of the lake, without the catalog."""

import sys

import duckdb
import summary


class DuckDB(summary.SqlReader, summary.LakeReader):
    version = duckdb.__version__

    def __init__(self, *folders):
        super().__init__(*folders)
        self.connection = duckdb.connect()

    def query(self, sql):
        return self.connection.execute(sql).fetchall()

    def relation(self, table):
        return f"read_parquet('{self.folder(table)}/month=*/*.parquet', hive_partitioning = true)"

    def columns(self, table):
        rows = self.query(f"DESCRIBE SELECT * EXCLUDE (month) FROM {self.relation(table)}")
        return {row[0]: row[1] for row in rows}


summary.main(DuckDB(*sys.argv[1:]))
