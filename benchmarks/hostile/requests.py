"""Hostile requests to the bot's web server, as bytes, and forged tokens of links."""

from __future__ import annotations

import random
from collections.abc import Iterator
from urllib.parse import quote

from benchmarks.hostile.words import CODE, CONTROLS, PATHS, SCRIPTS

METHODS = (
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "OPTIONS",
    "PATCH",
    "TRACE",
    "CONNECT",
    "get",
    "BREW",
    "",
)
RANGES = (
    "bytes=0-", "bytes=-1", "bytes=0-0", "bytes=5-2", "bytes=a-b", "bytes=0-99999999999999999999",
    "bytes=99999999-", "bytes=0-1,5-9", "bytes=-0", "bytes=", "lines=1-2", "bytes=--1", "bytes=٣-",
    "bytes=" + "0-1," * 1000,
)  # fmt: skip
VERSIONS = ("HTTP/1.0", "HTTP/1.1", "HTTP/0.9", "HTTP/2.0", "HTTP/9.9", "HTP/1.1", "http/1.1", "")
#: bytes that are not, or not quite, a request
RAW = (
    b"", b"\0" * 100, b"\r\n\r\n", b"GET", b"GET /health", b"\x16\x03\x01\x02\x00\x01\x00", b"SSH-2.0-x\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET /health HTTP/1.1\r\n\r\n", b"\xff" * 5000, b"GET / " * 3000,
    b"GET /health HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
    b"GET /health HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999999999\r\n\r\nabc",
    b"POST /health HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /health HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"POST /health HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx",
    b"GET /health HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: x\r\nExpect: \xff\xfe\r\n\r\n", b"GET /else HTTP/1.1\r\nHost: x\r\nExpect: \xa6\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost : x\r\n\r\n", b"GET /health HTTP/1.1\nHost: x\n\n",
    b"GET /health HTTP/1.1\r\nHost: x\r\nA: \xff\xfe\0\r\n\r\n", b"GET http://other/health HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: x\r\n" + b"X-A: b\r\n" * 5000 + b"\r\n",
    b"GET /health HTTP/1.1\r\nHost: x\r\nX-A: " + b"b" * 100_000 + b"\r\n\r\n",
    b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
)  # fmt: skip


def make_request(
    path: str, method: str = "GET", version: str = "HTTP/1.1", **headers: str
) -> bytes:
    """Return a request that closes its connection; names of headers have _ for -."""
    lines = [f"{method} {path} {version}", "Host: localhost", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogatepass")


def list_tokens(valid: str) -> Iterator[str]:
    """Yield forged forms of a valid token: `style-key.owner.until.signature`."""
    style, owner, until, signature = valid.split(".")
    for wrong in ("2", "0", "-1", f"0{style}", "٣", "9" * 20, "9" * 21, "", "1e0", "../1", "NaN"):
        yield f"{wrong}.{owner}.{until}.{signature}"
        yield f"{style}.{wrong}.{until}.{signature}"
        yield f"{style}.{owner}.{wrong}.{signature}"
        yield f"{style}.{owner}.{until}.{wrong}"
    for changed in (signature[::-1], signature[:-1], signature + "=", signature + "A", "A" * 43):
        yield f"{style}.{owner}.{until}.{changed}"
    swapped = signature.swapcase()
    yield from (f"{style}.{owner}.{until}.{swapped}", valid[:-5], valid + ".1", "." * 3, "....")
    yield from (f"{valid}/", f"{valid}%00", f"%2e%2e/{valid}", f"{valid}.safetensors", f" {valid}")
    number, _, key = style.partition("-")
    for wrong in (number, f"{int(number) + 2**64}-{key}", f"{number}-{key[::-1]}", f"{number}-"):
        yield f"{wrong}.{owner}.{until}.{signature}"


def list_paths() -> Iterator[str]:
    """Yield paths that lead nowhere."""
    for word in (*PATHS, *CODE, *SCRIPTS[:8], *CONTROLS):
        yield "/get/" + quote(word, safe="")
        yield "/" + quote(word)
    yield from (
        "/get/../secret",
        "/get/%2e%2e%2fsecret",
        "/..%2f..%2fsafelight.db",
        "//health",
        "/./health",
    )
    yield from (
        "/get",
        "/get/",
        "/get//",
        "/health/",
        "/HEALTH",
        "*",
        "/%",
        "/%zz",
        "/get/%ff%fe",
        "/?" + "a=b&" * 999,
    )


def make_raw(rng: random.Random) -> bytes:
    """Return a request put together at random, some of its bytes changed."""
    paths = (
        "/health",
        "/get/1.7.99.x",
        "/get/" + quote(rng.choice(PATHS), safe=""),
        "/" + "a" * 300,
    )
    method, version = rng.choice(("GET", "GET", *METHODS)), rng.choice(("HTTP/1.1", *VERSIONS))
    whole = make_request(rng.choice(paths), method, version, Range=rng.choice(RANGES))
    content = bytearray(rng.choice((whole, whole, whole, rng.choice(RAW) or whole)))
    for _ in range(rng.choice((0, 1, 1, 3, 9))):
        content[rng.randrange(len(content))] = rng.randrange(256)
    return bytes(content[: rng.randrange(len(content)) if rng.random() < 0.1 else None])
