"""Reads the tables of a warehouse in an object store by Spark, and compares them with a host's copy and with yesterday.

    read_spark.py POSTGRES WAREHOUSE ENDPOINT COPY TABLE...

As read_pyiceberg.py; SPARK_JARS is a directory with Iceberg's runtime for Spark, its bundle for AWS and PostgreSQL's JDBC driver.
"""

import glob
import json
import os
import sys
from urllib.parse import unquote, urlsplit

from pyspark.sql import SparkSession


def session(address, warehouse, endpoint):
    at = urlsplit(address)
    catalog = {
        "": "org.apache.iceberg.spark.SparkCatalog", ".type": "jdbc", ".jdbc.schema-version": "V1", ".warehouse": warehouse,
        ".uri": f"jdbc:postgresql://{at.hostname}:{at.port}{at.path}?currentSchema=backhaul_lake",
        ".jdbc.user": at.username, ".jdbc.password": unquote(at.password), ".io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
        ".s3.endpoint": endpoint, ".s3.path-style-access": "true",
    }
    builder = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").config("spark.sql.session.timeZone", "UTC")
    builder = builder.config("spark.jars", ",".join(glob.glob(os.path.join(os.environ["SPARK_JARS"], "*.jar")))).config("spark.sql.shuffle.partitions", "1")
    builder = builder.config("spark.driver.memory", "1g").config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "127.0.0.1")
    for key, value in catalog.items():
        builder = builder.config("spark.sql.catalog.backhaul" + key, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def main(address, warehouse, endpoint, copy, tables):
    spark = session(address, warehouse, endpoint)
    said = {}
    for name in tables:
        now = spark.table("backhaul." + name)
        beside = spark.read.option("mergeSchema", "true").parquet(*glob.glob(os.path.join(copy, "lake", *name.split("."), "month=2*", "*.parquet")))
        beside = beside.select(*now.columns)
        if now.exceptAll(beside).count() or beside.exceptAll(now).count():
            sys.exit(f"{name}: the rows by the catalog are not those of the copy")
        snapshots = spark.sql(f"SELECT snapshot_id, summary FROM backhaul.{name}.snapshots ORDER BY committed_at").collect()
        said[name] = {"rows": now.count(), "snapshots": [
            {"did": s.summary.get("backhaul.did"), "date": s.summary.get("backhaul.run-date"), "run": s.summary.get("backhaul.run-id"),
             "rows": spark.sql(f"SELECT count(*) FROM backhaul.{name} VERSION AS OF {s.snapshot_id}").collect()[0][0]} for s in snapshots]}
    print(json.dumps(said))


main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4], sys.argv[5:])
