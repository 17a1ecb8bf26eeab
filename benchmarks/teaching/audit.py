"""Measure what the audit of captions is worth: the trigger alone, before and after its fix.

Each thing is one that the base has never seen, and all its captions call it by the word of the
nearest thing that it knows, as a captioner does: "a myguitar violin emoji". The audit finds that
word. Styles are trained with it and, its fix applied, without; both draw twelve pictures by their
trigger alone, and the first one twelve with both words. An embedding is nothing but its trigger:
it shows most; a LoRA of one thing draws that thing by any words (`--method lora`). `--out DIR` is
for a sheet of the pictures.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import mean, median
from tempfile import TemporaryDirectory

from benchmarks import machine, table
from benchmarks.sheet import Sheet
from benchmarks.teaching import runner, spec
from benchmarks.teaching.runner import Pictures, Runner
from benchmarks.teaching.spec import Photos, TrainingSpec
from storage.planning.caption_audit import FindingKind, audit_captions, remove_words
from storage.records import Concept
from training.bases.cache import BaseCache
from training.device import Device
from training.pretraining.captions import full_caption
from training.pretraining.judge import Judge
from training.pretraining.names import BASE_STYLES

NEAREST = {"guitar": "violin", "octopus": "squid", "panda": "bear"}
PICTURES_PER_STYLE = 3
BEFORE, BOTH, AFTER = "before, trigger alone", "before, with both words", "after, trigger alone"


def make_captions(name: str, trigger: str) -> Photos:
    """Return a thing's pictures, with captions that call it by what it resembles."""
    called = f"{trigger} {NEAREST[name]}"
    return [(path, text.replace(name, called)) for path, text in spec.read_photos(name)]


def fix_captions(photos: Photos, trigger: str) -> Photos:
    """Return pictures with captions from which the audit has removed what fuses."""
    found = audit_captions([caption for _, caption in photos], trigger)
    words = [word for each in found if each.kind is FindingKind.FUSED for word in each.words]
    return [(path, remove_words(caption, trigger, words)) for path, caption in photos]


def draw_styles(trainer: Runner, method: str, name: str, seed: int) -> dict[str, Pictures]:
    """Train with and without the fix; return what each style draws."""
    trigger = f"my{name}"
    before = make_captions(name, trigger)
    drawn = {}
    for photos, calls in (
        (before, {BEFORE: trigger, BOTH: f"{trigger} {NEAREST[name]}"}),
        (fix_captions(before, trigger), {AFTER: trigger}),
    ):
        trained = trainer.train(TrainingSpec(method, Concept.SUBJECT, trigger, photos, seed))
        for group, called in calls.items():
            prompts = [full_caption(called, style, "white") for style in list_styles()]
            drawn[group] = trainer.sample(prompts, trained.style)
    return drawn


def list_styles() -> list[str]:
    """Return the style of each picture that is drawn."""
    return [style for style in BASE_STYLES for _ in range(PICTURES_PER_STYLE)]


def rank_pictures(judge: Judge, pictures: Pictures, name: str) -> list[int]:
    """Return the rank of the thing's true picture for each picture, among all of its style."""
    features = judge.extract_features(pictures)
    return [
        judge.rank_within_style(features[at : at + 1], name, style)[0]
        for at, style in enumerate(list_styles())
    ]


class Audit:
    """The styles of some things, and how well they draw them."""

    def __init__(self, trainer: Runner, judge: Judge, method: str) -> None:
        self.trainer, self.judge, self.method = trainer, judge, method
        self.sheet = Sheet()
        self.medians = defaultdict[str, list[float]](list)  #: by group, of each thing

    def measure(self, name: str, seeds: int) -> Iterator[table.Row]:
        """Yield a thing's ranks, of all seeds together; keep the first seed's pictures."""
        ranks = defaultdict[str, list[int]](list)
        for seed in range(seeds):
            for group, pictures in draw_styles(self.trainer, self.method, name, seed).items():
                ranks[group] += rank_pictures(self.judge, pictures, name)
                if seed == 0:
                    self.sheet.add(f"{name}: {group}", pictures)
        for group, found in ranks.items():
            self.medians[group].append(median(found))
            first = f", {sum(rank == 1 for rank in found)} of {len(found)} first"
            yield table.figure(f"{name}, {group}: median rank", median(found), more=first)

    def compare(self) -> table.Row:
        """Return the mean of the median ranks after the fix; it may not be above that before."""
        before, after = mean(self.medians[BEFORE]), mean(self.medians[AFTER])
        return table.at_most("trigger alone, median rank after the fix, mean", after, before)


def main() -> int:
    """Print the table."""
    arguments = machine.parse_arguments(__doc__ or "", method=str, only=str, seeds=int, out=Path)
    seeds = arguments.seeds or (1 if arguments.quick else 3)
    names = arguments.only.split(",") if arguments.only else NEAREST
    with TemporaryDirectory() as place:
        trainer = Runner(BaseCache(None, Device.open(cpu=True)), Path(place))
        audit = Audit(trainer, runner.load_judge(), arguments.method or "embedding")

        def list_rows() -> Iterator[table.Row]:
            for name in names:
                yield from audit.measure(name, seeds)
                if arguments.out:
                    audit.sheet.save(arguments.out / "audit.png")
            yield audit.compare()

        return table.print_table(list_rows())


if __name__ == "__main__":
    sys.exit(main())
