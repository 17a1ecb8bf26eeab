"""The lock on a file."""

from __future__ import annotations

import subprocess
import sys

from training.lock import lock


def test_one_holder(tmp_path):
    """While one has it, nobody else gets it; let go of, it is free."""
    path = tmp_path / "sub" / "lock"
    held = lock(path)
    refused = lock(path)
    held.close()
    again = lock(path)
    again.close()

    assert refused is None


def test_a_dead_holder_holds_nothing(tmp_path):
    """However a process ends, its lock goes with it."""
    code = "import os, sys; from pathlib import Path; from training.lock import lock\n"
    code += "held = lock(Path(sys.argv[1])); os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "lock")], check=False)

    held = lock(tmp_path / "lock")
    assert held is not None
    held.close()
