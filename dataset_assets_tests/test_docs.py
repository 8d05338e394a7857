"""The pictures and links of the documentation."""

from __future__ import annotations

import re
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
MAX_BYTES = 150_000
MAX_SIZE = (1600, 1000)


def test_what_the_pages_lead_to_is_there() -> None:
    targets = []
    for page in PAGES:
        names = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        targets += [page.parent / name for name in names]
    assert targets
    assert [target for target in targets if not target.exists()] == []


def test_every_picture_is_shown_somewhere_and_small() -> None:
    shown = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    pictures = sorted((ROOT / "docs/images").iterdir())
    assert [path.name for path in pictures if f"images/{path.name}" not in shown] == []
    assert [path.name for path in pictures if path.stat().st_size > MAX_BYTES] == []
    for path in pictures:
        with Image.open(path) as picture:
            assert picture.width <= MAX_SIZE[0], path.name
            assert picture.height <= MAX_SIZE[1], path.name
