"""Where jobs run when workers differ: what each of them can do, and all of them together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import chain

from storage.records import Base, Catalog, Place


def list_runs(catalog: Catalog) -> frozenset[str]:
    """Return what a worker has and has the memory for, by name.

    These are bases, trainings on them (`name_training`) by their estimates, and its captioner.
    Without a GPU only the embedded base fits, unless there is no other place for the rest.
    """
    fitting = {
        base.name
        for base in catalog.bases
        if base.present and base.known and (base.small or base.memory_mib <= catalog.memory_mib)
    }
    small = {base.name for base in catalog.bases if base.small}
    trainings = {
        name_training(rule.base, rule.method)
        for rule in catalog.rules
        if rule.base in fitting and (rule.base in small or rule.memory_mib <= catalog.memory_mib)
    }
    return frozenset({*fitting, *trainings, catalog.captioner})


def name_training(base: str, method: str) -> str:
    """Name what a method trains on a base, as queries of the queue do."""
    return f"{base} {method}"


def merge_catalogs(catalogs: Mapping[str, Catalog]) -> Catalog:
    """Return the catalog of all workers, by their names; an empty one of none.

    A base is there if any worker has it. Its rules, with the memory they take, are those of the
    place where it would run. Workers that are away are left out, unless all of them are.
    """
    catalogs = {name: each for name, each in catalogs.items() if not each.away} or catalogs
    ordered = sorted(catalogs.items(), key=lambda item: (-item[1].memory_mib, item[0]))
    if not ordered:
        return Catalog()
    places = tuple(
        Place(name, each.device, each.memory_mib, each.stepper, list_runs(each))
        for name, each in ordered
    )
    largest = ordered[0][1]
    bases: dict[str, Base] = {}
    for base in chain.from_iterable(each.bases for _, each in ordered):
        if base.name not in bases or (base.present and not bases[base.name].present):
            bases[base.name] = base
    merged = replace(
        largest,
        bases=tuple(bases.values()),
        methods=tuple({m.name: m for _, each in reversed(ordered) for m in each.methods}.values()),
        places=places,
        away=False,
        published=max(each.published for _, each in ordered),
    )
    rules = (
        rule
        for name in bases
        for rule in choose_catalog(catalogs, merged, name).rules
        if rule.base == name
    )
    return replace(merged, rules=tuple(rules))


def choose_catalog(catalogs: Mapping[str, Catalog], merged: Catalog, base: str) -> Catalog:
    """Return the catalog of the worker that would run a base, or of one that knows it."""
    chosen = catalogs[find_place(merged, base).worker]
    knowing = [each for each in (chosen, *catalogs.values()) if each.get_base(base)]
    return knowing[0]


def find_place(catalog: Catalog, base: str) -> Place:
    """Return where a base would run: the largest place that can run it, else the largest."""
    own = Place("", catalog.device, catalog.memory_mib, catalog.stepper, list_runs(catalog))
    places = catalog.places or (own,)
    return next((place for place in places if base in place.runs), places[0])


def name_place(catalog: Catalog, place: Place) -> str:
    """Name a place for people: its device, and its worker where there are several."""
    return f"{place.device} ({place.worker})" if len(catalog.places) > 1 else place.device


def name_for_timings(catalog: Catalog, device: str) -> str:
    """Name a device as timings know it: compiled steps are faster, but are compiled first."""
    known = {place.device: place.stepper for place in reversed(catalog.places)}
    stepper = known.get(device, catalog.stepper)
    return f"{device}, {stepper}" if stepper else device


def training_mib(catalog: Catalog, base: str) -> int:
    """Return the MiB of GPU memory that the largest training on a base takes; 0 is little."""
    return max((rule.memory_mib for rule in catalog.rules if rule.base == base), default=0)
