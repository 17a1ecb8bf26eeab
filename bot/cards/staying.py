"""Whether photos stay on the main machine, where another one has joined."""

from __future__ import annotations

from storage.store import Store


async def read_staying(store: Store, who: int) -> bool | None:
    """Return whether the photos of a member or server stay; None where they can go nowhere."""
    if await store.staying.has(who):
        return True
    return False if any(node.remote for node in await store.nodes.list()) else None
