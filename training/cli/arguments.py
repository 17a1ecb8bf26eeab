"""What each command of the shell takes: a frozen dataclass, and the flags that fill it."""

from __future__ import annotations

from argparse import (
    SUPPRESS,
    ArgumentParser,
    ArgumentTypeError,
    BooleanOptionalAction,
    RawDescriptionHelpFormatter,
)
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from storage.names import find_nearest
from storage.options import options_table
from storage.planning.advice_input import SubjectMatter
from storage.records import Concept, Dial, Method
from training import methods

StrType = TypeVar("StrType", bound=str)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainArguments:
    """A training. Of `None` and empty values, the dial or the advisor decides."""

    photos: Path
    more_photos: list[Path]  #: folders of further concepts
    out: Path
    name: str
    method: str
    base: str
    concept: list[Concept]  #: one for all folders, or one for each
    trigger: list[str]  #: one for each folder
    class_word: list[str]  #: one for all folders, or one for each
    dial: Dial | None
    steps: int | None
    rank: int | None
    learning_rate: float | None
    batch_size: int | None
    num_class_images: int | None
    seed: int
    motif: SubjectMatter | None
    commercial: bool
    options: Mapping[str, Any]  #: of `TrainingOptions`, those that were given


@dataclass(frozen=True, slots=True, kw_only=True)
class AdviseArguments:
    """A question to the advisor."""

    photos: Path
    concept: Concept
    base: str  #: the only one to consider; "" is any
    concepts: int
    motif: SubjectMatter | None
    commercial: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleArguments:
    """Pictures to draw."""

    out: Path
    prompt: str
    negative: str
    base: str
    style: Path | None
    strength: float
    count: int
    seed: int
    steps: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionArguments:
    """Photos to describe."""

    photos: Path
    out: Path
    captioner: str
    trigger: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BasesArguments:
    """Bases to fetch; all bases are listed if there are none."""

    fetch: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceArguments:
    """Nothing: the settings say all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectArguments:
    """A style to look at."""

    file: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ShrinkArguments:
    """A LoRA to make smaller."""

    file: Path
    to: float  #: MB
    out: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportArguments:
    """A file to convert."""

    file: Path
    out: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class PromoteArguments:
    """A whole model to make a base."""

    file: Path
    name: str


USUAL_RANK = Method("").rank_help


# fmt: off
def add_train_flags(parser: ArgumentParser) -> None:
    """Add the flags of `TrainArguments`, and a list of the methods."""
    parser.formatter_class = RawDescriptionHelpFormatter
    parser.epilog = "\n".join(["methods:", *method_lines()])
    add = parser.add_argument
    add("photos", type=Path, metavar="PHOTOS",
        help="folder of pictures; the caption of x.png is read from x.txt")
    add("--out", type=Path, required=True, metavar="DIR", help="folder to write the style to")
    add("--name", required=True, help="name of the style and of its file")
    add("--method", type=one_of([*methods.walk(), "auto"]), default="lora", metavar="METHOD",
        help="what to train, see below; auto asks the advisor (default: lora)")
    add("--base", default="", help="base to start from, see safelight bases (default: embedded)")
    add("--dial", type=one_of(Dial), choices=list(Dial),
        help="how long to train (default: balanced)")
    add_concept_flags(parser)
    add_number_flags(parser)
    add_option_flags(parser)
    add_advice_flags(parser)


def add_concept_flags(parser: ArgumentParser) -> None:
    """Add the flags that may be given once for each folder of photos."""
    add = parser.add_argument
    add("--photos", type=Path, dest="more_photos", action="append", default=[], metavar="PHOTOS",
        help="folder of a further concept; give --trigger for each folder, in order")
    add("--concept", type=one_of(Concept), choices=list(Concept), action="append", default=[],
        help="what the pictures teach, once for all folders or for each (default: subject)")
    add("--trigger", action="append", default=[],
        help="word that calls the style in a prompt (default: made from the name)")
    add_flag(parser, "--class-word", "--word", action="append", default=[],
             help="what the subject is in one word, e.g. dog")


def add_number_flags(parser: ArgumentParser) -> None:
    """Add the flags of numbers that the dial chooses where they are not given."""
    add = parser.add_argument
    add("--steps", type=int, help="number of steps (default: chosen by the dial)")
    add("--rank", type=int,
        help="how much a LoRA and its relatives can learn, 1 to 128; below is what it means for "
             "other methods (default: chosen by the dial)")
    add_flag(parser, "--learning-rate", "--rate", type=float,
             help="learning rate (default: the method's)")
    add_flag(parser, "--batch-size", "--batch", type=int,
             help="pictures a step (default: the method's)")
    add_flag(parser, "--num-class-images", "--prior", type=int,
             help="class pictures for prior preservation, e.g. 200; needs --class-word")
    add("--seed", type=int, default=0, help="seed of all random numbers (default: 0)")


def add_option_flags(parser: ArgumentParser) -> None:
    """Add a flag for each of `TrainingOptions`."""
    for option in options_table():
        keywords = option_keywords(option.default, option.choices)
        names = [f"--{name.replace('_', '-')}" for name in (option.name, *option.aliases)]
        add_flag(parser, *names, dest=option.name, default=None, help=option.help, **keywords)


def add_flag(parser: ArgumentParser, flag: str, *old: str, **keywords: Any) -> None:
    """Add a flag, and those it had before 0.2, which help does not show."""
    dest = parser.add_argument(flag, **keywords).dest
    hidden = keywords | {"dest": dest, "default": SUPPRESS, "help": SUPPRESS}
    for each in old:
        parser.add_argument(each, **hidden)


def option_keywords(default: Any, choices: tuple[str, ...]) -> dict[str, Any]:
    """Return what argparse needs to read a value of the default's type."""
    if isinstance(default, bool):
        return {"action": BooleanOptionalAction}
    if isinstance(default, tuple):
        return {"type": parse_sizes, "metavar": "N,N"}
    if choices:
        return {"type": one_of([type(default)(each) for each in choices]), "choices": choices}
    return {"type": type(default)}


def one_of(choices: Iterable[StrType]) -> Callable[[str], StrType]:
    """Return a type for argparse that names the nearest choice and all of them when it fails."""
    by_name = {str(each): each for each in choices}

    def parse_choice(text: str) -> StrType:
        if text in by_name:
            return by_name[text]
        nearest = find_nearest(text, by_name)
        hint = f"; did you mean {nearest}?" if nearest else ""
        raise ArgumentTypeError(f"there is no {text}{hint} (choose from {', '.join(by_name)})")

    return parse_choice


def parse_sizes(text: str) -> tuple[int, ...]:
    """Read numbers between commas."""
    return tuple(int(side) for side in text.split(","))


def add_advice_flags(parser: ArgumentParser) -> None:
    """Add the flags that only the advisor reads."""
    add = parser.add_argument
    add("--motif", type=one_of(SubjectMatter), choices=list(SubjectMatter),
        help="what the photos show")
    add("--commercial", action="store_true", help="only bases that allow commercial use")


def add_advise_flags(parser: ArgumentParser) -> None:
    """Add the flags of `AdviseArguments`."""
    add = parser.add_argument
    add("photos", type=Path, metavar="PHOTOS", help="folder of pictures")
    add("--concept", type=one_of(Concept), choices=list(Concept), default=Concept.SUBJECT,
        help="what the pictures teach (default: subject)")
    add("--base", default="", help="the only base to consider")
    add("--concepts", type=int, default=1, metavar="N",
        help="number of concepts to teach in one style (default: 1)")
    add_advice_flags(parser)


def add_sample_flags(parser: ArgumentParser) -> None:
    """Add the flags of `SampleArguments`."""
    add = parser.add_argument
    add("--out", type=Path, required=True, metavar="DIR", help="folder to write the pictures to")
    add("--prompt", required=True, help="what to draw")
    add("--negative", default="", help="what not to draw")
    add("--base", default="",
        help="base to draw with: the style's own or another of its family (default: its own)")
    add("--style", type=Path, metavar="FILE", help="a style's .safetensors")
    add("--strength", type=float, default=1.0, help="how strongly to apply the style (default: 1)")
    add("--count", type=int, default=1, help="number of pictures, at most 4 (default: 1)")
    add("--seed", type=int, default=0, help="seed of the first picture (default: 0)")
    add("--steps", type=int, default=20, help="denoising steps (default: 20)")
    add("--size", type=int, default=0, help="pixels a side (default: the base's)")


def add_caption_flags(parser: ArgumentParser) -> None:
    """Add the flags of `CaptionArguments`."""
    add = parser.add_argument
    add("photos", type=Path, metavar="PHOTOS", help="folder of pictures")
    add("--out", type=Path, required=True, metavar="DIR", help="folder to write the captions to")
    add("--captioner", default="",
        help="a captioner, see safelight bases (default: SAFELIGHT_CAPTIONER)")
    add("--trigger", default="", help="word to put in front of each caption")


def add_bases_flags(parser: ArgumentParser) -> None:
    """Add `fetch NAME...`."""
    parser.set_defaults(fetch=[])
    told = "download bases or captioners from the hub, or resume that"
    fetch = parser.add_subparsers(metavar="fetch").add_parser("fetch", help=told, description=told)
    fetch.add_argument(
        "fetch", nargs="+", metavar="NAME", help="a name that safelight bases lists"
    )


def method_lines() -> Iterator[str]:
    """Yield the lines of help on each method, and on its rank where it means something else."""
    for name, module in methods.walk().items():
        method = module.METHOD
        yield f"  {name:<14}{method.title}: {method.help}"
        if method.rank_help != USUAL_RANK:
            least, most = method.ranks
            yield f"{'':<16}--rank: {method.rank_help} ({least} to {most})"


def add_no_flags(parser: ArgumentParser) -> None:
    """Add nothing."""


def add_inspect_flags(parser: ArgumentParser) -> None:
    """Add the flags of `InspectArguments`."""
    add = parser.add_argument
    add("file", type=Path, metavar="FILE", help="a style's .safetensors")


def add_shrink_flags(parser: ArgumentParser) -> None:
    """Add the flags of `ShrinkArguments`."""
    add = parser.add_argument
    add("file", type=Path, metavar="FILE", help="a LoRA's .safetensors")
    add("--to", type=float, required=True, metavar="MB", help="largest size of the copy, in MB")
    add("--out", type=Path, required=True, metavar="DIR", help="folder to write the copy to")


def add_export_flags(parser: ArgumentParser) -> None:
    """Add the flags of `ExportArguments`."""
    add = parser.add_argument
    add("file", type=Path, metavar="FILE", help="a style's .safetensors")
    add("--out", type=Path, required=True, metavar="DIR", help="folder to write the result to")


def add_promote_flags(parser: ArgumentParser) -> None:
    """Add the flags of `PromoteArguments`."""
    add = parser.add_argument
    add("file", type=Path, metavar="FILE", help="a whole model's .safetensors")
    add("--name", required=True, help="name of the new base")
