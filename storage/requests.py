"""What a job is asked to do: the payload of `Job.request` and, completed, of `job.json`.

The bot writes the short form; the scheduler lays out the folder and adds what is marked
(scheduler).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

from storage.errors import JobError
from storage.options import aliases, options_from_json, options_table
from storage.records import Concept, Dial, Optimizer

#: what fields were called before 0.2; requests in the queue of an older version are still read
OLD_NAMES = {
    "rate": "learning_rate",
    "batch": "batch_size",
    "word": "class_word",
    "prior": "num_class_images",
    "further": "other_datasets",
    "most": "max_file_bytes",
    "bytes": "file_bytes",
}


@dataclass(frozen=True, slots=True)
class OtherDataset:
    """A further dataset of the same member, with its concept."""

    dataset: int
    trigger: str
    concept: Concept
    class_word: str = ""

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Read one back from JSON."""
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
    class_word: str = ""  #: the subject's class; what an embedding starts from
    options: dict[str, Any] = field(default_factory=dict)  #: `TrainingOptions` that were chosen
    other_datasets: tuple[OtherDataset, ...] = ()  #: further concepts for the same run
    num_class_images: int = 0  #: class pictures for prior preservation; 0 is off
    max_file_bytes: int = 0  #: largest file that can be handed over; 0 is any
    file_bytes: int = 0  #: expected size of the file

    @property
    def optimizer(self) -> Optimizer:
        """The optimizer that was chosen, or the usual one."""
        return Optimizer(self.options.get("optimizer", Optimizer.ADAMW))

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Read a request back from JSON, also one that an older version queued.

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
            })  # fmt: skip
        except (KeyError, TypeError, ValueError) as broken:
            raise JobError("request_broken", reason=str(broken)) from broken


def _take_options(content: dict[str, Any]) -> dict[str, Any]:
    """Take out the options of a request of before 0.2, which had each as a field of its own.

    Those that nobody chose stood there with their defaults, and are left out.
    """
    usual = {each.name: each.default for each in options_table()}
    names = aliases() | {name: name for name in usual}
    found = {names[name]: content.pop(name) for name in list(content) if name in names}
    return {name: value for name, value in found.items() if value != usual[name]}


@dataclass(frozen=True, slots=True)
class SampleRequest:
    """Make pictures. Without a style, the base alone draws them."""

    base: str
    prompt: str
    negative: str = ""
    strength: float = 1.0
    seed: int = 0
    steps: int = 20
    size: int = 0  #: pixels of a side; 0 means the base's own
    count: int = 1
    method: str = ""  #: (scheduler) of the style
    trigger: str = ""  #: (scheduler) of the style


@dataclass(frozen=True, slots=True)
class CaptionRequest:
    """Describe photos, the trigger word put in front."""

    captioner: str
    trigger: str
    photos: tuple[int, ...]  #: ids, in the order of the files in `photos/`
