"""Fetching a model from a hub: what is needed of it, resumed, checked by the hub's own hashes.

Only safetensors, JSON, CSV and text are taken. The hub's client keeps nothing of a file that broke
off, so each file grows beside its place here and is moved there when its hash is right.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Self

import httpx2
from huggingface_hub import HfApi, constants, hf_hub_download, hf_hub_url
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    OfflineModeIsEnabled,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.file_download import http_get
from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

from storage.errors import JobError
from training.modelfiles import hub
from training.modelfiles.hub import CONFIG, INDEX

TEXTS = (".json", ".txt", ".csv")
WEIGHTS = re.compile(r"(diffusion_pytorch_model|model)(\.fp16)?(-\d{5}-of-\d{5})?\.safetensors")
SHARDS = re.compile(r".*\.safetensors\.index(\.fp16)?\.json")
PICKLES = (".bin", ".ckpt", ".pt", ".pth", ".h5", ".msgpack")
HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
GIT = 40  #: letters of git's hash; sha256 has 64
GRAINS = 200  #: pieces of the whole after which progress is told
GONE = (
    RepositoryNotFoundError,
    RevisionNotFoundError,
    RemoteEntryNotFoundError,
    HFValidationError,
)
PATIENCE = 30.0  #: seconds for the hub's list

Teller = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class File:
    """A file of a repository, as the hub lists it."""

    path: str
    bytes: int
    digest: str = ""  #: sha256 of a large file, git's of a small one; "" where the hub has none

    @property
    def name(self) -> str:
        """Its name without its folder."""
        return PurePosixPath(self.path).name

    @property
    def folder(self) -> str:
        """Its folder in the repository; "" for the top."""
        return str(PurePosixPath(self.path).parent).removeprefix(".")


class Fetch:
    """A repository on its way into the hub's cache."""

    def __init__(
        self,
        source: str,
        tell: Teller,
        *,
        keep: int = 0,
        endpoint: str | None = None,
        cache: Path | None = None,
    ) -> None:
        self.source, self.tell, self.keep = source, tell, keep  # keep: MiB of the disk
        self.endpoint, self.cache = endpoint, cache
        self.shelf = hub.cache_folder(source, cache)
        self.total = self.done = self.fresh = self.told = 0
        self.began = time.monotonic()
        self.meter: Any = partial(Meter, self.counted)  # called like a class

    def run(self) -> hub.Note:
        """Bring everything that is needed, and note it; what has come already is kept."""
        with answered(self.source, self.endpoint):
            listed = HfApi(endpoint=self.endpoint).model_info(
                self.source, files_metadata=True, timeout=PATIENCE
            )
            files = {
                one.rfilename: File(
                    one.rfilename,
                    (one.lfs.size if one.lfs else one.size) or 0,
                    seen(one.lfs.sha256 if one.lfs else one.blob_id),
                )
                for one in listed.siblings or ()
            }
            commit = str(listed.sha)
            noted = hub.Note(self.source, commit, whole=False)
            wanted = self.chosen(files, commit)
            self.roomy(wanted)
            if hub.find_cached(self.source, self.cache) is None:  # else it is here until all came
                hub.write_note(noted, self.cache)
            entries = {file.path: self.bring(file, commit) for file in wanted}
        noted = replace(noted, whole=True, fetched=time.time(), files=entries)
        hub.write_note(noted, self.cache)
        return noted

    def chosen(self, files: dict[str, File], commit: str) -> list[File]:
        """Choose what is needed of a repository in the layout of diffusers or transformers."""
        if INDEX in files:
            self.bring(files[INDEX], commit)
            parts = hub.list_components(self.pointer(INDEX, commit))
            return [files[INDEX], *needed(self.source, files, parts)]
        if CONFIG in files:
            return needed(self.source, files, [""])
        raise JobError("hub_layout", source=self.source)

    def roomy(self, files: list[File]) -> None:
        """Refuse to begin what the disk has no room for."""
        self.total = sum(file.bytes for file in files)
        self.done = self.fresh = self.told = 0
        self.shelf.mkdir(parents=True, exist_ok=True)
        missing = (self.total - sum(self.here(file) for file in files)) >> 20
        free = (shutil.disk_usage(self.shelf).free >> 20) - self.keep
        if missing > free:
            raise JobError("fetch_space", need=missing, free=max(free, 0))

    def here(self, file: File) -> int:
        """Count the bytes of a file that have come already."""
        places = (self.blob(file), self.part(file)) if file.digest else ()
        return next((place.stat().st_size for place in places if place.exists()), 0)

    def bring(self, file: File, commit: str) -> dict[str, Any]:
        """Bring one file to its place, and return what is noted of it."""
        if file.digest:
            self.download(file, commit)
        path = hf_hub_download(
            self.source, file.path, revision=commit, endpoint=self.endpoint,
            cache_dir=self.cache, tqdm_class=self.meter,
        )  # fmt: skip
        if file.digest:
            kind = "git" if len(file.digest) == GIT else "sha256"
            return {"bytes": file.bytes, kind: file.digest, "checked": True}
        kind, found = hashed(Path(path), file)
        return {"bytes": Path(path).stat().st_size, kind: found, "checked": False}

    def download(self, file: File, commit: str) -> None:
        """Let a file grow to its whole length, check it and move it to its place."""
        blob, part = self.blob(file), self.part(file)
        if blob.exists():
            if hashed(blob, file)[1] == file.digest:
                self.counted(file.bytes, new=False)
                return
            blob.unlink()
        blob.parent.mkdir(parents=True, exist_ok=True)
        headers = build_hf_headers() | {"Accept-Encoding": "identity"}
        url = hf_hub_url(self.source, file.path, revision=commit, endpoint=self.endpoint)
        with grown(part) as growing:
            come = growing.tell()
            if come > file.bytes:
                growing.truncate(come := 0)
            self.counted(come, new=False)
            http_get(
                url, growing, resume_size=come, headers=headers,
                expected_size=file.bytes, tqdm_class=self.meter,
            )  # fmt: skip
        if hashed(part, file)[1] != file.digest:
            part.unlink()
            raise JobError("hub_damaged", source=self.source, file=file.path)
        part.replace(blob)

    def counted(self, count: int, *, new: bool = True) -> None:
        """Count bytes that came, now or once before, and tell of it now and then."""
        self.done += count
        self.fresh += count if new else 0
        last = self.done >= self.total
        if self.total and (last or (self.done - self.told) * GRAINS >= self.total):
            self.told = self.done
            seconds = time.monotonic() - self.began
            self.tell(
                {"kind": "fetching", "done": self.done, "bytes": self.total,
                 "speed": self.fresh / seconds if seconds else 0.0}
            )  # fmt: skip

    def blob(self, file: File) -> Path:
        """Return where the hub's client looks for a file's bytes."""
        return self.shelf / "blobs" / file.digest

    def part(self, file: File) -> Path:
        """Return where a file grows."""
        return self.shelf / "blobs" / f"{file.digest}.part"

    def pointer(self, path: str, commit: str) -> Path:
        """Return where a file of a commit is found by its name."""
        return self.shelf / "snapshots" / commit / path


@contextmanager
def grown(part: Path) -> Iterator[BinaryIO]:
    """Open a file to go on with it; where nothing came, nothing is left."""
    try:
        with part.open("ab") as growing:
            yield growing
    finally:
        if not part.stat().st_size:
            part.unlink()


class Meter:
    """What the hub's client takes for a tqdm bar: it counts bytes."""

    def __init__(self, counted: Callable[[int], None], **_: object) -> None:
        self.update = counted

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None


def needed(source: str, files: dict[str, File], folders: list[str]) -> list[File]:
    """Choose the files of some folders: half precision where every network has it.

    Whatever its name, only what a safetensors, JSON, CSV or text file is called is ever chosen.
    """
    inside = {name: [file for file in files.values() if file.folder == name] for name in folders}
    weights = {
        name: [f for f in found if WEIGHTS.fullmatch(f.name)] for name, found in inside.items()
    }
    for name, found in inside.items():
        if not weights[name] and any(file.name.endswith(PICKLES) for file in found):
            raise JobError("hub_pickles", source=source)
    networks = [found for found in weights.values() if found]
    if not networks:
        raise JobError("hub_layout", source=source)
    half = all(any(halved(file) for file in found) for found in networks)
    return [
        file
        for name, found in inside.items()
        for file in found
        if (file in weights[name] and halved(file) == half)
        or (
            file.name.endswith(TEXTS) and (not SHARDS.fullmatch(file.name) or halved(file) == half)
        )
    ]


def halved(file: File) -> bool:
    """Return whether a file is in half precision, by its name."""
    return ".fp16" in file.name


def seen(digest: str | None) -> str:
    """Keep what is a hash: it becomes the name of a file."""
    return digest if digest and HASH.fullmatch(digest) else ""


def hashed(path: Path, file: File) -> tuple[str, str]:
    """Hash a file as the hub does: sha256, or git's way for the small ones."""
    if len(file.digest) == GIT:
        content = path.read_bytes()
        blob = b"blob %d\0%s" % (len(content), content)
        return "git", hashlib.sha1(blob, usedforsecurity=False).hexdigest()
    with path.open("rb") as stream:
        return "sha256", hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def answered(source: str, endpoint: str | None) -> Iterator[None]:
    """Turn what the hub or the net answers into a sentence."""
    where = endpoint or constants.ENDPOINT
    try:
        yield
    except OfflineModeIsEnabled as off:
        raise JobError("hub_offline") from off
    except GatedRepoError as closed:
        raise JobError("hub_gated", source=source, url=f"{where}/{source}") from closed
    except GONE as gone:
        raise JobError("hub_unknown", source=source, hub=where) from gone
    except HfHubHTTPError as silent:
        reason = f"it answers {silent.response.status_code}"
        raise JobError("hub_away", hub=where, reason=reason) from silent
    except (httpx2.HTTPError, httpx2.InvalidURL, json.JSONDecodeError) as silent:
        reason = str(silent) or type(silent).__name__
        raise JobError("hub_away", hub=where, reason=reason) from silent
    except OSError as broken:
        if broken.errno is not None:  # the disk's
            raise
        raise JobError("hub_away", hub=where, reason=str(broken).partition(". ")[0]) from broken
