"""What a job shall do: the content of `Job.request`, as JSON.

The scheduler completes a request when it lays out the job's folder: it makes a `Recipe` of a
`TrainRequest`, and sets the fields of others that are marked (scheduler).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

from storage.errors import JobError
from storage.options import aliases, options_from_json, options_table
from storage.records import Concept, Dial, Optimizer

#: field names of before 0.2, which requests in an older queue have
OLD_NAMES = {
    "rate": "learning_rate", "batch": "batch_size", "word": "class_word",
    "prior": "num_class_images", "further": "other_datasets", "most": "max_file_bytes",
    "bytes": "file_bytes",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class OtherDataset:
    """A further dataset of the same member, with what it is for."""

    dataset: int
    trigger: str
    concept: Concept
    class_word: str = ""
    class_photos: bool = False  #: no concept: its photos are of the class, for prior preservation

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Read the entry of a request."""
        content = {OLD_NAMES.get(name, name): entry for name, entry in value.items()}
        return cls(**content | {"concept": Concept(content["concept"])})


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
    learning_rate: float
    batch_size: int
    seed: int
    class_word: str = ""  #: the subject's class, e.g. dog; also what an embedding starts from
    options: dict[str, Any] = field(default_factory=dict)  #: the `TrainingOptions` chosen
    other_datasets: tuple[OtherDataset, ...] = ()  #: further concepts for the same run
    num_class_images: int = 0  #: class pictures for prior preservation; 0 is off
    max_file_bytes: int = 0  #: above which a smaller copy is made, too; 0 is never
    file_bytes: int = 0  #: expected size, for the member's quota
    #: step at which it ends, to go on from there: rates stay those of all its steps; 0 is the last
    stop_after: int = 0
    continues: int = 0  #: the finished job from whose last state to go on
    sample_prompts: tuple[str, ...] = ()  #: the member's own, in place of the usual ones

    @property
    def optimizer(self) -> Optimizer:
        """The chosen optimizer, else the default."""
        return Optimizer(self.options.get("optimizer", Optimizer.ADAMW))

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Read a request from JSON, also one queued by an older version.

        Raises JobError("request_broken") if something is missing or unknown.
        """
        try:
            content = {OLD_NAMES.get(name, name): entry for name, entry in value.items()}
            options = content.get("options", {}) | _take_options(content)
            content["options"] = options_from_json(options)
            others = content.get("other_datasets", ())
            return cls(**content | {
                "concept": Concept(content["concept"]),
                "dial": Dial(content["dial"]),
                "other_datasets": tuple(map(OtherDataset.from_json, others)),
                "sample_prompts": tuple(content.get("sample_prompts", ())),
            })  # fmt: skip
        except (KeyError, TypeError, ValueError) as broken:
            raise JobError("request_broken", reason=str(broken)) from broken


def _take_options(content: dict[str, Any]) -> dict[str, Any]:
    """Remove and return the options of a request of before 0.2, where each was a field.

    Those that have their default were not chosen, and are left out.
    """
    usual = {each.name: each.default for each in options_table()}
    names = aliases() | {name: name for name in usual}
    found = {names[name]: content.pop(name) for name in list(content) if name in names}
    return {name: value for name, value in found.items() if value != usual[name]}


@dataclass(frozen=True, slots=True)
class SampleRequest:
    """Draw pictures with a style, or with the base alone."""

    base: str
    prompt: str
    negative: str = ""
    strength: float = 1.0
    seed: int = 0
    steps: int = 20
    size: int = 0  #: pixels a side; 0 is the base's resolution
    count: int = 1
    checkpoint: int = 0  #: the step of a kept one to draw with; 0 is the style's file
    method: str = ""  #: (scheduler) of the style
    trigger: str = ""  #: (scheduler) of the style


@dataclass(frozen=True, slots=True)
class GridStyle:
    """A style of a grid."""

    style: int  #: its id; 0 is the base alone
    checkpoint: int = 0  #: step of its training; 0 is the style's own file
    method: str = ""  #: (scheduler) of the style
    trigger: str = ""  #: (scheduler) of the style


@dataclass(frozen=True, slots=True)
class GridCell:
    """One picture of a grid."""

    style: int  #: its index among the grid's styles
    strength: float
    prompt: str
    label: str


@dataclass(frozen=True, slots=True)
class GridRequest(SampleRequest):
    """Draw a grid of pictures of one seed, as one labelled picture."""

    styles: tuple[GridStyle, ...] = ()
    cells: tuple[GridCell, ...] = ()  #: row after row
    columns: int = 1

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Read a request from JSON.

        Raises JobError("request_broken") if something is missing or unknown.
        """
        try:
            return cls(**value | {
                "styles": tuple(GridStyle(**each) for each in value["styles"]),
                "cells": tuple(GridCell(**each) for each in value["cells"]),
            })  # fmt: skip
        except (KeyError, TypeError) as broken:
            raise JobError("request_broken", reason=str(broken)) from broken


@dataclass(frozen=True, slots=True)
class JudgedStyle:
    """A style of a comparison."""

    number: int  #: of its entry
    style: int  #: its id
    base: str  #: that it was trained on
    label: str  #: what tells it from the others
    method: str = ""  #: (scheduler) of the style
    trigger: str = ""  #: (scheduler) of the style


@dataclass(frozen=True, slots=True)
class JudgeRequest:
    """Draw the same pictures with several styles of one dataset, and grade them."""

    base: str  #: of the first style
    name: str  #: of the dataset
    trigger: str
    concept: Concept
    class_word: str
    judged: tuple[JudgedStyle, ...]
    captioner: str = ""  #: (scheduler) that tells whether pictures show what prompts ask for
    photos: tuple[dict[str, Any], ...] = ()  #: (scheduler) file, framing and caption of each

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Read a request from JSON.

        Raises JobError("request_broken") if something is missing or unknown.
        """
        try:
            return cls(**value | {
                "concept": Concept(value["concept"]),
                "judged": tuple(JudgedStyle(**each) for each in value["judged"]),
                "photos": tuple(value.get("photos", ())),
            })  # fmt: skip
        except (KeyError, TypeError, ValueError) as broken:
            raise JobError("request_broken", reason=str(broken)) from broken


@dataclass(frozen=True, slots=True)
class CaptionRequest:
    """Caption photos; each caption begins with the trigger."""

    captioner: str
    trigger: str
    photos: tuple[int, ...]  #: ids, in the order of the files in `photos/`


@dataclass(frozen=True, slots=True)
class GradeRequest:
    """Grade a style beside the photos that it was taught with."""

    name: str  #: of the style
    base: str
    concept: Concept
    class_word: str = ""  #: of a subject, e.g. dog
    strength: float = 1.0
    prompts: int = 0  #: of the protocol's; 0 is as many as the base is for
    seeds: int = 0  #: of each prompt; 0 is as many as a score takes
    method: str = ""  #: (scheduler) of the style
    trigger: str = ""  #: (scheduler) of the style
    captioner: str = ""  #: (scheduler) that tells whether pictures show what prompts ask for
    photos: tuple[int, ...] = ()  #: (scheduler) ids, in the order of the files in `photos/`
    captions: tuple[str, ...] = ()  #: (scheduler) of these photos

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Read a request from JSON; raise JobError("request_broken") for what is none."""
        try:
            lists = {name: tuple(value.get(name, ())) for name in ("photos", "captions")}
            return cls(**value | lists | {"concept": Concept(value["concept"])})
        except (KeyError, TypeError, ValueError) as broken:
            raise JobError("request_broken", reason=str(broken)) from broken
