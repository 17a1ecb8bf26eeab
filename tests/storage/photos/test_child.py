"""The darkroom's child process."""

from __future__ import annotations

import subprocess
import sys


def test_imports() -> None:
    """The child imports nothing of the bot or the training."""
    code = (
        "import sys, storage.photos.child\n"
        "print({'torch', 'discord', 'bot', 'training', 'aiosqlite'} & set(sys.modules))"
    )
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)

    assert child.stdout.strip() == b"set()"


def test_end() -> None:
    """The child ends when stdin is closed, also in the middle of a message."""
    for message in (b"", b"\0\0", b"\0\0\0\0\0\0\0\x09half"):
        child = subprocess.run(
            [sys.executable, "-m", "storage.photos.child"],
            input=message,
            capture_output=True,
            check=False,
        )

        assert (child.returncode, child.stdout, child.stderr) == (0, b"", b"")
