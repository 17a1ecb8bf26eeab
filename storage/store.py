"""`Store`: the tables and the data folder, opened together."""

from __future__ import annotations

import asyncio
from typing import Self

from storage.carefultime import read_careful_time
from storage.folders import ASIDE_DAYS, Home
from storage.homefolder import create_home
from storage.tables.captions import Captions
from storage.tables.catalog import Catalogs
from storage.tables.checkpoints import Checkpoints
from storage.tables.comparisons import Comparisons
from storage.tables.consents import Consents
from storage.tables.contributors import Contributors
from storage.tables.database import Database
from storage.tables.datasets import Datasets
from storage.tables.drafts import Drafts
from storage.tables.durations import Durations
from storage.tables.events import Events
from storage.tables.jobs import Jobs
from storage.tables.likes import Likes
from storage.tables.members import Members
from storage.tables.nodes import Nodes
from storage.tables.orphans import Orphans
from storage.tables.photos import Photos
from storage.tables.posts import Posts
from storage.tables.retention import Retention
from storage.tables.sealing import Sealing
from storage.tables.servers import Reports, Servers
from storage.tables.staying import Staying
from storage.tables.studies import Studies
from storage.tables.styles import Styles
from storage.tables.trash import Trash
from storage.tables.uploads import Uploads
from storage.tables.withdrawal import Withdrawals


class Store:
    """Everything Safelight stores, for one process."""

    def __init__(self, database: Database, home: Home) -> None:
        trash = Trash(database, home)
        self._database, self._trash, self.home = database, trash, home
        self.members = Members(database, trash)
        self.consents = Consents(database)
        self.contributors = Contributors(database, trash)
        self.withdrawals = Withdrawals(database, trash)
        self.servers = Servers(database)
        self.datasets = Datasets(database, trash)
        self.drafts = Drafts(database)
        self.photos = Photos(database, trash, home)
        self.sealing = Sealing(database, trash)
        self.captions = Captions(database)
        self.uploads = Uploads(database)
        self.jobs = Jobs(database, trash)
        self.comparisons = Comparisons(database, trash)
        self.events = Events(database)
        self.likes = Likes(database)
        self.catalog = Catalogs(database)
        self.nodes = Nodes(database)
        self.staying = Staying(database)
        self.orphans = Orphans(database, home)
        self.durations = Durations(database)
        self.styles = Styles(database, trash, home)
        self.studies = Studies(database, trash)
        self.checkpoints = Checkpoints(database, home)
        self.reports = Reports(database)
        self.posts = Posts(database)
        self.retention = Retention(database, trash)

    @classmethod
    async def open(cls, home: Home) -> Store:
        """Create the data folder if needed, migrate its database, and remove orphaned files.

        Raises UserError: "home_missing", "home_closed", "database_empty", "database_damaged",
        "database_newer" or "disk_full".
        """
        await asyncio.to_thread(create_home, home)
        store = cls(await Database.open(home.database_file), home)
        try:
            await store.sweep()
        except BaseException:
            await store.close()
            raise
        return store

    @classmethod
    async def check(cls, home: Home) -> None:
        """Open and close the store, before anything that takes long."""
        async with await cls.open(home):
            pass

    async def sweep(self) -> None:
        """Remove what deleted rows left, and old copies of the database from before migrations."""
        await self._trash.sweep()
        now = await asyncio.to_thread(read_careful_time, self.home)
        await self._database.remove_snapshots(now - ASIDE_DAYS * 86400.0)

    async def close(self) -> None:
        """Close the database."""
        await self._database.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
