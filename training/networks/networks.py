"""What a family offers to a method: networks to adapt and vocabularies that can grow."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias, runtime_checkable

from storage.errors import JobError
from training.lazy import Tensor, torch
from training.networks.keys import split_key
from training.networks.vocabulary import Vocabulary, Words

Layer: TypeAlias = "torch.nn.Linear | torch.nn.Conv2d"


@dataclass(frozen=True, slots=True)
class Part:
    """One network whose layers a method may adapt."""

    prefix: str  #: what its keys in a file begin with: "lora_unet", "diffusion_model"
    module: torch.nn.Module
    targets: tuple[str, ...]  #: ends of the names of its attention layers
    other_targets: tuple[str, ...] = ()  #: ends of the names of its MLP layers and convolutions
    name_prefix: str = ""  #: a name that files put before the module's own: "text_model."
    #: whether files leave the dots in the names of layers, as ComfyUI does
    dotted_keys: bool = False
    is_text_encoder: bool = False  #: whether it reads prompts
    #: what files call a layer, by its name in the module, where that is not the module's own
    file_layer_name: Callable[[str], str] | None = None
    #: of the names of its layers: by another name that files have, the layers that are meant
    other_names: Callable[[Collection[str]], Mapping[str, tuple[str, ...]]] = lambda _: {}

    @property
    def role(self) -> str:
        """Name the network: `unet`, `te`, `diffusion_model`."""
        return self.prefix.removeprefix("lora_")

    def key(self, layer: str) -> str:
        """Write the name of a layer the way files do."""
        named = f"{self.prefix}.{self.name_prefix}{layer}"
        return named if self.dotted_keys else named.replace(".", "_")

    def layers(self) -> dict[str, Layer]:
        """Find the layers one can adapt by their keys, beneath any adapter that is on them."""
        return {
            self.key(name): getattr(module, "base_layer", module)
            for name, module in self.adaptable()
        }

    def adaptable(self) -> Iterator[tuple[str, Any]]:
        """Yield the modules one can adapt, or the adapters on them, by their names."""
        for name, module in self.module.named_modules():
            if name.endswith(self.targets + self.other_targets) and ".lora_" not in name:
                yield name, module

    def file_keys(self) -> dict[str, str]:
        """Return what files call its layers, by their keys; nothing if they keep the keys."""
        if self.file_layer_name is None:
            return {}
        return {
            self.key(name): self.key(self.file_layer_name(name)) for name, _ in self.adaptable()
        }

    def all_layers(self) -> dict[str, Layer]:
        """Find every layer that a file may change by the module's name, beneath any adapter."""
        found = {}
        for name, module in self.module.named_modules():
            layer = getattr(module, "base_layer", module)
            adapter = ".lora_" in name or name.endswith(".base_layer")
            if not adapter and isinstance(layer, (torch.nn.Linear, torch.nn.Conv2d)):
                found[name] = layer
        return found


class Attached(Protocol):
    """A method at work on networks."""

    @property
    def learns_text(self) -> bool:
        """Whether training changes what prompts are embedded to."""

    @property
    def parameters(self) -> dict[str, torch.nn.Parameter]:
        """The trained parameters by name."""

    @property
    def rate_factors(self) -> Mapping[str, float]:
        """Factors of the learning rate by parameter; 1 where there is none."""

    def weights(self) -> dict[str, Tensor]:
        """Return the file's tensors by name."""

    def disabled(self) -> AbstractContextManager[None]:
        """Disable it inside the block."""

    def detach(self) -> None:
        """Remove it from the networks."""


@runtime_checkable
class Scalable(Protocol):
    """What can be at work more or less strongly."""

    def scaled(self, strength: float) -> AbstractContextManager[None]:
        """Apply it so strongly inside the block; 1 is as it was trained."""


class Model(Protocol):
    """A base as a whole, its autoencoder too."""

    pipeline: Any  #: as diffusers has it

    def full_precision_networks(self) -> dict[str, torch.nn.Module]:
        """Return the networks by role in fp32."""

    def to_single_file(self, changed: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the tensors of a single file, with these parameters (`unet.…`) changed."""

    def from_single_file(self, content: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the networks' parameters (`unet.…`) of a single file's tensors."""


@dataclass(slots=True)
class Networks:
    """The networks of a resident base."""

    family: str
    parts: tuple[Part, ...]
    vocabularies: tuple[Vocabulary, ...]  #: one for each text encoder that can learn words
    model: Model
    words: Words = field(default_factory=dict)  #: what is learned
    attached: Attached | None = None  #: what is being trained on them
    dropout: float = 0.0  #: the part of what adapters add that is dropped; in a step, else zero

    @property
    def has_text_encoder(self) -> bool:
        """Whether there is a text encoder that can be trained."""
        return any(part.is_text_encoder for part in self.parts)

    def find_layers(self) -> dict[str, Layer]:
        """Find every layer that a file may change by its key."""
        return {
            part.key(name): layer
            for part in self.parts
            for name, layer in part.all_layers().items()
        }

    def apply_dropout(self, added: Tensor) -> Tensor:
        """Apply dropout to what an adapter adds."""
        return torch.nn.functional.dropout(added, self.dropout) if self.dropout else added

    def __post_init__(self) -> None:
        for vocabulary in self.vocabularies:
            self.hook_vocabulary(vocabulary)

    def hook_vocabulary(self, vocabulary: Vocabulary) -> None:
        """Make a vocabulary's embedding return learned vectors for ids beyond its own."""
        known = len(vocabulary.embedding.weight)
        asked: list[Tensor] = []

        def before(_: torch.nn.Module, given: tuple[Tensor, ...]) -> tuple[Tensor, ...] | None:
            if not self.words:
                return None
            asked[:] = given[:1]
            return (given[0].clamp(max=known - 1),)

        def after(_: torch.nn.Module, __: tuple[Tensor, ...], found: Tensor) -> Tensor | None:
            if not self.words:
                return None
            ids = asked.pop()
            beyond = (ids - known).clamp(min=0)
            spoken = torch.nn.functional.embedding(beyond, vocabulary.stack_vectors(self.words))
            return torch.where((ids >= known)[..., None], spoken, found)

        vocabulary.embedding.register_forward_pre_hook(before)
        vocabulary.embedding.register_forward_hook(after)

    def to_file_names(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Name tensors as files do, which call some layers otherwise than the networks."""
        return rename_layers(tensors, self.file_keys())

    def file_keys(self) -> dict[str, str]:
        """Return what files call the layers of all parts, by their keys."""
        return {key: own for part in self.parts for key, own in part.file_keys().items()}

    def require_vocabularies(self, method: str, *counts: int) -> None:
        """Raise JobError("method_family") unless there are so many vocabularies."""
        if len(self.vocabularies) not in counts:
            raise JobError("method_family", method=method, family=self.family)

    @contextmanager
    def without_adapter(self) -> Iterator[None]:
        """Disable what is being trained inside the block."""
        if self.attached is None:
            yield
            return
        with self.attached.disabled():
            yield

    @contextmanager
    def with_words(self, words: Words) -> Iterator[None]:
        """Use these learned words, and no others, inside the block."""
        before, self.words = self.words, words
        try:
            yield
        finally:
            self.words = before


def rename_layers(tensors: Mapping[str, Tensor], names: Mapping[str, str]) -> dict[str, Tensor]:
    """Rename the layers that tensors belong to; names that are not listed stay."""
    found = {}
    for name, tensor in tensors.items():
        layer, _ = split_key(name)
        found[names.get(layer, layer) + name[len(layer) :]] = tensor
    return found
