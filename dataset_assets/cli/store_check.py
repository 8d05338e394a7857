"""Whether an object store does what a data set in it needs: tried with an object that is deleted again."""

from __future__ import annotations

import time
import uuid
from typing import Final

from dataset_assets.errors import DatasetAssetsError
from dataset_assets.object_store import ObjectStore

# An answer is waited for, but not for long: somebody sits there.
RETRY_S: Final = 5.0
# Stores give whole seconds, and requests take time.
MOST_AHEAD_S: Final = 5.0
_NEWER = "use a store with conditional writes, or a newer release of this one"


def check_store(url: str) -> str:
    """Write, replace, list, read and delete an object, also where that must be refused.

    Returns:
        What was found, in words.

    Raises:
        DatasetAssetsError: The store cannot be used, and why.
    """
    store, name = ObjectStore(url, retry_s=RETRY_S), f"metadata/.doctor/{uuid.uuid4().hex}"
    first = store.create(name, b"first")
    try:
        if store.create(name, b"second") is not None:
            raise DatasetAssetsError(f"{url} overwrites what may only be created (If-None-Match)", _NEWER)
        second = store.replace(name, b"second", first or "")
        if second is None:
            raise DatasetAssetsError(f"{url} does not replace an object by its ETag (If-Match)", _NEWER)
        if store.replace(name, b"third", first or "") is not None:
            raise DatasetAssetsError(f"{url} overwrites what was replaced meanwhile (If-Match)", _NEWER)
        found = store.get(name)
        listed = [each.etag for each in store.objects("metadata/.doctor") if each.name == name]
        if found is None or found[1] != b"second" or listed != [second]:
            raise DatasetAssetsError(
                f"{url} does not show at once what was written to it", "use a store that is consistent"
            )
        ahead_s = time.time() - found[0].written_s
        if abs(ahead_s) > MOST_AHEAD_S:
            way = "ahead of" if ahead_s > 0 else "behind"
            raise DatasetAssetsError(
                f"this machine's clock is {abs(ahead_s):.0f} s {way} that of {url}",
                "let it follow a time server (timedatectl set-ntp true): signs of life are counted by it",
            )
    finally:
        store.delete([name])
    if store.get(name) is not None:
        raise DatasetAssetsError(f"{url} does not delete objects", "allow s3:DeleteObject")
    return f"{url}: writes, conditions, lists and deletes work"
