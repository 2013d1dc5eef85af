"""Spark, in this process."""

import sys

import pyspark
import summary
from pyspark.sql import SparkSession

TYPES = {
    "string": "VARCHAR",
    "boolean": "BOOLEAN",
    "int": "INTEGER",
    "bigint": "BIGINT",
    "double": "DOUBLE",
    "date": "DATE",
    "timestamp_ntz": "TIMESTAMP",
}


class Spark(summary.SqlReader, summary.LakeReader):
    version = pyspark.__version__

    def __init__(self, *folders):
        super().__init__(*folders)
        settings = {
            "spark.ui.enabled": "false",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.host": "127.0.0.1",
            "spark.sql.shuffle.partitions": "1",
            "spark.sql.session.timeZone": "UTC",
        }
        builder = SparkSession.builder.master("local[2]")
        for name, value in settings.items():
            builder = builder.config(name, value)
        self.session = builder.getOrCreate()

    def query(self, sql):
        return self.session.sql(sql).collect()

    def quote(self, column):
        return f"`{column}`"

    def relation(self, table):
        self.frame(table).createOrReplaceTempView(table.replace(".", "_"))
        return table.replace(".", "_")

    def frame(self, table):
        return self.session.read.parquet(str(self.folder(table)))

    def columns(self, table):
        return {name: self.name(kind) for name, kind in self.frame(table).dtypes if name != "month"}

    def name(self, kind):
        if kind.startswith("array<"):
            return self.name(kind.removeprefix("array<").removesuffix(">")) + "[]"
        return TYPES.get(kind, kind)


summary.main(Spark(*sys.argv[1:]))
