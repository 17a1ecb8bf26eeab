"""The arguments of `python -m training`."""

from __future__ import annotations

import argparse
from argparse import BooleanOptionalAction
from collections.abc import Callable
from pathlib import Path
from typing import Any

from storage.options import options_table
from storage.planning.case import SubjectMatter
from storage.records import Concept, Dial

Option = Callable[..., argparse.Action]


def parser() -> argparse.ArgumentParser:
    """Say which commands there are; without one, the trainer runs."""
    whole = argparse.ArgumentParser("training", description="The trainer, its workers, its tasks.")
    commands = whole.add_subparsers(dest="command", metavar="COMMAND")
    worker = commands.add_parser("worker", help="be a worker (the trainer starts these)")
    worker.add_argument("name")
    for name, (told, options) in TASKS.items():
        task = commands.add_parser(name, prog=f"safelight {name}", help=told, description=told)
        options(task.add_argument)
    told = "list the bases, or fetch some"
    _bases(commands.add_parser("bases", prog="safelight bases", help=told, description=told))
    told = "Say which method, base and dial suit a folder of pictures, and why."
    ask = commands.add_parser("advise", prog="safelight advise", help=told, description=told)
    ask.add_argument("photos", type=Path, metavar="PHOTOS", help="a folder of pictures")
    ask.add_argument("--concept", type=Concept, choices=list(Concept), default=Concept.SUBJECT)
    ask.add_argument("--base", default="", help="the only one to be weighed")
    told = "how many things to teach in one"
    ask.add_argument("--concepts", type=int, default=1, metavar="N", help=told)
    _ask(ask.add_argument)
    _files(commands)
    commands.add_parser("device", help="tell about torch and the device")
    return whole


def _files(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Say what can be done with one file."""
    told = "say what a style's file is"
    look = commands.add_parser("inspect", prog="safelight inspect", help=told, description=told)
    look.add_argument("file", type=Path, metavar="FILE", help="a style's .safetensors")
    told = "make a smaller copy of a LoRA, and say what it costs"
    less = commands.add_parser("shrink", prog="safelight shrink", help=told, description=told)
    less.add_argument("file", type=Path, metavar="FILE", help="a LoRA's .safetensors")
    less.add_argument("--to", type=float, required=True, metavar="MB", help="at most so many MB")
    less.add_argument("--out", type=Path, required=True, metavar="DIR", help="where it goes")
    told = "make a whole model a base of this machine"
    rise = commands.add_parser("promote", prog="safelight promote", help=told, description=told)
    rise.add_argument("file", type=Path, metavar="FILE", help="a model's .safetensors")
    rise.add_argument("--name", required=True, help="of the base")
    told = "write a hypernetwork as AUTOMATIC1111 reads it, a whole model as diffusers keeps them"
    away = commands.add_parser("export", prog="safelight export", help=told, description=told)
    away.add_argument("file", type=Path, metavar="FILE", help="its .safetensors")
    away.add_argument("--out", type=Path, required=True, metavar="DIR", help="where it goes")


def _bases(bases: argparse.ArgumentParser) -> None:
    bases.set_defaults(fetch=[])
    told = "fetch bases or a captioner from the hub, or go on with that"
    verbs = bases.add_subparsers(metavar="fetch")
    fetch = verbs.add_parser("fetch", help=told, description=told)
    fetch.add_argument("fetch", nargs="+", metavar="NAME", help="as safelight bases lists it")


def _train(option: Option) -> None:
    option("photos", type=Path, metavar="PHOTOS", help="a folder: x.png, its caption in x.txt")
    option("--out", type=Path, required=True, metavar="DIR", help="where the style goes")
    option("--name", required=True, help="of the style and its file")
    option("--method", default="lora", help="lora, embedding, pivotal, ...; auto asks the advisor")
    option("--base", default="", help="what to start from, embedded if not given")
    option("--photos", type=Path, dest="also", action="append", default=[], metavar="PHOTOS",
           help="a further concept's folder; then say --trigger for each, in order")  # fmt: skip
    option("--concept", type=Concept, choices=list(Concept), action="append", default=[],
           help="subject if not given; of all folders, or once for each")  # fmt: skip
    option("--dial", type=Dial, choices=list(Dial), help="balanced if not given")
    option("--trigger", action="append", default=[],
           help="the word that calls the style; the name if not given")  # fmt: skip
    option("--class-word", "--word", action="append", default=[],
           help="what the subject is, in a word, e.g. dog")  # fmt: skip
    option("--steps", type=int, help="instead of the dial's")
    option(
        "--rank",
        type=int,
        help="of a LoRA; vectors of an embedding; a hypernetwork's width; of DreamBooth as a LoRA",
    )
    option("--learning-rate", "--rate", type=float, help="learning rate")
    option("--batch-size", "--batch", type=int, help="photos in a step")
    option("--num-class-images", "--prior", type=int,
           help="class pictures for prior preservation, e.g. 200; needs --class-word")  # fmt: skip
    option("--seed", type=int, default=0)
    _options(option)
    _ask(option)


def _options(add: Option) -> None:
    """Add a flag for each option of a training; one that is not given keeps the method's own."""
    for option in options_table():
        more: dict[str, Any] = {"dest": option.name, "default": None, "help": option.help}
        if isinstance(option.default, bool):
            more["action"] = BooleanOptionalAction
        elif isinstance(option.default, tuple):
            more |= {"type": pixels, "metavar": "N,N"}
        else:
            more |= {"type": type(option.default), "choices": option.choices or None}
        add(*flags(option.name, *option.aliases), **more)


def flags(*names: str) -> list[str]:
    """Return the flags of a name and of those it had before."""
    return [f"--{name.replace('_', '-')}" for name in names]


def pixels(text: str) -> tuple[int, ...]:
    """Read sizes between commas."""
    return tuple(int(side) for side in text.split(","))


def _ask(option: Option) -> None:
    """Say what the advisor asks."""
    option("--motif", type=SubjectMatter, choices=list(SubjectMatter), help="what the photos show")
    option("--commercial", action="store_true", help="to earn money with it")


def _sample(option: Option) -> None:
    option("--out", type=Path, required=True, metavar="DIR", help="where the pictures go")
    option("--prompt", required=True)
    option("--negative", default="", help="what should not be in the picture")
    option("--base", default="", help="what draws: the style's own, or another of its family")
    option("--style", type=Path, metavar="FILE", help="a style's .safetensors")
    option("--strength", type=float, default=1.0, help="of the style")
    option("--count", type=int, default=1, help="pictures, at most 4")
    option("--seed", type=int, default=0, help="of the first picture")
    option("--steps", type=int, default=20)
    option("--size", type=int, default=0, help="pixels of a side; 0 is the base's own")


def _caption(option: Option) -> None:
    option("photos", type=Path, metavar="PHOTOS", help="a folder of pictures")
    option("--out", type=Path, required=True, metavar="DIR", help="where the captions go")
    option("--captioner", default="", help="a BLIP; SAFELIGHT_CAPTIONER if not given")
    option("--trigger", default="", help="a word to put in front of each caption")


TASKS: dict[str, tuple[str, Callable[[Option], None]]] = {
    "train": ("Train a style on a folder of pictures.", _train),
    "sample": ("Draw pictures, with a style or without.", _sample),
    "caption": ("Describe a folder of pictures.", _caption),
}
