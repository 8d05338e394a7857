"""The configuration with the films that appeared in watched folders, which one machine at a time registers.

Not here: searching the folders and the register itself (`config.watch`).
"""

from __future__ import annotations

from contextlib import nullcontext

from dataset_assets.config import Look, Settings, look_for_films
from dataset_assets.dataset.data_set import DataSet


def look_for_new_films(settings: Settings, *, is_kept: bool = True) -> Look:
    """Search the watched folders, as `look_for_films` does; with many machines one after another.

    Args:
        settings: The configuration.
        is_kept: Whether the films found are registered in the data set.

    Raises:
        ConfigError: The register is damaged.
        DatasetAssetsError: The data set is made in another way than the configuration says.
    """
    registers = is_kept and bool(settings.watch)
    with DataSet.of(settings).alone("register") if registers else nullcontext():
        return look_for_films(settings, is_kept=is_kept)
