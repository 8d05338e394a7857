"""Files that name other files: only the film itself is opened, whatever it is called and whatever it says."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from dataset_assets.errors import VideoError
from dataset_assets.video.probe import probe
from dataset_assets_tests.films import Film

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
