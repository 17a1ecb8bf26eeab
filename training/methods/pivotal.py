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

__all__ = ["METHOD", "TRAITS", "apply", "attach", "check", "defaults", "rules"]

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
WORD_VECTORS = 2
WORD_RATE_FACTOR = 10.0  #: of the word's learning rate, by the LoRA's
BUNDLE_PREFIX = "bundle_emb."
#: how a vocabulary's vectors are called in a bundle
BUNDLE_KEYS = {"emb_params": "string_to_param.*"}


class Pivotal:
    """A word and a LoRA at work together."""

    learns_text = True

    def __init__(self, networks: Networks, recipe: Recipe) -> None:
        self.lora = lora.LoraAdapter(networks, recipe)
        self.word = embedding.Embedding(
            networks, replace(recipe, method="embedding", rank=WORD_VECTORS)
        )
        self.rate_factors: Mapping[str, float] = dict.fromkeys(
            self.word.parameters, WORD_RATE_FACTOR
        )
        networks.attached = self

    @property
    def parameters(self) -> dict[str, torch.nn.Parameter]:
        """Name what is trained."""
        return self.lora.parameters | self.word.parameters

    def weights(self) -> dict[str, Tensor]:
        """Return the file's tensors, of the LoRA and of the bundled word."""
        start = f"{BUNDLE_PREFIX}{self.word.word}."
        word = {
            start + BUNDLE_KEYS.get(n, n): vectors for n, vectors in self.word.weights().items()
        }
        return self.lora.weights() | word

    @contextmanager
    def disabled(self) -> Iterator[None]:
        """Make the networks behave as without it inside the block."""
        with self.word.disabled(), self.lora.disabled():
            yield

    def detach(self) -> None:
        """Take both off."""
        self.word.detach()
        self.lora.detach()


def attach(networks: Networks, recipe: Recipe) -> Pivotal:
    """Make ready to train."""
    networks.require_vocabularies(recipe.method, *embedding.VOCABULARY_COUNTS)
    return Pivotal(networks, recipe)


def split_file(tensors: dict[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return the LoRA's tensors of a file, and the word's under an embedding's names."""
    names = {end: name for name, end in BUNDLE_KEYS.items()}
    rest, word, bundled = {}, {}, set()
    for name, tensor in tensors.items():
        if name.startswith(BUNDLE_PREFIX):
            said, _, end = name.removeprefix(BUNDLE_PREFIX).partition(".")
            word[names.get(end, end)] = tensor
            bundled.add(said)
        else:
            rest[name] = tensor
    if len(bundled) != 1:
        raise JobError("style_broken", reason="not one bundled word")
    return rest, word


def check(networks: Networks, tensors: dict[str, Tensor]) -> None:
    """Refuse tensors that are not a LoRA with a word for these networks."""
    layers, word = split_file(tensors)
    lora.check(networks, layers)
    embedding.check(networks, word)


@contextmanager
def apply(
    networks: Networks, tensors: dict[str, Tensor], word: str, strength: float
) -> Iterator[None]:
    """Know the word and apply the LoRA inside the block."""
    layers, vectors = split_file(tensors)
    with ExitStack() as stack:
        stack.enter_context(embedding.apply(networks, vectors, word, 1.0))
        stack.enter_context(lora.apply(networks, layers, word, strength))
        yield


def rules(base: Base, family: FamilyNumbers) -> Iterator[Rule]:
    """Return the rules of the dial: a LoRA's."""
    if embedding.can_learn_words(family):
        yield from lora.rules(base, family, "pivotal")
