"""What a reader saw of a warehouse, in a form that another reader's can be compared with.

A reader is a module of the folder readers: it opens tables in its own way and lets its own engine count and add up. This
module turns what it saw into plain JSON, which the program that started it holds against the truth.
"""

import copy
import datetime
import decimal
import hashlib
import json
import math
import pathlib
import sys

NUMBERS = ("INTEGER", "BIGINT", "DOUBLE")
TIMES = ("DATE", "TIMESTAMP")

# The type of a column whose values a reader has, though no name for what they are.
UNNAMED = "?"


class Reader:
    """What each reader can do. Columns have the types' names of the contract: VARCHAR, BIGINT, DATE[]."""

    version: str

    def tables(self):
        """The full names of the tables there are."""
        raise NotImplementedError

    def columns(self, table):
        """The table's columns in order, by name their types; without the partition `month`."""
        raise NotImplementedError

    def rows(self, table, columns):
        """All rows, each a sequence of Python values in the order of the columns."""
        raise NotImplementedError

    def aggregates(self, table, columns):
        """What the reader's engine counts and adds up: the rows, and by column a triple of how many values are not null, their
        sum if they are numbers, and their least and greatest if they are dates or timestamps."""
        raise NotImplementedError

    def months(self, table):
        """By month how many rows a query has that asks for that month alone; None where there is no partition to ask for."""
        return None


class LakeReader(Reader):
    """A reader of lake/<vendor>/<table>/month=YYYY-MM/*.parquet as a data set with the partition `month`.

    torn holds a copy of the lake for each month in which the files of all other months are no Parquet: who opens one of them to
    answer for that month fails.
    """

    def __init__(self, lake, torn):
        self.lake, self.torn = pathlib.Path(lake), pathlib.Path(torn)

    def tables(self):
        return [f"{path.parent.name}.{path.name}" for path in self.lake.glob("*/*")]

    def folder(self, table):
        return self.lake.joinpath(*table.split(".", 1))

    def month(self, table, month):
        """How many rows a query for one month has."""
        raise NotImplementedError

    def months(self, table):
        counts = {}
        for lake in self.torn.iterdir():
            there = copy.copy(self)
            there.lake = lake
            if (there.folder(table) / f"month={lake.name}").exists():
                counts[lake.name] = there.month(table, lake.name)
        return counts


class SqlReader(Reader):
    """A reader that is asked in SQL, through query(sql), which returns rows."""

    def query(self, sql):
        raise NotImplementedError

    def relation(self, table):
        """What stands after FROM."""
        return table

    def quote(self, column):
        return f'"{column}"'

    def rows(self, table, columns):
        return self.query(f"SELECT {', '.join(map(self.quote, columns))} FROM {self.relation(table)}")

    def aggregates(self, table, columns):
        terms = ["count(*)"]
        for name, kind in columns.items():
            terms += [f"{call}({self.quote(name)})" for call in calls(kind)]
        values = iter(self.query(f"SELECT {', '.join(terms)} FROM {self.relation(table)}")[0])
        return next(values), {name: [next(values) for _ in calls(kind)] for name, kind in columns.items()}

    def month(self, table, month):
        return self.query(f"SELECT count(*) FROM {self.relation(table)} WHERE month = '{month}'")[0][0]


# The catalog's views, as DuckDB tells of them.
VIEWS = "FROM duckdb_views() WHERE NOT internal"


class CatalogReader(SqlReader):
    """A reader of catalog.duckdb in DuckDB's SQL."""

    def tables(self):
        return [".".join(row) for row in self.query(f"SELECT schema_name, view_name {VIEWS}")]

    def columns(self, table):
        return {row[0]: row[1] for row in self.query(f"DESCRIBE SELECT * FROM {table}")}


def calls(kind):
    """The functions an engine is asked for about a column of that type."""
    return ["count"] + ["sum"] * (kind in NUMBERS) + ["min", "max"] * (kind in TIMES)


def main(reader):
    """Answers each line of standard input, a list of tables, with a line that says what the reader sees of them then."""
    for line in sys.stdin:
        print(json.dumps(summarise(reader, json.loads(line))), flush=True)


def summarise(reader, tables):
    """Returns what the reader sees of the tables, as JSON can hold it."""
    return {"version": reader.version, "names": sorted(reader.tables()), "tables": {t: summary(reader, t) for t in tables}}


def summary(reader, table):
    columns = reader.columns(table)
    rows = [[plain(value) for value in row] for row in reader.rows(table, columns)]
    counted, values = reader.aggregates(table, columns)
    return {
        "types": columns,
        "rows": counted,
        "values": {name: [plain(v) for v in vs] for name, vs in values.items()},
        "months": reader.months(table),
        "columns": {name: digest(row[i] for row in rows) for i, name in enumerate(columns)},
        "digest": digest(rows),
    }


def digest(values):
    """A checksum of the values, whatever their order."""
    lines = sorted(json.dumps(v, ensure_ascii=False) for v in values)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def plain(value):
    """The value as JSON knows it: dates and timestamps as texts, timestamps in UTC."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime.datetime):
        if value.tzinfo:
            value = value.astimezone(datetime.timezone.utc).replace(tzinfo=None)
        return value.isoformat(timespec="microseconds")
    if isinstance(value, datetime.date):
        return value.isoformat()
    return [plain(v) for v in value]


def problems(truth, seen):
    """Yields in words how what a reader saw differs from the truth; both are summaries by table."""
    missing = {name for name in truth if "(" not in name} - set(seen["names"])
    if missing:
        yield f"it does not list {', '.join(sorted(missing))}"
    for table, want in truth.items():
        for difference in differences(want, seen["tables"][table]):
            yield f"{table}: {difference}"


def differences(truth, seen):
    """Yields in words how what was seen of one table differs from the truth."""
    if seen["types"] != truth["types"]:
        for name in {**truth["types"], **seen["types"]}:
            was, want = seen["types"].get(name, "missing"), truth["types"].get(name, "not expected")
            if was not in (want, UNNAMED):
                yield f"column {name} is {was}, not {want}"
    if list(seen["types"]) != list(truth["types"]):
        yield "the columns come in another order"
        return
    if seen["rows"] != truth["rows"]:
        yield f"{seen['rows']} rows, not {truth['rows']}"
    for name, want in truth["values"].items():
        if not all(map(same, seen["values"][name], want)):
            yield f"{', '.join(calls(truth['types'][name]))} of {name} are {seen['values'][name]}, not {want}"
    if seen["digest"] != truth["digest"]:
        wrong = [name for name, want in truth["columns"].items() if seen["columns"][name] != want]
        yield f"other values in {', '.join(wrong)}" if wrong else "the values of rows are mixed up"
    if seen["months"] is not None and truth["months"] is not None and seen["months"] != truth["months"]:
        yield f"by month {seen['months']}, not {truth['months']}"


def same(a, b):
    if isinstance(a, float) or isinstance(b, float):
        return a is not None and b is not None and math.isclose(a, b, rel_tol=1e-9)
    return a == b
