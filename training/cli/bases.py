"""`safelight bases`: the bases to start from, what of them is installed, and fetching the rest."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from storage.errors import JobError
from storage.folders import Home
from storage.records import Base
from training.bases import lists
from training.bases.registry import BaseRegistry
from training.modelfiles import hub
from training.settings import TrainingSettings


def open_registry(settings: TrainingSettings) -> BaseRegistry:
    """Return the bases of this machine."""
    return BaseRegistry(Home(settings.home).bases, settings.base_list)


def list_installed(settings: TrainingSettings) -> dict[str, Any]:
    """Return every base and captioner as JSON, and which captioner is in the settings."""
    registry, name = open_registry(settings), settings.captioner
    bases = [describe_base(registry, base) for base in registry.list_bases()]
    present = registry.find_captioner(name).present
    return {
        "bases": bases,
        "captioners": [describe_base(registry, each) for each in registry.list_captioners()],
        "captioner": {"name": name, "present": present},
        "wrong": [
            {"code": error.code, **error.facts}
            for error in (*registry.list_errors, *registry.list_faults())
        ],
    }


def describe_base(registry: BaseRegistry, base: Base) -> dict[str, Any]:
    """Return a base as JSON, with its bytes on disk and whether the hub's hashes were checked."""
    place = registry.locate_source(base.source)
    noted = hub.read_note(base.source) if "/" in base.source else None
    return asdict(base) | {
        "lack": base.missing_code,
        "bytes": hub.count_bytes(place) if place else 0,
        "checked": base.source.startswith("embedded:") or (noted is not None and noted.checked),
    }


def find_fetchable(registry: BaseRegistry, name: str, captioner: str) -> Base:
    """Return a base or captioner by its name; a captioner also by its id on the hub.

    Raises JobError "fetch_unknown" with the names there are.
    """
    captioners = registry.list_captioners()
    known = [*registry.list_entries(), *captioners]
    for base in known:
        if base.name == name:
            return base
    if "/" in name and name in {captioner, *(each.source for each in captioners)}:
        entry = {"title": name, "family": "", "source": name, "resolution": 0, "good": ""}
        of_that_source = (each for each in captioners if each.source == name)
        return next(of_that_source, lists.make_base(name, entry, known=True))
    names = [base.name for base in known if not base.source.startswith("embedded:")]
    raise JobError("fetch_unknown", fetch=name[:100], choices=names)


def fetch(
    settings: TrainingSettings, name: str, report: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    """Download what is missing of a base or captioner; return the line that says what came."""
    from training.modelfiles.download import Fetch  # noqa: PLC0415  # half a second, and only this needs it

    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # what matters becomes a sentence
    base = find_fetchable(open_registry(settings), name, settings.captioner)
    if base.source.startswith("embedded:"):
        raise JobError("fetch_embedded", base=base.title)
    if not base.known or "/" not in base.source:
        raise JobError(base.missing_code or "fetch_here", **base.missing_facts)
    noted, began = hub.read_note(base.source), time.monotonic()
    already = noted is not None and noted.whole and hub.find_cached(base.source) is not None
    if noted is None or not already:
        report({"kind": "fetch", **asdict(base)})
        noted = Fetch(base.source, report, keep=settings.min_free_mib).run()
    return {
        "kind": "fetched",
        "name": base.name,
        "title": base.title,
        "already": already,
        "bytes": sum(file["bytes"] for file in noted.files.values()),
        "unseen": sorted(path for path, file in noted.files.items() if not file["checked"]),
        "commit": noted.commit,
        "place": str(hub.find_cached(base.source)),
        "seconds": time.monotonic() - began,
    }
