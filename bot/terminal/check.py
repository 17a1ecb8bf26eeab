"""What `safelight check` prints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bot import wording
from bot.wording import fill, format_count, join_some
from bot.wording.verdicts import draw_grid, explain_readiness, explain_verdict, name_unchecked
from storage.planning.readiness import Readiness
from storage.planning.verdicts import Verdict

MIN_CUT = 0.15  #: of a photo; what is less is not worth a line


def check_lines(event: dict[str, Any]) -> Iterator[str]:
    """Yield a line for each photo, and what is to be said of all of them."""
    verdicts = [Verdict.from_json(photo) for photo in event["photos"]]
    for photo, verdict in zip(event["photos"], verdicts, strict=True):
        yield fill(wording.shell.CHECKED_PHOTO, file=photo["file"], said=explain_verdict(verdict))
        if photo["crop"]["cut"] >= MIN_CUT:
            share = wording.dataset.name_share(photo["crop"]["cut"])
            side = event["resolution"]
            yield fill(wording.shell.CHECKED_CROP, share=share, resolution=side)
    yield ""
    yield name_unchecked(find_unchecked(verdicts))
    yield fill(
        wording.shell.CHECKED_ALL,
        photos=format_count(len(verdicts), "photo"),
        different=format_count(event["different"], "different shot"),
        wrong=sum(bool(verdict.warnings) for verdict in verdicts),
    )
    yield from caption_lines(event["captions"])
    readiness = Readiness.from_json(event["readiness"])
    yield explain_readiness(readiness, in_shell=True)
    yield from draw_grid(readiness)


def caption_lines(captions: dict[str, Any]) -> Iterator[str]:
    """Yield what the captions of photos do, if there are any."""
    written, said = captions["written"], wording.shell
    if not written:
        return
    for finding in captions["findings"]:
        yield finding_line(finding, written)
    if cut := captions["cut"]:
        yield fill(said.CHECKED_CUT, count=cut["count"], written=written, ignored=cut["ignored"])
    if not captions["findings"] and not cut:
        yield said.CHECKED_CAPTIONS_GOOD


def finding_line(finding: dict[str, Any], written: int) -> str:
    """Return what is wrong with captions, and in which photos."""
    one, other = [*finding["words"], "", ""][:2]
    names = finding["photos"]
    return fill(
        wording.shell.CAPTION_FINDINGS[finding["kind"]],
        photos=join_some(names, len(names)),
        words=one,
        one=one,
        other=other,
        count=len(names),
        written=written,
    )


def find_unchecked(verdicts: list[Verdict]) -> list[str]:
    """Return what nobody has looked at in any of the photos."""
    looks = [look for verdict in verdicts for look in verdict.unchecked]
    return [*dict.fromkeys(looks)]
