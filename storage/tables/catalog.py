"""The catalog: what can be trained, published by the scheduler and read by the bot."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from storage.records import Base, Catalog, Commercial, Concept, Dial, Domain, Method, Rule
from storage.tables.database import Database

#: what fields of a method were called before 0.2; an older trainer's catalog is still read
OLD_NAMES = {"word": "learns_word", "paces": "own_rates"}


class Catalogs:
    """The catalog that was published last."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def publish(self, catalog: Catalog) -> None:
        """Replace the catalog."""
        await self._database.execute(
            "INSERT INTO catalog (id, body) VALUES (1, :body)"
            " ON CONFLICT (id) DO UPDATE SET body = excluded.body",
            body=json.dumps(asdict(catalog)),
        )

    async def read(self) -> Catalog:
        """Return the catalog; an empty one if no scheduler ever ran."""
        row = await self._database.fetch_one("SELECT body FROM catalog")
        return Catalog() if row is None else catalog_from_json(json.loads(row["body"]))


def catalog_from_json(body: dict[str, Any]) -> Catalog:
    """Read a catalog from the JSON of `dataclasses.asdict`."""
    return Catalog(
        **body
        | {
            "bases": tuple(_base_from_json(base) for base in body["bases"]),
            "methods": tuple(_method_from_json(method) for method in body["methods"]),
            "rules": tuple(_rule_from_json(rule) for rule in body["rules"]),
        }
    )


def _base_from_json(body: dict[str, Any]) -> Base:
    domain = Domain(body.get("domain", Domain.GENERAL))
    commercial = Commercial(body.get("commercial", Commercial.UNSEEN))
    return Base(**body | {"domain": domain, "commercial": commercial})


def _method_from_json(body: dict[str, Any] | str) -> Method:
    if isinstance(body, str):  # an older trainer's, until a new one publishes
        return Method(body)
    content = {OLD_NAMES.get(name, name): value for name, value in body.items()}
    return Method(**content | {"ranks": tuple(body["ranks"])})


def _rule_from_json(body: dict[str, Any]) -> Rule:
    concept, dial = Concept(body["concept"]), Dial(body["dial"])
    return Rule(**body | {"concept": concept, "dial": dial})
