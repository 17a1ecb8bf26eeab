"""Take the figures that need a GPU, in order of worth, each part in a process with a limit.

A part that fails or hangs is named with its reason, and the others go on. What was measured is in
the folder after every part. The time that a part leaves is for those after it.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from shutil import disk_usage

from benchmarks.gpu import machine
from benchmarks.gpu.figures import list_lines
from benchmarks.gpu.runner import PARTS, Part, Settings, run_parts
from training.lazy import SLOW_IMPORTS

RAM_DISK = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
MODELS_BYTES = 24 << 30  #: of the random models, and of what jobs write
#: of the larger models, which all parts but the first load
PIPELINES = (*SLOW_IMPORTS, "diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl")


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="bash benchmarks/gpu.sh")
    parser.description = (__doc__ or "").partition("\n")[0]
    out = Path(os.environ.get("OUT") or "build/gpu")
    parser.add_argument("--out", type=Path, default=out, help="where the figures go: %(default)s")
    parser.add_argument("--minutes", type=float, default=9, help="of everything: %(default)s")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    names = ", ".join(part.name for part in PARTS)
    parser.add_argument("--only", default="", help=f"some parts, by comma, of: {names}")
    parser.add_argument("--models", type=Path, help="keep the random models there for other runs")
    parser.add_argument("--cuda", default="", help="a module that stands for torch.cuda on a CPU")
    parser.add_argument("--late", default="", help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def find_room() -> str | None:
    """Return the folder for models: in memory if there is room for them."""
    fits = RAM_DISK.is_dir() and disk_usage(RAM_DISK).free > MODELS_BYTES
    return str(RAM_DISK) if fits else None


def preload(parts: Sequence[Part]) -> None:
    """Import what the parts need once, since they are forked; nothing of it opens the GPU."""
    modules = dict.fromkeys(part.measure.partition(":")[0] for part in parts)
    for name in (*modules, *(PIPELINES if len(modules) > 1 else ())):
        try:
            importlib.import_module(name)
        except ImportError as missing:
            print(f"Missing: {missing}", flush=True)


def main() -> int:
    """Run the parts and print the table; return 1 if a part was not finished."""
    chosen, began = parse(), time.monotonic()
    chosen.out.mkdir(parents=True, exist_ok=True)
    only = chosen.only.split(",") if chosen.only else [part.name for part in PARTS]
    parts = [part for part in PARTS if part.name in only]
    preload(parts)
    told = machine.describe(chosen.device, chosen.late)
    with tempfile.TemporaryDirectory(dir=find_room(), prefix="gpu-") as place:
        settings = Settings(
            Path(place),
            chosen.out,
            chosen.models or Path(place),
            chosen.device,
            chosen.cuda,
            chosen.late,
        )
        outcomes = run_parts(parts, settings, 60 * chosen.minutes + began - time.monotonic(), told)
    print("\n".join(list_lines(told, outcomes)))
    return int(any(outcome.fault for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
