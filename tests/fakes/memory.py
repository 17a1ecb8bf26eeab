"""How much memory a piece of work takes, measured in a process of its own."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import ParamSpec, TypeVar

import psutil

P = ParamSpec("P")
R = TypeVar("R")


def measure_growth(work: Callable[P, R], *args: P.args, **options: P.kwargs) -> tuple[R, int]:
    """Run a function in a new process; return its result and the bytes that the process grew by.

    The process of the tests itself is no measure: what earlier tests left there comes and goes.
    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(_measure, work, *args, **options).result()


def _measure(work: Callable[P, R], *args: P.args, **options: P.kwargs) -> tuple[R, int]:
    before = _read_own_bytes()
    result = work(*args, **options)
    return result, _read_own_bytes() - before


def _read_own_bytes() -> int:
    """Return the bytes that this process has taken, without pages of libraries and weights."""
    found = psutil.Process().memory_info()
    return int(found.rss - getattr(found, "shared", 0))
