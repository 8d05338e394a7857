"""Completion as bash asks for it, with the script that the command prints."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dataset_assets_tests.command import environment
from dataset_assets_tests.configurations import write_config

COMMAND = Path(sys.executable).with_name("dataset-assets")
BASH = shutil.which("bash")

pytestmark = pytest.mark.skipif(BASH is None, reason="needs bash")


def offered(folder: Path, *words: str) -> list[str]:
    """What bash offers for the last of the words behind the command."""
    films = {name: (folder / "film.mkv", {"toon": 1}) for name in ("Alpha", "Alps", "Beta")}
    config = write_config(folder, films)
    typed = " ".join(map(shlex.quote, (str(COMMAND), *words)))
    script = (
        f'eval "$({shlex.quote(str(COMMAND))} --show-completion bash)"\n'
        f"COMP_WORDS=({typed}); COMP_CWORD={len(words)}\n"
        f'_dataset_assets_completion "$COMP_WORDS"; printf "%s\\n" "${{COMPREPLY[@]}}"\n'
    )
    done = subprocess.run(
        [BASH or "", "-c", script],
        env=environment({"DATASET_ASSETS_CONFIG": str(config)}),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["vid"], ["videos"]),
        (["videos", "re"], ["remove"]),
        (["generate", "--fo"], ["--force"]),
        (["videos", "remove", "al"], ["alpha", "alps"]),
        (["generate", "--videos", "be"], ["beta"]),
        (["verify", "--videos", "alpha,al"], ["alpha,alps"]),
        (["generate", "--categories", "toon,"], ["toon,general", "toon,space"]),
        (["videos", "remove", "--config", "/absent.json", "al"], []),
    ],
    ids=lambda each: " ".join(each),
)
def test_the_shell_offers_what_a_word_may_become(
    words: list[str], expected: list[str], tmp_path: Path
) -> None:
    assert offered(tmp_path, *words) == expected
