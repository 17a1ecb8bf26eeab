"""A corpus of hostile pictures: each is accepted or refused with its sentence, by a real child."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from io import BytesIO
from itertools import islice

import pytest
from PIL import Image

from benchmarks.hostile.pictures import (
    ACCEPTED,
    Picture,
    list_crafted,
    list_honest,
    mutate_pictures,
)
from bot import wording
from storage.errors import UserError
from storage.photos.sandbox import Darkroom
from tests.fakes.memory import measure_growth

MUTATED = 400
MAX_GROWTH_BYTES = 50 << 20  #: of the process that asks
REFUSALS = {code for code in wording.errors.ERRORS if code.startswith("photo_")}


async def develop(darkroom: Darkroom, picture: Picture) -> str:
    """Return ACCEPTED or the code of the refusal; anything else is raised."""
    try:
        checked = await darkroom.check(picture.content)
    except UserError as refused:
        return refused.code if refused.code in REFUSALS else repr(wording.explain(refused))
    assert b"SECRET" not in checked.pixels + checked.preview, picture.name
    with Image.open(BytesIO(checked.pixels), formats=("PNG",)) as kept:
        kept.load()
        assert (kept.size, kept.info) == ((checked.width, checked.height), {}), picture.name
    return ACCEPTED


def develop_all(pictures: Sequence[Picture]) -> list[str]:
    """Return what became of each picture."""

    async def ask() -> list[str]:
        async with Darkroom(children=1) as darkroom:
            return [await develop(darkroom, picture) for picture in pictures]

    return asyncio.run(ask())


@pytest.mark.slow(4)
def test_crafted() -> None:
    """Each crafted picture has the outcome it should have; the bot's memory hardly grows."""
    pictures = (*list_honest(), *list_crafted())

    outcomes, growth = measure_growth(develop_all, pictures)

    assert [
        (picture.name, outcome, picture.expected)
        for picture, outcome in zip(pictures, outcomes, strict=True)
        if picture.expected not in {"", outcome} or outcome not in REFUSALS | {ACCEPTED}
    ] == []
    assert growth < MAX_GROWTH_BYTES


def test_mutated() -> None:
    """Mutated pictures are accepted or refused; some of both, and none takes too long."""
    pictures = list(islice(mutate_pictures(random.Random(19)), MUTATED))

    found, growth = measure_growth(develop_all, pictures)

    outcomes = Counter(found)
    assert outcomes.keys() <= REFUSALS | {ACCEPTED}
    assert outcomes[ACCEPTED] > MUTATED // 10
    assert outcomes["photo_damaged"] > MUTATED // 4
    assert outcomes["photo_slow"] == 0
    assert growth < MAX_GROWTH_BYTES
