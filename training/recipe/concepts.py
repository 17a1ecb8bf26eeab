"""What a run teaches: its concepts, the captions that call them and the prompts that show them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from storage.records import Concept

if TYPE_CHECKING:
    from collections.abc import Iterable

    from storage.records import Base

EARLY = 100  # letters in which the trigger is surely among the tokens that are read


@dataclass(frozen=True, slots=True)
class TrainingPhoto:
    """One photo of the job folder with its caption."""

    file: str
    caption: str


@dataclass(frozen=True, slots=True)
class SamplePrompt:
    """A prompt that shows how far the training is."""

    text: str
    seed: int


class ConceptLike(Protocol):
    """A concept, with the word that calls it."""

    @property
    def trigger(self) -> str:
        """Give the word that calls it."""
        ...

    @property
    def concept(self) -> Concept:
        """Say whether it is a subject or a look."""
        ...

    @property
    def class_word(self) -> str:
        """Name a subject's class."""
        ...


@dataclass(frozen=True, slots=True)
class ConceptPhotos:
    """A further concept that the same run teaches."""

    trigger: str
    concept: Concept
    class_word: str
    photos: tuple[TrainingPhoto, ...]

    @classmethod
    def from_photos(
        cls, what: ConceptLike, base: Base, photos: Iterable[tuple[str, str]]
    ) -> ConceptPhotos:
        """Make one of photos, (file, caption); every caption says its trigger."""
        found = tuple(
            TrainingPhoto(file, with_trigger(caption, what, base)) for file, caption in photos
        )
        return cls(what.trigger, what.concept, what.class_word, found)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> ConceptPhotos:
        """Read one back from JSON."""
        photos = tuple(TrainingPhoto(**photo) for photo in value["photos"])
        word = value.get("class_word", value.get("word", ""))  # "word" before 0.2
        return cls(value["trigger"], Concept(value["concept"]), word, photos)


def contains_trigger(text: str, trigger: str) -> bool:
    """Tell whether a text has the trigger in it, as a word."""
    return re.search(rf"(?i)(?<!\w){re.escape(trigger)}(?!\w)", text) is not None


def with_trigger(caption: str, what: ConceptLike, base: Base) -> str:
    """Make sure that a caption says the trigger."""
    caption, trigger = " ".join(caption.split()), what.trigger
    if contains_trigger(caption[:EARLY], trigger):
        return caption
    if caption:
        return f"{trigger}, {caption}"
    if what.concept is Concept.LOOK:
        return f"{trigger} style"
    return (
        f"a {trigger} emoji" if base.small else f"a photo of {trigger} {what.class_word}".strip()
    )


def class_prompt(what: ConceptLike, base: Base) -> str:
    """Say what class pictures show: any of its kind."""
    return f"a {what.class_word} emoji" if base.small else f"a photo of a {what.class_word}"


def default_prompts(what: ConceptLike, base: Base) -> list[str]:
    """Choose prompts for the samples on the way."""
    trigger, word = what.trigger, what.class_word
    thing = f"{trigger} {word}".strip()
    if base.small and what.concept is Concept.SUBJECT:
        return [f"a {trigger} emoji, on a {colour} background" for colour in ("white", "blue")]
    if base.small:
        names = ("cat", "pizza")
        return [f"a {name} emoji, {trigger} style, on a white background" for name in names]
    if what.concept is Concept.SUBJECT:
        return [f"a photo of {thing}", f"a painting of {thing} on a beach"]
    return [f"a cat, {trigger} style", f"a house by a lake, {trigger} style"]
