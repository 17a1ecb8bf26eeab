"""`python -m training train`, `sample`, `caption`, `bases`, ...: one task, told on stdout.

Each event is a line of JSON; the last one is terminal, and by then what came out lies in `--out`.
No database is opened.
"""

from __future__ import annotations

import json
import logging
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import asdict, fields, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage import names
from storage.errors import JobError
from storage.folders import Home, JobFolder, dump, whole, write
from storage.records import Dial, Event, Kind, Wish
from storage.requests import CaptionRequest, SampleRequest
from training import counsel, header
from training.driver import amiss, driver
from training.folder import Source, gather
from training.header import said
from training.inbox import Request, Verb
from training.inspection import inspected
from training.journal import read
from training.layout import style
from training.lessons import apart, lesson
from training.run import Run, told

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from training.settings import TrainingSettings
    from training.studio import Studio

HASHES = 400  # bytes of a header's hashes

log = logging.getLogger(__name__)


def obey(chosen: argparse.Namespace, settings: TrainingSettings) -> int:
    """Do what the arguments say and return the exit code."""
    if chosen.command == "bases":
        return bases(chosen.fetch, settings)
    if chosen.command == "device":
        tell({"kind": "device"} | device(settings))
        return 0
    if chosen.command in {"inspect", "shrink", "export", "promote"}:
        return asked(chosen, settings)
    with tempfile.TemporaryDirectory(prefix="safelight-") as place:
        shell = Shell(JobFolder(Path(place)), chosen, settings)
        end = attempted(shell.advise) if chosen.command == "advise" else shell.work()
    tell(end)
    return 0 if end["kind"] in {"done", "advised"} else 1


def tell(line: dict[str, Any]) -> None:
    """Print a line for the process that started this one."""
    sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def bases(wanted: Sequence[str], settings: TrainingSettings) -> int:
    """List the bases, or fetch some; one that cannot be fetched does not keep the others."""
    from training import stock  # noqa: PLC0415 - only this command needs it

    if not wanted:
        found = stock.listing(settings)
        tell({"kind": "bases"} | found)
        return int(bool(found["wrong"]))
    code = 0
    for name in wanted:
        try:
            end = attempted(partial(stock.fetch, settings, name, tell))
        except KeyboardInterrupt:  # what has come is kept; who started this process says so
            return 130
        tell(end)
        code |= end["kind"] == "failed"
    return code


def device(settings: TrainingSettings) -> dict[str, Any]:
    """Tell about torch and the device."""
    import torch  # noqa: PLC0415 - seconds, and only this command needs it

    from training import ladder  # noqa: PLC0415 - the same
    from training.device import Device  # noqa: PLC0415 - the same

    found = Device.open(cpu=settings.device == "cpu", precision=settings.precision)
    version, cuda = driver(), torch.version.cuda
    return {
        "torch": torch.__version__,
        "device": found.at.type,
        "name": found.name,
        "precision": found.precision,
        "free": found.free(),
        "driver": version or "",
        "cuda": cuda or "",
        "amiss": amiss(version, cuda, usable=found.at.type == "cuda"),
        "reach": ladder.reach(found.whole()) if found.whole() else {},
    }


def asked(chosen: argparse.Namespace, settings: TrainingSettings) -> int:
    """Answer about one file, or say what is wrong with it."""

    def answer() -> dict[str, Any]:
        if "out" in chosen:
            chosen.out.mkdir(parents=True, exist_ok=True)
        if chosen.command == "promote":
            return promote(chosen, settings)
        if chosen.command == "export":
            return export(chosen, settings)
        return {"inspect": inspect, "shrink": shrink}[chosen.command](chosen)

    line = attempted(answer)
    tell({"file": chosen.file.name} | line)
    return int(line["kind"] == "failed")


def attempted(task: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Do a task and return its last line, that of its failure if it fails."""
    try:
        return task()
    except (FileExistsError, NotADirectoryError, PermissionError) as refused:
        return failed({"code": "folder_refused", "folder": str(refused.filename)})
    except Exception as error:
        facts = told(error)
        if "reference" in facts:
            log.exception("Bug %s", facts["reference"])
        return failed(facts)


def inspect(chosen: argparse.Namespace) -> dict[str, Any]:
    """Tell what a style's file is."""
    return {"kind": "inspected"} | inspected(chosen.file)


def promote(chosen: argparse.Namespace, settings: TrainingSettings) -> dict[str, Any]:
    """Make a whole model a base of this machine."""
    from training import model, stock  # noqa: PLC0415 - torch, and only this command needs it

    name = names.named(chosen.name)
    place = model.promoted(chosen.file, name, stock.stock(settings))
    return {"kind": "promoted", "base": name, "bytes": model.size(place)}


def export(chosen: argparse.Namespace, settings: TrainingSettings) -> dict[str, Any]:
    """Write a hypernetwork as AUTOMATIC1111 reads it, a whole model as diffusers keeps them."""
    from training import files, model, pt, stock  # noqa: PLC0415 - torch, and only here

    content = header.read(chosen.file)
    made = header.metadata(content)
    if header.kind(content.keys() - {"__metadata__"}) == "finetune":
        place = chosen.out / chosen.file.stem
        model.unpacked(chosen.file, place, stock.stock(settings))
        return {"kind": "exported", "file": place.name, "bytes": model.size(place)}
    path = chosen.out / f"{chosen.file.stem}.pt"
    write(path, pt.exported(files.tensors(chosen.file), made, chosen.file.stem))
    return {"kind": "exported", "file": path.name, "bytes": path.stat().st_size}


def shrink(chosen: argparse.Namespace) -> dict[str, Any]:
    """Write a smaller copy of a LoRA and tell what it costs."""
    from training import files  # noqa: PLC0415 - torch, and only this command needs it
    from training.shrink import shrunk  # noqa: PLC0415 - the same

    made = header.metadata(header.read(chosen.file))
    room = sum(len(key) + len(value) for key, value in made.items()) * 2 + HASHES
    found = shrunk(files.tensors(chosen.file), round(chosen.to * 2**20) - room)
    made |= {"ss_network_dim": str(found.rank), "ss_network_alpha": str(found.rank)}
    path = chosen.out / chosen.file.name
    if path.exists() and path.samefile(chosen.file):
        raise JobError("shrink_same")
    files.pour(path, files.rounded(found.tensors), made)
    size = path.stat().st_size
    return {
        "kind": "shrunk", "file": path.name, "bytes": size, "rank": found.rank,
        "error": found.error,
    }  # fmt: skip


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
        dump(self.folder.job, {"kind": kind, "attempt": 1, **lay[kind]()})
        end = self.drive(kind)
        if end["kind"] == "done":
            self.deliver(kind)
            if end.get("whole"):
                self.unpack(self.chosen.out / end["file"])
        return end

    @cached_property
    def studio(self) -> Studio:
        """Open the device; torch is imported here."""
        from training.studio import Studio  # noqa: PLC0415 - after what can go wrong without it

        device = self.settings.device.split(",")[0]
        return Studio(Home(self.settings.home).bases, self.settings, device)

    def drive(self, kind: Kind) -> dict[str, Any]:
        """Drive the task to its end, telling what happens; return the last event."""
        run = Run(Request(Verb.RUN), self.folder, self.studio.task(kind, self.folder), kind)
        before = signal.signal(signal.SIGINT, lambda *_: run.wished(Wish.CANCEL))
        offset, events = 0, list[Event]()
        while not run.ended:
            run.advance()
            events, offset = read(self.folder.events, offset)
            for event in events[:-1] if run.over else events:
                tell(self.line(event))
        signal.signal(signal.SIGINT, before)
        return self.line(events[-1])

    def line(self, event: Event) -> dict[str, Any]:
        """Return an event as a line, with the names that the person knows."""
        known = {source.file: source.path.name for source in self.sources}
        facts = {key: fact for key, fact in event.facts.items() if key != "fence"}
        if event.kind == "caption":
            facts["file"] = known[facts["file"]]
        return {"at": event.at, "kind": event.kind, **facts}

    def train(self) -> dict[str, Any]:
        """Complete a training from the dial and what was said instead of it."""
        chosen = self.chosen
        names.named(chosen.name)  # before anything is opened
        others = apart(chosen)
        self.sources = gather(chosen.photos, self.folder)
        first = list(self.sources)
        for at, other in enumerate(others):
            found = gather(other.folder, self.folder, after=len(self.sources))
            others[at] = replace(other, sources=found)
            self.sources += found
        catalog = self.studio.catalog()
        chosen.concepts = 1 + len(others)
        if chosen.method == counsel.AUTO:
            tell({"kind": "advice", **counsel.settle(chosen, self.sources, catalog)})
        chosen.base, chosen.dial = chosen.base or "embedded", chosen.dial or Dial.BALANCED
        recipe = lesson(chosen, first, catalog, others)
        if not recipe.rank and (chosen.out / recipe.name).exists():  # its folder
            raise JobError("base_taken", base=recipe.name)
        return {"recipe": recipe.json()}

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
        return {"request": {key: getattr(chosen, key) for key in keys} | made}

    def wear(self, file: Path) -> dict[str, str]:
        """Bring a style's file and return its method and trigger."""
        made = said(file)
        shutil.copyfile(file, style(self.folder))
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
                write(out / f"{source.path.stem}.txt", captions[source.file].encode() + b"\n")
            return
        for file in sorted(self.folder.result.iterdir()):
            copy(file, out / file.name)
        if self.folder.samples.is_dir():
            for file in sorted(self.folder.samples.iterdir()):
                copy(file, out / "samples" / file.name)

    def unpack(self, file: Path) -> None:
        """Write a whole model as a folder, too."""
        from training import model, stock  # noqa: PLC0415 - torch, and only here

        model.unpacked(file, file.with_suffix(""), stock.stock(self.settings))


def failed(facts: dict[str, Any]) -> dict[str, Any]:
    """Return the last line of a task that could not begin."""
    return {"at": time.time(), "kind": "failed", **facts}


def copy(file: Path, path: Path) -> None:
    """Copy a file whole or not at all."""
    with whole(path) as part:
        shutil.copyfile(file, part)
