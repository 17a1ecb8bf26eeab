"""Draw each recommended prompt eight times, and count the pictures that show the mascot."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import machine, table
from benchmarks.sheet import Sheet
from benchmarks.teaching import runner
from benchmarks.teaching.mascot import Mascot
from benchmarks.teaching.spec import TrainingSpec
from benchmarks.teaching.topic import RANKED_FIRST, Draw
from storage.planning.prompts import recommend_prompts
from training import methods
from training.bases.cache import BaseCache
from training.device import Device
from training.pretraining.judge import Judge
from training.sample import LoadedStyle
from training.styles import writer

COUNT, MIN_RECOGNISED = 8, 7  #: pictures of a prompt, and those that must show the mascot
SIDE = 128  #: pixels of a picture on the sheet
METHOD = "lora"


def grade_prompts(judge: Judge, draw: Draw, sheet: Sheet) -> Iterator[table.Row]:
    """Yield a row for each recommended prompt, and put its pictures on the sheet."""
    mascot = Mascot(judge, lambda _: [], "guitar")
    for prompt in recommend_prompts(mascot.trigger, mascot.concept, small=True):
        pictures = draw([prompt] * COUNT)
        sheet.add(prompt, pictures)
        recognised, _ = mascot.grade(pictures)[RANKED_FIRST]
        what = f"{prompt}: of {COUNT} pictures, those of the mascot"
        yield table.at_least(what, recognised, MIN_RECOGNISED)


def train_mascot(style_runner: runner.Runner, judge: Judge) -> LoadedStyle:
    """Train the mascot as the demo's button does."""
    mascot = Mascot(judge, lambda _: [], "guitar")
    return style_runner.train(
        TrainingSpec(
            METHOD,
            mascot.concept,
            mascot.trigger,
            mascot.photos,
            overrides=mascot.overrides[METHOD],
        )
    ).style


def main() -> int:
    """Print the table; `--out` is the sheet, `--style` a mascot that is trained already."""
    arguments = machine.parse_arguments(__doc__ or "", out=Path, style=Path)
    sheet, judge = Sheet(side=SIDE, columns=COUNT), runner.load_judge()
    with TemporaryDirectory() as place:
        style_runner = runner.Runner(BaseCache(None, Device.open(cpu=True)), Path(place))
        if arguments.style:
            tensors = writer.read_tensors(arguments.style)
            style = LoadedStyle(methods.walk()[METHOD], tensors, "glim", 1.0)
        else:
            style = train_mascot(style_runner, judge)
        code = table.print_table(
            grade_prompts(judge, lambda prompts: style_runner.sample(prompts, style), sheet)
        )
    if arguments.out:
        sheet.save(arguments.out)
    return code


if __name__ == "__main__":
    sys.exit(main())
