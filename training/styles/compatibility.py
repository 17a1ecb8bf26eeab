"""In which programs a style's file loads, by the names of its tensors.

What a program reads was looked up in its source. The reasons stand with the methods (`TRAITS`) and
the families (`FILES`), each beside its source; `docs/compatibility.md` is the table of them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import replace

from training import families, methods
from training.modelfiles.tensorfile import shorten
from training.networks.keys import split_key
from training.networks.traits import PROGRAMS, FamilyFiles
from training.styles.header import find_method


def incompatibilities(names: Collection[str], family: str = "") -> dict[str, str]:
    """Return, by program, why it cannot read a file of these tensors; "" where it can.

    Names of tensors do not tell Stable Diffusion 1 from 2: the family does, where it is known.
    """
    method = find_method(names)
    files = family_files(names, family)
    traits, named = methods.walk()[method].TRAITS, files.known
    if traits.marks.model:
        return files.model_incompatibilities(names) | files.unknown_to
    layers = {split_key(name)[0] for name in names if not name.startswith(traits.marks.starts)} - {
        ""
    }
    if traits.lycoris:
        named = named | files.known_lycoris
    found = {}
    for program in PROGRAMS:
        reason = traits.unreadable.get(program)
        if reason is None or method in files.also_reads.get(program, ()):
            reason = unknown_layer(layers, named.get(program, (".+",)))
        found[program] = reason
    refused = {
        program: reason
        for program, reason in files.no_adapters.items()
        if method not in files.needs.get(program, {})
    }
    return found | refused | files.unknown_to


def find_needs(names: Collection[str], family: str = "") -> dict[str, str]:
    """Return, by program, what it takes beside a file of these tensors to read it there.

    Programs that need nothing, or cannot read it, are left out.
    """
    method, reasons = find_method(names), incompatibilities(names, family)
    by_family = family_files(names, family).needs.items()
    found = methods.walk()[method].TRAITS.needs | {
        program: by_method[method] for program, by_method in by_family if method in by_method
    }
    return {
        program: found[program]
        for program in PROGRAMS
        if program in found and not reasons[program]
    }


def readable_by(names: Collection[str], family: str = "") -> list[str]:
    """List the programs that read a file of these tensors, and need nothing else for it."""
    reasons, needs = incompatibilities(names, family), find_needs(names, family)
    return [program for program in PROGRAMS if not reasons[program] and program not in needs]


def family_files(names: Collection[str], family: str) -> FamilyFiles:
    """Return what is known of a family's files; of an unnamed family, by the names of tensors.

    Where several families have such names, what one of them alone needs is left out.
    """
    known = {name: module.FILES for name, module in families.walk().items()}
    if family in known:
        return known[family]
    found = [
        files
        for files in known.values()
        if any(name.startswith(files.layers + files.model) for name in names)
    ] or [FamilyFiles()]
    return found[0] if len(found) == 1 else replace(found[0], needs={})


def unknown_layer(layers: Iterable[str], patterns: tuple[str, ...]) -> str:
    """Return the first layer that a program does not know as a reason, "" if it knows all."""
    for layer in sorted(layers):
        if not any(re.fullmatch(pattern, layer) for pattern in patterns):
            return f"does not know {shorten(layer)}"
    return ""
