"""The configuration as commands that plan work see it: with the films that came into watched folders."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.markup import escape

from dataset_assets.config import Settings, load_settings, look_for_films


def load_with_new_films(config: Path, console: Console) -> Settings:
    """Loads the settings and looks into the watched folders.

    Args:
        config: The configuration file.
        console: Where what stood in the way is told.

    Raises:
        ConfigError: The configuration holds mistakes.
    """
    look = look_for_films(load_settings(config))
    for problem in look.problems:
        console.print(f"[yellow]watch[/yellow] {escape(problem)}", soft_wrap=True)
    return look.settings
