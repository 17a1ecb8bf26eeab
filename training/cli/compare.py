"""`safelight compare`: the same photos on several bases, or with several methods."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

from storage.errors import UserError
from storage.events import Event, PictureDrawn
from storage.planning.comparison import MAX_ENTRIES, MIN_ENTRIES, Cost, Grading, reach_verdict
from storage.records import Concept, Kind
from storage.requests import JudgedStyle, JudgeRequest
from training.cli.arguments import CompareArguments, TrainArguments
from training.cli.local import LocalJob
from training.cli.output import attempt, print_line
from training.cli.outputs import keep_numbered, link_or_copy
from training.cli.photos import list_photos, read_photos
from training.cli.request import DEFAULT_BASE
from training.styles import header

GRID, SQUARE, GRADES = "0.png", "1.png", "grades.json"  #: as `training.compare` writes them
PICTURES = {GRID: "comparison.png", SQUARE: "crossed.png"}  #: as they are called in `--out`


def compare(job: LocalJob, given: CompareArguments) -> dict[str, Any]:
    """Train every recipe, then draw with all styles and grade them.

    What fails is left out. Raises UserError: "comparison_few", "comparison_both",
    "comparison_twice", or "comparison_failed" if no recipe was trained.
    """
    trained, ends = list[tuple[str, str, Path]](), dict[int, dict[str, Any]]()
    for label, base, method in list_recipes(given):
        each = LocalJob(job.settings, job.stop, job.stack)
        each.runtime = job.runtime
        asked = narrow(given, base, method, f"{given.name}-{label}")
        end = attempt(partial(each.train, asked))
        if end["kind"] in {"paused", "cancelled"}:
            return end
        if end["kind"] == "done":
            ends[len(trained)] = end
            trained.append((label, base, Path(end["file"])))
        print_line(end | {"kind": f"entry_{end['kind']}", "entry": label})
    if not trained:
        raise UserError("comparison_failed")
    return grade(job, given, trained, ends)


def list_recipes(given: CompareArguments) -> list[tuple[str, str, str]]:
    """List a label, a base and a method for each entry."""
    bases, methods = (
        [name.strip() for name in text.split(",") if name.strip()]
        for text in (given.bases, given.methods)
    )
    if bases and methods:
        raise UserError("comparison_both")
    names = bases or methods
    if not MIN_ENTRIES <= len(names) <= MAX_ENTRIES:
        raise UserError("comparison_few")
    if len({*names}) < len(names):
        raise UserError("comparison_twice")
    if bases:
        return [(base, base, given.method) for base in bases]
    return [(method, given.base or DEFAULT_BASE, method) for method in methods]


def narrow(given: CompareArguments, base: str, method: str, name: str) -> TrainArguments:
    """Return one of the trainings."""
    values = {each.name: getattr(given, each.name) for each in fields(TrainArguments)}
    return TrainArguments(**values | {"base": base, "method": method, "name": name})


def grade(
    job: LocalJob,
    given: CompareArguments,
    trained: Sequence[tuple[str, str, Path]],
    ends: dict[int, dict[str, Any]],
) -> dict[str, Any]:
    """Draw with the styles and grade them; return the last line."""
    photos, _ = read_photos(list_photos(given.photos, job.stack), job.folder)
    judged, words = [], {}
    for number, (label, base, file) in enumerate(trained):
        words = header.read_method_and_trigger(file)
        shutil.copyfile(file, job.folder.grid_style(number))
        judged.append(JudgedStyle(number, 1, base, label, **words))
    framings = [(photo.file, photo.facts().framing.to_json()) for photo in photos]
    request = JudgeRequest(
        judged[0].base, given.name, words["trigger"], next(iter(given.concept), Concept.SUBJECT),
        next(iter(given.class_word), ""), tuple(judged), job.runtime.captioner,
        tuple({"file": file, "framing": framing} for file, framing in framings),
    )  # fmt: skip
    kept = dict[str, str]()

    def keep(event: Event) -> Event:
        """Keep a picture that was drawn."""
        if isinstance(event, PictureDrawn):
            write, path = partial(link_or_copy, job.folder.result / event.file), given.out
            file = keep_numbered(write, path / PICTURES[event.file], overwrite=given.overwrite)
            kept[PICTURES[event.file]] = str(file)
            return replace(event, file=str(file))
        return event

    end = job.run(Kind.GRADE, {"request": asdict(request)}, keep)
    if end["kind"] != "done":
        return end
    content = json.loads((job.folder.result / GRADES).read_bytes())
    grades = {int(number): Grading.from_json(one) for number, one in content["grades"].items()}
    costs = {number: Cost(end["timings"]["seconds"], end["bytes"]) for number, end in ends.items()}
    labels = [label for label, _, _ in trained]
    return {
        "kind": "compared", **content, "labels": labels,
        "files": [str(file) for _, _, file in trained], "pictures": kept,
        "costs": [asdict(costs[number]) for number in sorted(costs)],
        "verdict": asdict(reach_verdict(grades, costs)),
    }  # fmt: skip
