"""ClickHouse, as the library chdb."""

import sys

import chdb
import pyarrow
import summary

TYPES = {
    "String": "VARCHAR",
    "Bool": "BOOLEAN",
    "Int32": "INTEGER",
    "Int64": "BIGINT",
    "Float64": "DOUBLE",
    "Date32": "DATE",
    "DateTime64(6, 'UTC')": "TIMESTAMP",
    "DateTime64(6)": "TIMESTAMP",
}

# The sum of nothing is null, as in the SQL of all others.
SETTINGS = " SETTINGS use_hive_partitioning = 1, session_timezone = 'UTC', aggregate_functions_null_for_empty = 1"


# Lists that are null where there are none, and never empty.
NEVER_EMPTY = ("anchor_texts", "previous_anchor_texts")


class ClickHouse(summary.SqlReader, summary.LakeReader):
    """It knows no list that is null, and reads one as empty."""

    version = chdb.__version__

    def __init__(self, *folders):
        super().__init__(*folders)
        self.structures = {}

    def query(self, sql):
        data = pyarrow.ipc.open_file(bytes(chdb.query(sql + SETTINGS, "Arrow").bytes()))
        return list(zip(*[column.to_pylist() for column in data.read_all().itercolumns()]))

    def rows(self, table, columns):
        never = [name in NEVER_EMPTY for name in columns]
        return [[None if n and value == [] else value for n, value in zip(never, row)] for row in super().rows(table, columns)]

    def aggregates(self, table, columns):
        rows, values = super().aggregates(table, columns)
        lists = [name for name in columns if name in NEVER_EMPTY]
        if lists:
            filled = ", ".join(f"countIf(notEmpty({self.quote(name)}))" for name in lists)
            values.update(zip(lists, [[n] for n in self.query(f"SELECT {filled} FROM {self.relation(table)}")[0]]))
        return rows, values

    def relation(self, table):
        """Without the structure it would look for one in some file, of whatever month."""
        files = f"'{self.folder(table)}/month=*/*.parquet', Parquet"
        if table not in self.structures:
            self.structures[table] = ", ".join(f"`{row[0]}` {row[1]}" for row in self.query(f"DESCRIBE TABLE file({files})"))
        return f"file({files}, {quoted(self.structures[table])})"

    def columns(self, table):
        rows = self.query(f"DESCRIBE TABLE (SELECT * FROM {self.relation(table)})")
        return {row[0]: self.name(row[1]) for row in rows if row[0] != "month"}

    def name(self, kind):
        for wrapper in ("Nullable(", "LowCardinality("):
            if kind.startswith(wrapper):
                return self.name(kind.removeprefix(wrapper).removesuffix(")"))
        if kind.startswith("Array("):
            return self.name(kind.removeprefix("Array(").removesuffix(")")) + "[]"
        return TYPES.get(kind, kind)


def quoted(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


summary.main(ClickHouse(*sys.argv[1:]))
