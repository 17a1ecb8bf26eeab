"""What methods that change layers of a base have in common where nobody said otherwise."""

from __future__ import annotations

from typing import Any

from storage.records import Base, Concept
from storage.requests import TrainRequest
from training.networks.counts import FamilyNumbers

LOOK_EMA_DECAY = 0.97  #: for looks on a tiny base


def layer_defaults(request: TrainRequest, base: Base, family: FamilyNumbers) -> dict[str, Any]:
    """Return the recipe's fields that a method of layers decides."""
    look = base.small and request.concept is Concept.LOOK
    return {
        "train_text_encoder": trains_text_encoder(request.concept, base, family),
        "ema_decay": LOOK_EMA_DECAY if look else 0.0,
    }


def trains_text_encoder(concept: Concept, base: Base, family: FamilyNumbers) -> bool:
    """Return whether the text encoder is trained, too: for a subject on a base of true size.

    A tiny base learns subjects as well by its UNet alone, and faster: its prompts are encoded
    once. Looks it learns better with both. What reads prompts for a flow is never trained.
    """
    return family.OBJECTIVE != "flow" and (concept is Concept.SUBJECT) is not base.small
