"""What a job is asked to do: the payload of `Job.request` and, completed, of `job.json`.

The bot writes the short form; the trainer lays out the folder and adds what is marked (trainer).
"""

from __future__ import annotations

from dataclasses import dataclass

from storage.records import Concept, Dial, Optimizer


@dataclass(frozen=True, slots=True)
class Further:
    """A further dataset of the same member, with its concept."""

    dataset: int
    trigger: str
    concept: Concept
    word: str = ""


@dataclass(frozen=True, slots=True)
class TrainRequest:
    """Train one style on a dataset."""

    method: str
    base: str
    name: str  #: of the dataset, and so of the style and its file
    trigger: str
    concept: Concept
    dial: Dial
    steps: int
    rank: int
    rate: float
    batch: int
    seed: int
    word: str = ""  #: an embedding's initial word; a subject's class
    optimizer: Optimizer = Optimizer.ADAMW
    shuffle: bool = False  #: whether parts of captions change their order
    masked: bool = False  #: whether photos' alpha channels count
    dropout: float = 0.0  #: of what adapters add
    offset: float = 0.0  #: of noise, the same all over a picture
    silence: float = 0.0  #: the part of captions that is dropped
    further: tuple[Further, ...] = ()  #: other concepts that the same run teaches
    prior: int = 0  #: class pictures that keep what the base knows; 0 is off
    keep: float = 1.0  #: how much they count beside the photos
    most: int = 0  #: bytes of a file that can be handed over; 0 is any
    bytes: int = 0  #: that its file is expected to take


@dataclass(frozen=True, slots=True)
class SampleRequest:
    """Make pictures. Without a style, the bare base draws them."""

    base: str
    prompt: str
    negative: str = ""
    strength: float = 1.0
    seed: int = 0
    steps: int = 20
    size: int = 0  #: pixels of a side; 0 means the base's own
    count: int = 1
    method: str = ""  #: (trainer) of the style
    trigger: str = ""  #: (trainer) of the style


@dataclass(frozen=True, slots=True)
class CaptionRequest:
    """Describe photos, the trigger word put in front."""

    captioner: str
    trigger: str
    photos: tuple[int, ...]  #: ids, in the order of the files in `photos/`
