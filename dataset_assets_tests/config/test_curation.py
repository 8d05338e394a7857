"""`curation` of a configuration: what is accepted, and each mistake with its place and remedy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from dataset_assets.config import DEFAULT_CURATION, curation_of, mistake_in
from dataset_assets_tests.config.samples import HEAD, problems_of, settings_of


def test_a_category_has_its_condition_none_or_the_default(tmp_path: Path) -> None:
    settings = settings_of(
        HEAD + "curation: {General: detail_db < 50, space: null, toon: 'true'}\n", tmp_path
    )
    found = {name: curation_of(settings.curation, name) for name in ("general", "space", "toon", "other")}
    assert found == {"general": "detail_db < 50", "space": None, "toon": "true", "other": DEFAULT_CURATION}
    assert settings_of(HEAD, tmp_path).curation == settings_of(HEAD + "curation:\n", tmp_path).curation == {}


def test_the_default_is_a_condition() -> None:
    assert mistake_in(DEFAULT_CURATION) == ""


def test_each_mistake_is_reported_with_its_line_and_remedy(tmp_path: Path) -> None:
    text = """\
curation:
  general: detial_db < 50
  spce: null
  toon: detail_db < 50 AND
  TOON: film.vfr
  space: 50
  General: detail_db
"""
    assert problems_of(HEAD + text, tmp_path) == [
        "c.yaml:8 curation.general: 'detial_db < 50' is not valid: there is no column detial_db; "
        "did you mean `detail_db`?",
        "c.yaml:9 curation.spce: no such category; did you mean `space`?",
        "c.yaml:10 curation.toon: 'detail_db < 50 AND' is not valid: Parser Error: syntax error at or near "
        '"AND"; docs/tables.md lists the columns.',
        "c.yaml:11 curation.TOON: is there in upper and in lower case; keep one of them.",
        'c.yaml:12 curation.space: is no condition; use SQL in quotes, such as "detail_db < 50", '
        "or null for none.",
        "c.yaml:13 curation.General: is there in upper and in lower case; keep one of them.",
        "c.yaml:13 curation.General: 'detail_db' is not valid: it gives FLOAT, and a condition is true or "
        "false; docs/tables.md lists the columns.",
    ]
    (problem,) = problems_of(HEAD + "curation: detail_db < 50\n", tmp_path)
    assert problem.startswith("c.yaml:7 curation: does not fit; use a mapping of categories to conditions")


def test_a_configuration_without_one_is_read_without_duckdb(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(HEAD)
    code = (
        "import sys; from pathlib import Path; from dataset_assets.config import load_settings; "
        "load_settings(Path(sys.argv[1])); print({'duckdb', 'pyarrow', 'av'} & sys.modules.keys())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "c.yaml"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"
