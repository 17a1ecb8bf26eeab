"""Is the chosen checkpoint better than the last, and what does stopping early cost?

    python -m benchmarks.teaching.choosing --keep DIR --out FILE.jsonl [--only panda,ink]

Eight held-out concepts are trained thoroughly as LoRAs that never stop, so that every checkpoint
is scored as the product scores it. For each one further pictures are drawn that no score has seen,
and the frozen judge grades those. DIR keeps trainings and pictures and FILE a line of each
training: what is there already is not done again, so that the whole (24 trainings, 80 minutes) can
be stopped and gone on with. `--rescore` counts all lines anew from the pictures of DIR.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks.table import Row, print_table
from benchmarks.teaching import runner, spec
from benchmarks.teaching.replay import Run, summarize
from benchmarks.teaching.runner import Pictures
from benchmarks.teaching.truth import Prompts, Truth, list_true_prompts
from storage.events import CheckpointChosen
from storage.folders import JobFolder
from storage.records import Concept, Dial
from training.bases.cache import BaseCache
from training.device import Device
from training.families import Picture
from training.judge.score import Score, read_score
from training.judge.style_judge import Drawn
from training.pretraining.judge import Judge
from training.pretraining.names import HELD_OUT_STYLES
from training.recipe.recipe import Recipe
from training.run.choosing import SCORING_STEPS, CheckpointJudge, list_tries
from training.run.defaults import PATIENCE, fill_in_device
from training.run.loop import train
from training.run.previews import Previews
from training.run.timing import RunTimer
from training.sample import LoadedStyle, draw_pictures

TUNED = ("panda", "octopus", "penguin", "firefox")  #: dial and choice may be changed by these
UNSEEN = ("guitar", "rocket", "robot", "ink")
SEEDS = 3
NEVER = 1000  #: checkpoints without a better score
KEPT_SEEDS = 4  #: of each prompt of the result at each checkpoint; MIN_SEEDS are scored

Line = dict[str, Any]


class Bench:
    """Trains concepts in a folder, and grades the pictures of their checkpoints."""

    def __init__(self, keep: Path, bases: BaseCache, judge: Judge) -> None:
        self.keep, self.bases, self.judge = keep, bases, judge

    def measure(self, name: str, seed: int) -> Line:
        """Return the line of a training, whose steps and pictures are done where they miss."""
        wanted = make_spec(name, seed)
        recipe = spec.make_recipe(self.bases, wanted, patience=NEVER, strength_share=0.0)
        folder = JobFolder(self.keep / f"{name}-{seed}")
        run_training(folder, self.bases, wanted, recipe)
        base = self.draw(self.keep / f"{name}-base.png", list_true_prompts(name))
        truth, checkpoints = Truth(self.judge, name, base), list[Line]()
        for file in sorted(folder.kept.glob("step-*.safetensors")):
            style, strip = runner.load_style(file, wanted), folder.path / "drawn" / file.stem
            drawn = self.draw(named(strip, "true"), list_true_prompts(name), style)
            scored = self.draw(
                named(strip, "scored"), list_scored_prompts(recipe), style, SCORING_STEPS
            )
            checkpoints.append({
                "step": int(file.stem.removeprefix("step-")),
                "score": asdict(self.score(folder, recipe, scored)),
                "values": [round(value, 4) for value in truth.grade(drawn)],
            })  # fmt: skip
        return {"concept": name, "seed": seed, "checkpoints": checkpoints}

    def draw(
        self, strip: Path, prompts: Prompts, style: LoadedStyle | None = None,
        steps: int = runner.STEPS,
    ) -> Pictures:  # fmt: skip
        """Return the pictures of prompts, which are kept as one strip."""
        if not strip.exists():
            side = runner.SIDE
            wanted = [Picture(text, "", seed, steps, side, side) for text, seed in prompts]
            with self.bases.borrow(spec.BASE) as family:
                save_strip(strip, draw_pictures(family, self.bases.device, wanted, style))
        return cut_strip(strip)

    def score(self, folder: JobFolder, recipe: Recipe, pictures: Pictures) -> Score:
        """Return the score that the product gives to a checkpoint's pictures."""
        with self.bases.borrow(spec.BASE) as family:
            previews = Previews(folder, recipe, family, self.bases, RunTimer())
            judge = CheckpointJudge(fill_in_device(recipe, self.bases), previews)
            found = dict(zip(list_scored_prompts(recipe), pictures, strict=True))
            return judge.grade(
                [
                    Drawn(found[each.text, each.seed], each.text, each.seed)
                    for each in list_tries(recipe, judge.seeds)
                ]
            )


def make_spec(name: str, seed: int, dial: Dial = Dial.THOROUGH) -> spec.TrainingSpec:
    """Return the training of a concept."""
    look = name in HELD_OUT_STYLES
    photos = spec.read_photos(f"{name}/teach" if look else name)
    concept = Concept.LOOK if look else Concept.SUBJECT
    return spec.TrainingSpec("lora", concept, name, photos, seed, dial)


def list_scored_prompts(recipe: Recipe) -> Prompts:
    """List the prompts of a result from KEPT_SEEDS seeds each, as scores are drawn."""
    return [
        (each.text, each.seed + len(recipe.prompts) * at)
        for at in range(KEPT_SEEDS)
        for each in recipe.prompts
    ]


def run_training(
    folder: JobFolder, bases: BaseCache, wanted: spec.TrainingSpec, recipe: Recipe
) -> None:
    """Train to the choice of a checkpoint, unless it was; go on with what was begun."""
    if folder.kept_style(recipe.steps).exists():
        return
    begun = folder.request_file.exists()
    task = (
        train(folder, bases)
        if begun
        else spec.start_training(folder.path, bases, wanted, recipe)[1]
    )
    for event in task:
        if isinstance(event, CheckpointChosen):
            break
    task.close()


def named(strip: Path, what: str) -> Path:
    """Return where the pictures of one kind lie."""
    return strip.with_name(f"{strip.name}-{what}.png")


def save_strip(strip: Path, pictures: Pictures) -> None:
    """Write pictures side by side, whole or not at all."""
    side = runner.SIDE
    whole = Image.new("RGB", (side * len(pictures), side))
    for at, picture in enumerate(pictures):
        whole.paste(picture, (side * at, 0))
    strip.parent.mkdir(exist_ok=True)
    part = strip.with_suffix(".part")
    whole.save(part, "PNG")
    part.rename(strip)


def cut_strip(strip: Path) -> Pictures:
    """Return the pictures of a strip."""
    with Image.open(strip) as opened:
        whole = opened.convert("RGB")
    side = whole.height
    return [whole.crop((left, 0, left + side, side)) for left in range(0, whole.width, side)]


def read_lines(path: Path) -> dict[tuple[str, int], Line]:
    """Return the trainings that were measured already, by concept and seed."""
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    found = [json.loads(line) for line in lines]
    return {(each["concept"], each["seed"]): each for each in found}


def to_run(line: Line) -> Run:
    """Return a line's scores and true qualities by the step."""
    checkpoints = line["checkpoints"]
    scores = {each["step"]: read_score(each["score"]) for each in checkpoints}
    values = {each["step"]: each["values"] for each in checkpoints}
    return Run(line["concept"], line["seed"], scores, values)


def make_rows(lines: Iterable[Line]) -> Iterator[Row]:
    """Yield the figures of all concepts, of those that were tuned on, and of the others."""
    runs = [to_run(line) for line in lines]
    for title, names in (("all", TUNED + UNSEEN), ("tuned", TUNED), ("unseen", UNSEEN)):
        some = [run for run in runs if run.concept in names]
        if some:
            yield Row(f"**{title}**", f"{len(some)} runs")
            yield from summarize(some, PATIENCE)


def main() -> int:
    """Measure what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", default=",".join(chain(TUNED, UNSEEN)))
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--rescore", action="store_true")
    given = parser.parse_args()
    given.keep.mkdir(parents=True, exist_ok=True)
    bench = Bench(given.keep, BaseCache(None, Device.open(cpu=True)), runner.load_judge())
    if given.rescore:
        given.out.unlink(missing_ok=True)
    done = read_lines(given.out)
    for case in ((name, seed) for seed in range(given.seeds) for name in given.only.split(",")):
        if case not in done:
            with given.out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(bench.measure(*case)) + "\n")
    return print_table(make_rows(read_lines(given.out).values()))


if __name__ == "__main__":
    sys.exit(main())
