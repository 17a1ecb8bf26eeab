"""Whole networks at work: every weight is trained, and the base's own are put back as they were.

What is trained stands in the networks in the place of the base's own parameters, which are kept
untouched beside it. A file holds the whole model, so any program that loads models takes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from storage.errors import JobError
from training.lazy import Tensor, torch
from training.networks.networks import Networks
from training.recipe.recipe import Recipe


@dataclass(frozen=True, slots=True)
class ParameterSlot:
    """Where a parameter is in a network."""

    module: torch.nn.Module
    name: str
    original: torch.nn.Parameter  #: the base's

    def set(self, parameter: torch.nn.Parameter) -> None:
        """Put a parameter there."""
        setattr(self.module, self.name, parameter)


def parameter_slots(networks: Networks, *, text: bool = True) -> dict[str, ParameterSlot]:
    """Return where every parameter is, by names such as `unet.conv_in.weight`."""
    found = {}
    for part in networks.parts:
        if text or not part.is_text_encoder:
            for above, module in part.module.named_modules():
                for name, own in module.named_parameters(recurse=False):
                    key = ".".join(filter(None, (part.role, above, name)))
                    found[key] = ParameterSlot(module, name, own)
    return found


class FullNetworks:
    """Every weight of a base's networks under training, in fp32."""

    rate_factors: Mapping[str, float] = {}

    def __init__(self, networks: Networks, recipe: Recipe) -> None:
        self.networks, self.learns_text = (
            networks,
            recipe.train_text_encoder and networks.has_text_encoder,
        )
        self.slots = parameter_slots(networks, text=recipe.train_text_encoder)
        self.devices = {key: place.original.device for key, place in self.slots.items()}
        exact = {
            f"{role}.{name}": own.detach()
            for role, network in networks.model.full_precision_networks().items()
            for name, own in network.named_parameters()
        }
        self.trained = {
            key: torch.nn.Parameter(exact[key].to(device, torch.float32, copy=True))
            for key, device in self.devices.items()
        }
        for place in self.slots.values():  # the device has better things to hold
            place.original.data = place.original.data.cpu()
        self.install()
        networks.attached = self

    @property
    def parameters(self) -> dict[str, torch.nn.Parameter]:
        """Return the trained parameters by name."""
        return self.trained

    def weights(self) -> dict[str, Tensor]:
        """Return the whole model's tensors, named as in single files."""
        return self.networks.model.to_single_file(
            {key: p.detach() for key, p in self.trained.items()}
        )

    def changes(self) -> dict[str, Tensor]:
        """Return what training added to each layer that a LoRA can change, by its key."""
        exact = self.networks.model.full_precision_networks()
        found = {}
        for part in self.networks.parts:
            for layer, _ in part.adaptable():
                name = f"{part.role}.{layer}.weight"
                if name in self.trained:
                    before = exact[part.role].get_parameter(f"{layer}.weight")
                    if before is self.trained[name]:  # these networks are the exact ones
                        before = self.slots[name].original
                    found[part.key(layer)] = (
                        self.trained[name] - before.to(torch.float32)
                    ).detach()
        return found

    def install(self) -> None:
        """Put the trained parameters in place of the base's."""
        for key, place in self.slots.items():
            place.set(self.trained[key])

    @contextmanager
    def disabled(self) -> Iterator[None]:
        """Put the base's parameters back inside the block, on the run's device."""
        try:
            for key, place in self.slots.items():
                here = place.original.data.to(self.devices[key])
                place.set(torch.nn.Parameter(here, requires_grad=False))
            yield
        finally:
            self.install()

    def detach(self) -> None:
        """Put the base's parameters back, freeing each trained one first."""
        for key, place in self.slots.items():
            place.set(place.original)
            self.trained[key].grad = None
            self.trained[key].data = torch.empty(0)
            place.original.data = place.original.data.to(self.devices[key])
        self.networks.attached = None


def check(networks: Networks, tensors: dict[str, Tensor]) -> None:
    """Refuse tensors that are not a whole model of the base's very shape."""
    there = parameter_slots(networks)
    content = read_parameters(networks, tensors)
    if content.keys() != there.keys():
        strange = min(content.keys() ^ there.keys())
        raise JobError("style_broken", reason=f"not a whole model of this base: {strange[:80]}")
    for key, tensor in content.items():
        sound = tensor.is_floating_point() and tensor.shape == there[key].original.shape
        if not sound or not torch.isfinite(tensor).all():
            raise JobError("style_broken", reason=f"wrong tensor {key[:80]}")


def read_parameters(networks: Networks, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the networks' parameters in a file; raise JobError if they are not there."""
    try:
        return networks.model.from_single_file(tensors)
    except (KeyError, AttributeError, IndexError, RuntimeError, ValueError) as broken:
        raise JobError("style_broken", reason="not a whole model of this base") from broken


@contextmanager
def apply(
    networks: Networks, tensors: dict[str, Tensor], _word: str, strength: float
) -> Iterator[None]:
    """Use a whole model inside the block; a strength below 1 interpolates from the base."""
    there = parameter_slots(networks)
    content = read_parameters(networks, tensors)
    try:
        for key, place in there.items():
            own = place.original.detach()
            towards = torch.lerp(own.float(), content[key].to(own.device).float(), strength)
            place.set(torch.nn.Parameter(towards.to(own.dtype), requires_grad=False))
        yield
    finally:
        for place in there.values():
            place.set(place.original)
