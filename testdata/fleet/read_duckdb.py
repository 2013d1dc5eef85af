"""Reads a warehouse in an object store by the scripts that lie in it, with DuckDB and its extension httpfs.

    read_duckdb.py WAREHOUSE ENDPOINT QUESTION...

WAREHOUSE is the store's address, ENDPOINT that of the S3. Prints the answers, as JSON: of each question its rows, as texts. Then, for each
line that it reads, those of a session that reads catalog.sql once more.
"""

import json
import os
import sys

import duckdb
from duckdb_extensions import import_extension


def main(warehouse, endpoint, questions):
    import_extension("httpfs")
    session = duckdb.connect()
    session.execute("LOAD httpfs")
    session.execute(
        f"CREATE SECRET (TYPE s3, KEY_ID '{os.environ['AWS_ACCESS_KEY_ID']}', SECRET '{os.environ['AWS_SECRET_ACCESS_KEY']}', REGION 'us-east-1', "
        f"ENDPOINT '{endpoint.removeprefix('http://')}', URL_STYLE 'path', USE_SSL false)")

    def read(name):
        (text,) = session.execute("SELECT content FROM read_text(?)", [f"{warehouse}/{name}"]).fetchone()
        session.execute(text)

    def answer():
        print(json.dumps([[[str(v) for v in row] for row in session.execute(q).fetchall()] for q in questions]), flush=True)

    read("catalog.sql")
    read("marts.sql")
    answer()
    for _ in sys.stdin:
        read("catalog.sql")
        answer()


main(sys.argv[1], sys.argv[2], sys.argv[3:])
