"""What a step that works on a video begins with, whatever it makes.

Not here: each of its parts (`runs`, `priority`), and what a step's failure shows (`failures`).
"""

import dagster as dg

from dataset_assets.assets.failures import failing_once
from dataset_assets.assets.priority import give_way
from dataset_assets.assets.runs import note_host, video_of_step
from dataset_assets.config import Settings


def begin_step(context: dg.AssetExecutionContext, settings: Settings) -> str:
    """Return the key of the video that a step works on, note its machine and give way to other programs.

    Raises:
        dg.Failure: The run is of no video, or of checks alone.
    """
    with failing_once():
        key = video_of_step(context)
    note_host(context)
    give_way(settings.base.nice)
    return key
