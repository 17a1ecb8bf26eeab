"""A job without a queue: `safelight train`, `sample`, `caption` and `advise`."""

from __future__ import annotations

import json
import shutil
import signal
from dataclasses import asdict, fields, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage import names
from storage.errors import JobError
from storage.events import Event, LogEntry, PhotoCaptioned
from storage.folders import Home, JobFolder, replacing, write_json, write_whole
from storage.records import JobCommand, Kind
from storage.requests import CaptionRequest, SampleRequest
from training.cli.advice import AUTO, advice_facts, apply_advice, ask_advisor
from training.cli.arguments import (
    AdviseArguments,
    CaptionArguments,
    SampleArguments,
    TrainArguments,
)
from training.cli.bases import open_registry
from training.cli.output import print_line
from training.cli.photos import FolderPhoto, read_photos
from training.cli.request import DEFAULT_BASE, ConceptFolder, list_concepts, make_recipe
from training.settings import TrainingSettings
from training.styles import header
from training.styles.architecture import require_family
from training.worker.eventlog import read_entries
from training.worker.execution import Execution
from training.worker.inbox import Command, Request

if TYPE_CHECKING:
    from training.worker.runtime import Runtime


class LocalJob:
    """A job without a queue, in a job folder of its own.

    Each command is a method: it prints the events and returns the last one as a line.
    """

    def __init__(self, folder: JobFolder, settings: TrainingSettings) -> None:
        self.folder, self.settings = folder, settings
        self.photos: list[FolderPhoto] = []

    @cached_property
    def runtime(self) -> Runtime:
        """The device and its bases; opened late, since it imports torch."""
        from training.worker.runtime import Runtime  # noqa: PLC0415 - after what can go wrong without it

        device = self.settings.device.split(",")[0]
        return Runtime(Home(self.settings.home).bases, self.settings, device)

    def train(self, given: TrainArguments) -> dict[str, Any]:
        """Train a style."""
        given.out.mkdir(parents=True, exist_ok=True)
        names.clean_name(given.name)  # before anything is opened
        concepts = [self._read_concept(concept) for concept in list_concepts(given)]
        if given.base:
            self._check_base(given.base)
        catalog = self.runtime.catalog()
        if given.method == AUTO:
            given, concepts, facts = apply_advice(given, concepts, catalog)
            print_line({"kind": "advice", **facts})
        recipe = make_recipe(given, concepts, catalog)
        if not recipe.rank and (given.out / recipe.name).exists():  # its diffusers folder
            raise JobError("base_taken", base=recipe.name)
        end = self._run(Kind.TRAIN, {"recipe": recipe.to_json()})
        if end["kind"] == "done":
            self._copy_results(given.out)
            if end.get("full_model"):
                self._write_model_folder(given.out / end["file"])
        return end

    def advise(self, given: AdviseArguments) -> dict[str, Any]:
        """Suggest how to train."""
        photos = read_photos(given.photos, self.folder)
        case, advice = ask_advisor(given, photos, self.runtime.catalog())
        return {"kind": "advised", **advice_facts(case, advice)}

    def sample(self, given: SampleArguments) -> dict[str, Any]:
        """Draw pictures; what is not given comes from the style's file."""
        given.out.mkdir(parents=True, exist_ok=True)
        style, base = {}, given.base
        if given.style is not None:
            style = header.read_method_and_trigger(given.style)
            base = base or header.read_base(given.style)
            shutil.copyfile(given.style, self.folder.style_file)
        base = base or DEFAULT_BASE
        found = open_registry(self.settings).find(base)
        if given.style is not None and found.known:
            require_family(header.read_header(given.style), found.family, base)
        known = {field.name for field in fields(SampleRequest)}
        request = {name: value for name, value in asdict(given).items() if name in known}
        end = self._run(Kind.SAMPLE, {"request": request | {"base": base} | style})
        if end["kind"] == "done":
            self._copy_results(given.out)
        return end

    def caption(self, given: CaptionArguments) -> dict[str, Any]:
        """Write a text file with a caption for each picture."""
        given.out.mkdir(parents=True, exist_ok=True)
        captioner = given.captioner or self.settings.captioner
        open_registry(self.settings).locate_captioner(captioner)  # before torch is imported
        self.photos = read_photos(given.photos, self.folder)
        numbers = tuple(range(1, len(self.photos) + 1))
        request = CaptionRequest(captioner, given.trigger, numbers)
        end = self._run(Kind.CAPTION, {"request": asdict(request)})
        if end["kind"] == "done":
            captions = json.loads((self.folder.result / "captions.json").read_text("utf-8"))
            for photo in self.photos:
                caption = captions[photo.file].encode() + b"\n"
                write_whole(given.out / f"{photo.path.stem}.txt", caption)
        return end

    def _read_concept(self, concept: ConceptFolder) -> ConceptFolder:
        photos = read_photos(concept.folder, self.folder, after=len(self.photos))
        self.photos += photos
        return replace(concept, photos=photos)

    def _check_base(self, name: str) -> None:
        """Raise JobError for a base that is unknown, before torch is imported."""
        open_registry(self.settings).find(name)

    def _run(self, kind: Kind, content: dict[str, Any]) -> dict[str, Any]:
        """Write `job.json`, run the job to its end and print its events but the last."""
        write_json(self.folder.request_file, {"kind": kind, "attempt": 1, **content})
        task = self.runtime.start_task(kind, self.folder)
        execution = Execution(Request(Command.RUN), self.folder, task, kind)
        before = signal.signal(
            signal.SIGINT, lambda *_: execution.receive_command(JobCommand.CANCEL)
        )
        offset, entries = 0, list[LogEntry[Event]]()
        while not execution.ended:
            execution.advance()
            entries, offset = read_entries(self.folder.events_file, offset)
            for entry in entries[:-1] if execution.task_ended else entries:
                print_line(self._to_line(entry))
        signal.signal(signal.SIGINT, before)
        return self._to_line(entries[-1])

    def _to_line(self, entry: LogEntry[Event]) -> dict[str, Any]:
        """Return an event as JSON, with the file names that the person knows."""
        if isinstance(entry.event, PhotoCaptioned):
            file_names = {photo.file: photo.path.name for photo in self.photos}
            event = replace(entry.event, file=file_names[entry.event.file])
            entry = replace(entry, event=event)
        return entry.to_line()

    def _copy_results(self, out: Path) -> None:
        """Copy results and samples to where the person wants them."""
        for file in sorted(self.folder.result.iterdir()):
            copy_whole(file, out / file.name)
        if self.folder.samples.is_dir():
            for file in sorted(self.folder.samples.iterdir()):
                copy_whole(file, out / "samples" / file.name)

    def _write_model_folder(self, file: Path) -> None:
        """Write a whole model as a diffusers folder, too."""
        from training.bases import promote  # noqa: PLC0415 - torch, and only here

        promote.write_model_folder(file, file.with_suffix(""), open_registry(self.settings))


def copy_whole(file: Path, path: Path) -> None:
    """Copy a file whole or not at all."""
    with replacing(path) as part:
        shutil.copyfile(file, part)
