"""Find pictures that a run has drawn and that are one of its photos: it copies them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

from PIL import Image

from storage.photos.pixels import measure_picture
from storage.photos.sameshot import are_same_shot
from storage.records import CheckedPhoto

COMPARED_SIDE = 128  #: pixels; the thumbnails that are compared are smaller


class CopyFinder:
    """Compares pictures with the photos of a run, which it reads when it first needs them."""

    def __init__(self, crop_photos: Callable[[], Sequence[Image.Image]]) -> None:
        self.crop_photos = crop_photos
        self.told = False  #: once is enough

    @cached_property
    def photos(self) -> list[CheckedPhoto]:
        """What is compared of each photo, as it was learned from."""
        return [describe(photo) for photo in self.crop_photos()]

    def finds_new_copy(self, pictures: Sequence[Image.Image]) -> bool:
        """Return whether one of these pictures is a photo, the first time that this is so."""
        if self.told:
            return False
        drawn = map(describe, pictures)
        self.told = any(are_same_shot(one, photo) for one in drawn for photo in self.photos)
        return self.told


def describe(picture: Image.Image) -> CheckedPhoto:
    """Return what is compared of a picture."""
    small = picture.convert("RGB")
    small.thumbnail((COMPARED_SIDE, COMPARED_SIDE), Image.Resampling.LANCZOS)
    return measure_picture(small, None)
