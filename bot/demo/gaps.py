"""What simcord lacks and the demo shows: pictures of emoji, many at once, the limit of files."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from simcord import interactions
from simcord.backend.cdn import CDN_BASE
from simcord.http import router
from simcord.http.routes import expressions
from simcord.preview import _media as media

MAX_FILE_BYTES = 10 * 1024 * 1024  #: that simcord's page takes; its interactions promise more
MAX_PICTURES = 1000  #: that a page asks for at once: all of a channel when it is reloaded
make_payload = interactions.base_payload


def create_emoji(ctx: router.RequestContext) -> Any:
    """Create an emoji, and keep its picture where simcord's page looks for it."""
    made = expressions.create_emoji(ctx)
    picture = base64.b64decode(ctx.body()["image"].partition(",")[2])
    ctx.backend.cdn._blobs[f"{CDN_BASE}/emojis/{made['id']}.png"] = picture  # noqa: SLF001
    return made


def make_honest_payload(*args: Any, **more: Any) -> Any:
    """Return an interaction's record and payload, with the limit that its page has."""
    record, payload = make_payload(*args, **more)
    return record, payload | {"attachment_size_limit": MAX_FILE_BYTES}


async def decode(
    _: media.MediaWorker, _key: str, blob: bytes, media_time: float | None
) -> media.MediaInfo:
    """Decode a picture for the page.

    simcord starts a process for each, one after the other, which takes seconds for a card of nine.
    """
    return await asyncio.to_thread(media._process_media, blob, media_time)  # noqa: SLF001


@contextmanager
def filling_gaps() -> Iterator[None]:
    """Have simcord keep and decode more pictures, and tell the limit of files as it is."""
    routes = router._ROUTES["POST"]  # noqa: SLF001 (the first of equal routes is called)
    route = (["guilds", "{guild_id}", "emojis"], create_emoji)
    routes.insert(0, route)
    interactions.base_payload = make_honest_payload
    limits = media.MAX_QUEUE, media.MediaWorker._decode  # noqa: SLF001
    media.MAX_QUEUE, media.MediaWorker._decode = MAX_PICTURES, decode  # type: ignore[method-assign,assignment]  # noqa: SLF001
    try:
        yield
    finally:
        interactions.base_payload = make_payload
        media.MAX_QUEUE, media.MediaWorker._decode = limits  # type: ignore[method-assign]  # noqa: SLF001
        routes.remove(route)
