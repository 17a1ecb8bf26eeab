"""What the rest of training knows of a method or a family without running it.

A method's module has a `MethodTraits`, a family's a `FamilyFiles`; what people choose by is in
`storage.records.Method`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

#: programs that read styles, in the order of docs/compatibility.md
PROGRAMS = ("kohya", "AUTOMATIC1111", "Forge", "Forge Neo", "ComfyUI", "diffusers")


def _readable(names: Collection[str]) -> dict[str, str]:  # noqa: ARG001 - any file
    return dict.fromkeys(PROGRAMS, "")


@dataclass(frozen=True, slots=True)
class KeyMarks:
    """How the tensors in a method's file are named, so that anybody's file is recognised."""

    exact: tuple[frozenset[str], ...] = ()  #: the names of all its tensors
    starts: tuple[str, ...] = ()  #: how the name of one of them begins
    ends: tuple[str, ...] = ()  #: how one begins after the name of its layer; each must occur
    model: bool = False  #: whether its file is a whole model of a family

    def match(self, names: Collection[str], ends: Collection[str]) -> int:
        """Return how surely a file is the method's, 0 where it is not.

        `ends` are the names without those of their layers. Of two methods that match, the surer
        one is meant: every DoRA has a LoRA's tensors, too.
        """
        if set(names) in self.exact:
            return 100
        if any(name.startswith(self.starts) for name in names):
            return 50
        found = [any(end.startswith(mark) for end in ends) for mark in self.ends]
        return len(found) if all(found) else 0


@dataclass(frozen=True, slots=True)
class MethodTraits:
    """What training needs to know of a method."""

    modelspec: str = "lora"  #: what modelspec calls its file; "" for a whole model
    marks: KeyMarks = KeyMarks()
    named_by_file: bool = False  #: whether programs take a file's name for its trigger
    #: LyCORIS' arguments for it (`ss_network_args`); empty if it is none of LyCORIS' algorithms
    lycoris: Mapping[str, str] = field(default_factory=dict)
    rebuilds_weights: bool = False  #: computes every adapted weight anew in each step
    reads_weights: bool = False  #: needs the numbers of the base's weights, so they stay unrounded
    learns_text: bool = False  #: changes what prompts become, with frozen text encoders, too
    #: by program: why it cannot read the method's files; "" where it can, whatever the names of
    #: layers are. Programs that are not listed read all whose layers they know
    unreadable: dict[str, str] = field(default_factory=dict)
    #: by program: what it takes beside the file, where it reads it: "a copy of the file in …"
    needs: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FamilyFiles:
    """How a family's files are named, and what other programs know of them."""

    layers: tuple[str, ...] = ()  #: how the keys of its layers begin
    model: tuple[str, ...] = ()  #: how the name of some tensor of a whole model's file begins
    #: by program: patterns of the layers it knows; programs that are not listed know any
    known: dict[str, tuple[str, ...]] = field(default_factory=dict)
    #: the same for files of LyCORIS' algorithms, where a program reads these otherwise
    known_lycoris: dict[str, tuple[str, ...]] = field(default_factory=dict)
    #: by program: why it reads no adapters but those of the methods in `needs`
    no_adapters: dict[str, str] = field(default_factory=dict)
    unknown_to: dict[str, str] = field(default_factory=dict)  #: by program: why it reads nothing
    #: by program: methods that it reads for this family, if for no other
    also_reads: dict[str, Collection[str]] = field(default_factory=dict)
    #: by program, and by method: what it takes beside the file
    needs: dict[str, dict[str, str]] = field(default_factory=dict)
    #: by program, for the names of a whole model's tensors: why it cannot read that; "" if it can
    model_incompatibilities: Callable[[Collection[str]], dict[str, str]] = _readable
