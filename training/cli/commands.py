"""`python -m training bases`, `device`, `train`, `inspect`, ...: one task, told on stdout.

Each event is a line of JSON; the last one is terminal, and by then what came out lies in `--out`.
No database is opened.
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage.folders import JobFolder
from training.cli import bases as stock
from training.cli import styles
from training.cli.local import Shell
from training.cli.output import attempted, tell

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from training.settings import TrainingSettings


def obey(chosen: argparse.Namespace, settings: TrainingSettings) -> int:
    """Do what the arguments say and return the exit code."""
    if chosen.command == "bases":
        return bases(chosen.fetch, settings)
    if chosen.command == "device":
        tell({"kind": "device"} | device(settings))
        return 0
    if chosen.command in {"inspect", "shrink", "export", "promote"}:
        return asked(chosen, settings)
    with tempfile.TemporaryDirectory(prefix="safelight-") as place:
        shell = Shell(JobFolder(Path(place)), chosen, settings)
        end = attempted(shell.advise) if chosen.command == "advise" else shell.work()
    tell(end)
    return 0 if end["kind"] in {"done", "advised"} else 1


def bases(wanted: Sequence[str], settings: TrainingSettings) -> int:
    """List the bases, or fetch some; one that cannot be fetched does not keep the others."""
    if not wanted:
        found = stock.listing(settings)
        tell({"kind": "bases"} | found)
        return int(bool(found["wrong"]))
    code = 0
    for name in wanted:
        try:
            end = attempted(partial(stock.fetch, settings, name, tell))
        except KeyboardInterrupt:  # what has come is kept; who started this process says so
            return 130
        tell(end)
        code |= end["kind"] == "failed"
    return code


def device(settings: TrainingSettings) -> dict[str, Any]:
    """Tell about torch and the device."""
    import torch  # noqa: PLC0415 - seconds, and only this command needs it

    from training.device import (  # noqa: PLC0415 - the same
        Device,
        diagnose_gpu,
        read_driver_version,
    )
    from training.run import memory  # noqa: PLC0415 - the same

    found = Device.open(cpu=settings.device == "cpu", precision=settings.precision)
    driver, cuda = read_driver_version(), torch.version.cuda
    return {
        "torch": torch.__version__,
        "device": found.torch_device.type,
        "name": found.name,
        "precision": found.precision,
        "free": found.free_mib(),
        "driver": driver or "",
        "cuda": cuda or "",
        "gpu_problem": diagnose_gpu(driver, cuda, usable=found.torch_device.type == "cuda"),
        "reach": memory.reach(found.total_mib(), found.precision) if found.total_mib() else {},
    }


def asked(chosen: argparse.Namespace, settings: TrainingSettings) -> int:
    """Answer about one file, or say what is wrong with it."""
    line = attempted(partial(styles.handled, chosen, settings))
    tell({"file": chosen.file.name} | line)
    return int(line["kind"] == "failed")
