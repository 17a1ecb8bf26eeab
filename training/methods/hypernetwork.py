"""Hypernetwork: two small networks change what all cross-attention layers read as keys and values.

The base is frozen. The form is that of AUTOMATIC1111 (010d5f03, modules/hypernetworks): each
network is linear, ReLU, linear, and its answer is added to its input. Between them lies `rank`
times the width of what is read, twice of it unless somebody asks for more or less.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from storage.errors import JobError
from storage.records import Base, Dial, Method, Rule
from training.lazy import Tensor, torch
from training.methods._defaults import AROUND, MEASURED, Numbers, both, make_rule
from training.methods._defaults import layer_defaults as defaults
from training.networks.counts import FamilyNumbers, file_sizes
from training.networks.networks import Networks
from training.networks.traits import PROGRAMS, KeyMarks, MethodTraits
from training.recipe.recipe import Recipe

ChangeInput = Callable[[str, Tensor], Tensor]  #: what "k" or "v" is read as

__all__ = ["METHOD", "TRAITS", "apply", "attach", "check", "defaults", "export", "rules"]

NAME = "hypernetwork"
METHOD = Method(
    NAME, (1, 8), dropout=True, title="Hypernetwork",
    help="changes how the base reads words; for older programs",
    rank_help="width of its networks, as a multiple of their input",
)  # fmt: skip
# A1111 010d5f03, modules/hypernetworks/hypernetwork.py, and ComfyUI 0323d874, comfy_extras/
# nodes_hypernetwork.py, read A1111's own `.pt`. What kohya's sd-scripts (48d368fa, library/
# hypernetwork.py) and Forge (modules/sd_hijack_optimizations.py) still have is never called
_READERS = ("AUTOMATIC1111", "ComfyUI")
TRAITS = MethodTraits(
    modelspec=NAME, marks=KeyMarks(starts=(f"{NAME}.",)),
    unreadable=dict.fromkeys({*PROGRAMS} - {*_READERS}, "doesn't support hypernetworks"),
    needs=dict.fromkeys(_READERS, "the .pt from safelight export"),
)  # fmt: skip
#: the width between, by that of what is read, where nothing else is asked for
DEFAULT_WIDTH_FACTOR = 2
MAX_WIDTH_FACTOR = 8
CHANGED_LAYERS = {"attn2.to_k": "k", "attn2.to_v": "v"}  #: which layers read through which network
VOCABULARY_COUNT = 1  #: of the families whose hypernetworks programs know
INITIAL_STD = 0.01  #: of the first weights; the second ones are zero, so it starts as no change

SMALL = both(
    {
        dial: Numbers(steps, 0, steps, steps, DEFAULT_WIDTH_FACTOR, 5e-4, 4, source)
        for dial, steps, source in (
            (Dial.QUICK, 120, AROUND),
            (Dial.BALANCED, 200, MEASURED),
            (Dial.THOROUGH, 400, AROUND),
        )
    }
)
_SOURCE = (
    "width and rate: AUTOMATIC1111#2740 (1, 2, 1; most steps at 2e-5 or 1e-5); steps: our choice, "
    "since its 10,000 and more take hours"
)
FULL = both(
    {
        dial: Numbers(steps, 0, steps, steps, DEFAULT_WIDTH_FACTOR, 2e-5, 1, _SOURCE)
        for dial, steps in ((Dial.QUICK, 1500), (Dial.BALANCED, 3000), (Dial.THOROUGH, 6000))
    }
)


class Hypernetwork:
    """Both networks at work on a base."""

    learns_text = False
    rate_factors: Mapping[str, float] = {}

    def __init__(self, networks: Networks, recipe: Recipe) -> None:
        self.networks = networks
        generator = torch.Generator().manual_seed(recipe.seed)
        self.tensors = initial_parameters(networks, recipe.rank, generator)
        self.strength = 1.0
        self.handles = install_hooks(networks, self.change_input)
        networks.attached = self

    def change_input(self, which: str, given: Tensor) -> Tensor:
        """Change the input of layers, unless the hypernetwork is disabled."""
        if not self.strength:
            return given
        return given + self.networks.apply_dropout(network_output(self.tensors, which, given))

    @property
    def parameters(self) -> dict[str, torch.nn.Parameter]:
        """Return the trained parameters by name."""
        return self.tensors

    def weights(self) -> dict[str, Tensor]:
        """Return the file's tensors."""
        return {name: parameter.detach().cpu() for name, parameter in self.tensors.items()}

    @contextmanager
    def disabled(self) -> Iterator[None]:
        """Disable the hypernetwork inside the block."""
        self.strength = 0.0
        try:
            yield
        finally:
            self.strength = 1.0

    def detach(self) -> None:
        """Remove the hooks."""
        for handle in self.handles:
            handle.remove()
        self.networks.attached = None


def attach(networks: Networks, recipe: Recipe) -> Hypernetwork:
    """Attach a hypernetwork to train."""
    networks.require_vocabularies(NAME, VOCABULARY_COUNT)
    return Hypernetwork(networks, recipe)


def tensor_shapes(width: int, wider: int = DEFAULT_WIDTH_FACTOR) -> dict[str, tuple[int, ...]]:
    """List the tensors of a file for prompts of some width, by A1111's own numbering of layers."""
    wide = wider * width
    found: dict[str, tuple[int, ...]] = {}
    for which in CHANGED_LAYERS.values():
        found |= {
            f"{NAME}.{width}.{which}.linear.0.weight": (wide, width),
            f"{NAME}.{width}.{which}.linear.0.bias": (wide,),
            f"{NAME}.{width}.{which}.linear.2.weight": (width, wide),
            f"{NAME}.{width}.{which}.linear.2.bias": (width,),
        }
    return found


def initial_parameters(
    networks: Networks, wider: int, generator: torch.Generator
) -> dict[str, torch.nn.Parameter]:
    """Return random first weights; the second layers are zero."""
    table = networks.vocabularies[0].embedding
    return {
        name: torch.nn.Parameter(
            (
                INITIAL_STD * torch.randn(shape, generator=generator)
                if name.endswith("0.weight")
                else torch.zeros(shape)
            ).to(table.weight.device)
        )
        for name, shape in tensor_shapes(table.embedding_dim, wider).items()
    }


def width_factor(tensors: Mapping[str, Tensor]) -> int:
    """Return the width of a file's networks, as a multiple of their input; 0 if unclear."""
    for name, tensor in tensors.items():
        if name.endswith("0.weight") and tensor.ndim == 2 and tensor.shape[1]:
            return len(tensor) // tensor.shape[1]
    return 0


def network_output(tensors: Mapping[str, Tensor], which: str, given: Tensor) -> Tensor:
    """Return what a network adds to its input (B, T, width)."""
    start = f"{NAME}.{given.shape[-1]}.{which}.linear"
    inner = torch.nn.functional.linear(
        given, tensors[f"{start}.0.weight"], tensors[f"{start}.0.bias"]
    )
    outer = tensors[f"{start}.2.weight"], tensors[f"{start}.2.bias"]
    return torch.nn.functional.linear(torch.nn.functional.relu(inner), *outer)


def install_hooks(
    networks: Networks, read: ChangeInput
) -> list[torch.utils.hooks.RemovableHandle]:
    """Pass the input of every cross-attention layer through `read`."""
    handles = []
    for part in networks.parts:
        for name, module in part.module.named_modules():
            for end, which in CHANGED_LAYERS.items():
                if name.endswith(end):
                    handles.append(
                        module.register_forward_pre_hook(partial(replace_input, read, which))
                    )
    return handles


def replace_input(
    read: ChangeInput, which: str, _: torch.nn.Module, given: tuple[Tensor, ...]
) -> tuple[Tensor]:
    """Change a layer's input."""
    return (read(which, given[0]),)


def check(networks: Networks, tensors: dict[str, Tensor]) -> None:
    """Refuse tensors that are not a hypernetwork for these networks."""
    networks.require_vocabularies(NAME, VOCABULARY_COUNT)
    read = networks.vocabularies[0].embedding.embedding_dim
    wanted = tensor_shapes(read, min(max(1, width_factor(tensors)), MAX_WIDTH_FACTOR))
    if tensors.keys() != wanted.keys():
        raise JobError("style_broken", reason="not the tensors of a hypernetwork for this base")
    for name, tensor in tensors.items():
        sound = tensor.is_floating_point() and tuple(tensor.shape) == wanted[name]
        if not sound or not torch.isfinite(tensor).all():
            raise JobError("style_broken", reason=f"wrong tensor {name[:80]}")


@contextmanager
def apply(
    networks: Networks, tensors: dict[str, Tensor], _word: str, strength: float
) -> Iterator[None]:
    """Apply a file inside the block."""
    like = networks.vocabularies[0].embedding.weight
    own = {name: tensor.to(like) for name, tensor in tensors.items()}
    handles = install_hooks(
        networks, lambda which, given: given + strength * network_output(own, which, given)
    )
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def export(
    tensors: Mapping[str, Tensor], metadata: Mapping[str, str], name: str
) -> dict[str, bytes]:
    """Return the file, by its name, that AUTOMATIC1111 and ComfyUI read, in fp32.

    AUTOMATIC1111 010d5f03, modules/hypernetworks/hypernetwork.py, `Hypernetwork.save`: by the
    width of what they read, a pair of state dicts, for keys and for values; beside them how they
    are built. Such a file is written here, and never read: it is a pickle.

    Raises JobError("export_kind") for tensors that are no hypernetwork.
    """
    networks: dict[int, dict[str, dict[str, Tensor]]] = {}
    for key, tensor in tensors.items():
        kind, _, rest = key.partition(".")
        read, _, rest = rest.partition(".")
        which, _, place = rest.partition(".")
        if kind != NAME or which not in {"k", "v"} or not read.isdigit():
            raise JobError("export_kind")
        pair = networks.setdefault(int(read), {"k": {}, "v": {}})
        pair[which][place] = tensor.float().contiguous()
    steps = metadata.get("ss_steps", "")
    content: dict[Any, Any] = {read: (pair["k"], pair["v"]) for read, pair in networks.items()}
    content |= {
        "step": int(steps) if steps.isdecimal() else 0,
        "name": name,
        "layer_structure": [1, width_factor(tensors), 1],
        "activation_func": "relu",
        "is_layer_norm": False,
        "weight_initialization": "Normal",
        "use_dropout": False,
        "sd_checkpoint": None,
        "sd_checkpoint_name": metadata.get("ss_sd_model_name"),
        "activate_output": False,
        "last_layer_dropout": False,
    }
    stream = io.BytesIO()
    torch.save(content, stream)
    return {f"{name}.pt": stream.getvalue()}


def rules(base: Base, family: FamilyNumbers) -> Iterator[Rule]:
    """Return the rules of the dial; the rank is the width between both layers."""
    if len(family.COUNTS.sizes.words) != VOCABULARY_COUNT:
        return
    read = sum(file_sizes(base, family).words)
    size = 2 * sum(torch.Size(shape).numel() for shape in tensor_shapes(read).values()) + 4000
    for choice, numbers in (SMALL if base.small else FULL).items():
        yield make_rule(NAME, base, choice, numbers, size)
