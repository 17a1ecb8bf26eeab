"""The sample task: pictures from a prompt, with a style or without."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, fields, replace
from itertools import count, islice
from pathlib import Path
from typing import Any

from PIL import Image

from storage import limits
from storage.errors import JobError
from storage.events import Done, Event, Note, PictureDrawn, Progress, Started, Timings
from storage.folders import JobFolder, write_whole
from storage.limits import check_range
from storage.photos.filmstrip import Frame, draw_filmstrip
from storage.planning.caption_length import find_lost_words
from storage.planning.grid import check_grid
from storage.records import Base
from storage.requests import GridRequest, SampleRequest
from training import families, methods
from training.bases.cache import BaseCache
from training.device import Device
from training.families import Family, Picture
from training.lazy import Tensor
from training.networks.memory import MIB, count_at_once
from training.pictures import write_picture, write_pictures
from training.styles import foreign, header, writer
from training.styles.architecture import require_family

LIMITS = {"steps": (1, 100), "count": (1, 4), "strength": (-2.0, 2.0), "seed": limits.SEED}
SIDE_PIXELS = (32, 1024)
MAX_PROMPT_CHARS = 2000


@dataclass(frozen=True, slots=True)
class LoadedStyle:
    """A style whose tensors fit the base, and how strongly to apply it."""

    method: methods.MethodModule
    tensors: dict[str, Tensor]
    word: str
    strength: float

    def applied(self, family: Family) -> AbstractContextManager[None]:
        """Apply the style to the base inside the block."""
        return self.method.apply(family.networks, self.tensors, self.word, self.strength)


def sample(folder: JobFolder, bases: BaseCache) -> Iterator[Event]:
    """Draw what `job.json` asks for into `result/`.

    The style is applied for each batch anew: nothing of it is left on the base across a yield,
    where a training or another job may use it.
    """
    began = time.perf_counter()
    given = folder.read_request()
    if "cells" in given["request"]:
        yield from draw_grid(folder, bases, given)
        return
    request = read_request(given["request"])
    base = bases.find(request.base)
    yield Started(0, request.count, bases.device.name, int(given.get("attempt", 1)))
    with bases.borrow(request.base) as family:
        style = load_style(folder.style_file, request, family)
        side = choose_side(request, base, family)
        yield from note_cut(family, request, style)
        seeds = [(request.seed + at) % 2**63 for at in range(request.count)]
        pictures = [
            Picture(request.prompt, request.negative, seed, request.steps, side, side)
            for seed in seeds
        ]
        files = (folder.result / f"{number}.png" for number in count())
        for batch in split_by_memory(family, bases.device, pictures):
            images = draw_pictures(family, bases.device, batch, style)
            paths = list(islice(files, len(batch)))
            write_pictures(paths, images)
            for picture, path in zip(batch, paths, strict=True):
                yield PictureDrawn(path.name, picture.seed, request.prompt)
    yield Done(request.count, Timings(time.perf_counter() - began))


def draw_grid(folder: JobFolder, bases: BaseCache, given: dict[str, Any]) -> Iterator[Event]:
    """Draw each picture of a grid with the same seed, and `result/0.png` of all of them."""
    began, request = time.perf_counter(), GridRequest.from_json(given["request"])
    check_cells(request)
    base, total, drawn = bases.find(request.base), len(request.cells), 0
    yield Started(0, total, bases.device.name, int(given.get("attempt", 1)))
    with bases.borrow(request.base) as family:
        side = choose_side(request, base, family)
        for number, each in enumerate(request.styles):
            told = replace(request, method=each.method, trigger=each.trigger)
            style = load_style(folder.grid_style(number), told, family)
            for at, cell in enumerate(request.cells):
                if cell.style == number:
                    worn = style and replace(style, strength=cell.strength)
                    picture = Picture(
                        cell.prompt, request.negative, request.seed, request.steps, side, side
                    )
                    (image,) = draw_pictures(family, bases.device, [picture], worn)
                    write_picture(cell_file(folder, at), image)
                    drawn += 1
                    yield Progress(drawn, total)
    frames = [Frame(cell_file(folder, at), cell.label) for at, cell in enumerate(request.cells)]
    path = folder.result / "0.png"
    write_whole(path, draw_filmstrip(frames, request.columns))
    for frame in frames:
        frame.path.unlink()
    yield PictureDrawn(path.name, request.seed, request.prompt)
    yield Done(total, Timings(time.perf_counter() - began))


def cell_file(folder: JobFolder, at: int) -> Path:
    """Return where a picture of a grid lies until the grid is whole."""
    return folder.result / f"cell-{at}.png"


def check_cells(request: GridRequest) -> None:
    """Raise JobError for a grid that is too large, or names a style that it does not have."""
    check_grid(-(-len(request.cells) // request.columns), request.columns, JobError)
    for cell in request.cells:
        read_request(asdict(request) | {"prompt": cell.prompt, "strength": cell.strength})
        if not 0 <= cell.style < len(request.styles):
            raise JobError("request_broken", reason=f"style {cell.style}")


def split_by_memory(
    family: Family, device: Device, pictures: Sequence[Picture]
) -> Iterator[list[Picture]]:
    """Split pictures of one size into batches that fit into the memory that is free then."""
    counts, rest = families.walk()[family.name].COUNTS.memory, iter(pictures)
    while batch := list(
        islice(rest, count_at_once(counts, pictures[0].width, device.available_mib() * MIB))
    ):
        yield batch


def draw_pictures(
    family: Family, device: Device, pictures: Sequence[Picture], style: LoadedStyle | None
) -> list[Image.Image]:
    """Draw pictures of one size in one batch, with nothing on the base but the style."""
    with (
        family.networks.without_adapter(),
        style.applied(family) if style else nullcontext(),
        device.autocast(),
        family.on_device("text", "denoiser", "vae"),
    ):
        return family.sample_images(pictures)


def note_cut(family: Family, request: SampleRequest, style: LoadedStyle | None) -> list[Note]:
    """Return notes on what the text encoder does not read of a prompt that is too long."""
    has_word = style is not None and style.method.METHOD.learns_word
    notes = []
    with (
        family.networks.without_adapter(),
        style.applied(family) if style and has_word else nullcontext(),
    ):
        # the last note is the one on the card
        for code, text in ("negative_cut", request.negative), ("prompt_cut", request.prompt):
            if cut := family.tokenize(text)[1]:
                words = find_lost_words(text, lambda part: family.tokenize(part)[1])
                notes.append(Note(code, {"tokens": cut, "words": words}))
    return notes


def load_style(path: Path, request: SampleRequest, family: Family) -> LoadedStyle | None:
    """Read a style's file, None for the bare base; raise JobError if it does not fit the base."""
    if not request.method and not path.exists():
        return None
    method, head = methods.find(request.method), header.read_header(path)
    made = require_family(head, family.name, request.base)
    header.check_pairs(head)
    tensors = writer.read_tensors(path)
    if not header.is_whole_model(tensors):
        tensors = foreign.translate(tensors, family.networks, foreign.read_told(path, head))
    try:
        method.check(family.networks, tensors)
    except JobError as amiss:
        base = header.read_base(path)
        if base not in {"", request.base}:
            raise JobError("style_misfit", made=base, base=request.base) from amiss
        if not (base or made.title):
            reason = amiss.facts.get("reason", amiss.code)
            raise JobError("style_strange", base=request.base, reason=reason) from amiss
        raise
    return LoadedStyle(method, tensors, request.trigger, request.strength)


def choose_side(request: SampleRequest, base: Base, family: Family) -> int:
    """Return the side in pixels: the base's or the requested one, a multiple of the grain."""
    side = request.size or base.resolution
    check_range("size", side, (SIDE_PIXELS[0], max(SIDE_PIXELS[1], base.resolution)), JobError)
    return max(family.size_multiple, side // family.size_multiple * family.size_multiple)


def read_request(value: dict[str, Any]) -> SampleRequest:
    """Read a request; raise JobError if it lacks something or a value is out of range."""
    known = {field.name for field in fields(SampleRequest)}
    try:
        request = SampleRequest(**{name: entry for name, entry in value.items() if name in known})
    except TypeError as broken:
        raise JobError("request_broken", reason=str(broken)) from broken
    for name, between in LIMITS.items():
        check_range(name, getattr(request, name), between, JobError)
    for text in (request.prompt, request.negative):
        if len(text) > MAX_PROMPT_CHARS:
            raise JobError("prompt_long", length=len(text), most=MAX_PROMPT_CHARS)
    return request
