"""The table of workers."""

from __future__ import annotations

from storage.store import Store
from storage.tables.nodes import OWNER, VERSIONS, Node, Wish


async def test_a_wish_outlives_what_is_noted(store: Store) -> None:
    """What the operator asks for stays while a worker comes and goes, until it is forgotten."""
    await store.nodes.note("lab/cuda0", remote=True, here=False)
    await store.nodes.note("studio/cuda0", remote=False, here=True)
    assert await store.nodes.set_wish("lab/cuda0", Wish.DRAIN)
    await store.nodes.note("lab/cuda0", remote=True, here=False, why=OWNER)
    assert (await store.nodes.list())[-1].why == OWNER
    await store.nodes.note("lab/cuda0", remote=True, here=True)

    assert await store.nodes.list() == [
        Node("studio/cuda0", remote=False, here=True, wish=Wish.NONE),
        Node("lab/cuda0", remote=True, here=True, wish=Wish.DRAIN),
    ]

    assert not await store.nodes.set_wish("studio/cuda0", Wish.REMOVE)  # it cannot leave

    await store.nodes.forget("lab/cuda0")
    assert not await store.nodes.set_wish("lab/cuda0", Wish.NONE)
    assert [node.place for node in await store.nodes.list()] == ["studio/cuda0"]


async def test_a_refused_machine_has_not_joined(store: Store) -> None:
    """One that was refused for its versions is no other machine that photos could go to."""
    await store.nodes.note("old/cuda0", remote=True, here=False, why=f"{VERSIONS} torch 1 and 2")
    assert not await store.nodes.has_remote()
    await store.nodes.note("old/cuda0", remote=True, here=True)
    assert await store.nodes.has_remote()
