"""Write the table of which programs read which files: `--write docs/compatibility.md`.

Makes an untrained file of every method on a tiny model of every family and asks
`training.styles.compatibility` about its tensors; a whole model has the tensor names of the true
one. `tests/contracts/test_interop.py` compares the table with trained files.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from training import families, methods
from training.bases import random
from training.bases.cache import BaseCache
from training.device import Device
from training.lazy import accelerate, diffusers
from training.modelfiles import singlefile, singlefile_writer, zimage
from training.networks.traits import PROGRAMS
from training.run import defaults
from training.run.memory import default_recipe
from training.styles.compatibility import find_needs, incompatibilities

PAGE = """# Which programs read what

What "yes, with …" names has to be there beside the file. Where a row has dashes, the method
cannot train the family.

- **kohya**: sd-scripts, whose LyCORIS loader reads LoHa, LoKr and OFT; for Z-Image musubi-tuner.
- **AUTOMATIC1111**: 1.8 or newer, 1.9 for DoRA.

Written by `python -m benchmarks.compatibility --write docs/compatibility.md`, and checked by
`tests/contracts`: with trained files, and with the programs' own readers where a package has them
(diffusers, and LyCORIS for kohya). What else programs read was looked up in their source; reasons
and sources are in the methods' `TRAITS` and the families' `FILES`. A result's card and
`safelight inspect` read the file itself.

"""


@cache
def model_names(family: str) -> tuple[str, ...]:
    """Return the tensor names in a whole model's file, of true size."""
    if family == "zimage":
        with accelerate.init_empty_weights():
            return tuple(zimage.to_original(diffusers.ZImageTransformer2DModel().state_dict()))
    module: Any = families.walk()[family]
    unet, vae, *texts = singlefile.make_empty_networks(module.SHAPE).values()
    readers = [(text.state_dict(), text.config.hidden_act == "gelu") for text in texts]
    return tuple(singlefile_writer.to_single_file(unet.state_dict(), vae.state_dict(), readers))


def file_names(method: str, bases: BaseCache, name: str) -> tuple[str, ...]:
    """Return the tensor names in a method's file; none if it cannot train the base."""
    base = bases.find(name)
    rule = next(iter(defaults.rules(method, base)), None)
    if rule is None:
        return ()
    if not rule.rank:
        return model_names(base.family)
    with bases.borrow(name) as family:
        attached = methods.find(method).attach(family.networks, default_recipe(rule, base))
        names = tuple(family.networks.to_file_names(attached.weights()))
        attached.detach()
    return names


def row(method: str, family: str, names: Collection[str]) -> str:
    """Return a line of the table; without names, the method cannot train the family."""
    cells = ["-"] * len(PROGRAMS)
    if names:
        found, needs = incompatibilities(names, family), find_needs(names, family)
        cells = [describe(found[program], needs.get(program, "")) for program in PROGRAMS]
    return f"| {' | '.join([method, family, *cells])} |"


def describe(reason: str, need: str) -> str:
    """Return whether a program reads a file, as a cell."""
    if reason:
        return f"no: {reason}"
    return f"yes, with {need}" if need else "yes"


def table() -> Iterator[str]:
    """Yield the lines of the table."""
    yield f"| method | family | {' | '.join(PROGRAMS)} |"
    yield "| --- " * (len(PROGRAMS) + 2) + "|"
    with tempfile.TemporaryDirectory() as place:
        for family in families.names():
            random.write_random_model(Path(place), family)
        bases = BaseCache(Path(place), Device.open(cpu=True))
        for method in sorted(methods.walk()):
            for family in families.names():
                yield row(method, family, file_names(method, bases, f"tiny-{family}"))


def main() -> int:
    """Write the page."""
    parser = argparse.ArgumentParser("benchmarks.compatibility", description=__doc__)
    parser.add_argument("--write", type=Path, required=True, metavar="FILE")
    parser.parse_args().write.write_text(PAGE + "\n".join(table()) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
