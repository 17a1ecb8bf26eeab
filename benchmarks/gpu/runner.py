"""Run parts one after the other, each forked, within its time."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.gpu.figures import Outcome, append_figure, read_figures, write_report

KILL_SECONDS = 5  #: until a part that was told to end is killed


@dataclass(frozen=True, slots=True)
class Part:
    """One part: a function of a module, and its share of the time."""

    name: str
    seconds: int  #: of the nine minutes
    measure: str


PARTS = (
    Part("machine", 10, "benchmarks.gpu.machine:measure"),
    Part("steps-sd1", 50, "benchmarks.gpu.steps:measure_sd1"),
    Part("steps-sdxl", 60, "benchmarks.gpu.steps:measure_sdxl"),
    Part("correctness", 25, "benchmarks.gpu.correctness:measure"),
    Part("job", 100, "benchmarks.gpu.job:measure"),
    Part("memory", 45, "benchmarks.gpu.memory:measure"),
    Part("caps", 60, "benchmarks.gpu.memory:measure_caps"),
    Part("fp16", 20, "benchmarks.gpu.job:measure_fp16"),
    Part("several", 30, "benchmarks.gpu.several:measure"),
    Part("embedded", 25, "benchmarks.gpu.embedded:measure"),
    Part("compile-sd1", 40, "benchmarks.gpu.steps:compile_sd1"),
    Part("compile-sdxl", 45, "benchmarks.gpu.steps:compile_sdxl"),
    Part("tests", 30, "benchmarks.gpu.suite:measure"),
)  # in order of worth


@dataclass(frozen=True, slots=True)
class Settings:
    """What all parts share."""

    place: Path  #: for files of this run
    out: Path  #: for what is carried back
    models: Path
    device: str
    cuda: str  #: the module that stands for `torch.cuda` on a CPU, if any
    late: str = ""  #: a folder of packages that open the GPU when they are imported


def run_parts(
    parts: Sequence[Part], settings: Settings, seconds: float, machine: dict[str, str]
) -> list[Outcome]:
    """Run parts within so many seconds in all; write the report after each."""
    outcomes: list[Outcome] = []
    began, share = time.monotonic(), seconds / sum(part.seconds for part in PARTS)
    end = began
    for part in parts:
        end += part.seconds * share
        outcomes.append(run_part(part, settings, end - time.monotonic()))
        write_report(settings.out, machine, outcomes)
        last = outcomes[-1]
        print(f"{part.name}: {last.seconds:.1f} s{last.fault and ': ' + last.fault}", flush=True)
    return outcomes


def run_part(part: Part, settings: Settings, seconds: float) -> Outcome:
    """Run one part in a process of its own for at most so many seconds."""
    file, log = settings.place / f"{part.name}.jsonl", settings.out / "log.txt"
    began, start = time.monotonic(), log.stat().st_size if log.exists() else 0
    fork, spawn = multiprocessing.get_context("fork"), multiprocessing.get_context("spawn")
    context = fork if forks_well(settings.device) else spawn
    child = context.Process(target=enter, args=(part, settings, seconds, file))
    child.start()
    child.join(seconds)
    fault = ""
    if child.exitcode is None:
        fault = f"stopped after its {seconds:.0f} s"
    elif child.exitcode:
        lines = log.read_bytes()[start:].decode("utf-8", "replace").split("\n")
        said = [line.strip() for line in lines if line.strip()]
        fault = said[-1][:300] if said else f"ended with {child.exitcode}"
    stop(child)
    return Outcome(part.name, round(time.monotonic() - began, 1), fault, read_figures(file))


def stop(child: multiprocessing.process.BaseProcess) -> None:
    """End a part and all processes that it started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(child.pid or 0, number)
        child.join(KILL_SECONDS)
    child.kill()
    child.join()


def forks_well(device: str) -> bool:
    """Return whether a forked part may open the device: no GPU that a library opened already."""
    if device == "cpu" or "torch" not in sys.modules:
        return True
    cuda = sys.modules["torch"].cuda
    opened: Callable[[], bool] = cuda._is_in_bad_fork  # noqa: SLF001
    probe = multiprocessing.get_context("fork").Process(target=lambda: os._exit(opened()))
    probe.start()
    probe.join()
    return not probe.exitcode


def enter(part: Part, settings: Settings, seconds: float, file: Path) -> None:
    """Measure in the child: figures go to a file, all that is printed to the log."""
    os.setsid()
    log = (settings.out / "log.txt").open("a", buffering=1, encoding="utf-8")
    sys.stdout = sys.stderr = log
    for stream in (1, 2):  # those of libraries, and of programs that the part starts
        os.dup2(log.fileno(), stream)
    print(f"== {part.name}", flush=True)
    try:
        measure_part(part, settings, seconds, file)
    except BaseException:  # noqa: BLE001 - whatever it is, it is the reason
        traceback.print_exc()
        os._exit(1)


def measure_part(part: Part, settings: Settings, seconds: float, file: Path) -> None:
    """Find a part's function and keep each of its figures."""
    sys.path += [settings.late] if settings.late else []
    import torch  # noqa: PLC0415 - a part without it is named, and so are the others

    from benchmarks.gpu.bench import Bench  # noqa: PLC0415

    module, _, function = part.measure.partition(":")
    cpu = settings.device == "cpu"
    cuda = importlib.import_module(settings.cuda) if settings.cuda else None if cpu else torch.cuda
    place = settings.place / part.name
    place.mkdir()
    bench = Bench(place, settings.models, cpu, cuda, seconds)
    for figure in getattr(importlib.import_module(module), function)(bench):
        append_figure(file, figure)
        print(figure.to_row(), flush=True)
