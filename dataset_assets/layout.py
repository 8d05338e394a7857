"""The paths of a data set, relative to its folder.

Used by `dataset`, the interface for all others, and by `config`, which reads the register of watched films
before there is a `DataSet`. Not here: category folders, which the configuration names.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

METADATA: Final = Path("metadata")
REGISTER: Final = METADATA / "watched.json"
PICTURES: Final = METADATA / "pictures"
DUPLICATES: Final = METADATA / "duplicates"
EXCLUDED_WINDOWS: Final = METADATA / "excluded"
CENSUS: Final = METADATA / ".census.parquet"
CURATION: Final = METADATA / "curation.json"
VALIDATION_TABLES: Final = METADATA / "validation"
LOCKS: Final = METADATA / ".locks"
LEASES: Final = METADATA / ".leases"
HOSTS: Final = METADATA / ".hosts"
MACHINES: Final = METADATA / ".machines"
DATA_SET: Final = METADATA / ".data_set"
MIRROR: Final = METADATA / ".mirror"
JOURNALS: Final = METADATA / ".journals"
PROGRESS: Final = METADATA / ".progress"
FAILURES: Final = METADATA / ".failures"
STATISTICS_DUE: Final = METADATA / ".stats-due"
GALLERY: Final = Path("gallery")
EXPORTS: Final = Path("exports")
DAGSTER_HOME: Final = Path(".dagster")
# In a category's folder: made for the user, who fills it.
VALIDATION: Final = Path("Val", "GT")
