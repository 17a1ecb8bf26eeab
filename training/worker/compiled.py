"""What torch.compile makes of training steps, kept on the disk for later processes."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

MAX_COMPILED_MIB = 2048  #: of the folder; it is emptied when it is larger
FOLDER_VARIABLE = "TORCHINDUCTOR_CACHE_DIR"  #: where torch's inductor looks, and Triton below it
MIB = 2**20


def keep_compiled(folder: Path, most_mib: int = MAX_COMPILED_MIB) -> None:
    """Have torch keep in a folder what it compiles, unless the operator named another one.

    Only this worker's user can write there: torch unpickles what it finds.
    """
    if FOLDER_VARIABLE in os.environ:
        return
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    if size > most_mib * MIB:
        shutil.rmtree(folder)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.environ[FOLDER_VARIABLE] = str(folder)
