"""The caption task: photos described by a captioner, the trigger put in front."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from storage.errors import JobError
from storage.events import Done, Event, Note, PhotoCaptioned, Started, Timings
from storage.folders import JobFolder, write_json
from storage.photofiles import read_photo, write_photo
from storage.planning.features import pack_features
from training.bases.cache import BaseCache
from training.captioners import Captioner, Description
from training.judge.features import FeatureNet

RESULT = "captions.json"
ARTICLES = frozenset({"a", "an", "the"})
BATCH_SIZE = 8  #: photos described at once; a large model on a CPU takes seconds for each


def caption(folder: JobFolder, bases: BaseCache) -> Iterator[Event]:
    """Describe the photos of `job.json` into `result/captions.json`."""
    began = time.perf_counter()
    given = folder.read_request()
    request = given["request"]
    name, trigger, photos = request["captioner"], request["trigger"], request["photos"]
    pictures = sorted(path for path in folder.photos.iterdir() if not path.name.startswith("."))
    yield Started(0, len(pictures), bases.device.name, int(given.get("attempt", 1)))
    if gone := request.get("gone"):
        yield Note("photos_gone", {"photos": gone})
    if not pictures:
        yield Done()
        return
    captions, unknown = dict[str, str](), 0
    with bases.borrow_captioner(name) as captioner:
        quick = bases.device.total_mib() or bases.find_captioner(name).small
        named = list(zip(photos, pictures, strict=True))
        for (photo, path), found in describe(captioner, named, BATCH_SIZE if quick else 1):
            captions[path.name] = put_trigger_first(trigger, found.text)
            unknown += not found.known
            yield PhotoCaptioned(photo, path.name, captions[path.name])
    write_features(folder, bases, dict(zip(photos, pictures, strict=True)))
    if unknown:
        yield Note("captions_unknown", {"unknown": unknown, "photos": len(pictures)})
    write_json(folder.result / RESULT, captions)
    yield Done(len(pictures), Timings(time.perf_counter() - began), RESULT)


def write_features(folder: JobFolder, bases: BaseCache, photos: Mapping[int, Path]) -> None:
    """Write what the judge's network sees in each photo, so that photos can be compared.

    It is encrypted as photos are, if there is a key.
    """
    network = FeatureNet.load(bases.device)
    found = {
        photo: pack_features(network.extract([open_photo(path)])[0].numpy())
        for photo, path in photos.items()
    }
    content = json.dumps(found).encode()
    write_photo(folder.features_file, content, hashlib.sha256(content).hexdigest())


def describe(
    captioner: Captioner, photos: Sequence[tuple[int, Path]], size: int
) -> Iterator[tuple[tuple[int, Path], Description]]:
    """Yield each photo, its id and file, with what the captioner says of it, a batch at a time."""
    for start in range(0, len(photos), size):
        batch = photos[start : start + size]
        found = captioner.describe([open_photo(path) for _, path in batch])
        yield from zip(batch, found, strict=True)


def put_trigger_first(trigger: str, text: str) -> str:
    """Put the trigger in front of a caption that does not begin with it, compared as a word.

    An article only counts with a comma after it, as written here: most captions begin with one.
    """
    after = "," if trigger.lower() in ARTICLES else r"(?!\w)"
    if not trigger or re.match(f"(?i){re.escape(trigger)}{after}", text):
        return text
    return f"{trigger}, {text}" if text else trigger


def open_photo(path: Path) -> Image.Image:
    """Open a photo of the job; raise JobError with its name if it is damaged."""
    try:
        with Image.open(BytesIO(read_photo(path))) as picture:
            return picture.convert("RGB")
    except (OSError, UnidentifiedImageError) as broken:
        raise JobError("photo_broken", file=path.name) from broken
