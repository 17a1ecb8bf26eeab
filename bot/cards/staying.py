"""Whether photos stay on the main machine, where another one has joined."""

from __future__ import annotations

from storage.store import Store


async def read_staying(store: Store, who: int) -> bool | None:
    """Return whether the photos of a member or server stay; None where they can go nowhere."""
    if await store.staying.has(who):
        return True
    return await store.staying.agreed_here(who) if await store.nodes.has_remote() else None


async def may_leave(store: Store, member: int) -> bool:
    """Return whether there is another machine for a member's photos, unless they said no."""
    return await store.nodes.has_remote() and not await store.staying.has(member)
