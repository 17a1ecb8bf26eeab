"""What the last backups came to, for the doctor: `backup.json` in the data folder."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from storage.backup.manifest import MAX_AHEAD_SECONDS
from storage.errors import SafelightError
from storage.folders import Home, write_json


@dataclass(frozen=True, slots=True)
class BackupStatus:
    """When backups were made and verified, and what went wrong since. Times are unix seconds."""

    folder: str = ""
    made: float = 0.0
    verified: float = 0.0
    failed: float = 0.0  #: 0 if nothing failed since the last success
    code: str = ""  #: of what failed
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def error(self) -> SafelightError | None:
        """What failed last; None if it has succeeded since."""
        return SafelightError(self.code, **self.facts) if self.failed else None

    @classmethod
    def read(cls, home: Home) -> BackupStatus:
        """Return what was written last; nothing if no backup was ever made.

        What a wrong clock has dated ahead counts as never, so that it is done again.
        """
        try:
            found = cls(**json.loads(home.backup_status_file.read_text("utf-8")))
            latest = time.time() + MAX_AHEAD_SECONDS
            made, verified = (at if at < latest else 0.0 for at in (found.made, found.verified))
            return replace(found, made=made, verified=verified)
        except (OSError, ValueError, TypeError):
            return cls()

    def write(self, home: Home) -> None:
        """Write it into the data folder."""
        write_json(home.backup_status_file, asdict(self))

    def after_backup(self, folder: str) -> BackupStatus:
        """Return the status after a backup was made."""
        return BackupStatus(folder, made=time.time(), verified=self.verified)

    def after_verification(self, folder: str) -> BackupStatus:
        """Return the status after a backup was verified."""
        return BackupStatus(folder, made=self.made, verified=time.time())

    def after_failure(self, folder: str, error: SafelightError) -> BackupStatus:
        """Return the status after something failed."""
        return replace(self, folder=folder, failed=time.time(), code=error.code, facts=error.facts)
