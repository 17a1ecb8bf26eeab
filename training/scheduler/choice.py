"""Which of the waiting jobs a worker may take, where workers differ or share a GPU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from storage.places import list_runs, training_mib
from storage.records import Catalog
from training.networks.memory import USABLE_SHARE
from training.scheduler.handle import WorkerHandle


def list_elsewhere(
    worker: WorkerHandle, workers: Sequence[WorkerHandle], catalogs: Mapping[str, Catalog]
) -> list[str]:
    """Name the bases, trainings and captioners that fit other workers, and not this one.

    What nobody can run is in no list: whoever claims it ends it with the reason. As long as a
    worker has not told what it can do, it may be anything that is known of.
    """
    runs = {name: list_runs(catalogs[name]) for name in catalogs}
    others = [runs[other.name] for other in workers if other.name in runs and other is not worker]
    if any(other.name not in catalogs for other in workers):
        others += [frozenset(base.name for base in each.bases) for each in catalogs.values()]
    return sorted(frozenset().union(*others) - runs.get(worker.name, frozenset()))


def list_warm(worker: WorkerHandle, workers: Sequence[WorkerHandle]) -> list[str]:
    """Name the bases in a worker's memory, where another worker could take the other jobs."""
    if len(workers) < 2:
        return []
    return list((worker.state() or {}).get("resident", ()))


def list_fitting(
    worker: WorkerHandle,
    workers: Sequence[WorkerHandle],
    devices: Mapping[str, str],
    catalog: Catalog,
) -> list[str] | None:
    """Name the bases whose trainings fit beside those of other workers on the same GPU.

    None is any: no other worker does anything there. `devices` are those of workers' folders.
    """
    own = devices.get(worker.folder.path.name)
    beside = [
        claim.job.base
        for other in workers
        if other is not worker and own and devices.get(other.folder.path.name) == own
        for claim in other.claims
    ]
    if not beside:
        return None
    taken = sum(training_mib(catalog, base) for base in beside)
    left = USABLE_SHARE * catalog.memory_mib - taken
    left = min(left, (worker.state() or {}).get("free", 0))
    return [each.name for each in catalog.bases if training_mib(catalog, each.name) <= left]
