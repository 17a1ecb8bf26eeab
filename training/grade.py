"""The grade task: a style is drawn and graded, and what was found is written as a report."""

from __future__ import annotations

import platform
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from PIL import Image

from storage.errors import JobError
from storage.events import Done, Event, PictureDrawn, Progress, Started, Timings
from storage.folders import JobFolder, write_json
from storage.planning.grades import MIN_PHOTOS, choose_pictures
from storage.records import Base, Concept
from storage.requests import GradeRequest, JudgeRequest, SampleRequest
from training.bases.cache import BaseCache
from training.caption import open_photo
from training.evaluate import SEEDS, STEPS, Case, Judges, Painter, Report, evaluate
from training.judge.features import NAME, FeatureNet
from training.judge.prompts import SMALL_PROMPTS
from training.judge.style_judge import Describe
from training.pictures import write_picture
from training.sample import choose_side, load_style

PROMPTS = 25
PACKAGES = ("torch", "diffusers", "transformers", "peft", "torchmetrics")
SMALL_CAPTIONER = "embedded"  #: it knows what small bases draw, and nothing else


@dataclass(frozen=True, slots=True)
class Graded:
    """A report, and what it is of."""

    request: GradeRequest
    report: Report
    base: Base
    bytes: int  #: of the style's file
    seconds: float


def grade(folder: JobFolder, bases: BaseCache) -> Iterator[Event]:
    """Grade the style of `job.json`; `result/` gets the report and the pictures that it shows."""
    given = folder.read_request()
    request = GradeRequest.from_json(given["request"])
    yield Started(0, 0, bases.device.name, int(given.get("attempt", 1)))
    graded = yield from grade_style(folder, bases, request)
    facts = describe_report(graded)
    shown = choose_pictures(facts["pictures"])
    for each in shown:
        drawn = graded.report.drawn[int(Path(each["file"]).stem)]
        write_picture(folder.result / each["file"], drawn.picture)
        yield PictureDrawn(each["file"], 0, drawn.prompt)
    for each in facts["pictures"]:
        each["photo"] = request.photos[each["photo"]]
    facts |= {"pictures": shown, "photo_ids": request.photos, "drawn": len(graded.report.drawn)}
    write_json(folder.report_file, describe_run(graded) | {"safelight": facts})
    yield Done(len(graded.report.drawn), Timings(graded.seconds), folder.report_file.name)


def grade_style(
    folder: JobFolder, bases: BaseCache, request: GradeRequest
) -> Generator[Progress, None, Graded]:
    """Draw with the style in a job folder and grade it, and yield how far that is."""
    photos = read_pictures(folder)
    if len(photos) < MIN_PHOTOS:
        raise JobError("photos_few", photos=len(photos), least=MIN_PHOTOS)
    began, base = time.perf_counter(), bases.find(request.base)
    size = folder.style_file.stat().st_size
    sampled = SampleRequest(
        base.name, "", strength=request.strength, method=request.method, trigger=request.trigger
    )
    with bases.borrow(base.name) as family:
        style = load_style(folder.style_file, sampled, family)
        if style is None:
            raise JobError("style_missing", file=request.name)
        count = request.prompts or (SMALL_PROMPTS if base.small else PROMPTS)
        case = Case(
            photos, request.trigger, request.concept, request.class_word, count, base.small,
            request.seeds or SEEDS, request.captions,
        )  # fmt: skip
        painter = Painter(family, bases.device, style, choose_side(sampled, base, family))
        describe = find_captioner(bases, base, request)
        device = bases.device.torch_device
        judges = Judges(FeatureNet.load(bases.device), describe, bases.judges, device)
        going = evaluate(painter, case, judges)
        drawn, total = 0, case.count_pictures()
        while True:
            try:
                drawn += next(going)
            except StopIteration as ended:
                report = ended.value
                break
            yield Progress(drawn, total, seconds=time.perf_counter() - began)
    return Graded(request, report, base, size, time.perf_counter() - began)


def read_pictures(folder: JobFolder) -> list[Image.Image]:
    """Read the photos of a job folder."""
    paths = (path for path in folder.photos.iterdir() if not path.name.startswith("."))
    return [open_photo(path) for path in sorted(paths)]


def find_captioner(
    bases: BaseCache, base: Base, request: GradeRequest | JudgeRequest
) -> Describe | None:
    """Return what describes pictures of a base; None where no captioner for them is here.

    The embedded one hardly knows a thing drawn in a new look, so it tells nothing of looks.
    """
    if base.small and request.concept is Concept.LOOK:
        return None
    name = SMALL_CAPTIONER if base.small else request.captioner
    if not name or (name == SMALL_CAPTIONER and not base.small):
        return None
    try:
        bases.locate_captioner(name)
    except JobError:
        return None

    def describe(pictures: Sequence[Image.Image]) -> list[str]:
        """Describe pictures."""
        if not pictures:
            return []
        with bases.borrow_captioner(name) as captioner:
            return [each.text for each in captioner.describe(pictures)]

    return describe


def describe_report(graded: Graded) -> dict[str, Any]:
    """Return every number of a report, and what computed it."""
    report, judgement = graded.report, graded.report.judgement
    pairs = zip(report.drawn, judgement.nearest, strict=True)
    return {
        "style": graded.request.name, "base": graded.base.title, "trigger": graded.request.trigger,
        "concept": graded.request.concept, "class_word": graded.request.class_word,
        "seconds": round(graded.seconds, 1), "photos": len(report.photos),
        "score": asdict(judgement.score),
        "grades": asdict(judgement.grades),
        "seeds": [asdict(each) for each in judgement.seeds],
        "bindings": {k: v for k, v in asdict(report.bindings).items() if v is not None},
        "leak": report.bindings.leak,
        "shift": report.shift,
        "own_likeness": report.own_likeness,
        "sets": [asdict(each) for each in report.sets],
        "encoded": report.encoded,
        "computed_by": {
            "likeness": NAME, "variety": NAME, "forgetting": NAME, "bindings": NAME, "shift": NAME,
            "obedience": None if judgement.grades.obedience is None else "captioner",
            "copies": f"{NAME} and SSIM",
        },
        "pictures": [
            {"file": f"{at:03}.png", "prompt": drawn.prompt, **asdict(nearest)}
            for at, (drawn, nearest) in enumerate(pairs)
        ],
    }  # fmt: skip


def describe_run(graded: Graded) -> dict[str, Any]:
    """Return a row of peft's benchmark of image generation, as far as its fields are known here.

    Its `dino_similarity` is there if DINOv2 is; the network used in its place has its own name.
    """
    report = graded.report
    config = {
        "model_id": graded.base.name, "num_inference_steps": STEPS,
        "sample_image_prompts": [*dict.fromkeys(each.prompt for each in report.drawn)],
        "drift_image_prompts": report.kept_prompts,
    }  # fmt: skip
    metrics = {"test efficientnet_lite2_similarity": report.similarity, "drift": report.drift}
    if "DINOv2" in report.encoded:
        metrics["test dino_similarity"] = report.encoded["DINOv2"]
    return {
        "run_info": {
            "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "total_time": graded.seconds, "experiment_name": graded.request.name,
            "train_config": config, "error_msg": "",
        },
        "train_info": {"file_size": graded.bytes, "status": "success", "metrics": [metrics]},
        "meta_info": {
            "package_info": {f"{name}-version": version(name) for name in PACKAGES},
            "system_info": {"system": platform.system(), "machine": platform.machine()},
        },
    }  # fmt: skip
