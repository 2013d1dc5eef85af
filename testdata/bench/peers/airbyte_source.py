"""Buys every list of anchors with Airbyte's CDK, eight at a time, as the messages it hands to a destination: URL TARGETS OUT

What the destination costs, which would write Parquet, is not in it.
"""

import json
import os
import sys

from airbyte_cdk.entrypoint import launch
from airbyte_cdk.models import ConfiguredAirbyteCatalogSerializer
from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource

url, targets, out = sys.argv[1:]
with open(targets) as f:
    names = f.read().split()[1:]

stream = {
    "type": "DeclarativeStream",
    "name": "anchor_text",
    "schema_loader": {
        "type": "InlineSchemaLoader",
        "schema": {
            "type": "object",
            "properties": {"anchor_text": {"type": "string"}, "external_root_domains": {"type": "integer"}, "external_pages": {"type": "integer"}, "target": {"type": "string"}},
        },
    },
    "retriever": {
        "type": "SimpleRetriever",
        "requester": {
            "type": "HttpRequester",
            "url_base": url,
            "path": "/anchor_text",
            "http_method": "POST",
            "request_headers": {"x-moz-token": "secret-token"},
            "request_body_json": {"target": "{{ stream_partition.target }}", "scope": "root_domain", "limit": 50},
        },
        "record_selector": {"type": "RecordSelector", "extractor": {"type": "DpathExtractor", "field_path": ["results"]}},
        "paginator": {
            "type": "DefaultPaginator",
            "page_token_option": {"type": "RequestOption", "inject_into": "body_json", "field_name": "next_token"},
            "pagination_strategy": {"type": "CursorPagination", "cursor_value": "{{ response.next_token }}", "stop_condition": "{{ not response.next_token }}"},
        },
        "partition_router": {"type": "ListPartitionRouter", "cursor_field": "target", "values": names},
    },
    "transformations": [{"type": "AddFields", "fields": [{"type": "AddedFieldDefinition", "path": ["target"], "value": "{{ stream_partition.target }}"}]}],
}
manifest = {
    "version": "6.0.0",
    "type": "DeclarativeSource",
    "check": {"type": "CheckStream", "stream_names": ["anchor_text"]},
    "concurrency_level": {"type": "ConcurrencyLevel", "default_concurrency": 8},
    "streams": [stream],
    "spec": {"type": "Spec", "connection_specification": {"type": "object", "properties": {}}},
}
catalog = {
    "streams": [
        {"stream": {"name": "anchor_text", "json_schema": stream["schema_loader"]["schema"], "supported_sync_modes": ["full_refresh"]}, "sync_mode": "full_refresh", "destination_sync_mode": "append"}
    ]
}
for name, value in (("config", {}), ("catalog", catalog)):
    with open(f"{out}.{name}", "w") as f:
        json.dump(value, f)
source = ConcurrentDeclarativeSource(catalog=ConfiguredAirbyteCatalogSerializer.load(catalog), config={}, state=[], source_config=manifest)
with open(out, "w") as f:
    os.dup2(f.fileno(), 1)  # the messages go by the descriptor
launch(source, ["read", "--config", out + ".config", "--catalog", out + ".catalog"])
