"""docs/monitor.md says what `monitor` shows: its reference is the code's own text, its picture a screen."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields
from pathlib import Path

from dataset_assets.dataset import Failure
from dataset_assets.monitor.snapshot import (
    CategoryState,
    Disk,
    Host,
    LastRun,
    Machine,
    Overall,
    Snapshot,
    VideoRun,
)

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/monitor.md").read_text(encoding="utf-8")
RECORDS = (
    ("the snapshot", Snapshot),
    ("`overall`", Overall),
    ("an entry of `videos`", VideoRun),
    ("an entry of `categories`", CategoryState),
    ("`disk`", Disk),
    ("`machine`", Machine),
    ("an entry of `hosts`", Host),
    ("an entry of `failures`", Failure),
    ("`last_run`", LastRun),
)


def described(record: type) -> dict[str, str]:
    """What a record's docstring says of each attribute."""
    text = inspect.getdoc(record) or ""
    lines = re.sub(r"\n {8}", " ", text.split("Attributes:\n")[1]).splitlines()
    return dict(line.strip().split(": ", 1) for line in lines if line.strip())


def reference() -> str:
    lines = []
    for title, record in RECORDS:
        lines += [f"| {title} | |", "| --- | --- |"]
        lines += [f"| `{name}` | {text} |" for name, text in described(record).items()]
        if record is Failure:
            lines.append(f"| `sentence` | {inspect.getdoc(Failure.sentence)} |")
        lines.append("")
    return "\n".join(lines).strip()


def test_every_key_is_documented_in_the_codes_own_words() -> None:
    for _, record in RECORDS:
        assert list(described(record)) == [field.name for field in fields(record)]
    found = PAGE.split("<!-- reference: begin -->")[1].split("<!-- reference: end -->")[0].strip()
    assert found == reference(), f"docs/monitor.md should have:\n\n{reference()}"


def test_the_screen_is_the_one_that_is_tested() -> None:
    screen = (Path(__file__).with_name("screens") / "running-80x24.txt").read_text(encoding="utf-8")
    assert screen in PAGE


if __name__ == "__main__":
    print(reference())
