"""A task for a shell, without a queue: `train`, `sample`, `caption` and `advise`."""

from __future__ import annotations

import json
import shutil
import signal
from dataclasses import asdict, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from storage import names
from storage.errors import JobError
from storage.events import Event, LogEntry, PhotoCaptioned
from storage.folders import Home, JobFolder, replacing, write_json, write_whole
from storage.records import Dial, JobCommand, Kind
from storage.requests import CaptionRequest, SampleRequest
from training.cli import advice as counsel
from training.cli import bases
from training.cli.output import attempted, tell
from training.cli.photos import Source, gather
from training.cli.request import apart, lesson
from training.styles import header
from training.styles.header import said
from training.worker.eventlog import read
from training.worker.execution import Execution
from training.worker.inbox import Command, Request

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from training.settings import TrainingSettings
    from training.worker.runtime import Runtime


class Shell:
    """One task without a queue, in a job folder that goes when it ends."""

    def __init__(
        self, folder: JobFolder, chosen: argparse.Namespace, settings: TrainingSettings
    ) -> None:
        self.folder, self.chosen, self.settings = folder, chosen, settings
        self.sources: list[Source] = []

    def work(self) -> dict[str, Any]:
        """Do the task and return its terminal event."""
        return attempted(self.done)

    def done(self) -> dict[str, Any]:
        """Lay the task out, drive it to its end and deliver."""
        kind = Kind(self.chosen.command)
        lay = {Kind.TRAIN: self.train, Kind.SAMPLE: self.sample, Kind.CAPTION: self.caption}
        self.chosen.out.mkdir(parents=True, exist_ok=True)
        write_json(self.folder.request_file, {"kind": kind, "attempt": 1, **lay[kind]()})
        end = self.drive(kind)
        if end["kind"] == "done":
            self.deliver(kind)
            if end.get("full_model"):
                self.unpack(self.chosen.out / end["file"])
        return end

    @cached_property
    def studio(self) -> Runtime:
        """Open the device; torch is imported here."""
        from training.worker.runtime import Runtime  # noqa: PLC0415 - after what can go wrong without it

        device = self.settings.device.split(",")[0]
        return Runtime(Home(self.settings.home).bases, self.settings, device)

    def drive(self, kind: Kind) -> dict[str, Any]:
        """Drive the task to its end, telling what happens; return the last event."""
        run = Execution(
            Request(Command.RUN), self.folder, self.studio.start_task(kind, self.folder), kind
        )
        before = signal.signal(signal.SIGINT, lambda *_: run.receive_command(JobCommand.CANCEL))
        offset, entries = 0, list[LogEntry[Event]]()
        while not run.ended:
            run.advance()
            entries, offset = read(self.folder.events_file, offset)
            for entry in entries[:-1] if run.over else entries:
                tell(self.line(entry))
        signal.signal(signal.SIGINT, before)
        return self.line(entries[-1])

    def line(self, entry: LogEntry[Event]) -> dict[str, Any]:
        """Return an event as a line, with the names that the person knows."""
        known = {source.file: source.path.name for source in self.sources}
        if isinstance(entry.event, PhotoCaptioned):
            named = replace(entry.event, file=known[entry.event.file])
            entry = replace(entry, event=named)
        return entry.to_line()

    def train(self) -> dict[str, Any]:
        """Complete a training from the dial and what was said instead of it."""
        chosen = self.chosen
        names.clean_name(chosen.name)  # before anything is opened
        others = apart(chosen)
        self.sources = gather(chosen.photos, self.folder)
        first = list(self.sources)
        for at, other in enumerate(others):
            found = gather(other.folder, self.folder, after=len(self.sources))
            others[at] = replace(other, sources=found)
            self.sources += found
        self.known(chosen.base)
        catalog = self.studio.catalog()
        chosen.concepts = 1 + len(others)
        if chosen.method == counsel.AUTO:
            tell({"kind": "advice", **counsel.settle(chosen, self.sources, catalog)})
        chosen.base, chosen.dial = chosen.base or "embedded", chosen.dial or Dial.BALANCED
        recipe = lesson(chosen, first, catalog, others)
        if not recipe.rank and (chosen.out / recipe.name).exists():  # its folder
            raise JobError("base_taken", base=recipe.name)
        return {"recipe": recipe.to_json()}

    def advise(self) -> dict[str, Any]:
        """Say what suits photos, and why."""
        self.sources = gather(self.chosen.photos, self.folder)
        case, advice = counsel.asked(self.chosen, self.sources, self.studio.catalog())
        return {"kind": "advised", **counsel.facts(case, advice)}

    def sample(self) -> dict[str, Any]:
        """Complete what is to be drawn by what the style says of itself."""
        chosen = self.chosen
        keys = [field.name for field in fields(SampleRequest) if hasattr(chosen, field.name)]
        made = {} if chosen.style is None else self.wear(chosen.style)
        own = "" if chosen.style is None else header.made(chosen.style)
        chosen.base = chosen.base or own or "embedded"
        self.known(chosen.base)
        return {"request": {key: getattr(chosen, key) for key in keys} | made}

    def known(self, base: str) -> None:
        """Refuse a base that is not on any list, before torch is imported."""
        if base:
            bases.stock(self.settings).find(base)

    def wear(self, file: Path) -> dict[str, str]:
        """Bring a style's file and return its method and trigger."""
        made = said(file)
        shutil.copyfile(file, self.folder.style_file)
        return made

    def caption(self) -> dict[str, Any]:
        """Complete what is to be described."""
        self.sources = gather(self.chosen.photos, self.folder)
        captioner = self.chosen.captioner or self.settings.captioner
        photos = tuple(range(1, len(self.sources) + 1))
        return {"request": asdict(CaptionRequest(captioner, self.chosen.trigger, photos))}

    def deliver(self, kind: Kind) -> None:
        """Copy what came out to where the person wants it."""
        out: Path = self.chosen.out
        if kind is Kind.CAPTION:
            captions = json.loads((self.folder.result / "captions.json").read_text("utf-8"))
            for source in self.sources:
                write_whole(
                    out / f"{source.path.stem}.txt", captions[source.file].encode() + b"\n"
                )
            return
        for file in sorted(self.folder.result.iterdir()):
            copy(file, out / file.name)
        if self.folder.samples.is_dir():
            for file in sorted(self.folder.samples.iterdir()):
                copy(file, out / "samples" / file.name)

    def unpack(self, file: Path) -> None:
        """Write a whole model as a folder, too."""
        from training.bases import promote  # noqa: PLC0415 - torch, and only here

        promote.write_model_folder(file, file.with_suffix(""), bases.stock(self.settings))


def copy(file: Path, path: Path) -> None:
    """Copy a file whole or not at all."""
    with replacing(path) as part:
        shutil.copyfile(file, part)
