"""Measure what is found on photographs.

    python -m benchmarks.photos --own ../shared/data/photos --packages FOLDER

FOLDER has the packages of `sources.py`, unpacked. What is measured was chosen on the photos of
`--own`. Those in the packages were only measured, but for three limits that were chosen after a
look at them, too: of softness, of photos that show something else, and of crops of one photo.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations, count
from pathlib import Path

from PIL import Image

from benchmarks.photos import changes
from benchmarks.photos.sources import (
    MAX_SIDE,
    SUBJECTS,
    list_packaged,
    list_packaged_sets,
    list_sets,
    read_photo,
)
from benchmarks.table import Row, at_least, at_most, figure, print_table
from storage.photos.measures import list_warnings, measure
from storage.photos.overlap import group_parts
from storage.photos.pixels import difference_hash
from storage.photos.sameshot import are_same_shot
from storage.planning.features import find_strangers, measure_views_spread, pack_features
from storage.planning.readiness import (
    MIN_PHOTOS,
    measure_ground_distances,
    rate_readiness,
    read_colours,
)
from storage.records import CheckedPhoto
from training.device import HostMemory
from training.judge.features import FeatureNet

NUMBERS = count()
MAX_FALSE_PERCENT, MIN_FOUND_PERCENT, MIN_SAME_PERCENT = 2, 95, 98


def check(picture: Image.Image) -> CheckedPhoto:
    """Return a photo as the darkroom does, without its files."""
    measures, phash = measure(picture), difference_hash(picture.convert("L"))
    warnings = list_warnings(measures, picture.size)
    return CheckedPhoto(
        str(next(NUMBERS)), phash, *picture.size, b"", b"", warnings, measures=measures
    )


def measure_warnings(own: Sequence[Path], packaged: Sequence[Path]) -> Iterator[Row]:
    """Yield false warnings, soft photos that are found, and the time of all measures."""
    pictures = [(path, read_photo(path)) for path in (*own, *packaged)]
    start = time.process_time()
    flagged = [(path.name, check(picture).warnings) for path, picture in pictures]
    seconds = time.process_time() - start
    # a photo of a package may truly be small
    false = [(name, found) for name, found in flagged if {*found} - {"tiny"}]
    said = ": " + ", ".join(f"{name} {found[0]}" for name, found in false) if false else ""
    share = 100 * len(false) / len(pictures)
    yield at_most(f"false warnings on {len(pictures)} photos", share, MAX_FALSE_PERCENT, "%", said)
    for name, change in changes.list_soft().items():
        found = sum("blurred" in check(change(picture)).warnings for _, picture in pictures)
        what = f"soft photos found: {name}"
        yield at_least(what, 100 * found / len(pictures), MIN_FOUND_PERCENT, "%")
    yield figure("all measures of a photo", 1000 * seconds / len(pictures), "ms of a core")


def measure_shots(paths: Sequence[Path]) -> Iterator[Row]:
    """Yield how many changed photos are found to be the same shot, and different ones, too."""
    pictures = [read_photo(path, MAX_SIDE) for path in paths]
    photos, total, right = [check(picture) for picture in pictures], 0, 0
    for name, change in changes.list_same().items():
        same = [
            are_same_shot(photo, check(change(picture)))
            for photo, picture in zip(photos, pictures, strict=True)
        ]
        total, right = total + len(same), right + sum(same)
        yield figure(f"same shot found: {name}", f"{sum(same)} of {len(same)}")
    yield at_least(f"same shot found, of {total}", 100 * right / total, MIN_SAME_PERCENT, "%")
    start = time.process_time()
    pairs = [are_same_shot(one, other) for one, other in combinations(photos, 2)]
    milliseconds = 1000 * (time.process_time() - start) / len(pairs)
    yield at_most(f"{len(pairs)} pairs of different photos called the same", sum(pairs), 0)
    yield figure("comparing two photos", milliseconds, "ms of a core")


def measure_readiness(own: Path, packages: Path) -> Iterator[Row]:
    """Yield how often a set is ranked over a poor one, and both over six crops of each photo."""
    for name, paths in list_sets(own, packages):
        pictures = [read_photo(path, MAX_SIDE) for path in paths]
        photos = [check(picture) for picture in pictures]
        rated, poor = rate_readiness(photos), rate_readiness(pick_poor_set(photos))
        crops = [
            rate_readiness([*map(check, changes.crop_six(picture, seed))])
            for seed, picture in enumerate(pictures)
        ]
        said = f" ({rated.level}, {rated.advice or 'nothing missing'})"
        what = f"{name}, {len(paths)} photos, ranked over its poor set"
        yield at_least(what, rated.rank > poor.rank, 1, more=said)
        for which, ready in (("photos", rated), ("its poor set", poor)):
            over = sum(ready.rank > each.rank for each in crops)
            what = f"{name}, {which} ranked over six crops of each photo"
            yield at_least(what, over, len(crops), more=f" of {len(crops)}")


def pick_poor_set(photos: Sequence[CheckedPhoto]) -> list[CheckedPhoto]:
    """Return as few photos as can be trained on: those whose grounds are most alike."""
    colours = [read_colours(photo.measures.colours) for photo in photos if photo.measures]
    distances = measure_ground_distances(colours)

    def measure_variety(places: Sequence[int]) -> float:
        return sum(float(distances[pair]) for pair in combinations(places, 2))

    alike = min(combinations(range(len(photos)), MIN_PHOTOS), key=measure_variety)
    return [photos[at] for at in alike]


def measure_crops(paths: Sequence[Path]) -> Iterator[Row]:
    """Yield how often six crops count as one photo, and different photos as crops of one."""
    pictures = [read_photo(path, MAX_SIDE) for path in paths]
    one = [
        len({*group_parts([*map(check, changes.crop_six(picture, seed))])})
        for seed, picture in enumerate(pictures)
    ]
    said = f" of {len(one)}; at most as {max(one)}"
    yield figure("six crops of a photo that count as one", f"{one.count(1)}{said}")
    parts = group_parts([*map(check, pictures)])
    places = [*combinations(range(len(paths)), 2)]
    called = [
        f"{paths[one].name} {paths[other].name}"
        for one, other in places
        if parts[one] == parts[other]
    ]
    what = f"of {len(places)} pairs of different photos, called crops of one"
    yield figure(what, "; ".join([str(len(called)), *called]))


def measure_strangers(own: Path, packages: Path) -> Iterator[Row]:
    """Yield how often a photo of a set is called something else, and one that truly is."""
    network, sets = FeatureNet.load(HostMemory()), {}
    for name, paths in (*list_sets(own, packages), *list_packaged_sets(packages, SUBJECTS)):
        pictures = [read_photo(path, MAX_SIDE) for path in paths]
        sets[name] = [
            replace(check(picture), features=pack_features(features.numpy()))
            for picture, features in zip(pictures, network.extract(pictures), strict=True)
        ]
        spread = measure_views_spread(sets[name])
        yield figure(f"{name}, mean distance of its views", f"{spread:.2f}")
    total = sum(map(len, sets.values()))
    false = sum(len(find_strangers(photos)) for photos in sets.values())
    what = f"of {total} photos called something else than their set"
    yield at_most(what, 100 * false / total, MAX_FALSE_PERCENT, "%")
    planted = [
        len(photos) in find_strangers([*photos, other])
        for name, photos in sets.items()
        for elsewhere, others in sets.items()
        if elsewhere != name
        for other in others
    ]
    what = f"of {len(planted)} photos of another set, those called something else"
    yield figure(what, f"{100 * sum(planted) / len(planted):.1f} %")


def main() -> int:
    """Print the table; return 1 if a bar is missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--own", type=Path, required=True)
    parser.add_argument("--packages", type=Path, required=True)
    given = parser.parse_args()
    own, packaged = sorted(given.own.rglob("*.jpg")), list_packaged(given.packages)
    rows = [
        measure_warnings(own, packaged),
        measure_shots([*own, *packaged]),
        measure_readiness(given.own, given.packages),
        measure_crops([*own, *packaged]),
        measure_strangers(given.own, given.packages),
    ]
    return print_table(row for table in rows for row in table)


if __name__ == "__main__":
    sys.exit(main())
