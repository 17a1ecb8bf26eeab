"""Stored photos are examined once, and what cannot be is not tried again."""

from __future__ import annotations

from bot.jobfeed.examining import Examining
from storage.errors import UserError
from storage.measurements import Examination


class Twin:
    """An examiner whose nets find half nudity in every photo, but die on the first."""

    looks = ("nudity",)

    def __init__(self) -> None:
        self.seen, self.rests = 0, 0

    async def examine(self, pixels: bytes) -> Examination:
        """Return what is found in a picture."""
        assert pixels.startswith(b"\x89PNG")
        self.seen += 1
        if self.seen == 1:
            raise UserError("photo_slow")
        return Examination(0.5)

    async def rest(self) -> None:
        """Give the memory back."""
        self.rests += 1


async def test_examining(kit):
    """Every photo is examined once; of one that the nets fail on, nothing is known."""
    alice = kit.add_member("alice")
    dataset = await kit.add_dataset(alice, photos=3)
    oldest, *_ = await kit.store.photos.list_for(dataset.id, alice.id)
    kit.store.home.photo_file(oldest.digest).unlink()
    examining = Examining(kit.bot, twin := Twin())

    for _ in range(2):
        await examining.examine_all()

    found = [each.examination for each in await kit.store.photos.list_for(dataset.id, alice.id)]
    assert found == [Examination(), Examination(0.5), Examination()]
    assert (twin.seen, twin.rests) == (2, 1)
