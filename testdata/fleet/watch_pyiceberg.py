"""Reads tables of a warehouse in an object store by PyIceberg, over and over, until its input ends.

    watch_pyiceberg.py POSTGRES WAREHOUSE ENDPOINT TABLE...

Prints a line of JSON for each reading: the table, and how many rows it has of each night.
"""

import collections
import json
import sys
import threading

from store_pyiceberg import open_catalog


def main(address, warehouse, endpoint, tables):
    catalog = open_catalog(address, warehouse, endpoint)
    over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
    while not over.is_set():
        for name in tables:
            nights = catalog.load_table(name).scan(selected_fields=("run_date",)).to_arrow()["run_date"]
            print(json.dumps({"table": name, "nights": collections.Counter(str(night) for night in nights.to_pylist())}), flush=True)


main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:])
