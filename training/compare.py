"""Compare styles: each draws the same prompts from the same seeds, and all are graded alike.

The job's folder has the styles and the photos. All grades are on one scale: it begins at what the
bases draw without a style, all together, so that styles of several bases can be told apart.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from PIL import Image

from storage.crops import Framing, list_buckets
from storage.events import Done, Event, PictureDrawn, Progress, Started, Timings
from storage.folders import JobFolder, write_json, write_whole
from storage.photos.filmstrip import Frame, draw_filmstrip
from storage.planning import comparison
from storage.planning.comparison import BASE_SEEDS, CROSS_PROMPTS, PROMPTS, SEEDS, Grading
from storage.records import Base
from storage.requests import JudgedStyle, JudgeRequest, SampleRequest
from training.bases.cache import BaseCache
from training.evaluate import FIRST_SEED, STEPS, Painter
from training.families import Family
from training.grade import find_captioner
from training.judge.features import FeatureNet
from training.judge.likeness import measure_own_likeness
from training.judge.prompts import list_prompts, name_bindings
from training.judge.score import Score
from training.judge.style_judge import Drawn, Judgement, StyleJudge, Taught
from training.judge.variety import measure_spread
from training.pictures import write_picture
from training.recipe.concepts import TrainingPhoto
from training.run.examples import crop_photo
from training.sample import choose_side, load_style

PERCENT = 100  #: scores are told from 0 to 100
MAX_PHOTOS = 24  #: that pictures are compared with
GRID, SQUARE, GRADES = "0.png", "1.png", "grades.json"  #: in the job's `result/`


@dataclass(slots=True)
class Gallery:
    """What was drawn."""

    steps: int  #: of the sampler
    drawn: dict[int, list[Drawn]] = field(default_factory=dict)  #: by entry, on its own base
    #: by the entry, and by another one on whose base it was drawn
    crossed: dict[tuple[int, int], list[Drawn]] = field(default_factory=dict)
    bare: dict[str, list[Drawn]] = field(default_factory=dict)  #: the prompts, by the bases alone
    plain: dict[str, list[Drawn]] = field(default_factory=dict)  #: the class word, likewise


def compare(folder: JobFolder, bases: BaseCache, steps: int = STEPS) -> Iterator[Event]:
    """Draw what `job.json` asks for, and write grades and pictures into `result/`."""
    began, given = time.perf_counter(), folder.read_request()
    request = JudgeRequest.from_json(given["request"])
    count, drawn = count_pictures(request, bases), 0
    yield Started(0, count, bases.device.name, int(given.get("attempt", 1)))
    gallery, photos = Gallery(steps), list[Image.Image]()
    for more in draw_all(folder, request, bases, gallery):
        drawn += more
        yield Progress(drawn, count)
    with bases.borrow(request.base) as family:
        photos += read_photos(folder, request, bases.find(request.base), family)
    judge = make_judge(request, photos, gallery, bases)
    judged = {number: judge.judge(drawn) for number, drawn in gallery.drawn.items()}
    crossed = {pair: judge.judge(drawn) for pair, drawn in gallery.crossed.items()}
    content = {
        "grades": {str(each): asdict(grade) for each, grade in compare_scores(judged).items()},
        "crossed": [
            {"trained": pair[0], "drawn": pair[1], "score": one.score.mean,
             "spread": one.score.spread}
            for pair, one in crossed.items()
        ],
        "bases": {name: describe_base(drawn, judge) for name, drawn in gallery.plain.items()},
    }  # fmt: skip
    yield PictureDrawn(write_grid(folder, request, gallery, judged).name, FIRST_SEED, request.name)
    if crossed:
        yield PictureDrawn(
            write_square(folder, request, gallery, crossed).name, FIRST_SEED, request.name
        )
    write_json(folder.result / GRADES, content)
    yield Done(count, Timings(time.perf_counter() - began))


def count_pictures(request: JudgeRequest, bases: BaseCache) -> int:
    """Return how many pictures `draw_all` draws."""
    places = [bases.find(name) for name in {each.base for each in request.judged}]
    styles = [bases.find(each.base) for each in request.judged]
    crossings = sum(fits(one, on) for one in styles for on in places if one.name != on.name)
    return comparison.count_pictures(len(styles), len(places), crossings)


def draw_all(
    folder: JobFolder, request: JudgeRequest, bases: BaseCache, gallery: Gallery
) -> Generator[int, None, None]:
    """Draw everything, base by base; yield as `Painter.draw` does, so that other jobs may run."""
    by_base = sorted(request.judged, key=lambda each: each.base)
    for name, group in groupby(by_base, key=lambda each: each.base):
        base, own = bases.find(name), [each.number for each in group]
        words = request.trigger, request.concept, request.class_word
        asked = list_prompts(*words, small=base.small)[:PROMPTS]
        plain = name_bindings(*words, small=base.small)["neither"]
        with bases.borrow(name) as family:
            side = choose_side(SampleRequest(name, ""), base, family)
            empty = Painter(family, bases.device, None, side, gallery.steps)
            gallery.bare[name] = yield from empty.draw(asked, 1, bare=True)
            gallery.plain[name] = yield from empty.draw([plain], BASE_SEEDS, bare=True)
            for each in request.judged:
                if not fits(bases.find(each.base), base):
                    continue
                worn = wear(folder, each, name, empty)
                if each.number in own:
                    gallery.drawn[each.number] = yield from worn.draw(asked)
                else:
                    drawn = yield from worn.draw(asked[:CROSS_PROMPTS])
                    gallery.crossed[each.number, own[0]] = drawn


def fits(trained: Base, drawn: Base) -> bool:
    """Return whether a style of one base can be drawn on another."""
    return (trained.family, trained.small) == (drawn.family, drawn.small)


def wear(folder: JobFolder, each: JudgedStyle, base: str, empty: Painter) -> Painter:
    """Return a painter on a base that wears a style."""
    told = SampleRequest(base, "", method=each.method, trigger=each.trigger)
    return replace(empty, style=load_style(folder.grid_style(each.number), told, empty.family))


def read_photos(
    folder: JobFolder, request: JudgeRequest, base: Base, family: Family
) -> list[Image.Image]:
    """Return the photos, or some of many, as a training sees them."""
    buckets = list_buckets(base.resolution, family.size_multiple)
    return [
        crop_photo(
            folder.photos,
            TrainingPhoto(each["file"], "", framing=Framing.from_json(each["framing"])),
            buckets,
        ).picture
        for each in choose_photos(request)
    ]


def choose_photos(request: JudgeRequest) -> Sequence[Mapping[str, Any]]:
    """Return MAX_PHOTOS at most, evenly over all."""
    return request.photos[:: max(1, -(-len(request.photos) // MAX_PHOTOS))]


def make_judge(
    request: JudgeRequest, photos: Sequence[Image.Image], gallery: Gallery, bases: BaseCache
) -> StyleJudge:
    """Return the one judge of all entries."""
    words = (request.trigger, request.class_word)
    bare = [drawn for name in sorted(gallery.bare) for drawn in gallery.bare[name]]
    describe = find_captioner(bases, bases.find(request.base), request)
    captions = [str(each.get("caption", "")) for each in choose_photos(request)]
    taught = Taught(photos, words=words, captions=captions)
    return StyleJudge(FeatureNet.load(bases.device), taught, bare, describe)


def compare_scores(judged: Mapping[int, Judgement]) -> dict[int, Grading]:
    """Return the grades of each entry, with those that it is clearly better than."""
    return {
        number: Grading(
            score=each.score.mean, spread=each.score.spread, likeness=each.grades.likeness,
            variety=each.grades.variety, copies=each.grades.copies,
            obedience=each.grades.obedience,
            beats=tuple(
                other for other, one in judged.items() if is_better(each.score, one.score)
            ),
        )
        for number, each in judged.items()
    }  # fmt: skip


def is_better(one: Score, other: Score) -> bool:
    """Return whether a score is clearly higher than another."""
    return one.mean > other.mean and one.differs_from(other)


def describe_base(plain: Sequence[Drawn], judge: StyleJudge) -> dict[str, float]:
    """Return what a base brings: its pictures of the class word beside the photos.

    `likeness` is the mean cosine of the two, `own_likeness` that of the photos to each other, and
    `variety` the spread of the pictures beside that of the photos.
    """
    features = judge.extractor.extract([each.picture for each in plain])
    photos = judge.known.features
    spread = measure_spread(photos)
    return {
        "likeness": float((features @ photos.T).mean()),
        "own_likeness": measure_own_likeness(photos),
        "variety": measure_spread(features) / spread if spread else 0.0,
    }


def write_grid(
    folder: JobFolder, request: JudgeRequest, gallery: Gallery, judged: Mapping[int, Judgement]
) -> Path:
    """Write the grid: a row for each entry, a column for each prompt, all of the first seed."""
    labels = {each.number: each.label for each in request.judged}
    order = [(number, gallery.drawn[number]) for number in sorted(judged)]
    cells = [
        (each.picture, f"{labels[number]} · {round(PERCENT * judged[number].score.mean)}")
        for number, drawn in order
        for each in drawn[::SEEDS]
    ]
    columns = len(cells) // len(order)
    return write_cells(folder, folder.result / GRID, cells, columns)


def write_square(
    folder: JobFolder,
    request: JudgeRequest,
    gallery: Gallery,
    crossed: Mapping[tuple[int, int], Judgement],
) -> Path:
    """Write the crossings: a style a row, its own base first, then the others, with scores."""
    labels = {each.number: each.label for each in request.judged}
    rows = {trained for trained, _ in crossed}
    cells = []
    for number in sorted(rows):
        cells.append((gallery.drawn[number][0].picture, labels[number]))
        for (trained, on), judgement in sorted(crossed.items()):
            if trained == number:
                label = f"→ {labels[on]} · {round(PERCENT * judgement.score.mean)}"
                cells.append((gallery.crossed[trained, on][0].picture, label))
    return write_cells(folder, folder.result / SQUARE, cells, len(cells) // len(rows))


def write_cells(
    folder: JobFolder, path: Path, cells: Sequence[tuple[Image.Image, str]], columns: int
) -> Path:
    """Write labelled pictures as one."""
    frames = [
        Frame(folder.result / f"cell-{at}.png", label) for at, (_, label) in enumerate(cells)
    ]
    for frame, (picture, _) in zip(frames, cells, strict=True):
        write_picture(frame.path, picture)
    write_whole(path, draw_filmstrip(frames, columns))
    for frame in frames:
        frame.path.unlink()
    return path
