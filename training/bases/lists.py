"""Lists of bases in TOML: the one that ships with Safelight, and an operator's."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from storage.errors import UserError
from storage.records import Base, Commercial, Domain
from training import captioners, families

SHIPPED_LIST = Path(__file__).with_name("bases.toml")
REQUIRED_FIELDS = ("title", "family", "source", "resolution", "good")
UNREAD_LICENCE = "unseen"  #: the licence of a base whose licence nobody has read
TEXT_FIELDS = ("title", "family", "source", "licence", "good", "weak", "terms", "licence_url")
NUMBER_FIELDS = {"resolution": (8, 4096), "memory_mib": (0, 1 << 20), "clip_skip": (1, 12)}
#: of fields before 0.2: read for ever, never written
OLD_NAMES = {"memory": "memory_mib", "skip": "clip_skip", "seen": "licence_url"}
CHOICE_FIELDS = {
    "domain": tuple(Domain),
    "commercial": tuple(Commercial),
    "prediction": ("epsilon", "v_prediction", "flow"),
}
FIELDS = {*TEXT_FIELDS, *NUMBER_FIELDS, *CHOICE_FIELDS, "small"}
BASE_FILE = "base.toml"  #: in a folder that is a base: its entry
MAX_TEXT_CHARS = 300  #: as texts go on cards
MAX_NAME_CHARS = 64  #: of names and titles


def read_lists(section: str, more: Path | None) -> tuple[list[Base], list[UserError]]:
    """Read the shipped list and an operator's, whose entries replace shipped ones by name.

    Returns the entries of a section, "bases" or "captioners", and what is wrong with the lists.
    """
    shipped, errors = read_shipped_list(section)
    if more is None:
        return shipped, errors
    own, own_errors = read_list(more, section)
    if section != "bases":  # an operator's list may have bases only
        own_errors = []
    by_name = {base.name: base for base in (*shipped, *own)}
    return list(by_name.values()), [*errors, *own_errors]


@cache
def read_shipped_list(section: str) -> tuple[list[Base], list[UserError]]:
    """Read the shipped list, once."""
    return read_list(SHIPPED_LIST, section)


def read_list(path: Path, section: str = "bases") -> tuple[list[Base], list[UserError]]:
    """Return the bases of a list, none of them present, and the errors of the other entries.

    A file that is not TOML has no bases and one error.
    """
    try:
        content = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as broken:
        return [], [UserError("list_broken", file=path.name, problem=str(broken))]
    bases, errors = list[Base](), list[UserError]()
    known = (captioners if section == "captioners" else families).names()
    entries = content.get(section)
    if not isinstance(entries, dict):
        return [], [UserError("list_empty", file=path.name)]
    for name, written in entries.items():
        entry = current_names(written)
        fault = next(find_faults(name, entry), None)
        if fault is None:
            bases.append(make_base(name, entry, known=entry["family"] in known))
        else:
            base = name[:MAX_NAME_CHARS]
            errors.append(UserError(fault.pop("code"), file=path.name, base=base, **fault))
    return bases, errors


def current_names(entry: Any) -> Any:
    """Return an entry with every field under the name it has now."""
    if not isinstance(entry, dict):
        return entry
    return {OLD_NAMES.get(field, field): value for field, value in entry.items()}


def make_base(name: str, entry: dict[str, Any], *, known: bool) -> Base:
    """Return the base of an entry without faults; `known` is whether its family is."""
    given = {"licence": UNREAD_LICENCE, **entry}
    for field, kind in (("domain", Domain), ("commercial", Commercial)):
        if field in given:
            given[field] = kind(given[field])
    return Base(name=name, present=False, known=known, **given)


def format_entry(base: Base) -> str:
    """Return a base as an entry in TOML."""
    lines = [f"[bases.{quote(base.name)}]"]
    for field in sorted(FIELDS):
        value = getattr(base, field)
        if value:
            written = str(value).lower() if isinstance(value, int) else quote(str(value))
            lines.append(f"{field} = {written}")
    return "\n".join(lines) + "\n"


def quote(text: str) -> str:
    """Quote a text as TOML does: JSON's way, but letters stay, as TOML refuses surrogate pairs."""
    return json.dumps(text, ensure_ascii=False)


def read_base_file(place: Path) -> Base | None:
    """Return the base whose entry lies in a folder; None if there is none."""
    path = place / BASE_FILE
    bases = read_list(path)[0] if path.is_file() else []
    return replace(bases[0], name=place.stem, source=place.name) if bases else None


def find_faults(name: str, entry: object) -> Iterator[dict[str, Any]]:
    """Yield what is wrong with an entry: an error's code and facts."""
    if not isinstance(entry, dict):
        yield {"code": "list_field", "field": name[:MAX_NAME_CHARS], "wants": "a table"}
        return
    if not name.isprintable() or not 0 < len(name) <= MAX_NAME_CHARS:
        yield {
            "code": "list_field",
            "field": "name",
            "wants": f"1 to {MAX_NAME_CHARS} printable letters",
        }
    for field in REQUIRED_FIELDS:
        if field not in entry:
            yield {"code": "list_missing", "field": field}
    for field, value in entry.items():
        if field not in FIELDS:
            yield {"code": "list_unknown", "field": field[:MAX_NAME_CHARS]}
        elif wants := describe_wanted(field, value):
            yield {"code": "list_field", "field": field, "wants": wants}
    yield from find_prediction_faults(entry)


def find_prediction_faults(entry: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a fault if the base is to predict what its family does not."""
    prediction = entry.get("prediction", "")
    flow = [name for name, each in families.walk().items() if each.OBJECTIVE == "flow"]
    if prediction and (prediction == "flow") != (entry.get("family") in flow):
        only = f"flow for {', '.join(flow)} alone"
        yield {"code": "list_field", "field": "prediction", "wants": only}


def describe_wanted(field: str, value: object) -> str:
    """Return what a field takes if a value is not that, else ""."""
    if field == "small":
        return "" if isinstance(value, bool) else "true or false"
    if field in NUMBER_FIELDS:
        least, most = NUMBER_FIELDS[field]
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return ""
        return f"a whole number, {least} to {most}"
    if field in CHOICE_FIELDS:
        return "" if value in CHOICE_FIELDS[field] else " or ".join(CHOICE_FIELDS[field])
    longest = MAX_NAME_CHARS if field == "title" else MAX_TEXT_CHARS
    fine = isinstance(value, str) and value.isprintable() and 0 < len(value) <= longest
    return "" if fine else f"a line of text, {longest} letters at most"
