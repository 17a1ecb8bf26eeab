"""The time by which old things are deleted: a clock that is wrong for hours makes nothing old."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import asdict, dataclass

from storage.folders import Home, write_json
from storage.process import read_boot

CATCH_UP = 24.0  #: seconds by which the careful time may advance in a second of running
BOOT_SECONDS = 86400.0  #: by which it may advance at a start of the machine


@dataclass(frozen=True, slots=True)
class Look:
    """A look at the clock."""

    time: float  #: unix seconds; of an earlier look, as far as they were believed
    running: float  #: seconds that the machine has run, unaffected by changes of the clock
    boot: str  #: what is another one after each start of the machine


def read_careful_time(home: Home) -> float:
    """Return the clock's time, but at most a day later for each hour that the machine has run.

    So no file is deleted for its age because a clock was set far ahead for some hours. After a
    long break it catches up within hours. A clock that was set back counts at once.
    """
    file, now = home.careful_time_file, Look(time.time(), time.monotonic(), read_boot())
    before = now
    with suppress(OSError, ValueError, TypeError):
        before = Look(**json.loads(file.read_bytes()))
    believed = believe(before, now)
    with suppress(OSError):  # a full disk; then it is later
        write_json(file, asdict(believed))
    return min(now.time, believed.time)


def believe(before: Look, now: Look) -> Look:
    """Return a look with the part of its time that can be believed after an earlier one."""
    ran = now.running - before.running
    same_boot = now.boot == before.boot and ran >= 0
    most = before.time + (CATCH_UP * ran if same_boot else BOOT_SECONDS)
    return Look(max(before.time, min(now.time, most)), now.running, now.boot)
