"""The examiner: looks at stored photos for nudity and text, in a child that runs when idle.

It takes seconds a photo and 600 MB of memory, and exists only with the extra `photos`.
"""

from __future__ import annotations

import asyncio
from typing import Self

from storage.measurements import Examination
from storage.photos.examine import list_looks
from storage.photos.sandbox import Child

TIMEOUT_SECONDS = 120.0  #: for one photo; 2 on an idle core
CHILD_MODULE = "storage.photos.examine"


class Examiner:
    """Examines photos, one at a time."""

    def __init__(self) -> None:
        self.looks = list_looks()  #: what it can look for; nothing without the extra
        self._child = Child(TIMEOUT_SECONDS, module=CHILD_MODULE)
        self._one = asyncio.Lock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.rest()

    async def examine(self, pixels: bytes) -> Examination:
        """Return what is found in a stored photo; raise UserError if the child fails."""
        async with self._one:
            found, _ = await asyncio.to_thread(self._child.process, pixels)
        return Examination.from_json(found)

    async def rest(self) -> None:
        """Free the child's memory; the next photo starts it again."""
        self._child.kill()  # also while it works
        await asyncio.to_thread(self._child.close)
        self._child = Child(TIMEOUT_SECONDS, module=CHILD_MODULE)
