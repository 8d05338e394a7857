"""What `generate` and `monitor` show of a snapshot, for any width from 40 columns and any height.

A pure function of the snapshot and the size: no clock, no files, nothing kept between two screens. Each line
is one line of the terminal, so that what does not fit is left out here, least important first, and not cut.

Not here: the terminal itself and its keys (`cli.monitor`), the wording of numbers (`units`).
"""

from __future__ import annotations

import textwrap
import time
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from dataset_assets.counting import counted, percent
from dataset_assets.dataset import Failure
from dataset_assets.monitor.snapshot import Snapshot, VideoRun
from dataset_assets.monitor.units import ago, clock, rate, shortened, size

NARROW = 78  # columns; below, texts are short and gaps are single
BAR_WIDTH = 8
MIN_KEY_WIDTH, MAX_KEY_WIDTH = 16, 40
# A pass writes its progress after each window; the slowest seen took 9 s with all its candidates.
QUIET_S = 60.0
# Of a cluster: those that were lost first; `monitor --json` has all.
MOST_HOSTS = 8
MAX_ERROR_LINES, MIN_WRAP_WIDTH = 3, 24
PHASE_STYLES = {"working": "cyan", "finishing": "cyan", "stopping": "yellow"}
RUN_STYLES = {"succeeded": "green", "failed": "red", "cancelled": "yellow"}


@dataclass(frozen=True, slots=True)
class _Section:
    """Lines that belong together: as many as `lines` says."""

    content: RenderableType
    lines: int


def render(snapshot: Snapshot, width: int, height: int | None, hint: str = "") -> Group:
    """Show a snapshot.

    Args:
        snapshot: What is shown.
        width: Columns there are.
        height: Lines there are; None for as many as it takes.
        hint: The last line.
    """
    head = _head(snapshot, width)
    sections = [_hosts(snapshot, width), _categories(snapshot, width), _resources(snapshot, width)]
    foot = _texts([Text(hint, "dim")] if hint else [])
    errors = _errors(snapshot, width)
    if height is None:
        videos = _videos(snapshot, width, len(snapshot.videos))
        return _spaced([head, videos, *sections, _texts(errors), foot], blanks=6)
    # Videos name their hosts too: machines are shown where there is room for both.
    needed = head.lines + foot.lines + sum(each.lines for each in sections) + len(snapshot.videos) + 1
    if sections[0].lines and needed > height - 2:
        sections.pop(0)
    while sections and head.lines + foot.lines + sum(each.lines for each in sections) > height - 2:
        sections.pop()
    free = height - head.lines - foot.lines - sum(each.lines for each in sections)
    for_errors = min(len(errors), 2 if free >= 8 else 1)
    videos = _videos(snapshot, width, free - for_errors - 1)
    free -= videos.lines
    errors = errors[: max(0, free)]
    return _spaced([head, videos, *sections, _texts(errors), foot], blanks=free - len(errors))


def _spaced(sections: Sequence[_Section], blanks: int) -> Group:
    """Return the sections below one another, with a blank line between two for as long as there are any."""
    parts: list[RenderableType] = []
    for section in sections:
        if not section.lines:
            continue
        if parts and blanks > 0:
            parts.append(Text())
            blanks -= 1
        parts.append(section.content)
    return Group(*parts)


def _texts(lines: Sequence[Text]) -> _Section:
    return _Section(Group(*lines), len(lines))


def _line(*parts: str | Text | tuple[str, str]) -> Text:
    return Text.assemble(*parts, no_wrap=True, overflow="ellipsis")


def _grid(columns: Sequence[tuple[str, str, int]], gap: int) -> Table:
    """Return a table without lines: title, justification ("left" or "right") and width of each column."""
    table = Table(box=None, header_style="dim", padding=(0, gap, 0, 0), pad_edge=False)
    for title, justify, wide in columns:
        table.add_column(title, justify=justify, width=wide, no_wrap=True)  # type: ignore[arg-type]
    return table


def _head(snapshot: Snapshot, width: int) -> _Section:
    moment = time.strftime("%H:%M:%S", time.localtime(snapshot.taken_s))
    folder = shortened(snapshot.output_base_dir, width - len(moment) - 2, keep_end=True)
    lines = [_line((folder.ljust(width - len(moment)), "bold"), (moment, "dim")), *_counts(snapshot, width)]
    lines += [_last(snapshot, width)] if snapshot.state != "running" else []
    return _Section(Group(*lines, _totals(snapshot, width)), len(lines) + 1)


def _counts(snapshot: Snapshot, width: int) -> list[Text]:
    """Return how many videos are in which state, in as many lines as it takes."""
    overall = snapshot.overall
    state = "a backfill waits" if overall.backfills else "nothing runs"
    if snapshot.state == "running":
        state = f"{overall.videos_running or ''} running".lstrip()
    elif overall.runs_queued:
        state = "nothing runs yet"
    parts = [
        Text(state, "bold" if snapshot.state == "idle" else "bold cyan"),
        Text(f"{overall.videos_done} of {overall.videos} done", "green" if overall.videos_done else ""),
    ]
    counts = (
        (overall.runs_queued, "queued", "cyan"),
        (overall.videos_failed, "failed", "red"),
        (overall.videos_interrupted, "interrupted", "yellow"),
        (overall.videos_waiting, "to do", "yellow"),
        (overall.videos_too_small, "too small", "yellow"),
    )
    parts += [Text(f"{count} {word}", style) for count, word, style in counts if count]
    lines: list[Text] = []
    for part in parts:
        if lines and len(lines[-1]) + 2 + len(part) <= width:
            lines[-1].append("  ").append_text(part)
        else:
            lines.append(_line(part))
    return lines


def _last(snapshot: Snapshot, width: int) -> Text:
    last = snapshot.last_run
    if last is None:
        return _line(("no run has ended yet", "dim"))
    when = ago(snapshot.taken_s - last.ended_s)
    what = shortened(last.key or last.job, width - len(f"last run:  {last.state} {when}"))
    return _line(("last run: ", "dim"), what, " ", (last.state, RUN_STYLES[last.state]), (f" {when}", "dim"))


def _totals(snapshot: Snapshot, width: int) -> RenderableType:
    overall = snapshot.overall
    noun = "patch" if overall.patches_target == 1 else "patches"
    counts = f"{overall.patches}/{overall.patches_target} {noun}"
    for count, word in ((overall.patches_short, "short"), (overall.patches_to_do, "to do")):
        counts += f", {count} {word}" if count or word == "to do" else ""
    if width < NARROW:  # of what can be made, which is what the share is of
        counts = f"{overall.patches}/{overall.patches_target - overall.patches_short}"
    cells = [Text(percent(overall.share)), _line(counts)]
    if snapshot.state == "running":
        cells.append(_line("ETA ", _eta(overall.eta_s)))
    table = Table.grid(padding=(0, 2, 0, 0))
    rest = sum(len(cell) + 2 for cell in cells)
    table.add_row(_bar(overall.share, max(4, min(40, width - rest - 2))), *cells)
    return table


def _bar(share: float, width: int) -> ProgressBar:
    return ProgressBar(total=1.0, completed=share, width=width, complete_style="cyan", finished_style="green")


def _eta(seconds: float | None) -> tuple[str, str]:
    return ("unknown", "dim") if seconds is None else (clock(seconds), "bold")


def _videos(snapshot: Snapshot, width: int, rows: int) -> _Section:
    """Return the videos that are worked on, as many as `rows`."""
    if not snapshot.videos or rows < 1:
        return _texts([])
    shown = snapshot.videos if len(snapshot.videos) <= rows else snapshot.videos[: rows - 1]
    gap = 1 if width < NARROW else 2
    fields, key_width = _chosen(width, gap, has_hosts=bool(snapshot.hosts))
    table = _grid([("video", "left", key_width), *(_VIDEO_COLUMNS[name] for name in fields)], gap)
    for video in shown:
        cells = _video_cells(video, snapshot.taken_s)
        table.add_row(shortened(video.key, key_width), *(cells[name] for name in fields))
    lines = len(shown) + 1
    if len(shown) < len(snapshot.videos):
        table.add_row(Text(f"and {len(snapshot.videos) - len(shown)} more", "dim"))
        lines += 1
    return _Section(table, lines)


_VIDEO_COLUMNS = {
    "bar": ("", "left", BAR_WIDTH),
    "percent": ("", "right", 4),
    "windows": ("windows", "right", 9),
    "accepted": ("accept", "right", 6),
    "speed": ("per min", "right", 7),
    "commit": ("since commit", "right", 12),
    "cpu": ("CPU", "right", 5),
    "memory": ("memory", "right", 8),
    "eta": ("ETA", "right", 8),
    "host": ("host", "left", 12),
    "by": ("by", "left", 10),
}
# A column is shown where all before it are and the key keeps its least width.
_BY_IMPORTANCE = (
    *("percent", "windows", "eta", "host", "commit", "bar", "accepted", "speed", "cpu", "memory", "by"),
)


def _chosen(width: int, gap: int, *, has_hosts: bool) -> tuple[list[str], int]:
    """Return the columns that fit, in their order, and the width that is left for the key."""
    left = width
    chosen = set()
    for name in _BY_IMPORTANCE:
        if name == "host" and not has_hosts:
            continue
        needed = _VIDEO_COLUMNS[name][2] + gap
        if left - needed < MIN_KEY_WIDTH:
            break
        left -= needed
        chosen.add(name)
    return [name for name in _VIDEO_COLUMNS if name in chosen], min(left, MAX_KEY_WIDTH)


def _video_cells(video: VideoRun, now_s: float) -> dict[str, RenderableType]:
    if video.phase != "working" or video.updated_s is None:
        dash = Text("-", "dim")
        phase = Text(video.phase, PHASE_STYLES.get(video.phase, "yellow"))
        cells: dict[str, RenderableType] = dict.fromkeys(_VIDEO_COLUMNS, dash)
        if video.phase == "film away":
            cells["eta"] = Text("retrying", PHASE_STYLES.get(video.phase, "yellow"))
        return cells | {"windows": phase, "bar": _bar(0.0, BAR_WIDTH), "percent": Text()} | _common(video)
    quiet_s = now_s - video.updated_s
    since = clock(now_s - (video.committed_s or video.started_s))
    progress: dict[str, RenderableType] = {
        "bar": _bar(video.share, BAR_WIDTH),
        "percent": Text(percent(video.share)),
        "windows": Text(f"{video.windows_done}/{video.windows_target}", "cyan"),
        "accepted": _acceptance(video.acceptance_rate),
        "speed": Text(f"{video.windows_per_minute:.1f}" if video.windows_per_minute else "-"),
        "commit": Text(f"{video.windows_uncommitted} in {since}"),
        "eta": Text(f"?{clock(quiet_s)}", "yellow") if quiet_s > QUIET_S else Text(*_eta(video.eta_s)),
    }
    return progress | _common(video)


def _common(video: VideoRun) -> dict[str, RenderableType]:
    return {
        "cpu": Text(rate(video.cpu_percent, "%")),
        "memory": Text(size(video.memory_bytes)),
        "host": Text(shortened(video.host or "-", 12)),
        "by": Text(shortened(video.launched_by.split()[0], 10), "dim"),
    }


def _acceptance(share: float | None) -> Text:
    return Text(percent(share), "" if share is None else "green" if share >= 0.5 else "yellow")


def _hosts(snapshot: Snapshot, width: int) -> _Section:
    """Return the machines that work, or were lost; nothing where one machine makes the data set."""
    concerned = [each for each in snapshot.hosts if each.videos or each.videos_lost]
    shown = sorted(concerned, key=lambda each: not each.videos_lost)[:MOST_HOSTS]
    if not shown:
        return _texts([])
    name_width = max(8, min(24, width - 34))
    columns = [("host", "left", name_width), ("films", "right", 5), ("lost", "right", 4)]
    columns += [("per min", "right", 7), ("last sign", "left", 10)]
    table = _grid(columns, 1 if width < NARROW else 2)
    for each in shown:
        silent = "-" if each.beaten_s is None else ago(snapshot.taken_s - each.beaten_s)
        speed = "-" if each.windows_per_minute is None else f"{each.windows_per_minute:.1f}"
        table.add_row(
            shortened(each.host, name_width),
            str(each.videos),
            Text(str(each.videos_lost or "-"), "red" if each.videos_lost else "dim"),
            speed,
            Text(silent, "red" if each.videos_lost else ""),
        )
    if len(shown) < len(concerned):
        table.add_row(Text(f"and {len(concerned) - len(shown)} more", "dim"))
    return _Section(table, len(shown) + 1 + (len(shown) < len(concerned)))


def _categories(snapshot: Snapshot, width: int) -> _Section:
    name_width = max(8, min(24, width - (30 if width < NARROW else 58)))
    columns = [("category", "left", name_width)]
    if width < NARROW:
        columns += [("patches", "right", 13), ("accept", "right", 6), ("size", "right", 8)]
    else:
        wide = (("patches", 8), ("target", 8), ("short", 7), ("", 5), ("accept", 7), ("size", 9))
        columns += [(title, "right", each) for title, each in wide]
    table = _grid(columns, 1 if width < NARROW else 2)
    for each in snapshot.categories:
        counts = [Text(f"{each.patches}/{each.patches_target - each.patches_short}")]
        if width >= NARROW:
            figures = (each.patches, each.patches_target, each.patches_short)
            counts = [*(Text(str(figure)) for figure in figures), Text(percent(each.share))]
        table.add_row(
            shortened(each.category, name_width),
            *counts,
            _acceptance(each.acceptance_rate),
            size(each.size_bytes),
        )
    return _Section(table, len(snapshot.categories) + 1)


def _resources(snapshot: Snapshot, width: int) -> _Section:
    disk, machine = snapshot.disk, snapshot.machine
    short = disk.free_after_bytes < disk.min_free_bytes
    used = machine.memory_bytes - machine.memory_available_bytes
    scarce = used > 0.9 * machine.memory_bytes
    free_style, memory_style = "bold red" if short else "", "bold red" if scarce else ""
    busy, load = rate(machine.cpu_percent, "%"), f"load {machine.load_1m:.2f}"
    here = " here" if snapshot.hosts else ""
    read, written = rate(machine.runs_read_bytes_per_s), rate(machine.runs_written_bytes_per_s)
    moved = f"read {read}, write {written}"
    made, projected = size(disk.used_bytes), size(disk.projected_bytes)
    free, then = size(disk.free_bytes), size(disk.free_after_bytes)
    if width < NARROW:
        return _texts(
            [
                _line(("disk ", "dim"), f"{made} of {projected}, ", (f"{free} free", free_style)),
                _line(("CPU ", "dim"), f"{busy} {load}", (" memory ", "dim"), (size(used), memory_style)),
                _line(("I/O ", "dim"), moved),
            ]
        )
    kept = f", kept {size(disk.min_free_bytes)}" if short else ""
    runs_cores = "-" if machine.runs_cpu_percent is None else f"{machine.runs_cpu_percent / 100:.1f}"
    cores = f"{busy} of {counted(machine.cpu_count, 'core')}{here}, runs {runs_cores}, {load}"
    waiting = f", {rate(machine.io_wait_percent, '%')} waiting for disks"
    in_use = (f"{size(used)} of {size(machine.memory_bytes)}", memory_style)
    free_now = (f"free {free}, then {then}{kept}", free_style)
    return _texts(
        [
            _line(("disk    ", "dim"), f"used {made}, projected {projected}; ", free_now),
            _line(("CPU     ", "dim"), cores, waiting),
            _line(
                ("memory  ", "dim"),
                in_use,
                f", runs {size(machine.runs_memory_bytes)}",
                ("    I/O  ", "dim"),
                moved,
            ),
        ]
    )


def _errors(snapshot: Snapshot, width: int) -> list[Text]:
    """Return what went wrong, each in as many lines as it takes, but `MAX_ERROR_LINES` at most."""
    lines = [_line((line, "yellow")) for problem in snapshot.problems for line in _wrapped(problem, width)]
    for failure in snapshot.failures:
        lines += _error(failure, width)
    if snapshot.interrupted and snapshot.state == "idle":
        text = "interrupted, the next run goes on from the last commit: " + ", ".join(snapshot.interrupted)
        lines += [_line((line, "yellow")) for line in _wrapped(text, width)]
    return lines


def _error(failure: Failure, width: int) -> list[Text]:
    moment = time.strftime("%d %b %H:%M ", time.localtime(failure.ended_s))
    first, *rest = _wrapped(failure.sentence, width, indent=len(moment))
    return [_line((moment, "dim"), (first, "red")), *(_line((line, "red")) for line in rest)]


def _wrapped(text: str, width: int, indent: int = 0) -> list[str]:
    lines = textwrap.wrap(
        " ".join(text.split()),
        max(MIN_WRAP_WIDTH, width),
        initial_indent=" " * indent,
        subsequent_indent="  ",
        max_lines=MAX_ERROR_LINES,
        break_on_hyphens=False,
        placeholder=" …",
    )
    return [lines[0].lstrip(), *lines[1:]] if lines else [""]
