"""The limits of numbers that people may choose, and the one check of them."""

from __future__ import annotations

from storage.errors import SafelightError

STEPS = (1, 20_000)
RANK = (0, 128)  #: of any method; each has limits of its own within
LEARNING_RATE = (1e-7, 0.1)
PRODIGY_FACTOR = (0.01, 10)  #: Prodigy finds the rate itself and takes this as a factor
BATCH_SIZE = (1, 64)
CLASS_IMAGES = (0, 1000)
RESOLUTION = (16, 2048)  #: pixels a side
SEED = (0, 2**63 - 1)
MAX_CONCEPTS = 5  #: in one run
MAX_EXTRA_RESOLUTIONS = 4


def check_range(
    name: str, value: float, limits: tuple[float, float], error: type[SafelightError]
) -> None:
    """Raise `error` with the code "out_of_range" unless least <= value <= most."""
    least, most = limits
    if not (isinstance(value, int | float) and least <= value <= most):
        words = name.replace("_", " ").capitalize()
        raise error("out_of_range", name=words, value=value, least=least, most=most)
