"""Everything one training needs, frozen; written into its file without what is private."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from storage.errors import JobError
from storage.planning.plan import often
from storage.records import Concept, Optimizer
from training.recipe.concepts import Prompt, Shot, Topic, called, ordinary, shown
from training.recipe.limits import FLOWS, check

if TYPE_CHECKING:
    from collections.abc import Sequence

    from storage.records import Base
    from storage.requests import TrainRequest

LONG = 0.999  # decay of the moving average of whole networks
STEADY = 0.97  # decay of the moving average of looks on a tiny base
GAMMA = 5.0  # of min-SNR, as its paper has it
#: what a file tells only where it is used: so other files stay, byte for byte, as they were
SPARING = frozenset({
    "shuffle", "dropout", "optimizer", "prior", "keep", "masked", "background", "sides",
    "others", "parts", "quantised", "rungs", "start",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rung:
    """Something that was given up for memory, and the step from which on."""

    step: int
    name: str  #: as `training/run/memory.py` knows it


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything one run needs."""

    method: str
    base: str
    name: str  #: of the style, and of its file
    trigger: str
    concept: Concept
    steps: int
    #: of a LoRA; the vectors of an embedding; a hypernetwork's width by its prompts'; zero trains
    #: whole networks
    rank: int
    rate: float
    batch: int
    seed: int
    resolution: int
    photos: tuple[Shot, ...]
    family: str = ""
    identity: str = ""  #: fingerprint of the base's files; empty is not checked
    word: str = ""  #: what an embedding starts from; a subject's class
    start: str = ""  #: what an embedding starts from where nobody said it: a worker's choice
    others: tuple[Topic, ...] = ()  #: further concepts; what stands above is the first one's
    prompts: tuple[Prompt, ...] = ()
    every: int = 50  #: steps between checkpoints
    text: bool = False  #: whether the text encoder is adapted too
    wide: bool = False  #: whether a LoRA adapts MLP and convolutions, too
    frugal: bool = False  #: gradient checkpointing: less memory, a third more time
    quantised: bool = False  #: the frozen denoiser in 4 bits: less memory, other numbers
    parts: int = 1  #: in which a batch is taken, one after the other: less memory
    gamma: float = GAMMA  #: of min-SNR; zero is off, as a word learns from the noisiest steps most
    ema: float = (
        0.0  #: decay of the moving average that samples and files are made of; zero is off
    )
    offset: float = 0.0  #: of noise, the same all over a picture (Guttenberg 2023); zero is off
    silence: float = 0.0  #: the part of captions that is dropped (Ho and Salimans 2022)
    decay: float = 0.01  #: weight decay of the optimizer
    prior: int = 0  #: class pictures that keep what the base knows (Ruiz et al. 2022); zero is off
    keep: float = 1.0  #: how much class pictures count beside the photos
    ordinary: str = ""  #: what class pictures show
    schedule: str = "cosine"  #: of the rate, after a short warm-up; or "constant"
    shuffle: bool = False  #: whether the parts of captions, between commas, change their order
    optimizer: Optimizer = Optimizer.ADAMW
    masked: bool = False  #: whether photos' alpha channels say which parts of them count
    background: float = 0.1  #: how much the other parts count then
    sides: tuple[int, ...] = ()  #: further resolutions that photos are learnt at
    dropout: float = 0.0  #: of what adapters add in a step, the part that is dropped
    most: int = 0  #: bytes above which a smaller copy is made, too; 0 is never
    accepted: float = 0.0  #: unix time of the job's acceptance, the file's date
    precision: str = ""  #: empty until a worker has chosen
    threads: int = 0  #: zero until a worker has chosen
    rungs: tuple[Rung, ...] = ()  #: of the ladder, that a worker has gone down for memory

    def __post_init__(self) -> None:
        check(self)

    @classmethod
    def of(
        cls,
        request: TrainRequest,
        base: Base,
        photos: Sequence[tuple[str, str]],
        **more: Any,
    ) -> Recipe:
        """Complete what was asked for; `photos` are (file, caption), `more` any other field."""
        others: tuple[Topic, ...] = more.get("others", ())
        texts = [*shown(request, base), *(shown(other, base)[0] for other in others)]
        given = {f.name: getattr(request, f.name) for f in fields(cls) if hasattr(request, f.name)}
        free = more.get("optimizer", request.optimizer) is Optimizer.SCHEDULEFREE
        chosen = {
            "family": base.family,
            "resolution": base.resolution,
            "photos": tuple(Shot(file, called(text, request, base)) for file, text in photos),
            "prompts": tuple(Prompt(text, request.seed + at) for at, text in enumerate(texts)),
            "every": often(request.steps),
            "text": request.method != "embedding" and reads(request.concept, base),
            "ordinary": ordinary(request, base),
            "rank": 0 if request.method == "finetune" else request.rank,
            "wide": request.method == "locon"
            or (request.method in {"lora", "pivotal"} and base.small),
            "ema": 0.0 if free else steadiness(request, base),
            "schedule": "constant" if free else "cosine",
            "gamma": 0.0 if request.method == "embedding" or base.family in FLOWS else GAMMA,
        }
        return cls(**(given | chosen | more))

    @classmethod
    def read(cls, value: dict[str, Any]) -> Recipe:
        """Read a recipe back from JSON."""
        known = {f.name for f in fields(cls)}
        try:
            content = {name: entry for name, entry in value.items() if name in known}
            content["concept"] = Concept(content["concept"])
            content["optimizer"] = Optimizer(content.get("optimizer", Optimizer.ADAMW))
            content["photos"] = tuple(Shot(**shot) for shot in content["photos"])
            content["sides"] = tuple(content.get("sides", ()))
            content["rungs"] = tuple(Rung(**rung) for rung in content.get("rungs", ()))
            content["others"] = tuple(map(Topic.read, content.get("others", ())))
            content["prompts"] = tuple(Prompt(**prompt) for prompt in content.get("prompts", ()))
            return cls(**content)
        except (KeyError, TypeError, ValueError) as broken:
            raise JobError("recipe_broken", reason=str(broken)) from broken

    @property
    def shots(self) -> tuple[Shot, ...]:
        """List the photos of all concepts; elsewhere their numbers stand for them."""
        return self.photos + tuple(shot for other in self.others for shot in other.photos)

    @property
    def triggers(self) -> dict[str, range]:
        """Give the numbers of each concept's photos by its trigger."""
        found, first = {}, 0
        for trigger, photos in [
            (self.trigger, self.photos),
            *((other.trigger, other.photos) for other in self.others),
        ]:
            found[trigger] = range(first, first + len(photos))
            first += len(photos)
        return found

    def json(self) -> dict[str, Any]:
        """Give it as JSON."""
        return asdict(self)

    def public(self) -> dict[str, Any]:
        """Give it as JSON without captions, photos' names and prompts: what a file may tell."""
        told = asdict(self)
        told["photos"] = len(self.photos)
        told["prompts"] = len(self.prompts)
        told["others"] = tuple(
            {**other, "photos": len(other["photos"])} for other in told["others"]
        )
        del told["most"], told["ordinary"]
        usual = {field.name: field.default for field in fields(self)}
        return {
            name: value
            for name, value in told.items()
            if name not in SPARING or value != usual[name]
        }

    def lr_factor(self, step: int) -> float:
        """Give the part of the rate that holds at a step: a short warm-up, then the schedule."""
        rising = min(1.0, (step + 1) / max(1, min(10, self.steps // 10)))
        if self.schedule == "constant":
            return rising
        return rising * (0.1 + 0.45 * (1 + math.cos(math.pi * step / self.steps)))


def steadiness(request: TrainRequest, base: Base) -> float:
    """Choose the decay of the moving average; zero is none."""
    if base.small and by_look(request):
        return STEADY
    return LONG if request.method == "finetune" else 0.0


def by_look(request: TrainRequest) -> bool:
    """Tell whether layers are to learn a look."""
    return request.concept is Concept.LOOK and request.method != "embedding"


def reads(concept: Concept, base: Base) -> bool:
    """Tell whether a LoRA adapts the text encoder: a subject's on a base of true size.

    A tiny base learns subjects as well by its UNet alone, and faster: its prompts are read once.
    Looks it learns better with both.
    """
    return base.family not in FLOWS and (concept is Concept.SUBJECT) is not base.small
