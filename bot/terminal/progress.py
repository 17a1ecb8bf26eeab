"""`safelight train`, `sample`, `bases`, ...: a child does the work and prints its events."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from bot import wording
from bot.terminal.bar import Bar
from bot.wording import fill
from storage.errors import JobError
from storage.events import KINDS, Done, Event, Failed, Note, Progress, read_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TRAINING = (sys.executable, "-m", "training")
ANSWERS = ("bases", "fetched", "device", "advised", "inspected", "shrunk", "exported", "promoted")
ENDINGS = frozenset({"done", "failed", "cancelled", "paused", *ANSWERS})


def work(arguments: Sequence[str], program: Sequence[str] = TRAINING) -> int:
    """Run a command of the training in a child and tell what happens in it."""
    teller, ended = Teller(Bar()), False
    with subprocess.Popen([*program, *arguments], stdout=subprocess.PIPE, text=True) as child:
        try:
            for event in events(child):
                ended |= event.get("kind") in ENDINGS
                teller.tell(event)
        except KeyboardInterrupt:  # the terminal has told the child, too
            child.wait()
            teller.bar.say(wording.shell.STOPPED)
            return 130
    code = child.returncode
    if code not in {0, 2} and not ended:
        teller.bar.say(fill(wording.shell.SILENT, code=code))
    return code


def events(child: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
    """Read a child's events; what else it says (its help, say) goes straight through."""
    for line in child.stdout or ():
        try:
            event = json.loads(line)
        except ValueError:
            sys.stdout.write(line)
            continue
        if isinstance(event, dict):
            yield event


class Teller:
    """Turns events into lines on the terminal."""

    def __init__(self, bar: Bar) -> None:
        self.bar = bar
        self.steps = 0

    def tell(self, event: dict[str, Any]) -> None:
        """Tell one event, if there is something to tell."""
        kind = event.get("kind", "")
        if kind in KINDS:
            self.show(read_line({"at": 0.0, **event}).event)
        elif special := getattr(self, f"_{kind}", None):
            special(event)

    def show(self, event: Event) -> None:
        """Show what happened in a job."""
        match event:
            case Progress():
                self._progress(event)
            case Note():
                known = wording.job.NOTES.get(event.code, "")
                said = fill(known, **event.facts) if known else sentence(event.to_json())
                self.bar.say(said)
            case Failed():
                self._failed(event)
            case Done():
                self._done(event)
            case _ if event.kind in wording.shell.EVENTS:
                facts = {"names": ", ".join(getattr(event, "files", ())), **event.to_json()}
                self.bar.say(fill(wording.shell.EVENTS[event.kind], **facts))

    def _progress(self, event: Progress) -> None:
        speed, eta = event.steps_per_second, event.eta_seconds
        words = fill(
            wording.shell.PROGRESS,
            step=event.step,
            steps=event.steps,
            loss=fill(wording.shell.LOSS, loss=event.smoothed_loss),
            speed=fill(wording.shell.SPEED, speed=speed) if speed else "",
            eta=fill(wording.shell.ETA, eta=length(eta)) if eta else "",
        )
        self.bar.show(event.step / max(1, event.steps), words)

    def _failed(self, event: Failed) -> None:
        said, file = sentence(event.to_json()), str(event.facts.get("file", ""))
        unnamed = file and file not in said
        failed = wording.shell.FAILED_FILE if unnamed else wording.shell.FAILED
        self.bar.say(fill(failed, sentence=said, file=file))

    def _done(self, event: Done) -> None:
        seconds = length(event.timings.seconds)
        if not event.file:
            self.bar.say(fill(wording.shell.DONE, seconds=seconds))
            return
        size = wording.format_size(event.bytes)
        self.bar.say(fill(wording.shell.DONE_FILE, seconds=seconds, file=event.file, size=size))

    def _bases(self, event: dict[str, Any]) -> None:
        words = [line for base in event["bases"] for line in described(base)]
        words += ["", wording.shell.CAPTIONERS]
        words += [line for one in event["captioners"] for line in described(one)]
        sys.stdout.write("".join(printable(line) for line in words))
        for wrong in event["wrong"]:
            self.bar.say(sentence(wrong))

    def _fetch(self, event: dict[str, Any]) -> None:
        seen = fill(wording.shell.SEEN, **event) if event["licence_url"] else ""
        facts = {**event, "licence": licence(event) + seen, "money": money(event)}
        self.bar.say(fill(wording.shell.FETCH, **facts))

    def _fetching(self, event: dict[str, Any]) -> None:
        facts = {key: wording.format_size(event[key]) for key in ("done", "bytes", "speed")}
        words = fill(wording.shell.FETCHING, **facts)
        self.bar.show(event["done"] / event["bytes"], words)

    def _fetched(self, event: dict[str, Any]) -> None:
        unseen = wording.shell.FETCHED_UNSEEN if event["unseen"] else wording.shell.FETCHED
        told = wording.shell.FETCHED_ALREADY if event["already"] else unseen
        size, names = wording.format_size(event["bytes"]), ", ".join(event["unseen"])
        facts = {**event, "size": size, "names": names, "seconds": length(event["seconds"])}
        self.bar.say(fill(told, **facts))

    def _advised(self, event: dict[str, Any]) -> None:
        photos = wording.format_count(event["photos"], "photo")
        lines = [fill(wording.shell.ADVICE, **choice(event["first"]))]
        reasons = wording.advice.reasons(event["first"]["reasons"], photos)
        lines += [line.replace("**", "") for line in reasons]
        if event["photos"] < event["handed"]:
            lines.append(fill(wording.shell.ADVICE_SOME, photos=photos, handed=event["handed"]))
        if event["terms"]:
            lines.append(fill(wording.shell.ADVICE_TERMS, terms=event["terms"]))
        if event["second"]:
            second, first = event["second"]["reasons"], event["first"]["reasons"]
            why = wording.advice.reason_apart(second, first, photos)
            lines.append(fill(wording.shell.ADVICE_SECOND, why=why, **choice(event["second"])))
        sys.stdout.writelines(map(printable, lines))

    _advice = _advised

    def _exported(self, event: dict[str, Any]) -> None:
        size = wording.format_size(event["bytes"])
        sys.stdout.write(fill(wording.shell.EXPORTED, **{**event, "size": size}) + "\n")

    def _promoted(self, event: dict[str, Any]) -> None:
        size = wording.format_size(event["bytes"])
        sys.stdout.write(fill(wording.shell.PROMOTED, **{**event, "size": size}) + "\n")

    def _shrunk(self, event: dict[str, Any]) -> None:
        size = wording.format_size(event["bytes"])
        sys.stdout.write(fill(wording.shell.SHRUNK, **{**event, "size": size}) + "\n")

    def _inspected(self, event: dict[str, Any]) -> None:
        facts = {
            **event,
            "method": event["method_title"],
            "size": wording.format_size(event["bytes"]),
        }
        if event.get("thumbnail"):
            facts["thumbnail"] = wording.format_size(event["thumbnail"])
        for fact, line in wording.shell.INSPECTED.items():
            if event.get(fact) not in {None, "", 0}:
                sys.stdout.write(printable(fill(line, **facts)))
        programs = ", ".join(event["loads"])
        if programs:
            sys.stdout.write(printable(fill(wording.shell.LOADS, programs=programs)))
        for program, amiss in event["amiss"].items():
            sys.stdout.write(printable(fill(wording.shell.AMISS, program=program, amiss=amiss)))


def choice(found: dict[str, Any]) -> dict[str, str]:
    """Name a way to train."""
    return {"method": found["method_title"], "base": found["title"], "dial": found["dial"]}


def described(base: dict[str, Any]) -> Iterator[str]:
    """Tell of a base or a captioner in three lines."""
    facts = {
        **base,
        "mark": "·" if base["lack"] else "✓",
        "size": wording.format_size(base["bytes"]),
        "checked": wording.shell.CHECKED[base["checked"]],
        "licence": licence(base),
        "money": money(base),
    }
    note = fill(wording.shell.NOTES[base["lack"]], **facts)
    yield fill(wording.shell.BASE, **{**facts, "note": note})
    good = wording.shell.BASE_WEAK if base["weak"] else wording.shell.BASE_GOOD
    yield fill(good, **facts)
    yield fill(wording.shell.BASE_LICENCE, **facts)


def licence(base: dict[str, Any]) -> str:
    """Name a base's licence, or say that nobody has seen it."""
    return wording.shell.UNSEEN if base["licence"] == "unseen" else str(base["licence"])


def money(base: dict[str, Any]) -> str:
    """Say whether one may earn money with a base."""
    return fill(wording.shell.MONEY[base["commercial"]], **base)


def printable(line: str) -> str:
    """Keep what a stranger's file says from steering the terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in line) + "\n"


def sentence(event: dict[str, Any]) -> str:
    """Return the sentence of an event that has a code."""
    facts = {name: fact for name, fact in event.items() if name not in {"at", "kind", "code"}}
    return wording.explain_in_shell(JobError(event.get("code", "bug"), **facts))


def length(seconds: float) -> str:
    """Write a time as a clock does."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    return str(timedelta(seconds=round(seconds))).removeprefix("0:")
