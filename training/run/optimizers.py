"""The optimizers, each from its own package; only AdamW is always installed.

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
from typing import Any

import torch

from storage.errors import JobError
from storage.records import Optimizer
from training.recipe.recipe import Recipe

Groups = list[dict[str, Any]]
PACKAGES = {
    Optimizer.ADAMW8BIT: "bitsandbytes",
    Optimizer.PRODIGY: "prodigyopt",
    Optimizer.SCHEDULEFREE: "schedulefree",
}
#: of a parameter group, set by the loop
LOOP_KEYS = frozenset({"lr", "pace", "params", "capturable"})


def make_optimizer(
    recipe: Recipe, parameters: Mapping[str, torch.nn.Parameter], paces: Mapping[str, float]
) -> torch.optim.Optimizer:
    """Make the optimizer of a recipe.

    Raises JobError if its package is not installed, or if it cannot learn at several rates.
    """
    check_installed(recipe)
    groups = group_parameters(parameters, paces)
    if recipe.optimizer is Optimizer.PRODIGY and len(groups) > 1:  # it finds one rate for all
        raise JobError("optimizer_paces", optimizer=recipe.optimizer, method=recipe.method)
    return MAKERS[recipe.optimizer](groups, recipe)


def check_installed(recipe: Recipe) -> None:
    """Raise JobError if the package of the recipe's optimizer is not installed."""
    package = PACKAGES.get(recipe.optimizer)
    if package is not None and find_spec(package) is None:
        raise JobError("optimizer_missing", optimizer=recipe.optimizer, package=package)


def group_parameters(
    parameters: Mapping[str, torch.nn.Parameter], paces: Mapping[str, float]
) -> Groups:
    """Return parameter groups: one for all parameters whose learning rate has the same factor."""
    alike: dict[float, list[torch.nn.Parameter]] = {}
    for name, parameter in parameters.items():
        alike.setdefault(paces.get(name, 1.0), []).append(parameter)
    return [{"params": each, "pace": pace} for pace, each in alike.items()]


def make_capturable(optimizer: torch.optim.Optimizer, device: torch.device) -> None:
    """Let a CUDA graph replay an AdamW: its learning rates become tensors on the device."""
    for group in optimizer.param_groups:
        group["capturable"], group["lr"] = True, torch.tensor(float(group["lr"]), device=device)


def set_learning_rate(group: dict[str, Any], rate: float) -> None:
    """Set a parameter group's learning rate; a tensor stays where it is."""
    if isinstance(group["lr"], torch.Tensor):
        group["lr"].fill_(rate)
    else:
        group["lr"] = rate


def make_adamw(groups: Groups, recipe: Recipe) -> torch.optim.Optimizer:
    """Make torch's AdamW, as one fused kernel."""
    return torch.optim.AdamW(groups, weight_decay=recipe.weight_decay, fused=True)


def make_adamw_8bit(groups: Groups, recipe: Recipe) -> torch.optim.Optimizer:
    """Make an AdamW with 8-bit moments, for tensors of 4096 numbers or more."""
    from bitsandbytes.optim import AdamW8bit  # noqa: PLC0415 - seconds, and optional

    optimizer: torch.optim.Optimizer = AdamW8bit(
        groups, lr=recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    return optimizer


def make_adafactor(groups: Groups, recipe: Recipe) -> torch.optim.Optimizer:
    """Make an Adafactor with the recipe's learning rate; it keeps rows and columns of moments."""
    from transformers.optimization import Adafactor  # noqa: PLC0415 - only this one needs it

    optimizer: torch.optim.Optimizer = Adafactor(
        groups,
        lr=recipe.learning_rate,
        weight_decay=recipe.weight_decay,
        scale_parameter=False,
        relative_step=False,
        warmup_init=False,
    )
    return optimizer


def make_prodigy(groups: Groups, recipe: Recipe) -> torch.optim.Optimizer:
    """Make a Prodigy, which finds the learning rate; the recipe's, usually 1, is a factor of it.

    It begins at 1e-6 and grows slowly: 100 steps on the embedded base reach 2e-6 and teach
    nothing visible. It is for runs of many hundred steps.
    """
    from prodigyopt import Prodigy  # noqa: PLC0415 - optional

    with redirect_stdout(io.StringIO()):  # it prints, and stdout is for events
        optimizer: torch.optim.Optimizer = Prodigy(
            groups,
            lr=recipe.learning_rate,
            weight_decay=recipe.weight_decay,
            safeguard_warmup=True,
            use_bias_correction=True,
        )
    return optimizer


def make_schedule_free(groups: Groups, recipe: Recipe) -> torch.optim.Optimizer:
    """Make a schedule-free AdamW, which averages its steps instead of lowering the rate."""
    from schedulefree import AdamWScheduleFree  # noqa: PLC0415 - optional

    optimizer = AdamWScheduleFree(
        groups, lr=recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    optimizer.train()
    return optimizer  # type: ignore[no-any-return]


MAKERS: dict[Optimizer, Callable[[Groups, Recipe], torch.optim.Optimizer]] = {
    Optimizer.ADAMW: make_adamw,
    Optimizer.ADAMW8BIT: make_adamw_8bit,
    Optimizer.ADAFACTOR: make_adafactor,
    Optimizer.PRODIGY: make_prodigy,
    Optimizer.SCHEDULEFREE: make_schedule_free,
}


@contextmanager
def averaged_weights(optimizer: torch.optim.Optimizer) -> Iterator[None]:
    """Put the weights that the optimizer recommends in place inside the block.

    Only schedule-free AdamW has others than those it steps from. Its own `train()` rounds on the
    way back, so we restore copies: a resumed run, which draws less, must end in the same weights.
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
    """Return the scalars that an optimizer has changed, for each of its parameter groups."""
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
