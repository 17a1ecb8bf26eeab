"""The doctor checks each part of the setup and says what to do about problems."""

from __future__ import annotations

import json
import shutil
import sys

import pytest
from aiohttp import web
from yarl import URL

from bot import wording
from bot.settings import BotSettings
from bot.terminal import doctor
from bot.terminal.doctor import FAIL, OK, WARN
from storage.folders import Home
from storage.tables.database import MIGRATIONS, Database

DEVICE = {"kind": "device", "torch": "2.15.0", "device": "cpu", "name": "CPU, 2 cores"}
BASE = {"name": "embedded", "present": True, "known": True}
BASES = {"kind": "bases", "bases": [BASE], "captioner": {"name": "embedded", "present": True}}
BASES |= {"captioners": [], "wrong": []}


def program(**answers):
    """Return a stand-in for `python -m training` with these answers."""
    script = f"import sys; print({answers!r}.get(sys.argv[1], ''))"
    return [sys.executable, "-c", script]


def healthy(**changed):
    """Return a working training, except for what is changed."""
    device = DEVICE | {"precision": "fp32", "free": 2048}
    answers = {"device": json.dumps(device), "bases": json.dumps(BASES)}
    return program(**(answers | changed))


def settings(path, **changed):
    """Return settings without any environment."""
    return BotSettings(_env_file=None, home=path, **({"disk": 0} | changed))


async def list_findings(arguments, monkeypatch, path, **environment):
    """Return every finding by its first words."""
    monkeypatch.chdir(path)
    for name in ("DISCORD_TOKEN", "PUBLIC_URL", "SAFELIGHT_HOME", "SAFELIGHT_DISK_MB"):
        monkeypatch.delenv(name, raising=False)
    known = {"SAFELIGHT_HOME": str(path), "SAFELIGHT_DISK_MB": "0"}
    for name, value in (known | environment).items():
        monkeypatch.setenv(name, value)
    return [found async for found in doctor.check_all(arguments)]


async def test_a_fresh_machine_runs(monkeypatch, tmp_path, capsys):
    """A new machine with only the embedded base has warnings, but no failures."""
    token = {"DISCORD_TOKEN": "a.b.c"}
    found = await list_findings(healthy(), monkeypatch, tmp_path, **token)
    marks = [one.mark for one in found]
    assert FAIL not in marks
    assert WARN in marks
    assert await doctor.run_checks(healthy()) == 0
    assert wording.doctor.VERDICTS["warn"] in capsys.readouterr().out


async def test_without_a_token_run_would_not_start(monkeypatch, tmp_path, capsys):
    """No token is a failure, as `safelight run` needs one; it says what works without."""
    found = await list_findings(healthy(), monkeypatch, tmp_path)
    failures = [one.text for one in found if one.mark == FAIL]
    assert failures == [wording.doctor.CHECKS["token_missing"]]
    assert await doctor.run_checks(healthy()) == 1
    assert wording.doctor.VERDICTS["fail"] in capsys.readouterr().out


async def test_a_broken_torch_fails_with_its_reason(monkeypatch, tmp_path, capsys):
    """If torch cannot be loaded, the failure shows the child's last line."""
    broken = [sys.executable, "-c", "raise ImportError('libcudart.so.13')"]
    found = await list_findings(broken, monkeypatch, tmp_path)
    assert any(f.mark == FAIL and "libcudart.so.13" in f.text for f in found)
    assert await doctor.run_checks(broken) == 1
    assert wording.doctor.VERDICTS["fail"] in capsys.readouterr().out


async def test_a_wrong_setting_ends_the_visit(monkeypatch, tmp_path):
    """A wrong setting is named with an example, and a token is never repeated."""
    found = await list_findings(healthy(), monkeypatch, tmp_path, DISCORD_TOKEN="my own")  # noqa: S106
    assert found[-1].mark == FAIL
    assert "DISCORD_TOKEN" in found[-1].text
    assert "my own" not in found[-1].text


async def test_a_wrong_list_of_bases_is_told(monkeypatch, tmp_path):
    """The line has the file, the base and the field; a missing base has its fetch command."""
    wrong = {"code": "list_missing", "file": "own.toml", "base": "mine", "field": "good"}
    away = BASE | {"name": "sd15", "present": False}
    strange = away | {"name": "odd", "known": False}
    answer = json.dumps(BASES | {"bases": [BASE, away, strange], "wrong": [wrong]})
    found = await list_findings(healthy(bases=answer), monkeypatch, tmp_path)
    texts = [line.text for line in found if line.mark == WARN]
    assert any("own.toml, mine has no good" in text for text in texts)
    assert any("not installed: sd15; " in text for text in texts)
    assert not any("odd" in text for text in texts)


async def test_missing_bases_and_captioner_are_named(monkeypatch, tmp_path):
    """Missing models are listed with the folder they belong in."""
    absent = {"name": "sd15", "present": False, "known": True}
    answer = BASES | {"bases": [BASE, absent], "captioner": {"name": "blip", "present": False}}
    found = await list_findings(healthy(bases=json.dumps(answer)), monkeypatch, tmp_path)
    texts = [f.text for f in found if f.mark == WARN]
    assert any("sd15" in text and str(tmp_path / "bases") in text for text in texts)
    assert texts[-2].startswith(
        "photos get no captions, because there is no captioner called blip"
    )


@pytest.mark.parametrize(
    ("version", "mark"), [((3, 37, 2), FAIL), ((3, 38, 0), OK), ((3, 50, 4), OK)]
)
def test_an_old_sqlite_fails(version, mark):
    """Too old a SQLite is a failure that names the required version."""
    found = doctor.check_sqlite(version)
    assert found.mark == mark
    assert ".".join(map(str, version)) in found.text
    assert ("3.38 or newer" in found.text) == (mark == FAIL)


def test_the_disk_is_written_to(tmp_path):
    """The disk line measures a safe write, and leaves no file."""
    found = doctor.check_disk(settings(tmp_path / "new"))
    assert "ms" in found.text
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_fails(tmp_path):
    """Less free space than the limit is a failure that names the setting."""
    found = doctor.check_disk(settings(tmp_path, min_free_mib=10**9))
    assert found.mark == FAIL
    assert "SAFELIGHT_DISK_MB" in found.text


def test_a_disk_without_room_fails(small_disk):
    """A disk that takes no more byte is called full, not closed."""
    small_disk.fill()
    found = doctor.check_disk(settings(small_disk.path))
    full = doctor.make_line(FAIL, "disk_full", path=small_disk.path)
    assert (found.mark, found.text) == (FAIL, full.text)


def test_a_data_folder_that_is_a_file_fails(tmp_path):
    """A data folder that cannot be written is a failure that names the setting."""
    (tmp_path / "file").write_text("")
    found = doctor.check_disk(settings(tmp_path / "file" / "home"))
    assert found.mark == FAIL
    assert "SAFELIGHT_HOME" in found.text


def test_a_database_that_is_none_fails(tmp_path):
    """A file that is no database is a failure; what is to be moved away is the whole folder."""
    (tmp_path / "safelight.db").write_bytes(b"no database" * 100)
    [found] = doctor.check_database(settings(tmp_path))
    assert found.mark == FAIL
    assert f"whole folder {tmp_path} away" in found.text


def list_content(folder):
    """Return every path below a folder, with what would show a change."""
    return {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in folder.rglob("*")}


@pytest.mark.parametrize("crashed", [False, True])
async def test_a_data_folder_is_left_as_it_is(tmp_path, crashed):
    """An older database is read and not migrated, also after a crash; nothing is written."""
    older = tmp_path / "migrations"
    older.mkdir()
    for file in sorted(MIGRATIONS.glob("*.sql"))[:-1]:
        shutil.copy(file, older)
    home = Home(tmp_path / "home")
    home.path.mkdir()
    database = await Database.open(tmp_path / "safelight.db", older)
    if not crashed:
        await database.close()
    for file in tmp_path.glob("safelight.db*"):
        shutil.copy(file, home.path)
    before = list_content(home.path)
    lines = doctor.check_home(settings(home.path))
    if crashed:
        await database.close()
    assert [line.mark for line in lines] == [OK, OK, WARN]
    assert "the next start updates it" in lines[1].text
    ours = {path for path in before if not path.name.endswith("-shm")}  # readers' locks
    after = list_content(home.path)
    assert {path: after[path] for path in ours} == {path: before[path] for path in ours}
    assert after.keys() == before.keys()


async def test_a_database_that_is_missing(tmp_path):
    """A new folder is well; photos, styles or jobs without a database are a warning."""
    new = doctor.check_database(settings(tmp_path))
    Home(tmp_path).job_folder("1-ab").path.mkdir(parents=True)
    lost = doctor.check_database(settings(tmp_path))
    assert [line.mark for line in (*new, *lost)] == [OK, WARN]
    assert "Put it back" in lost[0].text


async def test_the_quarantine_is_told(tmp_path):
    """What belongs to no row is told with its day, and with what to do."""
    for name in ("runs/1-ab", "runs/2-cd", "photos/ab"):
        (tmp_path / "quarantine" / "2026-11-20" / name).mkdir(parents=True)
    (tmp_path / "quarantine" / "2026-11-20" / "photos/ab/abc.png").touch()
    (tmp_path / "quarantine" / "2026-11-21").mkdir()
    [_, line] = doctor.check_database(settings(tmp_path))
    assert line.mark == WARN
    assert "2 jobs and 1 photo that belong to no row" in line.text
    assert "since 2026-11-20" in line.text


async def test_public_url_is_asked_for_a_sign_of_life(tmp_path, unused_tcp_port):
    """PUBLIC_URL is right if /health answers there; else a warning says where it should lead."""
    url = f"http://127.0.0.1:{unused_tcp_port}"
    assert (await doctor.check_public_url(settings(tmp_path, public_url=url))).mark == WARN

    async def health(_):
        return web.Response(text="ok")

    app = web.Application()
    app.router.add_get("/health", health)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", unused_tcp_port).start()
    try:
        assert (await doctor.check_public_url(settings(tmp_path, public_url=url))).mark == OK
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("url", "secure"),
    [("https://a.example", True), ("http://localhost:8765", True), ("http://192.168.1.5", False)],
)
def test_the_upload_page_needs_https(url, secure):
    """Browsers compute digests for pages over HTTPS or from their own computer only."""
    assert doctor.is_secure(URL(url)) is secure


@pytest.mark.parametrize(("limit", "mark"), [(20, OK), (100, WARN)])
async def test_an_upload_limit_above_discords_is_told(tmp_path, limit, mark):
    """A limit above that of servers without boosts is a warning."""
    assert (await doctor.check_upload_limit(settings(tmp_path, upload_mib=limit))).mark == mark


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        ("", "no GPU"),
        ("gpu_unbuilt", "torch 2.15.0"),
        ("gpu_driver", "driver 470.1 is too old for torch's CUDA 13.0"),
        ("gpu_silent", "driver 470.1"),
    ],
)
def test_a_gpu_that_torch_does_not_use(problem, words):
    """An unused GPU is reported with its cause and remedy."""
    said = DEVICE | {"precision": "fp32", "free": 2048, "driver": "470.1", "cuda": "13.0"}
    lines = doctor.check_torch(said | {"gpu_problem": problem, "reach": {}})
    assert [found.mark for found in lines] == [OK, WARN]
    assert words in lines[1].text


def test_what_a_gpu_can_train():
    """Trainings that fit are listed by method; none is a warning."""
    said = DEVICE | {"device": "cuda", "precision": "bf16", "free": 2048}
    lines = doctor.check_torch(said | {"reach": {"lora": ["sd1", "sdxl"], "finetune": []}})
    assert [found.mark for found in lines] == [OK, OK, OK, WARN]
    assert lines[2].text == "lora fits in memory on: sd1, sdxl"


@pytest.mark.parametrize(("possible", "mark"), [(False, OK), (True, WARN)])
def test_darkroom(possible, mark):
    """What opens photos is told with what it can't reach, or with what it still can."""
    line = doctor.describe_rights({"files": False, "the network": possible})
    assert line.mark == mark
    assert "the network" in line.text


@pytest.mark.parametrize(
    ("machines", "mark", "said"),
    [
        ({"address": "10.0.0.2:6379"}, OK, "10.0.0.2:6379"),
        ({"problem": "There is no token."}, FAIL, "There is no token."),
    ],
)
async def test_machines_that_may_join(machines, mark, said, monkeypatch, tmp_path):
    """Where others can join is told, or why none can; without SAFELIGHT_HEAD, nothing."""
    answers = [healthy(), healthy(machines=json.dumps({"kind": "machines"} | machines))]

    alone, found = [await list_findings(each, monkeypatch, tmp_path) for each in answers]

    assert [line.mark for line in found if said in line.text] == [mark]
    assert len(found) == len(alone) + 1
