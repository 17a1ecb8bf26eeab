"""Feed the product hostile input from a seed, and count what it does.

python -m benchmarks.speed.fuzz --cases 100000 --seed 19

Pictures go through the darkroom's real children, requests to the real web server, words, custom
ids and weight files to the functions that read them. A child's crash is contained; a failure is
anything that is neither accepted nor refused with a sentence.
"""

from __future__ import annotations

import asyncio
import logging
import random
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
from discord import ui

from benchmarks import machine, table
from benchmarks.hostile.pictures import Picture, list_crafted, list_honest, mutate_pictures
from benchmarks.hostile.requests import make_raw
from benchmarks.hostile.weights import make_weights
from benchmarks.hostile.words import make_custom_id, make_number, make_text
from bot import wording
from bot.cards import dataset, job, sample
from bot.cards.components import Control, find_controls, parse_number
from bot.web import Web
from storage.errors import SafelightError, UserError
from storage.folders import Home
from storage.names import clean_name, clean_trigger
from storage.photos.sandbox import MAX_CHILDREN, Darkroom
from storage.store import Store
from training.styles.inspect import inspect_file

MAX_GROWTH_MB = 50
SHOWN_FAILURES = 5
IDLE_SECONDS = 0.5  #: after which the server closes half a request
CONNECTIONS = 50  #: at the same time
ANSWER_SECONDS = 20.0  #: longer is hung
SHARES = {"pictures": 0.5, "words": 0.2, "custom ids": 0.1, "weight files": 0.1, "requests": 0.1}
ACCEPTED, REFUSED, CRASHED, MEMORY, HUNG, FAILED = OUTCOMES = (
    "accepted", "refused", "crashed the child", "out of memory", "hung", "failed",
)  # fmt: skip
CARDS = (dataset, job, sample)  #: imported, so that their controls are found


@cache
def make_crafted() -> list[Picture]:
    """Return the corpus of the suite; making it takes more memory than checking it."""
    return [*list_honest(), *list_crafted()]


async def fuzz_pictures(rng: random.Random, count: int) -> Counter[str]:
    """Count what becomes of pictures: the crafted ones once, then mutations."""
    crafted, mutated = iter(make_crafted()[:count]), mutate_pictures(rng)
    outcomes: Counter[str] = Counter()

    async def work(darkroom: Darkroom, numbers: Any) -> None:
        for _ in numbers:
            outcomes[await develop(darkroom, next(crafted, None) or next(mutated))] += 1

    numbers = iter(range(count))
    async with Darkroom() as darkroom:
        await asyncio.gather(*(work(darkroom, numbers) for _ in range(MAX_CHILDREN)))
    return outcomes


async def develop(darkroom: Darkroom, picture: Picture) -> str:
    """Return the outcome of one picture."""
    try:
        await darkroom.check(picture.content)
    except UserError as refused:
        if refused.code == "photo_slow":
            return HUNG
        if refused.code == "photo_memory":
            return MEMORY
        died = isinstance(refused.__cause__, OSError | EOFError)
        return CRASHED if died else explain(refused)
    except Exception as failed:  # noqa: BLE001 (what it looks for)
        return report(picture.name, failed)
    return ACCEPTED


async def fuzz_words(rng: random.Random, count: int) -> Counter[str]:
    """Count what becomes of names, trigger words, numbers, and words inside sentences."""
    readers: list[tuple[Callable[[random.Random], str], Callable[[str], object]]] = [
        (make_text, clean_name),
        (make_text, clean_trigger),
        (make_number, lambda typed: parse_number(typed, int)),
        (make_number, lambda typed: parse_number(typed, float)),
        (make_text, lambda said: wording.say("{text}", text=said)),
    ]
    outcomes: Counter[str] = Counter()
    for number in range(count):
        make, read = readers[number % len(readers)]
        outcomes[attempt(read, make(rng))] += 1
    return outcomes


async def fuzz_custom_ids(rng: random.Random, count: int) -> Counter[str]:
    """Count which custom ids a control takes; one without the first number is an old card."""
    controls = list(find_controls(Control))
    verbs = [control.verb for control in controls]
    outcomes: Counter[str] = Counter()
    for _ in range(count):
        custom_id = make_custom_id(rng, verbs)
        matches = [
            (control, found)
            for control in controls
            if (found := control.__discord_ui_compiled_template__.fullmatch(custom_id))
        ]
        for control, found in matches[:1]:
            made = await control.from_custom_id(None, ui.Button(custom_id=custom_id), found)  # type: ignore[arg-type]
            outcomes[attempt(made.number, 0)] += 1
        outcomes[REFUSED] += not matches
    return outcomes


async def fuzz_weights(rng: random.Random, count: int) -> Counter[str]:
    """Count what `safelight inspect` makes of weight files."""
    outcomes: Counter[str] = Counter()
    with TemporaryDirectory() as folder:
        file = Path(folder) / "hostile.safetensors"
        for _ in range(count):
            file.write_bytes(make_weights(rng))
            outcomes[attempt(inspect_file, file)] += 1
    return outcomes


async def fuzz_requests(rng: random.Random, count: int) -> Counter[str]:
    """Count what the web server answers: 2xx is accepted, 4xx or a closed connection refused."""
    outcomes: Counter[str] = Counter()
    async with listening() as port:
        for _ in range(0, count, CONNECTIONS):
            parts = [make_raw(rng) for _ in range(min(CONNECTIONS, count - outcomes.total()))]
            outcomes.update(await asyncio.gather(*(send(port, part) for part in parts)))
    return outcomes


@asynccontextmanager
async def listening() -> AsyncIterator[int]:
    """Run the web server on an empty store; an error it logs is a failure."""
    with TemporaryDirectory() as place:
        async with await Store.open(Home(Path(place) / "home")) as store:
            server = Web(store, "http://localhost")
            await server.start("127.0.0.1", 18_741, IDLE_SECONDS)
            yield 18_741
            await server.close()


async def send(port: int, content: bytes) -> str:
    """Send a request and return the outcome."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(content)
        answer = await asyncio.wait_for(reader.read(), ANSWER_SECONDS)
    except ConnectionError:
        return REFUSED
    except TimeoutError:
        return HUNG
    finally:
        writer.close()
    status = answer.split(b" ", 2)[1][:1] if answer.startswith(b"HTTP/") else b"4"
    return (
        ACCEPTED if status in b"12" else REFUSED if status == b"4" else report("request", answer)
    )


def attempt(function: Callable[..., object], *given: object) -> str:
    """Return the outcome of a call."""
    try:
        function(*given)
    except SafelightError as refused:
        return explain(refused)
    except Exception as failed:  # noqa: BLE001 (what it looks for)
        return report(repr(given)[:200], failed)
    return ACCEPTED


def explain(refused: SafelightError) -> str:
    """Return REFUSED if the refusal has a sentence that Discord takes."""
    known = refused.code in wording.errors.ERRORS
    return (
        REFUSED
        if known and len(wording.explain(refused)) < 2000
        else report(refused.code, refused)
    )


def report(name: str, failed: object) -> str:
    """Print the first failures."""
    print(f"failed: {name}: {failed!r}"[:400], file=sys.stderr)
    return FAILED


async def measure(cases: int, seed: int) -> list[table.Row]:
    """Return the rows of all kinds of input, each with its share of the cases."""
    fuzzers = (fuzz_pictures, fuzz_words, fuzz_custom_ids, fuzz_weights, fuzz_requests)
    make_crafted()
    process, rows, total = psutil.Process(), [], Counter[str]()
    before = peak = process.memory_info().rss
    for (kind, share), fuzz in zip(SHARES.items(), fuzzers, strict=True):
        began = time.perf_counter()
        outcomes = await fuzz(random.Random(f"{seed} {kind}"), round(cases * share))
        each = (time.perf_counter() - began) / max(outcomes.total(), 1) * 1000
        counted = ", ".join(f"{outcomes[one]:,} {one}" for one in OUTCOMES if outcomes[one])
        rows.append(
            table.figure(f"{kind}, {outcomes.total():,}", counted, "", f"; {each:.1f} ms each")
        )
        total += outcomes
        peak = max(peak, process.memory_info().rss)
    return [
        *rows,
        table.figure("children that crashed", total[CRASHED]),
        table.at_most("hung", total[HUNG], 0),
        table.at_most("failed", total[FAILED], 0),
        table.at_most("growth of this process", (peak - before) / 1e6, MAX_GROWTH_MB, "MB"),
    ]


def main() -> int:
    """Print the table."""
    arguments = machine.parse_arguments(__doc__ or "", cases=int, seed=int)
    logging.disable(logging.WARNING)
    cases = arguments.cases or (1000 if arguments.quick else 10_000)
    return table.print_table(asyncio.run(measure(cases, arguments.seed or 0)))


if __name__ == "__main__":
    sys.exit(main())
