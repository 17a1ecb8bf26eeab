"""Is the dial beaten by a published recipe? LoRAs of eight held-out concepts, graded by the judge.

    python -m benchmarks.teaching.published --keep DIR --out FILE.jsonl [--seeds 1]

The recipes were published for bases of Stable Diffusion's size, where the dial's own rate for a
LoRA is 1e-4. So each is run three ways: as it is; with its rate multiplied by what the dial
multiplies its own by on the embedded base (30 for subjects, 90 for looks); and so with as many
photos shown as the balanced dial shows. Which layers learn follows from the base in all of them.
FILE has a line of each training: what is there already is not run again. Lines of `choosing.py`
(`--thorough FILE`) give the thorough dial's own figures.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.table import Row, at_least, figure, print_table
from benchmarks.teaching import runner, spec
from benchmarks.teaching.choosing import TUNED, UNSEEN, Bench, Line, make_spec, read_lines, to_run
from benchmarks.teaching.truth import Truth, list_true_prompts
from storage.events import Done
from storage.folders import JobFolder
from storage.records import Dial
from training.bases.cache import BaseCache
from training.device import Device
from training.methods import lora
from training.recipe.recipe import Recipe
from training.run.defaults import PATIENCE, fill_in_device
from training.run.loop import TrainingRun
from training.run.timing import RunTimer

SEEDS = 3
DIAL, THOROUGH = "the dial, balanced", "the dial, thorough"
AS_PUBLISHED, SCALED, SHORT = "as published", "rate scaled", "rate scaled, the dial's photos"


@dataclass(frozen=True, slots=True)
class Published:
    """A recipe for a LoRA by AdamW with a constant rate; photos are shown so often or so many."""

    source: str
    rank: int
    alpha: float
    learning_rate: float
    batch_size: int
    epochs: int = 0  #: of all photos
    photos: int = 0  #: shown in all, in place of epochs
    more: Mapping[str, Any] = field(default_factory=dict)

    def count_steps(self, photos: int) -> int:
        """Return the steps for so many photos."""
        return -(-(self.photos or self.epochs * photos) // self.batch_size)


RECIPES = {
    "kohya": Published(
        "sd-scripts, docs/sdxl_train_network.md: 10 epochs; of 10 repeats, batch 4 as in "
        "docs/config_README-en.md", 32, 16, 1e-4, 4, epochs=100,
    ),
    "OneTrainer": Published(
        "training_presets/SD1.5/#sd 1.5 LoRA.json, the rest from TrainConfig.py: 100 epochs",
        16, 1, 3e-4, 4, epochs=100,
    ),
    "ai-toolkit": Published(
        "config/examples/train_lora_sd35_large_24gb.yaml: 2,000 steps", 16, 16, 1e-4, 1,
        photos=2000, more={"ema_decay": 0.99, "caption_dropout_rate": 0.05},
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """One training: whose recipe, which way, of what."""

    recipe: str
    way: str
    concept: str
    seed: int


def make_recipe(bases: BaseCache, case: Case) -> Recipe:
    """Return the recipe of a case, without previews and scores."""
    wanted = make_spec(case.concept, case.seed, Dial.BALANCED)
    silent = {"prompts": (), "scoring_share": 0.0, "strength_share": 0.0}
    dial = spec.make_recipe(bases, wanted, **silent)
    dial = replace(dial, save_every=dial.steps)
    if case.recipe == DIAL:
        return dial
    published = RECIPES[case.recipe]
    rate, steps = published.learning_rate, published.count_steps(len(wanted.photos))
    if case.way != AS_PUBLISHED:
        rate *= dial.learning_rate / lora.FULL[wanted.concept, Dial.BALANCED].learning_rate
    if case.way == SHORT:
        steps = -(-dial.steps * dial.batch_size // published.batch_size)
    return replace(dial, **{
        "steps": steps, "rank": published.rank, "learning_rate": rate,
        "batch_size": published.batch_size, "lr_scheduler": "constant", "min_snr_gamma": 0.0,
        "ema_decay": 0.0, "caption_dropout_rate": 0.0, "save_every": steps, **published.more,
    })  # fmt: skip


def run_training(folder: JobFolder, bases: BaseCache, recipe: Recipe, alpha: float) -> Path:
    """Train with a LoRA's alpha, which recipes of ours have not; return the style's file."""
    recipe = fill_in_device(recipe, bases)
    with bases.borrow(recipe.base) as family:
        attached = lora.attach(family.networks, recipe)
        try:
            with attached.scaled(alpha / recipe.rank):
                run = TrainingRun(folder, recipe, family, attached, bases, timer=RunTimer())
                (done,) = [event for event in run.run() if isinstance(event, Done)]
        finally:
            attached.detach()
    return folder.result / done.file


def measure(bench: Bench, case: Case) -> Line:
    """Train and grade a case."""
    recipe = make_recipe(bench.bases, case)
    place = bench.keep / "-".join((case.recipe, case.way, case.concept, str(case.seed)))
    wanted, folder = make_spec(case.concept, case.seed), JobFolder(place)
    shutil.rmtree(place, ignore_errors=True)  # of a training that was stopped
    alpha = recipe.rank if case.recipe == DIAL else RECIPES[case.recipe].alpha
    spec.lay_out(folder, wanted, recipe)
    style = runner.load_style(run_training(folder, bench.bases, recipe, alpha), wanted)
    prompts = list_true_prompts(case.concept)
    base = bench.draw(bench.keep / f"{case.concept}-base.png", prompts)
    drawn = bench.draw(place / "true.png", prompts, style)
    values = Truth(bench.judge, case.concept, base).grade(drawn)
    return {
        "recipe": case.recipe, "way": case.way, "concept": case.concept, "seed": case.seed,
        "steps": recipe.steps, "values": [round(value, 4) for value in values],
    }  # fmt: skip


def list_cases(seeds: int) -> Iterator[Case]:
    """List all trainings, those that say most first."""
    concepts = [name for pair in zip(TUNED, UNSEEN, strict=True) for name in pair]
    for seed in range(seeds):
        for way in (SHORT, SCALED, AS_PUBLISHED):
            for concept in concepts:
                if way == SHORT:
                    yield Case(DIAL, "", concept, seed)
                for recipe in RECIPES:
                    yield Case(recipe, way, concept, seed)


def read_qualities(path: Path) -> dict[Case, float]:
    """Return the true quality of each training that was measured already."""
    lines = map(json.loads, path.read_text("utf-8").splitlines()) if path.exists() else ()
    return {
        Case(each["recipe"], each["way"], each["concept"], each["seed"]): fmean(each["values"])
        for each in lines
    }


def read_thorough(path: Path) -> dict[Case, float]:
    """Return what the thorough dial ends with, as `choosing.py` has measured it."""
    runs = [to_run(line) for line in read_lines(path).values()]
    return {
        Case(THOROUGH, "", run.concept, run.seed): run.quality(run.stop(PATIENCE)[1])
        for run in runs
    }


def make_rows(known: Mapping[Case, float]) -> Iterator[Row]:
    """Yield the mean quality of each recipe, and how much better the dial is than it."""
    for recipe, way in dict.fromkeys((case.recipe, case.way) for case in known):
        own = {
            (case.concept, case.seed): quality
            for case, quality in known.items()
            if (case.recipe, case.way) == (recipe, way)
        }
        title = f"{recipe}, {way}" if way else recipe
        parts = [
            f"{name} {fmean(found):.3f}"
            for name, names in (("tuned", TUNED), ("unseen", UNSEEN))
            if (found := [quality for (concept, _), quality in own.items() if concept in names])
        ]
        more = f" ({', '.join(parts)}; {len(own)} runs)"
        yield figure(f"{title}: mean quality", f"{fmean(own.values()):.3f}", more=more)
        if recipe in RECIPES:
            yield from compare(known, own, title)


def compare(
    known: Mapping[Case, float], own: Mapping[tuple[str, int], float], title: str
) -> Iterator[Row]:
    """Yield how much better each position of the dial is than a recipe in the same trainings."""
    for dial in (DIAL, THOROUGH):
        pairs = [
            (known[case], quality)
            for (concept, seed), quality in own.items()
            if (case := Case(dial, "", concept, seed)) in known
        ]
        if pairs:
            gain = fmean(ours - theirs for ours, theirs in pairs)
            wins = sum(ours > theirs for ours, theirs in pairs)
            more = f" (better in {wins} of {len(pairs)})"
            yield at_least(f"{dial}, over {title}", gain, 0, more=more)


def main() -> int:
    """Train what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--thorough", type=Path)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    given = parser.parse_args()
    given.keep.mkdir(parents=True, exist_ok=True)
    bench = Bench(given.keep, BaseCache(None, Device.open(cpu=True)), runner.load_judge())
    known = read_qualities(given.out)
    for case in list_cases(given.seeds):
        if case not in known:
            line = measure(bench, case)
            with given.out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
    thorough = read_thorough(given.thorough) if given.thorough else {}
    return print_table(make_rows(read_qualities(given.out) | thorough))


if __name__ == "__main__":
    sys.exit(main())
