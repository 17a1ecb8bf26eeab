"""The SVG or WebP of every usable emoji in the icon packages, checked against a list.

`sources.toml` has each style's count and digest from when the shipped models were trained. Digests
are of the packages' own bytes, so they do not depend on the renderer.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.pretraining.names import CATEGORIES, is_usable

if TYPE_CHECKING:
    from collections.abc import Iterator

LIST = Path(__file__).with_suffix(".toml")
RENDER_SIDE = 256  #: pixels of a side; rendering large and reducing gives smoother edges

Sources = list[tuple[str, bytes]]


def read_checked(npm: Path, style: str, package: str, listed: Path = LIST) -> Sources:
    """Return a style's sources by name; raise ValueError if they are not those listed."""
    found = sorted(read_sources(npm, package))
    wanted = tomllib.loads(listed.read_text(encoding="utf-8"))[style]
    count, seen = len(found), digest(found)
    if (count, seen) != (wanted["count"], wanted["digest"]):
        raise ValueError(
            f"The style {style} is not what the models were trained on: {wanted['count']} pictures"
            f" with digest {wanted['digest']} were expected, {count} with {seen} were found."
            f" Install {wanted['package']} into {npm}; to train on other pictures, write what was"
            f" found into {listed}."
        )
    return found


def digest(found: Sources) -> str:
    """Return a hash of names and sources; their lengths keep neighbours apart."""
    total = hashlib.sha256()
    for name, source in found:
        total.update(f"{name} {len(source)}\n".encode() + source)
    return total.hexdigest()


def read_sources(npm: Path, package: str) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the file's bytes of every usable emoji of one package."""
    known = list_things(npm, "noto")
    if package.startswith("@"):
        yield from read_renders(npm, package, known)
        return
    icons = read_json(npm, package, "icons.json")
    named = {strip_punctuation(name): name for name in known}
    allowed = list_things(npm, package)
    for name in icons["icons"]:
        common = name if name in known else named.get(strip_punctuation(name), name)
        if is_usable(common) and (common in known or (package == "fxemoji" and name in allowed)):
            yield common, complete_svg(icons, name)


def read_renders(npm: Path, package: str, known: set[str]) -> Iterator[tuple[str, bytes]]:
    """Yield the names and bytes of ready-made renders, whose files are named by code points."""
    points: dict[str, str] = {}
    for point, name in read_json(npm, "noto", "chars.json").items():
        if name in known and is_usable(name):
            points.setdefault(drop_selector(point), name)
    seen = set()
    for path in sorted((npm / package / "assets").glob("*.webp")):
        name = points.get(drop_selector(path.stem))
        if name and name not in seen:
            seen.add(name)
            yield name, path.read_bytes()


def list_things(npm: Path, package: str) -> set[str]:
    """Return the names in the categories that hold things."""
    found = read_json(npm, package, "metadata.json").get("categories", {})
    return {name for category, names in found.items() if category in CATEGORIES for name in names}


def read_json(npm: Path, package: str, file: str) -> dict[str, Any]:
    """Read one JSON file of an icon package."""
    path = npm / "@iconify-json" / package / file
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def complete_svg(icons: dict[str, Any], name: str) -> bytes:
    """Return a complete SVG file of one icon's body."""
    icon = icons["icons"][name]
    width, height = icon.get("width", icons["width"]), icon.get("height", icons["height"])
    left, top = icon.get("left", 0), icon.get("top", 0)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="{left} {top} {width} {height}" width="{RENDER_SIDE}" height="{RENDER_SIDE}">'
        f"{icon['body']}</svg>"
    )
    return svg.encode()


def strip_punctuation(name: str) -> str:
    """Return only letters and digits, for the package that writes names without hyphens."""
    return re.sub("[^a-z0-9]", "", name)


def drop_selector(point: str) -> str:
    """Return a code point sequence without the emoji-presentation selector."""
    return "-".join(part for part in point.split("-") if part != "fe0f")
