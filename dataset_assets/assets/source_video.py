"""`source_video`: what a film is, found out by probing it."""

import dagster as dg

from dataset_assets.assets.failures import told_in_one_sentence
from dataset_assets.assets.gallery import page_follows
from dataset_assets.assets.limits import video_within_limits
from dataset_assets.assets.priority import give_way
from dataset_assets.assets.reporting import GROUP, column_schema
from dataset_assets.checks import COLOURS_TAGGED, check_result, check_specs
from dataset_assets.config import Settings
from dataset_assets.generate import probe_video
from dataset_assets.generate.checking import Verdict
from dataset_assets.generate.identity import CODE_VERSION
from dataset_assets.partitions import VIDEOS
from dataset_assets.tables import VIDEOS as VIDEOS_SCHEMA
from dataset_assets.tables import VideoRow

SOURCE_VIDEO = "source_video"

DESCRIPTION = """A film as it was probed: size, colour, frame rate, black bars.

One row for each video in `metadata/videos/`. Probing decodes a dozen keyframes spread over the film. A film
that must not be used (Dolby Vision profile 5, interlaced, audio only, ...) fails here with a sentence that
says how to mend it.

Materialise the partition again after the file was replaced; windows and patches then count as stale.
"""


@dg.asset(
    name=SOURCE_VIDEO,
    partitions_def=VIDEOS,
    group_name=GROUP,
    kinds={"ffmpeg", "parquet"},
    description=DESCRIPTION,
    code_version=CODE_VERSION,
    metadata={"dagster/column_schema": column_schema(VIDEOS_SCHEMA)},
    check_specs=check_specs(SOURCE_VIDEO, COLOURS_TAGGED),
)
def source_video(
    context: dg.AssetExecutionContext, dataset_config: dg.ResourceParam[Settings]
) -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster takes a subscripted one for a tuple
    """Probes a film."""
    give_way(dataset_config.base.nice)
    with (
        told_in_one_sentence(),
        page_follows(dataset_config, context.partition_key),
        video_within_limits(dataset_config, context.partition_key),
    ):
        row = probe_video(dataset_config, context.partition_key)
    verdict = Verdict(not row.warnings, "; ".join(row.warnings) or "nothing guessed", len(row.warnings))
    return dg.MaterializeResult(
        metadata=_metadata(context.partition_key, row),
        data_version=dg.DataVersion(row.fingerprint),
        check_results=[check_result(SOURCE_VIDEO, COLOURS_TAGGED, verdict)],
    )


def _metadata(key: str, row: VideoRow) -> dict[str, dg.MetadataValue]:
    return {
        "video": dg.MetadataValue.text(key),
        "duration_s": dg.MetadataValue.float(round(row.duration_s or 0.0, 2)),
        "gigabytes": dg.MetadataValue.float(round(row.size_bytes / 1e9, 3)),
        "size": dg.MetadataValue.text(f"{row.width}x{row.height}, {row.codec}, {row.bit_depth} bit"),
        "colour": dg.MetadataValue.text(
            f"{(row.hdr_format or 'sdr').upper()}, "
            f"{row.color_primaries}/{row.color_transfer}/{row.color_space}, "
            f"{'full' if row.color_range == 'pc' else 'limited'} range"
        ),
        "working_frame": dg.MetadataValue.text(f"{row.working_width}x{row.working_height}"),
        "active_area": dg.MetadataValue.text(
            f"{row.active_width}x{row.active_height} at ({row.active_x}, {row.active_y})"
        ),
        "warnings": dg.MetadataValue.text("; ".join(row.warnings) or "none"),
        "path": dg.MetadataValue.path(row.path),
    }
