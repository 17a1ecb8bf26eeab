"""A training command runs in a child, and its events are printed as lines."""

from __future__ import annotations

import io
import re
import signal
import sys
import time

import pytest

from bot import wording
from bot.terminal import progress
from bot.terminal.bar import Bar, draw_bar
from bot.terminal.cli import CLOSED_EXIT_CODE
from bot.wording import fill
from bot.wording.errors import ERRORS, IN_SHELL
from storage.events import CheckpointSaved, Done, LogEntry, Progress, Started, Timings
from storage.refusals import EXIT_CODES

CHILD = """
import json, sys
print("usage: plain words go through, e.g.\\n  0.1")
for event in {events!r}:
    print(json.dumps(event), flush=True)
sys.exit({code})
"""


def child(*events, code=0):
    """Return a command that prints these events and exits with that code."""
    return [sys.executable, "-c", CHILD.format(events=events, code=code)]


def test_a_training_is_told_from_start_to_end(capfd):
    """The lines show the device, the progress, and the file with its size."""
    events = (
        Started(0, 10, "CPU, 2 cores"),
        Progress(5, 10, 0.2, 0.125, steps_per_second=2.5, eta_seconds=2.0),
        CheckpointSaved(10, "step-000010"),
        Done(10, Timings(4.0), "mydog.safetensors", 2 * 1024 * 1024),
    )
    lines = [LogEntry(event, 1.0).to_line() for event in events]
    assert progress.run_training_command([], child(*lines)) == 0
    said = capfd.readouterr()
    assert "usage: plain words go through, e.g.\n  0.1\n" in said.out
    assert "On CPU, 2 cores:" in said.err
    assert " 50% 5/10 · loss 0.1250 · 2.5 steps/s · 2.0 s left" in said.err
    assert "Done in 4.0 s: mydog.safetensors (2 MB)" in said.err


def test_lines_of_an_earlier_version_are_read(capfd):
    """Old field names are understood."""
    old = {"kind": "progress", "step": 5, "steps": 10, "smooth": 0.125, "speed": 2.5, "eta": 2.0}
    assert progress.run_training_command([], child(old)) == 0
    assert "5/10 · loss 0.1250 · 2.5 steps/s · 2.0 s left" in capfd.readouterr().err


def test_a_failure_is_a_sentence_and_a_code(capfd):
    """A job's error is printed as its code's sentence, with the child's exit code."""
    event = {"kind": "failed", "code": "base_unknown", "base": "sd9"}
    assert progress.run_training_command([], child(event, code=1)) == 1
    assert fill(IN_SHELL["base_unknown"], base="sd9", suggestion="") in capfd.readouterr().err


@pytest.mark.parametrize(
    ("code", "template", "facts"),
    [
        ("prior_drawn", wording.job.NOTES["prior_drawn"], {"pictures": 24}),
        (
            "captions_cut",
            wording.shell.TOLD["captions_cut"],
            {"cut": 2, "captions": 9, "words": "in the snow"},
        ),
    ],
)
def test_a_note_is_no_failure(capfd, code, template, facts):
    """A job's note is printed as on its card, or as a shell has it; the command continues."""
    event = {"kind": "note", "code": code, **facts}

    assert progress.run_training_command([], child(event)) == 0
    said = capfd.readouterr().err
    assert fill(template, **facts) in said
    assert fill(wording.shell.FAILED, sentence="") not in said


def test_a_bad_picture_is_named(capfd):
    """A bad file is named, once."""
    bad = {"kind": "failed", "code": "photo_unknown", "file": "notes.jpg"}
    assert progress.run_training_command([], child(bad, code=1)) == 1
    sentence = IN_SHELL["photo_unknown"]
    named = fill(wording.shell.FAILED_FILE, file="notes.jpg", sentence=sentence)
    assert named in capfd.readouterr().err

    progress.run_training_command([], child(bad | {"code": "photo_broken"}, code=1))
    assert capfd.readouterr().err.count("notes.jpg") == 1


def test_a_picture_that_is_left_out_is_named(capfd):
    """The sentence of its fault stands behind its name."""
    bad = {"kind": "note", "code": "photo_unknown", "file": "notes.jpg"}
    progress.run_training_command([], child(bad, code=1))
    sentence = IN_SHELL["photo_unknown"]
    named = fill(wording.shell.LEFT_OUT, file="notes.jpg", sentence=sentence)
    assert named in capfd.readouterr().err


def test_a_photo_whose_mask_is_bad_is_named(capfd):
    """Both the photo that is left out and its mask are named."""
    bad = {"kind": "note", "code": "mask_dark", "file": "a.mask.png", "photo": "a.png"}
    progress.run_training_command([], child(bad, code=1))
    sentence = fill(ERRORS["mask_dark"], file="a.mask.png")
    facts = {"photo": "a.png", "file": "a.mask.png", "sentence": sentence}
    assert fill(wording.shell.LEFT_OUT_MASKED, **facts) in capfd.readouterr().err


def test_a_child_that_dies_silently_is_noticed(capfd):
    """A child that ends without a final event is reported."""
    assert progress.run_training_command([], child(code=7)) == 1
    assert fill(wording.shell.CRASHED, code=7) in capfd.readouterr().err
    assert progress.run_training_command(["train"], child(code=-9)) == 1
    assert wording.shell.GOES_ON in capfd.readouterr().err


@pytest.mark.parametrize("code", [0, 1, 2, 130])
def test_exit_codes_go_through(code):
    """A child's documented exit code is the command's own."""
    end = {"kind": "failed", "code": "no_photos"}
    assert progress.run_training_command([], child(end, code=code)) == code


def test_a_signal_after_the_end_undoes_nothing():
    """A child that was stopped when all was done has succeeded."""
    done = LogEntry(Done(10, Timings(4.0)), 1.0).to_line()
    assert progress.run_training_command([], child(done, code=130)) == 0


class PressedWhileWriting(io.RawIOBase):
    """A terminal on which Ctrl+C is pressed while the last line is written."""

    def __init__(self):
        self.written = b""

    def writable(self):
        """Return True."""
        return True

    def write(self, content):
        """Keep what is written."""
        if bytes(content).startswith(b"Done"):
            signal.raise_signal(signal.SIGINT)
        self.written += content
        return len(content)


def test_a_press_while_a_line_is_written(monkeypatch):
    """Ctrl+C at the moment at which a line is printed breaks nothing, and is answered."""
    terminal = PressedWhileWriting()
    stream = io.TextIOWrapper(io.BufferedWriter(terminal), line_buffering=True)
    monkeypatch.setattr(sys, "stderr", stream)
    lines = [LogEntry(event, 1.0).to_line() for event in (Started(0, 10), Done(10))]
    code = progress.run_training_command([], child(*lines, code=130))
    while wording.shell.STOPPING.encode() not in terminal.written:
        time.sleep(0.001)

    assert code in {0, 130}  # the child may end before its last line


def test_every_exit_code_is_documented():
    """The help of `safelight` names each exit code once."""
    documented = re.findall(r"^  (\d+) ", wording.shell.EPILOG, re.MULTILINE)
    assert sorted(map(int, documented)) == sorted(
        {*progress.EXIT_CODES, CLOSED_EXIT_CODE, *EXIT_CODES.values()}
    )


def test_a_training_that_goes_on_says_so(capfd):
    """The step it goes on from is told, and the way to begin anew."""
    line = LogEntry(Started(120, 240, "CPU", resumed=True), 1.0).to_line()
    progress.run_training_command(["train"], child(line))
    told = fill(wording.shell.RESUMED, step=120, steps=240, device="CPU")
    assert told in capfd.readouterr().err


BASE = {
    "name": "sd15", "title": "SD 1.5", "family": "sd1", "source": "hub/sd15", "resolution": 512,
    "licence": "Open", "commercial": "conditions", "terms": "be kind", "licence_url": "page",
    "good": "a", "weak": "b", "lack": "base_missing", "bytes": 0, "checked": False,
}  # fmt: skip


def test_bases_are_a_table(capfd):
    """Each base has its licence; missing ones their fetch command, unsupported ones the reason."""
    here = BASE | {"name": "mine", "lack": "", "bytes": 3 << 20, "licence": "unseen"}
    strange = BASE | {"name": "odd", "family": "sd9", "lack": "base_family", "title": "\x1b[31m"}
    brought = BASE | {"name": "old", "source": "old.safetensors", "lack": "base_bring"}
    wrong = {"code": "list_missing", "file": "own.toml", "base": "x", "field": "good"}
    event = {"kind": "bases", "bases": [BASE, here, strange, brought], "wrong": [wrong]}
    event |= {"captioners": [BASE | {"name": "blip", "lack": "", "checked": True}]}
    assert progress.run_training_command(["bases"], child(event)) == 0
    told, complained = capfd.readouterr()
    assert fill(wording.shell.NOTES["base_missing"], name="sd15") in told
    assert "Open" + fill(wording.shell.COMMERCIAL_USE["conditions"], terms="be kind") in told
    assert f"3 MB, {wording.shell.CHECKED[False]}" in told
    assert wording.shell.LICENCE_NOT_VERIFIED in told
    assert fill(wording.shell.NOTES["base_family"], family="sd9") in told
    assert fill(wording.shell.NOTES["base_bring"], source="old.safetensors") in told
    assert f"1 KB, {wording.shell.CHECKED[True]}" in told
    assert "\x1b" not in told
    assert "x has no good" in complained


def test_fetching_is_told(capfd):
    """The licence comes first, then progress, then the result; unchecked files are named."""
    came = {"kind": "fetched", "name": "sd15", "title": "SD 1.5", "bytes": 2 << 20, "seconds": 2}
    came |= {"place": "/hub", "already": False, "unseen": []}
    events = (
        {**BASE, "kind": "fetch"},
        {"kind": "fetching", "done": 1 << 20, "bytes": 2 << 20, "speed": 1 << 20},
        came,
        came | {"unseen": ["a.json"]},
        came | {"already": True},
    )
    assert progress.run_training_command(["bases", "fetch", "sd15"], child(*events)) == 0
    lines = capfd.readouterr().err.splitlines()
    seen = fill(wording.shell.VERIFIED_AT, url="page")
    assert f"SD 1.5 from hub/sd15: Open{seen}: " in lines[0]
    assert lines[1] == " 50% 1 MB of 2 MB · 1 MB/s"
    facts = {"title": "SD 1.5", "size": "2 MB", "seconds": "2.0 s", "place": "/hub"}
    assert lines[2] == fill(wording.shell.FETCHED, **facts)
    assert lines[3] == fill(wording.shell.FETCHED_NOT_VERIFIED, **facts, names="a.json")
    assert lines[4] == fill(wording.shell.FETCHED_ALREADY, **facts)


def test_a_file_is_told_in_words(capfd):
    """The file's kind and readers are printed, with reasons; control characters are removed."""
    event = {
        "kind": "inspected", "file": "glim.safetensors", "method": "loha",
        "method_title": "LoHa", "bytes": 1 << 20,
        "tensors": 12, "trigger": "gl\x1b[31mim", "rank": "8", "loads": ["kohya", "ComfyUI"],
        "needs": {"Forge": "a copy"},
        "amiss": {"diffusers": "reads plain LoRAs only"}, "thumbnail": 2048, "versions": "",
    }  # fmt: skip
    assert progress.run_training_command(["inspect"], child(event)) == 0
    lines = capfd.readouterr().out.splitlines()
    assert "glim.safetensors: LoHa, 1 MB, 12 tensors" in lines
    assert "Trigger: gl?[31mim" in lines
    assert fill(wording.shell.READABLE, programs="kohya, ComfyUI") in lines
    assert fill(wording.shell.READABLE_WITH, program="Forge", need="a copy") in lines
    assert "Thumbnail: a picture of 2 KB" in lines
    assert not any(line.startswith("Made with") for line in lines)
    assert "Not in diffusers: it reads plain LoRAs only" in lines


def test_a_smaller_file_says_what_it_costs(capfd):
    """Size, rank and the lost share are printed."""
    event = {
        "kind": "shrunk",
        "file": "a.safetensors",
        "bytes": 1 << 20,
        "rank": 4,
        "error": 0.123,
    }
    assert progress.run_training_command(["shrink"], child(event)) == 0
    facts = {"file": "a.safetensors", "size": "1 MB", "rank": 4, "error": 0.123}
    assert fill(wording.shell.FILE_ANSWERS["shrunk"], **facts) in capfd.readouterr().out


def test_an_export_is_told(capfd):
    """The file and its size are printed, and no missing end is reported."""
    event = {"kind": "exported", "file": "a.pt", "bytes": 1 << 20}
    assert progress.run_training_command(["export"], child(event, code=1)) == 1
    said = capfd.readouterr()
    assert "a.pt: 1 MB" in said.out
    assert fill(wording.shell.CRASHED, code=1) not in said.err


def test_the_bar_fills():
    """A bar is empty at zero, full at the end, and never longer than its width."""
    assert draw_bar(0, 4) == "    "
    assert draw_bar(1, 4) == draw_bar(7, 4) == "████"
    assert draw_bar(0.5, 4) == "██  "


def test_without_a_terminal_the_bar_is_a_line_now_and_then():
    """In a file or a pipe no line is redrawn, and long work prints few lines."""
    out = io.StringIO()
    bar = Bar(out)
    for step in range(1, 1001):
        bar.update(step / 1000, f"{step}")
    lines = out.getvalue().splitlines()
    assert 10 <= len(lines) <= 12
    assert lines[-1] == "100% 1000"


def test_advice_is_told_with_its_reasons(capfd):
    """Advice is printed with three reasons, the photo count, the licence and an alternative."""
    event = {
        "kind": "advised", "photos": 9, "handed": 20, "terms": "a copy of it",
        "first": {
            "method": "lora", "method_title": "LoRA",
            "base": "sd15", "title": "SD", "dial": "balanced",
            "reasons": ["method_look", "base_domain_general", "dial_usual"],
        },
        "second": {
            "method": "lora", "method_title": "LoRA",
            "base": "paint", "title": "Paint", "dial": "quick",
            "reasons": ["method_look", "base_domain_drawing", "dial_few"],
        },
    }  # fmt: skip
    assert progress.run_training_command(["advise"], child(event)) == 0
    lines = capfd.readouterr().out.splitlines()
    lines = lines[lines.index("LoRA on SD, balanced") :]
    assert [line.partition(":")[0] for line in lines[1:4]] == ["- Method", "- Base", "- Time"]
    assert lines[3] == "- Time: balanced is long enough for 9 photos."
    assert lines[4] == fill(wording.shell.ADVICE_PHOTOS, photos="9 photos", handed=20)
    assert lines[5] == fill(wording.shell.ADVICE_TERMS, terms="a copy of it")
    why = wording.advice.BASES["base_domain_drawing"]
    assert lines[6] == f"Or: LoRA on Paint, quick: {why}."
