"""The darkroom's child."""

from __future__ import annotations

import subprocess
import sys


def test_light() -> None:
    """The child loads what it needs to decode and nothing of the bot or the training."""
    code = (
        "import sys, storage.photos.child\n"
        "print({'torch', 'discord', 'bot', 'training', 'aiosqlite'} & set(sys.modules))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)

    assert told.stdout.strip() == b"set()"


def test_ends() -> None:
    """The child ends when nobody asks any more, also in the middle of a message."""
    for said in (b"", b"\0\0", b"\0\0\0\0\0\0\0\x09half"):
        child = subprocess.run(
            [sys.executable, "-m", "storage.photos.child"],
            input=said,
            capture_output=True,
            check=False,
        )

        assert (child.returncode, child.stdout, child.stderr) == (0, b"", b"")
