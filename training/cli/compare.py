"""`safelight compare`: the same photos on several bases, or with several methods."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from storage.errors import UserError
from storage.events import Event, PictureDrawn
from storage.planning.comparison import MAX_ENTRIES, MIN_ENTRIES, Cost, Grading, reach_verdict
from storage.records import Concept, Kind
from storage.requests import JudgedStyle, JudgeRequest
from training.cli.arguments import CompareArguments, TrainArguments
from training.cli.local import LocalJob
from training.cli.output import attempt, print_line
from training.cli.outputs import keep_numbered, link_or_copy
from training.cli.photos import FolderPhoto, list_photos, read_photos
from training.cli.request import DEFAULT_BASE
from training.styles import header

GRID, SQUARE, GRADES = "0.png", "1.png", "grades.json"  #: as `training.compare` writes them
PICTURES = {GRID: "comparison.png", SQUARE: "crossed.png"}  #: as they are called in `--out`


class Contestant(NamedTuple):
    """A style to be graded beside others."""

    number: int
    label: str
    base: str
    file: Path
    method: str
    trigger: str


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
    known = describe_photos(photos)
    contestants = [
        Contestant(number, label, base, file, **header.read_method_and_trigger(file))
        for number, (label, base, file) in enumerate(trained)
    ]
    concept, class_word = (
        next(iter(given.concept), Concept.SUBJECT),
        next(iter(given.class_word), ""),
    )
    end = draw_and_grade(job, contestants, (given.name, concept, class_word), known)
    if end["kind"] != "graded":
        return end
    kept = {
        PICTURES[file]: str(keep_numbered(
            partial(link_or_copy, job.folder.result / file), given.out / PICTURES[file],
            overwrite=given.overwrite,
        ))
        for file in end.pop("drawn")
    }  # fmt: skip
    grades = {int(number): Grading.from_json(one) for number, one in end["grades"].items()}
    costs = {number: Cost(end["timings"]["seconds"], end["bytes"]) for number, end in ends.items()}
    return end | {
        "kind": "compared", "labels": [label for label, _, _ in trained],
        "files": [str(file) for _, _, file in trained], "pictures": kept,
        "costs": [asdict(costs[number]) for number in sorted(costs)],
        "verdict": asdict(reach_verdict(grades, costs)),
    }  # fmt: skip


def describe_photos(photos: Iterable[FolderPhoto]) -> dict[str, dict[str, Any]]:
    """Return framing and caption of photos, by their files."""
    return {
        photo.file: {"framing": photo.facts().framing.to_json(), "caption": photo.caption}
        for photo in photos
    }


def draw_and_grade(
    job: LocalJob,
    contestants: Sequence[Contestant],
    taught: tuple[str, Concept, str],
    photos: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    """Draw with styles in a folder that has the photos, and grade them.

    `taught` are name, concept and class word, `photos` facts of each. Returns the last line:
    "graded" with the content of `training.compare.GRADES` and the names of the pictures `drawn`,
    or how the job ended otherwise.
    """
    for each in contestants:
        shutil.copyfile(each.file, job.folder.grid_style(each.number))
    judged = tuple(
        JudgedStyle(each.number, 1, each.base, each.label, each.method, each.trigger)
        for each in contestants
    )
    name, concept, class_word = taught
    request = JudgeRequest(
        judged[0].base, name, judged[0].trigger, concept, class_word, judged,
        job.runtime.captioner,
        tuple({"file": file, **facts} for file, facts in photos.items()),
    )  # fmt: skip
    drawn = list[str]()

    def note(event: Event) -> Event:
        """Note a picture that was drawn."""
        drawn.extend([event.file] if isinstance(event, PictureDrawn) else [])
        return event

    end = job.run(Kind.GRADE, {"request": asdict(request)}, note)
    if end["kind"] != "done":
        return end
    content: dict[str, Any] = json.loads((job.folder.result / GRADES).read_bytes())
    return {"kind": "graded", "drawn": drawn, **content}
