"""The table of workers."""

from __future__ import annotations

from storage.store import Store
from storage.tables.nodes import Node, Wish


async def test_a_wish_outlives_what_is_noted(store: Store) -> None:
    """What the operator asks for stays while a worker comes and goes, until it is forgotten."""
    await store.nodes.note("lab/cuda0", remote=True, here=False)
    await store.nodes.note("studio/cuda0", remote=False, here=True)
    assert await store.nodes.set_wish("lab/cuda0", Wish.DRAIN)
    await store.nodes.note("lab/cuda0", remote=True, here=True)

    assert await store.nodes.list() == [
        Node("studio/cuda0", remote=False, here=True, wish=Wish.NONE),
        Node("lab/cuda0", remote=True, here=True, wish=Wish.DRAIN),
    ]

    assert not await store.nodes.set_wish("studio/cuda0", Wish.REMOVE)  # it cannot leave

    await store.nodes.forget("lab/cuda0")
    assert not await store.nodes.set_wish("lab/cuda0", Wish.NONE)
    assert [node.place for node in await store.nodes.list()] == ["studio/cuda0"]
