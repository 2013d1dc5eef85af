"""pandas, with Arrow's types: its own have no whole numbers with nulls."""

import sys

import arrow_types
import numpy
import pandas
import pyarrow
import summary


class Pandas(summary.LakeReader):
    version = pandas.__version__

    def frame(self, table, **options):
        return pandas.read_parquet(self.folder(table), dtype_backend="pyarrow", **options)

    def columns(self, table):
        return arrow_types.columns(pyarrow.Schema.from_pandas(self.frame(table), preserve_index=False).remove_metadata())

    def rows(self, table, columns):
        frame = self.frame(table)[list(columns)].astype(object)
        return [[self.value(v) for v in row] for row in frame.itertuples(index=False, name=None)]

    def value(self, v):
        if v is None or v is pandas.NA or v is pandas.NaT:
            return None
        if isinstance(v, numpy.ndarray):
            return v.tolist()
        return v.to_pydatetime() if isinstance(v, pandas.Timestamp) else v

    def aggregates(self, table, columns):
        frame = self.frame(table)
        return len(frame), {
            name: [self.value(self.call(frame[name], call)) for call in summary.calls(kind)] for name, kind in columns.items()
        }

    def call(self, column, call):
        value = getattr(column, call)() if column.count() or call == "count" else None
        return value.item() if hasattr(value, "item") else value

    def month(self, table, month):
        return len(self.frame(table, filters=[("month", "==", month)]))


summary.main(Pandas(*sys.argv[1:]))
