"""The bases there are: listed, found by name and fingerprinted, without torch."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from storage.errors import JobError, UserError
from storage.records import Base
from training import captioners, embedded
from training.bases import faults, lists
from training.families import walk
from training.modelfiles import hub
from training.modelfiles.folder import is_plain_name

END_BYTES = 1 << 20  #: of a large file's beginning and end that its fingerprint covers


class BaseRegistry:
    """The bases of the shipped list, of the operator's list and of the operator's folder."""

    def __init__(self, folder: Path | None = None, list_file: Path | None = None) -> None:
        self.folder, self.list_file = folder, list_file
        self.list_errors: list[UserError] = []  #: of the lists as they were last read

    def list_bases(self) -> list[Base]:
        """List every base, missing ones included.

        A local file replaces a listed base of the same name that is not installed.
        """
        bases = {base.name: base for base in self.list_entries()}
        for base in self.list_own():
            if base.name not in bases or not bases[base.name].present:
                bases[base.name] = base
        return list(bases.values())

    def list_entries(self) -> list[Base]:
        """List the entries of both lists, with whether they are installed."""
        return [self.with_presence(base) for base in self.read_entries()]

    def read_entries(self) -> list[Base]:
        """Read both lists and keep their errors."""
        bases, self.list_errors = lists.read_lists("bases", self.list_file)
        return bases

    def with_presence(self, base: Base) -> Base:
        """Return a base with whether it is installed; one of an unknown family never is."""
        place = self.locate_source(base.source) if base.known else None
        own = place is not None and place.parent == self.folder
        present = place is not None and not (own and faults.find_fault(place))
        return replace(base, present=present)

    def with_caption_limit(self, base: Base) -> Base:
        """Return a base with how much it reads of a caption, and what splits that into tokens."""
        if not base.known:
            return base
        place = self.locate_source(base.source)
        file = place / "tokenizer" / "tokenizer.json" if place else None
        own = str(file) if file and file.is_file() else ""
        tokens = walk()[base.family].CAPTION_TOKENS
        return replace(base, caption_tokens=tokens, tokenizer=own)

    def list_captioners(self) -> list[Base]:
        """List the captioners of both lists, then the operator's folders that are one."""
        entries, _ = lists.read_lists("captioners", self.list_file)
        listed = {each.name for each in entries} | {each.source for each in entries}
        own = [self.recognise_captioner(place) for place in self._list_places()]
        return [
            *map(self.with_presence, entries),
            *(each for each in own if each is not None and each.name not in listed),
        ]

    def find_captioner(self, name: str) -> Base:
        """Return a captioner by its name or its id on the hub; it need not be installed."""
        known = [each for each in self.list_captioners() if name in {each.name, each.source}]
        largest = max(module.MEMORY for module in captioners.walk().values())
        unlisted = Base(
            name, name, "", name, 0, lists.UNREAD_LICENCE, "", present=False, memory_mib=largest
        )
        return known[0] if known else self.with_presence(unlisted)

    def locate_captioner(self, name: str) -> tuple[Base, Path]:
        """Return a captioner, found as `find_captioner` does, and where its files are.

        Raises JobError: "captioner_unknown" with the names there are, "captioner_missing" if it
        is not on this machine.
        """
        base = self.find_captioner(name)
        kind, _, shipped = base.source.partition(":")
        if kind == "embedded":
            return base, embedded.verify_folder(shipped)
        place = self.locate_source(base.source)
        if place is not None:
            return base, place
        if not base.family and "/" not in name:  # neither in a list nor a hub's
            names = [each.name for each in self.list_captioners()]
            raise JobError("captioner_unknown", captioner=name[:100], choices=names)
        raise JobError("captioner_missing", captioner=name[:100])

    def _list_places(self) -> list[Path]:
        """List the files and folders of the operator that may be models."""
        if self.folder is None or not self.folder.is_dir():
            return []
        return [
            place
            for place in sorted(self.folder.iterdir())
            if (place.is_dir() or place.suffix == ".safetensors")
            and not place.name.startswith(".")  # it is still being written
        ]

    def list_own(self) -> list[Base]:
        """List the operator's sound files and folders of a family that no list names."""
        listed = {base.source for base in self.read_entries()}
        places = [
            place
            for place in self._list_places()
            if place.name not in listed and faults.find_fault(place) is None
        ]
        return [base for place in places if (base := self.recognise(place)) is not None]

    def list_faults(self) -> list[JobError]:
        """List why things in the operator's folder cannot be used, each as an error."""
        found = faults.list_faulty(self.folder) if self.folder else []
        return [fault.to_error(place) for place, fault in found]

    def recognise(self, place: Path) -> Base | None:
        """Describe a file or folder as a base; None if no family recognises it."""
        for name, family in walk().items():
            if family.recognises(place):
                if described := lists.read_base_file(place):
                    return replace(described, family=name, present=True)
                return Base(
                    name=place.stem, title=place.stem, family=name, source=place.name,
                    resolution=family.RESOLUTION, licence=lists.UNREAD_LICENCE,
                    good="added on this machine", present=True, memory_mib=family.MEMORY,
                )  # fmt: skip
        return None

    def recognise_captioner(self, place: Path) -> Base | None:
        """Describe a folder as a captioner; None if no module recognises it."""
        kind = captioners.find_name(place) if place.is_dir() else None
        if kind is None:
            return None
        return Base(
            place.name, place.name, kind, place.name, 0, lists.UNREAD_LICENCE,
            "added on this machine", present=True, memory_mib=captioners.walk()[kind].MEMORY,
        )  # fmt: skip

    def find(self, name: str) -> Base:
        """Return a base by its name; it need not be installed.

        Raises JobError: "base_..." for a file or folder of that name that cannot be used,
        "base_unknown" with the names there are for anything else.
        """
        listed = next((self.with_presence(b) for b in self.read_entries() if b.name == name), None)
        if listed is not None and listed.present:
            return listed
        for base in self.list_own():
            if base.name == name:
                return base
        meant = {name, listed.source if listed else name}
        for place, fault in faults.list_faulty(self.folder) if self.folder else []:
            if meant & {place.name, place.stem}:
                raise fault.to_error(place)
        if listed is not None:
            return listed
        names = [base.name for base in self.list_bases()]
        raise JobError("base_unknown", base=name[:100], choices=names)

    def locate_source(self, source: str) -> Path | None:
        """Return where the files of `Base.source` are on this machine; None if they are not."""
        kind, _, name = source.partition(":")
        if kind == "embedded":
            shipped = embedded.WEIGHTS / name
            return shipped if shipped.is_dir() else None
        if self.folder is not None and is_plain_name(source) and (self.folder / source).exists():
            return self.folder / source
        return hub.find_cached(source) if "/" in source else None

    def locate(self, name: str) -> Path:
        """Return where the files of a base are; shipped ones are checked to be whole.

        Raises JobError, as `find` does, or with the reason why the base is not installed.
        """
        base = self.find(name)
        if not base.known:
            raise JobError(base.missing_code, **base.missing_facts)
        kind, _, shipped = base.source.partition(":")
        if kind == "embedded":
            return embedded.verify_folder(shipped)
        place = self.locate_source(base.source)
        if place is None:
            raise JobError(base.missing_code or "base_bring", **base.missing_facts)
        return place

    def fingerprint(self, name: str) -> str:
        """Return a SHA-256 of a base's files, in hex: of large files, size and both ends count."""
        place = self.locate(name)
        files = [place] if place.is_file() else sorted(p for p in place.rglob("*") if p.is_file())
        total, clip_skip = hashlib.sha256(), self.find(name).clip_skip
        if clip_skip > 1:  # the same files are then read otherwise
            total.update(f"clip skip {clip_skip}".encode())
        for file in files:
            total.update(
                f"{file.relative_to(place.parent).parts[1:]}{file.stat().st_size}".encode()
            )
            with file.open("rb") as stream:
                total.update(stream.read(END_BYTES))
                stream.seek(max(0, file.stat().st_size - END_BYTES))
                total.update(stream.read(END_BYTES))
        return total.hexdigest()
