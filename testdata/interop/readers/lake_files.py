"""The truth: every file by itself, read by pyarrow without filters, statistics, data sets or partitions, counted in Python."""

import sys

import arrow_types
import pyarrow
import pyarrow.parquet
import summary


class Files(summary.LakeReader):
    version = pyarrow.__version__

    def files(self, table):
        return [pyarrow.parquet.ParquetFile(path) for path in sorted(self.folder(table).glob("month=*/*.parquet"))]

    def columns(self, table):
        schemas = [{field.name: arrow_types.name(field.type) for field in file.schema_arrow} for file in self.files(table)]
        if any(list(s.items()) != list(schemas[0].items()) for s in schemas):
            raise ValueError(f"the files of {table} have different columns")
        return schemas[0]

    def rows(self, table, columns):
        for file in self.files(table):
            yield from zip(*[column.to_pylist() for column in file.read(list(columns)).itercolumns()])

    def aggregates(self, table, columns):
        rows = list(self.rows(table, columns))
        values = {name: [row[i] for row in rows if row[i] is not None] for i, name in enumerate(columns)}
        return len(rows), {name: self.counted(values[name], kind) for name, kind in columns.items()}

    def counted(self, values, kind):
        functions = {"count": len, "sum": sum, "min": min, "max": max}
        return [functions[call](values) if values or call == "count" else None for call in summary.calls(kind)]

    def months(self, table):
        counts = {}
        for path in self.folder(table).glob("month=*/*.parquet"):
            month = path.parent.name.removeprefix("month=")
            counts[month] = counts.get(month, 0) + pyarrow.parquet.ParquetFile(path).metadata.num_rows
        counts.pop("0000-00", None)
        return counts


summary.main(Files(*sys.argv[1:]))
