"""What a family offers to a method: networks to adapt and a vocabulary that can grow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from torch import Tensor, nn

Layer = nn.Linear | nn.Conv2d


@dataclass(frozen=True, slots=True)
class Part:
    """One network whose layers a method may adapt."""

    prefix: str  #: what its keys in a file begin with: "lora_unet"
    module: nn.Module
    targets: tuple[str, ...]  #: ends of the names of its attention layers
    further: tuple[str, ...] = ()  #: ends of the names of its MLP layers and convolutions
    above: str = ""  #: a name that files put before the module's own: "text_model."
    text: bool = False  #: whether it reads prompts

    def key(self, layer: str) -> str:
        """Write the name of a layer the way files do."""
        return f"{self.prefix}_{(self.above + layer).replace('.', '_')}"

    def layers(self) -> dict[str, Layer]:
        """Find the layers one can adapt by their keys, beneath any adapter that is on them."""
        found = {}
        for name, module in self.module.named_modules():
            if name.endswith(self.targets + self.further) and ".lora_" not in name:
                found[self.key(name)] = getattr(module, "base_layer", module)
        return found


class Attached(Protocol):
    """A method at work on networks."""

    @property
    def text(self) -> bool:
        """Tell whether what prompts become changes while it is trained."""
        ...

    @property
    def parameters(self) -> dict[str, nn.Parameter]:
        """Name what is trained."""
        ...

    @property
    def paces(self) -> Mapping[str, float]:
        """Say by how much faster than the recipe's rate some of it is trained."""
        ...

    def weights(self) -> dict[str, Tensor]:
        """Give what goes into the file, by the names it has there."""
        ...

    def aside(self) -> AbstractContextManager[None]:
        """Make the networks behave as without it inside the block."""
        ...

    def detach(self) -> None:
        """Take it off."""
        ...


@dataclass(slots=True)
class Networks:
    """The networks of a resident base."""

    parts: tuple[Part, ...]
    vocabulary: nn.Embedding  #: the vectors of the tokens the base knows
    spell: Callable[[str], list[int]]  #: the tokens of a word
    words: dict[str, Tensor] = field(default_factory=dict)  #: learned vectors by their word
    attached: Attached | None = None  #: what is being trained on them

    @contextmanager
    def bare(self) -> Iterator[None]:
        """Put aside what is being trained."""
        if self.attached is None:
            yield
            return
        with self.attached.aside():
            yield

    @contextmanager
    def speaking(self, words: dict[str, Tensor]) -> Iterator[None]:
        """Know these learned words, and no others, inside the block."""
        before, self.words = self.words, words
        try:
            yield
        finally:
            self.words = before
