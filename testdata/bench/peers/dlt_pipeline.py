"""Buys every list of anchors with dlt, eight at a time, into Parquet files: URL TARGETS OUT"""

import os
import sys

url, targets, out = sys.argv[1:]
os.environ.update(
    RUNTIME__DLTHUB_TELEMETRY="false",  # nothing leaves this machine
    EXTRACT__WORKERS="8",
    DLT_DATA_DIR=out + ".dlt",
    NORMALIZE__DATA_WRITER__DISABLE_COMPRESSION="true",
)

import dlt
from dlt.sources.helpers.rest_client import RESTClient
from dlt.sources.helpers.rest_client.paginators import JSONResponseCursorPaginator

client = RESTClient(base_url=url, headers={"x-moz-token": "secret-token"})


@dlt.resource
def lists():
    with open(targets) as f:
        yield from f.read().split()[1:]


@dlt.transformer(data_from=lists, parallelized=True, name="anchor_text", columns={"target": {"data_type": "text"}})
def anchors(target):
    def pages():
        paginator = JSONResponseCursorPaginator(cursor_path="next_token", cursor_body_path="next_token")
        ask = {"target": target, "scope": "root_domain", "limit": 50}
        for page in client.paginate("/anchor_text", method="POST", json=ask, paginator=paginator, data_selector="results"):
            yield [row | {"target": target} for row in page]

    return pages()


pipeline = dlt.pipeline("bench", pipelines_dir=out + ".state", dataset_name="bench", destination=dlt.destinations.filesystem(bucket_url="file://" + out))
pipeline.run(anchors, loader_file_format="parquet")
