"""Posts wait in the database until somebody has them."""

from __future__ import annotations

from collections.abc import Callable

from storage.records import NewJob
from storage.store import Store
from storage.tables.posts import NewPost, PostKind, make_marker

ALICE, GUILD = 1001, 77


async def test_once(store: Store, make_job: Callable[..., NewJob]) -> None:
    """The same event is told once, and the cursor moves with its posts."""
    job = await store.jobs.queue(make_job())
    new = NewPost(PostKind.PREVIEWS, ALICE, GUILD, job.id, event=5)

    (added,) = await store.posts.add(new, cursor=("bot", 5))
    again = await store.posts.add(new, cursor=("bot", 5))

    assert again == []
    assert await store.posts.list_waiting() == [added]
    assert await store.events.read_cursor("bot") == 5


async def test_way(store: Store, make_job: Callable[..., NewJob]) -> None:
    """A post remembers who refused it, and is kept or done."""
    job = await store.jobs.queue(make_job())
    (post,) = await store.posts.add(NewPost(PostKind.RESULT, ALICE, GUILD, job.id, event=5))
    await store.posts.expect(post)
    (sent,) = await store.posts.list_waiting()
    post = await store.posts.refuse(post, ("thread", "locked"))
    post = await store.posts.refuse(post, None)

    await store.posts.keep(post)
    (kept,) = await store.posts.list_kept(ALICE)
    await store.posts.finish(post, 88, 12)

    assert sent.uncertain
    assert (kept.rung, kept.refusals, kept.uncertain) == (2, (("thread", "locked"),), False)
    assert await store.posts.list_kept(ALICE) == await store.posts.list_waiting() == []
    assert await store.posts.find_result(job.id) is None  # it went to its member alone
    assert (await store.posts.find_message(12)).id == post.id


async def test_names(store: Store, make_job: Callable[..., NewJob]) -> None:
    """Nonce and marker fit into what Discord takes, and stay the same."""
    job = await store.jobs.queue(make_job())
    (post,) = await store.posts.add(NewPost(PostKind.RESULT, ALICE, GUILD, job.id, event=10**8))
    (same,) = await store.posts.list_waiting()

    assert (post.nonce, post.marker) == (same.nonce, same.marker)
    assert len(post.nonce) <= 25
    assert all(2**30 <= make_marker(str(n)) < 2**31 for n in range(1000))


async def test_goes_with_its_job(store: Store, make_job: Callable[..., NewJob]) -> None:
    """What is to be told of a job goes with the job."""
    job = await store.jobs.queue(make_job())
    await store.posts.add(NewPost(PostKind.RESULT, ALICE, GUILD, job.id, event=5))

    await store.members.erase(ALICE, keep_styles=False)

    assert await store.posts.list_waiting() == []
