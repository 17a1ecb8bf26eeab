"""Slow libraries are imported when needed, or while a worker is idle."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

from training.lazy import SLOW_IMPORTS, LazyModule

pytestmark = pytest.mark.slow(6)

LIBRARIES = ("diffusers", "transformers", "peft", "lycoris", "bitsandbytes")
PROGRAM = f"""
import json, sys
from pathlib import Path
from training.settings import TrainingSettings
from training.worker.runtime import Runtime

from training.lazy import diffusers

def known():
    return [name for name in {LIBRARIES} if name in sys.modules]

runtime = Runtime(Path("nowhere"), TrainingSettings(), "cpu")
runtime.catalog()
told = [known()]
for _ in range({len(SLOW_IMPORTS)} + 1):
    runtime.import_next()
    told.append(known())
diffusers.StableDiffusionPipeline
print(json.dumps(told))
"""
ALONE = """
import sys
from pathlib import Path
import training.worker.worker
from storage.folders import Home
from training.__main__ import open_cluster
from training.scheduler.scheduler import Scheduler
from training.settings import TrainingSettings

assert open_cluster(Home(Path("nowhere")), TrainingSettings()) is None
print([name for name in sys.modules if "ray" in name.split(".")])
"""


@pytest.fixture(scope="module")
def told() -> subprocess.CompletedProcess[str]:
    """Return what a process says that publishes its catalog and imports them all."""
    return subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=120
    )


def test_ready_without(told: subprocess.CompletedProcess[str]) -> None:
    """A worker publishes its catalog without them, and imports one at a time while idle."""
    first, *later = json.loads(told.stdout.splitlines()[-1])
    here = [name for name in LIBRARIES if find_spec(name)]
    assert first == []
    assert later[0] == []  # torch's own part
    assert later[1] == ["transformers"]
    assert later[-1] == here


def test_one_machine() -> None:
    """Without SAFELIGHT_HEAD, scheduler and worker load neither Ray nor what is written for it."""
    known = {name: value for name, value in os.environ.items() if name != "SAFELIGHT_HEAD"}
    said = subprocess.run(
        [sys.executable, "-c", ALONE], capture_output=True, text=True, check=True, env=known
    )
    assert said.stdout == "[]\n"


@pytest.mark.parametrize("name", SLOW_IMPORTS)
def test_there(name: str) -> None:
    """Every listed module exists."""
    assert find_spec(name)


def test_later() -> None:
    """A lazy module has the real one's attributes, and raises AttributeError for others."""
    assert LazyModule("json").loads("[1]") == [1]
    with pytest.raises(AttributeError, match="nothing"):
        LazyModule("json").nothing  # noqa: B018 - asking is what imports


def test_silent(told: subprocess.CompletedProcess[str]) -> None:
    """Importing what a training needs writes nothing of torchvision to stderr."""
    assert "torchvision" not in told.stderr
