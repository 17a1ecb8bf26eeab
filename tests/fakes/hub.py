"""A hub on this machine: what huggingface_hub's client asks of one, served over HTTP.

Names, headers and answers are those that the client's own source reads: `/api/models/NAME` with
sizes and hashes, `/NAME/resolve/COMMIT/PATH` with the commit, the hash and the size in headers,
large files by a redirect to another address that knows ranges.
"""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from typing import Self

COMMIT = "c0ffee" + "0" * 34
LARGE = 1000  #: bytes from which a file is a large one


def git(content: bytes) -> str:
    """Hash as git does."""
    return hashlib.sha1(
        b"blob %d\0%s" % (len(content), content), usedforsecurity=False
    ).hexdigest()


@dataclass
class Hub:
    """Repositories by name, and what was asked for."""

    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    gated: set[str] = field(default_factory=set)
    lying: set[str] = field(default_factory=set)  #: paths whose bytes are not what was promised
    hashless: bool = False
    stop: int = 0  #: bytes of a large file after which the line goes quiet
    asked: list[tuple[str, str, str]] = field(default_factory=list)  #: verb, path, range
    quiet: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        handler = type("Bound", (Desk,), {"hub": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        serve = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        serve.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.store = f"http://localhost:{self.server.server_port}/cdn"  # another host
        return self

    def __exit__(self, *_: object) -> None:
        self.quiet.set()
        self.server.shutdown()
        self.server.server_close()

    def fetched(self) -> list[str]:
        """Name the files whose bytes were asked for."""
        return [path.rpartition(COMMIT + "/")[2] for verb, path, _ in self.asked if verb == "GET"]


class Desk(BaseHTTPRequestHandler):
    """Answers one connection."""

    hub: ClassVar[Hub]
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        """Answer without the bytes."""
        self.answer()

    def do_GET(self) -> None:
        """Answer."""
        self.answer()

    def answer(self) -> None:
        """Find out what is asked for."""
        path = urlsplit(self.path).path
        wanted = self.headers.get("Range", "")
        self.hub.asked.append((self.command, path, wanted))
        if path.startswith("/api/models/"):
            self.listing("/".join(path.split("/")[3:5]))
        elif path.startswith("/cdn/"):
            _, _, owner, name, rest = path.split("/", 4)
            self.bytes(f"{owner}/{name}", rest.partition(f"{COMMIT}/")[2], wanted)
        elif "/resolve/" not in path:
            self.reply(404, b"", {})
        else:
            owner, name, rest = path.strip("/").split("/", 2)
            self.resolve(f"{owner}/{name}", rest.partition(f"{COMMIT}/")[2], wanted)

    def listing(self, name: str) -> None:
        """Tell what a repository holds."""
        if name not in self.hub.files:
            self.reply(404, b"{}", {"X-Error-Code": "RepoNotFound"})
            return
        siblings = [self.sibling(path, held) for path, held in self.hub.files[name].items()]
        told = {"id": name, "sha": COMMIT, "siblings": siblings, "private": False, "tags": []}
        self.reply(200, json.dumps(told).encode(), {"Content-Type": "application/json"})

    def sibling(self, path: str, held: bytes) -> dict[str, object]:
        """Tell of one file."""
        told: dict[str, object] = {"rfilename": path, "size": len(held)}
        if self.hub.hashless:
            return told
        if len(held) >= LARGE:
            sha = hashlib.sha256(held).hexdigest()
            told["lfs"] = {"sha256": sha, "size": len(held), "pointerSize": 130}
        return told | {"blobId": git(held)}

    def resolve(self, name: str, path: str, wanted: str) -> None:
        """Hand a small file over, and show the way to a large one."""
        if name in self.hub.gated:
            self.reply(403, b"", {"X-Error-Code": "GatedRepo"})
            return
        held = self.hub.files[name][path]
        large = len(held) >= LARGE
        etag = hashlib.sha256(held).hexdigest() if large else git(held)
        headers = {"X-Repo-Commit": COMMIT, "ETag": f'"{etag}"'}
        if not large:
            self.bytes(name, path, wanted, headers)
            return
        headers |= {"X-Linked-Etag": f'"{etag}"', "X-Linked-Size": str(len(held))}
        self.reply(302, b"", headers | {"Location": f"{self.hub.store}/{name}/{COMMIT}/{path}"})

    def bytes(
        self, name: str, path: str, wanted: str, headers: dict[str, str] | None = None
    ) -> None:
        """Send a file from where it is wanted."""
        held = self.hub.files[name][path]
        if path in self.hub.lying:
            held = held[:-1] + b"?"
        start = int(wanted.removeprefix("bytes=").partition("-")[0] or 0)
        rest = held[start:]
        more = {"Content-Range": f"bytes {start}-{len(held) - 1}/{len(held)}"} if wanted else {}
        self.reply(206 if wanted else 200, rest, (headers or {}) | more)

    def reply(self, code: int, body: bytes, headers: dict[str, str]) -> None:
        """Send an answer, or the part of it after which the line goes quiet."""
        self.send_response(code)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        stop = self.hub.stop
        if stop and len(body) > stop:
            self.wfile.write(body[:stop])
            self.wfile.flush()
            self.hub.quiet.wait()
            self.close_connection = True
            return
        self.wfile.write(body)
