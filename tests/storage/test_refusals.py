"""Why a process cannot start."""

from __future__ import annotations

import pytest

from storage.errors import UserError
from storage.refusals import DISK_FULL, exit_code, explain_refusal


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("setting_wrong", 2), ("token_missing", 2), ("disk_full", 1), ("home_missing", 1),
        ("home_closed", 1), ("home_taken", 3), ("database_newer", 4), ("database_damaged", 4),
        ("database_empty", 4),
    ],
)  # fmt: skip
def test_codes(code: str, expected: int) -> None:
    """Code 2 is for settings alone: `safelight run` tries again what may be over soon."""
    assert exit_code(UserError(code)) == expected


def test_sentences() -> None:
    """A sentence names the facts; an error without one keeps its code."""
    taken = UserError("home_taken", program="bot", process="7", folder="/data")

    assert "(process 7)" in explain_refusal(taken)
    assert explain_refusal(UserError("disk_full")) == DISK_FULL
    assert explain_refusal(UserError("other", least=3)) == "other {'least': 3}"
