"""The part of Discord that the job feed speaks to, over HTTP and a websocket, kept in memory.

It outlives the bot, so it can tell what was lost and what was posted twice. Like Discord it
enforces a nonce where that is asked for, and it can cut the bot off before or after a post counts.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

EPOCH_MS = 1420070400000
GUILD, CHANNEL, BOT, OWNER = 700, 701, 702, 703
ALL_PERMISSIONS = str((1 << 53) - 1)
NONCE_SECONDS = 300.0  #: for which Discord remembers a nonce ("a few minutes")
JSON = {"Content-Type": "application/json"}
_ids = itertools.count()


def new_id() -> int:
    """Return a snowflake of now."""
    return (int(time.time() * 1000) - EPOCH_MS << 22) | next(_ids) % (1 << 22)


@dataclass
class Post:
    """A message as Discord keeps it."""

    body: dict[str, Any]
    channel: int
    nonce: str
    at: float
    digests: tuple[str, ...] = ()  #: SHA-256 of the attachments
    deleted: bool = False

    @property
    def id(self) -> int:
        """The message's id."""
        return int(self.body["id"])

    def text(self) -> str:
        """Return everything the message says, with its custom ids, as JSON."""
        return json.dumps(self.body["components"]) + str(self.body["content"])


@dataclass
class DiscordTwin:
    """The server, its channel and threads, and what was posted."""

    posts: list[Post] = field(default_factory=list)
    threads: dict[int, dict[str, Any]] = field(default_factory=dict)
    nonces: dict[str, Post] = field(default_factory=dict)
    #: called before a post counts ("before") and when it counts, but was not answered ("after");
    #: returns whether the bot was cut off
    on_post: Callable[[str], bool] = lambda _: False
    sockets: set[web.WebSocketResponse] = field(default_factory=set)
    repeated_nonces: int = 0
    changes: int = 0  #: messages made, edited and deleted
    failures: list[str] = field(default_factory=list)

    def app(self) -> web.Application:
        """Return the web application."""
        app = web.Application(client_max_size=64 << 20)
        app.router.add_get("/gateway", self.gateway)
        app.router.add_route("*", "/api/v10/{path:.*}", self.dispatch)
        return app

    # gateway -------------------------------------------------------------------------------------

    async def gateway(self, request: web.Request) -> web.WebSocketResponse:
        """Greet the bot, tell it its one server, and answer heartbeats."""
        line = web.WebSocketResponse()
        await line.prepare(request)
        self.sockets.add(line)
        await line.send_json({"op": 10, "d": {"heartbeat_interval": 41250}})
        sequence = itertools.count(1)

        async def tell(event: str, content: dict[str, Any]) -> None:
            await line.send_json({"op": 0, "s": next(sequence), "t": event, "d": content})

        async for message in line:
            asked = json.loads(message.data)
            if asked["op"] == 1:
                await line.send_json({"op": 11})
            elif asked["op"] == 6:
                await line.send_json({"op": 9, "d": False})
            elif asked["op"] == 2:
                await tell("READY", self.ready(request.host))
                await tell("GUILD_CREATE", self.guild())
        self.sockets.discard(line)
        return line

    def ready(self, host: str) -> dict[str, Any]:
        """Return the event that ends the greeting."""
        return {
            "v": 10, "user": user(BOT, bot=True), "session_id": "chaos", "private_channels": [],
            "guilds": [{"id": str(GUILD), "unavailable": True}],
            "resume_gateway_url": f"ws://{host}/gateway",
            "application": {"id": str(BOT), "flags": 0},
        }  # fmt: skip

    def guild(self) -> dict[str, Any]:
        """Return the server."""
        everyone = {
            "id": str(GUILD), "name": "@everyone", "permissions": ALL_PERMISSIONS, "position": 0,
            "color": 0, "colors": {"primary_color": 0}, "hoist": False, "managed": False,
            "mentionable": False, "flags": 0,
        }  # fmt: skip
        me = {
            "user": user(BOT, bot=True), "roles": [], "joined_at": "2026-01-01T00:00:00+00:00",
            "deaf": False, "mute": False, "flags": 0,
        }  # fmt: skip
        return {
            "id": str(GUILD), "name": "Chaos", "owner_id": str(OWNER), "roles": [everyone],
            "emojis": [], "features": [], "members": [me], "member_count": 2, "stickers": [],
            "channels": [channel(CHANNEL, 0)], "threads": list(self.threads.values()),
            "presences": [], "voice_states": [], "stage_instances": [], "premium_tier": 0,
            "preferred_locale": "en-US", "nsfw_level": 0, "verification_level": 0,
            "default_message_notifications": 0, "explicit_content_filter": 0, "mfa_level": 0,
            "afk_timeout": 0, "system_channel_flags": 0, "premium_progress_bar_enabled": False,
            "guild_scheduled_events": [], "soundboard_sounds": [], "large": False,
        }  # fmt: skip

    # HTTP ----------------------------------------------------------------------------------------

    async def dispatch(self, request: web.Request) -> web.Response:
        """Answer a request by its method and path."""
        path = request.match_info["path"].strip("/").split("/")
        try:
            answer = await self.answer(request, request.method, path)
        except CutOffError:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)
        except (web.HTTPException, ConnectionResetError):  # the bot died while it asked
            raise
        except Exception as error:  # a gap of the twin, not a fault of the bot
            self.failures.append(f"{request.method} {'/'.join(path)}: {error!r}")
            raise
        if answer is None:
            return web.Response(status=204)
        body = json.dumps(answer).encode()  # without a charset, as discord.py expects
        return web.Response(body=body, headers=JSON)

    async def answer(self, request: web.Request, method: str, path: list[str]) -> Any:  # noqa: C901, PLR0911, PLR0912
        """Return the JSON of an answer, None for no content."""
        match method, path:
            case "GET", ["users", "@me"]:
                return user(BOT, bot=True)
            case "GET", ["oauth2", "applications", "@me"] | ["applications", "@me"]:
                return {
                    "id": str(BOT), "name": "Chaos", "description": "", "icon": None, "flags": 0,
                    "bot_public": True, "bot_require_code_grant": False, "verify_key": "",
                    "owner": user(OWNER), "team": None, "rpc_origins": [], "summary": "",
                }  # fmt: skip
            case "PUT", ["applications", _, "commands"]:
                return []
            case "GET", ["gateway", *_]:
                return {"url": f"ws://{request.host}/gateway", "shards": 1}
            case "POST", ["users", "@me", "channels"]:
                return {"id": str(OWNER + 1), "type": 1, "recipients": [user(OWNER)]}
            case "POST", ["channels", number, "threads"]:
                return self.make_thread(new_id(), int(number), await request.json())
            case "POST", ["channels", number, "messages", message, "threads"]:
                return self.make_thread(int(message), int(number), await request.json())
            case "PUT", ["channels", _, "thread-members", _]:
                return None
            case "GET", ["channels", number]:
                return self.threads.get(int(number)) or channel(int(number), 0)
            case "PATCH", ["channels", number]:
                self.threads[int(number)]["thread_metadata"].update(archived=False)
                return self.threads[int(number)]
            case "GET", ["channels", number, "messages"]:
                limit = int(request.query.get("limit", "50"))
                after = int(request.query.get("after", "0"))
                found = [
                    post.body
                    for post in self.posts
                    if post.channel == int(number) and not post.deleted and post.id > after
                ]
                return (found[:limit] if after else found[-limit:])[::-1]
            case "GET", ["channels", number, "messages", message]:
                return self.find(int(number), int(message)).body
            case "POST", ["channels", number, "messages"]:
                return await self.post(int(number), await read_body(request))
            case "PATCH", ["channels", number, "messages", message]:
                return await self.edit(int(number), int(message), await read_body(request))
            case "DELETE", ["channels", number, "messages", message]:
                self.find(int(number), int(message)).deleted = True
                self.changes += 1
                return None
        self.failures.append(f"{method} {'/'.join(path)} is not there")
        raise web.HTTPNotFound(body=b'{"code": 0, "message": "404"}', headers=JSON)

    def make_thread(self, number: int, parent: int, asked: dict[str, Any]) -> dict[str, Any]:
        """Make a thread."""
        self.threads[number] = channel(number, asked.get("type", 11)) | {
            "name": asked["name"], "parent_id": str(parent), "owner_id": str(BOT),
            "message_count": 0, "member_count": 1,
            "thread_metadata": {
                "archived": False, "auto_archive_duration": 1440, "locked": False,
                "archive_timestamp": "2026-01-01T00:00:00+00:00",
            },
        }  # fmt: skip
        return self.threads[number]

    def find(self, number: int, message: int) -> Post:
        """Return a message that is still there."""
        for post in self.posts:
            if post.channel == number and post.id == message and not post.deleted:
                return post
        body = json.dumps({"code": 10008, "message": "Unknown Message"})
        raise web.HTTPNotFound(body=body.encode(), headers=JSON)

    async def post(self, number: int, sent: Sent) -> dict[str, Any]:
        """Make a message, or return the one that was made with this nonce."""
        nonce = str(sent.body.get("nonce") or "")
        before = self.nonces.get(nonce) if sent.body.get("enforce_nonce") else None
        if before is not None and time.monotonic() - before.at < NONCE_SECONDS:
            self.repeated_nonces += 1
            return before.body
        if self.on_post("before"):
            raise CutOffError
        body = message_body(new_id(), number, sent)
        post = Post(body, number, nonce, time.monotonic(), sent.digests)
        self.posts.append(post)
        self.changes += 1
        if nonce:
            self.nonces[nonce] = post
        if self.on_post("after"):
            raise CutOffError
        return body

    async def edit(self, number: int, message: int, sent: Sent) -> dict[str, Any]:
        """Edit a message."""
        self.changes += 1
        post = self.find(number, message)
        if "components" in sent.body:
            kept = {str(one["id"]) for one in sent.body.get("attachments", ())}
            old = [one for one in post.body["attachments"] if one["id"] in kept]
            post.body = message_body(post.id, number, sent)
            post.body["attachments"] += old
            post.digests = sent.digests
        return post.body


class CutOffError(Exception):
    """The bot was killed while it asked."""


@dataclass(frozen=True)
class Sent:
    """What the bot sent: the JSON, and the names, sizes and digests of the files."""

    body: dict[str, Any]
    names: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()
    sizes: tuple[int, ...] = ()


async def read_body(request: web.Request) -> Sent:
    """Read the body of a message, with or without files."""
    if not request.content_type.startswith("multipart/"):
        return Sent(await request.json())
    body: dict[str, Any] = {}
    names, digests, sizes = [], [], []
    form = await request.post()
    for name, part in form.items():
        if name == "payload_json":
            body = json.loads(part if isinstance(part, str) else part.file.read())  # type: ignore[union-attr]
        elif isinstance(part, web.FileField):
            content = part.file.read()
            names.append(part.filename)
            digests.append(hashlib.sha256(content).hexdigest())
            sizes.append(len(content))
    return Sent(body, tuple(names), tuple(digests), tuple(sizes))


def message_body(number: int, where: int, sent: Sent) -> dict[str, Any]:
    """Return a message as Discord tells it."""
    attachments = [
        {"id": str(new_id()), "filename": name, "size": size, "url": f"http://x/{name}",
         "proxy_url": f"http://x/{name}", "content_type": "application/octet-stream"}
        for name, size in zip(sent.names, sent.sizes, strict=True)
    ]  # fmt: skip
    return {
        "id": str(number), "channel_id": str(where), "author": user(BOT, bot=True),
        "content": sent.body.get("content") or "", "timestamp": "2026-11-30T00:00:00+00:00",
        "edited_timestamp": None, "tts": False, "mention_everyone": False, "mentions": [],
        "mention_roles": [], "attachments": attachments, "embeds": [], "pinned": False, "type": 0,
        "flags": sent.body.get("flags", 0), "components": sent.body.get("components") or [],
        "nonce": sent.body.get("nonce"),
    }  # fmt: skip


def user(number: int, *, bot: bool = False) -> dict[str, Any]:
    """Return a user."""
    return {
        "id": str(number), "username": f"user{number}", "discriminator": "0", "avatar": None,
        "bot": bot, "global_name": None, "public_flags": 0, "flags": 0,
    }  # fmt: skip


def channel(number: int, kind: int) -> dict[str, Any]:
    """Return a channel."""
    return {
        "id": str(number), "guild_id": str(GUILD), "type": kind, "name": f"room{number}",
        "position": 0, "permission_overwrites": [], "topic": None, "nsfw": False,
        "last_message_id": None, "rate_limit_per_user": 0, "parent_id": None, "flags": 0,
    }  # fmt: skip
