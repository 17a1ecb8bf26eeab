"""What the loop costs beside its mathematics: processor time and tensor operations of a step."""

from __future__ import annotations

import math
import resource
import statistics
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from benchmarks import lesson, machine, table
from storage.records import Concept
from training import clock
from training.bases import Bases
from training.device import Device
from training.examples import encoded

if TYPE_CHECKING:
    from training.recipe import Recipe

BAR = 1.10
BLOCK = 10  #: steps of one turn
Step = Callable[[], None]


class Bare:
    """The same step with nothing around it: what a page of torch would do."""

    def __init__(self, family: Any, recipe: Recipe, photos: Path) -> None:
        examples = encoded(family, recipe, photos)
        self.family, self.recipe = family, recipe
        self.latents = [example.latent for example in examples]
        with torch.no_grad():
            tokens = [family.tokens(shot.caption)[0] for shot in recipe.photos]
            self.states = [family.states(each[None])["states"][0] for each in tokens]
        self.parameters = list(family.networks.attached.parameters.values())
        self.optimizer = torch.optim.AdamW(self.parameters, recipe.rate, fused=True)
        self.generator = torch.Generator().manual_seed(recipe.seed)
        self.losses: list[torch.Tensor] = []
        self.taken = 0

    def __call__(self) -> None:
        """Gather a batch, noise it, go forward and back, clip, and move."""
        family, size, draws = self.family, self.recipe.batch, self.generator
        first = self.taken * size % len(self.latents)
        self.taken += 1
        x = torch.stack(self.latents[first : first + size])
        states = torch.stack(self.states[first : first + size])
        e = torch.randn(x.shape, generator=draws)
        t = (torch.arange(size) + torch.rand(size, generator=draws)) / size * len(family.alphas)
        t = t.long().clamp(max=len(family.alphas) - 1)
        a = family.alphas[t]
        wide = a.view(-1, 1, 1, 1)
        noised = wide.sqrt() * x + (1 - wide).sqrt() * e
        target = wide.sqrt() * e - (1 - wide).sqrt() * x
        ratio = a / (1 - a)
        weights = ratio.clamp(max=self.recipe.gamma) / (ratio + 1)
        seen = family.unet(noised, t, states, return_dict=False)[0]
        loss = ((seen - target).square().flatten(1).mean(1) * weights).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0, foreach=True)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.losses.append(loss.detach())


class Counted(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts tensor operations by name; views, which compute nothing, apart."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.found: Counter[str] = Counter()

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Count one and let it pass."""
        if not function.is_view:
            self.found[str(function)] += 1
        return function(*args, **(kwargs or {}))


def spent(step: Step, times: int) -> float:
    """Give the user's processor seconds of one step."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    for _ in range(times):
        step()
    return (resource.getrusage(resource.RUSAGE_SELF).ru_utime - before) / times


def count(step: Step) -> Counter[str]:
    """Count the operations of one step."""
    counted = Counted()
    with counted:
        step()
    return counted.found


def paired(ours: Step, theirs: Step, rounds: int) -> list[tuple[float, float]]:
    """Take turns, each time the other one first."""
    pairs = []
    for turn in range(rounds):
        if turn % 2:
            first = spent(ours, BLOCK)
            pairs.append((first, spent(theirs, BLOCK)))
        else:
            second = spent(theirs, BLOCK)
            pairs.append((spent(ours, BLOCK), second))
    return pairs


def compare(place: Path, rounds: int) -> list[table.Row]:
    """Run both on the same network, photos and batch size."""
    bases = Bases(None, Device.open(cpu=True))
    pictures = (lesson.photos("firefox/teach") * 3)[:64]
    asked = lesson.Lesson("lora", Concept.LOOK, "firefox", pictures)
    steps = rounds * BLOCK + 100
    frozen = lesson.recipe(
        bases, asked, steps=steps, every=steps + 1, prompts=(), threads=1, schedule="constant"
    )
    folder, task = lesson.begin(place / "job", bases, asked, frozen)
    lesson.advance(task, 2)
    bare = Bare(bases.resident[lesson.BASE], frozen, folder.photos)

    def ours() -> None:
        lesson.advance(task)

    for step in (bare, ours):
        spent(step, 3)
    often, clock.OFTEN = clock.OFTEN, math.inf  # no progress, which is told twice a second
    counts = count(ours), count(bare)
    clock.OFTEN = often
    pairs = paired(ours, bare, rounds)
    task.close()
    return rows(pairs, counts)


def rows(
    pairs: list[tuple[float, float]], counts: tuple[Counter[str], Counter[str]]
) -> list[table.Row]:
    """Put the figures into rows."""
    seconds = [statistics.median(column) for column in zip(*pairs, strict=True)]
    ours, bare = counts
    more = [f"{name} {ours[name] - bare[name]:+}" for name in (ours - bare) | (bare - ours)]
    figure = f"{ours.total()} and {bare.total()}" + (f" ({'; '.join(more)})" if more else "")
    many = f" ({len(pairs)} pairs of {BLOCK} steps)"
    return [
        table.told("user CPU of a step, ours", seconds[0] * 1000, "ms"),
        table.told("user CPU of a step, bare", seconds[1] * 1000, "ms"),
        table.most(
            "user CPU, ours over bare, median of pairs", table.ratio(pairs), BAR, more=many
        ),
        table.Row("tensor operations of a step, ours and bare", figure, "equal", ours == bare),
    ]


def main() -> int:
    """Print the table."""
    arguments = machine.chosen(__doc__ or "")
    torch.set_num_threads(1)
    with TemporaryDirectory() as place:
        return table.show(compare(Path(place), 4 if arguments.quick else 40))


if __name__ == "__main__":
    sys.exit(main())
