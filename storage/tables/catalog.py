"""The catalog: what can be trained, published by the scheduler and read by the bot."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict, replace
from typing import Any

from storage.places import merge_catalogs
from storage.records import Base, Catalog, Commercial, Concept, Dial, Domain, Method, Rule
from storage.tables.database import Database

#: field names of before 0.2, as catalogs have them that an older worker published
OLD_NAMES: dict[type, dict[str, str]] = {
    Catalog: {"memory": "memory_mib"},
    Base: {"memory": "memory_mib", "skip": "clip_skip", "seen": "licence_url"},
    Method: {"word": "learns_word", "paces": "own_rates"},
    Rule: {
        "photo": "steps_per_photo", "least": "min_steps", "most": "max_steps",
        "rate": "learning_rate", "batch": "batch_size", "bytes": "file_bytes",
        "prior": "num_class_images", "memory": "memory_mib",
    },
}  # fmt: skip


class Catalogs:
    """The catalog that each worker published last."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def publish(
        self, catalog: Catalog, worker: str = "", workers: Collection[str] = ()
    ) -> None:
        """Replace a worker's catalog; forget those of others than these `workers`."""
        body = json.dumps(asdict(replace(catalog, places=())))
        async with self._database.transaction() as tx:
            await tx.execute(
                "INSERT INTO worker_catalogs (worker, body) VALUES (:worker, :body)"
                " ON CONFLICT (worker) DO UPDATE SET body = excluded.body",
                worker=worker,
                body=body,
            )
            await tx.execute(
                "DELETE FROM worker_catalogs WHERE worker <> :worker"
                " AND worker NOT IN (SELECT value FROM json_each(:workers))",
                worker=worker,
                workers=json.dumps(list(workers)),
            )

    async def read_all(self, *, home: bool = False) -> dict[str, Catalog]:
        """Return the catalogs by the names of their workers; `home` leaves out other machines'."""
        sql = "SELECT worker, body FROM worker_catalogs"
        if home:
            sql += " WHERE worker NOT IN (SELECT place FROM nodes WHERE remote)"
        rows = await self._database.execute(sql)
        return {row["worker"]: catalog_from_json(json.loads(row["body"])) for row in rows}

    async def read(self, *, home: bool = False) -> Catalog:
        """Return the catalog of all workers, or of this machine's; an empty one of none."""
        return merge_catalogs(await self.read_all(home=home))


def catalog_from_json(body: dict[str, Any]) -> Catalog:
    """Read a catalog from the JSON of `dataclasses.asdict`."""
    content = _rename_fields(Catalog, body)
    content.pop("places", None)
    return Catalog(**content | {
        "bases": tuple(map(_base_from_json, content["bases"])),
        "methods": tuple(map(_method_from_json, content["methods"])),
        "rules": tuple(map(_rule_from_json, content["rules"])),
    })  # fmt: skip


def _base_from_json(body: dict[str, Any]) -> Base:
    domain = Domain(body.get("domain", Domain.GENERAL))
    commercial = Commercial(body.get("commercial", Commercial.UNSEEN))
    return Base(**_rename_fields(Base, body) | {"domain": domain, "commercial": commercial})


def _method_from_json(body: dict[str, Any]) -> Method:
    return Method(**_rename_fields(Method, body) | {"ranks": tuple(body["ranks"])})


def _rule_from_json(body: dict[str, Any]) -> Rule:
    concept, dial = Concept(body["concept"]), Dial(body["dial"])
    content = _rename_fields(Rule, body)
    content |= {"concept": concept, "dial": dial, "source": content.get("source", "")}
    content.pop("reason", None)  # of before 0.6: a code that no sentence was left for
    return Rule(**content)


def _rename_fields(kind: type, body: dict[str, Any]) -> dict[str, Any]:
    return {OLD_NAMES[kind].get(name, name): value for name, value in body.items()}
