"""In which programs a style's file loads, by the names of its tensors.

What a program reads was looked up in its source. The reasons stand with the methods (`TRAITS`) and
the families (`FILES`), each beside its source; `docs/compatibility.md` is the table of them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from training import families, methods
from training.networks.keys import split_key
from training.networks.traits import PROGRAMS, FamilyFiles
from training.styles.header import find_method


def incompatibilities(names: Collection[str], family: str = "") -> dict[str, str]:
    """Return, by program, why it cannot read a file of these tensors; "" where it can.

    Names of tensors do not tell Stable Diffusion 1 from 2: the family does, where it is known.
    """
    method = find_method(names)
    files = family_files(names, family)
    traits = methods.walk()[method].TRAITS
    if traits.marks.model:
        return files.model_incompatibilities(names) | files.unknown_to
    layers = {split_key(name)[0] for name in names if not name.startswith(traits.marks.starts)} - {
        ""
    }
    found = {}
    for program in PROGRAMS:
        reason = traits.unreadable.get(program)
        if reason is None or method in files.also_reads.get(program, ()):
            reason = unknown_layer(layers, files.known.get(program, (".+",)))
        found[program] = reason
    return found | files.no_adapters | files.unknown_to


def readable_by(names: Collection[str], family: str = "") -> list[str]:
    """List the programs that read a file of these tensors."""
    return [program for program, reason in incompatibilities(names, family).items() if not reason]


def family_files(names: Collection[str], family: str) -> FamilyFiles:
    """Return what is known of a family's files; of an unnamed family, by the names of tensors."""
    known = {name: module.FILES for name, module in families.walk().items()}
    if family in known:
        return known[family]
    for files in known.values():
        if any(name.startswith(files.layers + files.model) for name in names):
            return files
    return FamilyFiles()


def unknown_layer(layers: Iterable[str], patterns: tuple[str, ...]) -> str:
    """Return the first layer that a program does not know as a reason, "" if it knows all."""
    for layer in sorted(layers):
        if not any(re.fullmatch(pattern, layer) for pattern in patterns):
            return f"does not know {layer[:80]}"
    return ""
