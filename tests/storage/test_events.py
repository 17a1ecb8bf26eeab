"""Events and the JSON they are stored as."""

from __future__ import annotations

import json

import pytest

from storage.eventlines import read_event, read_line
from storage.events import (
    KINDS,
    Cancelled,
    CheckpointChosen,
    CheckpointSaved,
    Done,
    Event,
    Failed,
    FoldsTried,
    JobServed,
    LogEntry,
    Note,
    Paused,
    PhotoCaptioned,
    PictureDrawn,
    PreviewsDrawn,
    Progress,
    RateFound,
    ResultDrawn,
    SmallCopy,
    Started,
    StatusChanged,
    StepBoundary,
    StrengthScored,
    Timings,
    Unknown,
)

EVENTS = (
    Started(20, 100, "CPU", attempt=2, resumed=True),
    Note("prompt_cut", {"tokens": 4}),
    Progress(2, 100, 0.2, 0.19, 1e-4, 3.5, 28.0, 900),
    RateFound(2e-4, 1e-4, "learning-rate.png"),
    FoldsTried((10, 20), (0.5, 0.4), (0.5, 0.6), 15),
    PreviewsDrawn(20, ("a.png", "b.png"), ("a dog", "a cat"), (1, 2)),
    ResultDrawn(20, ("a.png",), ("a dog",), (1,), candidates=3),
    CheckpointSaved(20, "step-000020.safetensors", "loss.png"),
    CheckpointChosen(50, 100, 50, (50, 100), (0.6, 0.4), (0.05, 0.04), stopped=True),
    StrengthScored(0.8, (0.8, 1.0), (0.6, 0.4), (0.05, 0.04)),
    PhotoCaptioned(31, "0001.png", "a dog"),
    PictureDrawn("0.png", 5, "a dog"),
    JobServed(7, 1.25),
    StepBoundary(3),
    StatusChanged("running", by=1001),
    Paused(20, leaving=True),
    Cancelled(20),
    Done(
        100, Timings(60.0, 3.5, 2.0, 0.1, 1.5), "a.safetensors", 4096, "ab12", early=True,
        full_model=True, readable_by=("kohya",), readable_with={"ComfyUI": "a copy"},
        small_copy=SmallCopy("b", 9, 4, 0.06),
    ),
    Failed("loss_nan", {"step": 3}),
    Failed(reference="AB12CD"),
)  # fmt: skip

OLD = {
    "started": {"step": 0, "steps": 9, "device": "CPU", "attempt": 1, "resumed": False},
    "progress": {
        "step": 2, "steps": 9, "loss": 0.2, "smooth": 0.19, "rate": 1e-4, "speed": 3.5,
        "eta": 2.0, "memory": 900,
    },
    "done": {
        "file": "a.safetensors", "bytes": 9, "digest": "ab", "steps": 9, "seconds": 60.0,
        "speed": 3.5, "first": 2.0, "photo": 0.1, "picture": 1.5, "early": False, "whole": True,
        "loads": ["kohya"], "small": {"file": "b", "bytes": 9, "rank": 4, "error": 0.06},
    },
}  # fmt: skip
NEW = {
    "started": Started(0, 9, "CPU"),
    "progress": Progress(2, 9, 0.2, 0.19, 1e-4, 3.5, 2.0, 900),
    "done": Done(
        9, Timings(60.0, 3.5, 2.0, 0.1, 1.5), "a.safetensors", 9, "ab", full_model=True,
        readable_by=("kohya",), small_copy=SmallCopy("b", 9, 4, 0.06),
    ),
}  # fmt: skip


def test_every_kind_is_tried() -> None:
    """The round-trip test covers every kind of event."""
    assert {type(event) for event in EVENTS} == set(KINDS.values())


@pytest.mark.parametrize("event", EVENTS, ids=repr)
def test_a_line_is_read_as_it_was_written(event: Event) -> None:
    """An event survives a round trip through JSON, with its time and fence."""
    entry = LogEntry(event, 12.5, fence=3)

    assert read_line(json.loads(json.dumps(entry.to_line()))) == entry


@pytest.mark.parametrize("kind", OLD)
def test_names_of_earlier_versions_are_read(kind: str) -> None:
    """Lines and rows of earlier versions keep their meaning."""
    assert read_event(kind, OLD[kind]) == NEW[kind]


def test_an_early_end_of_an_earlier_version_has_no_copy() -> None:
    """An old `done` without a smaller copy had an empty object there."""
    assert read_event("done", {"steps": 1, "small": {}}) == Done(1)


def test_what_a_newer_version_writes_is_no_error() -> None:
    """Events of unknown kind or without a field are kept raw; unknown fields are dropped."""
    facts = {"where": "mars"}

    assert read_event("landed", facts) == Unknown("landed", facts)
    assert read_event("progress", facts) == Unknown("progress", facts)
    assert read_event("cancelled", {"step": 3} | facts) == Cancelled(3)
    assert LogEntry(Unknown("landed", facts), 1.0).to_line() == {
        "at": 1.0, "kind": "landed", "where": "mars",
    }  # fmt: skip


def test_what_is_empty_is_left_out_and_no_number() -> None:
    """A sentence about an event has its numbers, also where they are 0: a seed, a step."""
    assert LogEntry(PictureDrawn("0.png", 0, ""), 1.0).to_json() == {"file": "0.png", "seed": 0}
    facts = LogEntry(Done(4), 1.0).to_json()
    assert (facts["steps"], facts["early"]) == (4, False)
    assert not {"file", "digest", "readable_by", "small_copy"} & facts.keys()
