"""The limits (least, most) of numbers that people choose, and the check of them."""

from __future__ import annotations

from storage.errors import SafelightError

STEPS = (1, 20_000)
RANK = (0, 128)  #: of any method; each method has its own within these
LEARNING_RATE = (1e-7, 0.1)
PRODIGY_FACTOR = (0.01, 10)  #: Prodigy finds the learning rate itself and multiplies it by this
BATCH_SIZE = (1, 64)
CLASS_IMAGES = (0, 1000)
REPEATS = (1, 10)  #: of a photo in an epoch
RESOLUTION = (16, 2048)  #: pixels a side
SEED = (0, 2**63 - 1)
MAX_CONCEPTS = 5  #: in one run
MAX_EXTRA_RESOLUTIONS = 4


def check_range(
    name: str, value: float, limits: tuple[float, float], error: type[SafelightError]
) -> None:
    """Raise `error` with the code "out_of_range" unless `value` is a number within the limits."""
    least, most = limits
    if not (isinstance(value, int | float) and least <= value <= most):
        words = name.replace("_", " ").capitalize()
        raise error("out_of_range", name=words, value=value, least=least, most=most)
