"""What a style's file says of itself, read without torch."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from storage.errors import JobError
from training import families, methods
from training.modelfiles import tensorfile
from training.networks.keys import DOWN, UP, parse_key

#: other adapters, by how a tensor of theirs is called after its layer
OTHER_KINDS = {
    "diff": "a full difference (LyCORIS full)", "a1": "a GLoRA", "oft_diag": "an OFT of kohya's",
    "on_input": "an IA3",
}  # fmt: skip
NO_KIND = "it is neither a LoRA nor an embedding nor another kind that Safelight knows"
#: tensors of a layer that come together, and of which the first has a column for each of the
#: second's rows; where there is a third between them (Tucker), the ranks are each on their own
RANKED = (
    (UP, DOWN), ("hada_w1_a", "hada_w1_b"), ("hada_w2_a", "hada_w2_b"),
    ("lokr_w1_a", "lokr_w1_b"), ("lokr_w2_a", "lokr_w2_b"),
)  # fmt: skip
PAIRS = (*RANKED, ("hada_w1_a", "hada_w2_a"))
TUCKER = ("lora_mid", "hada_t1", "hada_t2", "lokr_t2")
#: around a word in the names of its vectors in a LoRA's file
BUNDLE_PREFIX, BUNDLE_SUFFIX = "bundle_emb.", ".string_to_param.*"


def read_method_and_trigger(file: Path) -> dict[str, str]:
    """Return the method and trigger of a style: ours by its recipe, others by their tensors."""
    header = read_header(file)
    told = header.pop("__metadata__", {})
    try:
        recipe = json.loads(told["safelight.recipe"])
        return {"method": str(recipe["method"]), "trigger": str(recipe["trigger"])}
    except (KeyError, ValueError, TypeError):
        pass
    method = find_method(header)
    by_file = methods.walk()[method].TRAITS.named_by_file
    return {"method": method, "trigger": file.stem if by_file else ", ".join(read_words(header))}


def read_words(names: Collection[str]) -> list[str]:
    """List the words that are bundled with a LoRA: `bundle_emb.mydog.clip_l`."""
    bundled = (
        name.removeprefix(BUNDLE_PREFIX)
        for name in sorted(names)
        if name.startswith(BUNDLE_PREFIX)
    )
    words = (
        name.removesuffix(BUNDLE_SUFFIX)
        if name.endswith(BUNDLE_SUFFIX)
        else name.rpartition(".")[0]
        for name in bundled
    )
    return list(dict.fromkeys(filter(None, words)))


def read_base(file: Path) -> str:
    """Name the base that a style of ours was trained on; "" for others."""
    try:
        recipe = json.loads(read_metadata(read_header(file))["safelight.recipe"])
        return str(recipe["base"])[:100]
    except (KeyError, ValueError, TypeError):
        return ""


def read_metadata(header: dict[str, Any]) -> dict[str, str]:
    """Return the metadata of a header that was read from a file."""
    told: dict[str, str] = header.get(tensorfile.METADATA, {})
    return told


def is_whole_model(names: Collection[str]) -> bool:
    """Return whether tensors of these names are a whole model of a family, not an adapter."""
    ends = {end for _, end in map(parse_key, names)}
    adapter = any(module.TRAITS.marks.match(names, ends) for module in methods.walk().values())
    return not adapter and has_model_names(names)


def has_model_names(names: Iterable[str]) -> bool:
    """Return whether names begin as a whole model's; some families' adapters begin so, too."""
    model = tuple(start for module in families.walk().values() for start in module.FILES.model)
    return any(name.startswith(model) for name in names)


def find_method(names: Collection[str]) -> str:
    """Return the method that makes files with tensors of these names.

    Raises JobError("style_broken") for a file that is no method's.
    """
    ends = {end for _, end in map(parse_key, names)}
    whole = has_model_names(names)
    surest, found = 0, ""
    for method, module in methods.walk().items():
        marks = module.TRAITS.marks
        sure = marks.match(names, ends) or 50 * (marks.model and whole)
        if sure > surest:
            surest, found = sure, method
    if not found:
        other = next((what for end, what in OTHER_KINDS.items() if end in ends), "")
        reason = f"it is {other}, which isn't supported" if other else NO_KIND
        raise JobError("style_broken", reason=reason)
    return found


def check_pairs(header: dict[str, Any]) -> None:
    """Raise JobError("style_broken") for half a pair, or halves of different ranks."""
    found: dict[str, dict[str, list[int]]] = {}
    for name, entry in header.items():
        if name != tensorfile.METADATA:
            layer, end = parse_key(name)
            found.setdefault(layer, {})[end] = entry["shape"]
    for layer, ends in found.items():
        for one, other in PAIRS:
            if (one in ends) != (other in ends):
                half, lost = (one, other) if one in ends else (other, one)
                named = tensorfile.shorten(layer)
                raise JobError("style_broken", reason=f"{named} has {half} without {lost}")
        for up, down in () if ends.keys() & set(TUCKER) else RANKED:
            if up in ends and len(ends[up]) > 1 and ends[up][1] != (*ends[down], 0)[0]:
                reason = f"{up} and {down} of {tensorfile.shorten(layer)} have different ranks"
                raise JobError("style_broken", reason=reason)


def read_header(file: Path) -> dict[str, Any]:
    """Read the header of a safetensors file, checked against the file's bytes.

    Raises JobError: "style_missing", "style_foreign" for another kind of file, "style_broken".
    """
    with faults_of(file):
        return tensorfile.read_header(file)


def read_sound_header(file: Path) -> dict[str, Any]:
    """Read the header of a file of which everything is whole: its pairs and its numbers, too.

    The whole file is read. Raises JobError as `read_header` does.
    """
    header = read_header(file)
    check_pairs(header)
    check_numbers(file, header)
    return header


def check_numbers(file: Path, header: dict[str, Any]) -> None:
    """Read a file's tensors; raise JobError("style_broken") for NaN and infinite numbers."""
    with faults_of(file):
        tensorfile.check_numbers(file, header)


@contextmanager
def faults_of(file: Path) -> Iterator[None]:
    """Turn what can be wrong with a file into a JobError."""
    try:
        yield
    except FileNotFoundError as missing:
        raise JobError("style_missing", file=file.name) from missing
    except OSError as closed:
        reason = (closed.strerror or "it can't be read").lower()
        raise JobError("style_closed", file=file.name, reason=reason) from closed
    except tensorfile.BadFileError as bad:
        code = "style_foreign" if bad.foreign else "style_broken"
        raise JobError(code, file=file.name, reason=bad.reason) from bad
