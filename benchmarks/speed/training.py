"""How fast a LoRA is trained on the true architectures, and what memory it takes.

Weights are random and made here, or kept in `--place` for another time; latents and text are
cached. Ours takes turns with a bare step of torch on the same layers and with the documented loop
of peft and diffusers. On a CPU the networks are shrunken ones of the same layout, on small
pictures, computed by one thread.
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

import torch
from peft import LoraConfig, inject_adapter_in_model
from PIL import Image
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import machine, table
from benchmarks.memory.footprint import Footprint
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
BAR = 15  #: percent, of the estimate of memory
BLOCK = 5  #: steps of one turn
SMALL = 128  #: pixels, where networks are shrunken
MATMUL_SIDES = 4096, 512  #: side of the matrices whose product shows the peak, on a GPU and a CPU
SAMPLING_STEPS = 5  #: steps of a picture, where ways of drawing are compared
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
    shelf: Path | None = None  #: where the models are, if they outlast this
    bases: BaseCache = field(init=False)

    def __post_init__(self) -> None:
        models = (self.shelf or self.place) / "bases"
        for name in self.families:
            if not (models / self.base(name)).exists():
                random.write_random_model(models, name, large=self.large)
        self.bases = BaseCache(models, self.device)

    @property
    def large(self) -> bool:
        """Tell whether the networks have their true sizes."""
        return self.device.torch_device.type != "cpu"

    def choose(self, numbers: tuple[int, int]) -> int:
        """Choose a number for a GPU, or for a CPU."""
        return numbers[0 if self.large else 1]

    def base(self, family: str) -> str:
        """Name a family's model."""
        return f"{'random' if self.large else 'tiny'}-{family}"

    def side(self, family: str) -> int:
        """Say how many pixels wide a family's photos are."""
        return walk()[family].RESOLUTION if self.large else SMALL

    def photos(self, family: str) -> spec.Photos:
        """Draw photos of exactly the right size."""
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
        """Ask for a LoRA on attention, whose captions are read once."""
        base = self.bases.find(self.base(family))
        request = TrainRequest(
            "lora", base.name, "name", "word", Concept.LOOK, Dial.QUICK, steps, RANK, RATE, batch,
            0,
        )  # fmt: skip
        files = [(path.name, caption) for path, caption in self.photos(family)]
        given = {
            "prompts": (),
            "save_every": steps + 1,
            "resolution": self.side(family),
            "train_text_encoder": False,
        }
        return complete_recipe(request, base, files, **(given | more))

    def start_training(self, name: str, family: str, recipe: Recipe) -> tuple[Path, Task]:
        """Lay out a job and begin it."""
        asked = spec.TrainingSpec("lora", Concept.LOOK, "word", self.photos(family))
        folder, task = spec.start_training(self.place / "jobs" / name, self.bases, asked, recipe)
        return folder.photos, task


class DocumentedStep:
    """The loop of diffusers' documentation with peft's adapter, on what was computed once."""

    def __init__(self, ground: Setup, family: str, bare: BareStep) -> None:
        place = ground.bases.locate(ground.base(family))
        base = ground.bases.find(ground.base(family))
        loaded: Any = walk()[family].load(place, ground.device, base)
        self.family, self.unet, self.bare = loaded, loaded.unet, bare
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
        told = self.family.unet_kwargs(
            {
                **stack_conditions(bare.states[these]),
                **stack_conditions(bare.size_conditioning[these]),
            }
        )
        noisy, steps, target = add_noise(self.family.pipeline.scheduler, latents)
        with self.family.device.autocast():
            predicted = self.unet(noisy.to(self.unet.dtype), steps, return_dict=False, **told)[0]
        loss = nn.functional.mse_loss(predicted.float(), target.float())
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.trained, 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()


def time_steps(device: Device, step: Step, times: int) -> float:
    """Measure the seconds of one of several steps, to the device's last operation."""
    synchronize(device)
    began = time.perf_counter()
    for _ in range(times):
        step()
    synchronize(device)
    return (time.perf_counter() - began) / times


def synchronize(device: Device) -> None:
    """Wait for what the device still computes."""
    if device.torch_device.type == "cuda":
        torch.cuda.synchronize(device.torch_device)


def measure_peak_flops(ground: Setup) -> float:
    """Measure the operations a second of a large matrix product: the most a device can do."""
    side, device = ground.choose(MATMUL_SIDES), ground.device
    one = torch.randn(side, side, device=device.torch_device, dtype=device.dtype)
    product: Callable[[], Any] = lambda: one @ one  # noqa: E731 - a step like any other
    product()
    return 2 * side**3 / min(time_steps(device, product, 3) for _ in range(5))


def count_flops(step: Step) -> int:
    """Count a step's multiplications and additions."""
    with FlopCounterMode(display=False) as counted:
        step()
    return int(counted.get_total_flops())


def measure_memory(device: Device, step: Step, held: Sequence[torch.Tensor]) -> float:
    """Measure the most MiB that a step holds beside and with what is held anyway.

    A GPU says so itself; on a CPU tensors are counted as they come and go.
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


def compare_steps(ground: Setup, family: str, batch: int, rounds: int) -> Iterator[table.Row]:
    """Let ours, a bare step and the documented loop take turns."""
    recipe = ground.recipe(family, batch, rounds * BLOCK + 20)
    what = f"{family}, {ground.side(family)} pixels, batch {batch}"
    photos, task = ground.start_training(f"{family}-{batch}", family, recipe)
    spec.advance_steps(task, 3)
    resident: Any = ground.bases.loaded[ground.base(family)]
    frozen = replace(recipe, threads=1)
    bare = BareStep(resident, frozen, photos)
    documented = DocumentedStep(ground, family, bare)
    entrants: list[Step] = [lambda: spec.advance_steps(task), bare, documented]
    for entrant in entrants:
        entrant()
    turns: list[list[float]] = [[], [], []]
    for turn in range(rounds):
        for at in (turn, turn + 1, turn + 2):
            turns[at % 3].append(time_steps(ground.device, entrants[at % 3], BLOCK))
    ours, plain = (statistics.median(times) for times in turns[:2])
    yield table.figure(f"{what}: seconds of a step, ours", ours, "s")
    yield table.figure(
        f"{what}: ours over bare", table.ratio(zip(turns[0], turns[1], strict=True))
    )
    over = table.ratio(zip(turns[0], turns[2], strict=True))
    yield table.at_most(f"{what}: ours over peft and diffusers", over, 1.0)
    part = count_flops(bare) / plain / measure_peak_flops(ground)
    yield table.figure(f"{what}: part of the matrix peak, bare", 100 * part, "%")
    held = [*resident.unet.parameters(), *bare.parameters]
    yield table.figure(
        f"{what}: peak of a step", measure_memory(ground.device, entrants[0], held), "MiB"
    )
    task.close()


def measure_job(ground: Setup, family: str, steps: int) -> Iterator[table.Row]:
    """Begin a job cold; run one warm, with encoding, pictures on the way and saving."""
    prompts = tuple(SamplePrompt(text, at) for at, text in enumerate(CAPTIONS[:2]))
    recipe = ground.recipe(family, 1, steps, prompts=prompts, save_every=steps)
    ground.bases.loaded.clear()
    for name in ("cold", "warm"):
        began = time.perf_counter()
        _, task = ground.start_training(f"{family}-{name}", family, recipe)
        spec.advance_steps(task, 2)
        synchronize(ground.device)
        first = time.perf_counter() - began
        yield table.figure(f"{family}: {name}, from the job to its first step", first, "s")
        if name == "cold":
            task.close()
    done = [event for event in task if isinstance(event, Done)][-1]
    whole = time.perf_counter() - began
    more = f" ({whole - steps / done.timings.steps_per_second:.1f} s around the steps)"
    yield table.figure(f"{family}: warm, {steps} steps and 4 pictures", whole, "s", more)
    if held := ground.device.peak_mib():
        keeps = walk()[family].COUNTS.memory
        foretold = bytes_needed(recipe, keeps, count_parameters(keeps, recipe, done.bytes)) / MIB
        yield table.close_to(f"{family}: {held} MiB at most", foretold, held, BAR)


def compare_sampling(ground: Setup, family: str, rounds: int) -> Iterator[table.Row]:
    """Let pictures drawn at once and one after another take turns."""
    side = ground.side(family)
    pictures = [
        Picture(text, "", at, SAMPLING_STEPS, side, side) for at, text in enumerate(CAPTIONS)
    ]
    with ground.bases.borrow(ground.base(family)) as lent:
        ways: list[Callable[[], Any]] = [
            lambda: lent.sample_images(pictures),
            lambda: [lent.sample_image(each) for each in pictures],
        ]
        lent.sample_images(pictures[:1])
        turns: list[list[float]] = [[], []]
        for turn in range(rounds):
            for at in (turn % 2, (turn + 1) % 2):
                turns[at].append(time_steps(ground.device, ways[at], 1))
    what = f"{family}: four pictures at once over one after another, {SAMPLING_STEPS} steps"
    yield table.figure(what, table.ratio(zip(*turns, strict=True)))


def rows(ground: Setup, batches: Sequence[int], rounds: int, steps: int) -> Iterator[table.Row]:
    """Measure every family."""
    yield table.figure("matrix peak", measure_peak_flops(ground) / 1e12, "TFLOP/s")
    for family in ground.families:
        for batch in batches:
            yield from compare_steps(ground, family, batch, rounds)
        yield from measure_job(ground, family, steps)
        yield from compare_sampling(ground, family, rounds)


def working_folder(shelf: Path | None) -> TemporaryDirectory[str]:
    """Make a folder for what is not kept, beside the models if they are."""
    if shelf:
        shelf.mkdir(parents=True, exist_ok=True)
    return TemporaryDirectory(dir=shelf)


def main() -> int:
    """Print the table."""
    arguments = machine.parse_arguments(__doc__ or "", device=str, place=Path, steps=int)
    device = Device.open(cpu=arguments.device == "cpu", threads=1)
    print(device.name)
    print()
    torch.set_num_threads(1)
    with working_folder(arguments.place) as place:
        ground = Setup(Path(place), device, shelf=arguments.place)
        rounds = 2 if arguments.quick else 12
        return table.print_table(
            rows(ground, (1, 4), rounds, arguments.steps or ground.choose(JOB_STEPS))
        )


if __name__ == "__main__":
    sys.exit(main())
