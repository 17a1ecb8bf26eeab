"""Measure the speed and memory of LoRA training on the true architectures.

Weights are random and made here, or kept in `--place` for another run; latents and text are
cached. Our loop is timed in turns with a bare step of torch on the same layers and with the
documented loop of peft and diffusers. On a CPU the networks are shrunken ones of the same layout,
on small pictures, with one thread, and times of steps are processor time.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import diffusers
import torch
from peft import LoraConfig, inject_adapter_in_model
from PIL import Image
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import machine, table
from benchmarks.memory.footprint import Footprint
from benchmarks.models import write_random_model
from benchmarks.speed.overhead import BareStep, Step
from benchmarks.speed.plain import TARGETS, add_noise
from benchmarks.teaching import spec
from storage.events import Done
from storage.records import Concept, Dial
from storage.requests import TrainRequest
from training.bases import random
from training.bases.cache import BaseCache
from training.device import Device
from training.families import Picture, walk
from training.networks.conditioning import stack_conditions
from training.networks.memory import count_parameters
from training.recipe.concepts import SamplePrompt
from training.recipe.recipe import Recipe
from training.run.defaults import complete_recipe
from training.run.loop import Task
from training.run.memory import bytes_needed

FAMILIES = ("sd1", "sdxl")
RANK, RATE = 16, 1e-4
PHOTOS = 8
MIB = 2**20
BAR = 15  #: allowed error of the memory estimate, in percent
OVER_BARE, OVER_PEFT = 1.03, 0.85  #: allowed ratios of a step
BLOCK = 5  #: steps of one turn
SMALL = 128  #: pixels of a side for shrunken networks, unless others are asked for
MATMUL_SIDES = 4096, 512  #: sides of the matrices that measure peak speed, on a GPU and a CPU
SAMPLING_STEPS = 5  #: steps per picture where ways of sampling are compared
JOB_STEPS = 1000, 30  #: steps of a whole job, on a GPU and a CPU
CAPTIONS = (
    "a painting of a hill",
    "a painting of a boat, red",
    "a painting of rain",
    "a painting",
)


@dataclass
class Setup:
    """A device with a random model of each family, made in a folder."""

    place: Path
    device: Device
    families: Sequence[str] = FAMILIES
    model_folder: Path | None = None  #: where the models are kept for other runs, if they are
    small_side: int = SMALL  #: pixels of a side for shrunken networks
    bases: BaseCache = field(init=False)

    def __post_init__(self) -> None:
        models = (self.model_folder or self.place) / "bases"
        for name in self.families:
            if (models / self.base(name)).exists():
                continue
            if self.large:
                write_random_model(models, name, self.device.torch_device)
            else:
                random.write_random_model(models, name)
        self.bases = BaseCache(models, self.device)

    @property
    def large(self) -> bool:
        """Return whether the networks have their true sizes."""
        return self.device.torch_device.type != "cpu"

    def choose(self, numbers: tuple[int, int]) -> int:
        """Return the first number for a GPU, the second for a CPU."""
        return numbers[0 if self.large else 1]

    def base(self, family: str) -> str:
        """Return the name of a family's model."""
        return f"{'random' if self.large else 'tiny'}-{family}"

    def side(self, family: str) -> int:
        """Return the side of a family's photos in pixels."""
        return walk()[family].RESOLUTION if self.large else self.small_side

    def photos(self, family: str) -> spec.Photos:
        """Write photos of exactly the right size; return their paths and captions."""
        side, folder = self.side(family), self.place / "photos"
        folder.mkdir(exist_ok=True)
        found = []
        for at in range(PHOTOS):
            path = folder / f"{side}-{at}.png"
            noise = torch.randint(0, 256, (8, 8, 3), generator=torch.Generator().manual_seed(at))
            small = Image.fromarray(noise.to(torch.uint8).numpy())
            small.resize((side, side), Image.Resampling.BICUBIC).save(path)
            found.append((path, CAPTIONS[at % len(CAPTIONS)]))
        return found

    def recipe(self, family: str, batch: int, steps: int, **more: Any) -> Recipe:
        """Return a LoRA recipe on attention whose text embeddings are cached."""
        base = self.bases.find(self.base(family))
        request = TrainRequest(
            "lora", base.name, "name", "word", Concept.LOOK, Dial.QUICK, steps, RANK, RATE, batch,
            0,
        )  # fmt: skip
        files = [(path.name, caption) for path, caption in self.photos(family)]
        options: dict[str, Any] = {
            "prompts": (),
            "save_every": steps + 1,
            "resolution": self.side(family),
            "train_text_encoder": False,
        }
        return complete_recipe(request, base, files, **(options | more))

    def start_training(self, name: str, family: str, recipe: Recipe) -> tuple[Path, Task]:
        """Write a job folder and start its training."""
        training_spec = spec.TrainingSpec("lora", Concept.LOOK, "word", self.photos(family))
        folder, task = spec.start_training(
            self.place / "jobs" / name, self.bases, training_spec, recipe
        )
        return folder.photos, task


class DocumentedStep:
    """The loop of diffusers' documentation with peft's adapter, on cached latents and text."""

    def __init__(self, setup: Setup, family: str, bare: BareStep) -> None:
        place, self.family, self.bare = setup.bases.locate(setup.base(family)), bare.family, bare
        unet: Any = diffusers.UNet2DConditionModel.from_pretrained(
            place / "unet", dtype=setup.device.dtype
        )
        self.unet = unet.requires_grad_(requires_grad=False).to(setup.device.torch_device)
        config = LoraConfig(r=RANK, lora_alpha=RANK, target_modules=TARGETS)
        inject_adapter_in_model(config, self.unet, "default")
        self.trained = [each for each in self.unet.parameters() if each.requires_grad]
        for each in self.trained:
            each.data = each.data.float()
        self.optimizer = torch.optim.AdamW(self.trained, lr=RATE)
        self.taken = 0

    def __call__(self) -> None:
        """Take one optimizer step as the documentation does."""
        bare, size, at = self.bare, self.bare.recipe.batch_size, self.family.device.torch_device
        these = slice(first := self.taken * size % len(bare.latents), first + size)
        self.taken += 1
        latents = torch.stack(bare.latents[these]).to(at)
        conditions = self.family.unet_kwargs(
            {
                **stack_conditions(bare.states[these]),
                **stack_conditions(bare.size_conditioning[these]),
            }
        )
        noisy, steps, target = add_noise(self.family.pipeline.scheduler, latents)
        with self.family.device.autocast():
            predicted = self.unet(noisy.to(bare.dtype), steps, return_dict=False, **conditions)[0]
        loss = nn.functional.mse_loss(predicted.float(), target.float())
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.trained, 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()


def time_steps(device: Device, step: Step, times: int) -> float:
    """Return the seconds per step of several, until the device has finished.

    They are processor time on a CPU, where other work takes its share of the clock.
    """
    clock = time.process_time if device.torch_device.type == "cpu" else time.perf_counter
    synchronize(device)
    began = clock()
    for _ in range(times):
        step()
    synchronize(device)
    return (clock() - began) / times


def synchronize(device: Device) -> None:
    """Wait until the device has finished computing."""
    if device.torch_device.type == "cuda":
        torch.cuda.synchronize(device.torch_device)


def measure_peak_flops(setup: Setup) -> float:
    """Return the operations per second of a large matrix product, the device's peak."""
    side, device = setup.choose(MATMUL_SIDES), setup.device
    one = torch.randn(side, side, device=device.torch_device, dtype=device.dtype)
    product: Callable[[], Any] = lambda: one @ one  # noqa: E731 - a step like the others
    product()
    return 2 * side**3 / min(time_steps(device, product, 3) for _ in range(5))


def count_flops(step: Step) -> int:
    """Count a step's floating-point operations."""
    with FlopCounterMode(display=False) as counted:
        step()
    return int(counted.get_total_flops())


def measure_memory(device: Device, step: Step, held: Sequence[torch.Tensor]) -> float:
    """Return the peak MiB of a step, including what is held anyway.

    A GPU counts it itself; on a CPU tensors are counted as they come and go.
    """
    if device.torch_device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device.torch_device)
        step()
        most: int = torch.cuda.max_memory_allocated(device.torch_device)
        return most / MIB
    with Footprint() as footprint:
        footprint.add_all(held)
        step()
    return footprint.peak / MIB


def compare_steps(setup: Setup, family: str, batch: int, rounds: int) -> Iterator[table.Row]:
    """Time our step, a bare step and the documented loop in turns."""
    recipe = setup.recipe(family, batch, rounds * BLOCK + 20)
    what = f"{family}, {setup.side(family)} pixels, batch {batch}"
    photos, task = setup.start_training(f"{family}-{batch}", family, recipe)
    spec.advance_steps(task, 3)
    resident: Any = setup.bases.loaded[setup.base(family)]
    single_threaded = replace(recipe, threads=1)
    bare = BareStep(resident, single_threaded, photos)
    documented = DocumentedStep(setup, family, bare)
    entrants: list[Step] = [lambda: spec.advance_steps(task), bare, documented]
    for entrant in entrants:
        entrant()
    turns: list[list[float]] = [[], [], []]
    for turn in range(rounds):
        for at in (turn, turn + 1, turn + 2):
            turns[at % 3].append(time_steps(setup.device, entrants[at % 3], BLOCK))
    ours, plain = (statistics.median(times) for times in turns[:2])
    yield table.figure(f"{what}: seconds of a step, ours", ours, "s")
    over_bare = table.ratio(zip(turns[0], turns[1], strict=True))
    yield table.at_most(f"{what}: ours over bare", over_bare, OVER_BARE)
    over = table.ratio(zip(turns[0], turns[2], strict=True))
    yield table.at_most(f"{what}: ours over peft and diffusers", over, OVER_PEFT)
    part = count_flops(bare) / plain / measure_peak_flops(setup)
    yield table.figure(f"{what}: part of the matrix peak, bare", 100 * part, "%")
    held = [*resident.unet.parameters(), *bare.step.parameters]
    yield table.figure(
        f"{what}: peak of a step", measure_memory(setup.device, entrants[0], held), "MiB"
    )
    task.close()


def measure_job(setup: Setup, family: str, steps: int) -> Iterator[table.Row]:
    """Start a job cold; run one warm, with encoding, previews and saving."""
    prompts = tuple(SamplePrompt(text, at) for at, text in enumerate(CAPTIONS[:2]))
    recipe = setup.recipe(family, 1, steps, prompts=prompts, save_every=steps)
    setup.bases.loaded.clear()
    for name in ("cold", "warm"):
        began = time.perf_counter()
        _, task = setup.start_training(f"{family}-{name}", family, recipe)
        spec.advance_steps(task, 2)
        synchronize(setup.device)
        first = time.perf_counter() - began
        yield table.figure(f"{family}: {name}, from the job to its first step", first, "s")
        if name == "cold":
            task.close()
    done = [event for event in task if isinstance(event, Done)][-1]
    whole = time.perf_counter() - began
    more = f" ({whole - steps / done.timings.steps_per_second:.1f} s around the steps)"
    yield table.figure(f"{family}: warm, {steps} steps and 4 pictures", whole, "s", more)
    if held := setup.device.peak_mib():
        keeps = walk()[family].COUNTS.memory
        estimated = bytes_needed(recipe, keeps, count_parameters(keeps, recipe, done.bytes)) / MIB
        yield table.close_to(f"{family}: {held} MiB at most", estimated, held, BAR)


def compare_sampling(setup: Setup, family: str, rounds: int) -> Iterator[table.Row]:
    """Time pictures sampled in one batch and one after another, in turns."""
    side = setup.side(family)
    pictures = [
        Picture(text, "", at, SAMPLING_STEPS, side, side) for at, text in enumerate(CAPTIONS)
    ]
    with setup.bases.borrow(setup.base(family)) as lent:
        ways: list[Callable[[], Any]] = [
            lambda: lent.sample_images(pictures),
            lambda: [lent.sample_image(each) for each in pictures],
        ]
        lent.sample_images(pictures[:1])
        turns: list[list[float]] = [[], []]
        for turn in range(rounds):
            for at in (turn % 2, (turn + 1) % 2):
                turns[at].append(time_steps(setup.device, ways[at], 1))
    what = f"{family}: four pictures at once over one after another, {SAMPLING_STEPS} steps"
    yield table.figure(what, table.ratio(zip(*turns, strict=True)))


def rows(setup: Setup, batches: Sequence[int], rounds: int, steps: int) -> Iterator[table.Row]:
    """Measure every family."""
    yield table.figure("matrix peak", measure_peak_flops(setup) / 1e12, "TFLOP/s")
    for family in setup.families:
        for batch in batches:
            yield from compare_steps(setup, family, batch, rounds)
        yield from measure_job(setup, family, steps)
        yield from compare_sampling(setup, family, rounds)


def working_folder(model_folder: Path | None) -> TemporaryDirectory[str]:
    """Return a temporary folder, beside the models if they are kept."""
    if model_folder:
        model_folder.mkdir(parents=True, exist_ok=True)
    return TemporaryDirectory(dir=model_folder)


def main() -> int:
    """Print the table."""
    arguments = machine.parse_arguments(__doc__ or "", device=str, place=Path, steps=int)
    device = Device.open(cpu=arguments.device == "cpu", threads=1)
    print(device.name)
    print()
    torch.set_num_threads(1)
    with working_folder(arguments.place) as place:
        setup = Setup(Path(place), device, model_folder=arguments.place)
        rounds = 2 if arguments.quick else 12
        return table.print_table(
            rows(setup, (1, 4), rounds, arguments.steps or setup.choose(JOB_STEPS))
        )


if __name__ == "__main__":
    sys.exit(main())
