"""The curation in force, kept in the data set for those who read it without the configuration.

`TripletDataset` is given a folder alone. Nothing is kept while the configuration names no condition: then
those by default hold, of the release that reads. Not here: what curation is (`config.curation`), and
selecting by it (`selection`).
"""

from __future__ import annotations

import json
from pathlib import Path

from dataset_assets import layout
from dataset_assets.config import Curation, Settings
from dataset_assets.disk import make_folder, own_writer, replacing
from dataset_assets.errors import DatasetAssetsError


def keep_curation(settings: Settings) -> None:
    """Keep the curation of a configuration in its data set; nothing is written where it is kept already.

    Args:
        settings: The configuration.

    Raises:
        OSError: The disk is full or cannot be written.
    """
    folder, curation = settings.base.output_base_dir, settings.curation
    path = folder / layout.CURATION
    if not curation and not path.exists():
        return
    content = (json.dumps(dict(sorted(curation.items())), indent=2, ensure_ascii=False) + "\n").encode()
    if path.exists() and path.read_bytes() == content:
        return
    make_folder(path.parent, folder)
    # Several machines, or runs of one, may do so at once.
    with replacing(path, writer=own_writer()) as file:
        file.write(content)


def kept_curation(folder: Path) -> Curation:
    """Return the curation that is kept in a data set; without conditions where none is.

    Args:
        folder: The data set's folder.

    Raises:
        DatasetAssetsError: The file is damaged, or cannot be read.
    """
    path = folder / layout.CURATION
    try:
        kept = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise _damaged(path) from error
    if not (isinstance(kept, dict) and all(each is None or isinstance(each, str) for each in kept.values())):
        raise _damaged(path)
    return kept


def _damaged(path: Path) -> DatasetAssetsError:
    return DatasetAssetsError(
        f"The curation of the data set ({path}) cannot be read",
        "run `dataset-assets curate`, which writes it again.",
    )
