"""The bases that are loaded, lent to jobs and unloaded as memory asks for it."""

from __future__ import annotations

import gc
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from storage.errors import JobError
from training import captioners
from training.bases.registry import BaseRegistry
from training.device import Device
from training.families import Family, walk

Model = TypeVar("Model")
ROOM_FACTOR = 1.5  #: free memory that a model must find, as a multiple of its own


class BaseCache(BaseRegistry):
    """A registry that keeps the models used last loaded on a device."""

    def __init__(
        self,
        folder: Path | None = None,
        device: Device | None = None,
        list_file: Path | None = None,
    ) -> None:
        super().__init__(folder, list_file)
        self._device = device
        self.judges: Path | None = None  #: the operator's folder of networks that grade pictures
        self.loaded: OrderedDict[str, Any] = OrderedDict()  #: by name, the last used last
        self.lent: list[str] = []
        self.tainted: set[str] = set()  #: lent to a job that crashed, which may have changed them

    @property
    def device(self) -> Device:
        """The device, opened when it is first used."""
        self._device = self._device or Device.open()
        return self._device

    def fits(self, name: str, memory: int) -> bool:
        """Return whether a model of so many MiB can be used beside those that are lent."""
        if name in self.loaded or not self.lent:
            return not self.is_modified(name)
        return self.device.free_mib() > ROOM_FACTOR * memory

    @contextmanager
    def borrow(self, name: str) -> Iterator[Family]:
        """Lend a base to the block; load it first if necessary.

        Raises JobError if it is unknown, not installed or broken.
        """
        base = self.find(name)
        place = self.locate(name)
        load = walk()[base.family].load
        with self.borrow_model(
            name, base.memory_mib, lambda: load(place, self.device, base), small=base.small
        ) as family:
            yield family

    @contextmanager
    def borrow_captioner(self, name: str) -> Iterator[captioners.Captioner]:
        """Lend a captioner to the block; load it first if necessary.

        Raises JobError if it is unknown, not installed or broken.
        """
        found, place = self.locate_captioner(name)
        load = captioners.find_module(place).load
        with self.borrow_model(
            f"captioner {name}",
            found.memory_mib,
            lambda: load(place, self.device),
            small=found.small,
        ) as captioner:
            yield captioner

    @contextmanager
    def borrow_model(
        self, name: str, memory: int, load: Callable[[], Model], *, small: bool
    ) -> Iterator[Model]:
        """Lend a model of so many MiB to the block, on the CPU threads that suit it.

        A model that is no longer what its files say is unloaded when its last borrower is done.
        """
        self.device.set_threads(small=small)
        if name not in self.loaded:
            self.evict(memory)
            self.loaded[name] = load()
        self.loaded.move_to_end(name)
        self.lent.append(name)
        try:
            yield self.loaded[name]
        except JobError:
            raise
        except Exception:
            self.tainted.add(name)
            raise
        finally:
            self.lent.remove(name)
            if self.is_modified(name) and name not in self.lent:
                self.unload(name)

    def is_modified(self, name: str) -> bool:
        """Return whether a loaded model may differ from its files: quantized, or tainted."""
        return name in self.tainted or getattr(self.loaded.get(name), "modified", False)

    def evict(self, memory: int) -> None:
        """Unload what was used longest ago until there is room for so many MiB."""
        for name in list(self.loaded):
            if self.device.free_mib() > ROOM_FACTOR * memory:
                return
            if name not in self.lent:
                self.unload(name)

    def unload(self, *names: str) -> None:
        """Drop loaded models and free their memory."""
        for name in names:
            del self.loaded[name]
            self.tainted.discard(name)
        gc.collect()
        self.device.empty_cache()

    def unload_idle(self) -> bool:
        """Unload everything that is not lent; return whether that was anything."""
        idle = [name for name in self.loaded if name not in self.lent]
        self.unload(*idle)
        return bool(idle)
