"""What each command of the shell takes: a frozen dataclass, each field with its flag."""

from __future__ import annotations

from argparse import (
    SUPPRESS,
    ArgumentParser,
    ArgumentTypeError,
    BooleanOptionalAction,
    RawDescriptionHelpFormatter,
)
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from types import NoneType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from storage.names import find_nearest
from storage.options import options_table
from storage.photosets.pack import SetForm
from storage.planning.advice_input import SubjectMatter
from storage.planning.sweep import MAX_RECIPES, USUAL_COUNT
from storage.records import Concept, Dial, Method
from training import methods

OVERWRITE = (
    "replace what is there already (default: it stays, and new files get the next free name, "
    "such as panda-2.safetensors)"
)
OVERWRITE_CAPTIONS = (
    "replace captions that are there already, also those of a person (default: pictures that "
    "have one are left out); --again is the same"
)
StrType = TypeVar("StrType", bound=str)
USUAL_RANK = Method("").rank_help


def flag(help: str, *old: str, **keywords: Any) -> Any:  # noqa: A002 - argparse's word for it
    """Declare a field's flag, with those it had before 0.2 and what argparse needs beside it.

    A flag is called as its field, unless `name` says otherwise; a name without dashes is a
    positional argument. The field's type tells how it is read, and one without a `default` must
    be given, unless it is a list or may be None.
    """
    return field(metadata={"help": help, "old": old, **keywords})


def method_name(text: str) -> str:
    """Read the name of a method, or "auto"."""
    return one_of([*methods.walk(), "auto"])(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainArguments:
    """A training. Of `None` and empty values, the dial or the advisor decides."""

    photos: Path = flag(
        "folder or zip of pictures, with captions where other tools keep them (docs/photos.md)",
        name="photos",
        metavar="PHOTOS",
    )
    out: Path = flag("folder to write the style to", metavar="DIR")
    name: str = flag("name of the style and of its file")
    method: str = flag(
        "what to train, see below; auto asks the advisor (default: lora)",
        type=method_name,
        default="lora",
        metavar="METHOD",
    )
    base: str = flag("base to start from, see safelight bases (default: embedded)", default="")
    dial: Dial | None = flag("how long to train (default: balanced)")
    more_photos: list[Path] = flag(
        "folder or zip of a further concept; give --trigger for each folder, in order",
        name="--photos",
        metavar="PHOTOS",
    )
    concept: list[Concept] = flag(
        "what the pictures teach, once for all folders or for each (default: subject)"
    )
    trigger: list[str] = flag(
        "word that calls the style in a prompt (default: made from the name)"
    )  #: one for each folder
    class_word: list[str] = flag("what the subject is in one word, e.g. dog", "--word")
    steps: int | None = flag("number of steps (default: chosen by the dial)")
    rank: int | None = flag(
        "how much a LoRA and its relatives can learn, 1 to 128; below is what it means for "
        "other methods (default: chosen by the dial)"
    )
    learning_rate: float | None = flag("learning rate (default: the method's)", "--rate")
    batch_size: int | None = flag("pictures a step (default: the method's)", "--batch")
    num_class_images: int | None = flag(
        "class pictures for prior preservation, e.g. 200; needs --class-word", "--prior"
    )
    class_photos: Path | None = flag(
        "folder or zip of pictures of others of its kind, for prior preservation beside those "
        "that are drawn, or in their place; needs --class-word",
        metavar="PHOTOS",
    )
    sample_prompt: list[str] = flag(
        "what to draw as samples, once for each of up to 4 prompts of 300 characters; the first "
        "two at each checkpoint, all at the end (default: the trigger in typical places)"
    )
    seed: int = flag("seed of all random numbers (default: 0)", default=0)
    options: Mapping[str, Any]  #: of `TrainingOptions`, those that were given
    motif: SubjectMatter | None = flag("what the photos show")
    commercial: bool = flag("only bases that allow commercial use")
    fresh: bool = flag(
        "begin anew, and remove the checkpoints of the unfinished training of that name "
        "(default: the same command goes on from its last checkpoint)"
    )
    overwrite: bool = flag(OVERWRITE)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareArguments(TrainArguments):
    """Several trainings that differ in one thing."""

    bases: str = flag("bases to compare, with commas between them", default="", metavar="A,B")
    methods: str = flag("methods to compare, with commas between them", default="", metavar="A,B")


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepArguments(TrainArguments):
    """A training whose settings are looked for; those that are given are the usual ones."""

    dial: Dial | None = flag("how long the best recipe trains (default: thorough)")
    recipes: int = flag(f"recipes to try, 2 to {MAX_RECIPES} (default: 4)", default=USUAL_COUNT)


@dataclass(frozen=True, slots=True, kw_only=True)
class AdviseArguments:
    """A question to the advisor."""

    photos: Path = flag("folder or zip of pictures", name="photos")
    concept: Concept = flag("what the pictures teach (default: subject)", default=Concept.SUBJECT)
    base: str = flag("the only base to consider", default="")
    concepts: int = flag(
        "number of concepts to teach in one style (default: 1)", default=1, metavar="N"
    )
    motif: SubjectMatter | None = flag("what the photos show")
    commercial: bool = flag("only bases that allow commercial use")


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleArguments:
    """Pictures to draw."""

    out: Path = flag("folder to write the pictures to", metavar="DIR")
    prompt: str = flag("what to draw")
    negative: str = flag("what not to draw", default="")
    base: str = flag(
        "base to draw with: the style's own or another of its family (default: its own)",
        default="",
    )
    style: Path | None = flag("a style's .safetensors", metavar="FILE")
    strength: float = flag("how strongly to apply the style (default: 1)", default=1.0)
    count: int = flag("number of pictures, at most 4 (default: 1)", default=1)
    seed: int = flag("seed of the first picture (default: 0)", default=0)
    steps: int = flag("denoising steps (default: 20)", default=20)
    size: int = flag("pixels a side (default: the base's)", default=0)
    overwrite: bool = flag(OVERWRITE)


@dataclass(frozen=True, slots=True, kw_only=True)
class GridArguments:
    """A grid of pictures to draw."""

    out: Path = flag("folder to write the picture to", metavar="DIR")
    prompt: list[str] = flag("what to draw; several prompts are rows, and styles their columns")
    style: list[Path] = flag(
        "a style's .safetensors, or several, such as those of a training's checkpoints",
        metavar="FILE",
    )
    plain: bool = flag("draw without a style, too")
    strength: list[float] = flag(
        "with one prompt: strengths, a column each (default: 0.4 to 1.4), and a row for each style"
    )
    negative: str = flag("what not to draw", default="")
    base: str = flag("base to draw with (default: the first style's own)", default="")
    seed: int = flag("seed of every picture (default: 0)", default=0)
    steps: int = flag("denoising steps (default: 20)", default=20)
    overwrite: bool = flag(OVERWRITE)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionArguments:
    """Photos to describe."""

    photos: Path = flag("folder or zip of pictures", name="photos")
    out: Path = flag("folder to write the captions to", metavar="DIR")
    captioner: str = flag(
        "a captioner, see safelight bases (default: SAFELIGHT_CAPTIONER)", default=""
    )
    trigger: str = flag("word to put in front of each caption", default="")
    overwrite: bool = flag(OVERWRITE_CAPTIONS, "--again")


@dataclass(frozen=True, slots=True, kw_only=True)
class PackArguments:
    """Photos to pack for other tools."""

    photos: Path = flag("folder or zip of pictures, with captions or without", name="photos")
    form: SetForm = flag(
        "plain: a.png and a.txt; kohya: a folder such as 10_sks dog; everydream: the caption in "
        "each name; hub: metadata.jsonl, an image folder for Hugging Face",
        name="--as",
    )
    out: Path = flag("zip to write", metavar="FILE.zip")
    trigger: str = flag(
        "what kohya's folder is called behind its repeats, e.g. 'sks dog' (default: made from "
        "the name of PHOTOS)",
        default="",
    )
    overwrite: bool = flag(OVERWRITE)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckArguments:
    """Photos to judge."""

    photos: Path = flag("folder or zip of pictures", name="photos")
    base: str = flag(
        "base whose crops and longest captions are shown (default: one of 512 pixels, as SD 1.5)",
        default="",
    )
    trigger: str = flag(
        "word that calls the concept, if the captions have it or a training will put it there",
        default="",
    )
    json: bool = flag("print the verdicts as JSON")


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateArguments:
    """A style to grade."""

    style: Path = flag("a style's .safetensors, whoever trained it", name="style")
    photos: Path = flag("folder or zip of the photos that it was taught with", metavar="PHOTOS")
    json: Path = flag(
        "JSON to write; the report card and the pictures lie beside it", metavar="FILE.json"
    )
    base: str = flag("base to draw with (default: the one that it was trained on)", default="")
    trigger: str = flag("its trigger word (default: as its file says)", default="")
    concept: Concept = flag("what it was taught (default: subject)", default=Concept.SUBJECT)
    class_word: str = flag("what the subject is in one word, e.g. dog", default="")
    strength: float = flag("how strongly to apply the style (default: 1)", default=1.0)
    prompts: int = flag(
        "prompts to draw, at most 25 (default: 25, on the embedded base 4)", default=0
    )
    seeds: int = flag("pictures of each prompt (default: 3)", default=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class BasesArguments:
    """Bases to fetch; all bases are listed if there are none."""

    fetch: list[str]
    node: str = ""  #: the machine that has joined on which they are fetched; "" is this one


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceArguments:
    """Nothing: the settings say all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectArguments:
    """A style to look at."""

    file: Path = flag("a style's .safetensors", name="file")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShrinkArguments:
    """A LoRA to make smaller."""

    file: Path = flag("a LoRA's .safetensors", name="file")
    to: float = flag("largest size of the copy, in MB", metavar="MB")
    out: Path = flag("folder to write the copy to", metavar="DIR")
    overwrite: bool = flag(OVERWRITE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportArguments:
    """A file to convert."""

    file: Path = flag("a style's .safetensors", name="file")
    out: Path = flag("folder to write the result to", metavar="DIR")
    overwrite: bool = flag(OVERWRITE)


@dataclass(frozen=True, slots=True, kw_only=True)
class PromoteArguments:
    """A whole model to make a base."""

    file: Path = flag("a whole model's .safetensors", name="file")
    name: str = flag("name of the new base")
    overwrite: bool = flag(OVERWRITE)


def add_flags(parser: ArgumentParser, table: type[Any]) -> None:
    """Add the flags of a command's dataclass, in its order."""
    hints = get_type_hints(table)
    for each in fields(table):
        if each.name == "options":
            add_option_flags(parser)
        elif each.metadata:
            keywords = read_hint(hints[each.name]) | each.metadata
            name = keywords.pop("name", f"--{each.name.replace('_', '-')}")
            if name.startswith("--"):
                keywords |= {"dest": each.name, "required": "default" not in keywords}
            else:
                keywords["metavar"] = name.upper()
            add_flag(parser, name, *keywords.pop("old"), **keywords)


def read_hint(hint: Any) -> dict[str, Any]:
    """Return what argparse needs to read a value of a field's type."""
    kind = next((each for each in get_args(hint) if each is not NoneType), hint)
    if kind is bool:
        return {"action": "store_true", "default": False}
    choices = issubclass(kind, StrEnum)
    found = {"type": one_of(kind), "choices": list(kind)} if choices else {"type": kind}
    if get_origin(hint) is list:
        return found | {"action": "append", "default": []}
    return found | ({"default": None} if NoneType in get_args(hint) else {})


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


def add_fetch(parser: ArgumentParser) -> None:
    """Add `fetch NAME...`."""
    parser.set_defaults(fetch=[])
    told = "download bases or captioners from the hub, or resume that"
    fetch = parser.add_subparsers(metavar="fetch").add_parser("fetch", help=told, description=told)
    fetch.add_argument(
        "fetch", nargs="+", metavar="NAME", help="a name that safelight bases lists"
    )
    fetch.add_argument("--node", metavar="BOX", help="fetch on a machine that has joined")


def describe_methods(parser: ArgumentParser) -> None:
    """Add a list of the methods to the help of `train`."""
    parser.formatter_class = RawDescriptionHelpFormatter
    parser.epilog = "\n".join(["methods:", *method_lines()])


def method_lines() -> Iterator[str]:
    """Yield the lines of help on each method, and on its rank where it means something else."""
    for name, module in methods.walk().items():
        method = module.METHOD
        yield f"  {name:<14}{method.title}: {method.help}"
        if method.rank_help != USUAL_RANK:
            least, most = method.ranks
            yield f"{'':<16}--rank: {method.rank_help} ({least} to {most})"
