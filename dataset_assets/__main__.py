"""Entry point of the command, so that Ctrl+C leaves no traceback even while it still imports.

Not here: the commands (`cli`).
"""

from __future__ import annotations

import sys

INTERRUPTED = 130


def main() -> None:
    """Run the command."""
    try:
        from dataset_assets.cli.main import app

        app()
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
