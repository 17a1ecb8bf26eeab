"""The concepts that a run teaches, and captions with their triggers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Protocol, Self

from storage.crops import Framing
from storage.photosets.edits import put_trigger, split_trigger, tidy
from storage.records import Base, Concept
from storage.variations import Variation


@dataclass(frozen=True, slots=True)
class TrainingPhoto:
    """A photo of the job folder, with its caption."""

    file: str
    caption: str
    background: str = ""  #: the colour behind its transparent parts; empty leaves it as it is
    framing: Framing | None = None  #: what is kept where it is cropped; None: its middle
    repeats: int = 1  #: how often an epoch shows it, beside others
    variation: Variation | None = None  #: None shows it as it is

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Read the entry of a recipe."""
        framing, variation = value.get("framing"), value.get("variation")
        read = {
            "framing": framing and Framing.from_json(framing),
            "variation": variation and Variation.from_json(variation),
        }
        return cls(**value | read)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON, without what versions before 0.2 did not know."""
        content: dict[str, Any] = {
            "file": self.file,
            "caption": self.caption,
            "background": self.background,
        }
        content |= {"framing": self.framing.to_json()} if self.framing else {}
        content |= {"variation": self.variation.to_json()} if self.variation else {}
        return content | ({"repeats": self.repeats} if self.repeats > 1 else {})


@dataclass(frozen=True, slots=True)
class SamplePrompt:
    """A prompt for previews."""

    text: str
    seed: int
    at_end: bool = False  #: whether it is drawn for the result alone


class ConceptLike(Protocol):
    """A concept to teach: a `TrainRequest`, or one of its `other_datasets`."""

    @property
    def trigger(self) -> str:
        """The word that calls it in prompts."""

    @property
    def concept(self) -> Concept:
        """Whether it is a subject or a look."""

    @property
    def class_word(self) -> str:
        """The class of a subject, e.g. dog; may be empty."""


@dataclass(frozen=True, slots=True)
class ConceptPhotos:
    """A further concept that the same run teaches."""

    trigger: str
    concept: Concept
    class_word: str
    photos: tuple[TrainingPhoto, ...]

    @classmethod
    def from_photos(
        cls, concept: ConceptLike, base: Base, photos: Iterable[tuple[str, str]]
    ) -> ConceptPhotos:
        """Return a concept with photos, given as (file, caption); captions get its trigger."""
        found = tuple(
            TrainingPhoto(file, add_trigger(caption, concept, base)) for file, caption in photos
        )
        return cls(concept.trigger, concept.concept, concept.class_word, found)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> ConceptPhotos:
        """Read the entry of a recipe."""
        photos = tuple(map(TrainingPhoto.from_json, value["photos"]))
        word = value.get("class_word", value.get("word", ""))  # "word" before 0.2
        return cls(value["trigger"], Concept(value["concept"]), word, photos)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return asdict(self) | {"photos": [photo.to_json() for photo in self.photos]}


def add_trigger(caption: str, concept: ConceptLike, base: Base) -> str:
    """Return the caption with the trigger in front, unless it is near its beginning already.

    A photo without a caption gets the plainest one.
    """
    caption, trigger = " ".join(caption.split()), concept.trigger
    if caption:
        return put_trigger(caption, trigger)
    if concept.concept is Concept.LOOK:
        return f"{trigger} style"
    if base.small:
        return f"a {trigger} emoji"
    return f"a photo of {trigger} {concept.class_word}".strip()


def list_class_photos(
    photos: Iterable[tuple[str, str]], trigger: str, prompt: str
) -> tuple[TrainingPhoto, ...]:
    """Return photos of the class, given as (file, caption), without their dataset's trigger.

    One without a caption gets the prompt of the class.
    """
    captions = ((file, tidy(split_trigger(caption, trigger)[1])) for file, caption in photos)
    return tuple(TrainingPhoto(file, caption or prompt) for file, caption in captions)


def class_prompt(concept: ConceptLike, base: Base) -> str:
    """Return the prompt for class pictures: any thing of the class."""
    return f"a {concept.class_word} emoji" if base.small else f"a photo of a {concept.class_word}"
