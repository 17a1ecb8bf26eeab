"""Texts in the encodings that people's editors leave: UTF-8, UTF-16, or one that is detected."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress

import charset_normalizer

SAMPLE_BYTES = 1 << 14  #: enough to detect an encoding
UNICODE_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
WESTERN, JAPANESE = "cp1252", ("cp932", "euc_jp")
KANA = re.compile("[ぁ-ヶ]")
#: no word has these inside, but Polish ones read as Western do
SYMBOL_IN_WORD = re.compile(r"[^\W\d_][¡¢£¤¥¦§©«¬®¯°±²³¶¹»¼½¾¿][^\W\d_]")
CANDIDATES = (
    *JAPANESE, "gb18030", "big5", "cp949", "cp1251", "koi8_r", "cp1250", WESTERN, "cp1253",
    "cp1254",
)  # fmt: skip
TITLES = {
    "utf-16": "UTF-16", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16", "cp932": "Shift-JIS",
    "euc_jp": "EUC-JP", "gb18030": "GB 18030", "big5": "Big5", "koi8_r": "KOI8-R",
} | {f"cp{page}": f"Windows-{page}" for page in (949, 1250, 1251, 1252, 1253, 1254)}  # fmt: skip


def decode_texts(contents: Sequence[bytes]) -> list[tuple[str, str]]:
    """Return each text with the name of its encoding, "" for UTF-8.

    What is no Unicode is looked at together, because one program wrote most of it: a caption alone
    is too short to tell one encoding from another.
    """
    codecs = [detect_unicode(each) or detect_japanese(each) for each in contents]
    pairs = [*zip(contents, codecs, strict=True)]
    shared = detect_codec(b"\n".join(content for content, codec in pairs if not codec))
    return [_decode(content, codec or shared) for content, codec in pairs]


def detect_unicode(content: bytes) -> str:
    """Return the Unicode codec of a text by its mark, its zeros or its validity; "" if none."""
    for mark, codec in UNICODE_MARKS.items():
        if content.startswith(mark):
            return codec
    if b"\0" in content:  # UTF-16 without a mark: of Latin letters, one byte is zero
        little = content[1::2].count(0) >= content[::2].count(0)
        return "utf-16-le" if little else "utf-16-be"
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    return "utf-8"


def detect_japanese(content: bytes) -> str:
    """Return the Japanese codec of a text with kana, which no other text decodes to; else ""."""
    for codec in JAPANESE:
        with suppress(UnicodeDecodeError):
            if KANA.search(content.decode(codec)):
                return codec
    return ""


def detect_codec(content: bytes) -> str:
    """Return the most likely codec of another text that is no Unicode."""
    found = charset_normalizer.from_bytes(content[:SAMPLE_BYTES], cp_isolation=[*CANDIDATES])
    best = found.best()
    if best is None:
        return WESTERN
    likely = [each for each in found if _merit(each) == _merit(best)]
    same = {codec for each in likely for codec in each.could_be_from_charset}
    codec = WESTERN if WESTERN in same else best.encoding
    if SYMBOL_IN_WORD.search(content.decode(codec, "replace")):
        plain = (each.encoding for each in found if not SYMBOL_IN_WORD.search(str(each)))
        return next(plain, codec)
    return codec


def _merit(match: charset_normalizer.CharsetMatch) -> tuple[float, float]:
    return match.chaos, match.coherence


def _decode(content: bytes, codec: str) -> tuple[str, str]:
    try:
        text = content.decode(codec)
    except UnicodeDecodeError:  # written by another program than the rest
        codec = detect_codec(content)
        text = content.decode(codec, "replace")
    return text, TITLES.get(codec, "")
