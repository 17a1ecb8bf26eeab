"""The optimizers, each from its own package; only AdamW's is always here.

AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101), 8-bit AdamW (Dettmers et al. 2022, arXiv
2110.02861), Adafactor (Shazeer and Stern 2018, arXiv 1804.04235) at a given rate, Prodigy
(Mishchenko and Defazio 2024, arXiv 2306.06101) as its authors set it for diffusion models
(konstmish/prodigy), and schedule-free AdamW (Defazio et al. 2024, arXiv 2405.15682).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import torch

from storage.errors import JobError
from storage.records import Optimizer

if TYPE_CHECKING:
    from training.recipe.recipe import Recipe

Groups = list[dict[str, Any]]
PACKAGES = {
    Optimizer.ADAMW8BIT: "bitsandbytes",
    Optimizer.PRODIGY: "prodigyopt",
    Optimizer.SCHEDULEFREE: "schedulefree",
}
LOOP_KEYS = frozenset({"lr", "pace", "params"})  #: of a group, what the loop sets


def make_optimizer(
    recipe: Recipe, parameters: Mapping[str, torch.nn.Parameter], paces: Mapping[str, float]
) -> torch.optim.Optimizer:
    """Make a recipe's optimizer for its parameters; refuse what it cannot do."""
    check_installed(recipe)
    groups = group_parameters(parameters, paces)
    if recipe.optimizer is Optimizer.PRODIGY and len(groups) > 1:  # it finds one rate for all
        raise JobError("optimizer_paces", optimizer=recipe.optimizer, method=recipe.method)
    return MAKERS[recipe.optimizer](groups, recipe)


def check_installed(recipe: Recipe) -> None:
    """Refuse an optimizer whose package is not here."""
    package = PACKAGES.get(recipe.optimizer)
    if package is not None and find_spec(package) is None:
        raise JobError("optimizer_missing", optimizer=recipe.optimizer, package=package)


def group_parameters(
    parameters: Mapping[str, torch.nn.Parameter], paces: Mapping[str, float]
) -> Groups:
    """Put parameters of one pace into one of the optimizer's groups."""
    alike: dict[float, list[torch.nn.Parameter]] = {}
    for name, parameter in parameters.items():
        alike.setdefault(paces.get(name, 1.0), []).append(parameter)
    return [{"params": each, "pace": pace} for pace, each in alike.items()]


def make_adamw(groups: Groups, recipe: Recipe) -> torch.optim.Optimizer:
    """Make torch's, in one kernel."""
    return torch.optim.AdamW(groups, weight_decay=recipe.weight_decay, fused=True)


def make_adamw_8bit(groups: Groups, recipe: Recipe) -> torch.optim.Optimizer:
    """Make one whose moments take a byte a number, where a tensor has 4096 numbers or more."""
    from bitsandbytes.optim import AdamW8bit  # noqa: PLC0415 - seconds, and not always here

    made: torch.optim.Optimizer = AdamW8bit(
        groups, lr=recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    return made


def make_adafactor(groups: Groups, recipe: Recipe) -> torch.optim.Optimizer:
    """Make one whose second moments are kept by rows and columns; the rate is the recipe's."""
    from transformers.optimization import Adafactor  # noqa: PLC0415 - only this one needs it

    made: torch.optim.Optimizer = Adafactor(
        groups,
        lr=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
        scale_parameter=False,
        relative_step=False,
        warmup_init=False,
    )
    return made


def make_prodigy(groups: Groups, recipe: Recipe) -> torch.optim.Optimizer:
    """Make one that finds the rate itself; the recipe's, usually one, is a factor of it.

    It begins at a rate of 1e-6 and takes its time: on the embedded base 100 steps reach 2e-6 and
    teach nothing that can be seen, so it is for runs of many hundred steps.
    """
    from prodigyopt import Prodigy  # noqa: PLC0415 - not always here

    with redirect_stdout(io.StringIO()):  # where a shell's child tells its events
        made: torch.optim.Optimizer = Prodigy(
            groups,
            lr=recipe.learning_rate,
            weight_decay=recipe.weight_decay,
            safeguard_warmup=True,
            use_bias_correction=True,
        )
    return made


def make_schedule_free(groups: Groups, recipe: Recipe) -> torch.optim.Optimizer:
    """Make one that averages its steps in the place of a falling rate."""
    from schedulefree import AdamWScheduleFree  # noqa: PLC0415 - not always here

    made = AdamWScheduleFree(groups, lr=recipe.learning_rate, weight_decay=recipe.weight_decay)
    made.train()
    return made  # type: ignore[no-any-return]


MAKERS: dict[Optimizer, Callable[[Groups, Recipe], torch.optim.Optimizer]] = {
    Optimizer.ADAMW: make_adamw,
    Optimizer.ADAMW8BIT: make_adamw_8bit,
    Optimizer.ADAFACTOR: make_adafactor,
    Optimizer.PRODIGY: make_prodigy,
    Optimizer.SCHEDULEFREE: make_schedule_free,
}


@contextmanager
def averaged_weights(optimizer: torch.optim.Optimizer) -> Iterator[None]:
    """Have parameters as one draws with them inside the block, then exactly as they were.

    Schedule-free AdamW steps from other numbers than those that it recommends. Its own way back
    to them rounds, and a resumed run, which draws less, would end otherwise.
    """
    evaluate = getattr(optimizer, "eval", None)
    if evaluate is None:
        yield
        return
    own = [
        (each, each.detach().clone())
        for group in optimizer.param_groups
        for each in group["params"]
    ]
    evaluate()
    try:
        yield
    finally:
        optimizer.train()  # type: ignore[attr-defined]
        for parameter, value in own:
            parameter.data.copy_(value)


def list_scalars(optimizer: torch.optim.Optimizer) -> list[dict[str, float]]:
    """List what an optimizer has found out beside its tensors, a group each."""
    return [
        {
            name: value
            for name, value in group.items()
            if name not in LOOP_KEYS
            and isinstance(value, (int, float))
            and value != optimizer.defaults.get(name)
        }
        for group in optimizer.param_groups
    ]
