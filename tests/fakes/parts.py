"""Parts of the GPU benchmark that fail, hang or die, each after a figure."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from benchmarks.gpu.figures import Figure


def fail(bench):  # noqa: ARG001
    """Measure something, then run into an error."""
    yield Figure("before the error", 1, "s")
    raise RuntimeError("out of paper | and ink")


def hang(bench):
    """Measure something, then wait for a program that never ends."""
    yield Figure("before the wait", 2, "s", bar=3)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    (bench.models / "pid").write_text(str(child.pid))
    time.sleep(600)


def die(bench):  # noqa: ARG001
    """Measure something, then die as a process without memory does."""
    yield Figure("before the end", 3, "s")
    os.kill(os.getpid(), 9)


def measure(bench):
    """Measure something."""
    yield Figure("seconds until the limit", bench.left(), "s", bar=10)
