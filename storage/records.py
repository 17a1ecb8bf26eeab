"""The nouns that bot and trainer share: frozen records that do nothing but read themselves."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from storage.errors import UserError


class Concept(StrEnum):
    """What a dataset teaches."""

    SUBJECT = "subject"  #: one thing: my dog
    LOOK = "look"  #: a manner of drawing: my watercolours


class Kind(StrEnum):
    """What a job does."""

    TRAIN = "train"
    CAPTION = "caption"
    SAMPLE = "sample"


class Status(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"  #: waits for a worker (also after a crash, until its next attempt)
    RUNNING = "running"  #: claimed under a lease
    PAUSED = "paused"  #: a checkpoint on disk, nothing in memory
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to the job."""
        return self in {Status.DONE, Status.FAILED, Status.CANCELLED}


class JobCommand(StrEnum):
    """What somebody asked of a job; honoured at a step boundary."""

    PAUSE = "pause"
    CANCEL = "cancel"
    FINISH = "finish"  #: stop here and keep this


class Dial(StrEnum):
    """The one dial for people."""

    QUICK = "quick"
    BALANCED = "balanced"
    THOROUGH = "thorough"


class Domain(StrEnum):
    """What a base draws best."""

    PHOTO = "photo"
    DRAWING = "drawing"  #: paintings and drawings
    ANIME = "anime"
    EMOJI = "emoji"
    GENERAL = "general"  #: nothing above all


class Commercial(StrEnum):
    """Whether a base's licence lets one earn money with what it draws."""

    YES = "yes"
    CONDITIONS = "conditions"  #: yes, as long as `Base.terms` are kept
    NO = "no"
    UNSEEN = "unseen"  #: the licence was not read


class Optimizer(StrEnum):
    """What moves the numbers that are trained."""

    ADAMW = "adamw"
    ADAMW8BIT = "adamw8bit"  #: less memory
    ADAFACTOR = "adafactor"  #: less memory
    PRODIGY = "prodigy"  #: finds the learning rate itself
    SCHEDULEFREE = "schedulefree"  #: needs no falling rate


@dataclass(frozen=True, slots=True)
class Dataset:
    """A member's named set of photos."""

    id: int
    owner: int
    guild: int
    name: str
    concept: Concept
    trigger: str
    created: float


@dataclass(frozen=True, slots=True)
class CheckedPhoto:
    """A picture that passed the checks: clean pixels, nothing else of the original file."""

    digest: str  #: sha256 of width, height and RGB (or RGBA) bytes, hex
    phash: int  #: 64-bit difference hash, for near duplicates
    width: int
    height: int
    #: PNG, upright, no metadata, at most `sandbox.LONGEST` on a side; RGB, where it is see-through
    #: as on white, with its alpha
    pixels: bytes
    preview: bytes  #: WebP, at most 512 px on a side, for cards
    warnings: tuple[str, ...]  #: of "tiny", "blurred"; "duplicate" is added by `Photos.add`


@dataclass(frozen=True, slots=True)
class Photo:
    """One checked picture of a dataset with its caption."""

    id: int
    dataset: int
    owner: int
    digest: str
    phash: int
    width: int
    height: int
    caption: str
    warnings: tuple[str, ...]
    created: float


@dataclass(frozen=True, slots=True)
class NewJob:
    """What is known of a job when it is asked for."""

    kind: Kind
    owner: int
    guild: int
    channel: int
    request: dict[str, Any]  #: one of the requests in `storage/requests.py`, as JSON
    base: str  #: the base (or captioner) it needs
    dataset: int | None = None
    style: int | None = None
    private: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """One run in the queue."""

    id: int
    kind: Kind
    status: Status
    owner: int
    guild: int
    channel: int  #: where it was asked for, and where its card is
    request: dict[str, Any]
    base: str
    dataset: int | None
    style: int | None  #: sampled from, or made by, this job
    private: bool
    requested: JobCommand | None
    requested_by: int | None
    attempts: int
    fence: int  #: grows with each claim; a write under an older one is refused
    worker: str | None
    lease: float | None  #: unix time when the claim runs out
    error: dict[str, Any] | None  #: code and facts of the sentence that ended it
    message: int | None  #: the job card
    thread: int | None
    posted: float | None  #: when the card was posted
    created: float
    started: float | None
    ended: float | None


@dataclass(frozen=True, slots=True)
class Style:
    """A finished, loadable result that can be sampled and shared."""

    id: int
    owner: int | None  #: None once its maker left and chose to leave it without their name
    guild: int
    job: int | None
    name: str
    method: str
    family: str
    base: str
    trigger: str
    concept: Concept
    digest: str  #: sha256 of the file, hex
    bytes: int
    created: float
    shared: tuple[int, ...] = ()  #: servers whose members may sample it
    whole: bool = False  #: a model of its own, kept only as long as the operator says
    removed: float | None = None  #: unix time when its file was


@dataclass(frozen=True, slots=True)
class Server:
    """What a server's owner decided. Empty roles mean everybody; zero means no limit."""

    guild: int
    channel: int | None = None  #: the training channel
    log: int | None = None  #: where reports go
    trainers: tuple[int, ...] = ()  #: roles that may train
    samplers: tuple[int, ...] = ()  #: roles that may sample
    jobs: int = 10  #: trainings a day and member
    minutes: int = 120  #: estimated minutes of one training


@dataclass(frozen=True, slots=True)
class Base:
    """A model to start from, as the catalog shows it."""

    name: str
    title: str
    family: str
    source: str  #: hub id, or the name of a file or folder among the operator's bases
    resolution: int
    licence: str
    good: str  #: what it is good for, one line
    present: bool
    small: bool = False  #: draws tiny emoji; the card says so
    memory_mib: int = 0  #: MiB that it takes in the worker
    domain: Domain = Domain.GENERAL
    weak: str = ""  #: its weak points, one line
    prediction: str = (
        ""  #: "epsilon" or "v_prediction", as diffusers calls it; "": as its files say
    )
    clip_skip: int = (
        1  #: clip skip as AUTOMATIC1111 counts: 1 reads the last layer, 2 the one before
    )
    commercial: Commercial = Commercial.UNSEEN
    terms: str = ""  #: what the licence asks, one line
    licence_url: str = ""  #: where the licence was read
    known: bool = True  #: this version has its family; another one is listed, never offered

    @property
    def missing_code(self) -> str:
        """The code of what keeps it from being used; "" where nothing does."""
        if not self.known:
            return "base_family"
        missing = "base_missing" if "/" in self.source else "base_bring"
        return "" if self.present else missing

    @property
    def facts(self) -> dict[str, str]:
        """What the sentence of what it lacks needs."""
        named = {"base": self.title, "name": self.name}
        return named | {"family": self.family, "source": self.source}


@dataclass(frozen=True, slots=True)
class Rule:
    """How steps, rank and rate follow from the dial for one method on one base."""

    method: str
    base: str
    concept: Concept
    dial: Dial
    steps: int  #: for one photo …
    steps_per_photo: int  #: … and for each further photo
    min_steps: int
    max_steps: int
    rank: int  #: rank of a LoRA, vectors of an embedding; zero trains whole networks
    learning_rate: float
    batch_size: int
    file_bytes: int  #: expected size of the file
    reason: str  #: code of the sentence that says why
    num_class_images: int = 0  #: class pictures that are learnt beside the photos
    memory_mib: int = 0  #: MiB of the GPU that it is expected to take; 0 is not known


@dataclass(frozen=True, slots=True)
class Method:
    """What can be trained, and which options it takes."""

    name: str  #: of its module in `training/methods`
    ranks: tuple[int, int] = (1, 128)  #: least and most; with rank 0, whole networks are trained
    dropout: bool = False  #: whether it has adapters, to drop a part of
    learns_word: bool = False  #: whether it learns one word, and so one concept
    own_rates: bool = False  #: whether parts of it have learning rates of their own
    title: str = ""  #: as people call it: "LoRA"; the name if it is empty
    help: str = ""  #: what it learns and costs, one line
    rank_name: str = "rank"  #: how its rank is called on the command: "vectors"
    rank_help: str = "rank, how much it can learn"
    rank_rules: str = ""  #: the method whose rules hold where a rank is given, but not usual

    def __post_init__(self) -> None:
        object.__setattr__(self, "title", self.title or self.name)


@dataclass(frozen=True, slots=True)
class Catalog:
    """What the trainer can do, published to the bot when a worker starts."""

    bases: tuple[Base, ...] = ()
    methods: tuple[Method, ...] = ()
    captioner: str = "embedded"
    rules: tuple[Rule, ...] = ()
    device: str = "cpu"  #: the device of the worker, as a person would name it
    memory_mib: int = 0  #: MiB of the worker's GPU; 0 without one
    published: float = 0.0

    def find_base(self, name: str) -> Base:
        """Return a base by its name; raise UserError "base_unknown" with the names there are."""
        for base in self.bases:
            if base.name == name:
                return base
        raise UserError("base_unknown", base=name[:100], choices=[b.name for b in self.bases])


@dataclass(frozen=True, slots=True)
class Timing:
    """What runs on this machine have taken, for estimates."""

    step: float  #: seconds a step
    photo: float  #: seconds to encode a photo
    picture: float  #: seconds to draw a picture on the way
    overhead: float  #: seconds for all else: loading, saving
    runs: int = 1


@dataclass(frozen=True, slots=True)
class Plan:
    """What a training will be, before it is asked for: the pre-flight card."""

    method: str
    base: str
    dial: Dial
    photos: int
    steps: int
    rank: int
    learning_rate: float
    batch_size: int
    file_bytes: int
    reasons: tuple[str, ...] = field(default=())
    num_class_images: int = 0  #: class pictures
    seconds: float = 0.0  #: 0 is not known
    timed_like: str = (
        ""  #: the method whose runs tell the time, where this kind was never measured
    )
    memory_mib: int = 0  #: MiB of the GPU; 0 is not known
