"""The bases there are, and those that are loaded. Only loading one needs torch."""

from __future__ import annotations

import gc
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from storage.errors import JobError, UserError
from storage.records import Base
from training import embedded
from training.bases import lists
from training.modelfiles import hub

if TYPE_CHECKING:
    from training.device import Device
    from training.families import Family

PICKLES = (".ckpt", ".pt", ".pth", ".bin")
ENDS = 1 << 20  # bytes of a large file's beginning and end that its fingerprint covers
Resident = TypeVar("Resident")


class Bases:
    """What a worker can start from; it keeps loaded what it used last, as memory allows."""

    def __init__(
        self,
        folder: Path | None = None,
        device: Device | None = None,
        listed: Path | None = None,
    ) -> None:
        self.folder, self.list = folder, listed  #: the operator's own
        self.wrong: list[UserError] = []  #: what is wrong in the lists
        self.opened = device
        self.resident: OrderedDict[str, Any] = OrderedDict()
        self.lent: list[str] = []
        self.suspects: set[str] = set()  #: in whose use something broke off

    @property
    def device(self) -> Device:
        """Give the device, found when first asked for."""
        if self.opened is None:
            from training.device import Device  # noqa: PLC0415  # torch, only when it is needed

            self.opened = Device.open()
        return self.opened

    def describe(self) -> list[Base]:
        """List every base, those that are missing too; a file stands in for a missing namesake."""
        found = {base.name: base for base in self.listed()}
        for base in self.own():
            if base.name not in found or not found[base.name].present:
                found[base.name] = base
        return list(found.values())

    def listed(self) -> list[Base]:
        """Read our list and the operator's, and look which are here."""
        return [self.looked(base) for base in self.entries()]

    def entries(self) -> list[Base]:
        """Read our list and the operator's, and keep what is wrong with them."""
        found, self.wrong = lists.both("bases", self.list)
        return found

    def looked(self, base: Base) -> Base:
        """Look whether a base is here; what has no family is never present."""
        return replace(base, present=base.known and self.place(base.source) is not None)

    def captioners(self) -> list[Base]:
        """Read which captioners are known; any other BLIP can be used, too."""
        found, _ = lists.both("captioners", self.list)
        return [replace(one, present=self.place(one.source) is not None) for one in found]

    def own(self) -> list[Base]:
        """Look through the operator's folder for files and folders that a family recognises."""
        if self.folder is None or not self.folder.is_dir():
            return []
        listed = {base.source for base in self.entries()}
        places = [
            p
            for p in sorted(self.folder.iterdir())
            if (p.is_dir() or p.suffix == ".safetensors")
            and not p.name.startswith(".")  # half of what is still being written
            and p.name not in listed
        ]
        return [base for place in places if (base := self.found(place)) is not None]

    def found(self, place: Path) -> Base | None:
        """Describe one of the operator's bases."""
        from training.families import walk  # noqa: PLC0415  # torch, only when it is needed

        for name, family in walk().items():
            if family.recognises(place):
                if told := lists.beside(place):
                    return replace(told, family=name, present=True)
                return Base(
                    name=place.stem, title=place.stem, family=name, source=place.name,
                    resolution=family.RESOLUTION, licence=lists.UNSEEN, good="this server's own",
                    present=True, memory_mib=family.MEMORY,
                )  # fmt: skip
        return None

    def find(self, name: str) -> Base:
        """Find a base by its name."""
        listed = next((self.looked(base) for base in self.entries() if base.name == name), None)
        if listed is not None and listed.present:
            return listed
        places = sorted(self.folder.glob(f"{name}*")) if self.folder and plain(name) else []
        for place in places:
            if place.suffix in PICKLES and place.stem == name:
                raise JobError("base_pickle", base=place.name)
        for base in self.own():
            if base.name == name:
                return base
        if listed is not None:
            return listed
        for place in places:
            refuse(place)
        raise JobError("base_unknown", base=name[:100])

    def place(self, source: str) -> Path | None:
        """Find where a base's files are on this machine; None when they are not."""
        kind, _, name = source.partition(":")
        if kind == "embedded":
            shipped = embedded.WEIGHTS / name
            return shipped if shipped.is_dir() else None
        if self.folder is not None and plain(source) and (self.folder / source).exists():
            return self.folder / source
        return hub.cached(source) if "/" in source else None

    def here(self, name: str) -> Path:
        """Find a base's files by its name; those that ship with Safelight must be whole."""
        base = self.find(name)
        if not base.known:
            raise JobError(base.missing_code, **base.facts)
        kind, _, shipped = base.source.partition(":")
        place = embedded.verified(shipped) if kind == "embedded" else self.place(base.source)
        if place is None:
            raise JobError(base.missing_code or "base_bring", **base.facts)
        return place

    def identity(self, name: str) -> str:
        """Fingerprint a base's files: small ones whole, of large ones the size and both ends."""
        place = self.here(name)
        files = [place] if place.is_file() else sorted(p for p in place.rglob("*") if p.is_file())
        total, skip = hashlib.sha256(), self.find(name).clip_skip
        if skip > 1:  # the same files are then read otherwise
            total.update(f"clip skip {skip}".encode())
        for file in files:
            total.update(
                f"{file.relative_to(place.parent).parts[1:]}{file.stat().st_size}".encode()
            )
            with file.open("rb") as stream:
                total.update(stream.read(ENDS))
                stream.seek(max(0, file.stat().st_size - ENDS))
                total.update(stream.read(ENDS))
        return total.hexdigest()

    def fits(self, name: str, memory: int) -> bool:
        """Tell whether what takes so many MiB can be used beside what is lent out."""
        if name in self.resident or not self.lent:
            return not self.rough(name)
        return self.device.free() > 1.5 * memory

    @contextmanager
    def family(self, name: str) -> Iterator[Family]:
        """Lend a loaded base."""
        from training.families import walk  # noqa: PLC0415  # torch, only when it is needed

        base = self.find(name)
        place = self.here(name)
        load = walk()[base.family].load
        with self.kept(
            name, base.memory_mib, lambda: load(place, self.device, base), small=base.small
        ) as it:
            yield it

    @contextmanager
    def kept(
        self, name: str, memory: int, load: Callable[[], Resident], *, small: bool
    ) -> Iterator[Resident]:
        """Lend a model with the threads that suit it; load it first where it is not here."""
        self.device.go(small=small)
        if name not in self.resident:
            self.evict(memory)
            self.resident[name] = load()
        self.resident.move_to_end(name)
        self.lent.append(name)
        try:
            yield self.resident[name]
        except JobError:
            raise
        except Exception:
            self.suspects.add(name)
            raise
        finally:
            self.lent.remove(name)
            if self.rough(name) and name not in self.lent:
                self.drop(name)

    def rough(self, name: str) -> bool:
        """Tell whether a loaded base is no longer what its files say, or may not be."""
        return name in self.suspects or getattr(self.resident.get(name), "rough", False)

    def evict(self, memory: int) -> None:
        """Let go of what was used longest ago until there is room."""
        for name in list(self.resident):
            if self.device.free() > 1.5 * memory:
                return
            if name not in self.lent:
                self.drop(name)

    def drop(self, *names: str) -> None:
        """Give back the memory of loaded bases."""
        for name in names:
            del self.resident[name]
            self.suspects.discard(name)
        gc.collect()
        self.device.empty()

    def release(self) -> bool:
        """Let go of everything that is not lent out; tell whether that was anything."""
        idle = [name for name in self.resident if name not in self.lent]
        self.drop(*idle)
        return bool(idle)


def refuse(place: Path) -> None:
    """Say what one of the operator's files is, where it is a model of no family."""
    from training.modelfiles import singlefile  # noqa: PLC0415  # torch, only when it is needed

    what = singlefile.amiss(place) if place.suffix == ".safetensors" else ""
    if what:
        raise JobError(f"base_{what}", base=place.name)


def plain(name: str) -> bool:
    """Tell whether a name is one name, not a way out of a folder."""
    return bool(name) and name == Path(name).name and not set(name) & set("*?[]")
