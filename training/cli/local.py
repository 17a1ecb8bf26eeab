"""A job without a queue: `safelight train`, `sample`, `caption` and `advise`."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, fields, replace
from functools import cached_property, partial
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage import names
from storage.crops import MUCH_CUT, crop_at
from storage.events import (
    CheckpointSaved,
    Done,
    Event,
    LogEntry,
    Note,
    PhotoCaptioned,
    PictureDrawn,
    PreviewsDrawn,
    RateFound,
    ResultDrawn,
)
from storage.folders import Home, JobFolder, write_json
from storage.photosets.pack import PackedPhoto, pack_set
from storage.photosets.reader import SetPhoto
from storage.records import JobCommand, Kind
from storage.requests import CaptionRequest, SampleRequest
from training.cli.advice import AUTO, advice_facts, apply_advice, ask_advisor
from training.cli.arguments import (
    AdviseArguments,
    CaptionArguments,
    CheckArguments,
    EvaluateArguments,
    GridArguments,
    PackArguments,
    SampleArguments,
    TrainArguments,
)
from training.cli.bases import open_registry
from training.cli.check import USUAL_BASE, check_photos, examine_photos, look_at_photos
from training.cli.evaluate import choose_base, choose_trigger, grade_file, write_report
from training.cli.grid import lay_out
from training.cli.output import print_line, tell
from training.cli.outputs import find_free_folder, keep_file, keep_numbered, link_or_copy
from training.cli.photos import FolderPhoto, list_photos, name_captions, read_photos
from training.cli.request import DEFAULT_BASE, ConceptFolder, list_concepts, make_recipe
from training.cli.runfolder import open_run
from training.cli.stop import Stop
from training.modelfiles import hub
from training.recipe.recipe import Recipe
from training.settings import TrainingSettings
from training.styles import header
from training.styles.architecture import require_family
from training.styles.foreign import PEFT_CONFIG
from training.worker.eventlog import read_entries
from training.worker.execution import Execution
from training.worker.inbox import Command, Request

if TYPE_CHECKING:
    from training.worker.runtime import Runtime


Show = Callable[[Event], Event]  #: keeps what an event tells of; returns the event to print


class LocalJob:
    """A job without a queue, in a job folder of its own.

    Each command is a method: it prints the events and returns the last one as a line.
    """

    def __init__(self, settings: TrainingSettings, stop: Stop, stack: ExitStack) -> None:
        self.settings, self.stop, self.stack = settings, stop, stack
        self.left_out = 0  #: pictures that were not usable

    @cached_property
    def folder(self) -> JobFolder:
        """A job folder that is removed at the end."""
        place = tempfile.TemporaryDirectory(prefix="safelight-")
        return JobFolder(Path(self.stack.enter_context(place)))

    @cached_property
    def runtime(self) -> Runtime:
        """The device and its bases; opened late, since it imports torch."""
        from training.worker.runtime import Runtime  # noqa: PLC0415 - after what can go wrong without it

        device = self.settings.device.split(",")[0]
        return Runtime(Home(self.settings.home).bases, self.settings, device)

    def train(self, given: TrainArguments) -> dict[str, Any]:
        """Train a style, or go on with it."""
        given.out.mkdir(parents=True, exist_ok=True)
        name, concepts = names.clean_name(given.name), list_concepts(given)
        if given.base:
            self._check_base(given.base)
        run = self.stack.enter_context(open_run(given.out, name, overwrite=given.overwrite))
        self.folder = run.folder
        concepts = self._read_concepts(concepts)
        catalog = self.runtime.catalog()
        if given.method == AUTO:
            given, concepts, facts = apply_advice(given, concepts, catalog)
            print_line({"kind": "advice", **facts})
        class_photos = self._read_class_photos(given, concepts)
        recipe = replace(make_recipe(given, concepts, catalog, class_photos), name=run.name)
        if given.overwrite and not recipe.rank:  # rather now than after hours
            find_free_folder(given.out / run.name, hub.INDEX, overwrite=True)
        tell_crops(recipe.resolution, [photo for each in concepts for photo in each.photos])
        origin = self._describe_origin(recipe, concepts, class_photos)
        recipe = run.settle(recipe, origin, fresh=given.fresh)
        content = {"recipe": recipe.to_json(), "origin": origin}
        end = self.run(Kind.TRAIN, content, partial(show_in_folder, run.folder))
        if end["kind"] == "done":
            style = run.keep_style(overwrite=given.overwrite)
            if end.get("full_model"):
                self._write_model_folder(style, overwrite=given.overwrite)
            run.finish(style)
            end["file"] = str(style)
        return end

    def advise(self, given: AdviseArguments) -> dict[str, Any]:
        """Suggest how to train."""
        photos, self.left_out = read_photos(list_photos(given.photos, self.stack), self.folder)
        case, advice = ask_advisor(given, photos, self.runtime.catalog())
        return {"kind": "advised", **advice_facts(case, advice)}

    def sample(self, given: SampleArguments) -> dict[str, Any]:
        """Draw pictures; what is not given comes from the style's file."""
        given.out.mkdir(parents=True, exist_ok=True)
        style, base = {}, given.base
        if given.style is not None:
            style = header.read_method_and_trigger(given.style)
            base = base or header.read_base(given.style)
            self._copy_style(given.style)
        base = base or DEFAULT_BASE
        found = open_registry(self.settings).find(base)
        if given.style is not None and found.known:
            require_family(header.read_sound_header(given.style), found.family, base)
        known = {field.name for field in fields(SampleRequest)}
        request = {name: value for name, value in asdict(given).items() if name in known}
        content = {"request": request | {"base": base} | style}
        return self.run(Kind.SAMPLE, content, partial(self._keep_picture, given))

    def grid(self, given: GridArguments) -> dict[str, Any]:
        """Draw a grid of pictures."""
        given.out.mkdir(parents=True, exist_ok=True)
        content = {"request": asdict(lay_out(given, self.folder))}
        return self.run(Kind.SAMPLE, content, partial(self._keep_picture, given))

    def _keep_picture(self, given: SampleArguments | GridArguments, event: Event) -> Event:
        """Keep a picture that was drawn under the next free number."""
        if not isinstance(event, PictureDrawn):
            return event
        made = self.folder.result / event.file
        first = int(made.stem) if given.overwrite else 0
        paths = (given.out / f"{number}{made.suffix}" for number in count(first))
        kept = keep_file(partial(link_or_copy, made), paths, overwrite=given.overwrite)
        return replace(event, file=str(kept))

    def caption(self, given: CaptionArguments) -> dict[str, Any]:
        """Write a text file with a caption for each picture that has none."""
        given.out.mkdir(parents=True, exist_ok=True)
        captioner = given.captioner or self.settings.captioner
        open_registry(self.settings).locate_captioner(captioner)  # before torch is imported
        found = list_photos(given.photos, self.stack)
        beside = lies_in(found[0], given.photos, given.out)
        names_of = name_captions(found, beside=beside)
        files = {photo: given.out / name for photo, name in names_of.items()}
        had = {p.name for p in found if files[p.name].exists() or (beside and p.source)}
        wanted = [p for p in found if given.overwrite or p.name not in had]
        if len(wanted) < len(files):
            kept = len(files) - len(wanted)
            tell("captions_kept", kept=kept, pictures=len(files), out=str(given.out))
        if not wanted:
            return LogEntry(Done(), time.time()).to_line()
        read, self.left_out = read_photos(wanted, self.folder)
        tell_copies("copy_captioned", read)
        photos = {photo.file: photo for photo in read}
        request = CaptionRequest(captioner, given.trigger, tuple(range(1, len(photos) + 1)))

        def keep_captions(event: Event) -> Event:
            """Write a caption for its picture and every copy of it."""
            if isinstance(event, Done):
                return replace(event, file="")  # what the job folder has is for the bot
            if not isinstance(event, PhotoCaptioned):
                return event
            photo, write = photos[event.file], partial(write_caption, event.caption)
            paths = [files[each] for each in (photo.name, *photo.copies)]
            kept = [keep_file(write, [path], overwrite=given.overwrite) for path in paths]
            return replace(event, file=", ".join(str(path) for path in kept if path))

        return self.run(Kind.CAPTION, {"request": asdict(request)}, keep_captions)

    def pack(self, given: PackArguments) -> dict[str, Any]:
        """Write the photos and captions into a zip, as what a training here sees."""
        photos, self.left_out = read_photos(list_photos(given.photos, self.stack), self.folder)
        tell_photos(photos)
        packed = [
            PackedPhoto(
                Path(photo.name).stem,
                self.folder.photos / photo.file,
                photo.caption,
                photo.treatment,
                photo.masked,
            )
            for photo in photos
        ]
        trigger = " ".join(given.trigger.split()) or names.trigger_from_name(given.photos.stem)
        write = partial(pack_set, packed, given.form, trigger)
        out = given.out if given.out.suffix.lower() == ".zip" else Path(f"{given.out}.zip")
        kept = keep_numbered(write, out, overwrite=given.overwrite)
        captioned = sum(bool(photo.caption) for photo in photos)
        return {
            "kind": "packed", "file": str(kept), "bytes": kept.stat().st_size,
            "photos": len(photos), "captioned": captioned,
        }  # fmt: skip

    def check(self, given: CheckArguments) -> dict[str, Any]:
        """Judge the photos."""
        registry = open_registry(self.settings)
        base = USUAL_BASE
        if given.base:
            base = registry.with_caption_limit(registry.find(given.base))
        photos, self.left_out = read_photos(list_photos(given.photos, self.stack), self.folder)
        tell_photos(photos)
        examined = examine_photos(look_at_photos(photos, self.folder), self.folder)
        verdicts = check_photos(examined, base, " ".join(given.trigger.split()))
        return {"kind": "checked", "json": given.json, **verdicts}

    def evaluate(self, given: EvaluateArguments) -> dict[str, Any]:
        """Grade a style beside its photos."""
        known = header.read_method_and_trigger(given.style)
        base = choose_base(given, open_registry(self.settings))
        known["trigger"] = choose_trigger(given, known["trigger"])
        photos, self.left_out = read_photos(list_photos(given.photos, self.stack), self.folder)
        self._copy_style(given.style)
        captions = [photo.caption for photo in photos]
        graded = grade_file(given, self.runtime, self.folder, known | {"base": base}, captions)
        return write_report(given, graded)

    def _copy_style(self, style: Path) -> None:
        """Copy a style into the job folder, with the file of peft that may lie beside it."""
        shutil.copyfile(style, self.folder.style_file)
        beside = style.with_name(PEFT_CONFIG)
        if beside.is_file():
            shutil.copyfile(beside, self.folder.style_file.with_name(PEFT_CONFIG))

    def _read_concepts(self, concepts: Sequence[ConceptFolder]) -> list[ConceptFolder]:
        """Read the photos of all concepts into the job folder, and tell what is left out."""
        read: list[ConceptFolder] = []
        for concept in concepts:
            after = sum(len(each.photos) for each in read)
            photos, left_out = read_photos(
                list_photos(concept.folder, self.stack), self.folder, after
            )
            self.left_out += left_out
            tell_photos(photos)
            read.append(replace(concept, photos=photos))
        total = sum(len(each.photos) for each in read)
        tell("photos_copied", photos=total, folder=str(self.folder.photos))
        return read

    def _read_class_photos(
        self, given: TrainArguments, concepts: Sequence[ConceptFolder]
    ) -> list[FolderPhoto]:
        """Read the photos of the class, if there are any, behind those of the concepts."""
        if given.class_photos is None:
            return []
        found = list_photos(given.class_photos, self.stack)
        after = sum(len(each.photos) for each in concepts)
        photos, left_out = read_photos(found, self.folder, after)
        self.left_out += left_out
        tell_photos(photos)
        tell("class_photos_copied", photos=len(photos))
        return photos

    def _describe_origin(
        self,
        recipe: Recipe,
        concepts: Sequence[ConceptFolder],
        class_photos: Sequence[FolderPhoto],
    ) -> dict[str, Any]:
        """Return what a training is made from beside its recipe: digests and versions."""
        from training.styles import writer  # noqa: PLC0415 - torch, which is imported by now

        shown = chain(*(concept.photos for concept in concepts), class_photos)
        photos = [photo.digests for photo in shown]
        files = self.runtime.bases.fingerprint(recipe.base)
        return {"photos": photos, "files_of_the_base": files, **writer.list_versions()}

    def _check_base(self, name: str) -> None:
        """Raise JobError for a base that is unknown, before torch is imported."""
        open_registry(self.settings).find(name)

    def run(self, kind: Kind, content: dict[str, Any], show: Show) -> dict[str, Any]:
        """Write `job.json`, run the job to its end and print its events but the last."""
        write_json(self.folder.request_file, {"kind": kind, "attempt": 1, **content})
        task = self.runtime.start_task(kind, self.folder)
        execution = Execution(Request(Command.RUN), self.folder, task, kind)
        entries, offset = read_entries(self.folder.events_file)  # of commands before this one
        with self.stop.deferring():
            while not execution.ended:
                if execution.task_ended:
                    wait_for_room(execution)
                elif self.stop.is_news() or (self.stop.asked and lost_checkpoint(entries)):
                    end_soon(execution, loses=lost_checkpoint(entries))
                if not execution.task_ended:
                    execution.advance()
                entries, offset = read_entries(self.folder.events_file, offset)
                entries = [replace(entry, event=show(entry.event)) for entry in entries]
                for entry in entries[:-1] if execution.ended else entries:
                    print_line(entry.to_line())
        return entries[-1].to_line()

    def _write_model_folder(self, file: Path, *, overwrite: bool) -> None:
        """Write a whole model as a diffusers folder, too."""
        from training.bases import promote  # noqa: PLC0415 - torch, and only here

        place = find_free_folder(file.with_suffix(""), hub.INDEX, overwrite=overwrite)
        registry = open_registry(self.settings)
        promote.write_model_folder(file, place, registry, overwrite=overwrite)


def tell_photos(photos: Sequence[FolderPhoto]) -> None:
    """Print which pictures are left out as copies, and how many have a caption if not all have."""
    tell_copies("copy_left_out", photos)
    captioned = sum(bool(photo.caption) for photo in photos)
    if 0 < captioned < len(photos):
        tell("captions_some", captions=captioned, photos=len(photos))


def tell_crops(resolution: int, photos: Sequence[FolderPhoto]) -> None:
    """Print of how many pictures much is cut away for a base of this resolution."""
    sizes = [(photo.checked.width, photo.checked.height) for photo in photos]
    boxes = [
        crop_at(size, resolution, photo.facts().framing)
        for size, photo in zip(sizes, photos, strict=True)
    ]
    cut = sum(box.cut > MUCH_CUT for box in boxes)
    if cut:
        tell("photos_cut", cut=cut, photos=len(photos))


def tell_copies(code: str, photos: Sequence[FolderPhoto]) -> None:
    """Print which pictures have the same pixels as another one."""
    for photo in photos:
        for copy in photo.copies:
            tell(code, copy=copy, file=photo.name)


def wait_for_room(execution: Execution) -> None:
    """Wait for room on a full disk, where the last events could not be written."""
    tell("disk_waits")
    while not execution.ended:
        time.sleep(1)
        execution.advance()


def lost_checkpoint(entries: Sequence[LogEntry[Event]]) -> bool:
    """Return whether one of these events says that a checkpoint could not be written."""
    notes = (entry.event for entry in entries if isinstance(entry.event, Note))
    return any(note.code == "checkpoint_lost" for note in notes)


def end_soon(execution: Execution, *, loses: bool = False) -> None:
    """Let a training save its state and end; end it at once if that failed, or another job."""
    if execution.kind is Kind.TRAIN and not loses:
        execution.put_down()
    else:
        execution.receive_command(JobCommand.CANCEL)


def show_in_folder(folder: JobFolder, event: Event) -> Event:
    """Return a training's event with paths that lead to its files."""
    match event:
        case PreviewsDrawn() | ResultDrawn():
            return replace(event, files=tuple(str(folder.samples / file) for file in event.files))
        case RateFound():
            return replace(event, curve=str(folder.samples / event.curve))
        case CheckpointSaved():
            return replace(event, file=str(folder.checkpoints / event.file))
    return event


def lies_in(photo: SetPhoto, source: Path, folder: Path) -> bool:
    """Return whether a photo of a folder or zip is the file of its name in another folder."""
    return (source / photo.file.path).resolve() == (folder / photo.name).resolve()


def write_caption(caption: str, path: Path) -> None:
    """Write a caption as one line of text."""
    path.write_text(caption + "\n", "utf-8")
