"""`python -m benchmarks.fingerprint --write FILE`: the guard of refactors.

Trains three steps of every method on the embedded base and on a random tiny model of every family,
draws a picture with each file, and writes the digests of all tensors and pictures. `--check FILE`
repeats this and lists the differences. Digests are comparable on one machine with one set of
libraries. File headers are not part of them.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from unittest import mock

from PIL import Image
from safetensors import safe_open

PICTURES = Path(__file__).with_name("pictures") / "panda"
PROMPT = "a zorp emoji, on a white background"
TRAIN = (
    "--name", "zorp", "--trigger", "zorp", "--word", "cat", "--dial", "quick", "--steps", "3",
    "--batch", "2", "--seed", "7",
)  # fmt: skip
SAMPLE = ("--steps", "4", "--seed", "5", "--count", "1")
#: options of single methods, in addition to TRAIN
OF_METHOD = {"dreambooth": ("--prior", "2"), "finetune": (), "embedding": ("--rank", "2")}
#: options that a LoRA on the embedded base is trained with, one at a time
OPTIONS = {
    "ema": ("--ema", "0.5"),
    "gamma": ("--gamma", "0"),
    "offset": ("--offset", "0.1"),
    "silence": ("--silence", "0.5"),
    "decay": ("--decay", "0.2"),
    "cosine": ("--schedule", "constant"),
    "shuffle": ("--shuffle",),
    "masked": ("--masked", "--background", "0.3"),
    "sides": ("--sides", "48,96"),
    "dropout": ("--dropout", "0.3"),
    "prior": ("--prior", "3", "--keep", "0.5"),
    "text": ("--text",),
    "look": ("--concept", "look"),
    "adafactor": ("--optimizer", "adafactor"),
    "prodigy": ("--optimizer", "prodigy"),
    "schedulefree": ("--optimizer", "schedulefree"),
}


def safelight(*arguments: str | Path) -> list[dict[str, object]]:
    """Run a command of `python -m training` in this process and return the lines it prints."""
    from training.__main__ import main  # noqa: PLC0415 - after SAFELIGHT_HOME is set

    printed = io.StringIO()
    with (
        mock.patch.object(sys, "argv", ["training", *map(str, arguments)]),
        redirect_stdout(printed),
    ):
        code = main()
    lines = [json.loads(line) for line in printed.getvalue().splitlines()]
    if code:
        sys.exit(f"{' '.join(map(str, arguments))} ended with {code}: {lines[-1]}")
    return lines


def tensors(path: Path) -> str:
    """Return the digest of a file's tensors: names, types, shapes and bytes."""
    found = hashlib.sha256()
    with safe_open(path, framework="pt") as file:
        for name in sorted(file.keys()):
            tensor = file.get_tensor(name).contiguous()
            found.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
            found.update(memoryview(tensor.flatten().view(_bytes()).numpy()))
    return found.hexdigest()[:16]


def _bytes() -> object:
    import torch  # noqa: PLC0415 - seconds, and only here

    return torch.uint8


def pixels(path: Path) -> str:
    """Return the digest of a picture's pixels."""
    with Image.open(path) as picture:
        content = picture.convert("RGB")
        return hashlib.sha256(f"{content.size}".encode() + content.tobytes()).hexdigest()[:16]


def digests(out: Path) -> dict[str, str]:
    """Return the digests of everything in a folder, by path."""
    found = {}
    for path in sorted(out.rglob("*")):
        name = str(path.relative_to(out))
        if path.suffix == ".safetensors":
            found[name] = tensors(path)
        elif path.suffix == ".png" and "curve" not in path.name:
            found[name] = pixels(path)
    return found


def runs(bases: list[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """List the trainings as a name and what is asked for."""
    from training import methods  # noqa: PLC0415 - after SAFELIGHT_HOME is set

    for base in bases:
        for method in sorted(methods.walk()):
            more = OF_METHOD.get(method, ("--rank", "3"))
            yield f"{base} {method}", ("--method", method, "--base", base, *more)
    for option, asked in OPTIONS.items():
        yield f"embedded lora {option}", ("--base", "embedded", "--rank", "3", *asked)


def photos(home: Path) -> Path:
    """Write ten photos with a transparent corner, so that masks have something to leave out."""
    folder = home / "photos"
    folder.mkdir()
    for path in sorted(PICTURES.glob("*.png"))[:10]:
        with Image.open(path) as picture:
            photo = picture.convert("RGBA")
        photo.paste((0, 0, 0, 0), (0, 0, photo.width // 3, photo.height // 3))
        photo.save(folder / path.name)
    return folder


def tiny(home: Path) -> list[str]:
    """Write a random tiny model of every family into a data folder and return their names.

    A list beside them says 64 pixels; at the families' own sizes each picture takes a minute.
    """
    from training import families  # noqa: PLC0415 - torch
    from training.bases import random  # noqa: PLC0415 - torch

    lines, names = [], []
    for family in families.names():
        place = random.write_random_model(home / "bases", family)
        names.append(f"{family}-64")
        lines += [
            f'[bases.{family}-64]', f'title = "{family}"', f'family = "{family}"',
            f'source = "{place.name}"', "resolution = 64", 'good = "tests"',
        ]  # fmt: skip
    (home / "bases.toml").write_text("\n".join(lines))
    return names


def measured(home: Path) -> dict[str, dict[str, str]]:
    """Train and draw everything and return the digests, by training."""
    from training.bases.cache import BaseCache  # noqa: PLC0415 - torch
    from training.run.defaults import rules  # noqa: PLC0415 - torch

    bases, folder = ["embedded", *tiny(home)], photos(home)
    known = BaseCache(home / "bases", list_file=home / "bases.toml")
    found = {}
    for name, asked in runs(bases):
        base, method, *_ = name.split()
        if not any(rules(method, known.find(base))):
            continue
        with tempfile.TemporaryDirectory() as place:
            out = Path(place)
            end = safelight("train", folder, *TRAIN, *asked, "--out", out)[-1]
            file = out / str(end["file"])
            style = ("--style", file, "--base", base)
            safelight("sample", *style, "--prompt", PROMPT, *SAMPLE, "--out", out / "sample")
            found[name] = digests(out)
        print(name, found[name][file.name], flush=True)
    with tempfile.TemporaryDirectory() as place:
        safelight("caption", folder, "--captioner", "embedded", "--out", place)
        said = {file.stem: file.read_text("utf-8") for file in sorted(Path(place).glob("*.txt"))}
        found["captions"] = said
    return found


def differences(then: dict[str, dict[str, str]], now: dict[str, dict[str, str]]) -> list[str]:
    """List each digest that is missing, new or different."""
    lines = []
    for name in sorted(then.keys() | now.keys()):
        old, new = then.get(name, {}), now.get(name, {})
        lines += [
            f"{name}: {key}: {old.get(key, 'nothing')} is now {new.get(key, 'nothing')}"
            for key in sorted(old.keys() | new.keys())
            if old.get(key) != new.get(key)
        ]
    return lines


def main() -> int:
    """Write a fingerprint, or compare with one; return 1 if anything differs."""
    parser = argparse.ArgumentParser("benchmarks.fingerprint", description=__doc__)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--write", type=Path, metavar="FILE")
    which.add_argument("--check", type=Path, metavar="FILE")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="safelight-") as place:
        os.environ |= {
            "SAFELIGHT_HOME": place,
            "SAFELIGHT_BASES": str(Path(place) / "bases.toml"),
            "SAFELIGHT_DEVICE": "cpu",
            "SAFELIGHT_THREADS_CPU": "1",
        }
        now = measured(Path(place))
    if chosen.write:
        chosen.write.write_text(json.dumps(now, indent=1, ensure_ascii=False) + "\n", "utf-8")
        return 0
    found = differences(json.loads(chosen.check.read_text("utf-8")), now)
    print(*found, sep="\n")
    print(f"{len(found)} of {sum(map(len, now.values()))} digests differ.")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
