"""Lists of bases: the shipped one, and errors in an operator's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from storage.records import Commercial, Domain
from training import families
from training.bases import lists
from training.settings import TrainingSettings

if TYPE_CHECKING:
    from pathlib import Path

WHOLE = """
[bases.mine]
title = "Mine"
family = "sd1"
source = "mine.safetensors"
resolution = 512
good = "tests"
"""


def test_ours() -> None:
    """Every shipped entry is complete, and its licence names the page it was read on."""
    found, wrong = lists.read_list(lists.SHIPPED_LIST)

    assert not wrong
    assert {"sd1", "sd2", "sdxl", "zimage"} == {base.family for base in found}
    assert set(Domain) == {base.domain for base in found}
    for base in found:
        unseen = base.licence == lists.UNREAD_LICENCE
        assert unseen == (base.commercial is Commercial.UNSEEN) == (not base.licence_url)
        assert bool(base.terms) == (base.commercial is Commercial.CONDITIONS) or base.small
        assert base.weak
        assert base.memory_mib
        assert base.prediction


def test_own(tmp_path: Path) -> None:
    """Fields that an operator leaves out stay empty; nothing is claimed about them."""
    path = tmp_path / "own.toml"
    path.write_text(WHOLE)

    (mine,), wrong = lists.read_list(path)

    assert not wrong
    assert (mine.name, mine.licence, mine.commercial) == ("mine", "unseen", Commercial.UNSEEN)
    assert (mine.domain, mine.clip_skip, mine.prediction) == (Domain.GENERAL, 1, "")
    assert not mine.present
    assert mine.known


def test_written(tmp_path: Path) -> None:
    """A written entry is read back unchanged, whatever characters it has."""
    path = tmp_path / "own.toml"
    path.write_text(WHOLE.replace("Mine", '🐶 \\"Mün\\\\'))
    (mine,), _ = lists.read_list(path)

    path.write_text(lists.format_entry(mine), "utf-8")

    assert mine.title == '🐶 "Mün\\'
    assert lists.read_list(path) == ([mine], [])


def test_unknown_family(tmp_path: Path) -> None:
    """A base of a family that this version lacks is listed and marked."""
    path = tmp_path / "own.toml"
    path.write_text(WHOLE.replace("sd1", "sd9"))

    (mine,), wrong = lists.read_list(path)

    assert "sd9" not in families.names()
    assert not wrong
    assert not mine.known


@pytest.mark.parametrize(
    ("text", "code", "facts"),
    [
        ("[bases.mine]\ntitle = Mine", "list_broken", {"problem": "line 2"}),
        ("captioner = 1", "list_empty", {}),
        (WHOLE.replace("512", '"512"'), "list_field", {"base": "mine", "field": "resolution"}),
        (WHOLE.replace("512", "true"), "list_field", {"field": "resolution"}),
        (
            WHOLE + 'domain = "cats"',
            "list_field",
            {"field": "domain", "wants": "photo or drawing"},
        ),
        (WHOLE + 'terms = "two\\nlines"', "list_field", {"field": "terms"}),
        (WHOLE + "small = 1", "list_field", {"field": "small", "wants": "true or false"}),
        (WHOLE + 'prediction = "flow"', "list_field", {"wants": "flow for zimage alone"}),
        (WHOLE + "skip = 0", "list_field", {"field": "skip", "wants": "1 to 12"}),
        (WHOLE.replace('good = "tests"', ""), "list_missing", {"base": "mine", "field": "good"}),
        (WHOLE + 'license = "MIT"', "list_unknown", {"base": "mine", "field": "license"}),
    ],
)
def test_wrong(tmp_path: Path, text: str, code: str, facts: dict[str, str]) -> None:
    """An error names the file and the line or the field."""
    path = tmp_path / "own.toml"
    path.write_text(text)

    found, (wrong,) = lists.read_list(path)

    assert not found
    assert wrong.code == code
    assert wrong.facts["file"] == "own.toml"
    assert all(fact in wrong.facts[name] for name, fact in facts.items())


def test_others_stay(tmp_path: Path) -> None:
    """A wrong entry does not affect the others."""
    path = tmp_path / "own.toml"
    path.write_text(WHOLE + "[bases.broken]\n")

    found, wrong = lists.read_list(path)

    assert [base.name for base in found] == ["mine"]
    assert [error.facts["base"] for error in wrong] == ["broken"]


def test_missing(tmp_path: Path) -> None:
    """A missing list is reported."""
    assert [error.code for error in lists.read_list(tmp_path / "none.toml")[1]] == ["list_broken"]


def test_both(tmp_path: Path) -> None:
    """An operator's entry replaces the shipped one of the same name; captioners stay."""
    path = tmp_path / "own.toml"
    path.write_text(WHOLE.replace("mine", "sd15"))

    found, wrong = lists.read_lists("bases", path)

    ours, _ = lists.read_list(lists.SHIPPED_LIST)
    assert not wrong
    assert [base.name for base in found] == [base.name for base in ours]
    assert next(base.title for base in found if base.name == "sd15") == "Mine"
    assert not lists.read_lists("captioners", path)[1]
    assert {one.name for one in lists.read_lists("captioners", path)[0]} == {
        "embedded",
        "blip",
        "florence2",
        "wd",
    }


def test_captioners() -> None:
    """Shipped captioners are complete, and the setting's default is one of them."""
    found, wrong = lists.read_list(lists.SHIPPED_LIST, "captioners")

    default = TrainingSettings.model_fields["captioner"].default
    assert not wrong
    assert default in {one.source for one in found}
    assert all(
        one.licence_url and one.licence != lists.UNREAD_LICENCE and one.memory_mib for one in found
    )
