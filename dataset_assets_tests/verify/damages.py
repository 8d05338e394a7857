"""Ways to damage a data set, each of which something that really happens leaves behind."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from dataset_assets.dataset import TableStore, content_hash
from dataset_assets.patches.kernels import downscale
from dataset_assets.reasons import PASSED_OVER
from dataset_assets.tables import PATCHES, WINDOWS, PatchRow, WindowRow
from dataset_assets_tests.generate.samples import KEY

Damage = Callable[[Path], None]
KINDS = ("gt", "lr5", "lr7")


def general(root: Path) -> list[PatchRow]:
    return TableStore(root).read_patches("general", KEY)


def square(root: Path) -> list[PatchRow]:
    """The patches of general that are of one size."""
    return [row for row in general(root) if row.format == "square"]


def rewrite(root: Path, rows: Sequence[PatchRow]) -> None:
    """Replaces general's table, whole and sound as a file, whatever is in it."""
    store = TableStore(root)
    path = store.patches_path("general", KEY)
    provenance = store.read_provenance(path)
    assert provenance is not None
    store.write(path, PATCHES, rows, provenance)


def change_row(root: Path, **changes: Any) -> None:
    first, *others = general(root)
    rewrite(root, [replace(first, **changes), *others])


def change_windows(root: Path, change: Callable[[list[WindowRow]], list[WindowRow]]) -> None:
    store = TableStore(root)
    path = store.windows_path(KEY)
    provenance = store.read_provenance(path)
    assert provenance is not None
    store.write(path, WINDOWS, change(store.read_windows(KEY)), provenance)


def interrupted(root: Path) -> None:
    """The windows table as a run that was killed leaves it: a candidate that was not tried, unfinished."""
    store = TableStore(root)
    path = store.windows_path(KEY)
    provenance = store.read_provenance(path)
    assert provenance is not None
    store.write(path, WINDOWS, store.read_windows(KEY)[1:], replace(provenance, complete=False))


def put(root: Path, row: PatchRow, kind: str, content: bytes) -> PatchRow:
    """Puts other bytes in a file's place, and gives a row that says so."""
    (root / getattr(row, f"{kind}_path")).write_bytes(content)
    changes: dict[str, Any] = {f"{kind}_bytes": len(content), f"{kind}_hash": content_hash(content)}
    return replace(row, **changes)


def png(picture: np.ndarray[Any, Any]) -> bytes:
    done, encoded = cv2.imencode(".png", picture)
    assert done
    return encoded.tobytes()


def flip_bit(kind: str) -> Damage:
    def damage(root: Path) -> None:
        path = root / getattr(general(root)[0], f"{kind}_path")
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 8
        path.write_bytes(content)

    return damage


def truncate(root: Path) -> None:
    path = root / general(root)[0].gt_path
    path.write_bytes(path.read_bytes()[:-700])


def empty(root: Path) -> None:
    (root / (general(root)[0].lr7_path or "")).write_bytes(b"")


def swap_stacks(root: Path) -> None:
    row = general(root)[0]
    lr5, lr7 = (root / (row.lr5_path or "")).read_bytes(), (root / (row.lr7_path or "")).read_bytes()
    (root / (row.lr5_path or "")).write_bytes(lr7)
    (root / (row.lr7_path or "")).write_bytes(lr5)


def other_size(root: Path) -> None:
    first, *others = general(root)
    picture = cv2.imread(str(root / first.gt_path))
    assert picture is not None
    rewrite(root, [put(root, first, "gt", png(picture[3:])), *others])


def no_picture(root: Path) -> None:
    first, *others = general(root)
    rewrite(root, [put(root, first, "lr5", b"not a picture at all"), *others])


def gt_of_another(root: Path) -> None:
    first, second = square(root)[:2]
    changed = put(root, first, "gt", (root / second.gt_path).read_bytes())
    rewrite(root, [changed if row == first else row for row in general(root)])


def copied_over(root: Path) -> None:
    first, second = square(root)[:2]
    shutil.copyfile(root / second.gt_path, root / first.gt_path)


def frames_in_another_order(root: Path) -> None:
    first, *others = general(root)
    stack = cv2.imread(str(root / (first.lr5_path or "")))
    assert stack is not None
    frames = stack.reshape(5, -1, *stack.shape[1:])
    content = png(frames[[1, 0, 2, 3, 4]].reshape(stack.shape))
    rewrite(root, [put(root, first, "lr5", content), *others])


def black_bars(root: Path) -> None:
    """GT with a black bar above the picture, and its stacks made of that: what a film's bars give."""
    rows = []
    for row in general(root):
        gt, lr5, lr7 = (
            cv2.imread(str(root / name)) for name in (row.gt_path, row.lr5_path or "", row.lr7_path or "")
        )
        assert gt is not None
        assert lr5 is not None
        assert lr7 is not None
        gt[:12] = 0
        small = downscale(gt[np.newaxis].astype(np.uint8), "bicubic", 3)[0]
        for stack, middle in ((lr5, 2), (lr7, 3)):
            stack.reshape(-1, *small.shape)[middle] = small
        for kind, picture in (("gt", gt), ("lr5", lr5), ("lr7", lr7)):
            row = put(root, row, kind, png(picture))
        rows.append(row)
    rewrite(root, rows)


def another_kernel(root: Path) -> None:
    first, *others = general(root)
    gt = cv2.imread(str(root / first.gt_path))
    stack = cv2.imread(str(root / (first.lr7_path or "")))
    assert gt is not None
    assert stack is not None
    height, width = gt.shape[0] // 3, gt.shape[1] // 3
    stack[3 * height : 4 * height] = cv2.resize(gt, (width, height), interpolation=cv2.INTER_NEAREST)
    rewrite(root, [put(root, first, "lr7", png(stack)), *others])


def missing_file(root: Path) -> None:
    (root / (general(root)[0].lr5_path or "")).unlink()


def extra_file(root: Path) -> None:
    path = root / general(root)[0].gt_path
    shutil.copyfile(path, path.with_name(f"{KEY}_000099.png"))


def doubled_row(root: Path) -> None:
    rows = general(root)
    rewrite(root, [*rows, rows[0]])


def row_without_files(root: Path) -> None:
    first = general(root)[0]
    columns = [f"{kind}_path" for kind in KINDS]
    names = {name: getattr(first, name).replace(first.patch_id, f"{KEY}_000044") for name in columns}
    rewrite(root, [*general(root), replace(first, window=44, patch_id=f"{KEY}_000044", **names)])


def lost_row(root: Path) -> None:
    rewrite(root, general(root)[1:])


def row_of_a_file_elsewhere(root: Path) -> None:
    outside = root.parent / "outside" / "GT"
    outside.mkdir(parents=True)
    name = f"{general(root)[0].patch_id}.png"
    (outside / name).write_bytes(b"mine")
    change_row(root, gt_path=f"../outside/GT/{name}")


def damaged_footer(root: Path) -> None:
    path = TableStore(root).patches_path("general", KEY)
    content = bytearray(path.read_bytes())
    content[-200:-100] = bytes(100)
    path.write_bytes(content)


def damaged_page(root: Path) -> None:
    path = TableStore(root).patches_path("general", KEY)
    content = bytearray(path.read_bytes())
    content[90] ^= 1
    path.write_bytes(content)


def truncated_table(root: Path) -> None:
    path = TableStore(root).windows_path(KEY)
    path.write_bytes(path.read_bytes()[:-1])


def wrong_counts(root: Path) -> None:
    path = TableStore(root).patches_path("general", KEY)
    content = path.read_bytes()
    there = json.dumps({"square": len(square(root))})[1:-1].encode()
    assert content.count(there) == 1
    path.write_bytes(content.replace(there, there[:-1] + b"9"))


def missing_patches_table(root: Path) -> None:
    TableStore(root).patches_path("general", KEY).unlink()


def missing_windows_table(root: Path) -> None:
    TableStore(root).windows_path(KEY).unlink()


def damaged_video_table(root: Path) -> None:
    TableStore(root).video_path(KEY).write_bytes(b"PAR1")


def left_picture(root: Path) -> None:
    path = root / general(root)[0].gt_path
    path.with_name(f".{KEY}_000003.png.tmp").write_bytes(b"half a")


def left_table(root: Path) -> None:
    path = TableStore(root).windows_path(KEY)
    path.with_name(f".{path.name}.tmp").write_bytes(b"PAR1")


def left_journal(root: Path) -> None:
    row = general(root)[0]
    late = [
        name.replace(row.patch_id, f"{KEY}_000077")
        for name in (row.gt_path, row.lr5_path or "", row.lr7_path or "")
    ]
    (root / late[0]).write_bytes(b"named, but without a row")
    journal = root / "metadata/.journals" / KEY
    journal.parent.mkdir(exist_ok=True)
    journal.write_text(json.dumps(late) + "\n")


def left_progress(root: Path) -> None:
    path = root / f"metadata/.progress/{KEY}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"key": KEY, "pid": 1, "process": "of a machine that was switched off"}))


def first_accepted(rows: Sequence[WindowRow]) -> WindowRow:
    return next(row for row in rows if row.accepted)


def first_passed_over(rows: Sequence[WindowRow]) -> WindowRow:
    return next(row for row in rows if row.reason == PASSED_OVER)


def window_without_row(root: Path) -> None:
    def change(rows: list[WindowRow]) -> list[WindowRow]:
        gone = first_accepted(rows)
        return [row for row in rows if row is not gone]

    change_windows(root, change)


def last_candidate_lost(root: Path) -> None:
    change_windows(root, lambda rows: rows[:-1])


def change_candidate(
    choose: Callable[[Sequence[WindowRow]], WindowRow], **changes: Callable[[WindowRow], Any]
) -> Damage:
    """Changes columns of one row, each by what it is made of the row."""

    def damage(root: Path) -> None:
        def change(rows: list[WindowRow]) -> list[WindowRow]:
            chosen = choose(rows)
            changed = replace(chosen, **{name: value(chosen) for name, value in changes.items()})
            return [changed if row is chosen else row for row in rows]

        change_windows(root, change)

    return damage


def change_accepted(**changes: Callable[[WindowRow], Any]) -> Damage:
    return change_candidate(first_accepted, **changes)


def doubled_candidate(root: Path) -> None:
    change_windows(root, lambda rows: [rows[0], *rows])


def candidates_in_another_order(root: Path) -> None:
    change_windows(root, lambda rows: [rows[1], rows[0], *rows[2:]])


def overlapping_windows(root: Path) -> None:
    """The second window one frame behind the first."""

    def change(rows: list[WindowRow]) -> list[WindowRow]:
        first, second = [row for row in rows if row.accepted][:2]
        pts = tuple(pts + first.pts[1] - first.pts[0] for pts in first.pts)
        moved = replace(second, keyframe_pts=first.keyframe_pts, start_pts=pts[0], pts=pts)
        return [moved if row is second else row for row in rows]

    change_windows(root, change)


def the_same_picture_twice(root: Path) -> None:
    def change(rows: list[WindowRow]) -> list[WindowRow]:
        first, second = [row for row in rows if row.accepted][:2]
        return [replace(row, signature=first.signature) if row is second else row for row in rows]

    change_windows(root, change)


def passed_over_but_accepted(root: Path) -> None:
    """A candidate that was passed over, with the frames and scores of a window that is accepted."""

    def change(rows: list[WindowRow]) -> list[WindowRow]:
        window, passed = first_accepted(rows), first_passed_over(rows)
        return [replace(window, window=row.window) if row is passed else row for row in rows]

    change_windows(root, change)


def windows_beyond_the_target(root: Path) -> None:
    """Two more windows, behind the end of the film."""

    def change(rows: list[WindowRow]) -> list[WindowRow]:
        last = max((row for row in rows if row.accepted), key=lambda row: row.pts)
        more = []
        for further in (1, 2):
            pts = tuple(pts + further * 1_000_000 for pts in last.pts)
            number = rows[-1].window + further
            picture = bytes([70 * further]) * len(last.signature or b"")
            moved = replace(last, keyframe_pts=pts[0], start_pts=pts[0], pts=pts)
            more.append(replace(moved, window=number, signature=picture))
        return [*rows, *more]

    change_windows(root, change)
