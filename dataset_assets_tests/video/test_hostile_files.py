"""Files that name other files, and headers that lie: only the film is opened, and nothing is believed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dataset_assets.errors import VideoError
from dataset_assets.video.probing import probe
from dataset_assets_tests.films import Film
from dataset_assets_tests.torture.sources import source_film, source_named
from dataset_assets_tests.torture.trials import try_film

MPD = """<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" profiles=
"urn:mpeg:dash:profile:isoff-on-demand:2011"><Period><AdaptationSet mimeType="video/mp4">
<Representation id="1" bandwidth="1"><BaseURL>{film}</BaseURL></Representation>
</AdaptationSet></Period></MPD>"""
PLAYLISTS = {
    "m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:3,\n{film}\n#EXT-X-ENDLIST\n",
    "ffconcat": "ffconcat version 1.0\nfile '{film}'\n",
    "mpd": MPD,
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
}


@pytest.mark.parametrize("suffix", ["as it is", "mkv"])
@pytest.mark.parametrize("kind", PLAYLISTS)
def test_a_playlist_is_no_film(kind: str, suffix: str, vfr_film: Film, tmp_path: Path) -> None:
    shutil.copy(vfr_film.path, tmp_path / "other.mp4")
    for film in ("other.mp4", str(tmp_path / "other.mp4")):
        playlist = tmp_path / f"list.{kind if suffix == 'as it is' else suffix}"
        playlist.write_text(PLAYLISTS[kind].replace("{film}", film), encoding="utf-8")
        with pytest.raises(VideoError, match=r"cannot be opened as a film .*replace the file"):
            probe(playlist)


@pytest.mark.parametrize(
    "name",
    ["concat:a|b.mp4", "http:.mp4", "-i.mp4", 'it\'s a "film" $(id) `id`;%03d.mp4', "pipe:0", "ü🎬\n.mp4"],
)
def test_a_film_may_have_any_name(
    name: str, vfr_film: Film, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the configuration hands paths on: absolute. FFmpeg takes none of it for an address or a pattern."""
    film = tmp_path / name
    film.symlink_to(vfr_film.path)
    assert probe(film).codec == "h264"


def test_nonsense_sizes_are_refused_without_their_memory(vfr_film: Film, tmp_path: Path) -> None:
    """The header of the track and of the codec claim 65535x65535 samples."""
    content = vfr_film.path.read_bytes()
    place = content.index(b"avc1", content.index(b"stsd")) + 28
    assert content[place : place + 4] == bytes((1280 >> 8, 1280 & 255, 720 >> 8, 720 & 255))
    film = tmp_path / "huge.mp4"
    film.write_bytes(content[:place] + b"\xff\xff\xff\xff" + content[place + 4 :])
    # H.264 says its size again in its own header: that one is decoded.
    assert probe(film).geometry.coded_width == 1280


# The box of an MP4, the bytes of it that lie, and what they claim.
LIES = {
    "10^9 frames": (b"stsz", 8, (10**9).to_bytes(4, "big")),
    "frames of 4 GB": (b"stsz", 12, b"\xff\xff\xff\xff"),
    "a time base of 1/0": (b"mdhd", 12, bytes(4)),
    "a tick of half a nanosecond": (b"mdhd", 12, b"\x7f\xff\xff\xff"),
    "10^9 chunks": (b"stco", 4, (10**9).to_bytes(4, "big")),
    "frames that take no time": (b"stts", 12, bytes(4)),
    "frames of 49 days": (b"stts", 12, b"\xff\xff\xff\xff"),
    "2^31 frames in a chunk": (b"stsc", 12, b"\x7f\xff\xff\xff"),
    "a box that is endless": (b"moov", -4, b"\x7f\xff\xff\xff"),
    "a box of itself": (b"trak", -4, bytes((0, 0, 0, 8))),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_header_that_lies_ends_in_a_sentence_or_is_not_believed(
    lie: str, films_folder: Path, tmp_path: Path
) -> None:
    box, offset, claim = LIES[lie]
    content = bytearray(source_film(source_named("h264.mp4"), films_folder).read_bytes())
    place = content.index(box) + 4 + offset - (4 if offset < 0 else 0)
    content[place : place + len(claim)] = claim
    film = tmp_path / "film.mp4"
    film.write_bytes(content)
    # In a process of its own, within 60 CPU seconds and 4 GB.
    trial = try_film(film, "keyframe")
    assert trial.end in ("read", "refused"), trial.detail


def test_matroska_whose_index_leads_to_itself_ends(films_folder: Path, tmp_path: Path) -> None:
    """Every place that the SeekHead names is its own."""
    content = bytearray(source_film(source_named("h264.mkv"), films_folder).read_bytes())
    place, changed = 0, 0
    while (place := content.find(b"\x53\xac", place, 4096)) > 0:
        size = content[place + 2] & 0x7F
        content[place + 3 : place + 3 + size] = bytes(size)
        place, changed = place + 3, changed + 1
    assert changed > 2
    film = tmp_path / "film.mkv"
    film.write_bytes(content)
    assert try_film(film, "uniform").end in ("read", "refused")
