"""Records that bot, storage and training share. Times are unix seconds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from storage.crops import MIDDLE, Framing
from storage.errors import UserError
from storage.measurements import Examination, PhotoMeasures


class Concept(StrEnum):
    """What a dataset teaches."""

    SUBJECT = "subject"  #: one thing, e.g. my dog (kohya: object)
    LOOK = "look"  #: a visual style, e.g. my watercolours (kohya: style)


class Kind(StrEnum):
    """What a job does."""

    TRAIN = "train"
    CAPTION = "caption"
    SAMPLE = "sample"
    GRADE = "grade"  #: say how good a style is


class Status(StrEnum):
    """The state of a job."""

    QUEUED = "queued"  #: waits for a worker, also between two attempts
    RUNNING = "running"  #: claimed by a worker, under a lease
    PAUSED = "paused"  #: by a person; its checkpoint is on disk, nothing in memory
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to the job."""
        return self in {Status.DONE, Status.FAILED, Status.CANCELLED}


class JobCommand(StrEnum):
    """A person's command to a job; a running one obeys between two steps."""

    PAUSE = "pause"
    CANCEL = "cancel"
    FINISH = "finish"  #: stop here and make the style from what was learnt so far


class Release(StrEnum):
    """Why a worker no longer holds a job that has not ended."""

    HANDED_BACK = "handed_back"  #: it put the job down, told to end
    LEFT = "left"  #: it died while it did something else, or while nobody watched
    INTERRUPTED = "interrupted"  #: it was ended from outside while it advanced this job
    CRASHED = "crashed"  #: it died of itself while it advanced this job


class Dial(StrEnum):
    """How long to train: the one setting that everybody chooses."""

    QUICK = "quick"
    BALANCED = "balanced"
    THOROUGH = "thorough"


class Domain(StrEnum):
    """The kind of picture that a base draws best."""

    PHOTO = "photo"
    DRAWING = "drawing"  #: paintings and drawings
    ANIME = "anime"
    EMOJI = "emoji"
    GENERAL = "general"  #: no speciality


class Commercial(StrEnum):
    """Whether a base's licence allows commercial use of its pictures."""

    YES = "yes"
    CONDITIONS = "conditions"  #: yes, as long as `Base.terms` are kept
    NO = "no"
    UNSEEN = "unseen"  #: unknown: nobody has read the licence


class Optimizer(StrEnum):
    """The algorithm that updates the trained weights."""

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
    attested: float | None = None  #: when its owner attested that the people in it agree


@dataclass(frozen=True, slots=True)
class CheckedPhoto:
    """A picture that passed the darkroom's checks: its pixels, nothing else of the file."""

    digest: str  #: sha256 of width, height and RGB (or RGBA) bytes, hex
    phash: int  #: 64-bit difference hash, to find near duplicates
    width: int
    height: int
    #: upright PNG without metadata, at most `sandbox.MAX_KEPT_SIDE` a side; RGB composited on
    #: white, with an alpha channel if the picture has transparent parts
    pixels: bytes
    preview: bytes  #: WebP of at most 512 px a side, for cards
    warnings: tuple[str, ...]  #: those of `measures.list_warnings`, and "animated"
    framing: Framing = MIDDLE
    measures: PhotoMeasures | None = None
    examination: Examination | None = None
    features: str = ""  #: as `storage.planning.features` packs them; "" is not looked at
    plain_digest: str = ""  #: that without the mask in its alpha channel; "" without a mask


@dataclass(frozen=True, slots=True)
class Photo:
    """A checked picture of a dataset, with its caption."""

    id: int
    dataset: int
    owner: int  #: of the dataset
    contributor: int  #: whose photo it is
    digest: str
    phash: int
    width: int
    height: int
    caption: str
    written: bool  #: its owner wrote the caption, so no captioner replaces it
    warnings: tuple[str, ...]  #: as in `CheckedPhoto`; "duplicate" in those of before 0.3
    framing: Framing  #: what a training keeps of it
    found_framing: Framing  #: the same, but for what its owner has chosen
    repeats: int  #: how often an epoch shows it
    created: float
    measures: PhotoMeasures | None = None  #: none in those of before 0.3
    shot: int = 0  #: photos of the same shot have the same number; 0 is alone
    accepted: bool = False  #: its owner keeps it against advice
    examination: Examination | None = None  #: none before the examiner has seen it
    features: str = ""  #: as `storage.planning.features` packs them; empty is not looked at
    plain_digest: str = ""  #: as in `CheckedPhoto`

    @property
    def masked(self) -> bool:
        """Whether its alpha channel is a mask, which hides nothing of it."""
        return bool(self.plain_digest)


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job to be put into the queue."""

    kind: Kind
    owner: int
    guild: int
    channel: int  #: 0 for pictures of a study, which have no card
    request: dict[str, Any]  #: one of the requests in `storage/requests.py`, as JSON
    base: str  #: the base or captioner that a worker needs for it
    dataset: int | None = None
    style: int | None = None
    private: bool = False
    comparison: int | None = None  #: that it is a part of


@dataclass(frozen=True, slots=True)
class Job:
    """A job in the queue, or one that was."""

    id: int
    key: str  #: random; in the name of its folder
    kind: Kind
    status: Status
    owner: int
    guild: int
    channel: int  #: where its card is
    request: dict[str, Any]
    base: str
    dataset: int | None
    style: int | None  #: sampled from, or made by, this job
    private: bool
    requested: JobCommand | None
    requested_by: int | None
    attempts: int  #: crashes since the job last got further, and the claim that holds now
    fence: int  #: grows with each claim; writes that name an older claim are refused
    worker: str | None
    lease: float | None  #: unix time when the claim runs out
    error: dict[str, Any] | None  #: code and facts of the error that ended it
    message: int | None  #: the card's message
    thread: int | None
    posted: float | None  #: when the card was posted
    created: float
    started: float | None
    ended: float | None
    interruptions: int = 0  #: from outside, since the job last got further
    comparison: int | None = None  #: that it is a part of: its card shows it, too

    @property
    def folder(self) -> str:
        """The name of its folder in `runs/`."""
        return f"{self.id}-{self.key}"


@dataclass(frozen=True, slots=True)
class Style:
    """A finished result that can be loaded, sampled and shared."""

    id: int
    key: str  #: random; in the name of its folder
    owner: int | None  #: None after its maker left and chose to keep it shared
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
    whole: bool = False  #: a full model, whose large file is removed after some time
    removed: float | None = None  #: when the file was removed
    checkpoint: int | None = None  #: the step that its owner chose; None is the bot's choice

    @property
    def folder(self) -> str:
        """The name of its folder in `styles/`."""
        return f"{self.id}-{self.key}"


@dataclass(frozen=True, slots=True)
class Server:
    """The settings of a Discord server. No roles mean everybody; 0 means no limit."""

    guild: int
    channel: int | None = None  #: the training channel
    log: int | None = None  #: the channel for reports
    trainers: tuple[int, ...] = ()  #: roles that may train
    samplers: tuple[int, ...] = ()  #: roles that may sample
    jobs: int = 10  #: most trainings of a member in 24 hours
    minutes: int = 120  #: most estimated minutes of a training


@dataclass(frozen=True, slots=True)
class Base:
    """A model to start from, as the catalog lists it."""

    name: str
    title: str
    family: str
    source: str  #: hub id, or the name of a file or folder in the operator's `bases/`
    resolution: int  #: pixels a side that it was trained with
    licence: str
    good: str  #: its strengths, one line
    present: bool  #: whether its files are on this machine
    small: bool = False  #: whether it draws tiny emoji, as the embedded base does
    memory_mib: int = 0  #: MiB it takes in the worker
    domain: Domain = Domain.GENERAL
    weak: str = ""  #: its weaknesses, one line
    prediction: str = ""  #: diffusers' `prediction_type`; "" takes it from the base's files
    clip_skip: int = 1  #: as AUTOMATIC1111 counts: 1 reads the last layer, 2 the one before
    commercial: Commercial = Commercial.UNSEEN
    terms: str = ""  #: the licence's conditions, one line
    licence_url: str = ""  #: where the licence was read
    known: bool = True  #: whether this version has its family; others are listed, not offered
    caption_tokens: int = 0  #: that it reads of a caption; 0 if that is more than any has
    tokenizer: str = ""  #: the file that splits a caption into tokens; "" for CLIP's

    @property
    def missing_code(self) -> str:
        """The error code of why the base cannot be used; "" if it can."""
        if not self.known:
            return "base_family"
        missing = "base_missing" if "/" in self.source else "base_bring"  # from the hub, or not
        return "" if self.present else missing

    @property
    def missing_facts(self) -> dict[str, str]:
        """The facts that fill in the sentence of `missing_code`."""
        named = {"base": self.title, "name": self.name}
        return named | {"family": self.family, "source": self.source}


@dataclass(frozen=True, slots=True)
class Rule:
    """The defaults of one method on one base, for one concept and one position of the dial."""

    method: str
    base: str
    concept: Concept
    dial: Dial
    steps: int  #: for one photo …
    steps_per_photo: int  #: … and for each further photo
    min_steps: int
    max_steps: int
    rank: int  #: rank of a LoRA, vectors of an embedding; 0 trains whole networks
    learning_rate: float
    batch_size: int
    file_bytes: int  #: expected size of the file
    source: str  #: where these numbers come from: who measured or published them
    num_class_images: int = 0  #: class pictures for prior preservation
    memory_mib: int = 0  #: expected MiB of GPU memory; 0 is unknown


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
    small_copy: bool = False  #: whether a LoRA is made of a file that is too large to post
    rank_rules: str = ""  #: the method whose rules hold where a rank is given, but not usual

    def __post_init__(self) -> None:
        object.__setattr__(self, "title", self.title or self.name)


class Place(NamedTuple):
    """A worker's device, as a catalog of several workers knows it."""

    worker: str
    device: str  #: its name, for people
    memory_mib: int
    stepper: str
    runs: frozenset[str]  #: see `storage.places.list_runs`


@dataclass(frozen=True, slots=True)
class Catalog:
    """What a worker can do, or all of them together, for the bot."""

    bases: tuple[Base, ...] = ()
    methods: tuple[Method, ...] = ()
    captioner: str = "embedded"
    rules: tuple[Rule, ...] = ()
    device: str = "cpu"  #: the name of the worker's device, for people
    memory_mib: int = 0  #: MiB of the worker's GPU; 0 without one
    published: float = 0.0
    stepper: str = ""  #: how the operator has steps computed, if not as usual: "graph", "compile"
    places: tuple[Place, ...] = ()  #: of all workers, the largest first; a worker's own has none
    away: bool = False  #: whether the worker has been away for so long that it is not offered

    def get_base(self, name: str) -> Base | None:
        """Return a base by its name, None if the scheduler does not have it."""
        return next((base for base in self.bases if base.name == name), None)

    def base_title(self, name: str) -> str:
        """Return the title of a base; its name if the scheduler no longer has it."""
        base = self.get_base(name)
        return base.title if base else name

    def find_base(self, name: str) -> Base:
        """Return a base by its name; raise UserError "base_unknown" with the names there are."""
        base = self.get_base(name)
        if base is None:
            choices = [each.name for each in self.bases]
            raise UserError("base_unknown", base=name[:100], choices=choices)
        return base

    def method_title(self, name: str) -> str:
        """Return what people call a method; the name of one that is no longer there."""
        return next((each.title for each in self.methods if each.name == name), name)


@dataclass(frozen=True, slots=True)
class Timing:
    """Mean seconds that trainings took on this machine, for estimates."""

    step: float
    photo: float  #: to encode one
    picture: float  #: to draw one during the training
    overhead: float  #: of a run: loading, saving
    runs: int = 1  #: how many were measured
