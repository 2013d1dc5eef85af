package main

// lakeText is what `backhaul help lake` says.
const lakeText = `A warehouse is a directory. It can be in an object store instead, for many hosts, and for Spark, Trino, Snowflake, PyIceberg and
whatever else reads Apache Iceberg. That takes the build backhaul-fleet, and ledger and journals in PostgreSQL (see 'backhaul help
database'):

  BACKHAUL_WAREHOUSE=s3://bucket/prefix        or gs://bucket/prefix, or azblob://container/prefix; or --warehouse
  BACKHAUL_DATABASE=postgres://...
  BACKHAUL_CACHE=/var/cache/backhaul           this host's copies of warehouses; default the user's cache directory
  BACKHAUL_ICEBERG_CATALOG=https://...         a REST catalog; default tables in the schema backhaul_lake of the database
  BACKHAUL_ICEBERG_TOKEN=...                   what that catalog wants to be shown, if anything; also _FILE and _COMMAND

Credentials of the store are found as its vendor's own tools find them: AWS_*, GOOGLE_APPLICATION_CREDENTIALS, AZURE_STORAGE_ACCOUNT
and AZURE_*. Another S3 is named by AWS_ENDPOINT_URL, or in the address: s3://bucket/prefix?endpoint=https://...&region=...

Each table is an Iceberg table, partitioned by the month of run_date, in the namespace of its schema: moz.anchor_text. A run
is one snapshot of each of its tables, whose summary says what was done (publish, replay, forget, compact, expire), to which
job and run date. Earlier states can be read until 'backhaul gc' lets them expire, after 7 days.

Every command brings this host's copy up to date first, and query, export, report, doctor and mcp are asked of that copy.
It can be removed when no command is at work on it, but for its folder kept: see 'backhaul help database'. Two hosts may publish
at once: whoever comes second begins anew on what the first has left.

DuckDB reads the store itself with catalog.sql, which lies beside the tables and is what 'backhaul connect' prints, and marts.sql
after it; its extension httpfs is needed. They say what there is when they are read: a session that stays open reads catalog.sql
again for the nights since. PyIceberg, and other programs by their JDBC catalogs, find the tables so:

  SqlCatalog("backhaul", uri="postgresql+psycopg2://user:password@host/name?options=-csearch_path%3Dbackhaul_lake",
             warehouse="s3://bucket/prefix")
  spark.sql.catalog.backhaul.type=jdbc
  spark.sql.catalog.backhaul.uri=jdbc:postgresql://host/name?currentSchema=backhaul_lake
  spark.sql.catalog.backhaul.warehouse=s3://bucket/prefix

Nobody else must write to the tables: a file that this program has not written is refused.
`
