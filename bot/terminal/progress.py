"""`safelight train`, `sample`, `bases`, ...: show the events of a child process that works."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

from bot import wording
from bot.terminal.bar import Bar
from bot.terminal.check import check_lines
from bot.terminal.comparison import comparison_lines, sweep_lines
from bot.terminal.evaluation import evaluation_lines
from bot.wording import fill
from storage.errors import JobError
from storage.eventlines import read_line
from storage.events import KINDS, Done, Event, Failed, Note, Progress, Started
from storage.signals import HANGUP, STOPS, list_heeded

TRAINING_PROGRAM = (sys.executable, "-m", "training")
ANSWER_KINDS = (
    "bases", "fetched", "device", "advised", "checked", "compared", "evaluated", "inspected",
    "packed", "swept", "shrunk", "exported", "promoted",
)  # fmt: skip
TERMINAL_KINDS = frozenset({"done", "failed", "cancelled", "paused", *ANSWER_KINDS})
SUCCESS_KINDS = frozenset({"done", *ANSWER_KINDS}) - {"fetched"}  #: nothing comes after them
FAILED_EXIT_CODE, WRONG_EXIT_CODE, STOPPED_EXIT_CODE = 1, 2, 130
EXIT_CODES = frozenset({0, FAILED_EXIT_CODE, WRONG_EXIT_CODE, STOPPED_EXIT_CODE})


def run_training_command(
    arguments: Sequence[str], program: Sequence[str] = TRAINING_PROGRAM
) -> int:
    """Run a command of the training in a child, print its events and return its exit code.

    The codes are those of `wording.shell.EPILOG`, also where the child was killed.
    """
    printer, end = EventPrinter(Bar()), ""
    with (
        subprocess.Popen([*program, *arguments], stdout=subprocess.PIPE, text=True) as child,
        passing_on_stops(child, printer.bar),
    ):
        for event in read_events(child):
            end = event["kind"] if event.get("kind") in TERMINAL_KINDS else end
            printer.print_event(event)
        code = child.wait()
    stopped = code == STOPPED_EXIT_CODE or -code in (*STOPS, *HANGUP)
    if stopped and end in SUCCESS_KINDS:  # the signal came when all was done
        return 0
    if not end and (stopped or code not in EXIT_CODES):
        crashed = fill(wording.shell.CRASHED, code=code)
        printer.bar.print_line(wording.shell.STOPPED if stopped else crashed)
        if arguments[:1] in (["train"], ["sweep"]):
            printer.bar.print_line(wording.shell.GOES_ON)
    if code in EXIT_CODES:
        return code
    return STOPPED_EXIT_CODE if stopped else FAILED_EXIT_CODE


@contextmanager
def passing_on_stops(child: subprocess.Popen[str], bar: Bar) -> Iterator[None]:
    """Hand Ctrl+C and SIGTERM on to a child inside the block; from the third on, kill it."""
    received: list[int] = []

    def pass_on(number: int, _: object) -> None:
        received.append(number)
        if not received[1:]:
            # in a thread, since the signal may have come while this one printed another line
            threading.Thread(target=bar.print_line, args=[wording.shell.STOPPING]).start()
        if received[2:]:
            child.kill()
        elif os.name == "posix":  # elsewhere the console has interrupted it
            child.send_signal(number)

    heeded = list_heeded(*STOPS, *HANGUP)
    before = {number: signal.signal(number, pass_on) for number in heeded}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def read_events(child: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
    """Yield a child's events; print its other lines, such as its help, as they are."""
    for line in child.stdout or ():
        event = None
        with suppress(ValueError):
            event = json.loads(line)
        if isinstance(event, dict):
            yield event
        else:
            sys.stdout.write(line)


class EventPrinter:
    """Prints events as lines on the terminal; `_<kind>` prints an answer of that kind."""

    def __init__(self, bar: Bar) -> None:
        self.bar = bar

    def print_event(self, event: dict[str, Any]) -> None:
        """Print an event, or nothing for kinds that do not concern a person."""
        kind = event.get("kind", "")
        if kind in KINDS:
            self.print_job_event(read_line({"at": 0.0, **event}).event)
        elif special := getattr(self, f"_{kind}", None):
            special(event)

    def print_job_event(self, event: Event) -> None:
        """Print an event of a job."""
        match event:
            case Progress():
                self._progress(event)
            case Note():
                self.bar.print_line(explain_note(event))
            case Failed():
                self._failed(event)
            case Done():
                self._done(event)
            case Started(step=step, steps=steps, device=device, resumed=True):
                facts = {"step": step, "steps": steps, "device": device}
                self.bar.print_line(fill(wording.shell.RESUMED, **facts))
            case _ if event.kind in wording.shell.EVENTS:
                facts = {"names": ", ".join(getattr(event, "files", ())), **event.to_json()}
                self.bar.print_line(fill(wording.shell.EVENTS[event.kind], **facts))

    def _progress(self, event: Progress) -> None:
        speed = event.steps_per_second
        eta = event.eta_seconds if event.step < event.steps else 0  # the last step leaves nothing
        words = fill(
            wording.shell.PROGRESS,
            step=event.step,
            steps=event.steps,
            loss=fill(wording.shell.LOSS, loss=event.smoothed_loss) if event.smoothed_loss else "",
            speed=fill(wording.shell.SPEED, speed=speed) if speed else "",
            eta=fill(wording.shell.ETA, eta=format_clock(eta)) if eta else "",
        )
        self.bar.update(event.step / max(1, event.steps), words)

    def _failed(self, event: Failed) -> None:
        sentence, file = explain_event(event.to_json()), str(event.facts.get("file", ""))
        unnamed = file and file not in sentence
        failed = wording.shell.FAILED_FILE if unnamed else wording.shell.FAILED
        self.bar.print_line(fill(failed, sentence=sentence, file=file))

    def _done(self, event: Done) -> None:
        seconds = format_clock(event.timings.seconds)
        if not event.file:
            self.bar.print_line(fill(wording.shell.DONE, seconds=seconds))
            return
        size = wording.format_size(event.bytes)
        self.bar.print_line(
            fill(wording.shell.DONE_FILE, seconds=seconds, file=event.file, size=size)
        )

    def _bases(self, event: dict[str, Any]) -> None:
        lines = [line for base in event["bases"] for line in describe_base(base)]
        lines += ["", wording.shell.CAPTIONERS]
        lines += [line for one in event["captioners"] for line in describe_base(one)]
        sys.stdout.write("".join(replace_control_chars(line) for line in lines))
        for wrong in event["wrong"]:
            self.bar.print_line(explain_event(wrong))

    def _fetch(self, event: dict[str, Any]) -> None:
        url = event["licence_url"]
        seen = fill(wording.shell.VERIFIED_AT, url=url) if url else ""
        facts = {**event, "licence": licence_name(event) + seen, "money": commercial_use(event)}
        self.bar.print_line(fill(wording.shell.FETCH, **facts))

    def _fetching(self, event: dict[str, Any]) -> None:
        facts = {key: wording.format_size(event[key]) for key in ("done", "bytes", "speed")}
        words = fill(wording.shell.FETCHING, **facts)
        self.bar.update(event["done"] / event["bytes"], words)

    def _fetched(self, event: dict[str, Any]) -> None:
        unverified = (
            wording.shell.FETCHED_NOT_VERIFIED if event["unseen"] else wording.shell.FETCHED
        )
        template = wording.shell.FETCHED_ALREADY if event["already"] else unverified
        size, names = wording.format_size(event["bytes"]), ", ".join(event["unseen"])
        facts = {**event, "size": size, "names": names, "seconds": format_clock(event["seconds"])}
        self.bar.print_line(fill(template, **facts))

    def _advised(self, event: dict[str, Any]) -> None:
        photos = wording.format_count(event["photos"], "photo")
        lines = [fill(wording.shell.ADVICE, **choice_facts(event["first"]))]
        reasons = wording.advice.format_reasons(event["first"]["reasons"], photos)
        lines += [line.replace("**", "") for line in reasons]
        if event["photos"] < event["handed"]:
            lines.append(fill(wording.shell.ADVICE_PHOTOS, photos=photos, handed=event["handed"]))
        if event["terms"]:
            lines.append(fill(wording.shell.ADVICE_TERMS, terms=event["terms"]))
        if event["second"]:
            second, first = event["second"]["reasons"], event["first"]["reasons"]
            why = wording.advice.format_second_reason(second, first, photos)
            lines.append(
                fill(wording.shell.ADVICE_SECOND, why=why, **choice_facts(event["second"]))
            )
        sys.stdout.writelines(map(replace_control_chars, lines))

    _advice = _advised

    def _checked(self, event: dict[str, Any]) -> None:
        if event.pop("json"):
            sys.stdout.write(json.dumps(event, ensure_ascii=False, indent=2) + "\n")
        else:
            sys.stdout.writelines(map(replace_control_chars, check_lines(event)))

    def _evaluated(self, event: dict[str, Any]) -> None:
        sys.stdout.writelines(map(replace_control_chars, evaluation_lines(event)))

    def _compared(self, event: dict[str, Any]) -> None:
        sys.stdout.writelines(map(replace_control_chars, comparison_lines(event)))

    def _round(self, event: dict[str, Any]) -> None:
        said = fill(
            wording.sweep.SHELL_ROUND,
            round=event["round"],
            rounds=event["rounds"],
            step=event["step"],
            recipes=wording.join_words(event["recipes"]),
        )
        self.bar.print_line(said)

    def _swept(self, event: dict[str, Any]) -> None:
        sys.stdout.writelines(map(replace_control_chars, sweep_lines(event)))

    def _entry_failed(self, event: dict[str, Any]) -> None:
        failed = Failed.from_json(event)
        why = wording.explain_in_shell(JobError(failed.code, **failed.facts))
        self.bar.print_line(fill(wording.shell.ENTRY_FAILED, entry=event["entry"], why=why))

    def _packed(self, event: dict[str, Any]) -> None:
        facts = {
            **event,
            "photos": wording.format_count(event["photos"], "photo"),
            "size": wording.format_size(event["bytes"]),
        }
        line = fill(wording.shell.PACKED, **facts)
        sys.stdout.write(replace_control_chars(line))

    def _exported(self, event: dict[str, Any]) -> None:
        template = wording.shell.FILE_ANSWERS[event["kind"]]
        size = wording.format_size(event["bytes"])
        sys.stdout.write(fill(template, **{**event, "size": size}) + "\n")

    _promoted = _shrunk = _exported

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
                sys.stdout.write(replace_control_chars(fill(line, **facts)))
        programs = ", ".join(event["loads"])
        if programs:
            sys.stdout.write(
                replace_control_chars(fill(wording.shell.READABLE, programs=programs))
            )
        for program, need in event["needs"].items():
            line = fill(wording.shell.READABLE_WITH, program=program, need=need)
            sys.stdout.write(replace_control_chars(line))
        for program, reason in event["amiss"].items():
            line = fill(wording.shell.UNREADABLE, program=program, reason=reason)
            sys.stdout.write(replace_control_chars(line))
        if not (event["loads"] or event["needs"] or event["amiss"]):
            sys.stdout.write(wording.shell.READERS_UNKNOWN + "\n")


def choice_facts(choice: dict[str, Any]) -> dict[str, str]:
    """Return the facts of a way to train, as sentences name them."""
    return {"method": choice["method_title"], "base": choice["title"], "dial": choice["dial"]}


def describe_base(base: dict[str, Any]) -> Iterator[str]:
    """Yield three lines about a base or a captioner."""
    facts = {
        **base,
        "mark": "·" if base["lack"] else "✓",
        "size": wording.format_size(base["bytes"]),
        "checked": wording.shell.CHECKED[base["checked"]],
        "licence": licence_name(base),
        "money": commercial_use(base),
    }
    note = fill(wording.shell.NOTES[base["lack"]], **facts)
    yield fill(wording.shell.BASE, **{**facts, "note": note})
    good = wording.shell.BASE_WEAK if base["weak"] else wording.shell.BASE_GOOD
    yield fill(good, **facts)
    yield fill(wording.shell.BASE_LICENCE, **facts)


def licence_name(base: dict[str, Any]) -> str:
    """Return the name of a base's licence, or that it is not verified."""
    return (
        wording.shell.LICENCE_NOT_VERIFIED if base["licence"] == "unseen" else str(base["licence"])
    )


def commercial_use(base: dict[str, Any]) -> str:
    """Return whether a base may be used commercially, as a phrase."""
    return fill(wording.shell.COMMERCIAL_USE[base["commercial"]], **base)


def replace_control_chars(line: str) -> str:
    """Return a line without control characters, which a stranger's file could steer with."""
    return "".join(letter if letter.isprintable() else "?" for letter in line) + "\n"


def explain_note(note: Note) -> str:
    """Return the sentence of a note, or of an error over which a file was left out."""
    known = wording.job.NOTES | wording.shell.TOLD
    if note.code in known:
        count = note.facts.get("count", 0)
        lists = {
            n: wording.join_some(v, count) for n, v in note.facts.items() if isinstance(v, list)
        }
        return wording.hide_control_chars(fill(known[note.code], **{**note.facts, **lists}))
    sentence, file = explain_event(note.to_json()), note.facts.get("file")
    if photo := note.facts.get("photo"):
        return fill(wording.shell.LEFT_OUT_MASKED, photo=photo, file=file, sentence=sentence)
    return fill(wording.shell.LEFT_OUT, file=file, sentence=sentence) if file else sentence


def explain_event(event: dict[str, Any]) -> str:
    """Return the sentence of an event that carries an error code."""
    facts = {name: fact for name, fact in event.items() if name not in {"at", "kind", "code"}}
    return wording.explain_in_shell(JobError(event.get("code", "bug"), **facts))


def format_clock(seconds: float) -> str:
    """Return a duration as 4.1 s, 3:07 or 1:02:03."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    return str(timedelta(seconds=round(seconds))).removeprefix("0:")
