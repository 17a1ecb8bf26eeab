"""The options of a training: one table for the shell, the form, the recipe and the file header.

`TrainingOptions` is the table. A line in it becomes a flag of `safelight train`, a switch in the
form of the pre-flight card (if it has a `label`), a field of the recipe and a key of the
file's header. To add an option, add a line here and use `recipe.<name>` where it acts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

from storage.errors import SafelightError
from storage.limits import MAX_EXTRA_RESOLUTIONS, RESOLUTION, check_range
from storage.records import Optimizer

LR_SCHEDULERS = ("cosine", "constant")
MIN_TO_HOLD_OUT = 20  #: photos
SMALL_BACKGROUNDS = 4  #: behind transparent photos; a small base mixes subject and ground


@dataclass(frozen=True, slots=True)
class Option:
    """One line of the table."""

    name: str
    default: Any
    help: str  #: for `--help`
    limits: tuple[float, float] | None = None  #: (least, most), of each number if several
    choices: tuple[str, ...] = ()
    switch: Any = None  #: the value that a switch on the form sets; None: no switch
    label: str = ""  #: of its field or switch on the form of the card; empty: not on the form
    hint: str = ""  #: below that label
    aliases: tuple[str, ...] = ()  #: former names, still read
    small_default: Any = None  #: on small bases, if it differs there

    def default_on(self, *, small: bool) -> Any:
        """Return the default on a small base, or on any other."""
        return self.default if self.small_default is None or not small else self.small_default

    def from_json(self, value: Any) -> Any:
        """Return a value read from JSON with the type of the default."""
        if isinstance(self.default, StrEnum):
            return type(self.default)(value)
        return tuple(value) if isinstance(self.default, tuple) else value

    def check(self, value: Any, error: type[SafelightError]) -> None:
        """Raise `error` if the value is not allowed."""
        if self.choices and value not in self.choices:
            words = self.name.replace("_", " ").capitalize()
            raise error("not_a_choice", name=words, value=str(value), choices=list(self.choices))
        if isinstance(value, tuple) and len(value) > MAX_EXTRA_RESOLUTIONS:
            raise error("sides_many", count=len(value), most=MAX_EXTRA_RESOLUTIONS)
        if self.limits:
            for number in value if isinstance(value, tuple) else (value,):
                check_range(self.name, number, self.limits, error)


def option(default: Any, help: str, **more: Any) -> Any:  # noqa: A002 - argparse's word for it
    """Declare an option of `TrainingOptions`; `more` are further fields of `Option`."""
    if isinstance(default, StrEnum):
        more["choices"] = tuple(type(default))
    return field(default=default, metadata={"help": help, **more})


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingOptions:
    """Every option with its default."""

    optimizer: Optimizer = option(
        Optimizer.ADAMW,
        "optimizer; prodigy finds the rate itself, in long runs: --learning-rate is then a factor",
        label="Optimizer",
        hint="How the weights are updated. Leave it unless you know why.",
    )
    lr_scheduler: str = option(
        "cosine",
        "learning-rate schedule after a short warm-up",
        choices=LR_SCHEDULERS,
        aliases=("schedule",),
    )
    find_learning_rate: bool = option(
        default=False,
        help="look for the learning rate first, in a short sweep around the usual one",
        switch=True, label="Look for the learning rate first",
    )  # fmt: skip
    weight_decay: float = option(0.01, "weight decay", limits=(0, 1), aliases=("decay",))
    #: 0 is off; previews and the file use the averaged weights (Polyak and Juditsky 1992)
    ema_decay: float = option(
        0.0, "decay of a moving average of the weights, e.g. 0.99", limits=(0, 0.99999),
        aliases=("ema",),
    )  # fmt: skip
    #: 0 is off (Hang et al. 2023); embeddings learn most from the noisiest steps, so they skip it
    min_snr_gamma: float = option(
        5.0, "gamma of min-SNR weighting; 0 weighs all noise levels alike", limits=(0, 100),
        aliases=("gamma",),
    )  # fmt: skip
    #: noise that is equal all over a picture (Guttenberg 2023); SDXL was trained with 0.05
    noise_offset: float = option(
        0.0, "noise offset, for very dark or bright pictures, e.g. 0.05", limits=(0, 1),
        switch=0.05, label="Learn very dark and very bright pictures", aliases=("offset",),
    )  # fmt: skip
    #: for classifier-free guidance (Ho and Salimans 2022)
    caption_dropout_rate: float = option(
        0.0, "share of captions to drop, e.g. 0.1", limits=(0, 1),
        switch=0.1, label="Drop a tenth of the captions, so prompts matter less",
        aliases=("silence",),
    )  # fmt: skip
    shuffle_caption: bool = option(
        default=False, help="shuffle the parts of captions between commas",
        switch=True, label="Shuffle the parts of captions between commas", aliases=("shuffle",),
    )  # fmt: skip
    masked_loss: bool = option(
        default=False,
        help="ignore transparent areas of photos, and dark areas of x.mask.png beside x.png",
        switch=True, label="Ignore masked and transparent areas", aliases=("masked",),
    )  # fmt: skip
    unmasked_weight: float = option(
        0.1, "weight of the ignored areas with --masked-loss", limits=(0, 1),
        aliases=("background",),
    )  # fmt: skip
    random_backgrounds: int = option(
        0, "plain backgrounds to lay each transparent photo on; 4 on the embedded base",
        limits=(0, 12), switch=SMALL_BACKGROUNDS, small_default=SMALL_BACKGROUNDS,
        label="Lay transparent photos on several backgrounds",
    )  # fmt: skip
    #: augmentation, see `storage/variations.py`
    flip_aug: bool = option(
        default=False, help="show photos mirrored, too, but those of faces; not for logos",
        switch=True, label="Mirror photos, but no faces; not for logos",
    )  # fmt: skip
    random_crop: bool = option(
        default=False, help="show parts of photos, too, a little nearer",
        switch=True, label="Show photos a little nearer, too",
    )  # fmt: skip
    rotate_aug: bool = option(
        default=False, help="show photos slightly turned, too",
        switch=True, label="Show photos slightly turned, too",
    )  # fmt: skip
    color_aug: bool = option(
        default=False, help="show photos with slightly changed colours, too",
        switch=True, label="Change the colours of photos slightly, too",
    )  # fmt: skip
    #: only from MIN_TO_HOLD_OUT on: with fewer photos each is missed, and the loss misleads
    validation_split: float = option(
        0.0, "share of 20 or more photos to hold out, to notice memorising, e.g. 0.1",
        limits=(0, 0.5), switch=0.1,
        label="Hold out a tenth of 20 or more photos, to notice memorising",
    )  # fmt: skip
    folds: int = option(
        0, "parts of fewer than 20 photos to hold out in turn, in short runs first, to end a "
        "thorough training before it memorises, e.g. 3; takes twice as long",
        limits=(0, 5), switch=3,
        label="Try first with a third of under 20 photos held out in turn; takes twice as long",
    )  # fmt: skip
    extra_resolutions: tuple[int, ...] = option(
        (), "further resolutions to train at, e.g. 48,96", limits=RESOLUTION, aliases=("sides",)
    )
    dropout: float = option(
        0.0, "share of the adapter to switch off in each step, e.g. 0.1", limits=(0, 0.9),
        label="Dropout", hint="Share of the adapter switched off per step (0 to 0.9)",
    )  # fmt: skip
    prior_loss_weight: float = option(
        1.0, "weight of class pictures beside the photos", limits=(0, 10), aliases=("keep",)
    )
    train_text_encoder: bool = option(
        default=False, help="train the text encoders, too", aliases=("text",)
    )


def options_table(table: type[TrainingOptions] = TrainingOptions) -> tuple[Option, ...]:
    """Return the options in the order of the table."""
    return tuple(Option(each.name, each.default, **each.metadata) for each in fields(table))


def check_options(options: Mapping[str, Any], error: type[SafelightError]) -> None:
    """Raise `error` for the first option whose value is not allowed."""
    for each in options_table():
        if each.name in options:
            each.check(options[each.name], error)


def options_from_json(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return options read from JSON, under the names and with the types that they have now.

    Raises KeyError for an option that does not exist, ValueError for an unknown choice.
    """
    known, names = {each.name: each for each in options_table()}, aliases()
    found = ((known[names.get(name, name)], value) for name, value in values.items())
    return {each.name: each.from_json(value) for each, value in found}


def aliases() -> dict[str, str]:
    """Return the names of options by their former names."""
    return {old: each.name for each in options_table() for old in each.aliases}
