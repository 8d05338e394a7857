"""The contents of a data set's folder: tables, triplets, locks, leases, journals, progress, failures.

`DataSet` is the interface; only this package knows a path below the folder, or makes a store of tables. Not
here: how a film becomes windows and patches (`generate`), Dagster.

Example:
    from dataset_assets.dataset import DataSet

    data_set = DataSet(Path("dataset"))
    for triplet in data_set.triplets():
        print(triplet.video, data_set.folder / triplet.paths.gt)
"""

from dataset_assets.dataset.accepted import AcceptedWindows, signature_hash
from dataset_assets.dataset.at_work import AtWork
from dataset_assets.dataset.census_file import keep_census, read_census
from dataset_assets.dataset.completion import Completion, windows_to_do
from dataset_assets.dataset.copying import COPY_AGE_S
from dataset_assets.dataset.curation_file import keep_curation, kept_curation
from dataset_assets.dataset.data_set import DataSet
from dataset_assets.dataset.data_set_id import keep_data_set_id, refuse_other_data_set
from dataset_assets.dataset.degraded import (
    current_degraded,
    degradation_hash,
    degradation_steps,
    degraded_file,
    degraded_path,
    named_degraded,
    read_recorded,
    with_degraded,
)
from dataset_assets.dataset.duplicates import Duplicates, current_duplicates, duplicates_of
from dataset_assets.dataset.excluded_windows import ExcludedWindows
from dataset_assets.dataset.failures import Failure, newest
from dataset_assets.dataset.holding import OnBusy, refuse_to_wait
from dataset_assets.dataset.hosts import HostRecord, clock_ahead_s
from dataset_assets.dataset.identity import (
    PATCHES_VERSION,
    SOURCE_VERSION,
    WINDOWS_VERSION,
    SettingsHashes,
    irrelevant_by_row,
    irrelevant_settings,
    patch_hashes,
    patches_hashes,
    sequence_hashes,
    source_hashes,
    windows_hashes,
)
from dataset_assets.dataset.journal import Journal
from dataset_assets.dataset.leases import LOST_LEASE_EXIT_CODE, Beat, Holder
from dataset_assets.dataset.new_films import look_for_new_films
from dataset_assets.dataset.overview import Overview
from dataset_assets.dataset.patch_facts import judge, patch_columns
from dataset_assets.dataset.pictures import (
    REJECTED_PICTURES,
    VideoPictures,
    encode_picture,
    picture_name,
)
from dataset_assets.dataset.progress import Progress, ProgressFile, eta_s, windows_per_s
from dataset_assets.dataset.reading import read_frames
from dataset_assets.dataset.scores import current_scores
from dataset_assets.dataset.selection import Selection, invalid_curation, select
from dataset_assets.dataset.set_apart import Side, is_near, shows_set_apart, sides_of
from dataset_assets.dataset.shortfalls import shortfall
from dataset_assets.dataset.statistics import DatasetStats, Totals, reasons_text
from dataset_assets.dataset.status import (
    CODE_CHANGED,
    EXCLUSIONS_CHANGED,
    SOURCE,
    SOURCE_CHANGED,
    WINDOWS,
    AssetStatus,
    has_other_cap,
)
from dataset_assets.dataset.strata import VERSION as STRATA_VERSION
from dataset_assets.dataset.strata import patches_hashes as strata_patches_hashes
from dataset_assets.dataset.strata import windows_hashes as strata_windows_hashes
from dataset_assets.dataset.strays import FileSample, Strays, files_without_row
from dataset_assets.dataset.table_store import TableStore
from dataset_assets.dataset.triplets import (
    FILE_NAME,
    Triplet,
    TripletFile,
    TripletPaths,
    content_hash,
    patch_id,
    triplet_files,
    triplet_paths,
    window_name,
)
from dataset_assets.dataset.val_files import Decided
from dataset_assets.dataset.validation import Validation, ValidationPatch
from dataset_assets.dataset.wanted import wanted_statuses
from dataset_assets.dataset.work import VideoWork
from dataset_assets.dataset.working_frames import (
    active_area,
    is_scaled_down,
    share_held,
    true_resolution,
    what_it_holds,
)

__all__ = [
    "CODE_CHANGED",
    "COPY_AGE_S",
    "EXCLUSIONS_CHANGED",
    "FILE_NAME",
    "LOST_LEASE_EXIT_CODE",
    "PATCHES_VERSION",
    "REJECTED_PICTURES",
    "SOURCE",
    "SOURCE_CHANGED",
    "SOURCE_VERSION",
    "STRATA_VERSION",
    "WINDOWS",
    "WINDOWS_VERSION",
    "AcceptedWindows",
    "AssetStatus",
    "AtWork",
    "Beat",
    "Completion",
    "DataSet",
    "DatasetStats",
    "Decided",
    "Duplicates",
    "ExcludedWindows",
    "Failure",
    "FileSample",
    "Holder",
    "HostRecord",
    "Journal",
    "OnBusy",
    "Overview",
    "Progress",
    "ProgressFile",
    "Selection",
    "SettingsHashes",
    "Side",
    "Strays",
    "TableStore",
    "Totals",
    "Triplet",
    "TripletFile",
    "TripletPaths",
    "Validation",
    "ValidationPatch",
    "VideoPictures",
    "VideoWork",
    "active_area",
    "clock_ahead_s",
    "content_hash",
    "current_degraded",
    "current_duplicates",
    "current_scores",
    "degradation_hash",
    "degradation_steps",
    "degraded_file",
    "degraded_path",
    "duplicates_of",
    "encode_picture",
    "eta_s",
    "files_without_row",
    "has_other_cap",
    "invalid_curation",
    "irrelevant_by_row",
    "irrelevant_settings",
    "is_near",
    "is_scaled_down",
    "judge",
    "keep_census",
    "keep_curation",
    "keep_data_set_id",
    "kept_curation",
    "look_for_new_films",
    "named_degraded",
    "newest",
    "patch_columns",
    "patch_hashes",
    "patch_id",
    "patches_hashes",
    "picture_name",
    "read_census",
    "read_frames",
    "read_recorded",
    "reasons_text",
    "refuse_other_data_set",
    "refuse_to_wait",
    "select",
    "sequence_hashes",
    "share_held",
    "shortfall",
    "shows_set_apart",
    "sides_of",
    "signature_hash",
    "source_hashes",
    "strata_patches_hashes",
    "strata_windows_hashes",
    "triplet_files",
    "triplet_paths",
    "true_resolution",
    "wanted_statuses",
    "what_it_holds",
    "window_name",
    "windows_hashes",
    "windows_per_s",
    "windows_to_do",
    "with_degraded",
]
