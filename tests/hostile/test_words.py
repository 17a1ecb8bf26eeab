"""Hostile names, trigger words and prompts: each is stored harmlessly or refused."""

from __future__ import annotations

import random
import re
import unicodedata

import pytest

from benchmarks.hostile.words import INVISIBLE, NUMBERS, list_texts, make_text
from bot import wording
from bot.cards.components import parse_number
from storage.errors import UserError
from storage.names import MAX_NAME_BYTES, clean_name, clean_trigger, name_key, trigger_from_name

RANDOM_TEXTS = 300
#: what no name has: it would leave its folder, hide, or format the message around it
FORBIDDEN = set('/\\:*?"<>|`~@#[](){}%$&;\0\n\r\t\x1b') | set(INVISIBLE)


@pytest.fixture(scope="module")
def texts():
    """Every hostile text, and some put together at random."""
    rng = random.Random(19)
    return [*list_texts(), *(make_text(rng) for _ in range(RANDOM_TEXTS))]


def attempt(function, *given):
    """Return what a function makes of a text, or None if it is refused with a sentence."""
    try:
        return function(*given)
    except UserError as refused:
        assert refused.code in wording.errors.ERRORS  # noqa: PT017 (others are raised)
        assert len(wording.explain(refused)) < 1900  # noqa: PT017
        return None


def test_names(texts, tmp_path):
    """A name that is accepted is plain, in one form, and a file name on any system."""
    accepted = {attempt(clean_name, word) for word in texts} - {None}

    assert {"straße", "日本語", "हिन्दी"} <= accepted
    for name in accepted:
        assert not set(name) & FORBIDDEN, name
        assert unicodedata.is_normalized("NFC", name)
        assert len(name.encode()) <= MAX_NAME_BYTES
        assert clean_name(name) == name
        file = tmp_path / f"{name}.safetensors"
        file.touch()
        assert file.resolve().parent == tmp_path.resolve()
    assert not any(name.lower().split(".")[0] in {"con", "aux", "nul", "prn"} for name in accepted)


def test_triggers(texts):
    """A trigger word is one word of letters and digits; a name always gives one."""
    for word in texts:
        trigger = attempt(clean_trigger, word)
        assert trigger is None or (trigger == clean_trigger(trigger) and " " not in trigger)
        name = attempt(clean_name, word)
        assert name is None or clean_trigger(trigger_from_name(name))


def test_same_names():
    """Names that look the same are the same: composed or not, wide or not, large or small."""
    for one, other in (
        ("Å", "A\u030a"),
        ("straße", "STRASSE"),
        ("\uff46\uff55ll", "full"),
        ("é", "E\u0301"),
    ):
        assert name_key(clean_name(one)) == name_key(clean_name(other))


def test_texts_on_cards(texts):
    """Whatever a person wrote, a sentence with it pings nobody and opens no code block."""
    for word in texts:
        shown = wording.say("{text}", text=word)
        assert "@everyone" not in shown
        assert not re.search(r"(?<!\\)<[@#:/ait]", shown)
        assert "```" not in shown


def test_numbers():
    """A number that was typed is a number of the asked kind, or refused with a sentence."""
    for typed in NUMBERS:
        assert isinstance(attempt(parse_number, typed, float), float | None)
        assert isinstance(attempt(parse_number, typed, int), int | None)
    assert [attempt(parse_number, typed, int) for typed in ("7", " 7.0", "1e3", "-0")] == [
        7,
        7,
        1000,
        0,
    ]
    for typed, code in (("1.5", "number_whole"), ("1e400", "number_whole"), ("x", "number_bad")):
        with pytest.raises(UserError) as refused:
            parse_number(typed, int)
        assert refused.value.code == code


async def test_commands(kit, scheduler, texts):
    """Typed as options of commands, they are answered with a sentence."""
    alice = kit.add_member("alice")
    await scheduler.add_dataset(alice)
    rng = random.Random(7)
    asked = [rng.choice(texts)[:4000] or "x" for _ in range(40)]
    bug = wording.errors.ERRORS["bug"].partition("{")[0]
    for word in asked:
        for command, options in (
            ("dataset new", {"name": word[:100]}),
            ("sample", {"prompt": word}),
            ("sample", {"prompt": "a fox", "style": word}),
            ("train lora", {"dataset": word}),
        ):
            said = kit.text(await alice.slash(kit.channel, command, **options))
            assert said
            assert not said.startswith(bug), (command, word)
