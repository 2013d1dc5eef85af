"""The contract's names of Arrow's types, for the readers that speak Arrow."""

import pyarrow as pa

NAMES = {
    pa.string(): "VARCHAR",
    pa.large_string(): "VARCHAR",
    pa.string_view(): "VARCHAR",
    pa.bool_(): "BOOLEAN",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.float64(): "DOUBLE",
    pa.date32(): "DATE",
    pa.timestamp("us"): "TIMESTAMP",
}


def name(arrow_type):
    if pa.types.is_list(arrow_type) or pa.types.is_large_list(arrow_type) or pa.types.is_list_view(arrow_type):
        return name(arrow_type.value_type) + "[]"
    return NAMES.get(arrow_type, str(arrow_type))


def columns(schema):
    return {field.name: name(field.type) for field in schema if field.name != "month"}
