"""The tests that need a GPU: `pytest -m gpu`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.gpu.bench import Bench
from benchmarks.gpu.figures import Figure

ROOT = Path(__file__).parents[2]
MARK = "mark.gpu"
#: warnings are no errors here: the GPU machine's libraries are not the suite's
OPTIONS = ("-q", "-p", "no:cacheprovider", "-o", "filterwarnings=default")


def find_files() -> list[str]:
    """Find the test files with a test for GPUs: the others need more than a GPU machine has."""
    return sorted(
        str(path.relative_to(ROOT))
        for path in (ROOT / "tests").rglob("test_*.py")
        if MARK in path.read_text("utf-8")
    )


def measure(bench: Bench) -> Iterator[Figure]:
    """Run the tests; raise with pytest's words if one fails. A rehearsal has none to run."""
    command, files = [sys.executable, "-m", "pytest", "-m", "gpu", *OPTIONS], find_files()
    if bench.cpu:
        yield Figure("pytest -m gpu: files with tests for GPUs", len(files))
        return
    done = subprocess.run(
        [*command, *files], cwd=ROOT, capture_output=True, text=True, check=False
    )
    print(done.stdout, done.stderr)
    lines = [line for line in done.stdout.split("\n") if line.strip()]
    if done.returncode:
        raise RuntimeError(lines[-1] if lines else done.stderr[-300:])
    yield Figure("pytest -m gpu", lines[-1].strip("= "))
