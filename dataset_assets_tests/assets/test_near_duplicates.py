"""The asset `near_duplicates`: its own job, its check, and what it records."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from dataset_assets.definitions import build_defs
from dataset_assets_tests.assets.world import checks, metadata
from dataset_assets_tests.curation.same_films import configured, film, generate, rows, shots


@pytest.mark.slow
def test_the_check_warns_and_names_the_pairs_and_the_page_shows_them(
    films_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATASET_ASSETS_GALLERY", raising=False)
    films = {
        "Alpha": film(films_folder, "same-feature", shots(1, 2, 3, 4)),
        "Beta": film(films_folder, "same-feature-small", shots(1, 2, 3, 4), small=True),
    }
    settings = configured(tmp_path, films)
    config = tmp_path / "config.json"
    job = build_defs(config).resolve_job_def("find_duplicates")
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance)
        check = checks(result)["near_duplicates", "no_near_duplicates"]
        assert (check.passed, check.severity) == (True, dg.AssetCheckSeverity.WARN)
        assert metadata(result, "near_duplicates")["videos"].value == 0

        generate(settings)
        result = job.execute_in_process(instance=instance)
        check, shown = (
            checks(result)["near_duplicates", "no_near_duplicates"],
            metadata(result, "near_duplicates"),
        )
        windows = len(rows(settings))
        assert not check.passed
        assert check.description == (
            f"{windows} windows in 1 pair of videos; first beta shows again what alpha shows (same film)"
        )
        assert f"| beta | alpha | same film | {windows} | +0.0 |" in str(check.metadata["pairs"].value)
        assert shown["windows"].value == shown["dagster/row_count"].value == windows > 0
        assert shown["compared_now"].value == 2
        page = Path(str(shown["pictures"].value))
        assert page == settings.base.output_base_dir / "gallery/duplicates.html"
        assert "Beta" in page.read_text(encoding="utf-8")

        again = metadata(job.execute_in_process(instance=instance), "near_duplicates")
        assert again["compared_now"].value == 0
        assert again["windows"].value == windows
