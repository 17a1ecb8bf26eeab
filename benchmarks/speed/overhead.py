"""Measure what the training loop costs beside its mathematics: processor time and operations."""

from __future__ import annotations

import math
import resource
import statistics
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from benchmarks import machine, table
from benchmarks.teaching import spec
from storage.records import Concept
from training import methods
from training.bases.cache import BaseCache
from training.device import Device
from training.networks.conditioning import split_conditions, stack_conditions
from training.run import timing
from training.run.examples import encode_photos
from training.run.optimizers import group_parameters
from training.run.step import Inputs, MicroBatch, OptimizerStep, Stepper

if TYPE_CHECKING:
    from training.recipe.recipe import Recipe
    from training.run.loop import Task

BAR = 1.15
REFERENCE = "lora"  #: the method that the others are compared with
EXCLUDED = {"dreambooth"}  #: its class pictures double a step, by design
BLOCK, BATCH = 5, 4  #: steps of one turn; photos per step
DRAWN = "noised", "t", "target", "weights"  #: of a step's inputs; the others condition the UNet
Step = Callable[[], None]


class BareStep:
    """The same training step in plain torch, with nothing around it.

    `take` is how it is computed: op by op, unless another stepper is put there.
    """

    def __init__(self, family: Any, recipe: Recipe, photos: Path) -> None:
        examples = encode_photos(family, recipe, photos)
        self.family, self.recipe, self.dtype = family, recipe, family.unet.dtype
        self.latents = [example.latent for example in examples]
        self.size_conditioning = [example.size_conditioning for example in examples]
        with torch.no_grad(), family.device.autocast(), family.on_device("text"):
            self.tokens = [family.tokenize(shot.caption)[0] for shot in recipe.photos]
            self.states = [
                split_conditions(family.embed_prompts(each[None]))[0] for each in self.tokens
            ]
        attached, at = family.networks.attached, family.device.torch_device
        parameters = list(attached.parameters.values())
        groups = group_parameters(attached.parameters, attached.rate_factors)
        optimizer = torch.optim.AdamW(
            groups, recipe.learning_rate, fused=True, capturable=at.type == "cuda"
        )
        device = family.device
        self.step = OptimizerStep(
            self.loss, parameters, optimizer, device.scaler(), device.autocast
        )
        self.take: Stepper = self.step
        self.generator = torch.Generator().manual_seed(recipe.seed)
        self.losses: list[torch.Tensor] = []
        self.taken = 0

    def __call__(self) -> None:
        """Stack a batch, add noise, run forward and backward, clip, and update."""
        self.losses.append(self.take([MicroBatch(self.draw())])[0])

    def draw(self) -> dict[str, torch.Tensor]:
        """Return the next batch with its noise, and what conditions the UNet."""
        family, size, draws = self.family, self.recipe.batch_size, self.generator
        first = self.taken * size % len(self.latents)
        self.taken += 1
        these = slice(first, first + size)
        x = torch.stack(self.latents[these])
        if family.networks.attached.learns_text:
            read = {"tokens": torch.stack(self.tokens[these])}
        else:
            read = stack_conditions(self.states[these])
        e = torch.randn(x.shape, generator=draws)
        t = (
            (torch.arange(size) + torch.rand(size, generator=draws))
            / size
            * len(family.alphas_cumprod)
        )
        t = t.long().clamp(max=len(family.alphas_cumprod) - 1)
        a = family.alphas_cumprod[t]
        wide = a.view(-1, 1, 1, 1)
        noised = wide.sqrt() * x + (1 - wide).sqrt() * e
        v, ratio = family.prediction == "v_prediction", a / (1 - a)
        target = wide.sqrt() * e - (1 - wide).sqrt() * x if v else e
        weights = ratio.clamp(max=self.recipe.min_snr_gamma) / (ratio + 1 if v else ratio)
        drawn = {"noised": noised.to(self.dtype), "t": t, "target": target}
        sizes = stack_conditions(self.size_conditioning[these])
        return {**drawn, "weights": weights, **read, **sizes}

    def loss(self, inputs: Inputs) -> torch.Tensor:
        """Return the loss of inputs."""
        family, conditions, at = self.family, dict(inputs), self.family.device.torch_device
        noised, t, target, weights = (conditions.pop(name).to(at) for name in DRAWN)
        if "tokens" in conditions:
            conditions |= family.embed_prompts(conditions.pop("tokens"))
        given = family.unet_kwargs(conditions)
        predicted = family.unet(noised, t, return_dict=False, **given)[0]
        error = (predicted.float() - target).square().flatten(1).mean(1)
        loss: torch.Tensor = (error * weights).mean()
        return loss


class OperationCounter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts tensor operations by name; views, which compute nothing, are left out."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.found: Counter[str] = Counter()

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Count an operation and run it."""
        if not function.is_view:
            self.found[str(function)] += 1
        return function(*args, **(kwargs or {}))


def measure_cpu(step: Step, times: int) -> float:
    """Return the user CPU seconds of one step."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    for _ in range(times):
        step()
    return (resource.getrusage(resource.RUSAGE_SELF).ru_utime - before) / times


def count_operations(step: Step) -> Counter[str]:
    """Return the operations of one step."""
    counted = OperationCounter()
    with counted:
        step()
    return counted.found


@dataclass
class Entrant:
    """One method training on its own base, by the loop and by the bare step."""

    method: str
    task: Task
    bare: Step

    @classmethod
    def start(cls, method: str, place: Path, steps: int) -> Entrant:
        """Start a method with plain settings: only the UNet if possible, no average."""
        bases = BaseCache(None, Device.open(cpu=True))
        pictures = spec.read_photos("firefox/teach")[: 4 * BATCH]
        training_spec = spec.TrainingSpec(method, Concept.LOOK, "firefox", pictures, word="cat")
        recipe = spec.make_recipe(
            bases, training_spec, steps=steps, save_every=steps + 1, prompts=(), threads=1,
            batch_size=BATCH,
            lr_scheduler="constant", train_text_encoder=False, ema_decay=0.0,
            min_snr_gamma=5.0, all_layers=method == "locon",
        )  # fmt: skip
        folder, task = spec.start_training(place / method, bases, training_spec, recipe)
        spec.advance_steps(task, 2)
        bare = BareStep(bases.loaded[spec.BASE], recipe, folder.photos)
        bare()
        return cls(method, task, bare)

    def take_loop_step(self) -> None:
        """Take a step of the loop."""
        spec.advance_steps(self.task)

    def count_steps(self) -> tuple[Counter[str], Counter[str]]:
        """Count the operations of one step of the loop and of one bare step."""
        interval = timing.REPORT_SECONDS
        timing.REPORT_SECONDS = math.inf  # no progress events, which come twice a second
        found = count_operations(self.take_loop_step), count_operations(self.bare)
        timing.REPORT_SECONDS = interval
        return found

    def measure_turn(self, *, first: bool) -> tuple[float, float]:
        """Measure some steps of both, in either order; return the CPU seconds per step of each."""
        if first:
            loop_seconds = measure_cpu(self.take_loop_step, BLOCK)
            return loop_seconds, measure_cpu(self.bare, BLOCK)
        bare_seconds = measure_cpu(self.bare, BLOCK)
        return measure_cpu(self.take_loop_step, BLOCK), bare_seconds


def compare(place: Path, names: Sequence[str], rounds: int) -> Iterator[table.Row]:
    """Measure all methods in turns, each time starting with another."""
    entrants = [Entrant.start(name, place, rounds * BLOCK + 100) for name in names]
    counts = {entrant.method: entrant.count_steps() for entrant in entrants}
    pairs: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    for turn in range(rounds):
        at = turn % len(entrants)
        for entrant in entrants[at:] + entrants[:at]:
            pairs[entrant.method].append(entrant.measure_turn(first=bool(turn % 2)))
    for entrant in entrants:
        entrant.task.close()
    for name in names:
        yield from rows(name, pairs, counts[name])


def rows(
    name: str,
    pairs: dict[str, list[tuple[float, float]]],
    counts: tuple[Counter[str], Counter[str]],
) -> Iterator[table.Row]:
    """Yield a method's rows."""
    loop_seconds, plain = pairs[name], pairs.get(REFERENCE, [])
    seconds = statistics.median(ours for ours, _ in loop_seconds)
    many = f" ({len(loop_seconds)} pairs of {BLOCK} steps)"
    yield table.figure(f"{name}: user CPU of a step", seconds * 1000, "ms")
    if plain and name != REFERENCE:
        over = table.ratio((own[0], its[0]) for own, its in zip(loop_seconds, plain, strict=True))
        yield table.figure(f"{name}: user CPU of a step over a {REFERENCE}'s, median", over)
    yield table.at_most(
        f"{name}: user CPU, ours over bare", table.ratio(loop_seconds), BAR, more=many
    )
    ours, bare = counts
    more = [f"{kind} {ours[kind] - bare[kind]:+}" for kind in (ours - bare) | (bare - ours)]
    figure = f"{ours.total()} and {bare.total()}" + (f" ({'; '.join(more)})" if more else "")
    yield table.Row(f"{name}: tensor operations, ours and bare", figure, "equal", ours == bare)


def main() -> int:
    """Print the table."""
    arguments = machine.parse_arguments(__doc__ or "", method=str)
    torch.set_num_threads(1)
    names = [arguments.method] if arguments.method else sorted({*methods.walk()} - EXCLUDED)
    with TemporaryDirectory() as place:
        return table.print_table(compare(Path(place), names, 1 if arguments.quick else 12))


if __name__ == "__main__":
    sys.exit(main())
