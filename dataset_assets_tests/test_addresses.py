"""Addresses of films: what is one, and what is refused without repeating a secret."""

from __future__ import annotations

import pytest

from dataset_assets.addresses import Address, is_address

SECRET = "s3cr3t"


@pytest.mark.parametrize(
    ("text", "store", "key"),
    [
        ("s3://films/a/b c.mkv", "s3://films", "a/b c.mkv"),
        ("s3://films/100%25 #1?.mkv", "s3://films", "100%25 #1?.mkv"),
        ("S3://films/a.mkv", "s3://films", "a.mkv"),
        ("https://host/a/b%20c.mkv", "https://host", "a/b c.mkv"),
        ("https://Host:8443/f%C3%BCr%3F.mkv", "https://host:8443", "für?.mkv"),
        ("http://[::1]:9000/für.mkv", "http://[::1]:9000", "für.mkv"),
    ],
)
def test_an_address_has_a_store_and_a_key(text: str, store: str, key: str) -> None:
    address = Address.parse(text)
    assert (address.store, address.key, str(address)) == (store, key, text)
    assert address.name == key.rpartition("/")[2]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f"https://me:{SECRET}@host/a.mkv", "holds a user name or a password; leave it out"),
        (f"s3://key:{SECRET}@films/a.mkv", "holds a user name or a key before the bucket"),
        (f"https://films.s3.amazonaws.com/a.mkv?X-Amz-Signature={SECRET}", "holds a query"),
        ("https://host/a.mkv#t=10", "holds a fragment"),
        ("https:///a.mkv", "has no name of a server"),
        ("https://host:x/a.mkv", "has no name of a server"),
        ("https://host", "is the address of a folder"),
        ("https://host/films/", "is the address of a folder"),
        ("s3://films", "is the address of a folder"),
        ("s3:///a.mkv", "has no name of a bucket"),
        ("s3://films/a//b.mkv", "an empty part"),
        ("https://host/a/%2E%2E/b.mkv", "an empty part"),
        ("https://host/a%00.mkv", "unprintable"),
        ("s3://films/" + "a" * 1100, "more than 1024 bytes"),
        ("ftp://host/a.mkv", "is no address"),
    ],
)
def test_what_is_no_film_or_holds_a_secret_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as found:
        Address.parse(text)
    assert SECRET not in str(found.value)


@pytest.mark.parametrize("text", ["film.mkv", "./s3://a/b", "s3:a", "C:film.mkv", "concat:a|b", "file:///a"])
def test_a_path_is_no_address(text: str) -> None:
    assert not is_address(text)
