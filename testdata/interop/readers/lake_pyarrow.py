"""pyarrow's data sets."""

import sys

import arrow_types
import pyarrow
import pyarrow.compute as pc
import pyarrow.dataset
import summary


class PyArrow(summary.LakeReader):
    version = pyarrow.__version__

    def dataset(self, table):
        return pyarrow.dataset.dataset(self.folder(table), partitioning="hive")

    def columns(self, table):
        return arrow_types.columns(self.dataset(table).schema)

    def rows(self, table, columns):
        return zip(*[column.to_pylist() for column in self.dataset(table).to_table(list(columns)).itercolumns()])

    def aggregates(self, table, columns):
        data = self.dataset(table).to_table()
        return data.num_rows, {
            name: [getattr(pc, call)(data[name]).as_py() for call in summary.calls(kind)] for name, kind in columns.items()
        }

    def month(self, table, month):
        return self.dataset(table).count_rows(filter=pc.field("month") == month)


summary.main(PyArrow(*sys.argv[1:]))
