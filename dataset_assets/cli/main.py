"""The commands, their options and their help. What a command does is in the module of its name.

Those modules are imported inside the commands: Dagster takes a second, for which `--help` must not wait.
"""

from __future__ import annotations

import gc
import json
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from dataset_assets import __version__
from dataset_assets.cli import completion, export_options, validation_commands
from dataset_assets.cli.basics import (
    CONFIG_ERROR,
    FAILED,
    INTERRUPTED,
    CategoriesOption,
    ConfigOption,
    VideosOption,
    console,
    errors,
)
from dataset_assets.cli.basics import reporting_errors as _reporting_errors
from dataset_assets.cli.basics import split as _split
from dataset_assets.cli.new_films import with_new_films
from dataset_assets.config import (
    ConfigReader,
    Rule,
    append_videos,
    config_path,
    file_schema,
    find_films,
    load_settings,
    parse_weights,
)
from dataset_assets.counting import counted
from dataset_assets.errors import DatasetAssetsError

RUN_STOPPED = "stopped; what was committed stays, the next generate resumes there"
DEMO_FOLDER = Path("demo")

app = typer.Typer(
    name="dataset-assets",
    help="Training sets for video super-resolution, made from films.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
videos_app = typer.Typer(help="The videos of the configuration.", no_args_is_help=True)
app.add_typer(videos_app, name="videos")
config_app = typer.Typer(help="The configuration file.", no_args_is_help=True)
app.add_typer(config_app, name="config")
app.add_typer(validation_commands.app, name="validation")


def _report_left_out(reason: str) -> None:
    errors.print(f"[yellow]scan[/yellow] {escape(reason)}", soft_wrap=True)


def _usable(films: Sequence[Path]) -> list[Path]:
    """Return the films that can be opened, and report the others."""
    from dataset_assets.cli.film_check import check_films

    refused = check_films(films, errors).refused
    for film, error in refused.items():
        _report_left_out(f"{film}: {error.what}, so it is left out")
    return [film for film in films if film not in refused]


@app.callback(invoke_without_command=True)
def about(version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False) -> None:
    """Training sets for video super-resolution, made from films."""
    if version:
        console.print(__version__)
        raise typer.Exit


@app.command()
def generate(
    config: ConfigOption = None,
    videos: VideosOption = "",
    categories: CategoriesOption = "",
    workers: Annotated[int | None, typer.Option(min=1, help="Videos at a time; else max_workers.")] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Rebuild even if up to date; with --categories, only these.")
    ] = False,
    yes: Annotated[
        bool,
        typer.Option("--yes", help="Delete and remake finished patches, even more than a tenth of them."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be made, and why; write nothing.")
    ] = False,
    wait: Annotated[
        bool,
        typer.Option(
            "--wait",
            help="With many machines: stay until no other works on a video; take over those of a lost one.",
        ),
    ] = False,
) -> None:
    """Make what is missing or stale. Ctrl+C stops within seconds; the next generate resumes."""
    # A service manager's stop is Ctrl+C: the workers commit before they end. So is a lost connection, which
    # `nohup` has it ignore.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.default_int_handler)
    with _reporting_errors(RUN_STOPPED):
        from dataset_assets.cli.generate import generate as run

        code = run(
            config_path(config),
            console,
            videos=_split(videos),
            categories=_split(categories),
            workers=workers,
            force=force,
            may_replace=yes,
            is_dry_run=dry_run,
            waits=wait,
        )
        raise typer.Exit(code)


@app.command()
def monitor(
    config: ConfigOption = None,
    once: Annotated[bool, typer.Option("--once", help="Print one view and exit.")] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print one snapshot as JSON and exit; see docs/monitor.md.")
    ] = False,
) -> None:
    """Watch the runs on the data set, however they were launched; q ends the view, not the runs."""
    from dataset_assets.cli.monitor import monitor as watch

    with _reporting_errors():
        if not watch(ConfigReader(config_path(config)), console, once=once, as_json=json):
            raise typer.Exit(CONFIG_ERROR)


@videos_app.command("list")
def list_videos(config: ConfigOption = None) -> None:
    """Show what of each video is done, missing or stale, and which films were refused."""
    from dataset_assets.cli.views import failure_lines, too_small_lines, videos_table
    from dataset_assets.dataset import DataSet

    gc.disable()  # as in `stats`
    with _reporting_errors():
        settings = with_new_films(load_settings(config_path(config)), errors)
        # Cached, since states and statistics are read from the same footers.
        data_set = DataSet.of(settings, caches_footers=True)
        data_set.copy.refresh()
        overview = data_set.overview(settings)
        console.print(videos_table(settings, overview))
        for line in (*failure_lines(settings, overview), *too_small_lines(overview)):
            console.print(line, soft_wrap=True)


@videos_app.command()
def scan(
    folders: Annotated[
        list[Path], typer.Argument(help="Folders to look for films in, with their subfolders.")
    ],
    category: Annotated[str, typer.Option(help="Weights of the films found, e.g. general=0.5,space=0.5.")],
    rule: Annotated[
        list[str] | None,
        typer.Option(help="Other weights for films whose name matches, e.g. 'star*=space'; may be repeated."),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Append films found in folders to the configuration."""
    with _reporting_errors():
        rules = [Rule.parse(text) for text in rule or []]
        films = find_films(folders, report=_report_left_out)
        added = append_videos(config_path(config), films, parse_weights(category), rules, _usable)
        for entry in added:
            weights = ", ".join(f"{name} {weight:g}" for name, weight in entry.categories.items())
            console.print(f"added {escape(entry.key)} ({weights})", soft_wrap=True)
        console.print(f"{counted(len(added), 'film')} added")


@videos_app.command("exclude")
def exclude_windows(
    key: Annotated[
        str,
        typer.Argument(help="The video's key, as `videos list` shows it.", autocompletion=completion.key),
    ],
    windows: Annotated[list[int], typer.Argument(help="Numbers of windows, as the gallery shows them.")],
    undo: Annotated[bool, typer.Option("--undo", help="Exclude them no longer.", show_default=False)] = False,
    config: ConfigOption = None,
) -> None:
    """Exclude windows by hand: the next run deletes their patches and tries other places of the film."""
    from dataset_assets.cli.exclude import exclude

    with _reporting_errors():
        exclude(load_settings(config_path(config)), key, windows, console, undoes=undo)


@videos_app.command("remove")
def remove_video(
    key: Annotated[
        str,
        typer.Argument(help="The video's key, as `videos list` shows it.", autocompletion=completion.key),
    ],
    files: Annotated[
        bool, typer.Option("--files", help="Also delete its tables and patches.", show_default=False)
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.", show_default=False)] = False,
    config: ConfigOption = None,
) -> None:
    """Remove a video from the configuration and from the UI; --files also deletes what was made of it."""
    from dataset_assets.cli.remove import remove_video as remove

    with _reporting_errors():
        if not remove(config_path(config), key, console, with_files=files, is_sure=yes):
            console.print("nothing was removed")
            raise typer.Exit(FAILED)


@config_app.command()
def check(config: ConfigOption = None) -> None:
    """Check the configuration file, and print all its mistakes."""
    from dataset_assets.cli.views import summary, wanting_nothing

    with _reporting_errors():
        path = config_path(config)
        settings = load_settings(path)
        console.print(summary(path, settings), soft_wrap=True)
        if unwanted := wanting_nothing(settings):
            console.print(f"[yellow]warning[/yellow] {escape(unwanted)}", soft_wrap=True)


@config_app.command()
def schema() -> None:
    """Print the JSON Schema of the configuration file, for editors."""
    typer.echo(json.dumps(file_schema(), indent=2, ensure_ascii=False))


@app.command()
def stats(config: ConfigOption = None) -> None:
    """Show the totals of the data set."""
    from dataset_assets.cli.views import stats_tables
    from dataset_assets.curation import take_census
    from dataset_assets.dataset import DataSet

    gc.disable()  # footers and rows hold no cycles; looking for some is a fifth of the time for 5000 videos
    with _reporting_errors():
        settings = load_settings(config_path(config))
        data_set = DataSet.of(settings)
        data_set.copy.refresh()
        found = data_set.overview(settings)
        console.print(stats_tables(found, take_census(settings, data_set), is_cut=console.is_terminal))


@app.command()
def gallery(config: ConfigOption = None) -> None:
    """Rebuild all pages of the gallery, and show where they are."""
    from dataset_assets.dataset import DataSet
    from dataset_assets.gallery import refresh_gallery

    with _reporting_errors():
        settings = load_settings(config_path(config))
        DataSet.of(settings).copy.refresh()
        try:
            report = refresh_gallery(settings, all_pages=True)
        except OSError as error:
            raise DatasetAssetsError(
                f"The gallery cannot be written ({error.filename}: {error.strerror})",
                "free some space or correct the folder's permissions, and call it again.",
            ) from error
        for problem in report.problems:
            errors.print(f"[red]error[/red] {escape(problem)}", soft_wrap=True)
        console.print(f"{counted(report.written, 'video')} in {report.index}", soft_wrap=True)
        if report.problems:
            raise typer.Exit(FAILED)


@app.command()
def pull(
    config: ConfigOption = None,
    videos: VideosOption = "",
    tables: Annotated[bool, typer.Option("--tables", help="Only tables, no pictures.")] = False,
) -> None:
    """Download what this machine's copy lacks of a data set in an object store (output_url)."""
    from dataset_assets.cli.pull import pull_copy

    with _reporting_errors():
        pull_copy(load_settings(config_path(config)), console, _split(videos), only_tables=tables)


@app.command()
def verify(
    config: ConfigOption = None,
    videos: VideosOption = "",
    deep: Annotated[
        bool,
        typer.Option("--deep", help="Also decode windows from the films again and compare the pictures."),
    ] = False,
    share: Annotated[
        float, typer.Option(min=0, max=1, help="Share of each video's windows that --deep decodes.")
    ] = 0.02,
    repair: Annotated[
        bool, typer.Option("--repair", help="Delete broken rows and files; the next generate recreates them.")
    ] = False,
    workers: Annotated[int | None, typer.Option(min=1, help="Threads; else max_workers.")] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print a line of JSON for each video, then a summary.")
    ] = False,
) -> None:
    """Read the data set back: every row, every file, every stack. Exits with 1 if something is wrong."""
    from dataset_assets.cli.verify import verify_dataset

    with _reporting_errors():
        code = verify_dataset(
            load_settings(config_path(config)),
            console,
            videos=_split(videos),
            share=share if deep else 0.0,
            repair=repair,
            workers=workers,
            as_json=json,
        )
        raise typer.Exit(code)


@app.command()
def score(
    config: ConfigOption = None,
    videos: VideosOption = "",
    categories: CategoriesOption = "",
    workers: Annotated[int | None, typer.Option(min=1, help="Threads; else max_workers.")] = None,
) -> None:
    """Measure scores of the patches that have none: detail, noise, ... Ctrl+C stops; the next one resumes."""
    from dataset_assets.cli.score import score as run

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as in `generate`
    with _reporting_errors("stopped; what was measured stays, the next score resumes there"):
        names = _split(categories)
        raise typer.Exit(
            run(config_path(config), console, videos=_split(videos), categories=names, workers=workers)
        )


@app.command()
def curate(
    config: ConfigOption = None,
    categories: CategoriesOption = "",
    where: Annotated[
        str | None, typer.Option(help="With --preview: a condition to try instead of the configuration's.")
    ] = None,
    preview: Annotated[
        bool,
        typer.Option("--preview", help="Write a page of the patches nearest to each limit; keep nothing."),
    ] = False,
) -> None:
    """Show what curation leaves out of exports and training, by clause, and put it into force for loaders."""
    from dataset_assets.cli.curate import curate as run

    with _reporting_errors():
        names = _split(categories)
        run(config_path(config), console, categories=names, where=where, is_preview=preview)


@app.command()
def degrade(
    config: ConfigOption = None,
    videos: VideosOption = "",
    categories: CategoriesOption = "",
    workers: Annotated[int | None, typer.Option(min=1, help="Threads; else max_workers.")] = None,
) -> None:
    """Make degraded LR of the patches that have none, or stale ones. Ctrl+C stops; the next one resumes."""
    from dataset_assets.cli.degrade import degrade as run

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as in `generate`
    with _reporting_errors("stopped; what was made stays, the next degrade resumes there"):
        names = _split(categories)
        raise typer.Exit(
            run(config_path(config), console, videos=_split(videos), categories=names, workers=workers)
        )


@app.command()
def duplicates(config: ConfigOption = None) -> None:
    """Find windows that several videos show: intros, recaps, trailers, a film twice. Ctrl+C stops."""
    from dataset_assets.cli.duplicates import duplicates as run

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as in `generate`
    with _reporting_errors("stopped; what was compared stays, the next duplicates resumes there"):
        raise typer.Exit(run(config_path(config), console))


@app.command()
def export(
    layout: export_options.Layout,
    folder: export_options.Folder = None,
    config: ConfigOption = None,
    category: export_options.Categories = None,
    where: export_options.Where = None,
    formats: export_options.Formats = "",
    frames: export_options.Frames = 7,
    gt: export_options.Gt = "middle",
    lr: export_options.Lr = "clean",
    val_videos: export_options.ValVideos = "",
    val_share: export_options.ValShare = 0.0,
    copy: export_options.Copy = False,
    uncurated: export_options.Uncurated = False,
    workers: export_options.Workers = None,
) -> None:
    """Write the data set, or a part of it, as a trainer reads it. Ctrl+C stops; the same command resumes."""
    from dataset_assets.cli.export import asked, export_dataset

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as in `generate`
    with _reporting_errors():
        names = [name for text in category or () for name in _split(text)]
        videos = _split(val_videos)
        options = asked(
            layout, names, where, _split(formats), frames, gt, lr, videos, val_share, copy, not uncurated
        )
        settings = load_settings(config_path(config))
        if not export_dataset(settings, options, folder, console, workers=workers):
            raise typer.Exit(INTERRUPTED)


@app.command()
def doctor(
    config: ConfigOption = None,
    hosts: Annotated[
        bool, typer.Option("--hosts", help="Show what each of many machines recorded, and what differs.")
    ] = False,
) -> None:
    """Check what a long run needs: decoders, tone mapping, write access, space, films; services of many."""
    from dataset_assets.cli.doctor import examine
    from dataset_assets.cli.host_table import host_table

    with _reporting_errors():
        if hosts:
            shown, wrong = host_table(load_settings(config_path(config)))
            console.print(shown)
            for line in wrong:
                console.print(f"[red]no[/red] {escape(line)}", soft_wrap=True)
            raise typer.Exit(FAILED if wrong else 0)
        findings = examine(with_new_films(load_settings(config_path(config)), errors), errors)
    table = Table("", "what", "found")
    for finding in findings:
        mark = "[green]ok[/green]" if finding.passed else "[red]no[/red]"
        table.add_row(mark, finding.what, escape(finding.detail))
    console.print(table)
    if not all(finding.passed for finding in findings):
        raise typer.Exit(FAILED)


@app.command()
def ui(
    config: ConfigOption = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the UI.")] = 3000,
    host: Annotated[
        str,
        typer.Option(
            help="Address to listen on. The UI has no passwords: anyone who can reach an address other than "
            "127.0.0.1 can start runs and see every picture."
        ),
    ] = "127.0.0.1",
) -> None:
    """Start the Dagster UI and its daemon on 127.0.0.1, with the history of earlier runs."""
    from dataset_assets.cli.ui import open_ui

    with _reporting_errors():
        open_ui(config_path(config), host, port, console, errors)


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument(help="Folder for the films and the data set.")] = DEMO_FOLDER,
) -> None:
    """Make a few sample films from real footage and a training set from them."""
    with _reporting_errors(RUN_STOPPED):
        from dataset_assets.cli.demo import run_demo

        raise typer.Exit(run_demo(folder, console))
