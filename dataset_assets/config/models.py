"""The settings: pydantic models, their defaults, and the rules between them.

Belongs here: what a configuration may contain and what it means, and all defaults. Not here: reading files
(loading.py) and places in them, and what is wrong between entries (contradictions.py).
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from pathlib import PurePosixPath, PureWindowsPath
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from dataset_assets.config.contradictions import MAX_WORKING_SIDE, NOTHING_TO_DEGRADE, contradictions
from dataset_assets.config.curation import DEFAULT_CURATION
from dataset_assets.config.degradations import Degradations
from dataset_assets.config.fields import FilmPlace, FolderPath, Ratio, Strict, Weights, mistake
from dataset_assets.config.keys import video_key
from dataset_assets.config.operation import EndedRuns, Nightly, WatchFolder
from dataset_assets.config.time_ranges import TimeRange, TimeRanges, time_ranges
from dataset_assets.errors import ConfigError
from dataset_assets.frames import DEFAULT_SCALE, FRAMES_PER_WINDOW, SCALES, FileKind

DEFAULT_CROP_CANDIDATES: Final = 3
_MIX_TOLERANCE = 1e-6
_STORE_ADDRESS: Final = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[^/\\?#\0-\x1f]+)*")
_OWN_FOLDERS = {"metadata": "the tables", "gallery": "the pages"}


def _inner_folder(value: str) -> str:
    """Return a relative folder in posix form; refuse one that leads outside."""
    path = PurePosixPath(value)
    outside = path.is_absolute() or PureWindowsPath(value).anchor or ".." in path.parts
    if outside or not path.parts or "\\" in value or "\0" in value:
        raise mistake(
            "leads out of the data set; use a relative folder without .. and with / between its parts"
        )
    return path.as_posix()


def _whole(mix: dict[str, float]) -> dict[str, float]:
    total = math.fsum(mix.values())
    if abs(total - 1) > _MIX_TOLERANCE:
        raise mistake(f"the shares sum to {total:.6g}; make them sum to 1")
    return mix


def _with_a_key(name: str) -> str:
    if not video_key(name):
        raise mistake("has no letter a-z and no digit to make a key from; add one, such as the year")
    return name


def _in_order(stacks: list[Literal[5, 7]]) -> list[Literal[5, 7]]:
    if not stacks:
        raise mistake("is empty; use [5], [7] or [5, 7]")
    if len(set(stacks)) < len(stacks):
        raise mistake("names a stack twice; use [5], [7] or [5, 7]")
    return sorted(stacks)


def _store_address(value: str) -> str:
    """Return an address without a slash at its end."""
    address = value.rstrip("/")
    # What is refused is not repeated: it may hold a password.
    if not _STORE_ADDRESS.fullmatch(address) or {".", ".."} & set(address.split("/")):
        raise mistake(
            "is not an address of an object store; use s3://bucket/prefix, with the credentials in the "
            "environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL)"
        )
    return address


InnerFolder = Annotated[str, AfterValidator(_inner_folder)]
LrStacks = Annotated[
    list[Literal[5, 7]],
    Field(json_schema_extra={"minItems": 1, "uniqueItems": True}),
    AfterValidator(_in_order),
]
FormatSide = Annotated[int, Field(ge=min(SCALES), le=MAX_WORKING_SIDE)]


class BaseSettings(Strict):
    """Settings for all videos and all categories."""

    output_base_dir: FolderPath = Field(
        description="Folder of the data set and its tables; relative to the configuration file's folder, "
        "~ is the home folder."
    )
    base_frame_limit: int = Field(
        default=1000,
        ge=1,
        description="Windows of a video in a category of weight 1; each gives `crops_per_window` triplets.",
    )
    max_workers: int = Field(
        default=2,
        ge=1,
        description="Videos at the same time, in `generate` and in Dagster; idle workers of `generate` help "
        "with the last videos.",
    )
    machines: Literal["one", "many"] = Field(
        default="one",
        description="Whether one machine makes the data set, or many at once, each working on films that no "
        "other holds (see docs/many-machines.md).",
    )
    lease_s: float = Field(
        default=60.0,
        ge=3,
        le=3600,
        description="With many machines: seconds without a sign of life after which another takes a film "
        "over. More than twice the time that a restart of the file server takes.",
    )
    output_url: Annotated[str, AfterValidator(_store_address)] | None = Field(
        default=None,
        description="Address `s3://bucket/prefix` of the data set in an object store, of which "
        "output_base_dir is this machine's copy then; machines must be many.",
    )
    nice: int = Field(
        default=0,
        ge=0,
        le=19,
        description="How much lower the priority of runs is than that of other programs: 0 the same, 19 only "
        "idle processor time.",
    )
    seed: int = Field(
        default=0,
        ge=0,
        description="Seed of all random choices; the same seed gives the same data set, byte for byte.",
    )
    max_attempts: int = Field(
        default=10,
        ge=1,
        le=100,
        description="Candidates that are tried of a video for each window that is wanted, on average, before "
        "the video stays short.",
    )
    sampling: Literal["keyframe", "uniform"] = Field(
        default="keyframe",
        description="Where a window starts: at the keyframe at or before the drawn time (fewest frames to "
        "decode), or exactly at the drawn time.",
    )
    cut_rule: Literal["both", "blocks", "legacy"] = Field(
        default="both",
        description="How cuts inside a window are detected: by the motion-compensated block test (blocks), "
        "by the mean difference of its first and last frame as in v2.0 (legacy), or by either.",
    )
    max_mean_abs_diff: float = Field(
        default=45.0,
        ge=0,
        le=255,
        description="A window is rejected when the mean absolute luma difference (8 bit) of its first and "
        "last frame reaches this.",
    )
    max_cut_score: float = Field(
        default=0.65,
        ge=0,
        description="A window is rejected when the block test's largest score exceeds this; 0 is the same "
        "picture moved, about 1 an unrelated picture or two blended ones.",
    )
    colour_order: Literal["exact", "fast"] = Field(
        default="exact",
        description="HDR only: tone-map at full size, then scale (exact, also correct for stars and neon), "
        "or scale first (fast, a quarter of the cost).",
    )
    scale: Literal[2, 3, 4] = Field(
        default=DEFAULT_SCALE,
        description="How many times smaller LR is than GT. It divides the sides of every format; a data set "
        "has one.",
    )
    lr_kernel: Literal["bicubic", "area", "lanczos", "gaussian"] = Field(
        default="bicubic",
        description="Kernel of the downscale: MATLAB's antialiased bicubic, box mean, Lanczos, or Gaussian "
        "blur of sigma 1.6 before decimation (BD).",
    )
    crop_candidates: int = Field(
        default=DEFAULT_CROP_CANDIDATES,
        ge=1,
        le=64,
        description="Places that are drawn for a crop, of which the one with the most detail is taken; large "
        "formats go to windows with detail all over. With 1 neither looks at the picture, as in v2.0.",
    )
    crops_per_window: int = Field(
        default=1,
        ge=1,
        le=16,
        description="Patches that a category crops from each of its windows, which do not overlap; fewer "
        "where the format leaves no room.",
    )
    lr_stacks: LrStacks = Field(
        default=[5, 7],
        description="LR stacks of a patch: of 5 frames (`LR_5frames`), of 7 (`LR_7frames`), or both as in "
        "v2.0. The 5 are frames 1 to 5 of the 7, pixel for pixel.",
    )
    gt_frames: Literal["middle", "all"] = Field(
        default="middle",
        description="Ground truth of a patch: the middle frame (`GT`), or all 7 beside it (`GT_7frames`, 7 "
        "times the bytes), for recurrent models.",
    )
    degradations: Degradations = Field(
        default_factory=list,
        description="Steps by which `degrade` makes degraded LR (`LR_7frames_degraded`) of `LR_7frames`, in "
        "their order (see docs/degradation.md).",
    )
    working_size: Literal["coded", "native"] = Field(
        default="coded",
        description="Size of the working frame: as the coded frame has it, or of a video that was enlarged "
        "no more than it holds (native).",
    )
    interlaced: Literal["refuse", "deinterlace"] = Field(
        default="refuse",
        description="What to do with a video whose frames are interlaced, whatever its flags are: refuse it, "
        "or deinterlace it (bwdif).",
    )
    checkpoint_every: int = Field(
        default=10,
        ge=1,
        description="Accepted windows between two commits; a killed run loses fewer than these.",
    )
    min_free_gb: float = Field(
        default=5.0,
        ge=0,
        description="Gigabytes (10^9 bytes) that must stay free on the disk of the data set.",
    )
    allow_replacing: bool = Field(
        default=False,
        description="Whether more than a tenth of the finished patches may be deleted or made again without "
        "being asked for by `generate --yes`: after a change of settings, or with a release whose code makes "
        "other patches.",
    )

    @model_validator(mode="after")
    def _many_machines_with_a_store(self) -> BaseSettings:
        if self.output_url is not None and self.machines != "many":
            raise mistake(
                'output_url needs machines: "many", since leases in the object store let one machine at a '
                "time write a film; set it"
            )
        return self

    @model_validator(mode="after")
    def _something_to_degrade(self) -> BaseSettings:
        if self.degradations and FRAMES_PER_WINDOW not in self.lr_stacks:
            raise mistake(NOTHING_TO_DEGRADE)
        return self

    @property
    def file_kinds(self) -> tuple[FileKind, ...]:
        """The files that each patch has, in the order of the columns."""
        wanted = {FileKind.GT, *(FileKind(f"LR_{frames}frames") for frames in self.lr_stacks)}
        if self.gt_frames == "all":
            wanted.add(FileKind.GT7)
        return tuple(kind for kind in FileKind if kind in wanted)


class VideoEntry(Strict):
    """One source file and its weight in each category."""

    name: Annotated[str, AfterValidator(_with_a_key)] = Field(
        description="Name of the video; its slug is the key, which must be unique."
    )
    path: FilmPlace = Field(
        description="The film's file, relative to the configuration file's folder, ~ is the home folder; or "
        "its address, `s3://bucket/key` or `https://host/path`. It need not exist yet."
    )
    categories: Weights = Field(
        description="Weight of the video in each category, 0 to 1; upper or lower case. A category that is "
        "not listed has 0."
    )
    exclude: TimeRanges = Field(
        default_factory=list,
        description='Ranges of film time that no window may touch, such as `["0:00-1:30", "-6:00-end"]`: '
        "`h:mm:ss.s`, `m:ss` or seconds, with `-` before them from the end on, which is `end`.",
    )

    @property
    def key(self) -> str:
        """The video's partition key: `[a-z0-9][a-z0-9-]*`, at most 100 characters."""
        return video_key(self.name)

    @property
    def excluded_ranges(self) -> tuple[TimeRange, ...]:
        """The ranges of `exclude`, in an order that does not depend on how they are written."""
        return time_ranges(self.exclude)


class WatchedVideo(VideoEntry):
    """A film that was found in a watched folder, without an entry in the file."""

    path: FolderPath


class Format(Strict):
    """A named size of crops."""

    width: FormatSide = Field(description="Width of the ground truth in pixels, divisible by `scale`.")
    height: FormatSide = Field(description="Height of the ground truth in pixels, divisible by `scale`.")
    folder: InnerFolder = Field(description="Folder of the triplets inside a category's folder.")

    @field_validator("folder")
    @classmethod
    def _leave_the_users_folder(cls, folder: str) -> str:
        if PurePosixPath(folder).parts[0].lower() == "val":
            raise mistake("Val belongs to the user's own validation pictures; use another folder")
        return folder


class Category(Strict):
    """A model's data set: its folder and its mix of formats."""

    folder: InnerFolder = Field(description="Folder of the category inside output_base_dir.")
    mix: Annotated[dict[str, Ratio], AfterValidator(_whole)] = Field(
        description="Share of each format in the category's triplets; the shares sum to 1."
    )
    degradations: Degradations | None = Field(
        default=None,
        description="Steps of this category instead of those of `base_settings`; `[]` for none.",
    )

    @field_validator("folder")
    @classmethod
    def _leave_the_products_folders(cls, folder: str) -> str:
        first = PurePosixPath(folder).parts[0].lower()
        if first in _OWN_FOLDERS:
            raise mistake(f"{first} belongs to {_OWN_FOLDERS[first]}; use another folder")
        return folder


_FORMATS: Final[Mapping[str, Format]] = {
    "small_540": Format(width=540, height=540, folder="Patches"),
    "medium_169": Format(width=720, height=405, folder="Patches_Medium169"),
    "large_720": Format(width=720, height=720, folder="Patches_Large"),
    "xlarge_1440": Format(width=1440, height=810, folder="Patches_XLarge169"),
    "fullhd_1920": Format(width=1920, height=1080, folder="Patches_FullHD"),
}


def default_formats(scale: int) -> dict[str, Format]:
    """Return the formats by default, by name: sides that the scale does not divide are rounded down to it."""
    return {
        name: each.model_copy(
            update={"width": each.width // scale * scale, "height": each.height // scale * scale}
        )
        for name, each in _FORMATS.items()
    }


DEFAULT_FORMATS: Final[Mapping[str, Format]] = default_formats(DEFAULT_SCALE)

DEFAULT_CATEGORIES: Final[Mapping[str, Category]] = {
    "general": Category(
        folder="Universal/Mastermodell/Learn", mix={"small_540": 0.45, "medium_169": 0.35, "large_720": 0.20}
    ),
    "space": Category(
        folder="Space/SpaceModel/Learn", mix={"small_540": 0.30, "xlarge_1440": 0.45, "fullhd_1920": 0.25}
    ),
    "toon": Category(folder="Toon/ToonModel/Learn", mix={"small_540": 0.65, "medium_169": 0.35}),
}


def _default_formats_of(validated: dict[str, Any]) -> dict[str, Format]:
    base = validated.get("base")
    return default_formats(base.scale if isinstance(base, BaseSettings) else DEFAULT_SCALE)


class Settings(BaseModel):
    """A complete configuration, with defaults and without contradictions."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    base: BaseSettings = Field(
        validation_alias="base_settings", description="Settings for all videos and all categories."
    )
    videos: tuple[VideoEntry, ...] = Field(
        description="The videos, each with its weights. The list may be empty if `watch` names a folder."
    )
    watch: tuple[WatchFolder, ...] = Field(
        default=(), description="Folders whose films are videos too, including films that are added later."
    )
    formats: dict[str, Format] = Field(
        default_factory=_default_formats_of,
        description="Formats by name, merged over the defaults: an entry needs only what differs from the "
        "default of its name, and null removes one.",
    )
    categories: dict[str, Category] = Field(
        default_factory=lambda: dict(DEFAULT_CATEGORIES),
        description="Categories by name, merged over the defaults: an entry needs only what differs from the "
        "default of its name, and null removes one.",
    )
    curation: dict[str, str | None] = Field(
        default={},
        description="Which patches of a category are worth training on: a condition in DuckDB's SQL over "
        "scores and tables (see docs/curation.md). Exports and loaders leave out others, which stay on the "
        f"disk. By default `{DEFAULT_CURATION}`; null takes all.",
    )
    nightly: Nightly = Field(default=Nightly(), description="What is made each night.")
    runs: EndedRuns = Field(default=EndedRuns(), description="What happens after runs.")

    @model_validator(mode="after")
    def _free_of_contradictions(self) -> Settings:
        raw = self.model_dump()
        videos, formats, categories, watch = (
            raw[name] for name in ("videos", "formats", "categories", "watch")
        )
        found = [
            message
            for _, message in contradictions(
                videos,
                formats,
                categories,
                watch,
                self.base.scale,
                is_in_store=self.base.output_url is not None,
                stacks=self.base.lr_stacks,
            )
        ]
        if found:
            raise mistake("; ".join(found))
        return self

    def video(self, key: str) -> VideoEntry:
        """Return the video with a key.

        Raises:
            ConfigError: No video has this key; the message lists near ones.
        """
        for entry in self.videos:
            if entry.key == key:
                return entry
        near = difflib.get_close_matches(key, [entry.key for entry in self.videos], n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(near)}?" if near else "`dataset-assets videos list` shows the keys"
        raise ConfigError([f"no video has the key {key!r}; {hint}"])

    def target(self, video: VideoEntry, category: str) -> int:
        """Return how many windows a category wants of a video: base_frame_limit x weight, half rounded up.

        Exact in decimals: 100 x 0.145 is 14.5 and gives 15, where binary floats would give 14.
        """
        return _share_of(self.base.base_frame_limit, float(video.categories.get(category, 0.0)))

    def window_target(self, video: VideoEntry) -> int:
        """Return how many windows are wanted of a video: the largest of its targets."""
        return max((self.target(video, category) for category in self.categories), default=0)

    def wanting(self, video: VideoEntry) -> list[str]:
        """Return the categories that want triplets of a video."""
        return [category for category in self.categories if self.target(video, category)]


@cache
def _share_of(limit: int, weight: float) -> int:
    return math.floor(limit * Fraction(repr(weight)) + Fraction(1, 2))
