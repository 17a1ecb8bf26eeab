"""`safelight bases`: what one can start from, what is here of it, and fetching what is not."""

from __future__ import annotations

import logging
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from storage.errors import JobError
from storage.folders import Home
from training.bases import lists
from training.bases.cache import BaseCache
from training.modelfiles import hub

if TYPE_CHECKING:
    from collections.abc import Callable

    from storage.records import Base
    from training.settings import TrainingSettings


def stock(settings: TrainingSettings) -> BaseCache:
    """Return the bases of this machine."""
    return BaseCache(Home(settings.home).bases, list_file=settings.bases)


def listing(settings: TrainingSettings) -> dict[str, Any]:
    """List the bases, also the missing, and who writes captions."""
    known, name = stock(settings), settings.captioner
    found = [told(known, base) for base in known.list_bases()]
    present = name == "embedded" or known.locate_source(name) is not None
    return {
        "bases": found,
        "captioners": [told(known, one) for one in known.list_captioners()],
        "captioner": {"name": name, "present": present},
        "wrong": [{"code": error.code, **error.facts} for error in known.list_errors],
    }


def told(known: BaseCache, base: Base) -> dict[str, Any]:
    """Tell of a base, with its bytes on this machine and whether the hub's hashes were seen."""
    place = known.locate_source(base.source)
    noted = hub.note(base.source) if "/" in base.source else None
    return asdict(base) | {
        "lack": base.missing_code,
        "bytes": hub.size(place) if place else 0,
        "checked": base.source.startswith("embedded:") or (noted is not None and noted.checked),
    }


def named(known: BaseCache, name: str, captioner: str) -> Base:
    """Find a base or a captioner by its name, a captioner also by its place on the hub."""
    for base in (*known.list_entries(), *known.list_captioners()):
        if base.name == name:
            return base
    if "/" in name and name in {captioner, *(one.source for one in known.list_captioners())}:
        return next(
            (one for one in known.list_captioners() if one.source == name),
            lists.make_base(name, {"title": name, "family": lists.BLIP, "source": name,
                              "resolution": 0, "good": ""}, known=True),
        )  # fmt: skip
    raise JobError("fetch_unknown", name=name[:100])


def fetch(
    settings: TrainingSettings, name: str, tell: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    """Bring what is missing of a base or a captioner, and tell what came."""
    from training.modelfiles.download import Fetch  # noqa: PLC0415  # half a second, and only this needs it

    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # what matters becomes a sentence
    base = named(stock(settings), name, settings.captioner)
    if base.source.startswith("embedded:"):
        raise JobError("fetch_embedded", base=base.title)
    if not base.known or "/" not in base.source:
        raise JobError(base.missing_code or "fetch_here", **base.facts)
    noted, began = hub.note(base.source), time.monotonic()
    already = noted is not None and noted.whole and hub.cached(base.source) is not None
    if noted is None or not already:
        tell({"kind": "fetch", **asdict(base)})
        noted = Fetch(base.source, tell, keep=settings.min_free_mib).run()
    return {
        "kind": "fetched",
        "name": base.name,
        "title": base.title,
        "already": already,
        "bytes": sum(file["bytes"] for file in noted.files.values()),
        "unseen": sorted(path for path, file in noted.files.items() if not file["checked"]),
        "commit": noted.commit,
        "place": str(hub.cached(base.source)),
        "seconds": time.monotonic() - began,
    }
