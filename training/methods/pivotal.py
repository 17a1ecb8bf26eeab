"""Pivotal tuning (Roich et al. 2021, arXiv 2106.05744): a learned word and a LoRA in one run.

The word lies in the LoRA's file as a bundled embedding, as AUTOMATIC1111 and ComfyUI read it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from storage.errors import JobError
from storage.records import Base, Method, Rule
from training.lazy import Tensor, torch
from training.methods import embedding, lora
from training.methods.lora import defaults
from training.networks.counts import FamilyNumbers
from training.networks.networks import Networks
from training.networks.traits import KeyMarks, MethodTraits
from training.recipe.recipe import Recipe

__all__ = ["METHOD", "TRAITS", "attach", "check", "defaults", "rules", "worn"]

METHOD = Method(
    "pivotal", dropout=True, learns_word=True, own_rates=True, title="LoRA with a word",
    help="a LoRA together with a new word for it; works in fewer programs",
)  # fmt: skip
_NO_WORD = "doesn't read bundled embeddings"
TRAITS = MethodTraits(
    marks=KeyMarks(starts=("bundle_emb.",)), learns_text=True,
    # A1111 (873edba4, networks.py) reads words in LoRAs, and so does ComfyUI (sd1_clip.py,
    # bundled_embed) from its folder of embeddings
    unreadable=dict.fromkeys(("kohya", "Forge", "Forge Neo", "diffusers"), _NO_WORD),
)  # fmt: skip
VECTORS = 2
PACE = 10.0  #: of the word's learning rate, by the LoRA's
BUNDLE = "bundle_emb."
ENDS = {"emb_params": "string_to_param.*"}  #: how a vocabulary's vectors are called in a bundle


class Pivotal:
    """A word and a LoRA at work together."""

    text = True

    def __init__(self, networks: Networks, recipe: Recipe) -> None:
        self.lora = lora.Lora(networks, recipe)
        self.word = embedding.Embedding(
            networks, replace(recipe, method="embedding", rank=VECTORS)
        )
        self.paces: Mapping[str, float] = dict.fromkeys(self.word.parameters, PACE)
        networks.attached = self

    @property
    def parameters(self) -> dict[str, torch.nn.Parameter]:
        """Name what is trained."""
        return self.lora.parameters | self.word.parameters

    def weights(self) -> dict[str, Tensor]:
        """Give the file's tensors."""
        start = f"{BUNDLE}{self.word.word}."
        word = {start + ENDS.get(n, n): vectors for n, vectors in self.word.weights().items()}
        return self.lora.weights() | word

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Make the networks behave as without it inside the block."""
        with self.word.aside(), self.lora.aside():
            yield

    def detach(self) -> None:
        """Take both off."""
        self.word.detach()
        self.lora.detach()


def attach(networks: Networks, recipe: Recipe) -> Pivotal:
    """Make ready to train."""
    networks.suits(recipe.method, *embedding.VOCABULARIES)
    return Pivotal(networks, recipe)


def parted(tensors: dict[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Take a file apart: the LoRA's tensors, and the word's under an embedding's names."""
    names = {end: name for name, end in ENDS.items()}
    rest, word, bundled = {}, {}, set()
    for name, tensor in tensors.items():
        if name.startswith(BUNDLE):
            said, _, end = name.removeprefix(BUNDLE).partition(".")
            word[names.get(end, end)] = tensor
            bundled.add(said)
        else:
            rest[name] = tensor
    if len(bundled) != 1:
        raise JobError("style_broken", reason="not one bundled word")
    return rest, word


def check(networks: Networks, tensors: dict[str, Tensor]) -> None:
    """Refuse tensors that are not a LoRA with a word for these networks."""
    layers, word = parted(tensors)
    lora.check(networks, layers)
    embedding.check(networks, word)


@contextmanager
def worn(
    networks: Networks, tensors: dict[str, Tensor], word: str, strength: float
) -> Iterator[None]:
    """Know the word and draw with the LoRA inside the block."""
    layers, vectors = parted(tensors)
    with ExitStack() as stack:
        stack.enter_context(embedding.worn(networks, vectors, word, 1.0))
        stack.enter_context(lora.worn(networks, layers, word, strength))
        yield


def rules(base: Base, family: FamilyNumbers) -> Iterator[Rule]:
    """Return the rules of the dial: a LoRA's."""
    if embedding.learned(family):
        yield from lora.rules(base, family, "pivotal")
