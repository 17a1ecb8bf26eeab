"""What `safelight check` says of captions."""

from __future__ import annotations

from bot import wording
from bot.terminal.check import caption_lines
from bot.wording import fill
from storage.planning.caption_audit import FindingKind


def test_captions():
    """Each finding says where and what it does; without one, captions are good."""
    words = {"fused": ["blue collar"], "contradiction": ["day", "night"]}
    findings = [
        {"kind": kind, "photos": ["a.png", "b.png"], "words": words.get(kind, [])}
        for kind in FindingKind
    ]
    captions = {"trigger": "", "written": 4, "cut": {"count": 1, "ignored": "far away"}}

    said = [*caption_lines(captions | {"findings": findings})]
    good = [*caption_lines(captions | {"findings": [], "cut": None})]
    none = [*caption_lines(captions | {"findings": findings, "written": 0})]

    told = wording.shell.CAPTION_FINDINGS
    assert set(told) == {*FindingKind}
    assert fill(told["fused"], words="blue collar", count=2, written=4) in said
    facts = {"photos": "a.png and b.png", "one": "day", "other": "night"}
    assert fill(told["contradiction"], **facts) in said
    assert said[-1] == fill(wording.shell.CHECKED_CUT, count=1, written=4, ignored="far away")
    assert (good, none) == ([wording.shell.CHECKED_CAPTIONS_GOOD], [])
