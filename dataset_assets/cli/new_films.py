"""The configuration with the films that appeared in watched folders, for commands that plan work.

Finding films is in `config`; this prints what was skipped and why.
"""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from dataset_assets.config import Settings, look_for_films


def with_new_films(settings: Settings, console: Console) -> Settings:
    """Search the watched folders; the films found are registered in the data set.

    Args:
        settings: The configuration.
        console: Where problems and skipped films are printed.

    Raises:
        ConfigError: The register is damaged.
    """
    look = look_for_films(settings)
    for message in (*look.problems, *look.skipped):
        console.print(f"[yellow]watch[/yellow] {escape(message)}", soft_wrap=True)
    return look.settings
