"""Six hundred mutated weight files: each is taken or refused with a sentence, and none hangs."""

from __future__ import annotations

import pytest
from safetensors import SafetensorError, safe_open

from benchmarks.hostile.weights import mutations
from bot.wording import explain_in_shell
from storage.errors import JobError
from training.methods import find
from training.styles import foreign
from training.styles.inspect import inspect_file
from training.styles.writer import read_tensors

CODES = {"style_foreign", "style_broken"}


@pytest.mark.parametrize("seed", [1, 2])
def test_each_is_taken_or_refused(tmp_path, bases, seed):
    """What the library refuses is refused, too; what is taken is checked against a base."""
    path, taken, refused = tmp_path / "a.safetensors", 0, 0
    for case in mutations(seed, 320):
        path.write_bytes(case.content)
        facts = inspect_or_explain(path)
        assert case.sound in {None, isinstance(facts, dict)}, (case.name, facts)
        if isinstance(facts, str):
            refused += 1
            continue
        assert is_read_by_library(path), case.name
        with bases.borrow("embedded") as family:
            tensors = foreign.translate(read_tensors(path), family.networks)
            with pytest.raises(JobError):  # none is for this base
                find(facts["method"]).check(family.networks, tensors)
        taken += 1

    assert taken > 40
    assert refused > 200


def inspect_or_explain(path):
    """Return what a file tells, or the sentence with which it is refused."""
    try:
        return inspect_file(path)
    except JobError as error:
        sentence = explain_in_shell(error)
        return sentence if error.code in CODES and sentence.isprintable() else error


def is_read_by_library(path):
    """Return whether the safetensors library takes a file."""
    try:
        with safe_open(path, "np"):
            return True
    except SafetensorError:
        return False
