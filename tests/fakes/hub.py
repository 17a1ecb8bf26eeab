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
LARGE_BYTES = 1000  #: files of this size or more are stored as LFS


def git_hash(content: bytes) -> str:
    """Return the id that git gives a file."""
    return hashlib.sha1(
        b"blob %d\0%s" % (len(content), content), usedforsecurity=False
    ).hexdigest()


@dataclass
class FakeHub:
    """A model hub with repositories of files, which records all requests."""

    files: dict[str, dict[str, bytes]] = field(default_factory=dict)
    gated: set[str] = field(default_factory=set)
    corrupt: set[str] = field(default_factory=set)  #: paths whose bytes do not match their hash
    hashless: bool = False
    stall_after: int = 0  #: bytes of a file after which the connection stalls
    requests: list[tuple[str, str, str]] = field(default_factory=list)  #: verb, path, range
    stalled: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        handler = type("Bound", (Handler,), {"hub": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        serve = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        serve.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.storage_url = f"http://localhost:{self.server.server_port}/cdn"  # another host
        return self

    def __exit__(self, *_: object) -> None:
        self.stalled.set()
        self.server.shutdown()
        self.server.server_close()

    def list_downloads(self) -> list[str]:
        """List the files whose bytes were requested."""
        return [
            path.rpartition(COMMIT + "/")[2] for verb, path, _ in self.requests if verb == "GET"
        ]


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    hub: ClassVar[FakeHub]
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def do_HEAD(self) -> None:
        """Send the headers only."""
        self.answer()

    def do_GET(self) -> None:
        """Send headers and bytes."""
        self.answer()

    def answer(self) -> None:
        """Route a request by its path."""
        path = urlsplit(self.path).path
        wanted = self.headers.get("Range", "")
        self.hub.requests.append((self.command, path, wanted))
        if path.startswith("/api/models/"):
            self.send_listing("/".join(path.split("/")[3:5]))
        elif path.startswith("/cdn/"):
            _, _, owner, name, rest = path.split("/", 4)
            self.send_file(f"{owner}/{name}", rest.partition(f"{COMMIT}/")[2], wanted)
        elif "/resolve/" not in path:
            self.send(404, b"", {})
        else:
            owner, name, rest = path.strip("/").split("/", 2)
            self.resolve(f"{owner}/{name}", rest.partition(f"{COMMIT}/")[2], wanted)

    def send_listing(self, name: str) -> None:
        """Send the listing of a repository."""
        if name not in self.hub.files:
            self.send(404, b"{}", {"X-Error-Code": "RepoNotFound"})
            return
        siblings = [self.describe_file(path, held) for path, held in self.hub.files[name].items()]
        told = {"id": name, "sha": COMMIT, "siblings": siblings, "private": False, "tags": []}
        self.send(200, json.dumps(told).encode(), {"Content-Type": "application/json"})

    def describe_file(self, path: str, held: bytes) -> dict[str, object]:
        """Return a file's entry in a listing."""
        told: dict[str, object] = {"rfilename": path, "size": len(held)}
        if self.hub.hashless:
            return told
        if len(held) >= LARGE_BYTES:
            sha = hashlib.sha256(held).hexdigest()
            told["lfs"] = {"sha256": sha, "size": len(held), "pointerSize": 130}
        return told | {"blobId": git_hash(held)}

    def resolve(self, name: str, path: str, wanted: str) -> None:
        """Send a small file; redirect to the storage of a large one."""
        if name in self.hub.gated:
            self.send(403, b"", {"X-Error-Code": "GatedRepo"})
            return
        held = self.hub.files[name][path]
        large = len(held) >= LARGE_BYTES
        etag = hashlib.sha256(held).hexdigest() if large else git_hash(held)
        headers = {"X-Repo-Commit": COMMIT, "ETag": f'"{etag}"'}
        if not large:
            self.send_file(name, path, wanted, headers)
            return
        headers |= {"X-Linked-Etag": f'"{etag}"', "X-Linked-Size": str(len(held))}
        self.send(
            302, b"", headers | {"Location": f"{self.hub.storage_url}/{name}/{COMMIT}/{path}"}
        )

    def send_file(
        self, name: str, path: str, wanted: str, headers: dict[str, str] | None = None
    ) -> None:
        """Send a file, from the start of the requested range."""
        held = self.hub.files[name][path]
        if path in self.hub.corrupt:
            held = held[:-1] + b"?"
        start = int(wanted.removeprefix("bytes=").partition("-")[0] or 0)
        rest = held[start:]
        more = {"Content-Range": f"bytes {start}-{len(held) - 1}/{len(held)}"} if wanted else {}
        self.send(206 if wanted else 200, rest, (headers or {}) | more)

    def send(self, code: int, body: bytes, headers: dict[str, str]) -> None:
        """Send an answer, or only the part before the connection stalls."""
        self.send_response(code)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        stop = self.hub.stall_after
        if stop and len(body) > stop:
            self.wfile.write(body[:stop])
            self.wfile.flush()
            self.hub.stalled.wait()
            self.close_connection = True
            return
        self.wfile.write(body)
