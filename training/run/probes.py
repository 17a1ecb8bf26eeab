"""How well a run's weights predict fixed noise, and how far they are from where they began.

The loss of a step is that of other photos, noise and timesteps each time, so it tells little. A
probe is a photo with noise that stays the same, at a timestep of one quarter of the schedule. Its
loss differs between two steps only by what was learned (tdrussell's diffusion-pipe does the same
at fixed quantiles). Probes draw from generators of their own and change no weight.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from training.device import Device
from training.families import Family
from training.methods._full import FullNetworks
from training.networks.conditioning import Conditions, stack_conditions
from training.networks.networks import Attached
from training.recipe.recipe import Recipe
from training.run.examples import Example, encode_photos, step_generator
from training.run.step import Inputs
from training.run.text import CaptionEncoder

VALIDATION_PROBES = 8
QUARTERS = 4  #: of the schedule of timesteps, from little noise to much
#: of a run's time that probes may take: of a quick one, and as part of what scoring may
MIN_SHARE, SCORING_SHARE = 0.008, 0.2
MIN_MEASUREMENTS = 3  #: of held-out photos; fewer do not tell when memorising begins
FORWARD_SHARE = 1 / 3  #: of a step's time: forward alone, without gradients
MAX_COMPARED = 256  #: tensors of a whole model whose change is measured; the others are skipped


@dataclass(frozen=True, slots=True)
class Probe:
    """Photos with fixed noise at timesteps of one quarter, computed together."""

    quarter: int
    inputs: Inputs

    @property
    def shapes(self) -> tuple[object, ...]:
        """What has to be equal for probes to be computed together."""
        return self.quarter, *((name, each.shape[1:]) for name, each in self.inputs.items())

    def __len__(self) -> int:
        return len(self.inputs["noised"])


def make_probes(
    family: Family, examples: Sequence[Example], conditions: Sequence[Conditions], seed: int
) -> list[Probe]:
    """Make a probe of each example; they are of the quarters in turn."""
    found: dict[tuple[object, ...], list[Probe]] = {}
    for at, (example, told) in enumerate(zip(examples, conditions, strict=True)):
        places = example.weights
        drawn = family.draw_inputs(  # one timestep of each quarter: draws are stratified
            torch.stack([example.latent] * QUARTERS),
            step_generator(seed, at, "probe"),
            min_snr_gamma=0.0,
            loss_weights=None if places is None else torch.stack([places] * QUARTERS),
        )
        quarter = at % QUARTERS
        noised = {name: tensor[quarter : quarter + 1] for name, tensor in drawn.items()}
        sizes = stack_conditions([example.size_conditioning])
        probe = Probe(quarter, {**noised, **stack_conditions([told]), **sizes})
        found.setdefault(probe.shapes, []).append(probe)
    return [
        Probe(
            same[0].quarter,
            {name: torch.cat([each.inputs[name] for each in same]) for name in same[0].inputs},
        )
        for same in found.values()
    ]


def probe_held_out(recipe: Recipe, photos: Path, captions: CaptionEncoder) -> list[Probe]:
    """Encode the photos of a folder that are held out, and make probes of them.

    In a short run there are none: it could not afford to measure them often enough.
    """
    interval = probe_interval(recipe, QUARTERS + VALIDATION_PROBES)
    if not recipe.validation_photos or MIN_MEASUREMENTS * interval > recipe.steps:
        return []
    held = replace(
        recipe,
        photos=recipe.validation_photos,
        validation_photos=(),
        other_concepts=(),
        extra_resolutions=(),
        masked_loss=False,
    )
    family, learns = captions.family, captions.learns
    examples = choose_examples(encode_photos(family, held, photos), VALIDATION_PROBES)
    encoder = CaptionEncoder(family, held, captions.device, learns=learns)
    conditions = encoder.plain_conditions([each.photo for each in examples])
    return make_probes(family, examples, conditions, recipe.seed)


def choose_examples(examples: Sequence[Example], count: int) -> list[Example]:
    """Choose so many examples, spread over all of them; some twice if there are fewer."""
    known = len(examples)
    return [examples[at * known // count if known > count else at % known] for at in range(count)]


@torch.no_grad()
def measure_losses(family: Family, device: Device, probes: Sequence[Probe]) -> list[float]:
    """Return the mean squared error in each quarter of the timesteps."""
    with device.autocast():
        losses = torch.stack([family.compute_loss(probe.inputs) for probe in probes]).tolist()
    sums = [[0.0, 0] for _ in range(QUARTERS)]
    for probe, loss in zip(probes, losses, strict=True):
        sums[probe.quarter][0] += loss * len(probe)
        sums[probe.quarter][1] += len(probe)
    return [total / count for total, count in sums]


def probe_interval(recipe: Recipe, count: int) -> int:
    """Return the steps between two measurements of so many photos, by what they cost."""
    cost = count * FORWARD_SHARE / recipe.batch_size  # in steps
    share = max(MIN_SHARE, SCORING_SHARE * recipe.scoring_share)
    return max(1, math.ceil(cost / share))


class Drift:
    """How far what is trained has moved from where it began."""

    def __init__(self, attached: Attached) -> None:
        self.parameters = attached.parameters
        self.start: dict[str, Tensor] = {}
        names = list(self.parameters)
        if isinstance(attached, FullNetworks):  # the base's own are there anyway
            names = names[:: -(-len(names) // MAX_COMPARED)]
            self.start = {name: attached.slots[name].original for name in names}
        else:
            self.begin_here()

    def begin_here(self) -> None:
        """Measure from the present values on."""
        self.start = {
            name: own.detach().to("cpu", copy=True) for name, own in self.parameters.items()
        }

    def measure(self) -> float:
        """Return the L2 norm of the change, as a share of that of the start."""
        return measure_change(self.start, self.parameters)


@torch.no_grad()
def measure_change(start: Mapping[str, Tensor], now: Mapping[str, nn.Parameter]) -> float:
    """Return the L2 norm of the change of these tensors, as a share of that of the start."""
    pairs = [(now[name].detach(), before) for name, before in start.items()]
    moved = torch.stack([(own - before.to(own)).float().square().sum() for own, before in pairs])
    size = torch.stack([before.float().square().sum().to(own.device) for own, before in pairs])
    return float((moved.sum() / size.sum().clamp(min=1e-12)).sqrt())
