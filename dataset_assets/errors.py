"""Errors that a user can cause and correct.

Each has what is wrong and where, and the remedy, so that a page can show them apart; its text is both. The
command line shows the text without a traceback; Dagster shows it as the run's failure. Not here: defects,
which is anything else that is raised.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

# Parts of remedies whose right words depend on where the film comes from: `config.fitting_remedy` replaces
# them where the video's entry is known.
LEAVE_OUT: Final = "leave it out"
CORRECT_PATH: Final = "name the right file"
BRING_BACK: Final = "bring the file back"


class DatasetAssetsError(Exception):
    """Base of every error whose message is meant for the user.

    Attributes:
        what: What is wrong, and where.
        remedy: What to do about it; empty where `what` holds it.
    """

    def __init__(self, what: str, remedy: str) -> None:
        self.what = what
        self.remedy = remedy
        super().__init__(what, remedy)

    def __str__(self) -> str:
        return "; ".join(filter(None, (self.what, self.remedy)))


class ConfigError(DatasetAssetsError):
    """A configuration file holds one or more mistakes.

    Attributes:
        problems: One message per mistake, each with file, place and remedy; never empty.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(self.problems), "")
        self.args = (self.problems,)  # pickle makes the copy of them

    @property
    def summary(self) -> str:
        """The first mistake, and how many more there are, in one line."""
        others = len(self.problems) - 1
        more = f" ({others} more: `dataset-assets doctor` lists all)" if others else ""
        return " ".join(self.problems[0].split()) + more


class DamagedTableError(DatasetAssetsError):
    """A table does not hold what was written, or was not written by dataset_assets: it has to be rebuilt."""


class VideoError(DatasetAssetsError):
    """A video cannot be read, or must not be used: missing, not a film, or its colours would be wrong."""


class UnreachableFileError(VideoError):
    """A video's file is absent, or this machine may not see it; another machine may reach it."""


class SourceLostError(VideoError):
    """The disk that holds a video fails or is away: the file may be readable later."""


class SourceChangedError(VideoError):
    """A video's file is not the one that the run began with."""


class MissingWindowsError(DatasetAssetsError):
    """Patches were requested, but the video has no finished windows to replay."""


class BusyError(DatasetAssetsError):
    """Another run works on the same video."""


class ReplacingError(DatasetAssetsError):
    """Many finished patches would be deleted or made again, and nobody said that this is wanted."""


class SpaceError(DatasetAssetsError):
    """The disk that holds the data set has too little space."""
