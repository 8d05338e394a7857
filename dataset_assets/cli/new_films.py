"""The configuration as commands that plan work see it: with the films that came into watched folders."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from dataset_assets.config import Settings, look_for_films


def with_new_films(settings: Settings, console: Console) -> Settings:
    """Look into the watched folders; what is found there is registered in the data set.

    Args:
        settings: The configuration.
        console: Where it is reported what stood in the way and what was left out.

    Raises:
        ConfigError: The register is damaged.
    """
    look = look_for_films(settings)
    for sentence in (*look.problems, *look.skipped):
        console.print(f"[yellow]watch[/yellow] {escape(sentence)}", soft_wrap=True)
    return look.settings
