"""LoRA (Hu et al. 2021) by peft, in kohya's layout: attention, or MLP and convolutions, too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from math import prod, sqrt
from typing import Any

from storage.errors import JobError
from storage.records import Base, Concept, Dial, Method, Rule
from storage.requests import TrainRequest
from training.lazy import Tensor, peft, torch
from training.methods._defaults import (
    AROUND,
    MEASURED,
    DialNumbers,
    Numbers,
    low_rank_defaults,
    make_rule,
    trains_text_encoder,
)
from training.networks.counts import FamilyNumbers, file_sizes
from training.networks.keys import ALPHA, DOWN, UP, split_key, to_file_keys, to_kohya_keys
from training.networks.networks import Layer, Networks, Part
from training.networks.sizes import Row
from training.networks.traits import KeyMarks, MethodTraits
from training.recipe.recipe import Recipe

METHOD = Method(
    "lora", dropout=True, small_copy=True, title="LoRA",
    help="learns most, works in most programs",
)  # fmt: skip
TRAITS = MethodTraits(marks=KeyMarks(ends=("lora_down",)))
ADAPTER_NAME = "safelight"
KEY_ENDS = (DOWN, UP, ALPHA)

SMALL: DialNumbers = {
    (Concept.SUBJECT, Dial.QUICK): Numbers(60, 3, 80, 100, 8, 3e-3, 4, AROUND),
    (Concept.SUBJECT, Dial.BALANCED): Numbers(110, 3, 120, 150, 16, 3e-3, 4, MEASURED),
    (Concept.SUBJECT, Dial.THOROUGH): Numbers(220, 8, 240, 400, 16, 1.5e-3, 4, AROUND),
    (Concept.LOOK, Dial.QUICK): Numbers(90, 2, 100, 130, 16, 9e-3, 4, AROUND),
    (Concept.LOOK, Dial.BALANCED): Numbers(152, 2, 160, 210, 16, 9e-3, 4, MEASURED),
    (Concept.LOOK, Dial.THOROUGH): Numbers(240, 4, 280, 400, 16, 9e-3, 4, AROUND),
}
FULL: DialNumbers = {
    (Concept.SUBJECT, Dial.QUICK): Numbers(
        400, 20, 400, 800, 8, 2e-4, 1,
        "steps: diffusers, examples/dreambooth (500 for 5 photos); rank 8: hollowstrawberry's "
        "kohya-colab for SDXL; rate: between diffusers' 1e-4 and kohya-colab's 3e-4",
    ),
    (Concept.SUBJECT, Dial.BALANCED): Numbers(
        700, 40, 800, 1600, 16, 1e-4, 1,
        "steps: modl's presets (1,200 to 1,800 for a character) and peft's image-gen (750 of two "
        "photos); rank and rate: ai-toolkit's examples, modl",
    ),
    (Concept.SUBJECT, Dial.THOROUGH): Numbers(
        1200, 60, 1500, 3000, 32, 1e-4, 1,
        "steps: kohya-colab and ai-toolkit (about 2,000); rank and rate: kohya's "
        "docs/sdxl_train_network.md, peft's image-gen",
    ),
    (Concept.LOOK, Dial.QUICK): Numbers(
        600, 20, 600, 1200, 8, 2e-4, 1,
        "steps: our choice, half of balanced; rank 8: kohya-colab for SDXL; rate: between "
        "diffusers' 1e-4 and kohya-colab's 3e-4",
    ),
    (Concept.LOOK, Dial.BALANCED): Numbers(
        1200, 30, 1200, 2500, 16, 1e-4, 1,
        "steps: kohya-colab and ai-toolkit (about 2,000); rank and rate: ai-toolkit's examples",
    ),
    (Concept.LOOK, Dial.THOROUGH): Numbers(
        2000, 50, 2000, 5000, 32, 1e-4, 1,
        "steps: between ai-toolkit#550 (3,000 to 3,500) and modl's presets (4,000 and more); rank "
        "and rate: kohya's docs/sdxl_train_network.md",
    ),
}  # fmt: skip
#: for flows: "2e-4 exploded" (ai-toolkit#550), and 1e-4 is what musubi-tuner's docs give
MAX_FLOW_RATE = 1e-4


class LoraAdapter:
    """Low-rank layers at work beside the attention layers of a base."""

    rate_factors: Mapping[str, float] = {}

    def __init__(self, networks: Networks, recipe: Recipe) -> None:
        self.networks = networks
        self.learns_text = recipe.train_text_encoder and networks.has_text_encoder
        self.parts = [
            part
            for part in networks.parts
            if recipe.train_text_encoder or not part.is_text_encoder
        ]
        self.layers: dict[str, peft.tuners.lora.LoraLayer] = {}
        generator = torch.Generator().manual_seed(recipe.seed)
        for part in self.parts:
            self.layers |= inject_layers(part, recipe.rank, all_layers=recipe.all_layers)
        for layer in self.layers.values():
            initialize_layer(layer, networks, generator)
        networks.attached = self

    @property
    def parameters(self) -> dict[str, torch.nn.Parameter]:
        """Return the trained parameters by name."""
        named = {}
        for key, layer in self.layers.items():
            named[f"{key}.{DOWN}"] = layer.lora_A[ADAPTER_NAME].weight
            named[f"{key}.{UP}"] = layer.lora_B[ADAPTER_NAME].weight
        return named

    def weights(self) -> dict[str, Tensor]:
        """Return the file's tensors: alpha equals rank, any other scale is folded into `up`."""
        found: dict[str, Tensor] = {}
        for key, layer in self.layers.items():
            down, up = (
                layer.lora_A[ADAPTER_NAME].weight.detach(),
                layer.lora_B[ADAPTER_NAME].weight.detach(),
            )
            found[f"{key}.{DOWN}"] = down.cpu()
            found[f"{key}.{UP}"] = (up * layer.scaling[ADAPTER_NAME]).cpu()
            found[f"{key}.{ALPHA}"] = torch.tensor(float(len(down)))
        return to_file_keys(found)

    @contextmanager
    def disabled(self) -> Iterator[None]:
        """Disable the LoRA inside the block."""
        for layer in self.layers.values():
            layer.enable_adapters(enabled=False)
        try:
            yield
        finally:
            for layer in self.layers.values():
                layer.enable_adapters(enabled=True)

    @contextmanager
    def scaled(self, strength: float) -> Iterator[None]:
        """Apply the LoRA so strongly inside the block; 1 is as it was trained."""
        before = [layer.scaling[ADAPTER_NAME] for layer in self.layers.values()]
        for layer, scale in zip(self.layers.values(), before, strict=True):
            layer.scaling[ADAPTER_NAME] = scale * strength
        try:
            yield
        finally:
            for layer, scale in zip(self.layers.values(), before, strict=True):
                layer.scaling[ADAPTER_NAME] = scale

    def detach(self) -> None:
        """Put the base's own layers back."""
        self.networks.attached = None
        for part in self.parts:
            for name, module in list(part.module.named_modules()):
                if isinstance(module, peft.tuners.lora.LoraLayer):
                    above, _, last = name.rpartition(".")
                    setattr(part.module.get_submodule(above), last, module.get_base_layer())
            del part.module.peft_config


def attach(networks: Networks, recipe: Recipe) -> LoraAdapter:
    """Attach a LoRA to train."""
    return LoraAdapter(networks, recipe)


def inject_layers(
    part: Part, rank: int, *, all_layers: bool
) -> dict[str, peft.tuners.lora.LoraLayer]:
    """Add low-rank layers to a network without using torch's global random numbers."""
    targets = [*part.targets, *(part.other_targets if all_layers else ())]
    config = peft.LoraConfig(r=rank, lora_alpha=rank, target_modules=targets)
    with torch.random.fork_rng():
        peft.inject_adapter_in_model(config, part.module, ADAPTER_NAME)
    found = {}
    for name, module in part.module.named_modules():
        if isinstance(module, peft.tuners.lora.LoraLayer):
            found[part.key(name)] = module
    return found


def initialize_layer(
    layer: peft.tuners.lora.LoraLayer, networks: Networks, generator: torch.Generator
) -> None:
    """Start as no change, from our own draws, in fp32, without peft's passes over every output."""
    base, low = layer.get_base_layer(), (layer.lora_A[ADAPTER_NAME], layer.lora_B[ADAPTER_NAME])
    down, up = (part.weight for part in low)
    if isinstance(base, torch.nn.Linear):
        layer.forward = partial(fast_forward, layer, networks, base, (down, up))
    else:
        layer.lora_B[ADAPTER_NAME].register_forward_hook(
            lambda _, __, added: networks.apply_dropout(added)
        )
    layer.cast_input_dtype_enabled = False
    start = torch.empty(down.shape)
    torch.nn.init.kaiming_uniform_(start, a=sqrt(5), generator=generator)
    down.data = start.to(down.device)
    up.data = torch.zeros(up.shape, device=up.device)


def fast_forward(
    layer: peft.tuners.lora.LoraLayer,
    networks: Networks,
    base: torch.nn.Linear,
    low: tuple[Tensor, Tensor],
    given: Tensor,
) -> Tensor:
    """Compute what peft's layer does (..., in) -> (..., out), with fewer operations.

    The scaled low-rank path, `down` (rank, in) and `up` (out, rank), is added in one pass, and
    everything is a matrix meanwhile.
    """
    if layer.disable_adapters:
        answer: Tensor = base(given)
        return answer
    flat, (down, up) = given.flatten(0, -2), low  # (B·T, in)
    out: Tensor = base(flat)
    narrow, scale = torch.nn.functional.linear(flat, down), layer.scaling[ADAPTER_NAME]
    if networks.dropout:
        out = out + networks.apply_dropout(scale * (narrow @ up.t()))
    else:
        out = torch.addmm(out, narrow, up.t(), alpha=scale)
    return out.view(*given.shape[:-1], out.shape[-1])


def check(networks: Networks, tensors: dict[str, Tensor]) -> None:
    """Refuse tensors that are not a LoRA for these networks."""
    layers = networks.find_layers()
    if not tensors:
        raise JobError("style_broken", reason="empty")
    tensors = to_kohya_keys(tensors)
    for name, tensor in tensors.items():
        if fault := find_fault(layers, name, tensor):
            raise JobError("style_broken", reason=fault)
    for key in {split_key(name)[0] for name in tensors}:
        pair = [tensors.get(f"{key}.{end}") for end in (DOWN, UP)]
        if pair[0] is None or pair[1] is None or pair[0].shape[0] != pair[1].shape[1]:
            raise JobError("style_broken", reason=f"half a pair {key[:80]}")


def find_fault(layers: Mapping[str, Layer], name: str, tensor: Tensor) -> str:
    """Return what is wrong with a tensor of a LoRA, "" if it fits its layer."""
    key, end = split_key(name)
    if key not in layers:
        return f"this base has no layer {key[:80] or name[:80]}"
    if end not in KEY_ENDS:
        return f"a LoRA has no tensor like {name[:80]}"
    if not has_shape_of(layers[key], end, tensor):
        return f"{name[:80]} doesn't have its layer's shape"
    return "" if torch.isfinite(tensor).all() else f"{name[:80]} has infinite numbers or NaN"


def has_shape_of(layer: Layer, end: str, tensor: Tensor) -> bool:
    """Return whether a tensor has the shape that its layer asks for."""
    if not tensor.is_floating_point():
        return False
    if end == "alpha":
        return tensor.numel() == 1
    if tensor.ndim < 2 or not tensor.numel():  # of rank 0
        return False
    out, inner, *window = layer.weight.shape
    rank = tensor.shape[0] if end.startswith("lora_down") else tensor.shape[1]
    if end.startswith("lora_down"):
        return bool(tensor.shape[1] == inner and tensor.numel() == rank * inner * prod(window))
    return bool(tensor.shape[0] == out and tensor.numel() == out * rank)


@contextmanager
def apply(
    networks: Networks, tensors: dict[str, Tensor], _word: str, strength: float
) -> Iterator[None]:
    """Apply a LoRA inside the block; the base's own tensors are never touched."""
    layers = networks.find_layers()
    handles: list[torch.utils.hooks.RemovableHandle] = []
    tensors = to_kohya_keys(tensors)
    try:
        for key in sorted({split_key(name)[0] for name in tensors}):
            down, up = (tensors[f"{key}.{end}"] for end in (DOWN, UP))
            alpha = tensors.get(f"{key}.{ALPHA}", torch.tensor(float(len(down))))
            scale = strength * float(alpha) / len(down)
            layer = layers[key]
            down = down.to(layer.weight).reshape(len(down), *layer.weight.shape[1:])
            up = (up.flatten(1).float() * scale).to(layer.weight)
            handles.append(layer.register_forward_hook(partial(add_low_rank, down, up)))
        yield
    finally:
        for handle in handles:
            handle.remove()


def add_low_rank(
    down: Tensor, up: Tensor, layer: Layer, given: tuple[Tensor, ...], out: Tensor
) -> Tensor:
    """Add the low-rank path to a layer's output (a forward hook)."""
    if isinstance(layer, torch.nn.Conv2d):
        narrow = torch.nn.functional.conv2d(given[0], down, None, layer.stride, layer.padding)
        return out + torch.nn.functional.conv2d(narrow, up[:, :, None, None])
    return out + torch.nn.functional.linear(torch.nn.functional.linear(given[0], down), up)


def defaults(request: TrainRequest, base: Base, family: FamilyNumbers) -> dict[str, Any]:
    """Return the recipe's fields that the method decides; a tiny base needs all its layers."""
    return low_rank_defaults(request, base, family) | {"all_layers": base.small}


def rules(
    base: Base, family: FamilyNumbers, name: str = "lora", *, all_layers: bool = False
) -> Iterator[Rule]:
    """Return the rules of the dial, also for methods that are a LoRA of another name."""
    known, all_layers = file_sizes(base, family), all_layers or base.small
    for (concept, dial), numbers in (SMALL if base.small else FULL).items():
        text = trains_text_encoder(concept, base, family)
        rows = known.rows(text=text, all_layers=all_layers)
        rule = make_rule(name, base, (concept, dial), numbers, file_bytes(numbers.rank, rows))
        yield rule if base.small or family.OBJECTIVE != "flow" else slow_down(rule)


def slow_down(rule: Rule) -> Rule:
    """Return a rule for a flow, at no more than MAX_FLOW_RATE."""
    if rule.learning_rate <= MAX_FLOW_RATE:
        return rule
    source = f"{rule.source.rpartition('; rate')[0]}; rate: ai-toolkit#550, musubi-tuner's docs"
    return replace(rule, learning_rate=MAX_FLOW_RATE, source=source)


def file_bytes(rank: int, rows: Iterable[Row]) -> int:
    """Return the expected size of a file: two bytes a number, and the header."""
    found = 2000
    for out, inner, window, count in rows:
        found += count * (2 * rank * (out + inner * window) + 430)
    return found
