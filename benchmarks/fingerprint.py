"""Guard refactors: `python -m benchmarks.fingerprint --write FILE`, later `--check FILE`.

Trains three steps of every method on the embedded base and on a random tiny model of every family,
generates a picture with each file, and writes the digests of all tensors and pictures. `--check
FILE` repeats this and lists the differences. Digests are comparable on one machine with one set of
libraries. File headers are not included.
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


def run_command(*arguments: str | Path) -> list[dict[str, object]]:
    """Run a `python -m training` command in this process and return the JSON lines it prints."""
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


def hash_tensors(path: Path) -> str:
    """Return the digest of a file's tensors: names, types, shapes and bytes."""
    digest = hashlib.sha256()
    with safe_open(path, framework="pt") as file:
        for name in sorted(file.keys()):
            tensor = file.get_tensor(name).contiguous()
            digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
            digest.update(memoryview(tensor.flatten().view(_byte_type()).numpy()))
    return digest.hexdigest()[:16]


def _byte_type() -> object:
    import torch  # noqa: PLC0415 - takes seconds to import

    return torch.uint8


def hash_pixels(path: Path) -> str:
    """Return the digest of a picture's pixels."""
    with Image.open(path) as picture:
        content = picture.convert("RGB")
        return hashlib.sha256(f"{content.size}".encode() + content.tobytes()).hexdigest()[:16]


def hash_folder(out: Path) -> dict[str, str]:
    """Return the digests of all files in a folder, by path."""
    digests = {}
    for path in sorted(out.rglob("*")):
        name = str(path.relative_to(out))
        if path.suffix == ".safetensors":
            digests[name] = hash_tensors(path)
        elif path.suffix == ".png" and "curve" not in path.name:
            digests[name] = hash_pixels(path)
    return digests


def list_runs(bases: list[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each training's name and arguments."""
    from training import methods  # noqa: PLC0415 - after SAFELIGHT_HOME is set

    for base in bases:
        for method in sorted(methods.walk()):
            more = OF_METHOD.get(method, ("--rank", "3"))
            yield f"{base} {method}", ("--method", method, "--base", base, *more)
    for option, arguments in OPTIONS.items():
        yield f"embedded lora {option}", ("--base", "embedded", "--rank", "3", *arguments)


def write_photos(home: Path) -> Path:
    """Write ten photos with a transparent corner, which masked loss leaves out."""
    folder = home / "photos"
    folder.mkdir()
    for path in sorted(PICTURES.glob("*.png"))[:10]:
        with Image.open(path) as picture:
            photo = picture.convert("RGBA")
        photo.paste((0, 0, 0, 0), (0, 0, photo.width // 3, photo.height // 3))
        photo.save(folder / path.name)
    return folder


def write_tiny_models(home: Path) -> list[str]:
    """Write a random tiny model of every family into a data folder and return their names.

    Their list sets 64 pixels; at the families' own sizes each picture takes a minute.
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


def measure(home: Path) -> dict[str, dict[str, str]]:
    """Train and sample everything; return the digests by training."""
    from training.bases.cache import BaseCache  # noqa: PLC0415 - torch
    from training.run.defaults import rules  # noqa: PLC0415 - torch

    bases, folder = ["embedded", *write_tiny_models(home)], write_photos(home)
    bases_cache = BaseCache(home / "bases", list_file=home / "bases.toml")
    digests = {}
    for name, arguments in list_runs(bases):
        base, method, *_ = name.split()
        if not any(rules(method, bases_cache.find(base))):
            continue
        with tempfile.TemporaryDirectory() as place:
            out = Path(place)
            end = run_command("train", folder, *TRAIN, *arguments, "--out", out)[-1]
            file = out / str(end["file"])
            style = ("--style", file, "--base", base)
            run_command("sample", *style, "--prompt", PROMPT, *SAMPLE, "--out", out / "sample")
            digests[name] = hash_folder(out)
        print(name, digests[name][file.name], flush=True)
    with tempfile.TemporaryDirectory() as place:
        run_command("caption", folder, "--captioner", "embedded", "--out", place)
        captions = {
            file.stem: file.read_text("utf-8") for file in sorted(Path(place).glob("*.txt"))
        }
        digests["captions"] = captions
    return digests


def list_differences(then: dict[str, dict[str, str]], now: dict[str, dict[str, str]]) -> list[str]:
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
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="safelight-") as place:
        os.environ |= {
            "SAFELIGHT_HOME": place,
            "SAFELIGHT_BASES": str(Path(place) / "bases.toml"),
            "SAFELIGHT_DEVICE": "cpu",
            "SAFELIGHT_THREADS_CPU": "1",
        }
        now = measure(Path(place))
    if options.write:
        options.write.write_text(json.dumps(now, indent=1, ensure_ascii=False) + "\n", "utf-8")
        return 0
    found = list_differences(json.loads(options.check.read_text("utf-8")), now)
    print(*found, sep="\n")
    print(f"{len(found)} of {sum(map(len, now.values()))} digests differ.")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
