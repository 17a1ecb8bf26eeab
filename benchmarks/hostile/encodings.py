"""Captions in the encodings of many editors and languages, and what is no text at all."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

UNICODE = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be")
#: captions of one folder, and the encodings in which editors of the country have written them
LANGUAGES = {
    "english": (("a dog on grass", "my dog, asleep", "a red umbrella"), ("cp1252",)),
    "german": (
        ("ein Mädchen läuft über die Straße", "ein großer Hund, draußen", "grüne Äpfel"),
        ("cp1252", "cp1250"),
    ),
    "french": (
        ("un garçon à la forêt, été", "une chaise près de la fenêtre", "un gâteau au citron"),
        ("cp1252",),
    ),
    "spanish": (
        ("un niño pequeño en la montaña", "el corazón de la canción", "¿qué es esto?"),
        ("cp1252",),
    ),
    "polish": (
        ("żółta łódź na jeziorze", "pies śpi na kanapie, źdźbło", "kobieta w kapeluszu, łąka"),
        ("cp1250",),
    ),
    "russian": (
        ("собака на траве, лето", "красный зонт под дождём", "кошка спит на диване"),
        ("cp1251", "koi8_r"),
    ),
    "greek": (("ένας σκύλος στο γρασίδι", "μια κόκκινη ομπρέλα", "η γάτα κοιμάται"), ("cp1253",)),
    "turkish": (
        ("çimlerin üzerinde bir köpek", "kırmızı şemsiye, yağmur", "uyuyan güzel kedi"),  # noqa: RUF001
        ("cp1254",),
    ),
    "japanese": (
        ("柴犬が公園で遊んでいる", "赤い傘をさす女の子", "猫がソファで寝ている"),
        ("cp932", "euc_jp"),
    ),
    "chinese": (
        ("一只狗在草地上玩耍", "下雨天的红色雨伞", "猫在沙发上睡觉"),
        ("gb18030",),
    ),
    "taiwanese": (
        ("一隻狗在草地上玩耍", "下雨天的紅色雨傘", "貓在沙發上睡覺"),
        ("big5",),
    ),
    "korean": (
        ("잔디밭에서 노는 강아지", "비 오는 날의 빨간 우산", "소파에서 자는 고양이"),
        ("cp949",),
    ),
    "signs": (("“a dog” — asleep…", "café § 5, 20 €", "naïve coöperation"), ("cp1252",)),
    "emoji": (("a 🐕 on grass", "👩‍🦰 smiling", "☔️ and 🌈"), ()),
}  # fmt: skip
#: how lines end, and what stands around a text
LINES = ("{}", "{}\n", "{}\r\n", "\n  {} \r\n\r\n", "\t{}  ")


@dataclass(frozen=True, slots=True)
class Captions:
    """Caption files that one program wrote, and what stands in them; None if that is no text."""

    name: str
    contents: tuple[bytes, ...]
    texts: tuple[str, ...] | None


def list_captions() -> Iterator[Captions]:
    """Yield sets of caption files."""
    for language, (texts, codecs) in LANGUAGES.items():
        for at, codec in enumerate((*UNICODE, *codecs)):
            line = LINES[at % len(LINES)]
            contents = tuple(line.format(text).encode(codec) for text in texts)
            yield Captions(f"{language} {codec}", contents, texts)
    yield from list_hostile()


def list_hostile() -> Iterator[Captions]:
    """Yield files that are no captions, or were made to harm."""
    noise = random.Random(5)  # bytes
    hostile = {
        "empty": b"",
        "zeros": bytes(60_000),
        "noise": noise.randbytes(60_000),
        "mark alone": b"\xef\xbb\xbf",
        "marks alone": b"\xff\xfe",
        "half a sign": "柴犬".encode("cp932")[:-1],
        "half a pair": b"\xff\xfe\x3d\xd8",
        "surrogates": b"\xff\xfe\x00\xd8\x00\xd8",
        "overlong": b"\xc0\xaf\xe0\x80\xaf" * 50,
        "utf-7": b"+ADw-script+AD4-",
        "escapes": b"\x1b$B0U\x1b(B \x1b[31mred\x1b[0m",
        "bidi": "a \u202edog\u202c \u2066x\u2069".encode(),
        "controls": bytes(range(1, 32)) + b"a dog" + bytes(range(127, 160)),
        "combining": ("a" + "\u0301" * 20_000).encode(),
        "wide": "\U0010ffff\U000e0001\ufeff\ufffe".encode(),
        "long": b"a dog " * 10_000,
        "deep": b"[" * 60_000,
        "picture": b"\x89PNG\r\n\x1a\n" + noise.randbytes(3000),
        "pickle": b"\x80\x04\x95\x10\0\0\0\0\0\0\0\x8c\x05posix\x94",
    }
    for name, content in hostile.items():
        yield Captions(name, (content,), None)
        yield Captions(f"{name} beside text", (content, "une forêt".encode("cp1252")), None)
