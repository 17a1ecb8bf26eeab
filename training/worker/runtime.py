"""What a worker can do: its tasks, bases and device. The first module to import torch."""

from __future__ import annotations

import logging
import time
from itertools import islice
from pathlib import Path
from typing import Any, cast

from storage.folders import Home, JobFolder
from storage.records import Base, Catalog, Kind, Rule
from training import caption, compare, families, grade, methods, sample
from training.bases.cache import BaseCache
from training.device import Device
from training.lazy import SLOW_IMPORTS, import_slowly
from training.recipe.recipe import AUTO, COMPILE
from training.run import loop, memory
from training.run.defaults import rules
from training.settings import TrainingSettings
from training.worker.compiled import keep_compiled
from training.worker.execution import Task

TASKS = {
    Kind.TRAIN: loop.train,
    Kind.SAMPLE: sample.sample,
    Kind.CAPTION: caption.caption,
    Kind.GRADE: grade.grade,
}
FREE_ROUNDING_MIB = 256  #: to which the free memory in the state is rounded

log = logging.getLogger(__name__)


class Runtime:
    """The one device of the process with the bases that are loaded on it."""

    def __init__(self, folder: Path, settings: TrainingSettings, device: str) -> None:
        self.captioner = settings.captioner
        opened = Device.open(
            cpu=device == "cpu", precision=settings.precision, threads=settings.cpu_threads
        )
        opened.stepper = settings.stepper.removeprefix("eager")
        if opened.stepper == COMPILE:
            keep_compiled(Home(settings.home).compiled)
        opened.trackers = settings.tracker_names
        self.bases = BaseCache(folder, opened, settings.base_list)
        self.bases.judges = settings.judges
        self.imports = iter(SLOW_IMPORTS)
        self.described = self.bases.list_bases()
        self.captioner_mib = self.bases.find_captioner(self.captioner).memory_mib
        for error in self.bases.list_errors:
            log.warning("%s", error)
        for fault in self.bases.list_faults():
            log.info("in the folder of bases: %s", fault)

    def catalog(self) -> Catalog:
        """Return what this machine can do."""
        self.described = self.bases.list_bases()
        self.captioner_mib = self.bases.find_captioner(self.captioner).memory_mib
        return Catalog(
            bases=tuple(map(self.bases.with_caption_limit, self.described)),
            methods=tuple(method.METHOD for method in methods.walk().values()),
            captioner=self.captioner,
            rules=tuple(
                self.add_memory(rule, base)
                for method in methods.walk()
                for base in self.described
                if base.known
                for rule in rules(method, base)
            ),
            device=self.bases.device.name,
            memory_mib=self.bases.device.total_mib(),
            published=time.time(),
            stepper=self.bases.device.stepper.removeprefix(AUTO),
        )

    def add_memory(self, rule: Rule, base: Base) -> Rule:
        """Add the GPU memory a rule takes, if there is a GPU and the base is not tiny."""
        whole = self.bases.device.total_mib()
        if not whole or base.small:
            return rule
        keeps = families.walk()[base.family].COUNTS.memory
        return memory.estimate_memory(rule, base, keeps, whole, self.bases.device.precision)

    def start_task(self, kind: Kind, folder: JobFolder) -> Task:
        """Return the task of a job; nothing of it has run yet."""
        compared = kind is Kind.GRADE and "judged" in folder.read_request()["request"]
        task = compare.compare if compared else TASKS[kind]
        return cast("Task", task(folder, self.bases))

    def import_next(self) -> None:
        """Import one more of the libraries that jobs will need."""
        for name in islice(self.imports, 1):
            import_slowly(name)

    def free_memory(self) -> None:
        """Unload the models that no job uses."""
        self.bases.unload_idle()

    def state(self) -> dict[str, Any]:
        """Return the bases and captioners it `serves` now, and what is in memory."""
        free = self.bases.device.free_mib()
        serves = [
            base.name
            for base in self.described
            if base.present and self.bases.fits(base.name, base.memory_mib)
        ]
        if self.bases.fits(f"captioner {self.captioner}", self.captioner_mib):
            serves.append(self.captioner)
        return {
            "serves": serves,
            "resident": list(self.bases.loaded),
            "free": free // FREE_ROUNDING_MIB * FREE_ROUNDING_MIB,
        }
