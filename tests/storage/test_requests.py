"""Job requests, read back from the queue."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest

from storage.errors import JobError
from storage.options import options_table
from storage.records import Concept, Dial, Optimizer
from storage.requests import OLD_NAMES, OtherDataset, TrainRequest

REQUEST = TrainRequest(
    method="lora", base="embedded", name="my dog", trigger="mydog", concept=Concept.SUBJECT,
    dial=Dial.QUICK, steps=60, rank=8, learning_rate=1e-3, batch_size=4, seed=7,
)  # fmt: skip
#: as 0.1 queued it
OLD = {
    "method": "lora", "base": "embedded", "name": "my dog", "trigger": "mydog",
    "concept": "subject", "dial": "quick", "steps": 60, "rank": 8, "rate": 1e-3, "batch": 4,
    "seed": 7, "word": "dog", "optimizer": "adamw", "shuffle": False, "masked": False,
    "dropout": 0.0, "offset": 0.0, "silence": 0.0, "keep": 1.0, "prior": 12, "most": 20_000_000,
    "bytes": 900_000,
    "further": [{"dataset": 3, "trigger": "tom", "concept": "subject", "word": "cat"}],
}  # fmt: skip
OPTIONS: dict[str, Any] = {
    "optimizer": "prodigy", "lr_scheduler": "constant", "weight_decay": 0.1, "ema_decay": 0.9,
    "min_snr_gamma": 1.0, "noise_offset": 0.05, "caption_dropout_rate": 0.1,
    "shuffle_caption": True, "masked_loss": True, "unmasked_weight": 0.2,
    "extra_resolutions": [48, 96], "dropout": 0.1, "prior_loss_weight": 0.5,
    "train_text_encoder": True,
}  # fmt: skip
ALIASES = [(old, option.name) for option in options_table() for old in option.aliases]


def test_round_trip() -> None:
    """A request survives a round trip through JSON, with its enums and tuples."""
    other = OtherDataset(3, "tom", Concept.LOOK)
    chosen = {"optimizer": Optimizer.PRODIGY, "extra_resolutions": (48,)}
    request = TrainRequest(**asdict(REQUEST) | {"other_datasets": (other,), "options": chosen})

    read = TrainRequest.from_json(json.loads(json.dumps(asdict(request))))

    assert read == request
    assert read.optimizer is Optimizer.PRODIGY
    assert read.options["extra_resolutions"] == (48,)


def test_request_of_an_older_version() -> None:
    """A request queued by 0.1 keeps its meaning; options left at their default are omitted."""
    read = TrainRequest.from_json(OLD)

    assert (read.learning_rate, read.batch_size, read.class_word) == (1e-3, 4, "dog")
    assert (read.num_class_images, read.max_file_bytes, read.file_bytes) == (
        12,
        20_000_000,
        900_000,
    )
    assert read.other_datasets == (OtherDataset(3, "tom", Concept.SUBJECT, "cat"),)
    assert (read.options, read.optimizer) == ({}, Optimizer.ADAMW)


@pytest.mark.parametrize(("old", "name"), [*OLD_NAMES.items()])
def test_old_fields(old: str, name: str) -> None:
    """Each field is read under its old name, too."""
    new = asdict(REQUEST) | {"class_word": "dog", "num_class_images": 3, "file_bytes": 9}
    written = {(old if key == name else key): value for key, value in new.items()}

    assert old in written
    assert TrainRequest.from_json(written) == TrainRequest.from_json(new)


@pytest.mark.parametrize(("old", "name"), [*ALIASES, ("optimizer", "optimizer"), ("dropout",) * 2])
def test_old_options(old: str, name: str) -> None:
    """Each option is read under its old names, and from its own old field."""
    new = TrainRequest.from_json(asdict(REQUEST) | {"options": {name: OPTIONS[name]}})

    assert TrainRequest.from_json(asdict(REQUEST) | {old: OPTIONS[name]}) == new
    assert TrainRequest.from_json(asdict(REQUEST) | {"options": {old: OPTIONS[name]}}) == new
    assert list(new.options) == [name]


@pytest.mark.parametrize(
    "change",
    [
        {"colour": "red"},
        {"options": {"colour": "red"}},
        {"options": {"optimizer": "magic"}},
        {"concept": "thing"},
        {"other_datasets": [{"dataset": 3}]},
    ],
)
def test_broken(change: dict[str, Any]) -> None:
    """A request with an unknown key or choice is refused."""
    with pytest.raises(JobError) as caught:
        TrainRequest.from_json(asdict(REQUEST) | change)

    assert caught.value.code == "request_broken"


def test_missing() -> None:
    """A request without a required field is refused."""
    with pytest.raises(JobError, match="request_broken"):
        TrainRequest.from_json({"method": "lora"})
