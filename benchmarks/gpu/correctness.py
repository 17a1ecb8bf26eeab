"""Whether a CUDA graph teaches what the eager step teaches, and how soon results repeat."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing

import torch
from torch import Tensor

from benchmarks.gpu.bench import NO_GRAPHS, Bench
from benchmarks.gpu.figures import Figure
from benchmarks.gpu.steps import Entrants
from benchmarks.speed.overhead import BareStep

STEPS = 30, 5  #: on a GPU, in a rehearsal
BAR = 1e-3  #: relative difference of the losses
Result = tuple[Tensor, Tensor]  #: losses of the steps, and the trained numbers after them


def measure(bench: Bench) -> Iterator[Figure]:
    """Train eagerly and by a graph from the same start; each twice."""
    if not bench.cuda:
        yield Figure("correctness of the graph", NO_GRAPHS)
        return
    setup, steps = bench.setup("sd1"), bench.choose(*STEPS)
    with closing(Entrants(setup, "sd1", 1)) as entrants:
        parameters = entrants.family.networks.attached.parameters
        start = {name: own.detach().clone() for name, own in parameters.items()}
        ways: dict[str, Callable[[BareStep], BareStep]] = {
            "eager": lambda bare: bare,
            "graph": bench.make_graph,
        }
        found: dict[str, list[Result]] = {name: [] for name in ways}
        for name in ("eager", "graph", "eager", "graph"):
            with torch.no_grad():
                for key, own in parameters.items():
                    own.copy_(start[key])
            found[name].append(train(ways[name](entrants.add_bare()), parameters, steps))
    begin = flatten(start)
    pairs = {"graph against eager": (found["graph"][0], found["eager"][0])}
    pairs["eager against itself"] = found["eager"][0], found["eager"][1]
    for what, pair in pairs.items():
        yield from compare(what, *pair, begin)
    for name, (one, other) in found.items():
        same = all(torch.equal(*pair) for pair in zip(one, other, strict=True))
        yield Figure(f"sd1, {steps} steps, {name} twice: the same bytes", str(same).lower())


def train(bare: BareStep, parameters: Mapping[str, Tensor], steps: int) -> Result:
    """Take some steps; return their losses and the trained numbers."""
    for _ in range(steps):
        bare()
    return torch.stack(bare.losses).cpu(), flatten(parameters)


def flatten(parameters: Mapping[str, Tensor]) -> Tensor:
    """Return copies of all numbers as one vector."""
    return torch.cat([own.detach().flatten().cpu() for own in parameters.values()])


def compare(what: str, one: Result, other: Result, begin: Tensor) -> Iterator[Figure]:
    """Compare losses, and what was learned by its share that differs."""
    steps = len(one[0])
    losses = float((one[0] / other[0] - 1).abs().max())
    bar = BAR if "graph" in what else None
    yield Figure(f"sd1, {steps} steps, {what}: losses differ by at most", losses, bar=bar)
    learned = float((one[1] - other[1]).norm() / (other[1] - begin).norm())
    yield Figure(f"sd1, {steps} steps, {what}: share of what is learned that differs", learned)
