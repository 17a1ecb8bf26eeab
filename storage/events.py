"""What happens in a job: a dataclass for each kind of event, and the JSON they are stored as.

A task yields events. The worker appends them to `runs/<id>/events.jsonl`, the scheduler copies
them into the table `events`, where the bot reads them; on a shell they are printed. The JSON of an
event has its fields by name; a field that is left out has its default. A line also has `at` (unix
seconds), `kind` and, where the event ends a run of a queued job, that run's `fence`:

    {"at": 1796002617.222, "kind": "progress", "step": 2, "steps": 120, "loss": 0.077, ...}

Field names of earlier versions are read as aliases; unknown fields are dropped. A kind that this
version doesn't know, or one without a field that it needs, is read as `Unknown` and kept as is.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar, Generic, Self, TypeAlias, TypeVar

from storage.records import Status

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a job."""

    KIND: ClassVar[str] = ""
    ALIASES: ClassVar[Mapping[str, str]] = {}  #: fields' names of earlier versions

    @property
    def kind(self) -> str:
        """The name of the kind in files and in the database."""
        return self.KIND

    def to_json(self) -> Json:
        """Return the fields, without those that are empty; a number is never left out."""
        pairs = [(each, getattr(self, each.name)) for each in fields(self)]
        return {
            each.name: value
            for each, value in pairs
            if value != each.default or value not in (None, "", ())
        }

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> Self:
        """Read the fields; raise TypeError where one without a default is missing."""
        named = {cls.ALIASES.get(key, key): value for key, value in facts.items()}
        known = [each.name for each in fields(cls) if each.name in named]
        return cls(**{name: _frozen(named[name]) for name in known})


@dataclass(frozen=True, slots=True)
class Started(Event):
    """A worker began the job, or went on with it."""

    KIND = "started"
    step: int  #: that it begins at
    steps: int
    device: str = "cpu"  #: as a person would name it
    attempt: int = 1
    resumed: bool = False  #: from a checkpoint
    rounds: tuple[int, ...] = ()  #: the steps at which a training's pictures are still to come


@dataclass(frozen=True, slots=True)
class Note(Event):
    """A sentence worth showing on the card: its code, and what the sentence needs."""

    KIND = "note"
    code: str
    facts: Json = field(default_factory=dict)

    def to_json(self) -> Json:
        """Return code and facts side by side."""
        return {"code": self.code, **self.facts}

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> Self:
        """Read what `to_json` returned."""
        more = dict(facts)
        return cls(str(more.pop("code", "unknown")), more)


@dataclass(frozen=True, slots=True)
class Progress(Event):
    """How far a training is; at most twice a second."""

    KIND = "progress"
    ALIASES: ClassVar[Mapping[str, str]] = {
        "smooth": "smoothed_loss", "rate": "learning_rate", "speed": "steps_per_second",
        "eta": "eta_seconds", "memory": "memory_mib",
    }  # fmt: skip
    step: int
    steps: int
    loss: float = 0.0  #: of the newest step
    smoothed_loss: float = 0.0  #: mean of the latest steps
    learning_rate: float = 0.0
    steps_per_second: float = 0.0
    eta_seconds: float = 0.0  #: until the end, with the previews on the way
    memory_mib: int = 0  #: that the device uses for this process
    seconds: float = 0.0  #: that the run has taken, in all attempts, without jobs served meanwhile
    picture_seconds: float = 0.0  #: to draw one preview; 0 before the first


@dataclass(frozen=True, slots=True)
class RateFound(Event):
    """A training has looked for its learning rate; the sweep's picture lies in `samples/`."""

    KIND = "rate"
    learning_rate: float  #: that it takes
    usual: float  #: that it would have taken; the same where the sweep says nothing
    curve: str = ""


@dataclass(frozen=True, slots=True)
class FoldsTried(Event):
    """Short runs, each without a part of the photos, tell how far the training should go."""

    KIND = "folds"
    steps: tuple[int, ...] = ()  #: of such a run, after which it was measured
    held_out: tuple[float, ...] = ()  #: mean likeness then, to what was held out, 0 to 1
    trained: tuple[float, ...] = ()  #: the same, to the other photos
    last: int = 0  #: step at which the training ends for that; 0 is as planned


@dataclass(frozen=True, slots=True)
class PreviewsDrawn(Event):
    """Pictures of a training's prompts lie in `samples/`."""

    KIND = "sample"
    step: int  #: 0 is before training
    files: tuple[str, ...] = ()
    prompts: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ResultDrawn(Event):
    """Pictures of what a training has taught lie in `samples/`, for its result."""

    KIND = "result"
    step: int
    files: tuple[str, ...] = ()
    prompts: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    candidates: int = 1  #: drawn for each prompt; the captioner has chosen the best


@dataclass(frozen=True, slots=True)
class CheckpointSaved(Event):
    """A state to resume from lies in `checkpoints/`, the loss curve's picture in `samples/`."""

    KIND = "checkpoint"
    step: int
    file: str = ""
    curve: str = ""


@dataclass(frozen=True, slots=True)
class CheckpointChosen(Event):
    """The checkpoints were scored by what they draw: one becomes the style's file."""

    KIND = "chosen"
    step: int
    last: int  #: step of the training
    best: int  #: step with the highest score; not chosen if the last one's is not clearly lower
    steps: tuple[int, ...] = ()  #: that were scored
    scores: tuple[float, ...] = ()  #: of these, the means over seeds
    spreads: tuple[float, ...] = ()  #: of these: how far a score may be off, either way
    stopped: bool = False  #: the training ended here, as scores rose no more


@dataclass(frozen=True, slots=True)
class StrengthScored(Event):
    """The finished style was drawn at several strengths; a picture of each lies in `samples/`."""

    KIND = "strength"
    best: float  #: 1 where no other is clearly better
    strengths: tuple[float, ...] = ()
    scores: tuple[float, ...] = ()  #: of these, the means over seeds
    spreads: tuple[float, ...] = ()  #: of these: how far a score may be off, either way


@dataclass(frozen=True, slots=True)
class PhotoCaptioned(Event):
    """One photo was described."""

    KIND = "caption"
    photo: int  #: its id in the dataset
    file: str
    caption: str


@dataclass(frozen=True, slots=True)
class PictureDrawn(Event):
    """One picture of a sample job lies in `result/`."""

    KIND = "picture"
    file: str
    seed: int = 0
    prompt: str = ""


@dataclass(frozen=True, slots=True)
class JobServed(Event):
    """A short job was done between two steps of this training."""

    KIND = "served"
    job: int
    seconds: float


@dataclass(frozen=True, slots=True)
class StepBoundary(Event):
    """The task may be paused, finished or cancelled here; never written anywhere."""

    KIND = "step"
    step: int  #: the next one to take


@dataclass(frozen=True, slots=True)
class StatusChanged(Event):
    """The job has another status; the database itself adds these."""

    KIND = "status"
    status: str
    by: int | None = None  #: the member who asked for it


@dataclass(frozen=True, slots=True)
class Paused(Event):
    """A run ended at a checkpoint."""

    KIND = "paused"
    STATUS: ClassVar[Status] = Status.PAUSED
    step: int = 0
    leaving: bool = False  #: because the worker ends: the job goes back into the queue


@dataclass(frozen=True, slots=True)
class Cancelled(Event):
    """A run ended without a result, as asked."""

    KIND = "cancelled"
    STATUS: ClassVar[Status] = Status.CANCELLED
    step: int = 0


@dataclass(frozen=True, slots=True)
class Failed(Event):
    """A run ended with an error: its code, and what the sentence needs."""

    KIND = "failed"
    STATUS: ClassVar[Status] = Status.FAILED
    code: str = "bug"
    facts: Json = field(default_factory=dict)
    reference: str = ""  #: of the traceback in the log, where it is a bug

    def to_json(self) -> Json:
        """Return code, reference and facts side by side."""
        reference = {"reference": self.reference} if self.reference else {}
        return {"code": self.code, **reference, **self.facts}

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> Self:
        """Read what `to_json` returned."""
        more = dict(facts)
        code, reference = more.pop("code", "bug"), more.pop("reference", "")
        return cls(str(code), more, str(reference))


@dataclass(frozen=True, slots=True)
class Timings:
    """How long a job took, without the jobs that were served in between."""

    seconds: float = 0.0  #: in total
    steps_per_second: float = 0.0
    first_step_seconds: float = 0.0  #: until the first step was taken
    photo_seconds: float = 0.0  #: to encode one photo
    picture_seconds: float = 0.0  #: to draw one preview


@dataclass(frozen=True, slots=True)
class SmallCopy:
    """A copy of a style's file with a lower rank, for where the file itself is too large."""

    file: str
    bytes: int
    rank: int
    error: float  #: part of what the layers add that is lost, by the Frobenius norm


@dataclass(frozen=True, slots=True)
class Done(Event):
    """A run ended with its result; of a sample or caption job only steps, timings and file."""

    KIND = "done"
    STATUS: ClassVar[Status] = Status.DONE
    ALIASES: ClassVar[Mapping[str, str]] = {
        "loads": "readable_by", "small": "small_copy", "whole": "full_model",
    }  # fmt: skip
    steps: int = 0  #: that were taken
    timings: Timings = Timings()
    file: str = ""
    bytes: int = 0
    digest: str = ""  #: sha256 of the file, hex
    early: bool = False  #: finished before its last step, as asked
    full_model: bool = False  #: a base of its own, not an adapter
    readable_by: tuple[str, ...] = ()  #: names of the programs that load the file
    #: by program: what it takes beside the file to load it there
    readable_with: Mapping[str, str] = field(default_factory=dict)
    small_copy: SmallCopy | None = None

    def to_json(self) -> Json:
        """Return the fields that are not empty, timings and copy as objects."""
        facts = Event.to_json(self)
        if not self.readable_with:
            del facts["readable_with"]
        for name, part in (("timings", self.timings), ("small_copy", self.small_copy)):
            if name in facts and part is not None:
                facts[name] = asdict(part)
        return facts

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> Self:
        """Read the fields; earlier versions kept the timings beside them."""
        named = {cls.ALIASES.get(key, key): value for key, value in facts.items()}
        old = {new: named[key] for key, new in OLD_TIMINGS.items() if key in named}
        named["timings"] = _read_part(Timings, named.get("timings") or old) or Timings()
        named["small_copy"] = _read_part(SmallCopy, named.get("small_copy") or {})
        known = [each.name for each in fields(cls) if each.name in named]
        return cls(**{name: _frozen(named[name]) for name in known})


@dataclass(frozen=True, slots=True)
class Unknown(Event):
    """An event of another version."""

    name: str
    facts: Json = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The name of the kind in files and in the database."""
        return self.name

    def to_json(self) -> Json:
        """Return the fields as they were read."""
        return self.facts


#: Ends one run of a job; the last of them is the truth.
Ending: TypeAlias = Paused | Cancelled | Done | Failed
KINDS: dict[str, type[Event]] = {
    kind.KIND: kind
    for kind in (
        Started, Note, Progress, RateFound, FoldsTried, PreviewsDrawn, ResultDrawn,
        CheckpointSaved, CheckpointChosen, StrengthScored, PhotoCaptioned, PictureDrawn, JobServed,
        StepBoundary, StatusChanged, Paused, Cancelled, Done, Failed,
    )
}  # fmt: skip
OLD_TIMINGS = {
    "seconds": "seconds", "speed": "steps_per_second", "first": "first_step_seconds",
    "photo": "photo_seconds", "picture": "picture_seconds",
}  # fmt: skip
E_co = TypeVar("E_co", bound=Event, covariant=True)


@dataclass(frozen=True, slots=True)
class LogEntry(Generic[E_co]):
    """An event in a job's history."""

    event: E_co
    at: float  #: unix seconds
    fence: int = 0  #: of the claim whose run it ends; 0 where it ends none
    id: int = 0  #: its number in the table; 0 before it is there
    job: int = 0

    def to_json(self) -> Json:
        """Return the event's JSON with the fence: what the table keeps beside kind and time."""
        return self.event.to_json() | ({"fence": self.fence} if self.fence else {})

    def to_line(self) -> Json:
        """Return the JSON of a line, in files and on the shell."""
        return {"at": round(self.at, 3), "kind": self.event.kind, **self.to_json()}


def _read_part(cls: type[Any], facts: Mapping[str, Any]) -> Any:
    """Read a part of an event, None where it is missing or another version's."""
    with suppress(TypeError):
        return cls(**{each.name: facts[each.name] for each in fields(cls) if each.name in facts})
    return None


def _frozen(value: Any) -> Any:
    """Return JSON's lists as the tuples that events hold."""
    return tuple(value) if isinstance(value, list) else value
