"""`safelight evaluate`: how good a style's file is, as a table, as JSON and as a picture."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from storage.errors import JobError, UserError
from storage.folders import JobFolder, write_json
from storage.requests import GradeRequest
from training.cli.arguments import EvaluateArguments
from training.cli.outputs import number_paths
from training.cli.request import DEFAULT_BASE
from training.modelfiles.tensorfile import METADATA
from training.styles import header
from training.styles.architecture import STABLE, STABLES, find_architecture

if TYPE_CHECKING:
    from training.bases.registry import BaseRegistry
    from training.grade import Graded
    from training.worker.runtime import Runtime

T = TypeVar("T")


def grade_file(
    given: EvaluateArguments,
    runtime: Runtime,
    folder: JobFolder,
    known: dict[str, str],
    captions: Sequence[str],
) -> Graded:
    """Draw with the style in a job folder and grade it; `known` is its base and method."""
    from training.grade import grade_style  # noqa: PLC0415 - torch

    request = GradeRequest(
        given.style.stem, known["base"], given.concept, given.class_word, given.strength,
        given.prompts, given.seeds, known["method"], known["trigger"], runtime.captioner,
        captions=tuple(captions),
    )  # fmt: skip
    return finish(grade_style(folder, runtime.bases, request))


def choose_base(given: EvaluateArguments, registry: BaseRegistry) -> str:
    """Return the base to draw with: what is asked for, what the file names, one of its family.

    Small bases have layers of their own widths, so no file whose layers are a family's fits them.
    Raises JobError: "style_other" for a model of no family, "family_missing" without such a base.
    """
    told = given.base or header.read_base(given.style)
    if told:
        return registry.find(told).name
    head = header.read_sound_header(given.style)
    made = find_architecture(head)
    if made.title and not made.family and made.title != STABLE:
        raise JobError("style_other", made=made.title)
    if not made.title:
        return DEFAULT_BASE
    layers = find_architecture({name: each for name, each in head.items() if name != METADATA})
    wanted = {made.family} if made.family else STABLES
    known = [base for base in registry.list_bases() if base.known and base.family in wanted]
    fitting = [base for base in known if not (base.small and layers.title)]
    here = sorted((base for base in fitting if base.present), key=lambda base: base.small)
    if not here:
        choices = [base.name for base in fitting]
        raise JobError("family_missing", made=made.title, choices=choices)
    return here[0].name


def choose_trigger(given: EvaluateArguments, known: str) -> str:
    """Return the words that call the style; raise UserError if nothing says any."""
    trigger = given.trigger or known
    if not (trigger or given.class_word):
        raise UserError("trigger_unknown", file=given.style.name)
    return trigger


def finish(task: Generator[Any, None, T]) -> T:
    """Run a task to its end and return what came of it."""
    while True:
        try:
            next(task)
        except StopIteration as ended:
            result: T = ended.value
            return result


def write_report(given: EvaluateArguments, graded: Graded) -> dict[str, Any]:
    """Write the JSON and the pictures beside it; return what is printed."""
    from training.grade import describe_report, describe_run  # noqa: PLC0415 - torch

    file = next(path for path in number_paths(given.json) if not path.exists())
    place, facts = file.with_suffix(""), describe_report(graded)
    facts["pictures"] = [*write_pictures(place, graded, facts["pictures"])]
    write_json(file, describe_run(graded) | {"safelight": facts})
    return {"kind": "evaluated", "file": str(file), "folder": str(place), **facts}


def write_pictures(
    place: Path, graded: Graded, pictures: list[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Write the pictures and the photo nearest to each into a folder; yield what they are."""
    from training.pictures import write_picture  # noqa: PLC0415 - Pillow

    for drawn, each in zip(graded.report.drawn, pictures, strict=True):
        photo_file = f"photo-{each['photo']:03}.png"
        write_picture(place / each["file"], drawn.picture)
        write_picture(place / photo_file, graded.report.photos[each["photo"]])
        yield each | {"photo_file": photo_file}
