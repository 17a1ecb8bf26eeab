"""`safelight encrypt` as typed, and what the doctor says of photos."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot import wording
from bot.settings import BotSettings
from bot.terminal.cli import main
from bot.terminal.doctor import FAIL, OK, WARN, check_photos
from bot.terminal.encryption import rekey
from bot.wording import fill
from storage.folders import Home
from storage.measurements import Examination, FoundText, PhotoMeasures
from storage.photofiles import PhotoKeys, new_key, use_keys
from storage.records import CheckedPhoto, Concept
from storage.rekey import PLAIN, count_keys, rekey_photos
from storage.store import Store

OLD, NEW = new_key(), new_key()
MEASURES = PhotoMeasures(
    1.0, (0, 0, 0, 0), True, 0.1, 0.1, 40.0, "VEhVTUJOQUlM" * 114, "Q09MT1VS" * 24
)
FEATURES = "AAECAwQFBgcICQ=="
FOUND = Examination(0.01, (FoundText("number plate", 0.5, 0.5),))


@pytest.fixture
async def home(tmp_path, monkeypatch):
    """A data folder with a photo, and no other settings."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SAFELIGHT_PHOTO_KEYS", raising=False)
    monkeypatch.setenv("SAFELIGHT_HOME", str(tmp_path / "home"))
    home = Home(tmp_path / "home")
    async with await Store.open(home) as store:
        dataset = await store.datasets.create(1, 2, "glim", Concept.SUBJECT)
        checked = CheckedPhoto("ab" * 32, 0, 9, 9, b"pixels", b"preview", (), measures=MEASURES)
        await store.photos.add(dataset, checked)
        await store.photos.set_examination(checked.digest, FOUND)
        await store.photos.set_features(1, FEATURES)
    yield home
    use_keys(PhotoKeys())


def diagnose(home, keys=""):
    """Return the doctor's line of photos."""
    (line,) = check_photos(BotSettings(_env_file=None, home=home.path, photo_keys=keys or None))
    return line.mark, line.text


@pytest.mark.usefixtures("home")
def test_new_key(capsys):
    """A key is printed that the setting takes, another one each time."""
    assert [main(["encrypt", "--new-key"]) for _ in range(2)] == [0, 0]

    one, other = capsys.readouterr().out.split()
    assert one != other
    assert PhotoKeys.parse(f"{one},{other}").current


@pytest.mark.usefixtures("home")
def test_needs_a_key(capsys):
    """Without a key the command says how to get one."""
    assert main(["encrypt"]) == 1
    assert "--new-key" in capsys.readouterr().err


def test_there_and_back(home, monkeypatch, capsys):
    """Photos are encrypted, put under a second key and decrypted; the doctor knows each time."""
    checks, old, both = wording.doctor.CHECKS, PhotoKeys.parse(OLD).current, f"{NEW},{OLD}"
    new = PhotoKeys.parse(NEW).current
    plain, pending = diagnose(home), diagnose(home, OLD)
    monkeypatch.setenv("SAFELIGHT_PHOTO_KEYS", OLD)
    main(["encrypt"])
    encrypted, lost = diagnose(home, OLD), diagnose(home, NEW)
    monkeypatch.setenv("SAFELIGHT_PHOTO_KEYS", both)
    half = diagnose(home, both)
    main(["encrypt"])
    rotated = diagnose(home, NEW)
    said = capsys.readouterr().out
    main(["encrypt", "--undo"])

    assert plain == (WARN, checks["photos_plain"])
    assert pending == (WARN, fill(checks["photos_other"], files="2 files", key=old))
    assert encrypted == (OK, fill(checks["photos"], files="2 files", key=old))
    assert lost == (FAIL, fill(checks["photos_locked"], files="2 files", keys=old))
    assert half == (WARN, fill(checks["photos_other"], files="2 files", key=new))
    assert rotated == (OK, fill(checks["photos"], files="2 files", key=new))
    assert OLD not in said
    assert NEW not in said
    assert count_keys(home) == {PLAIN: 2}


def search_database(home) -> list[bytes]:
    """Return what of a photo can be read in the files of the database."""
    files = [each.read_bytes() for each in home.path.glob("safelight.db*")]
    secrets = (MEASURES.thumbnail, MEASURES.colours, "number plate", "thumbnail", FEATURES)
    return [each.encode() for each in secrets if any(each.encode() in file for file in files)]


async def test_database(home):
    """Thumbnails and texts in the database are encrypted with the photos, and under no old key.

    What was there in the clear is in none of its gaps.
    """
    old, both = PhotoKeys.parse(OLD), PhotoKeys.parse(f"{NEW},{OLD}")
    plain = search_database(home)
    for keys in (old, both):
        use_keys(keys)
        await rekey(home, keys)
        assert search_database(home) == []
    use_keys(PhotoKeys.parse(NEW))
    async with await Store.open(home) as store:
        (photo,) = await store.photos.list_for(1, 1)
        (exported,) = (await store.members.export(1))["photos"]
    use_keys(old)
    async with await Store.open(home) as store:
        (locked,) = await store.photos.list_for(1, 1)

    assert len(plain) == 5
    assert (photo.measures, photo.examination, photo.features) == (MEASURES, FOUND, FEATURES)
    assert (exported["measures"]["colours"], locked.measures) == (MEASURES.colours, None)


async def test_new_photos(home):
    """With a key, what is found in a photo is never in the clear; the doctor counts the rest."""
    use_keys(keys := PhotoKeys.parse(OLD))
    list(rekey_photos(home, keys))
    pending = diagnose(home, OLD)
    async with await Store.open(home) as store:
        await store.datasets.delete(1, 1)
        dataset = await store.datasets.create(1, 2, "glam", Concept.SUBJECT)
        checked = CheckedPhoto("cd" * 32, 0, 9, 9, b"x", b"y", (), measures=MEASURES)
        photo = await store.photos.add(dataset, checked)
        await store.photos.set_examination(checked.digest, FOUND)
        await store.photos.set_features(photo.id, FEATURES)
        masked = replace(checked, digest="ef" * 32, plain_digest=checked.digest)
        again = await store.photos.set_mask(photo, masked)

    facts = {"photos": "1 photo", "key": keys.current}
    assert pending == (WARN, fill(wording.doctor.CHECKS["photos_found"], **facts))
    assert diagnose(home, OLD)[0] == OK
    assert (again.measures, again.examination, again.features) == (MEASURES, FOUND, FEATURES)
    assert search_database(home) == []


async def test_deleted_meanwhile(home, monkeypatch):
    """A file that is there without a row after all is not left behind."""
    stray = home.photo_file("cd" * 32)
    stray.parent.mkdir()
    stray.write_bytes(b"deleted meanwhile")
    monkeypatch.setenv("SAFELIGHT_PHOTO_KEYS", OLD)
    use_keys(keys := PhotoKeys.parse(OLD))
    assert await rekey(home, keys) == 3
    assert not stray.exists()
    assert home.photo_file("ab" * 32).exists()


@pytest.mark.usefixtures("home")
def test_setting_is_not_repeated(monkeypatch, capsys):
    """A setting that holds no key is refused, and what it holds is not shown."""
    monkeypatch.setenv("SAFELIGHT_PHOTO_KEYS", "my-secret-words")

    assert main(["encrypt"]) == 2
    err = capsys.readouterr().err
    assert "SAFELIGHT_PHOTO_KEYS" in err
    assert "my-secret-words" not in err
