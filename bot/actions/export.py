"""A member's own copy of everything: a list of every row, and their photos, in zip files."""

from __future__ import annotations

import asyncio
import json
import zipfile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from storage.store import Store

SPARE = 1024  #: bytes that one more entry takes beside its content


async def export(store: Store, member: int, folder: Path, most: int) -> list[Path]:
    """Write zip files of at most `most` bytes each into a folder; a larger photo stands alone."""
    rows = await store.members.export(member)
    return await asyncio.to_thread(pack, rows, list(photos(store, rows)), folder, most)


def photos(store: Store, rows: dict[str, Any]) -> Iterator[tuple[str, Path]]:
    """List a member's photos with the names they get."""
    names = {dataset["id"]: dataset["name"] for dataset in rows["datasets"]}
    for photo in rows["photos"]:
        yield (
            f"photos/{names[photo['dataset']]}/{photo['id']}.png",
            store.home.photo_file(photo["digest"]),
        )


def pack(
    rows: dict[str, Any], files: list[tuple[str, Path]], folder: Path, most: int
) -> list[Path]:
    """Write the list, then the photos, a new zip file whenever one is full."""
    listed = json.dumps(rows, ensure_ascii=False, indent=1)
    parts: list[list[tuple[str, Path]]] = [[]]
    room = most - len(listed.encode()) - SPARE
    for name, path in files:
        size = path.stat().st_size + SPARE
        if size > room and (parts[-1] or len(parts) == 1):
            parts.append([])
            room = most
        parts[-1].append((name, path))
        room -= size
    paths = [folder / f"safelight-{number}.zip" for number in range(1, len(parts) + 1)]
    for path, part in zip(paths, parts, strict=True):
        with zipfile.ZipFile(path, "w") as packed:
            if path is paths[0]:
                packed.writestr("safelight.json", listed, zipfile.ZIP_DEFLATED)
            for name, source in part:
                packed.write(source, name)
    return paths
