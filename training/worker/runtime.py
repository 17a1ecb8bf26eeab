"""What a worker can do here: the tasks, the bases, the device. Torch is imported here first."""

from __future__ import annotations

import logging
import time
from importlib import import_module
from itertools import islice
from typing import TYPE_CHECKING, Any, cast

from storage.records import Catalog, Kind
from training import caption, families, methods, sample
from training.bases.registry import Bases
from training.device import Device
from training.lazy import SLOW_IMPORTS
from training.run import loop
from training.run import memory as ladder

if TYPE_CHECKING:
    from pathlib import Path

    from storage.folders import JobFolder
    from storage.records import Base, Rule
    from training.settings import TrainingSettings
    from training.worker.execution import Task

TASKS = {Kind.TRAIN: loop.train, Kind.SAMPLE: sample.sample, Kind.CAPTION: caption.caption}
SMALL = 150  #: MiB of the embedded captioner
GRAIN = 256  #: MiB to which free memory is told

log = logging.getLogger(__name__)


class Studio:
    """The one device of the process with the bases that are loaded on it."""

    def __init__(self, folder: Path, settings: TrainingSettings, device: str) -> None:
        self.captioner = settings.captioner
        self.bases = Bases(
            folder,
            Device.open(
                cpu=device == "cpu", precision=settings.precision, threads=settings.threads
            ),
            settings.bases,
        )
        self.needed = iter(SLOW_IMPORTS)
        self.known = self.bases.describe()
        for error in self.bases.wrong:
            log.warning("%s", error)

    def catalog(self) -> Catalog:
        """Say what can be done."""
        self.known = self.bases.describe()
        found = methods.walk()
        return Catalog(
            bases=tuple(self.known),
            methods=tuple(method.METHOD for method in found.values()),
            captioner=self.captioner,
            rules=tuple(
                self.weighed(rule, base)
                for method in found.values()
                for base in self.known
                if base.known
                for rule in method.rules(base)
            ),
            device=self.bases.device.name,
            memory_mib=self.bases.device.whole(),
            published=time.time(),
        )

    def weighed(self, rule: Rule, base: Base) -> Rule:
        """Write into a rule what memory it takes, where there is a GPU and a large base."""
        whole = self.bases.device.whole()
        if not whole or base.small:
            return rule
        keeps = families.walk()[base.family].COUNTS.memory
        return ladder.foretold(rule, base, keeps, whole, self.bases.device.precision)

    def task(self, kind: Kind, folder: JobFolder) -> Task:
        """Begin a job."""
        return cast("Task", TASKS[kind](folder, self.bases))

    def warm(self) -> None:
        """Import the next of the libraries that jobs will need."""
        for name in islice(self.needed, 1):
            import_module(name)

    def rest(self) -> None:
        """Give memory back that no job needs."""
        self.bases.release()

    def state(self) -> dict[str, Any]:
        """Say which bases and captioners can be served now, and what is in memory."""
        free = self.bases.device.free()
        served = [
            base.name
            for base in self.known
            if base.present and self.bases.fits(base.name, base.memory_mib)
        ]
        memory = SMALL if self.captioner == "embedded" else caption.MEMORY
        if self.bases.fits(f"captioner {self.captioner}", memory):
            served.append(self.captioner)
        return {
            "serves": served,
            "resident": list(self.bases.resident),
            "free": free // GRAIN * GRAIN,
        }
