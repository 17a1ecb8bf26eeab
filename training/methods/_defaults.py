"""What methods that change layers of a base have in common where nobody said otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from storage.records import Base, Concept, Dial, Rule
from storage.requests import TrainRequest
from training.networks.counts import FamilyNumbers

SMALL_EMA_DECAY = 0.97  #: on a tiny base
#: how low-rank layers learn a subject on a tiny base: "The dial beside published recipes" in
#: benchmarks/RESULTS.md; ai-toolkit's example averages and drops captions, too
SMALL_SUBJECT: dict[str, Any] = {
    "lr_scheduler": "constant", "ema_decay": SMALL_EMA_DECAY, "min_snr_gamma": 0.0,
    "caption_dropout_rate": 0.05,
}  # fmt: skip
MEASURED = "measured on this base (benchmarks/RESULTS.md)"
AROUND = "our choice around balanced, which was measured on this base (benchmarks/RESULTS.md)"


class Numbers(NamedTuple):
    """What one position of the dial comes to, and who measured or published it.

    `python -m benchmarks.settings --write docs/settings.md` prints those of all methods.
    """

    steps: int  #: for one photo
    steps_per_photo: int  #: for each further photo that differs
    min_steps: int
    max_steps: int
    rank: int
    learning_rate: float
    batch_size: int
    source: str


DialNumbers = Mapping[tuple[Concept, Dial], Numbers]


def both(numbers: Mapping[Dial, Numbers]) -> DialNumbers:
    """Return numbers that hold for subjects and looks alike."""
    return {(concept, dial): row for concept in Concept for dial, row in numbers.items()}


def make_rule(
    method: str, base: Base, choice: tuple[Concept, Dial], numbers: Numbers, file_bytes: int
) -> Rule:
    """Return the rule of a method on a base; `file_bytes` is the expected size of its file."""
    return Rule(method, base.name, *choice, file_bytes=file_bytes, **numbers._asdict())


def layer_defaults(request: TrainRequest, base: Base, family: FamilyNumbers) -> dict[str, Any]:
    """Return the recipe's fields that a method of layers decides."""
    look = base.small and request.concept is Concept.LOOK
    return {
        "train_text_encoder": trains_text_encoder(request.concept, base, family),
        "ema_decay": SMALL_EMA_DECAY if look else 0.0,
    }


def low_rank_defaults(request: TrainRequest, base: Base, family: FamilyNumbers) -> dict[str, Any]:
    """Return the recipe's fields that LoRAs and LoKr decide.

    LoHa and OFT forget at a constant rate what a tiny base knew (benchmarks/RESULTS.md).
    """
    subject = base.small and request.concept is Concept.SUBJECT
    return layer_defaults(request, base, family) | (SMALL_SUBJECT if subject else {})


def trains_text_encoder(concept: Concept, base: Base, family: FamilyNumbers) -> bool:
    """Return whether the text encoder is trained, too: for a subject on a base of true size.

    A tiny base learns subjects as well by its UNet alone, and faster: its prompts are encoded
    once. Looks it learns better with both. What reads prompts for a flow is never trained.
    """
    return family.OBJECTIVE != "flow" and (concept is Concept.SUBJECT) is not base.small
