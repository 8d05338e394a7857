"""A film that changes or goes away under a run: noticed, waited for, and never mixed."""

from __future__ import annotations

import errno
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import av
import pytest

from dataset_assets.dataset import DataSet
from dataset_assets.errors import (
    DatasetAssetsError,
    MissingWindowsError,
    SourceChangedError,
    SourceLostError,
    VideoError,
)
from dataset_assets.generate import generate_video, lane, probe_video, reaching, video, video_pass
from dataset_assets.generate.lane import Job, Lane, Made
from dataset_assets.generate.reaching import KeyframeIndex
from dataset_assets.video import FileState, packets, probing, source
from dataset_assets.video.containers import raise_if_lost
from dataset_assets.video.decode import FrameReader
from dataset_assets.video.fingerprint import Fingerprint
from dataset_assets.video.survey import Survey
from dataset_assets_tests.generate.samples import (
    KEY,
    files_named_by_rows,
    pictures,
    small_settings,
    tables,
    window_rows,
)
from dataset_assets_tests.torture.sources import HEIGHT, WIDTH, source_film, source_named

AtCandidate = Callable[[int, Callable[[], object]], list[int]]


@pytest.fixture
def film(films_folder: Path, tmp_path: Path) -> Path:
    """A small film of the test's own."""
    path = tmp_path / "mount" / "film.mp4"
    path.parent.mkdir()
    shutil.copy2(source_film(source_named("h264.mp4"), films_folder), path)
    return path


@pytest.fixture
def at_candidate(monkeypatch: pytest.MonkeyPatch) -> AtCandidate:
    """Has something happen right before a lane begins with the candidate after so many; lists those begun."""

    def arrange(number: int, happens: Callable[[], object]) -> list[int]:
        make = Lane._make
        begun: list[int] = []

        def made(lane: Lane, job: Job) -> Made:
            if len(begun) == number:
                happens()
            begun.append(job.placement.number)
            return make(lane, job)

        monkeypatch.setattr(Lane, "_make", made)
        return begun

    return arrange


class Waits:
    """The delays that were waited, without waiting, and what happens meanwhile."""

    def __init__(self) -> None:
        self.delays_s: list[float] = []
        self.during: dict[int, Callable[[], object]] = {}

    def pause(self, delay_s: float) -> None:
        self.delays_s.append(delay_s)
        self.during.get(len(self.delays_s), lambda: None)()

    def is_stopped_within(self, stop: threading.Event, delay_s: float) -> bool:
        self.pause(delay_s)
        return stop.is_set()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Waits:
    """A clock of the test's own."""
    found = Waits()
    monkeypatch.setattr(lane, "_is_stopped_within", found.is_stopped_within)
    monkeypatch.setattr(reaching, "pause", found.pause)
    return found


def keep_times(path: Path, change: Callable[[], object]) -> None:
    stat = path.stat()
    change()
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def other_bytes(path: Path) -> None:
    """Turns over a kilobyte in the middle, in place; the size stays."""
    middle = path.stat().st_size // 2
    with path.open("r+b") as file:
        file.seek(middle)
        content = file.read(1024)
        file.seek(middle)
        file.write(bytes(255 - value for value in content))


CHANGES: dict[str, Callable[[Path], object]] = {
    "longer": lambda film: film.write_bytes(film.read_bytes() + b"more"),
    "shorter": lambda film: os.truncate(film, film.stat().st_size - 1),
    "touched": lambda film: os.utime(film, (1, 1)),
    "other content, same size and time": lambda film: keep_times(film, lambda: other_bytes(film)),
}


@pytest.mark.parametrize("how", CHANGES)
def test_a_film_that_changes_under_a_run_fails_and_mixes_nothing(
    how: str, film: Path, tmp_path: Path, at_candidate: AtCandidate
) -> None:
    settings = small_settings(tmp_path / "out", film, checkpoint_every=2)
    begun = at_candidate(4, lambda: CHANGES[how](film))
    with pytest.raises(
        SourceChangedError, match=r"a-film \(.*film\.mp4\): its file was changed .*run generate"
    ):
        generate_video(settings, KEY)
    # What was committed before the change is whole; nothing that may be of both is there.
    kept = {row["window"] for row in window_rows(tmp_path / "out") if row["pts"]}
    assert set(begun[:2]) <= kept <= set(begun[:4])
    assert set(pictures(tmp_path / "out")) == files_named_by_rows(tmp_path / "out")
    generate_video(settings, KEY)
    clean = small_settings(tmp_path / "clean", film)
    generate_video(clean, KEY)
    assert pictures(tmp_path / "out") == pictures(tmp_path / "clean")


def test_a_film_that_changes_while_it_is_probed_fails(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = probing._active_area

    def changed(*arguments: Any) -> Any:
        CHANGES["longer"](film)
        return whole(*arguments)

    monkeypatch.setattr(probing, "_active_area", changed)
    with pytest.raises(SourceChangedError, match="was changed while it was probed"):
        generate_video(small_settings(tmp_path / "out", film), KEY)
    assert tables(tmp_path / "out") == {}


@pytest.mark.parametrize("how", [name for name in CHANGES if name != "touched"])
def test_windows_of_another_content_are_not_replayed(how: str, film: Path, tmp_path: Path) -> None:
    settings = small_settings(tmp_path / "out", film)
    generate_video(settings, KEY, categories=["toon"])
    before = pictures(tmp_path / "out")
    CHANGES[how](film)
    with pytest.raises(MissingWindowsError, match="stale"):
        generate_video(settings, KEY, windows=False, categories=["general"])
    assert pictures(tmp_path / "out") == before


def test_a_window_that_shows_another_picture_is_not_replayed(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the sampled fingerprint does not tell, the recorded pictures do."""
    settings = small_settings(tmp_path / "out", film)
    generate_video(settings, KEY, categories=["toon"])
    known = probing.probe(film).fingerprint
    mirrored = tmp_path / "mirrored.mp4"
    with av.open(film) as container, av.open(mirrored, "w") as copy:
        stream = copy.add_stream("libx264", rate=24, options={"preset": "ultrafast", "sc_threshold": "0"})
        stream.codec_context.width, stream.codec_context.height = WIDTH, HEIGHT
        stream.codec_context.gop_size = 12
        for frame in container.decode(video=0):
            flipped = av.VideoFrame.from_ndarray(frame.to_ndarray(format="rgb24")[::-1, ::-1], format="rgb24")
            flipped.pts, flipped.time_base = frame.pts, frame.time_base
            copy.mux(stream.encode(flipped))
        copy.mux(stream.encode())
    mirrored.replace(film)
    monkeypatch.setattr(Fingerprint, "of", lambda path: known)
    monkeypatch.setattr(source.Source, "check", lambda self: None)
    with pytest.raises(VideoError, match="shows another picture than when it was"):
        generate_video(settings, KEY, windows=False, categories=["general"])


def test_a_film_that_goes_away_and_comes_back_leaves_no_trace(
    film: Path, tmp_path: Path, at_candidate: AtCandidate, waits: Waits
) -> None:
    settings = small_settings(tmp_path / "out", film)
    away = film.parent.with_name("away")

    def leave() -> None:
        # As a mount goes: the handles that are open fail too.
        os.truncate(film, 100_000)
        film.parent.rename(away)

    content, stat = film.read_bytes(), film.stat()

    def come_back() -> None:
        (away / film.name).write_bytes(content)
        os.utime(away / film.name, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        away.rename(film.parent)

    def is_shown_away() -> bool:
        (progress,) = DataSet(tmp_path / "out").progress()
        return progress.film_away_s > 0

    shown: list[bool] = []
    at_candidate(3, leave)
    waits.during = {2: lambda: shown.append(is_shown_away()), 3: come_back}
    generate_video(settings, KEY, on_progress=lambda progress: shown.append(progress.film_away_s > 0))
    assert waits.delays_s == list(source.RETRY_DELAYS_S[:3])
    assert shown.index(True) > 0
    assert shown.count(True) == 1
    generate_video(small_settings(tmp_path / "whole", film), KEY)
    assert pictures(tmp_path / "out") == pictures(tmp_path / "whole")
    assert tables(tmp_path / "out") == tables(tmp_path / "whole")


def test_a_film_that_stays_away_fails_and_keeps_what_is_committed(
    film: Path, tmp_path: Path, at_candidate: AtCandidate, waits: Waits
) -> None:
    settings = small_settings(tmp_path / "out", film)
    away = film.with_name("away.mp4")

    def leave() -> None:
        os.truncate(film, 100_000)
        film.rename(away)

    begun = at_candidate(3, leave)
    with pytest.raises(SourceLostError, match=r"a-film .* cannot be read any more \(No such file .*bring"):
        generate_video(settings, KEY)
    assert waits.delays_s == list(source.RETRY_DELAYS_S)
    tried = {row["window"] for row in window_rows(tmp_path / "out") if row["pts"]}
    assert tried == set(begun[:3])
    assert set(pictures(tmp_path / "out")) == files_named_by_rows(tmp_path / "out")


def test_a_film_that_is_away_while_candidates_are_placed_is_waited_for(film: Path, waits: Waits) -> None:
    info = probing.probe(film)
    away = film.rename(film.with_name("away.mp4"))
    waits.during[2] = lambda: away.rename(film)
    with closing(KeyframeIndex(info)) as index:
        assert index.keyframe_at(info.start_pts) == info.start_pts
    assert waits.delays_s == list(source.RETRY_DELAYS_S[:2])
    film.rename(away)
    states: list[bool] = []
    with closing(KeyframeIndex(info, states.append)) as index, pytest.raises(SourceLostError):
        index.keyframe_at(info.start_pts)
    assert waits.delays_s == list(source.RETRY_DELAYS_S[:2] + source.RETRY_DELAYS_S)
    assert states == [True, False]


def test_a_disk_that_fails_for_a_while_is_read_again(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, waits: Waits
) -> None:
    """An I/O error in the middle of decoding is not taken for the end of the film, nor for damage."""
    demux, left = packets.PacketReader._demux, [60]

    def failing_demux(reader: packets.PacketReader) -> Iterator[packets.Packet]:
        for packet in demux(reader):
            left[0] -= 1
            if left[0] == 0:
                raise_if_lost(av.error.FFmpegError(errno.EIO, "Input/output error"))
            yield packet

    generate_video(small_settings(tmp_path / "whole", film), KEY)
    monkeypatch.setattr(packets.PacketReader, "_demux", failing_demux)
    generate_video(small_settings(tmp_path / "out", film), KEY)
    assert waits.delays_s == [source.RETRY_DELAYS_S[0]]
    assert tables(tmp_path / "out") == tables(tmp_path / "whole")
    assert pictures(tmp_path / "out") == pictures(tmp_path / "whole")


def test_a_film_that_goes_away_while_it_is_probed_is_probed_again(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, away = probing._frame_rate, film.with_name("away.mp4")
    delays_s: list[float] = []

    def leave(reader: FrameReader, found: Survey) -> Any:
        if not delays_s:
            film.rename(away)
            reader.stamps(found.keyframes[0], 1)
            raise AssertionError("the film was read though it is away")
        return whole(reader, found)

    def wait(delay_s: float) -> None:
        delays_s.append(delay_s)
        if len(delays_s) == 2:
            away.rename(film)

    monkeypatch.setattr(probing, "_frame_rate", leave)
    monkeypatch.setattr(video, "pause", wait)
    # Reopened, as every seek back to the first packet does.
    monkeypatch.setattr(packets.PacketReader, "_seek", lambda reader, _: reader._rewind())
    generate_video(small_settings(tmp_path / "out", film), KEY)
    assert delays_s == list(source.RETRY_DELAYS_S[:2])


@pytest.mark.parametrize("job", [probe_video, generate_video])
@pytest.mark.parametrize("error", [OSError(errno.EIO, "Input/output error"), SourceLostError("away", "wait")])
@pytest.mark.parametrize("comes_back", [True, False])
def test_a_film_that_is_away_when_it_is_probed_is_shown_away(
    job: Callable[..., object],
    error: Exception,
    comes_back: bool,
    film: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data_set = DataSet(tmp_path / "out")
    probe_once = video._probe_once
    shown: list[tuple[str, bool, bool]] = []
    going_on: list[object] = []

    def looked_at(path: Path) -> FileState:
        if len(shown) < 2 or not comes_back:
            raise error
        return FileState.of(path)

    def probed(*arguments: Any) -> Any:
        going_on.append(data_set.progress())
        return probe_once(*arguments)

    def wait(_: float) -> None:
        (progress,) = data_set.progress()
        shown.append((progress.key, progress.film_away_s > 0, progress.is_probe))

    class Looks:
        of = staticmethod(looked_at)

    def lost(*_: object, **__: object) -> Any:
        raise error

    monkeypatch.setattr(video, "FileState", Looks)
    monkeypatch.setattr(video, "_probe_once", probed)
    monkeypatch.setattr(video, "pause", wait)
    settings = small_settings(tmp_path / "out", film)
    if comes_back:
        job(settings, KEY)
        assert going_on == [[]]
    else:
        monkeypatch.setattr(video, "probe", lost)
        with pytest.raises(DatasetAssetsError):
            job(settings, KEY)
    assert shown == [(KEY, True, True)] * (2 if comes_back else len(source.RETRY_DELAYS_S))
    assert data_set.progress() == []


def test_a_film_that_is_away_at_a_commit_counts_as_unchanged(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = video_pass.VideoPass._commit

    def commit_without(video: video_pass.VideoPass, *, complete: bool) -> None:
        away = film.rename(film.with_name("away.mp4"))
        try:
            commit(video, complete=complete)
        finally:
            away.rename(film)

    monkeypatch.setattr(video_pass.VideoPass, "_commit", commit_without)
    assert generate_video(small_settings(tmp_path / "out", film), KEY).made > 0
