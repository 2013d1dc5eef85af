"""DataFusion."""

import sys

import arrow_types
import datafusion
import pyarrow
import summary


class DataFusion(summary.SqlReader, summary.LakeReader):
    version = datafusion.__version__

    def __init__(self, *folders):
        super().__init__(*folders)
        self.context = datafusion.SessionContext()
        self.registered = {}
        self.schemas = {}

    def relation(self, table):
        name = self.registered.setdefault((self.lake, table), f"t{len(self.registered)}")
        if not self.context.table_exist(name):
            # To find the columns it would look into every file, of whatever month.
            self.context.register_parquet(
                name, str(self.folder(table)), table_partition_cols=[("month", pyarrow.string())], schema=self.schemas.get(table)
            )
            self.schemas.setdefault(table, self.schema(name))
        return name

    def schema(self, name):
        there = self.context.table(name).schema()
        return there.remove(there.get_field_index("month"))

    def query(self, sql):
        return list(zip(*[column.to_pylist() for column in self.context.sql(sql).to_arrow_table().itercolumns()]))

    def columns(self, table):
        return arrow_types.columns(self.context.table(self.relation(table)).schema())


summary.main(DataFusion(*sys.argv[1:]))
