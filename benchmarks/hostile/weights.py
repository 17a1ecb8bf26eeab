"""Weight files: honest ones, made without torch, and ones that lie or were damaged on their way."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from benchmarks.hostile import pictures
from benchmarks.hostile.words import NUMBERS, make_text

BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I8": 1, "F8_E4M3": 1, "BOOL": 1}
UNET = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q"
SGM = "lora_unet_input_blocks_4_1_transformer_blocks_1_attn2_to_k"
STRANGE: tuple[Any, ...] = (
    None, -1, 0, 1.5, 2**31, 2**63, 2**80, "7", "F16", "NOPE", [], [-1, 8], [2**40, 2**40], {}, True, [[]],
)  # fmt: skip
Shapes = Mapping[str, tuple[str, Sequence[int]]]  #: type and shape by name
LORA: Shapes = {
    f"{UNET}.lora_down.weight": ("F16", (4, 8)), f"{UNET}.lora_up.weight": ("F16", (8, 4)),
    f"{UNET}.alpha": ("F16", ()),
}  # fmt: skip
KINDS: dict[str, Shapes] = {
    "lora": LORA,
    "sgm": {name.replace(UNET, SGM): entry for name, entry in LORA.items()},
    "peft": {
        "base_model.model.unet.mid_block.attentions.0.proj_in.lora_A.weight": ("F32", (4, 8)),
        "base_model.model.unet.mid_block.attentions.0.proj_in.lora_B.weight": ("F32", (8, 4)),
    },
    "loha": {
        f"{UNET}.{half}": ("BF16", (8, 2) if half.endswith("a") else (2, 8))
        for half in ("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b")
    },
    "embedding": {"emb_params": ("F32", (2, 768))},
    "embedding_xl": {"clip_l": ("F16", (1, 768)), "clip_g": ("F16", (1, 1280))},
    "bundle": {**LORA, "bundle_emb.mydog.string_to_param.*": ("F16", (2, 768))},
}


def make_content(
    shapes: Shapes, metadata: Mapping[str, str] | None = None, content: bytes = b""
) -> bytes:
    """Return a sound file of these tensors, of zeros or of the content given."""
    header: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata is not None else {}
    at = 0
    for name, (dtype, shape) in shapes.items():
        size = prod(shape) * BYTES[dtype]
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [at, at + size]}
        at += size
    return join(header, content or bytes(at))


def write_file(path: Path, shapes: Shapes, metadata: Mapping[str, str] | None = None) -> Path:
    """Write a sound file of zeros."""
    path.write_bytes(make_content(shapes, metadata))
    return path


def join(header: Any, body: bytes) -> bytes:
    """Put a header, JSON or bytes already, before the tensors' bytes."""
    line = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(line)) + line + body


def split(content: bytes) -> tuple[dict[str, Any], bytes]:
    """Take a sound file apart."""
    end = 8 + struct.unpack("<Q", content[:8])[0]
    return json.loads(content[8:end]), content[end:]


@dataclass(frozen=True, slots=True)
class WeightCase:
    """One file, and whether it may be taken."""

    name: str
    content: bytes
    sound: bool | None  #: None: chance decides


Mutation = Callable[[random.Random, bytes], bytes]


def mutations(seed: int, count: int) -> Iterator[WeightCase]:
    """Yield so many files, the same ones for the same seed: each mutation of each kind in turn."""
    chance = random.Random(seed)
    for at in range(count):
        kind = list(KINDS)[at % len(KINDS)]
        (title, sound), mutate = list(MUTATIONS.items())[at // len(KINDS) % len(MUTATIONS)]
        content = mutate(chance, make_content(KINDS[kind], {"ss_output_name": "x"}))
        yield WeightCase(f"{at}-{kind}-{title}", content, sound)


def edit(change: Callable[[random.Random, dict[str, Any], str], Any]) -> Mutation:
    """Return a mutation that changes the header's entry of a tensor by chance."""

    def mutate(chance: random.Random, content: bytes) -> bytes:
        header, body = split(content)
        name = chance.choice([name for name in header if name != "__metadata__"])
        change(chance, header, name)
        return join(header, body)

    return mutate


def edit_header(change: Callable[[random.Random, bytes], bytes]) -> Mutation:
    """Return a mutation of the header's bytes."""

    def mutate(chance: random.Random, content: bytes) -> bytes:
        end = 8 + struct.unpack("<Q", content[:8])[0]
        return join(change(chance, content[8:end]), content[end:])

    return mutate


def fill_body(content: bytes) -> Mutation:
    """Return a mutation that puts bytes into the tensors, again and again."""

    def mutate(_: random.Random, whole: bytes) -> bytes:
        header, body = split(whole)
        return join(header, (content * len(body))[: len(body)])

    return mutate


def flip(chance: random.Random, content: bytes, count: int = 1) -> bytes:
    """Change bytes anywhere."""
    changed = bytearray(content)
    for _ in range(count):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def set_entry(key: str, *values: Any) -> Mutation:
    """Return a mutation that sets one field of a tensor's entry to one of these values."""
    return edit(lambda chance, header, name: header[name].update({key: chance.choice(values)}))


def shift(chance: random.Random, header: dict[str, Any], name: str) -> None:
    """Move where a tensor lies."""
    by = chance.choice((-8, -1, 1, 2, 4096))
    header[name]["data_offsets"] = [at + by for at in header[name]["data_offsets"]]


def drop(_: random.Random, header: dict[str, Any], name: str) -> None:
    """Leave a tensor out of the header, but not its bytes."""
    del header[name]


def lie(chance: random.Random, content: bytes) -> bytes:
    """Change one to three entries of the header, whatever they are."""
    header, body = split(content)
    for _ in range(chance.randrange(1, 4)):
        name = chance.choice([*header])
        entry = header[name]
        if isinstance(entry, dict) and entry and chance.random() < 0.7:
            entry[chance.choice([*entry])] = chance.choice(STRANGE)
        elif chance.random() < 0.5:
            header[make_text(chance)] = header.pop(name)
        else:
            header[name] = chance.choice((*STRANGE, chance.choice(NUMBERS)))
    return join(header, body)


#: by title, and whether what comes out is sound (None: chance decides)
MUTATIONS: dict[tuple[str, bool | None], Mutation] = {
    ("nothing", True): lambda _, content: content,
    ("other order", True): lambda _, content: join(
        dict(reversed(split(content)[0].items())), split(content)[1]
    ),
    ("spaces behind", True): edit_header(lambda chance, line: line + b" " * chance.randrange(64)),
    ("letters of the world", True): lambda _, content: join(
        split(content)[0] | {"__metadata__": {"ss_output_name": "ß犬🐕"}}, split(content)[1]
    ),
    ("no metadata", True): lambda _, content: join(
        {k: v for k, v in split(content)[0].items() if k != "__metadata__"}, split(content)[1]
    ),
    ("half", False): lambda chance, content: content[: chance.randrange(len(content))],
    ("more behind", False): lambda chance, content: content + bytes(chance.randrange(1, 99)),
    ("long header", False): lambda chance, content: struct.pack(
        "<Q", chance.choice((2**63, 2**64 - 1, 100_000_001, 10**7, len(content)))
    ) + content[8:],
    ("short header", False): lambda chance, content: struct.pack("<Q", chance.randrange(40))
    + content[8:],
    ("no text", False): edit_header(lambda _, line: line[:5] + b"\xff\xfe" + line[5:]),
    ("half a letter", False): edit_header(
        lambda _, line: line.replace(b'"x"', b'"\\ud83d"')
    ),
    ("no JSON", False): edit_header(lambda chance, line: line[: chance.randrange(1, len(line))]),
    ("deep", False): edit_header(lambda _, line: b'{"a":' + b"[" * 100_000 + line),
    ("deep metadata", False): edit_header(
        lambda _, line: line.replace(b'"x"', b'{"a":' * 900 + b"1" + b"}" * 900)
    ),
    ("a list", False): edit_header(lambda _, line: b"[" + line + b"]"),
    ("twice", False): edit_header(lambda _, line: line[:-1] + b"," + line[1:]),
    ("huge number", False): edit_header(lambda _, line: line.replace(b"[0,", b"[" + b"9" * 9999)),
    ("number as metadata", False): edit_header(lambda _, line: line.replace(b'"x"', b"5")),
    ("list as metadata", False): edit_header(
        lambda _, line: line.replace(b'{"ss_output_name": "x"}', b"[1]")
    ),
    ("unknown type", False): set_entry("dtype", "F17", "", None, 5, [], "f16", "I128"),
    ("other type", False): set_entry("dtype", "F64", "I8", "F8_E4M3"),
    ("wrong shape", False): set_entry(
        "shape", [3, 3], [-4, -8], [2**70], [1e3], "8", None, [True, 16], [[8]], [1] * 99
    ),
    ("wrong offsets", False): set_entry(
        "data_offsets", [0], [8, 0], [-8, 0], [0, 2**64], ["0", "8"], None, [0.0, 64.0], {}
    ),
    ("shifted", False): edit(shift),
    ("left out", False): edit(drop),
    ("no entry", False): edit(lambda _, header, name: header.update({name: [1, 2]})),
    ("NaN", False): fill_body(b"\xff"),
    ("infinite", False): fill_body(b"\x00\x00\x80\x7f\x00\x7c\x80\x7f"),
    ("a pickle", False): lambda _, content: b"\x80\x04\x95" + content,
    ("a zip", False): lambda _, content: b"PK\x03\x04" + content,
    ("GGUF", False): lambda _, content: b"GGUF" + content,
    ("empty", False): lambda *_: b"",
    ("noise", False): lambda chance, _: chance.randbytes(chance.randrange(1, 300)),
    ("a byte", None): flip,
    ("some bytes", None): lambda chance, content: flip(chance, content, 8),
    ("a byte of the header", None): edit_header(flip),
    ("bytes of the header", None): edit_header(lambda chance, line: flip(chance, line, 3)),
    ("a digit", None): edit_header(
        lambda chance, line: line.replace(b"8", b"%d" % chance.randrange(20), 1)
    ),
    ("lies", None): lie,
    **{(mutate.__name__, None): mutate for mutate in pictures.MUTATIONS},
}  # fmt: skip


def make_weights(chance: random.Random) -> bytes:
    """Return one mutation of one kind of file, by chance."""
    honest = make_content(chance.choice([*KINDS.values()]), {"ss_output_name": "x"})
    return chance.choice([*MUTATIONS.values()])(chance, honest)
