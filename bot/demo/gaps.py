"""What simcord lacks and the demo shows: pictures of emoji, and the limit of files that it has."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from simcord import interactions
from simcord.backend.cdn import CDN_BASE
from simcord.http import router
from simcord.http.routes import expressions

MAX_FILE_BYTES = 10 * 1024 * 1024  #: that simcord's page takes; its interactions promise more
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


@contextmanager
def filling_gaps() -> Iterator[None]:
    """Have simcord keep the pictures of emoji, and tell the limit of files as it is."""
    routes = router._ROUTES["POST"]  # noqa: SLF001 (the first of equal routes is called)
    route = (["guilds", "{guild_id}", "emojis"], create_emoji)
    routes.insert(0, route)
    interactions.base_payload = make_honest_payload
    try:
        yield
    finally:
        interactions.base_payload = make_payload
        routes.remove(route)
