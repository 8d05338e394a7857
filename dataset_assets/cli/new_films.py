"""The configuration with the films that appeared in watched folders, for commands that plan work.

Finding films is in `config`; this prints what was skipped and why, and what is not complete yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from dataset_assets.config import Settings
from dataset_assets.counting import are, counted
from dataset_assets.dataset import look_for_new_films


def with_new_films(settings: Settings, console: Console, *, is_kept: bool = True) -> Settings:
    """Search the watched folders.

    Args:
        settings: The configuration.
        console: Where problems, skipped films and films that are still being written are printed.
        is_kept: Whether the films found are registered in the data set.

    Raises:
        ConfigError: The register is damaged.
    """
    look = look_for_new_films(settings, is_kept=is_kept)
    for message in (*look.problems, *look.skipped, *_about_waiting(look.waiting)):
        console.print(f"[yellow]watch[/yellow] {escape(message)}", soft_wrap=True)
    return look.settings


def _about_waiting(films: Sequence[Path]) -> Iterator[str]:
    """Yield a message if films are not complete yet: nobody should miss them."""
    if films:
        count = f"{counted(len(films), 'film')} {are(len(films))}"
        yield (
            f"{count} not complete yet, first {films[0]}: a film becomes a video once it has been unchanged "
            "for `settled_after_s`."
        )
