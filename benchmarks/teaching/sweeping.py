"""What does a sweep gain? Its winner beside the default recipe, graded by the frozen judge.

    python -m benchmarks.teaching.sweeping --keep DIR --out FILE.jsonl [--only panda,octopus]

Concepts that the dial was tuned on are trained as LoRAs by the thorough dial; then `safelight
sweep` looks for better settings around it, with the same seed. DIR keeps the trainings and FILE a
line of each concept: what is there already is not measured again.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, redirect_stdout
from dataclasses import replace
from pathlib import Path
from statistics import fmean

from benchmarks.table import Row, at_least, figure, print_table
from benchmarks.teaching import runner, spec
from benchmarks.teaching.choosing import Bench, Line, make_spec, read_lines
from benchmarks.teaching.truth import Truth, list_true_prompts
from storage.crops import MIDDLE
from storage.events import Done
from storage.planning.sweep import USUAL_COUNT, Variant, propose_variants
from storage.settings import read_settings
from training.cli.local import LocalJob
from training.cli.race import Race
from training.cli.runfolder import RunFolder
from training.cli.stop import Stop
from training.methods import lora
from training.settings import TrainingSettings

CONCEPTS = ("panda", "octopus", "firefox")  #: two subjects and a look, all of them tuned on
SEED = 0


def measure(bench: Bench, job: LocalJob, name: str) -> Line:
    """Return the line of a concept."""
    place = bench.keep / name
    shutil.rmtree(place, ignore_errors=True)  # of a measurement that was stopped
    wanted, prompts = make_spec(name, SEED), list_true_prompts(name)
    truth = Truth(bench.judge, name, bench.draw(bench.keep / f"{name}-base.png", prompts))
    began = time.process_time()
    usual = train_usual(bench, place / "usual", wanted)
    middle = time.process_time()
    with (place / "sweep.jsonl").open("w", encoding="utf-8") as log, redirect_stdout(log):
        race, end = hold_race(bench, job, place, wanted)
    ended = time.process_time()
    best = race.recipes[end["winner"]]
    files = {"usual": usual, "sweep": race.entry(end["winner"]).result / f"{name}.safetensors"}
    drawn = {
        what: bench.draw(place / f"{what}.png", prompts, runner.load_style(file, wanted))
        for what, file in files.items()
    }
    values = {what: truth.grade(pictures) for what, pictures in drawn.items()}
    return {
        "concept": name, "seed": SEED, "winner": race.labels[end["winner"]],
        "usual": race.labels[0], "steps": best.steps,
        "scores": {race.labels[int(n)]: each["score"] for n, each in end["grades"].items()},
        "seconds": [round(middle - began), round(ended - middle)],
        "values": {what: [round(each, 4) for each in some] for what, some in values.items()},
    }  # fmt: skip


def train_usual(bench: Bench, place: Path, wanted: spec.TrainingSpec) -> Path:
    """Train by the dial alone; return the style's file."""
    recipe = spec.make_recipe(bench.bases, wanted)
    folder, task = spec.start_training(place, bench.bases, wanted, recipe)
    (done,) = [event for event in task if isinstance(event, Done)]
    return folder.result / done.file


def hold_race(
    bench: Bench, job: LocalJob, place: Path, wanted: spec.TrainingSpec
) -> tuple[Race, Line]:
    """Sweep around the dial's recipe; return the race, and its last line."""
    usual = spec.make_recipe(bench.bases, wanted)
    variants = propose_variants(Variant(usual.learning_rate, usual.rank), lora.METHOD.ranks)
    recipes = [
        replace(usual, learning_rate=each.learning_rate, rank=each.rank)
        for each in variants[:USUAL_COUNT]
    ]
    run = RunFolder(place, "sweep")
    spec.lay_out(run.folder, wanted, usual)
    framings = {path.name: MIDDLE.to_json() for path, _ in wanted.photos}
    race = Race(job, run, recipes, framings)
    race.settle({}, fresh=True)
    return race, race.hold()


def make_rows(lines: Iterable[Line]) -> Iterator[Row]:
    """Yield what each sweep gained and cost, and the mean gain."""
    gains = list[float]()
    for line in lines:
        usual, best = (fmean(line["values"][what]) for what in ("usual", "sweep"))
        gains.append(best - usual)
        name, (alone, whole) = line["concept"], line["seconds"]
        yield figure(f"{name}: the dial, {line['usual']}", f"{usual:.3f}")
        yield figure(f"{name}: the sweep's winner, {line['winner']}", f"{best:.3f}")
        yield figure(f"{name}: processor time, the dial and the sweep", f"{alone} s, {whole} s")
    yield at_least("mean gain of quality", fmean(gains), 0)


def main() -> int:
    """Measure what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", default=",".join(CONCEPTS))
    given = parser.parse_args()
    given.keep.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        job = LocalJob(read_settings(TrainingSettings), Stop(), stack)
        bench = Bench(given.keep, job.runtime.bases, runner.load_judge())
        for name in given.only.split(","):
            if (name, SEED) not in read_lines(given.out):
                line = measure(bench, job, name)
                with given.out.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(line) + "\n")
    return print_table(make_rows(read_lines(given.out).values()))


if __name__ == "__main__":
    sys.exit(main())
