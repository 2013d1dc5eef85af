"""Reads the tables of a warehouse in an object store by PyIceberg, and compares them with a host's copy and with yesterday.

    read_pyiceberg.py POSTGRES WAREHOUSE ENDPOINT COPY TABLE...

POSTGRES is the address of the database with the catalog, WAREHOUSE the store's, COPY the directory of a host's copy. Prints, as JSON,
how many rows each table has, and how many each of its snapshots had, with what that one says it did.
"""

import glob
import json
import os
import sys

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from store_pyiceberg import open_catalog


def rows(table):
    """The rows as texts, in one order, whatever order they came in."""
    names = sorted(table.column_names)
    return sorted(json.dumps(row, default=str, sort_keys=True) for row in table.select(names).to_pylist())


def main(address, warehouse, endpoint, copy, tables):
    catalog = open_catalog(address, warehouse, endpoint)
    said = {}
    for name in tables:
        table = catalog.load_table(name)
        now = table.scan().to_arrow()
        files = glob.glob(os.path.join(copy, "lake", *name.split("."), "month=2*", "*.parquet"))
        beside = pa.concat_tables([pq.read_table(f, partitioning=None) for f in files], promote_options="permissive")
        if rows(now) != rows(beside):
            sys.exit(f"{name}: {now.num_rows} rows by the catalog are not the {beside.num_rows} of the copy")
        some = table.scan(row_filter="run_date = '2026-10-05'").to_arrow()
        if some.num_rows != pc.sum(pc.equal(now["run_date"].cast(pa.string()), "2026-10-05")).as_py():
            sys.exit(f"{name}: a night has {some.num_rows} rows")
        said[name] = {"rows": now.num_rows, "snapshots": [
            {"did": s.summary.additional_properties.get("backhaul.did"), "date": s.summary.additional_properties.get("backhaul.run-date"),
             "run": s.summary.additional_properties.get("backhaul.run-id"), "rows": table.scan(snapshot_id=s.snapshot_id).to_arrow().num_rows}
            for s in table.snapshots()]}
    print(json.dumps(said))


main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4], sys.argv[5:])
