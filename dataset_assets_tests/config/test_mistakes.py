from __future__ import annotations

from pathlib import Path

import pytest

from dataset_assets.config import load_settings
from dataset_assets.errors import ConfigError
from dataset_assets_tests.config.samples import HEAD, problems_of


def in_video(field: str) -> str:
    return HEAD.replace("    categories: {general: 0.5}\n", f"    categories: {field}\n")


def excluding(ranges: str) -> str:
    return HEAD + f"    exclude: {ranges}\n"


NO_RANGE = (
    "is no range of times; write such as 0:00-1:30, 1:02:03.5-1:03:00, or -6:00-end for the last 6 minutes."
)


def degrading(steps: str) -> str:
    return HEAD.replace("\nvideos", f"\n  degradations: {steps}\nvideos")


STEPS = "base_settings.degradations"
MISTAKES = {
    "degradations that are no list": (
        degrading("{blur: {}}"),
        f'c.yaml:3 {STEPS}: {{"blur": {{}}}} does not fit; use a list of mappings, one for each step.',
    ),
    "two steps in one": (
        degrading("[{blur: {}, noise: {}}]"),
        f"c.yaml:3 {STEPS}[0]: is not one step; write one key an entry: blur, resize, noise, chroma or "
        "codec.",
    ),
    "an unknown step": (
        degrading("[{blurr: {}}]"),
        f"c.yaml:3 {STEPS}[0].blurr: unknown key; did you mean `blur`?",
    ),
    "an unknown key of a step": (
        degrading("[{blur: {sigmas: [1, 2]}}]"),
        f"c.yaml:3 {STEPS}[0].blur.sigmas: unknown key; did you mean `sigma`?",
    ),
    "a range backwards in a step": (
        degrading("[{noise: {sigma: [5, 1]}}]"),
        f"c.yaml:3 {STEPS}[0].noise.sigma: [5.0, 1.0] is no range; use the least value and then the largest.",
    ),
    "a number for the range of a step": (
        degrading("[{blur: {sigma: 1}}]"),
        f"c.yaml:3 {STEPS}[0].blur.sigma: 1 does not fit; use the least and the largest, each a number "
        "between 0.2 and 5, such as [0.2, 5].",
    ),
    "a codec that is never drawn": (
        degrading("[{codec: {h264: {weight: 0}}}]"),
        f"c.yaml:3 {STEPS}[0].codec.h264.weight: 0 does not fit; use a number greater than 0, at most 1000.",
    ),
    "a crf beyond the codec's": (
        degrading("[{codec: {h264: {crf: [18, 60]}}}]"),
        f"c.yaml:3 {STEPS}[0].codec.h264.crf[1]: 60 does not fit; use a whole number between 0 and 51.",
    ),
    "a codec step without a codec": (
        degrading("[{codec: {}}]"),
        f"c.yaml:3 {STEPS}[0].codec: names no codec; name one or more, such as {{h264: {{crf: [18, 33]}}}}.",
    ),
    "a step after the codec": (
        degrading("[{codec: {h264: {}}}, {blur: {}}]"),
        f"c.yaml:3 {STEPS}: codes before the last step; keep one codec step, and make it the last.",
    ),
    "degradations without what is degraded": (
        degrading("[{blur: {}}]").replace("\nvideos", "\n  lr_stacks: [5]\nvideos"),
        "c.yaml:1 base_settings: degradations need LR stacks of 7 frames; add 7 to base_settings.lr_stacks, "
        "or leave the degradations out.",
    ),
    "degradations of a category without what is degraded": (
        HEAD.replace("\nvideos", "\n  lr_stacks: [5]\nvideos")
        + "categories: {space: {degradations: [{blur: {}}]}}\n",
        "c.yaml:8 categories.space.degradations: degradations need LR stacks of 7 frames; add 7 to "
        "base_settings.lr_stacks, or leave the degradations out.",
    ),
    "a time that cannot be read": (
        excluding("[0:00-1:30, 1:3x-2:00]"),
        f"c.yaml:7 videos[0].exclude[1]: {NO_RANGE}",
    ),
    "a minute of more than 60 seconds": (
        excluding("[0:75-2:00]"),
        f"c.yaml:7 videos[0].exclude[0]: {NO_RANGE}",
    ),
    "one time instead of a range": (excluding("['1:30']"), f"c.yaml:7 videos[0].exclude[0]: {NO_RANGE}"),
    "a range backwards": (
        excluding("[1:30-0:10]"),
        "c.yaml:7 videos[0].exclude[0]: ends before it starts; swap the two times.",
    ),
    "a range backwards from the end": (
        excluding("['-1:00--6:00']"),
        "c.yaml:7 videos[0].exclude[0]: ends before it starts; swap the two times.",
    ),
    "a range that starts with the end": (
        excluding("[end-1:00]"),
        "c.yaml:7 videos[0].exclude[0]: ends before it starts; swap the two times.",
    ),
    "a range without length": (
        excluding("['0:10-10']"),
        "c.yaml:7 videos[0].exclude[0]: ends where it starts, so it excludes nothing; give it a length, or "
        "remove it.",
    ),
    "a range without its list": (
        excluding("0:00-1:30"),
        'c.yaml:7 videos[0].exclude: "0:00-1:30" does not fit; use a list of texts, such as '
        '["0:00-1:30", "-6:00-end"].',
    ),
    "a number for a range": (
        excluding("[90]"),
        "c.yaml:7 videos[0].exclude[0]: 90 does not fit; use text in quotes.",
    ),
    "unknown section": (
        HEAD + "format: {}\n",
        "c.yaml:7 format: unknown key; did you mean `formats`?",
    ),
    "unknown setting": (
        HEAD.replace("output_base_dir: out", "output_base_dir: out\n  max_worker: 2"),
        "c.yaml:3 base_settings.max_worker: unknown key; did you mean `max_workers`?",
    ),
    "unknown category of a watched folder": (
        HEAD + "watch:\n  - folder: films\n    categories: {general: 1}\n    rules: {a*: {genral: 1}}\n",
        'c.yaml:10 watch[0].rules["a*"].genral: no such category; did you mean `general`?',
    ),
    "a watched folder twice": (
        HEAD + "watch:\n  - {folder: films, categories: {}}\n  - {folder: films/, categories: {}}\n",
        "c.yaml:9 watch[1].folder: is the folder of watch[0]; keep one of them.",
    ),
    "rules of another form": (
        HEAD + "watch:\n  - {folder: films, categories: {}, rules: [a]}\n",
        'c.yaml:8 watch[0].rules: ["a"] does not fit; use a mapping of patterns to weights, such as '
        '{"star*": {space: 1.0}}.',
    ),
    "a pattern without its list": (
        HEAD + "watch:\n  - {folder: films, categories: {}, exclude: a*}\n",
        'c.yaml:8 watch[0].exclude: "a*" does not fit; use a list of texts, such as ["*sample*"].',
    ),
    "no cron expression": (
        HEAD + "nightly: {cron: daily}\n",
        "c.yaml:7 nightly.cron: is no cron expression of five fields; write such as 0 1 * * * (each night at "
        "one).",
    ),
    "an hour that no day has": (
        HEAD + "nightly: {cron: 0 24 * * *}\n",
        "c.yaml:7 nightly.cron: 24 is no hour; use * or 0 to 23, and , - / between them.",
    ),
    "a letter that draws an hour at random": (
        HEAD + "nightly: {cron: 0 R * * *}\n",
        "c.yaml:7 nightly.cron: R is no hour; use * or 0 to 23, and , - / between them.",
    ),
    "a day that none of the months has": (
        HEAD + "nightly: {cron: '0 0 31 4,6 mon'}\n",
        "c.yaml:7 nightly.cron: day 31 is in no month of 4,6; use a day that comes.",
    ),
    "a night in February that never comes": (
        HEAD + "nightly: {cron: 0 0 30 2 *}\n",
        "c.yaml:7 nightly.cron: day 30 is in no month of 2; use a day that comes.",
    ),
    "no time zone": (
        HEAD + "nightly: {time_zone: Europe/Berln}\n",
        "c.yaml:7 nightly.time_zone: no such time zone; did you mean `Europe/Berlin`?",
    ),
    "no night at all": (
        HEAD + "nightly: {max_videos_per_night: 0}\n",
        "c.yaml:7 nightly.max_videos_per_night: 0 does not fit; use a whole number of at least 1.",
    ),
    "a webhook that is none": (
        HEAD + "runs: {webhook_url: file:///etc/passwd}\n",
        "c.yaml:7 runs.webhook_url: is no address that can be posted to; write one that begins with "
        "http:// or https://.",
    ),
    "a webhook that is a number": (
        HEAD + "runs: {webhook_url: 1}\n",
        "c.yaml:7 runs.webhook_url: 1 does not fit; use text in quotes.",
    ),
    "unknown video key": (
        HEAD + "    weights: {}\n",
        "c.yaml:7 videos[0].weights: unknown key; use one of `categories`, `exclude`, `name`, `path`.",
    ),
    "wrong type": (
        HEAD.replace("output_base_dir: out", 'output_base_dir: out\n  seed: "1"'),
        'c.yaml:3 base_settings.seed: "1" does not fit; use a whole number of at least 0.',
    ),
    "a truth value for a number": (
        HEAD.replace("output_base_dir: out", "output_base_dir: out\n  max_workers: true"),
        "c.yaml:3 base_settings.max_workers: true does not fit; use a whole number of at least 1.",
    ),
    "out of range": (
        HEAD.replace("output_base_dir: out", "output_base_dir: out\n  max_attempts: 101"),
        "c.yaml:3 base_settings.max_attempts: 101 does not fit; use a whole number between 1 and 100.",
    ),
    "no choice": (
        HEAD.replace("output_base_dir: out", "output_base_dir: out\n  cut_rule: block"),
        'c.yaml:3 base_settings.cut_rule: "block" does not fit; use one of "both", "blocks", "legacy".',
    ),
    "weight above 1": (
        in_video("{general: 1.4}"),
        "c.yaml:6 videos[0].categories.general: 1.4 does not fit; use a number between 0 and 1.",
    ),
    "weight below 0": (
        in_video("{general: -0.1}"),
        "c.yaml:6 videos[0].categories.general: -0.1 does not fit; use a number between 0 and 1.",
    ),
    "weight not a number": (
        in_video("\n      GENERAL: .nan"),
        "c.yaml:7 videos[0].categories.general: NaN does not fit; use a number between 0 and 1.",
    ),
    "unknown category": (
        in_video("{general: 1, spacy: 1}"),
        "c.yaml:6 videos[0].categories.spacy: no such category; did you mean `space`?",
    ),
    "category twice in two cases": (
        in_video("{general: 1, GENERAL: 1}"),
        "c.yaml:6 videos[0].categories: names a category twice, in upper and lower case; keep one of them.",
    ),
    "missing key": (
        HEAD + "  - {name: Arrival, categories: {}}\n",
        "c.yaml:7 videos[1].path: is missing; add the path of a file or folder, as text in quotes.",
    ),
    "video not a mapping": (
        HEAD + "  - arrival.mkv\n",
        'c.yaml:7 videos[1]: "arrival.mkv" does not fit; '
        "use a mapping with the keys `name`, `path`, `categories`, `exclude`.",
    ),
    "two videos with one key": (
        HEAD + "  - {name: DUNE!, path: b.mkv, categories: {}}\n",
        "c.yaml:7 videos[1].name: has the key dune, as videos[0] has; give one of them another name.",
    ),
    "name without a key": (
        HEAD.replace("Dune", "千と千尋"),
        "c.yaml:4 videos[0].name: has no letter a-z and no digit to make a key from; "
        "add one, such as the year.",
    ),
    "address for a path": (
        HEAD.replace("dune.mkv", "concat:a.ts|b.ts"),
        "c.yaml:5 videos[0].path: concat: begins an address, of which only s3://, https:// and http:// can "
        "be read; write one of these, or a plain path (with ./ before it if it is one).",
    ),
    "address for a folder": (
        HEAD.replace(": out", ": s3://bucket"),
        "c.yaml:2 base_settings.output_base_dir: s3: begins an address; "
        "write a plain path (with ./ before it if it is one).",
    ),
    "empty path": (
        HEAD.replace("dune.mkv", '""'),
        "c.yaml:5 videos[0].path: not a path; write the path of a file or folder as text.",
    ),
    "no home": (
        HEAD.replace("dune.mkv", "~nobody-has-this-name/dune.mkv"),
        "c.yaml:5 videos[0].path: the home folder of ~nobody-has-this-name is not known; "
        "write the whole path.",
    ),
    "empty list": (
        "base_settings: {output_base_dir: out}\nvideos: []\n",
        "c.yaml:2 videos: the list is empty; add a video, "
        "or let `dataset-assets videos scan FOLDER` find them.",
    ),
    "no list": (
        "base_settings: {output_base_dir: out}\nvideos: {a: b}\n",
        'c.yaml:2 videos: {"a": "b"} does not fit; use a list of videos.',
    ),
    "no base settings": (
        HEAD.replace("base_settings:\n  output_base_dir: out\n", ""),
        "c.yaml:1 base_settings: is missing; add it with at least `output_base_dir`.",
    ),
    "key twice": (
        HEAD + "    path: other.mkv\n",
        "c.yaml:7 videos[0].path: is written twice, the first time in line 5; keep one of them.",
    ),
    "width not divisible by 3": (
        HEAD + "formats:\n  wide:\n    width: 1000\n    height: 402\n    folder: W\n",
        "c.yaml:9 formats.wide.width: 1000 is not divisible by the scale 3; use 999 or 1002.",
    ),
    "height not divisible by 4": (
        HEAD.replace("\nvideos", "\n  scale: 4\nvideos") + "formats:\n  medium_169: {height: 405}\n",
        "c.yaml:9 formats.medium_169.height: 405 is not divisible by the scale 4; use 404 or 408.",
    ),
    "side that no smaller one is near": (
        HEAD.replace("\nvideos", "\n  scale: 4\nvideos") + "formats:\n  small_540: {height: 2}\n",
        "c.yaml:9 formats.small_540.height: 2 is not divisible by the scale 4; use 4.",
    ),
    "scale that is none": (
        HEAD.replace("\nvideos", "\n  scale: 5\nvideos"),
        "c.yaml:3 base_settings.scale: 5 does not fit; use one of 2, 3, 4.",
    ),
    "no stack": (
        HEAD.replace("\nvideos", "\n  lr_stacks: []\nvideos"),
        "c.yaml:3 base_settings.lr_stacks: is empty; use [5], [7] or [5, 7].",
    ),
    "stack twice": (
        HEAD.replace("\nvideos", "\n  lr_stacks: [7, 7]\nvideos"),
        "c.yaml:3 base_settings.lr_stacks: names a stack twice; use [5], [7] or [5, 7].",
    ),
    "stack that is none": (
        HEAD.replace("\nvideos", "\n  lr_stacks: [5, 6]\nvideos"),
        "c.yaml:3 base_settings.lr_stacks[1]: 6 does not fit; use one of 5, 7.",
    ),
    "one stack without a list": (
        HEAD.replace("\nvideos", "\n  lr_stacks: 7\nvideos"),
        "c.yaml:3 base_settings.lr_stacks: 7 does not fit; use a list of one or more of 5, 7.",
    ),
    "GT of other frames": (
        HEAD.replace("\nvideos", "\n  gt_frames: first\nvideos"),
        'c.yaml:3 base_settings.gt_frames: "first" does not fit; use one of "middle", "all".',
    ),
    "height below 2": (
        HEAD + "formats:\n  wide: {width: 999, height: 0, folder: W}\n",
        "c.yaml:8 formats.wide.height: 0 does not fit; use a whole number between 2 and 1920.",
    ),
    "name of a format": (
        HEAD + "formats:\n  Wide-1: {width: 999, height: 402, folder: W}\n",
        'c.yaml:8 formats["Wide-1"]: not a name; use small letters, digits and _, a letter first.',
    ),
    "absolute folder": (
        HEAD + "formats:\n  wide: {width: 999, height: 402, folder: /W}\n",
        "c.yaml:8 formats.wide.folder: leads out of the data set; "
        "use a relative folder without .. and with / between its parts.",
    ),
    "folder of another drive": (
        HEAD + "formats:\n  wide: {width: 999, height: 402, folder: 'C:W'}\n",
        "c.yaml:8 formats.wide.folder: leads out of the data set; "
        "use a relative folder without .. and with / between its parts.",
    ),
    "folder above": (
        HEAD + "categories:\n  night: {folder: a/../../b, mix: {small_540: 1}}\n",
        "c.yaml:8 categories.night.folder: leads out of the data set; "
        "use a relative folder without .. and with / between its parts.",
    ),
    "mix that is not whole": (
        HEAD + "categories:\n  night:\n    folder: N\n    mix: {small_540: 0.45, large_720: 0.5}\n",
        "c.yaml:10 categories.night.mix: the shares sum to 0.95; make them sum to 1.",
    ),
    "mix of an unknown format": (
        HEAD + "categories:\n  night: {folder: N, mix: {small_450: 1}}\n",
        "c.yaml:8 categories.night.mix.small_450: no such format; did you mean `small_540`?",
    ),
    "format removed that a default uses": (
        HEAD + "formats:\n  large_720: null\n",
        "c.yaml:8 formats.large_720: is removed, but the default category general uses it; "
        "keep it, or give general a mix without it.",
    ),
    "removing what is not there": (
        HEAD + "formats:\n  large_7200: null\n",
        "c.yaml:8 formats.large_7200: null removes a default, and none has this name; "
        "did you mean `large_720`?",
    ),
    "formats with one folder": (
        HEAD + "formats:\n  wide: {width: 999, height: 402, folder: patches_large}\n",
        "c.yaml:8 formats.wide.folder: shares its folder with formats.large_720; use one of its own.",
    ),
    "categories one in the other": (
        HEAD + "categories:\n  night: {folder: Space/SpaceModel, mix: {small_540: 1}}\n",
        "c.yaml:8 categories.night.folder: shares its folder with categories.space; use one of its own.",
    ),
    "a default's folder taken over": (
        HEAD + "categories:\n  general: {folder: Toon/ToonModel/Learn, mix: {small_540: 1}}\n",
        "c.yaml:8 categories.general.folder: shares its folder with categories.toon; use one of its own.",
    ),
    "a default's own folder taken over before its entry": (
        HEAD + "formats:\n  wide: {width: 999, height: 402, folder: Patches}\n  small_540: {width: 480}\n",
        "c.yaml:8 formats.wide.folder: shares its folder with formats.small_540; use one of its own.",
    ),
    "a part of a default's entry": (
        HEAD + "categories:\n  general:\n    mix: {small_540: 0.5}\n",
        "c.yaml:9 categories.general.mix: the shares sum to 0.5; make them sum to 1.",
    ),
    "an unknown key beside a default's": (
        HEAD + "formats:\n  small_540:\n    widht: 480\n",
        "c.yaml:9 formats.small_540.widht: unknown key; did you mean `width`?",
    ),
    "a format that a default's mix uses, whose entry has another folder": (
        HEAD + "formats:\n  large_720: null\ncategories:\n  general: {folder: G}\n",
        "c.yaml:8 formats.large_720: is removed, but the default category general uses it; keep it, or give "
        "general a mix without it.",
    ),
    "a part of an entry without a default": (
        HEAD + "categories:\n  night: {mix: {small_540: 1}}\n",
        "c.yaml:8 categories.night.folder: is missing; add text in quotes.",
    ),
    "the tables' folder": (
        HEAD + "categories:\n  night: {folder: metadata/night, mix: {small_540: 1}}\n",
        "c.yaml:8 categories.night.folder: metadata belongs to the tables; use another folder.",
    ),
    "the gallery's folder": (
        HEAD + "categories:\n  night: {folder: Gallery, mix: {small_540: 1}}\n",
        "c.yaml:8 categories.night.folder: gallery belongs to the pages; use another folder.",
    ),
    "the user's folder": (
        HEAD + "formats:\n  wide: {width: 999, height: 402, folder: val}\n",
        "c.yaml:8 formats.wide.folder: Val belongs to the user's own validation pictures; "
        "use another folder.",
    ),
    "no category left": (
        in_video("{}") + "categories: {general: null, space: null, toon: null}\n",
        "c.yaml:7 categories: no category is left; keep one, or add one.",
    ),
    "category in two cases": (
        HEAD + "categories:\n  night: {folder: N, mix: {small_540: 1}}\n"
        "  Night: {folder: N, mix: {small_540: 1}}\n",
        "c.yaml:9 categories.Night: is there in upper and in lower case; keep one of them.",
    ),
    "not a mapping": (
        "formats: [a]\n" + HEAD,
        'c.yaml:1 formats: ["a"] does not fit; use a mapping of names to their settings.',
    ),
    "undefined alias": (
        in_video("*both"),
        "c.yaml:6: the alias *both stands for nothing; define &both before it.",
    ),
    "alias inside its own anchor": (
        in_video("&both {general: *both}"),
        "c.yaml:6: the alias *both stands for nothing; define &both before it.",
    ),
    "second document": (
        HEAD + "---\na: b\n",
        "c.yaml:7: a second document begins; keep one document in the file.",
    ),
    "tag": (
        HEAD.replace("dune.mkv", "!!python/name:os.system x"),
        "c.yaml:5: the YAML tag tag:yaml.org,2002:python/name:os.system has no meaning here; remove it.",
    ),
    "control character": (
        HEAD.replace("dune.mkv", "a\x07b"),
        "c.yaml:5: the character U+0007 is not allowed in YAML; remove it.",
    ),
    "number beyond reading": (
        HEAD.replace("output_base_dir: out", "output_base_dir: out\n  seed: " + "9" * 5000),
        "c.yaml:3: a number is too long to be read; write fewer digits.",
    ),
}


@pytest.mark.parametrize(("text", "expected"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_has_file_line_place_and_remedy(text: str, expected: str, tmp_path: Path) -> None:
    assert problems_of(text, tmp_path) == [expected]


def test_all_mistakes_are_reported_together_in_the_order_of_lines(tmp_path: Path) -> None:
    text = """\
{
	"base_settings": {"base_frame_limit": 0, "max_workers": 2.5},
	"videos": [
		{"name": "Dune", "path": "dune.mkv", "categories": {"general": 2, "toons": 1}},
		{"name": "dune", "path": "http://me:pw@example.org/dune.mkv", "categories": {}},
		{"name": "dune", "path": "dune.mkv"}
	],
	"categories": {
		"night": {"folder": "..", "mix": {"small_540": 0.5, "big": 0.4}}
	},
	"colour": "blue"
}
"""
    places = [problem.split(": ")[0] for problem in problems_of(text, tmp_path, "c.json")]
    assert places == [
        "c.json:2 base_settings.output_base_dir",
        "c.json:2 base_settings.base_frame_limit",
        "c.json:2 base_settings.max_workers",
        "c.json:4 videos[0].categories.general",
        "c.json:4 videos[0].categories.toons",
        "c.json:5 videos[1].path",
        "c.json:5 videos[1].name",
        "c.json:6 videos[2].categories",
        "c.json:6 videos[2].name",
        "c.json:9 categories.night.folder",
        "c.json:9 categories.night.mix",
        "c.json:9 categories.night.mix.big",
        "c.json:11 colour",
    ]


def test_keys_written_twice_in_json_are_reported(tmp_path: Path) -> None:
    text = """\
{
  "base_settings": {"output_base_dir": "out", "seed": 1,
                    "seed": 2},
  "videos": [{"name": "Dune", "path": "dune.mkv", "path": "arrakis.mkv", "categories": {"general": 1}}]
}
"""
    again = "is written twice, the first time in line"
    assert problems_of(text, tmp_path, "c.json") == [
        f"c.json:3 base_settings.seed: {again} 2; keep one of them.",
        f"c.json:4 videos[0].path: {again} 4; keep one of them.",
    ]


def test_a_syntax_error_is_reported_with_its_line(tmp_path: Path) -> None:
    [problem] = problems_of('{\n  "videos": [\n  1,,2]\n}', tmp_path, "c.json")
    assert problem.startswith("c.json:3: not valid JSON (Expecting value, column 5);")
    [problem] = problems_of("videos:\n  - name: a\n   path: b\n", tmp_path)
    assert problem.startswith("c.yaml:3: not valid YAML (")


@pytest.mark.parametrize(("name", "unit"), [("c.json", "["), ("c.yaml", "["), ("c.yaml", "- ")])
def test_endless_nesting_is_a_mistake_and_no_crash(name: str, unit: str, tmp_path: Path) -> None:
    [problem] = problems_of(unit * 50_000 + ("]" * 50_000 if unit == "[" else "a"), tmp_path, name)
    assert "nested more than 32 levels deep" in problem


def test_aliases_that_multiply_are_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    [problem] = problems_of("\n".join(lines), tmp_path)
    assert problem == "c.yaml:6: more than 500000 values, aliases written out; use fewer aliases."


def test_a_file_that_cannot_be_a_configuration_is_reported(tmp_path: Path) -> None:
    def problem_of(path: Path) -> str:
        with pytest.raises(ConfigError) as caught:
            load_settings(path)
        [problem] = caught.value.problems
        return problem.removeprefix(f"{tmp_path}/")

    assert problem_of(tmp_path / "none.json").startswith(
        "none.json: there is no such configuration file; write"
    )
    (tmp_path / "folder.json").mkdir()
    assert problem_of(tmp_path / "folder.json").startswith("folder.json: is not a file;")
    (tmp_path / "latin.yaml").write_bytes(b"a: 1\nb: \xe9\n")
    assert problem_of(tmp_path / "latin.yaml") == "latin.yaml:2: is not UTF-8 text; save it as UTF-8."
    with (tmp_path / "film.yaml").open("wb") as file:
        file.truncate(8_000_001)
    assert problem_of(tmp_path / "film.yaml").startswith("film.yaml: is larger than 8 MB;")
    assert "cannot be read" in problem_of(tmp_path / ("long" * 100))


def test_an_empty_file_is_reported(tmp_path: Path) -> None:
    for text, name in (("", "c.yaml"), ("# nothing\n", "c.yaml"), ("[]", "c.json")):
        assert problems_of(text, tmp_path, name)[0].startswith(f"{name}:1 the whole file: is not a mapping;")
