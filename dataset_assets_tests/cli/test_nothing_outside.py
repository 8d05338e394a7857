"""Where files go, and with which permissions: a whole job in a watched home, working and temporary folder."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from dataset_assets_tests.command import ROOT, run
from dataset_assets_tests.configurations import write_config
from dataset_assets_tests.films import Film


def tree(folder: Path) -> dict[str, tuple[int, int]]:
    """Every path below a folder, with its size and modification time."""
    return {
        path.relative_to(folder).as_posix(): (path.lstat().st_size, path.lstat().st_mtime_ns)
        for path in folder.rglob("*")
        if not path.is_dir()
    }


@pytest.mark.slow
def test_a_job_writes_below_the_data_set_alone_and_by_the_umask(tmp_path: Path, vfr_film: Film) -> None:
    names = ("-i 'film' \"one\" $(touch pwned); x.mp4", "concat:a|b.mp4")
    films = tmp_path / "films of mine"
    films.mkdir()
    for name in names:
        (films / name).write_bytes(vfr_film.path.read_bytes())
    config = write_config(
        tmp_path / "project",
        {
            "../../escape 🎬": (films / names[0], {"toon": 0.4}),
            "a/b\nc": (films / names[1], {"toon": 0.4}),
        },
    )
    watched = {name: tmp_path / name for name in ("home", "cwd", "tmp")}
    for folder in watched.values():
        folder.mkdir()
    changes = {
        "HOME": str(watched["home"]),
        "TMPDIR": str(watched["tmp"]),
        "XDG_CACHE_HOME": str(watched["home"] / "cache"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    before = tree(tmp_path)
    package = tree(ROOT / "dataset_assets")
    commands = (("doctor",), ("generate", "--workers", "2"), ("gallery",), ("monitor", "--once"))
    for command in commands:
        done = run(*command, "--config", config, cwd=watched["cwd"], changes=changes, umask=0o027)
        assert done.returncode == 0, done.stdout + done.stderr
    after = tree(tmp_path)
    new = {path for path in after if after[path] != before.get(path)}
    root = tmp_path / "project" / "dataset"
    assert {path for path in new if not path.startswith("project/dataset/")} == set()
    assert tree(ROOT / "dataset_assets") == package
    made = {path.name for path in root.rglob("*.png")}
    assert {name.rsplit("_", 1)[0] for name in made} == {"escape", "a-b-c"}
    for path in root.rglob("*"):
        mode = stat.S_IMODE(path.lstat().st_mode)
        assert mode == (0o750 if path.is_dir() else 0o640), f"{path}: {mode:o}"
