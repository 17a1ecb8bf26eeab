"""A corpus of odd and hostile masks: each means what its painter meant, or has its sentence."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from io import BytesIO

from PIL import Image

from benchmarks.hostile.masks import SIZE, Mask, list_masks, make_masked_photo
from bot import wording
from storage.errors import UserError
from storage.photos.sandbox import Darkroom
from tests.fakes.memory import measure_growth

MAX_GROWTH_BYTES = 50 << 20  #: of the process that asks
TOLERANCE = 4  #: levels, which a lossy format changes
REFUSALS = {code for code in wording.errors.ERRORS if code.startswith(("photo_", "mask_"))}


def read_halves(joined: bytes) -> tuple[int, int]:
    """Return how much of a photo's left and right half is learned, of 255."""
    with Image.open(BytesIO(joined)) as picture:
        alpha = picture.getchannel("A")
    left, right = (alpha.getpixel((SIZE[0] * part // 4, SIZE[1] // 2)) for part in (1, 3))
    return left, right


def join_all(masks: Sequence[Mask]) -> list[tuple[int, int] | str]:
    """Return what each mask means, or the code of its refusal."""

    async def join(darkroom: Darkroom, photo: bytes, mask: Mask) -> tuple[int, int] | str:
        try:
            checked = await darkroom.check(mask.content)
            return read_halves(
                (await darkroom.join_mask(photo, checked.pixels, "a.mask.png")).pixels
            )
        except UserError as refused:
            return refused.code

    async def ask() -> list[tuple[int, int] | str]:
        async with Darkroom(children=1) as darkroom:
            photo = (await darkroom.check(make_masked_photo())).pixels
            return [await join(darkroom, photo, mask) for mask in masks]

    return asyncio.run(ask())


def is_right(mask: Mask, outcome: tuple[int, int] | str) -> bool:
    """Return whether a mask has its outcome."""
    if isinstance(outcome, str) or isinstance(mask.expected, str):
        return mask.expected in {"", outcome} and (
            not isinstance(outcome, str) or outcome in REFUSALS
        )
    return all(abs(a - b) <= TOLERANCE for a, b in zip(outcome, mask.expected, strict=True))


def test_crafted() -> None:
    """Each mask has the outcome it should have; the memory of who asks hardly grows."""
    masks = [*list_masks()]

    outcomes, growth = measure_growth(join_all, masks)

    assert [
        (mask.name, outcome, mask.expected)
        for mask, outcome in zip(masks, outcomes, strict=True)
        if not is_right(mask, outcome)
    ] == []
    assert growth < MAX_GROWTH_BYTES
