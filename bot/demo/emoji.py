"""Custom emoji with their pictures, which simcord accepts and forgets."""

from __future__ import annotations

import base64
from typing import Any

from simcord.backend.cdn import CDN_BASE
from simcord.http import router
from simcord.http.routes import expressions


def create_emoji(ctx: router.RequestContext) -> Any:
    """Create an emoji, and keep its picture where simcord's page looks for it."""
    made = expressions.create_emoji(ctx)
    picture = base64.b64decode(ctx.body()["image"].partition(",")[2])
    ctx.backend.cdn._blobs[f"{CDN_BASE}/emojis/{made['id']}.png"] = picture  # noqa: SLF001
    return made


ROUTE = (["guilds", "{guild_id}", "emojis"], create_emoji)


def keep_pictures() -> None:
    """Have simcord keep the pictures of emoji from now on."""
    routes = router._ROUTES["POST"]  # noqa: SLF001 (the first of equal routes is called)
    if ROUTE not in routes:
        routes.insert(0, ROUTE)
