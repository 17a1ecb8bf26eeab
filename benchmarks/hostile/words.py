"""Hostile words: names, prompts, numbers, and what is built of them (custom ids, tokens)."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import product

INVISIBLE = ("\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u115f", "\u3164", "\u034f")
DIRECTIONS = ("\u202e", "\u202d", "\u2066", "\u2067", "\u2069", "\u200f", "\u061c")
CONTROLS = (
    "\0",
    "\x07",
    "\x08",
    "\x1b[31m",
    "\x7f",
    "\x85",
    "\r\n",
    "\n",
    "\t",
    "\u2028",
    "\u2029",
)
MENTIONS = (
    "@everyone", "@here", "<@1001>", "<@!1001>", "<@&7>", "<#88>", "</train lora:1>", "<id:home>",
    "<a:dance:123456789012345678>", "<t:0:R>", "@\u200beveryone", "＠everyone",
)  # fmt: skip
MARKDOWN = (
    "**bold", "__", "~~x~~", "||hidden||", "`code`", "```py\nimport os```", "# title", "-# small",
    "> quote", ">>> all", "[link](https://example.org)", "[x](javascript:alert(1))", "\\", "* point",
    "https://discord.gg/abc", "http://169.254.169.254/latest", "discord://", "<https://example.org>",
)  # fmt: skip
PATHS = (
    "..", ".", "../../etc/passwd", "..\\..\\windows", "/etc/passwd", "C:\\boot.ini", "\\\\host\\share",
    "~", "~root", "$HOME", "%APPDATA%", "a/b", "a\\b", "a:b", "file:///etc/passwd", "..%2f..%2f",
    "....//", ".hidden", "name.", "name ", " name", "-rf", "--help", "safelight.db", ".part",
)  # fmt: skip
DEVICES = (
    "CON",
    "con",
    "nul.txt",
    "AUX",
    "PRN",
    "COM1",
    "lpt9.safetensors",
    "COM¹",
    "CONIN$",
    "CLOCK$",
)
CODE = (
    "'; DROP TABLE jobs;--", '" OR 1=1 --', "{facts}", "{0.__class__}", "%s%s%n", "${jndi:ldap://x}",
    "<script>alert(1)</script>", "&lt;", "__proto__", "constructor", "null", "None", "NaN", "{{7*7}}",
)  # fmt: skip
SCRIPTS = (
    "strasse", "STRASSE", "straße", "ﬁ", "Å", "A\u030a", "Å", "é", "e\u0301", "ｆｕｌｌ", "日本語",
    "العربية", "हिन्दी", "ไทย", "👩‍👩‍👧‍👦", "🏳️‍🌈", "\U0001f468", "𝖆𝖇𝖈", "İ", "ı", "ǅ", "ﬀ", "\ud7ff", "\U0010ffff", "\ufffe",
    "a" + "\u0301" * 40, "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘!͖̬̰̙̗̿̋ͥͥ̂ͣ̐́́͜͞",
)  # fmt: skip
LENGTHS = (0, 1, 31, 32, 33, 63, 64, 65, 99, 100, 200, 255, 256, 1000, 1001, 4000)
NUMBERS = (
    "", " ", "0", "-0", "+1", "1", "-1", "1.5", "1,5", ".5", "5.", "1e3", "1e400", "-1e400", "1e-400",
    "nan", "NaN", "inf", "-Infinity", "0x10", "0b1", "1_000", "1 000", "1'000", "٣", "３", "²", "½", "Ⅷ",
    "一", "१", "9" * 8, "9" * 19, "9" * 400, "9" * 5000, "2147483648", "4294967296", "9223372036854775807",
    "9223372036854775808", "18446744073709551616", "--1", "1-", "1e", "True", "None", "\u200b1", "1\0", "∞",
)  # fmt: skip
ID_ENDS = (
    "", ":", ":0", ":-1", ":1", ":999", ":1:2:3:4:5:6", ":٣", ":３", ":+1", ":1.5", ":1e3", ":0x1", ":--1",
    ":1:-", ": 1", ":1 ", ":1\n", "\n", ":9223372036854775807", ":9223372036854775808", ":-9223372036854775809",
    ":99999999999999999999", ":" + "9" * 70, ":1;DROP TABLE jobs", ":../1", ":None", ":1\u200b", ":1:1:1", ":0:-1:0",
)  # fmt: skip


def list_texts() -> Iterator[str]:
    """Yield every hostile text once."""
    for group in (
        INVISIBLE,
        DIRECTIONS,
        CONTROLS,
        MENTIONS,
        MARKDOWN,
        PATHS,
        DEVICES,
        CODE,
        SCRIPTS,
    ):
        yield from group
    for sign in (*INVISIBLE, *DIRECTIONS, *CONTROLS):
        yield f"my{sign}dog"
    for sign, length in product(("a", "é", "字", "\U0001f415", "@"), LENGTHS):
        yield sign * length


def make_text(rng: random.Random) -> str:
    """Return a text of hostile parts."""
    parts = [
        rng.choice((*INVISIBLE, *DIRECTIONS, *CONTROLS, *MENTIONS, *MARKDOWN, *PATHS, *DEVICES))
    ]
    parts += rng.choices((*CODE, *SCRIPTS, "dog", " ", "a fox"), k=rng.randrange(4))
    if rng.random() < 0.3:
        parts += [chr(rng.choice((rng.randrange(0xD800), rng.randrange(0xE000, 0x110000))))]
    rng.shuffle(parts)
    return "".join(parts) * rng.choice((1, 1, 1, 1, 30, 300))


def make_number(rng: random.Random) -> str:
    """Return something that may be a number."""
    return rng.choice(NUMBERS) + rng.choice(("", "", "", rng.choice(NUMBERS)))


def make_custom_id(rng: random.Random, verbs: list[str]) -> str:
    """Return a custom id as somebody might forge it, of 100 signs at most."""
    verb = rng.choice((*verbs, *verbs, "job:explode", "", "form", "plan", "dataset:open:x"))
    end = rng.choice(ID_ENDS) if rng.random() < 0.7 else f":{rng.choice(NUMBERS)}"
    return (verb + end)[:100]
