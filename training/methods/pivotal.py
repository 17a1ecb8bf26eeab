"""Pivotal tuning (Roich et al. 2021, arXiv 2106.05744): a learned word and a LoRA in one run.

The word lies in the LoRA's file as a bundled embedding, as AUTOMATIC1111 and ComfyUI read it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from storage.errors import JobError
from storage.names import clean_name
from storage.records import Base, Method, Rule
from training.lazy import LazyModule, Tensor, torch
from training.methods import embedding, lora
from training.methods.lora import defaults
from training.networks.counts import FamilyNumbers
from training.networks.networks import Networks
from training.networks.traits import KeyMarks, MethodTraits
from training.recipe.recipe import Recipe

__all__ = ["METHOD", "TRAITS", "apply", "attach", "check", "defaults", "export", "rules"]

METHOD = Method(
    "pivotal", dropout=True, small_copy=True, learns_word=True, own_rates=True,
    title="LoRA with a word",
    help="a LoRA together with a new word for it; works in fewer programs",
)  # fmt: skip
safetensors = LazyModule("safetensors.torch")
_NO_WORD = "doesn't read bundled embeddings"
TRAITS = MethodTraits(
    marks=KeyMarks(starts=("bundle_emb.",)), learns_text=True,
    # A1111 (fd383140, extensions-builtin/Lora/networks.py) reads words in LoRAs; ComfyUI
    # (a125cd84, comfy/sd1_clip.py, bundled_embed) in the files of its folder of embeddings
    unreadable=dict.fromkeys(("kohya", "Forge", "Forge Neo", "diffusers"), _NO_WORD),
    needs={"ComfyUI": "a copy of the file in its embeddings folder"},
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


def split_file(
    tensors: Mapping[str, Tensor],
) -> tuple[dict[str, Tensor], dict[str, dict[str, Tensor]]]:
    """Return the LoRA's tensors of a file, and of each word those of an embedding.

    Ours have one word; OneTrainer's may have several.
    """
    rest, words = dict[str, Tensor](), dict[str, dict[str, Tensor]]()
    for name, tensor in tensors.items():
        word, end = split_bundle_key(name)
        if word:
            words.setdefault(word, {})[end] = tensor
        else:
            rest[name] = tensor
    if not words:
        raise JobError("style_broken", reason="it has no bundled word")
    return rest, words


def split_bundle_key(name: str) -> tuple[str, str]:
    """Cut the name of a bundled word's vectors into the word and what an embedding calls them."""
    if not name.startswith(BUNDLE_PREFIX):
        return "", name
    inner = name.removeprefix(BUNDLE_PREFIX)
    for ours, theirs in BUNDLE_KEYS.items():
        if inner.endswith(f".{theirs}"):
            return inner.removesuffix(f".{theirs}"), ours
    word, _, end = inner.rpartition(".")
    return word or end, end


def export(
    tensors: Mapping[str, Tensor],
    metadata: Mapping[str, str],  # noqa: ARG001 - other methods' export tells it
    name: str,  # noqa: ARG001 - an embedding is named by its word
) -> dict[str, bytes]:
    """Return each word as the file of an embedding, by its name, for programs that bundle none.

    Raises UserError("name_bad") for a word that cannot name a file.
    """
    files, (_, words) = dict[str, bytes](), split_file(tensors)
    for word, vectors in words.items():
        if vectors.keys() == {"clip_l"}:  # OneTrainer's name where there is one text encoder
            vectors = {"emb_params": vectors["clip_l"]}  # noqa: PLW2901
        files[f"{clean_name(word)}.safetensors"] = safetensors.save(vectors)
    return files


def check(networks: Networks, tensors: dict[str, Tensor]) -> None:
    """Refuse tensors that are not a LoRA with words for these networks."""
    layers, words = split_file(tensors)
    lora.check(networks, layers)
    for vectors in words.values():
        embedding.check(networks, vectors)


@contextmanager
def apply(
    networks: Networks, tensors: dict[str, Tensor], word: str, strength: float
) -> Iterator[None]:
    """Know the words and apply the LoRA inside the block; one word alone answers to `word`."""
    layers, bundled = split_file(tensors)
    words = {said: embedding.read_vectors(networks, own, 1.0) for said, own in bundled.items()}
    if word and len(words) == 1:
        words = dict(zip([word], words.values(), strict=True))
    with networks.with_words(words), lora.apply(networks, layers, "", strength):
        yield


def rules(base: Base, family: FamilyNumbers) -> Iterator[Rule]:
    """Return the rules of the dial: a LoRA's."""
    if embedding.can_learn_words(family):
        yield from lora.rules(base, family, "pivotal")
