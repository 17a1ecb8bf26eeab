"""The ferry between two data folders, over a wire that is cut."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor

import pytest

from benchmarks.speed.machines import (
    CHUNK,
    CUT_SHARE,
    FOLDER,
    JOB,
    Losses,
    TwoMachines,
    check_events,
    read_tree,
    run_case,
)
from benchmarks.speed.wire import Wire
from storage.events import Done, LogEntry
from storage.folders import write_json
from training.scheduler.ferry.remote import FileState, StaleMessageError, Trip
from training.worker.eventlog import EventLog
from training.worker.folder import WorkerFolder
from training.worker.inbox import Command, Request


@pytest.fixture
def two(tmp_path):
    """Return two machines on a whole wire; a job's files have arrived on the other one."""
    made = TwoMachines(tmp_path, Wire())
    made.claim()
    made.carry()
    return made


def list_named(two):
    """Return the files that the events here name."""
    return [event["file"] for event in two.list_events()]


def test_there_and_back(two):
    """A job's files are there before its request, and what it writes comes back."""
    assert two.asked == [Request(Command.RUN, JOB, 1, FOLDER)]
    assert read_tree(two.there.path, ["photos", "job.json"]) == read_tree(
        two.folder.path, ["photos", "job.json"]
    )

    two.write("samples/a.png", b"picture")
    two.write("result/style.safetensors", b"weights" * 10)
    two.carry()

    assert list_named(two) == ["samples/a.png", "result/style.safetensors"]
    assert (two.folder.result / "style.safetensors").read_bytes() == b"weights" * 10


def test_the_worker_is_as_it_is_there(two):
    """State, catalog, heartbeat and marker come when they change, and go when they are gone."""
    here = WorkerFolder(two.here.workers / "cuda0")
    two.dock.worker.write_state({"held": []})
    two.dock.worker.heartbeat.write_bytes(b"5")
    two.carry()
    assert (here.read_state(), here.heartbeat.read_bytes()) == ({"held": []}, b"5")

    (two.dock.worker.path / "state.json").unlink()
    two.carry()

    assert here.read_state() is None


def test_a_claim_made_anew_publishes_nothing_old(two):
    """What a box writes under an older fence never arrives; its files there go."""
    two.write("result/style.safetensors", b"old")
    write_json(two.folder.request_file, {"kind": "train", "fence": 2})

    two.carry()

    assert list_named(two) == []
    assert not two.folder.result.exists()
    assert not two.there.path.exists()


def test_a_box_that_comes_back_publishes_nothing(two):
    """After its worker was started anew, messages of the old session are refused."""
    two.write("result/style.safetensors", b"old")
    two.dock.begin_session()

    with pytest.raises(StaleMessageError):
        two.ferry.run_turn()
    with pytest.raises(StaleMessageError):
        two.dock.list_files(Trip(two.session, FOLDER, 1))

    assert list_named(two) == []


def test_nothing_comes_after_the_end(two):
    """What is removed here when a job has ended is not fetched once more, unless it goes on."""
    checkpoint = two.folder.checkpoints / "1.bin"
    two.write("checkpoints/1.bin", b"weights")
    EventLog(two.there.events_file).write(LogEntry(Done(1), 1.0, two.fence - 1))
    two.carry()
    checkpoint.unlink()
    two.carry()
    assert checkpoint.exists()

    EventLog(two.there.events_file).write(LogEntry(Done(1), 1.0, two.fence))
    two.carry()
    checkpoint.unlink()
    two.carry()
    assert not checkpoint.exists()

    two.claim()
    two.carry(2)
    two.write("checkpoints/1.bin", b"weights")
    two.carry()
    assert checkpoint.exists()


def test_photos_are_gone_after_the_job(two):
    """Nothing of a member's is left there once the job has ended here."""
    two.folder.request_file.unlink()

    two.carry()

    assert [path for path in two.box.runs.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("cut_at", range(1, 20))
def test_a_cut_file_goes_on_where_it_was_cut(tmp_path, cut_at):
    """A cut costs one chunk at most, whichever message it hits."""
    whole = TwoMachines(tmp_path / "whole", Wire())
    cut = TwoMachines(tmp_path / "cut", Wire())
    cut.wire.cut_at = cut_at
    for two in (whole, cut):
        two.claim((bytes(10 * CHUNK),))
        two.carry()

    assert (cut.there.photos / "0.png").read_bytes() == bytes(10 * CHUNK)
    assert cut.wire.sent_bytes <= whole.wire.sent_bytes + CHUNK


def test_a_damaged_file_is_fetched_again(two):
    """What changes while it is fetched has no name here before it is whole."""
    part = two.folder.samples / f".a.png.{hashlib.sha256(b'picture').hexdigest()[:16]}.part"
    part.parent.mkdir()
    part.write_bytes(b"broken!")
    two.write("samples/a.png", b"picture")

    two.carry()
    assert list_named(two) == []
    two.carry()

    assert (two.folder.samples / "a.png").read_bytes() == b"picture"
    assert list_named(two) == ["samples/a.png"]


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../x", "", "a\\b", "./x"])
def test_no_path_leads_elsewhere(two, path):
    """A path that is not plainly inside the job folder is refused, on either side."""
    with pytest.raises(ValueError, match="path"):
        two.dock.read(Trip(two.session, FOLDER, 1), path, 0, 10)


def test_a_link_is_not_followed(two, tmp_path):
    """A link in a job folder is neither listed nor read."""
    (tmp_path / "secret").write_bytes(b"secret")
    two.there.result.mkdir()
    (two.there.result / "link").symlink_to(tmp_path / "secret")
    trip = Trip(two.session, FOLDER, 1)

    assert "result/link" not in [file.path for file in two.dock.list_files(trip)]
    with pytest.raises(ValueError, match="link"):
        two.dock.read(trip, "result/link", 0, 10)


@pytest.mark.parametrize("seed", range(60))
def test_random_cuts(tmp_path, seed):
    """However often wire, scheduler and box are cut off, nothing is lost, doubled or foreign.

    At every moment, each event here names a file that is whole here; clocks may differ.
    """
    assert run_case(tmp_path, seed, clock=(seed % 3 - 1) * 3600.0) == Losses()


def test_a_file_that_grows_meanwhile(two):
    """What a file has grown by since it was listed is left for the next turn; events go on."""
    read, log = two.dock.read, two.there.tensorboard / "log"
    two.write("tensorboard/log", b"first")

    def read_later(trip, path, offset, size):
        if path == "tensorboard/log":
            log.write_bytes(log.read_bytes() + b"more")
        return read(trip, path, offset, size)

    two.dock.read = read_later
    two.carry()

    assert list_named(two) == ["tensorboard/log"]
    assert (two.folder.tensorboard / "log").read_bytes() == b"first"


def test_what_was_cut_off_goes_with_the_job(two):
    """Half a file is gone once the job has ended, and no ended job's folder is made anew."""
    part = two.folder.result / ".style.safetensors.0123456789abcdef.part"
    part.parent.mkdir()
    part.write_bytes(b"half")
    two.folder.request_file.unlink()

    two.carry()

    assert not part.exists()


def test_calls_at_once(tmp_path):
    """A call that is repeated while it still runs puts the right file into its place."""
    two = TwoMachines(tmp_path, Wire())
    two.claim((bytes(range(256)) * 40,))
    trip = Trip(two.session, FOLDER, two.fence)
    content = (two.folder.photos / "0.png").read_bytes()
    file = FileState("photos/0.png", len(content), hashlib.sha256(content).hexdigest())

    def send(_):
        arrived = two.dock.offer(trip, file)
        while arrived < file.size:
            arrived = two.dock.write(trip, file, arrived, content[arrived : arrived + CHUNK])

    with ThreadPoolExecutor(4) as senders:
        list(senders.map(send, range(40)))

    assert (two.there.photos / "0.png").read_bytes() == content


def test_losses_are_counted(two):
    """An event that comes before its file, or twice, is a loss; so the last test can fail."""
    line = b'{"file": "checkpoints/1.bin", "bytes": 3}\n'
    two.folder.events_file.write_bytes(line * 2)

    found = Losses()
    check_events(two, found)

    assert (found.lost, found.doubled) == (2, 1)


def test_a_lossy_wire(tmp_path):
    """Requests arrive once and in order, however often they are sent."""
    two = TwoMachines(tmp_path, Wire(CUT_SHARE, seed=1))
    two.claim()
    two.inbox.send(Request(Command.PAUSE, JOB, 1))
    two.carry()

    asked = [request.command for request in two.asked]
    assert asked == [Command.RUN, Command.PAUSE]
