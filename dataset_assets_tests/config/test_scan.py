from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataset_assets.config import Rule, append_videos, find_films, load_settings, parse_weights
from dataset_assets.config.editing import NewVideo, with_videos
from dataset_assets.config.problems import Problems, plain
from dataset_assets.config.tree import Entries, read_tree
from dataset_assets.errors import ConfigError

GENERAL = {"general": 0.5}

COMMENTED_YAML = """\
# My films.
base_settings:
  output_base_dir: out   # on the large disk
videos:
  # The first one.
  - name: Dune
    path: films/dune.mkv
    categories:
      general: 1  # all of it
  # - name: Later
  #   path: later.mkv

# Nothing behind this line but formats.
formats:
  large_720: {width: 720, height: 720, folder: Patches_Large}
"""

TABBED_JSON = """\
{
\t"videos": [
\t\t{
\t\t\t"name": "Dune",
\t\t\t"path": "films/dune.mkv",
\t\t\t"categories": {"general": 1}
\t\t}
\t],
\t"base_settings": {"output_base_dir": "out"}
}
"""


def films_in(folder: Path, *names: str) -> list[Path]:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return [folder / name for name in names]


def config_with(text: str, folder: Path, name: str = "c.yaml") -> Path:
    config = folder / name
    config.write_bytes(text.encode())
    return config


def test_films_are_found_below_folders_by_their_suffix(tmp_path: Path) -> None:
    films_in(
        tmp_path, "b/x.MKV", "b/c/y.m2ts", "a.mp4", "notes.txt", "b/x.mkv.part", "._a.mp4", ".trash/z.mkv"
    )
    (tmp_path / "b/copy.mkv").symlink_to(tmp_path / "a.mp4")
    found = find_films([tmp_path, tmp_path / "b", tmp_path / "a.mp4"])
    assert found == [tmp_path / "a.mp4", tmp_path / "b/c/y.m2ts", tmp_path / "b/x.MKV"]


def skipped_in(folder: Path, *folders: Path) -> dict[str, str]:
    """Sentences about what a search left out: what is named, by the reason's first word."""
    messages: list[str] = []
    find_films([folder, *folders], messages.append)
    parts = [sentence.partition(": ") for sentence in messages]
    assert len({reason for _, _, reason in parts}) == len(parts)  # one for each kind
    return {reason.split()[0]: named for named, _, reason in parts}


BINS = [
    *("#recycle", "#Recycle", "$RECYCLE.BIN", "$Recycle.Bin.old", "@Recycle", "lost+found", "RECYCLER"),
    *("Recycled", "FOUND.000", "#snapshot", "@Recently-Snapshot", "~snapshot", "Network Trash Folder"),
]
SYSTEM = ["@eaDir", "System Volume Information", "__MACOSX"]
HIDDEN = [".Trash", ".Trash-1000", ".Trashes", ".recycle", ".snapshots", ".@__thumb", ".AppleDouble"]


@pytest.mark.parametrize("name", [*BINS, *SYSTEM, *HIDDEN])
def test_what_was_deleted_is_no_film(name: str, tmp_path: Path) -> None:
    films_in(tmp_path, f"films/{name}/S-1-5-21/a.mkv", f"films/Good/{name}/b.mkv", f"films/{name}.mkv")
    kept = [] if name.startswith(".") else [tmp_path / f"films/{name}.mkv"]
    assert find_films([tmp_path / "films"], lambda _: None) == kept
    named = f"2 skipped, films/{name}, films/Good/{name}" if name < "Good" else None
    messages = skipped_in(tmp_path / "films")
    assert messages == (
        {} if name not in BINS else {"recycle": named or f"2 skipped, films/Good/{name}, films/{name}"}
    )
    # Who lists the folder itself wants what is in it.
    assert find_films([tmp_path / "films" / name], lambda _: None) == [
        tmp_path / f"films/{name}/S-1-5-21/a.mkv"
    ]
    if name in BINS:
        assert skipped_in(tmp_path / "films", tmp_path / "films" / name) == {
            "recycle": f"1 skipped, films/Good/{name}"
        }


def test_a_film_whose_name_only_resembles_a_recycle_bin_is_taken(tmp_path: Path) -> None:
    names = (
        "Recycled (2020)/a.mkv",
        "recycle/b.mkv",
        "Trash/c.mkv",
        "snapshots/d.mkv",
        "lost and found/e.mkv",
    )
    films = films_in(tmp_path, *names)
    assert find_films([tmp_path]) == sorted(films)


@pytest.mark.parametrize(
    "suffix", ["mk3d", "TP", "trp", "divx", "evo", "rm", "rmvb", "wtv", "dvr-ms", "3g2", "vro", "qt", "m1v"]
)
def test_rare_suffixes_of_films_are_taken(suffix: str, tmp_path: Path) -> None:
    films = films_in(tmp_path, f"film.{suffix}")
    assert find_films([tmp_path]) == films


def test_what_looks_like_a_film_and_is_left_out_is_reported_once_for_each_kind(tmp_path: Path) -> None:
    films_in(tmp_path, "films/a.mkv", *(f"films/disc {number}.ISO" for number in range(5)), "films/x.braw")
    films_in(tmp_path, "films/b.mkv.part", "films/c.mp4.crdownload", "elsewhere/linked.mkv")
    films_in(
        tmp_path, "films/a.srt", "films/a.mkv.nfo", "films/cover.jpg", "films/b.txt.part", "films/._a.iso"
    )
    films = tmp_path / "films"
    (films / "link").symlink_to("../elsewhere")
    (films / "loop").symlink_to(".")
    (films / "gone.mkv").symlink_to("../away/gone.mkv")
    (films / "gone").symlink_to("../away")
    assert find_films([films], lambda _: None) == [films / "a.mkv"]
    assert skipped_in(films) == {
        "linked": "1 skipped, films/link",
        "kinds": "6 skipped, films/disc 0.ISO, films/disc 1.ISO, films/disc 2.ISO and 3 more",
        "incomplete": "2 skipped, films/b.mkv.part, films/c.mp4.crdownload",
        "links": "2 skipped, films/gone, films/gone.mkv",
    }
    assert "linked" not in skipped_in(films, films / "link")
    assert "linked" not in skipped_in(films, tmp_path / "elsewhere")
    assert find_films([films, films / "link"], lambda _: None) == [films / "a.mkv", films / "link/linked.mkv"]


def test_a_folder_that_is_not_there_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        find_films([tmp_path, tmp_path / "one", tmp_path / "two"])
    assert [problem.split(":")[0] for problem in caught.value.problems] == [
        f"{tmp_path}/one",
        f"{tmp_path}/two",
    ]


def test_weights_and_rules_are_read() -> None:
    assert parse_weights(" General = 0.5, space") == {"general": 0.5, "space": 1.0}
    assert Rule.parse("star*=space=0.8,general=0.2") == Rule("star*", {"space": 0.8, "general": 0.2})
    assert Rule.parse("star*=space").matches(Path("/x/STAR Wars.mkv"))
    assert Rule.parse("amélie*=general").matches(Path("Ame\u0301lie.mkv"))
    assert not Rule.parse("star*=space").matches(Path("/star/Dune.mkv"))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "a category's name is missing"),
        ("general=1.5", "'1.5' is no weight of general; use a number between 0 and 1"),
        ("general=nan", "'nan' is no weight"),
        ("general=", "'' is no weight"),
        ("general=much", "'much' is no weight"),
        ("general,GENERAL=0", "names GENERAL twice"),
    ],
)
def test_a_weight_that_cannot_be_read_is_reported(text: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        parse_weights(text)
    with pytest.raises(ConfigError, match=problem):
        Rule.parse(f"star*={text}")


@pytest.mark.parametrize("text", ["space", "=space", ""])
def test_a_rule_without_a_pattern_is_reported(text: str) -> None:
    with pytest.raises(ConfigError, match="is no rule; write a pattern"):
        Rule.parse(text)


def test_yaml_keeps_its_comments_and_its_layout(tmp_path: Path) -> None:
    config = config_with(COMMENTED_YAML, tmp_path)
    films = films_in(tmp_path, "films/Star Wars.mkv", 'films/Amélie #1: "A".mkv')
    added = append_videos(config, films, {"general": 0.5, "toon": 1}, [Rule.parse("star*=space")])
    old_end = "      general: 1  # all of it\n"
    assert config.read_text(encoding="utf-8") == COMMENTED_YAML.replace(
        old_end,
        old_end + '  - name: "Star Wars"\n    path: "films/Star Wars.mkv"\n    categories: {space: 1.0}\n'
        '  - name: "Amélie #1: \\"A\\""\n    path: "films/Amélie #1: \\"A\\".mkv"\n'
        "    categories: {general: 0.5, toon: 1}\n",
    )
    assert load_settings(config).videos[1:] == tuple(added)
    assert [entry.path for entry in added] == films
    assert added[0].categories == {"space": 1.0}


def test_json_keeps_its_tabs_and_its_layout(tmp_path: Path) -> None:
    config = config_with(TABBED_JSON, tmp_path, "c.json")
    films = films_in(tmp_path, "films/Amélie.mkv")
    added = append_videos(config, films, GENERAL, [])
    new = (
        '\t\t},\n\t\t{\n\t\t\t"name": "Amélie",\n\t\t\t"path": "films/Amélie.mkv",\n'
        '\t\t\t"categories": {"general": 0.5}\n\t\t}\n\t],'
    )
    assert config.read_text(encoding="utf-8") == TABBED_JSON.replace("\t\t}\n\t],", new)
    assert load_settings(config).videos[1:] == tuple(added)


BASE_YAML = "base_settings: {output_base_dir: out}\n"
ITEM = "{name: A, path: a, categories: {}}"
ADDED = '{name: "b", path: "b.mkv", categories: {general: 0.5}}'
ADDED_JSON = '{"name": "b", "path": "b.mkv", "categories": {"general": 0.5}}'
ADDED_BLOCK = '- name: "b"\n    path: "b.mkv"\n    categories: {general: 0.5}'
JSON_ITEM = '{"name": "A", "path": "a", "categories": {}}'
JSON_BASE = '"base_settings": {"output_base_dir": "out"}'

LAYOUTS = {
    "empty list": (
        BASE_YAML + "videos: []  # none yet\n",
        BASE_YAML + f"videos:  # none yet\n  {ADDED_BLOCK}\n",
    ),
    "no value": ("videos:\n" + BASE_YAML, f"videos:\n  {ADDED_BLOCK}\n" + BASE_YAML),
    "null": ("videos: null\n" + BASE_YAML, f"videos:\n  {ADDED_BLOCK}\n" + BASE_YAML),
    "no key": (BASE_YAML + "# end\n", BASE_YAML + f"videos:\n  {ADDED_BLOCK}\n# end\n"),
    "no key, no line end": (BASE_YAML.rstrip(), BASE_YAML + f"videos:\n  {ADDED_BLOCK}"),
    "empty list over lines": (
        BASE_YAML + "videos: [\n  # none yet\n]\n",
        BASE_YAML + f"videos: [\n  # none yet\n  {ADDED}\n]\n",
    ),
    "no indentation": (
        BASE_YAML + f"videos:\n- {ITEM}\n",
        BASE_YAML + f"videos:\n- {ITEM}\n- {ADDED}\n",
    ),
    "last line without its end": (
        BASE_YAML + f"videos:\n    - {ITEM}",
        BASE_YAML + f"videos:\n    - {ITEM}\n    - {ADDED}",
    ),
    "end of document": (
        BASE_YAML + f"videos:\n  - {ITEM}\n...\n",
        BASE_YAML + f"videos:\n  - {ITEM}\n  - {ADDED}\n...\n",
    ),
    "name as a block": (
        BASE_YAML + "videos:\n  - path: a\n    categories: {}\n    name: |\n      A\n\n# end\n",
        BASE_YAML
        + f"videos:\n  - path: a\n    categories: {{}}\n    name: |\n      A\n\n  {ADDED_BLOCK}\n# end\n",
    ),
    "brackets in one line": (
        BASE_YAML + f"videos: [{ITEM}] # all\n",
        BASE_YAML + f"videos: [{ITEM}, {ADDED}] # all\n",
    ),
    "brackets with comma and comment": (
        BASE_YAML + f"videos: [\n  {ITEM}, # one\n]\n",
        BASE_YAML + f"videos: [\n  {ITEM}, # one\n  {ADDED},\n]\n",
    ),
    "brackets with comment": (
        BASE_YAML + f"videos: [\n  {ITEM} # one\n]\n",
        BASE_YAML + f"videos: [\n  {ITEM}, # one\n  {ADDED}\n]\n",
    ),
    "brackets that end with the item": (
        BASE_YAML + f"videos: [\n  {ITEM}]\n",
        BASE_YAML + f"videos: [\n  {ITEM},\n  {ADDED}]\n",
    ),
    "brackets with a comma below": (
        BASE_YAML + f"videos: [\n  {ITEM}\n  ,\n]\n",
        BASE_YAML + f"videos: [\n  {ITEM},\n  {ADDED}\n  ,\n]\n",
    ),
    "weights by alias": (
        BASE_YAML
        + "videos:\n  - {name: A, path: a, categories: &a {general: 1}}\n"
        + "  - name: C\n    path: c\n    categories: *a\n# end\n",
        BASE_YAML
        + "videos:\n  - {name: A, path: a, categories: &a {general: 1}}\n"
        + f"  - name: C\n    path: c\n    categories: *a\n  {ADDED_BLOCK}\n# end\n",
    ),
    "value in its own line": (
        "videos: # none yet\n  []\n" + BASE_YAML,
        f"videos: # none yet\n  {ADDED_BLOCK}\n" + BASE_YAML,
    ),
    "JSON in one line": (
        f'{{{JSON_BASE}, "videos": [{JSON_ITEM}]}}',
        f'{{{JSON_BASE}, "videos": [{JSON_ITEM}, {ADDED_JSON}]}}',
    ),
    "JSON, empty list": (
        f'{{\n    "videos": [],\n    {JSON_BASE}\n}}\n',
        f'{{\n    "videos": [\n        {ADDED_JSON}\n    ],\n    {JSON_BASE}\n}}\n',
    ),
    "JSON, null": (f'{{{JSON_BASE}, "videos": null}}', f'{{{JSON_BASE}, "videos": [\n  {ADDED_JSON}\n]}}'),
    "JSON, no key": (
        f"{{\n\t{JSON_BASE}\n}}\n",
        f'{{\n\t{JSON_BASE},\n\t"videos": [\n\t\t{ADDED_JSON}\n\t]\n}}\n',
    ),
}


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(("before", "after"), LAYOUTS.values(), ids=LAYOUTS)
def test_a_film_is_added_in_the_layout_of_the_list(
    before: str, after: str, newline: str, tmp_path: Path
) -> None:
    name = "c.json" if before.startswith("{") else "c.yaml"
    config = config_with(before.replace("\n", newline), tmp_path, name)
    append_videos(config, films_in(tmp_path, "b.mkv"), GENERAL, [])
    written_newline = newline if "\n" in before else "\n"
    assert config.read_bytes().decode() == after.replace("\n", written_newline)
    assert load_settings(config).videos[-1].path == tmp_path / "b.mkv"


def test_several_films_are_added_in_their_order(tmp_path: Path) -> None:
    for text, name in ((COMMENTED_YAML, "c.yaml"), (TABBED_JSON, "c.json")):
        config = config_with(text, tmp_path, name)
        films = films_in(tmp_path, *(f"films/{number:03}.mkv" for number in range(120)))
        append_videos(config, films[:60], GENERAL, [])
        append_videos(config, films, GENERAL, [])
        assert [entry.path for entry in load_settings(config).videos[1:]] == films


def test_a_film_that_is_listed_is_not_added_again(tmp_path: Path) -> None:
    config = config_with(COMMENTED_YAML, tmp_path)
    [dune] = films_in(tmp_path, "films/dune.mkv")
    (tmp_path / "link").symlink_to(tmp_path / "films")
    before = config.stat()
    assert append_videos(config, [dune, tmp_path / "link/dune.mkv"], GENERAL, []) == []
    assert config.stat().st_mtime_ns == before.st_mtime_ns
    [new] = films_in(tmp_path, "films/new.mkv")
    assert len(append_videos(config, [new, tmp_path / "link/new.mkv", new], GENERAL, [])) == 1


def test_films_of_one_name_are_distinguished_by_folder_then_number(tmp_path: Path) -> None:
    config = config_with(COMMENTED_YAML, tmp_path)
    films = films_in(
        tmp_path, "2021/Dune.mkv", "1984/Dune.mkv", "1984/dune!.mp4", "x/千と千尋.mkv", "y/千と千尋.mkv"
    )
    added = append_videos(config, films, GENERAL, [])
    assert [entry.name for entry in added[:3]] == ["Dune 2021", "Dune 1984", "dune! 1984 2"]
    assert added[3].name.startswith("千と千尋 ")
    assert added[4].name == f"{added[3].name} y"
    assert len({entry.key for entry in added}) == 5


def test_a_film_outside_the_configurations_folder_is_listed_by_its_whole_path(tmp_path: Path) -> None:
    (tmp_path / "configs").mkdir()
    config = config_with(COMMENTED_YAML, tmp_path / "configs")
    append_videos(config, films_in(tmp_path, "films/new.mkv"), GENERAL, [])
    assert f'path: "{tmp_path}/films/new.mkv"' in config.read_text()


def test_odd_file_names_come_back_as_they_are(tmp_path: Path) -> None:
    odd = [
        "~tilde.mkv",
        "http:x.mkv",
        "a\nb.mkv",
        "tab\t.mkv",
        "del\x7f.mkv",
        "back\\slash.mkv",
        "no.mkv",
        "😀 é.mkv",
    ]
    for text, name in ((COMMENTED_YAML, "c.yaml"), (TABBED_JSON, "c.json")):
        config = config_with(text, tmp_path, name)
        added = append_videos(config, films_in(tmp_path, *odd), GENERAL, [])
        assert [entry.path for entry in added] == [tmp_path / name for name in odd]


def test_a_file_name_that_is_not_text_is_reported(tmp_path: Path) -> None:
    config = config_with(COMMENTED_YAML, tmp_path)
    film = tmp_path / os.fsdecode(b"caf\xe9.mkv")
    with pytest.raises(ConfigError, match=r"caf\\udce9\.mkv': the name is not UTF-8"):
        append_videos(config, [film], GENERAL, [])
    assert config.read_text() == COMMENTED_YAML


def test_a_scan_changes_nothing_where_it_cannot_go_on(tmp_path: Path) -> None:
    films = films_in(tmp_path, "b.mkv")
    unknown = [Rule.parse("*=spcae")]
    cases: list[tuple[str, list[Rule], str]] = [
        (COMMENTED_YAML, unknown, "spcae: there is no such category; did you mean `space`"),
        (
            COMMENTED_YAML.replace("general: 1 ", "general: 2 "),
            [],
            r"c\.yaml:9 videos\[0\]\.categories\.general",
        ),
        (BASE_YAML + "old: &old\n  - a\nvideos: *old\n", [], "unknown key"),
        ("videos: [\n", [], "not valid YAML"),
        ("", [], "is not a mapping"),
    ]
    for text, rules, message in cases:
        config = config_with(text, tmp_path)
        with pytest.raises(ConfigError, match=message):
            append_videos(config, films, GENERAL, rules)
        assert config.read_text() == text
    with pytest.raises(ConfigError, match="there is no such configuration file; write one"):
        append_videos(tmp_path / "none.yaml", films, GENERAL, [])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.mkv", "c.yaml"]


def test_a_list_that_cannot_be_extended_is_reported_and_left(tmp_path: Path) -> None:
    text = f"videos:\r  - {ITEM}\r{BASE_YAML}"
    config = config_with(text, tmp_path)
    with pytest.raises(ConfigError, match="the list cannot be extended as it is written"):
        append_videos(config, films_in(tmp_path, "b.mkv"), GENERAL, [])
    assert config.read_bytes().decode() == text


def test_a_linked_configuration_stays_a_link_and_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    real = config_with(COMMENTED_YAML, tmp_path / "real")
    real.chmod(0o640)
    link = tmp_path / "c.yaml"
    link.symlink_to(real)
    append_videos(link, films_in(tmp_path, "b.mkv"), GENERAL, [])
    assert link.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert load_settings(link).videos[-1].path == tmp_path / "b.mkv"


EDITED = {
    "block.yaml": BASE_YAML + "videos:\n  - name: A\n    path: a\n    categories: {}\n",
    "flow.yaml": BASE_YAML + f"videos: [\n  {ITEM}\n]\n",
    "line.json": f'{{{JSON_BASE}, "videos": [{JSON_ITEM}]}}',
    "tabs.json": TABBED_JSON,
}


@given(
    st.lists(st.tuples(st.text(max_size=12), st.text(max_size=12), st.floats(0, 1)), min_size=1, max_size=4),
    st.sampled_from(sorted(EDITED)),
)
def test_whatever_the_names_the_edited_text_gives_them_back(
    videos: list[tuple[str, str, float]], file: str
) -> None:
    is_json = file.endswith(".json")
    root = read_tree(EDITED[file], is_json=is_json)
    assert isinstance(root, Entries)
    new = [NewVideo(name, path, {"general": weight}) for name, path, weight in videos]
    edited = read_tree(with_videos(EDITED[file], root, new), is_json=is_json)
    read_back = plain(edited, Problems(Path(file), lambda: edited))["videos"][1:]
    assert [(video["name"], video["path"], video["categories"]["general"]) for video in read_back] == videos
