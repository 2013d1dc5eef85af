"""The catalog of a warehouse in an object store, as the other scripts here open it by PyIceberg."""

import os

from pyiceberg.catalog.sql import SqlCatalog


def open_catalog(address, warehouse, endpoint):
    """Opens the catalog in the PostgreSQL at an address, of the store at another, whose S3 is at the endpoint."""
    return SqlCatalog(
        "backhaul", uri=address.replace("postgres://", "postgresql+psycopg2://") + "?options=-csearch_path%3Dbackhaul_lake", warehouse=warehouse,
        **{"s3.endpoint": endpoint, "s3.access-key-id": os.environ["AWS_ACCESS_KEY_ID"], "s3.secret-access-key": os.environ["AWS_SECRET_ACCESS_KEY"], "s3.region": "us-east-1"})
