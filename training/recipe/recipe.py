"""`Recipe`: everything one training needs, frozen. Its public part goes into the file's header."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any

from storage import limits
from storage.errors import JobError
from storage.limits import check_range
from storage.options import TrainingOptions, options_table
from storage.records import Concept, Optimizer
from storage.variations import AUGMENTATIONS
from training.recipe.concepts import ConceptPhotos, SamplePrompt, TrainingPhoto
from training.recipe.limits import MEMORY_FALLBACKS, RANGES
from training.recipe.names import current_names

#: left out of a file's header when they have their default, so that older files stay as they were
OMITTED_WHEN_DEFAULT = frozenset({
    "shuffle_caption", "dropout", "optimizer", "num_class_images", "class_photos",
    "prior_loss_weight", "masked_loss", "unmasked_weight", "extra_resolutions", "other_concepts",
    "gradient_accumulation_steps", "nf4", "memory_fallbacks", "initializer_token",
    "random_backgrounds", "stepper", "continued_from", "find_learning_rate", "found_learning_rate",
    "validation_split", "validation_photos",
    *AUGMENTATIONS,
})  # fmt: skip
#: of `Recipe.stepper`: replay steps as CUDA graphs; compile them, and replay them on a GPU; graphs
#: where they are possible, which no run keeps: `settle` decides
GRAPH, COMPILE, AUTO = "graph", "compile", "auto"
#: left out of JSON when unused: recipes of before 0.2 are compared with newer ones by it
LATER_FIELDS = (
    *AUGMENTATIONS, "class_photos", "continued_from", "scoring_share",
    "strength_share", "patience",
    "find_learning_rate", "found_learning_rate",
    "validation_split", "validation_photos", "stop_after",
)  # fmt: skip
#: left out of a file's header: private, or of no use to its reader
NOT_PUBLIC = (
    "max_file_bytes",
    "class_prompt",
    "scoring_share",
    "strength_share",
    "patience",
    "stop_after",
    "found_last_step",
)


def count_files(photos: Iterable[TrainingPhoto]) -> int:
    """Count the files of photos; a file may be there on several backgrounds."""
    return len({photo.file for photo in photos})


@dataclass(frozen=True, slots=True)
class MemoryFallback:
    """What the run gave up to fit into memory, and the step from which on."""

    step: int
    name: str  #: a key of `training/run/memory.py`'s FALLBACKS


@dataclass(frozen=True, slots=True)
class Recipe(TrainingOptions):
    """Everything one run needs; the options are inherited.

    Raises JobError for a recipe that cannot be trained.
    """

    method: str
    base: str
    name: str  #: of the style, and of its file
    trigger: str
    concept: Concept
    steps: int
    #: of a LoRA; vectors of an embedding; a hypernetwork's width as a multiple of the width of
    #: prompts; 0 trains whole networks
    rank: int
    learning_rate: float
    batch_size: int
    seed: int
    resolution: int  #: pixels a side
    photos: tuple[TrainingPhoto, ...]
    family: str = ""
    base_fingerprint: str = ""  #: of the base's files; empty is not checked
    class_word: str = ""  #: a subject's class, e.g. dog; also what an embedding starts from
    initializer_token: str = ""  #: what an embedding starts from if `class_word` is empty
    other_concepts: tuple[ConceptPhotos, ...] = ()  #: the fields above are of the first one
    prompts: tuple[SamplePrompt, ...] = ()  #: drawn before the first step and at each checkpoint
    save_every: int = 50  #: steps between checkpoints
    all_layers: bool = False  #: whether a LoRA adapts MLPs and convolutions, too
    gradient_checkpointing: bool = False  #: saves memory, takes a third more time
    nf4: bool = False  #: the frozen denoiser in 4 bits: saves memory, changes the numbers slightly
    gradient_accumulation_steps: int = 1  #: parts of a batch, one after the other
    num_class_images: int = 0  #: to draw for prior preservation (Ruiz et al. 2022)
    class_photos: tuple[TrainingPhoto, ...] = ()  #: for the same, beside those or in their place
    validation_photos: tuple[TrainingPhoto, ...] = ()  #: held out: never trained on
    class_prompt: str = ""  #: for drawing class pictures
    max_file_bytes: int = 0  #: above which a smaller copy is made, too; 0 is never
    accepted: float = 0.0  #: unix time at which the job was queued; the file's date
    precision: str = ""  #: chosen by the worker
    threads: int = 0  #: of the CPU, chosen by the worker
    stepper: str = ""  #: how steps are computed, "" is op by op; chosen by the worker
    memory_fallbacks: tuple[MemoryFallback, ...] = ()  #: taken by the worker
    scoring_share: float = 0.0  #: of the time, for scoring checkpoints by what they draw
    strength_share: float = 0.0  #: the same, for trying strengths of the finished style
    patience: int = 0  #: checkpoints without a better score, then the run ends; 0 is never
    stop_after: int = 0  #: step at which it ends, on the schedule of all its steps; 0 is the last
    continued_from: int = 0  #: step at which a finished training was taken up again
    found_learning_rate: float = 0.0  #: by the worker's sweep, in place of the other
    found_last_step: int = 0  #: by the worker's runs without some photos, in place of the last one

    def __post_init__(self) -> None:
        check_recipe(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Recipe:
        """Read a recipe from JSON, under the names of any version.

        Raises JobError: "recipe_unknown" with the keys that do not exist, "recipe_broken" if
        something is missing or malformed, and the errors of `check_recipe`.
        """
        try:
            content = current_names(value)
            unknown = content.keys() - {f.name for f in fields(cls)}
            if unknown:
                raise JobError("recipe_unknown", keys=sorted(unknown))
            for option in options_table():
                if option.name in content:
                    content[option.name] = option.from_json(content[option.name])
            content["concept"] = Concept(content["concept"])
            content["photos"] = tuple(map(TrainingPhoto.from_json, content["photos"]))
            for name, read in (
                ("memory_fallbacks", lambda one: MemoryFallback(**one)),
                ("other_concepts", ConceptPhotos.from_json),
                ("prompts", lambda one: SamplePrompt(**one)),
                ("class_photos", TrainingPhoto.from_json),
                ("validation_photos", TrainingPhoto.from_json),
            ):
                content[name] = tuple(map(read, content.get(name, ())))
            return cls(**content)
        except (KeyError, TypeError, ValueError) as broken:
            raise JobError("recipe_broken", reason=str(broken)) from broken

    @property
    def all_photos(self) -> tuple[TrainingPhoto, ...]:
        """The photos of all concepts, in order; elsewhere their indices stand for them."""
        return self.photos + tuple(photo for one in self.other_concepts for photo in one.photos)

    @property
    def photo_ranges(self) -> dict[str, range]:
        """The indices of each concept's photos in `all_photos`, by its trigger."""
        found, first = {}, 0
        for trigger, photos in [
            (self.trigger, self.photos),
            *((other.trigger, other.photos) for other in self.other_concepts),
        ]:
            found[trigger] = range(first, first + len(photos))
            first += len(photos)
        return found

    @property
    def photo_repeats(self) -> list[dict[int, int]]:
        """How often an epoch shows each of a concept's photos, by its index in `all_photos`."""
        photos = self.all_photos
        return [{at: photos[at].repeats for at in each} for each in self.photo_ranges.values()]

    @property
    def trained_rate(self) -> float:
        """The learning rate that it trains at."""
        return self.found_learning_rate or self.learning_rate

    @property
    def last_step(self) -> int:
        """The step at which it ends."""
        return min(self.stop_after or self.steps, self.found_last_step or self.steps, self.steps)

    @property
    def preserves_prior(self) -> bool:
        """Whether it also trains on pictures of the class (Ruiz et al. 2022)."""
        return bool(self.num_class_images or self.class_photos)

    def to_json(self) -> dict[str, Any]:
        """Return the whole recipe as JSON."""
        content = asdict(self) | {
            "photos": [photo.to_json() for photo in self.photos],
            "other_concepts": [concept.to_json() for concept in self.other_concepts],
            "class_photos": [photo.to_json() for photo in self.class_photos],
            "validation_photos": [photo.to_json() for photo in self.validation_photos],
        }
        unused = [name for name in LATER_FIELDS if not content[name]]
        return {name: value for name, value in content.items() if name not in unused}

    def public_json(self) -> dict[str, Any]:
        """Return what a file's header may contain: no captions, photo names or prompts.

        A learning rate that was found stands there as if it had been given.
        """
        content = asdict(self) | {"learning_rate": self.trained_rate}
        content |= {"find_learning_rate": False, "found_learning_rate": 0.0}
        content["photos"], content["prompts"] = count_files(self.photos), len(self.prompts)
        content["other_concepts"] = tuple(
            {**asdict(other), "photos": count_files(other.photos)} for other in self.other_concepts
        )
        for name in ("class_photos", "validation_photos"):
            content[name] = count_files(getattr(self, name)) or ()
        default = {field.name: field.default for field in fields(self)}
        return {
            name: value
            for name, value in content.items()
            if name not in NOT_PUBLIC
            and (name not in OMITTED_WHEN_DEFAULT or value != default[name])
        }

    def lr_factor(self, step: int) -> float:
        """Return the factor of the learning rate at a step.

        It grows over a tenth of the steps, at most 10, then stays or falls to 0.1 by a cosine.
        """
        warmup = min(1.0, (step + 1) / max(1, min(10, self.steps // 10)))
        if self.lr_scheduler == "constant":
            return warmup
        return warmup * (0.1 + 0.45 * (1 + math.cos(math.pi * step / self.steps)))


def check_recipe(recipe: Recipe) -> None:
    """Raise JobError for a recipe that cannot be trained."""
    for name, between in RANGES.items():
        check_range(name, getattr(recipe, name), between, JobError)
    for option in options_table():
        option.check(getattr(recipe, option.name), JobError)
    check_optimizer(recipe)
    check_memory_fallbacks(recipe)
    check_concepts(recipe)


def check_optimizer(recipe: Recipe) -> None:
    """Raise JobError for a learning rate or schedule that the optimizer does not allow."""
    prodigy = recipe.optimizer is Optimizer.PRODIGY
    between = limits.PRODIGY_FACTOR if prodigy else limits.LEARNING_RATE
    check_range("learning_rate", recipe.learning_rate, between, JobError)
    if recipe.find_learning_rate and prodigy:
        raise JobError("rate_prodigy")
    scheduled = recipe.ema_decay or recipe.lr_scheduler != "constant"
    if recipe.optimizer is Optimizer.SCHEDULEFREE and scheduled:
        raise JobError("schedule_free")


def check_memory_fallbacks(recipe: Recipe) -> None:
    """Raise JobError for unknown fallbacks, or if the batch cannot be split into the parts."""
    unknown = [one.name for one in recipe.memory_fallbacks if one.name not in MEMORY_FALLBACKS]
    parts = recipe.gradient_accumulation_steps
    if unknown or recipe.batch_size % parts:
        raise JobError("recipe_broken", reason=f"memory fallbacks {unknown}, {parts} parts")


def check_concepts(recipe: Recipe) -> None:
    """Raise JobError for missing photos, a name that is no file name, or a missing class word."""
    name = recipe.name
    if not recipe.photos or not all(other.photos for other in recipe.other_concepts):
        raise JobError("no_photos")
    if not name.strip() or set(name) & set("/\\\0") or name.startswith("."):
        raise JobError("name_bad", most=64)
    check_triggers_differ(recipe)
    if recipe.preserves_prior and not recipe.class_word.strip():
        raise JobError("word_missing")


def check_triggers_differ(recipe: Recipe) -> None:
    """Raise JobError for too many concepts, or for triggers that are missing or equal.

    With prior preservation, all concepts must be of the class that its pictures show.
    """
    others = recipe.other_concepts
    if len(others) >= limits.MAX_CONCEPTS:
        raise JobError("concepts_many", count=len(others) + 1, most=limits.MAX_CONCEPTS)
    triggers = [recipe.trigger, *(other.trigger for other in others)]
    if not all(trigger.strip() for trigger in triggers):
        raise JobError("trigger_missing")
    if len({trigger.lower() for trigger in triggers}) < len(triggers):
        raise JobError("trigger_twice")
    if recipe.preserves_prior and any(one.class_word != recipe.class_word for one in others):
        raise JobError("prior_concepts")
