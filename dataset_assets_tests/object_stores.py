"""An object store of the test's own, and what is in it, read by boto3 and pyarrow alone."""

from __future__ import annotations

import hashlib
import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch
from urllib.request import Request, urlopen

import boto3
import pyarrow.parquet as pq
import pytest
from moto.server import ThreadedMotoServer

from dataset_assets_tests.configurations import MOMENTS

BUCKET = "films"
URL = f"s3://{BUCKET}/sets/one"
PREFIX = "sets/one/"
_FILES = ("gt_path", "lr5_path", "lr7_path", "gt7_path")


class Bucket:
    """A bucket, seen without the project's code."""

    def __init__(self, endpoint: str, name: str = BUCKET) -> None:
        self.endpoint = endpoint
        self.client: Any = boto3.client(
            "s3",
            endpoint_url=endpoint,
            aws_access_key_id="tests",
            aws_secret_access_key="tests",
            region_name="us-east-1",
        )
        self.name = name

    def names(self, prefix: str = PREFIX) -> list[str]:
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        return [each["Key"].removeprefix(PREFIX) for page in pages for each in page.get("Contents", ())]

    def read(self, name: str) -> bytes:
        content: bytes = self.client.get_object(Bucket=self.name, Key=PREFIX + name)["Body"].read()
        return content

    def write(self, name: str, content: bytes) -> None:
        self.client.put_object(Bucket=self.name, Key=PREFIX + name, Body=content)

    def delete(self, name: str) -> None:
        self.client.delete_object(Bucket=self.name, Key=PREFIX + name)

    def moments(self) -> dict[str, Any]:
        """When each object was written, by its name."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=PREFIX)
        found = (each for page in pages for each in page.get("Contents", ()))
        return {each["Key"].removeprefix(PREFIX): each["LastModified"] for each in found}

    def pictures(self) -> dict[str, str]:
        """Hash of every PNG, by its name."""
        return {
            name: hashlib.sha256(self.read(name)).hexdigest()
            for name in self.names()
            if name.endswith(".png")
        }

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Rows of every table by its name, without the moments of making them."""
        return {
            name: [
                {column: value for column, value in row.items() if column not in MOMENTS}
                for row in pq.ParquetFile(io.BytesIO(self.read(name))).read().to_pylist()
            ]
            for name in self.names()
            if name.endswith(".parquet")
        }

    def named(self) -> set[str]:
        """The files that rows name."""
        return {
            row[column]
            for name, rows in self.tables().items()
            if name.startswith(("metadata/patches/", "metadata/degradations/"))
            for row in rows
            for column in (*_FILES, "lr7d_path")
            if row.get(column) is not None
        }

    def noted(self) -> set[str]:
        """The files that journals record."""
        found: set[str] = set()
        for name in self.names(PREFIX + "metadata/.journals/"):
            for line in self.read(name).decode().splitlines():
                if line:
                    found.update(json.loads(line))
        return found

    def hold(self) -> None:
        """Holds what is there against the promises.

        Raises:
            AssertionError: A row lacks a file, or a file is in no row and no journal.
        """
        files, named = set(self.pictures()), self.named()
        assert named <= files, f"rows without files: {sorted(named - files)[:3]}"
        assert files <= named | self.noted(), f"files that nobody finds: {sorted(files - named)[:3]}"


@contextmanager
def object_store() -> Iterator[Bucket]:
    """Starts a store with an empty bucket; processes started meanwhile find it by the environment."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    bucket = Bucket(f"http://{host}:{port}")
    # All servers of a process share what they hold.
    urlopen(Request(f"{bucket.endpoint}/moto-api/reset", method="POST")).close()
    bucket.client.create_bucket(Bucket=BUCKET)
    environment = {
        "AWS_ACCESS_KEY_ID": "tests",
        "AWS_SECRET_ACCESS_KEY": "tests",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": bucket.endpoint,
    }
    from dataset_assets import object_store as module

    with patch.dict("os.environ", environment):
        module._opened.cache_clear()
        try:
            yield bucket
        finally:
            module._opened.cache_clear()
            server.stop()


@pytest.fixture
def bucket() -> Iterator[Bucket]:
    """An empty bucket."""
    with object_store() as found:
        yield found
