"""A whole warm training of SDXL, as a member waits for it; and one in fp16."""

from __future__ import annotations

import time
from collections.abc import Iterator

from benchmarks.gpu.bench import Bench
from benchmarks.gpu.figures import Figure
from benchmarks.speed.training import CAPTIONS, Setup, synchronize
from benchmarks.teaching import spec
from storage.events import Done, Event, StepBoundary
from storage.records import JobCommand
from training.recipe.concepts import SamplePrompt
from training.run.loop import Task

STEPS = 1000, 6  #: of the job, on a GPU and in a rehearsal
BAR = 75  #: seconds of a warm job on an H200
RESERVE = 25  #: seconds kept for the pictures and files at the end
SYNC_STEPS = 5  #: steps between two looks at the clock
FP16_STEPS = 20, 3


def measure(bench: Bench) -> Iterator[Figure]:
    """Train 1,000 steps on a base that is loaded: encoding, four pictures, saving."""
    setup, steps = bench.setup("sdxl"), bench.choose(*STEPS)
    prompts = tuple(SamplePrompt(text, at) for at, text in enumerate(CAPTIONS[:2]))
    more = {"prompts": prompts, "save_every": steps, "stepper": bench.stepper}
    recipe = setup.recipe("sdxl", 1, steps, **more)
    with setup.bases.borrow(recipe.base):
        began = time.perf_counter()
        _, task = setup.start_training("job", "sdxl", recipe)
        spec.advance_steps(task, 2)
        synchronize(setup.device)
        first = time.perf_counter() - began
        yield Figure("sdxl, warm: from the job to its first step", first, "s")
        step, taken = finish_in_time(task, setup, bench)
        whole = time.perf_counter() - began
    yield Figure("sdxl, warm: a step of the job", step, "s")
    yield Figure("sdxl, warm: seconds around the steps", whole - taken * step, "s")
    words = "" if taken == steps else f" (from {taken} steps; the others at their rate)"
    how = "CUDA graphs" if bench.stepper else "op by op"
    what = f"sdxl, warm, {how}: {steps:,} steps with encoding, 4 pictures and saving"
    bar = None if bench.cpu else BAR
    yield Figure(what, whole + (steps - taken) * step, "s", bar, words)


def finish_in_time(task: Task, setup: Setup, bench: Bench) -> tuple[float, int]:
    """Train on to the end, or finish early; return the seconds of a step, and the steps taken."""
    event: Event = next(task)
    began, first, step = time.perf_counter(), 1, 1.0
    while not isinstance(event, Done):
        late = False
        if isinstance(event, StepBoundary) and event.step % SYNC_STEPS == 0:
            synchronize(setup.device)  # or the CPU would run ahead of the clock
            step = (time.perf_counter() - began) / max(1, event.step - first)
            late = bench.left() < RESERVE
        event = task.send(JobCommand.FINISH) if late else next(task)
    return step, event.steps


def measure_fp16(bench: Bench) -> Iterator[Figure]:
    """Train in fp16, as on GPUs that have no bf16."""
    setup, steps = bench.setup("sd1", precision="auto" if bench.cpu else "fp16"), FP16_STEPS
    recipe = setup.recipe("sd1", 1, bench.choose(*steps))
    _, task = setup.start_training("fp16", "sd1", recipe)
    done = [event for event in task if isinstance(event, Done)][-1]
    what = f"sd1 at {setup.side('sd1')}, {setup.device.precision}"
    yield Figure(f"{what}: a step of the loop", 1 / done.timings.steps_per_second, "s")
    yield Figure(f"{what}: steps, each with a finite loss", done.steps)
