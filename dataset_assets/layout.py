"""Where everything of a data set lies, relative to its folder.

Used by `dataset`, which everybody else asks, and by `config`, which reads the register of watched films
before there is a data set to ask. Category folders are not here: the configuration names them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

METADATA: Final = Path("metadata")
REGISTER: Final = METADATA / "watched.json"
PICTURES: Final = METADATA / "pictures"
LOCKS: Final = METADATA / ".locks"
JOURNALS: Final = METADATA / ".journals"
PROGRESS: Final = METADATA / ".progress"
FAILURES: Final = METADATA / ".failures"
STATISTICS_DUE: Final = METADATA / ".stats-due"
GALLERY: Final = Path("gallery")
DAGSTER_HOME: Final = Path(".dagster")
# In a category's folder: made for the user, who fills it.
VALIDATION: Final = Path("Val", "GT")
