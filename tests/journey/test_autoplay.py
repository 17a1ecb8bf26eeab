"""The whole journey, once: the autoplay with the real bot, scheduler, worker and models."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from PIL import Image
from safetensors import safe_open

from bot.demo.browser import find_chromium

pytestmark = pytest.mark.slow(100)

PATIENCE = 900  #: seconds on a machine that has much else to do


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """Play the journey and return the folder it wrote."""
    folder = tmp_path_factory.mktemp("journey")
    known = {n: v for n, v in os.environ.items() if not n.startswith(("SAFELIGHT", "DISCORD"))}
    played = subprocess.run(
        [
            *(sys.executable, "-m", "bot.terminal.cli", "demo"),
            *("--autoplay", str(folder / "out"), "--dial", "quick"),
        ],
        check=False,
        cwd=folder,
        env=known,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert played.returncode == 0, played.stdout + played.stderr
    return folder / "out"


def test_it_says_how_long_everything_took(out):
    """`journey.json` has the whole time, the slowest acknowledgement and each training's."""
    told = json.loads((out / "journey.json").read_text())
    assert told["seconds_total"] > 0
    assert 0 < told["slowest_ack_ms"] < 3000  # Discord waits no longer
    assert [job["method"] for job in told["jobs"]] == ["lora", "embedding"]
    assert all(job["seconds"] > 0 and job["steps_per_second"] > 0 for job in told["jobs"])


def test_nothing_in_the_transcript_is_wrong(out):
    """Every check is ticked in the transcript, and the last chapter was reached."""
    text = (out / "transcript.md").read_text()
    assert "✗" not in text
    assert text.count("✓") > 30
    assert "nothing broke inside the bot" in text


def test_the_files_are_styles_that_say_nothing_of_the_member(out):
    """Both files open, have tensors, and name no person, folder or server."""
    for method in ("lora", "embedding"):
        with safe_open(out / f"{method}.safetensors", "pt") as style:
            assert list(style.keys())
            told = json.dumps(style.metadata() or {})
        assert not any(word in told for word in ("waving", "darkroom", "robin", str(out)))


def test_the_pictures_are_the_bases_size(out):
    """Previews and the pictures of `/sample` are there, at the base's size or larger."""
    pictures = sorted((out / "samples").glob("*.png"))
    assert sum(path.name.startswith("sample-") for path in pictures) == 12
    for path in pictures:
        with Image.open(path) as picture:
            assert min(picture.size) >= 64


def test_the_page_was_photographed(out):
    """If there is a browser, screenshots of both pages and of the result's card exist."""
    if find_chromium() is None:
        pytest.skip("there is no Chromium here")
    widths = {"page": 1280, "phone": 390, "result": 472, "upload": 1280, "upload-phone": 390}
    for name, width in widths.items():
        with Image.open(out / f"{name}.png") as picture:
            assert picture.size[0] == width
            assert len(picture.getcolors(1 << 20) or range(999)) > 100
