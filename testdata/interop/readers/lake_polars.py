"""polars, lazily: filters and aggregates reach the files."""

import sys

import arrow_types
import polars
import summary


class Polars(summary.LakeReader):
    version = polars.__version__

    def scan(self, table):
        return polars.scan_parquet(self.folder(table) / "month=*" / "*.parquet", hive_partitioning=True)

    def columns(self, table):
        return arrow_types.columns(self.scan(table).head(0).collect().to_arrow().schema)

    def rows(self, table, columns):
        return self.scan(table).select(list(columns)).collect().rows()

    def aggregates(self, table, columns):
        terms = [
            getattr(polars.col(name), call)().alias(f"{call} {name}") for name, kind in columns.items() for call in summary.calls(kind)
        ]
        values = self.scan(table).select(polars.len().alias("rows"), *terms).collect().row(0, named=True)
        return values["rows"], {name: self.of(values, name, kind) for name, kind in columns.items()}

    def of(self, values, name, kind):
        """polars says 0 for the sum of nothing, where SQL says null."""
        return [None if call == "sum" and not values[f"count {name}"] else values[f"{call} {name}"] for call in summary.calls(kind)]

    def month(self, table, month):
        return self.scan(table).filter(polars.col("month") == month).select(polars.len()).collect().item()


summary.main(Polars(*sys.argv[1:]))
