"""`safelight evaluate`: how good a style's file is, as a table, as JSON and as a picture."""

from __future__ import annotations

import platform
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from storage.errors import JobError, UserError
from storage.folders import JobFolder, replacing, write_json
from storage.records import Base
from storage.requests import SampleRequest
from training.cli.arguments import EvaluateArguments
from training.cli.outputs import number_paths
from training.judge.features import NAME
from training.judge.prompts import SMALL_PROMPTS

if TYPE_CHECKING:
    from training.evaluate import Report
    from training.worker.runtime import Runtime

PROMPTS = 25
PACKAGES = ("torch", "diffusers", "transformers", "peft", "torchmetrics")
MIN_PHOTOS = 2  #: with a single one, nothing says how much alike they are


def grade_style(
    given: EvaluateArguments, runtime: Runtime, folder: JobFolder, known: dict[str, str]
) -> tuple[Report, Base, float]:
    """Draw with the style in a job folder and grade it; return the base and the seconds, too."""
    from training.evaluate import Case, Painter, evaluate  # noqa: PLC0415 - torch
    from training.judge.features import FeatureNet  # noqa: PLC0415 - torch
    from training.sample import choose_side, load_style  # noqa: PLC0415 - torch

    photos = read_pictures(folder)
    if len(photos) < MIN_PHOTOS:
        raise UserError("no_photos", name=str(given.photos))
    began, bases = time.perf_counter(), runtime.bases
    base, trigger = bases.find(known["base"]), given.trigger or known["trigger"]
    request = SampleRequest(base.name, "", method=known["method"], trigger=trigger,
                            strength=given.strength)  # fmt: skip
    with bases.borrow(base.name) as family:
        style = load_style(folder.style_file, request, family)
        if style is None:
            raise JobError("style_missing", file=given.style.name)
        count = given.prompts or (SMALL_PROMPTS if base.small else PROMPTS)
        case = Case(photos, trigger, given.concept, given.class_word, count, base.small)
        painter = Painter(family, bases.device, style, choose_side(request, base, family))
        describe = find_captioner(runtime, base)
        report = evaluate(painter, case, FeatureNet.load(bases.device), describe)
    return report, base, time.perf_counter() - began


def read_pictures(folder: JobFolder) -> list[Image.Image]:
    """Read the photos of a job folder."""
    pictures = []
    for path in sorted(folder.photos.iterdir()):
        with Image.open(path) as opened:
            pictures.append(opened.convert("RGB"))
    return pictures


def find_captioner(runtime: Runtime, base: Base) -> Any:
    """Return what describes pictures of a base; None where no captioner for them is here."""
    name = "embedded" if base.small else runtime.captioner
    if name == "embedded" and not base.small:  # it knows emoji alone
        return None
    try:
        runtime.bases.locate_captioner(name)
    except JobError:
        return None

    def describe(pictures: Sequence[Image.Image]) -> list[str]:
        """Describe pictures."""
        if not pictures:
            return []
        with runtime.bases.borrow_captioner(name) as captioner:
            return [each.text for each in captioner.describe(pictures)]

    return describe


def write_report(
    given: EvaluateArguments, report: Report, base: Base, seconds: float
) -> dict[str, Any]:
    """Write the JSON and the pictures beside it; return what is printed."""
    file = next(path for path in number_paths(given.json) if not path.exists())
    place = file.with_suffix("")
    pictures = [*write_pictures(place, report)]
    facts = describe_report(report)
    content = describe_run(given, report, base, seconds)
    write_json(file, content | {"safelight": facts | {"pictures": pictures}})
    return {
        "kind": "evaluated", "file": str(file), "folder": str(place),
        "style": given.style.stem,
        "base": base.title, "seconds": round(seconds, 1), "pictures": pictures, **facts,
    }  # fmt: skip


def write_pictures(place: Path, report: Report) -> Iterator[dict[str, Any]]:
    """Write the pictures and the photo nearest to each into a folder; yield what they are."""
    place.mkdir(parents=True, exist_ok=True)
    pairs = zip(report.drawn, report.judgement.nearest, strict=True)
    for at, (drawn, nearest) in enumerate(pairs):
        file, photo = f"{at:03}.png", f"photo-{nearest.photo:03}.png"
        for name, picture in ((file, drawn.picture), (photo, report.photos[nearest.photo])):
            with replacing(place / name) as part:
                picture.save(part, "PNG")
        yield {"file": file, "prompt": drawn.prompt, "photo_file": photo, **asdict(nearest)}


def describe_report(report: Report) -> dict[str, Any]:
    """Return every number of a report, and what computed it."""
    judgement = report.judgement
    return {
        "score": asdict(judgement.score),
        "grades": asdict(judgement.grades),
        "seeds": [asdict(each) for each in judgement.seeds],
        "bindings": report.bindings,
        "leak": report.leak,
        "own_likeness": report.own_likeness,
        "computed_by": {
            "likeness": NAME, "variety": NAME, "forgetting": NAME, "bindings": NAME,
            "obedience": "captioner", "copies": f"{NAME} and SSIM",
        },
    }  # fmt: skip


def describe_run(
    given: EvaluateArguments, report: Report, base: Base, seconds: float
) -> dict[str, Any]:
    """Return a row of peft's benchmark of image generation, as far as its fields are known here.

    Its `dino_similarity` is called after the network that is used in place of DINOv2.
    """
    shown = [*dict.fromkeys(each.prompt for each in report.drawn)]
    config = {
        "model_id": base.name, "num_inference_steps": 20, "sample_image_prompts": shown,
        "drift_image_prompts": report.kept_prompts,
    }  # fmt: skip
    metrics = {"test efficientnet_lite2_similarity": report.similarity, "drift": report.drift}
    return {
        "run_info": {
            "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "total_time": seconds, "experiment_name": given.style.stem,
            "train_config": config, "error_msg": "",
        },
        "train_info": {
            "file_size": given.style.stat().st_size, "status": "success", "metrics": [metrics],
        },
        "meta_info": {
            "package_info": {f"{name}-version": version(name) for name in PACKAGES},
            "system_info": {"system": platform.system(), "machine": platform.machine()},
        },
    }  # fmt: skip
