"""Textual inversion (Gal et al. 2022): one to eight vectors that answer to a new word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from storage.errors import JobError
from storage.records import Base, Concept, Dial, Method, Rule
from storage.requests import TrainRequest
from training.lazy import Tensor, torch
from training.methods._defaults import AROUND, MEASURED, DialNumbers, Numbers, both, make_rule
from training.networks.counts import FamilyNumbers, file_sizes
from training.networks.networks import Networks
from training.networks.traits import KeyMarks, MethodTraits
from training.networks.vocabulary import Vocabulary
from training.recipe.recipe import Recipe

METHOD = Method(
    "embedding", (1, 8), learns_word=True, title="Embedding",
    help="a new word for the base, in a file of a few KB",
    rank_name="vectors", rank_help="number of vectors for the word",
)  # fmt: skip
# One tensor of any name, or `clip_l` and `clip_g`, is a word of the file's name to A1111
# (22ecb78b, modules/textual_inversion/textual_inversion.py), Forge (42ef31f1, the same in
# backend/text_processing, which Forge Neo has, too), ComfyUI (00728eb2, comfy/sd1_clip.py,
# load_embed) and kohya's sd-scripts (48d368fa, gen_img.py). For diffusers it is tried in
# tests/contracts/test_interop.py
TRAITS = MethodTraits(
    modelspec="textual-inversion", named_by_file=True, learns_text=True,
    marks=KeyMarks(exact=(frozenset({"emb_params"}), frozenset({"clip_l", "clip_g"}))),
)  # fmt: skip
VOCABULARY_COUNTS = (1, 2)  #: that files have a form for
MAX_VECTORS = 32  #: vectors that a file may have

RATES = {Concept.SUBJECT: 3e-2, Concept.LOOK: 2e-2}  #: on a tiny base
SMALL: DialNumbers = {
    (concept, dial): Numbers(steps, 0, steps, steps, vectors, rate, 4, source)
    for concept, rate in RATES.items()
    for dial, steps, vectors, source in (
        (Dial.QUICK, 150, 2, AROUND), (Dial.BALANCED, 240, 4, MEASURED),
        (Dial.THOROUGH, 600, 6, AROUND),
    )
}  # fmt: skip
_RATE = "rate: AUTOMATIC1111's form (modules/ui.py, 0.005)"
FULL = both({
    Dial.QUICK: Numbers(
        800, 0, 800, 800, 2, 5e-3, 1,
        f"steps: diffusers, examples/textual_inversion for SDXL (500); {_RATE}",
    ),
    Dial.BALANCED: Numbers(
        1500, 0, 1500, 1500, 4, 5e-3, 1,
        f"steps and vectors: kohya's docs/train_textual_inversion.md (1,600, 4); {_RATE}",
    ),
    Dial.THOROUGH: Numbers(
        3000, 0, 3000, 3000, 8, 5e-3, 1,
        f"steps: diffusers, examples/textual_inversion (3,000); vectors: our choice; {_RATE}",
    ),
})  # fmt: skip


class Embedding:
    """A new word in a base's vocabularies."""

    learns_text = True
    rate_factors: Mapping[str, float] = {}

    def __init__(self, networks: Networks, recipe: Recipe) -> None:
        self.networks = networks
        self.word = recipe.trigger
        self.vectors = {
            name: torch.nn.Parameter(vectors)
            for name, vectors in initial_vectors(networks, recipe).items()
        }
        self.previous_words, networks.words = networks.words, {self.word: self.vectors}
        networks.attached = self

    @property
    def parameters(self) -> dict[str, torch.nn.Parameter]:
        """Return the trained vectors by name."""
        return self.vectors

    def weights(self) -> dict[str, Tensor]:
        """Return the file's tensors: vectors (N, width) for each of the base's vocabularies."""
        return {name: each.detach().cpu().clone() for name, each in self.vectors.items()}

    def disabled(self) -> AbstractContextManager[None]:
        """Forget the word inside the block."""
        return self.networks.with_words(self.previous_words)

    def detach(self) -> None:
        """Forget the word."""
        self.networks.words = self.previous_words
        self.networks.attached = None


def attach(networks: Networks, recipe: Recipe) -> Embedding:
    """Attach a word to train."""
    networks.require_vocabularies(recipe.method, *VOCABULARY_COUNTS)
    return Embedding(networks, recipe)


def initial_vectors(networks: Networks, recipe: Recipe) -> dict[str, Tensor]:
    """Return initial vectors by vocabulary: the initial word's, and further ones near them."""
    generator = torch.Generator().manual_seed(recipe.seed)
    return {
        each.name: initial_vectors_in(each, recipe, generator) for each in networks.vocabularies
    }


def initial_vectors_in(
    vocabulary: Vocabulary, recipe: Recipe, generator: torch.Generator
) -> Tensor:
    """Return the initial vectors (N, width) in one vocabulary."""
    known = vocabulary.embedding.weight.detach().float()
    word = recipe.class_word.strip() or recipe.initializer_token
    start = known[vocabulary.encode(word)] if word else known.mean(0)[None]
    rows = [start[min(at, len(start) - 1)] for at in range(recipe.rank)]
    vectors = torch.stack(rows).cpu()
    beside = torch.randn(vectors.shape, generator=generator) * known.std().cpu() * 0.1
    beside[: len(start)] = 0
    return (vectors + beside).to(known.device)


def check(networks: Networks, tensors: dict[str, Tensor]) -> None:
    """Refuse tensors that are not an embedding for these text encoders."""
    networks.require_vocabularies("embedding", *VOCABULARY_COUNTS)
    names = [each.name for each in networks.vocabularies]
    if sorted(tensors) != sorted(names):
        raise JobError("style_broken", reason=f"it isn't {' and '.join(names)} alone")
    for each in networks.vocabularies:
        vectors, width = tensors[each.name], each.embedding.embedding_dim
        sound = vectors.is_floating_point() and vectors.ndim == 2 and vectors.shape[1] == width
        if not (sound and 1 <= len(vectors) <= MAX_VECTORS):
            fits = f"1 to {MAX_VECTORS} vectors of {width} numbers"
            raise JobError("style_broken", reason=f"{each.name} isn't {fits}, as this base takes")
        if not torch.isfinite(vectors).all():
            reason = f"{each.name} has infinite numbers or NaN"
            raise JobError("style_broken", reason=reason)


@contextmanager
def apply(
    networks: Networks, tensors: dict[str, Tensor], word: str, strength: float
) -> Iterator[None]:
    """Know the word inside the block."""
    with networks.with_words({word: read_vectors(networks, tensors, strength)}):
        yield


def read_vectors(
    networks: Networks, tensors: Mapping[str, Tensor], strength: float
) -> dict[str, Tensor]:
    """Return a word's vectors by vocabulary, in fp32 and where its embedding is."""
    return {
        each.name: (tensors[each.name].float() * strength).to(each.embedding.weight.device)
        for each in networks.vocabularies
    }


def can_learn_words(family: FamilyNumbers) -> bool:
    """Return whether words can be learned on bases of a family."""
    return len(family.COUNTS.sizes.words) in VOCABULARY_COUNTS


def defaults(_request: TrainRequest, _base: Base, _family: FamilyNumbers) -> dict[str, Any]:
    """Return the recipe's fields that the method decides.

    The noisiest steps, on which min-SNR would turn down the loss, teach a word most.
    """
    return {"train_text_encoder": False, "min_snr_gamma": 0.0}


def rules(base: Base, family: FamilyNumbers) -> Iterator[Rule]:
    """Return the rules of the dial; the rank is the number of vectors."""
    if not can_learn_words(family):
        return
    for choice, numbers in (SMALL if base.small else FULL).items():
        size = numbers.rank * sum(file_sizes(base, family).words) * 2 + 3000
        yield make_rule("embedding", base, choice, numbers, size)
