"""`safelight check` judges the photos of a folder."""

from __future__ import annotations

import json
import subprocess
import sys

from PIL import Image, ImageOps

from bot import wording
from bot.terminal.check import check_lines, find_unchecked
from bot.wording import fill, verdicts
from storage.planning.readiness import Level, Readiness
from storage.planning.verdicts import Verdict
from tests.storage.photos.scenes import draw_scene


def test_check(tmp_path):
    """Photos have verdicts and crops, shots are grouped, captions audited: as JSON and as text."""
    wide = draw_scene(1, (900, 300))
    wide.save(tmp_path / "b.png")
    ImageOps.mirror(wide).save(tmp_path / "c.png")
    wide.save(tmp_path / "d.png")
    Image.new("RGB", (300, 300), "red").save(tmp_path / "a.png")
    for name, caption in (("a", "mydog, red"), ("b", ""), ("c", "mydog, a hill " + "far " * 80)):
        (tmp_path / f"{name}.txt").write_text(caption)
    command = [sys.executable, "-m", "bot.terminal.cli", "check", tmp_path, "--json"]
    command += ["--trigger", "mydog"]

    done = subprocess.run(command, capture_output=True, check=True, text=True)

    told = json.loads(done.stdout)
    plain, first, second = told["photos"]
    assert (told["groups"], told["different"]) == ([["b.png", "c.png"]], 2)
    assert [finding["code"] for finding in plain["findings"]] == ["plain"]
    assert first["findings"][0]["others"] == ["c.png"]
    assert (first["crop"]["cut"], second["crop"]["cut"]) == (0.3889, 0.3889)
    assert "d.png" in done.stderr
    captions = told["captions"]
    (empty,) = captions["findings"]
    assert (captions["trigger"], captions["written"]) == ("mydog", 2)
    assert (empty["kind"], empty["photos"], captions["cut"]["count"]) == ("empty", ["b.png"], 1)
    assert captions["cut"]["ignored"].startswith("far far")
    ready = Readiness.from_json(told["readiness"])
    assert (ready.level, ready.advice, ready.missing) == (Level.NOT_YET, "few", 2)
    lines = [*check_lines(told)]
    reason = f"{verdicts.WHY['plain']} {verdicts.ADVICE['plain']}"
    assert fill(wording.shell.CHECKED_PHOTO, file="a.png", said=reason) in lines
    assert (
        verdicts.name_unchecked(
            find_unchecked([Verdict.from_json(each) for each in told["photos"]])
        )
        in lines
    )
    assert verdicts.explain_readiness(ready, in_shell=True) in lines
    assert lines[-4:] == verdicts.draw_grid(ready)
