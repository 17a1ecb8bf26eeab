"""Names of datasets and trigger words."""

from __future__ import annotations

import pytest

from storage.errors import UserError
from storage.names import clean_name, clean_trigger, find_nearest, name_key, trigger_from_name


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("x" * 65, "long"),
        ("x" * 200, "long"),
        ("🐕" * 5, "signs"),
        ("漢" * 64 + "字", "long"),
        ("𠀀" * 60, "long"),
        ("../../etc/passwd", "signs"),
        ("a/b", "signs"),
        ("a\\b", "signs"),
        ("@everyone", "signs"),
        ("<@123>", "signs"),
        ("<#1> dog", "signs"),
        ("my\ndog", "signs"),
        ("my\tdog", "signs"),
        ("my\x00dog", "signs"),
        ("dog\u202egpj", "signs"),
        ("dog\u200b", "signs"),
        ("*dog*", "signs"),
        ("`dog`", "signs"),
        ("z\u0301\u0302\u0303\u0304algo", "signs"),
        ("\u0301dog", "signs"),
        ("\ud800", "signs"),
        (".hidden", "reserved"),
        ("..", "reserved"),
        ("dog.", "reserved"),
        ("con", "reserved"),
        ("NUL.png", "reserved"),
        ("Lpt1", "reserved"),
    ],
)
def test_refused_names(name: str, what: str) -> None:
    """Names that are paths, pings, lookalikes or Windows devices are refused with a reason."""
    with pytest.raises(UserError) as caught:
        clean_name(name)

    assert caught.value.code == "name_bad"
    assert caught.value.facts == {"what": what, "most": 64}


@pytest.mark.parametrize(
    "name", ["my dog", "Max-2.0", "Käthe", "犬", "हिन्दी", "ไทย", "snake_case", "x" * 64, "console"]
)
def test_accepted_names(name: str) -> None:
    """Names in any language are accepted as they are."""
    assert clean_name(name) == name


def test_normal_form() -> None:
    """A name is stored in NFC, without the spaces around it."""
    assert clean_name(" Ka\u0308the ") == "K\u00e4the"


def test_key() -> None:
    """Names that differ in case or width alone have the same key."""
    assert name_key("STRASSE \uff24og") == name_key("straße dog")


@pytest.mark.parametrize(
    ("name", "trigger"), [("My Dog 2", "mydog2"), ("- . -", "style"), ("x" * 64, "x" * 32)]
)
def test_trigger_from_name(name: str, trigger: str) -> None:
    """A trigger is made of the letters and digits of a name."""
    assert trigger_from_name(name) == trigger


@pytest.mark.parametrize("text", ["", "two words", "a/b", "<lora:x:1>", "(dog:1.5)", "x" * 33])
def test_refused_triggers(text: str) -> None:
    """A trigger is one word without the characters that have a meaning in prompts."""
    with pytest.raises(UserError, match="trigger_bad"):
        clean_trigger(text)


@pytest.mark.parametrize(
    ("typed", "nearest"), [("sd51", "sd15"), ("SD15", ""), ("embeded", "embedded"), ("xyz", "")]
)
def test_nearest(typed: str, nearest: str) -> None:
    """A mistyped name is near to one of those there are, the first of equals, or to none."""
    assert find_nearest(typed, ["embedded", "sd15", "sd21"]) == nearest
