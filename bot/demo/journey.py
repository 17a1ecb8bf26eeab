"""A member's journey, played and checked: add photos, train, sample, and erase everything."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import discord

from bot import wording
from bot.bot import Bot
from bot.demo.mascot import picture_files
from bot.demo.messages import enabled_labels, message_text
from bot.demo.transcript import JourneyError, Transcript
from bot.demo.world import FRIEND, OWNER, Answer, World
from storage.errors import UserError
from storage.events import Done
from storage.records import Dial

NAME = "Glim"
PIECE_BYTES = 64  #: of a file by which it is found again
CAPTION_SECONDS, JOB_SECONDS = 60.0, 600.0  #: for a job to end
PROMPT = "a glim emoji, on a yellow background"


class Journey:
    """A journey; each chapter leaves the world as the next one needs it."""

    def __init__(self, bot: Bot, world: World, out: Path, dial: Dial) -> None:
        self.bot, self.world, self.out, self.dial = bot, world, out, dial
        self.transcript = Transcript()
        self.slowest = 0.0
        self.jobs: list[dict[str, Any]] = []

    # what a person does -----------------------------------------------------------------------

    def note_ack(self, answer: Answer) -> Answer:
        """Keep the slowest acknowledgement."""
        self.slowest = max(self.slowest, answer.ack)
        return answer

    async def slash(self, person: str, command: str, **options: object) -> Answer:
        """Type a command."""
        given = "".join(f" {name}:{value}" for name, value in options.items())
        self.transcript.add_action(person, f"`/{command}{given}`")
        return self.note_ack(await self.world.slash(person, command, **options))

    async def press(self, person: str, message: discord.Message, label: str) -> Answer:
        """Press a button."""
        self.transcript.add_action(person, f"presses `[{label}]`")
        return self.note_ack(await self.world.press(person, message, label))

    async def wait_for_message(
        self, known: set[int], fits: Callable[[discord.Message], bool], seconds: float
    ) -> discord.Message:
        """Wait for a message that was not there before."""
        found: list[discord.Message] = []

        def look() -> bool:
            new = [m for m in self.world.messages_for(OWNER) if m.id not in known and fits(m)]
            found[:] = new
            return bool(new)

        if not await self.world.wait_until(look, seconds):
            raise JourneyError(f"nothing came within {seconds:.0f} seconds")
        return found[-1]

    def message_ids(self) -> set[int]:
        """Return the ids of the messages that are there."""
        return {message.id for message in self.world.messages_for(OWNER)}

    # the chapters -----------------------------------------------------------------------------

    async def add_photos(self) -> None:
        """Add ten photos: five with the form, five as messages."""
        transcript, shots = self.transcript, [(p.name, p.read_bytes()) for p in picture_files()]
        transcript.begin_chapter("Ten photos")
        answer = await self.slash(OWNER, "dataset new", name=NAME, kind="subject")
        transcript.check_message(answer.message, NAME, "0 photos")
        answer = await self.slash(OWNER, "dataset add", name=NAME)
        transcript.check(
            answer.form, "a form opens for up to ten photos, with the consent to tick"
        )
        transcript.add_action(OWNER, "picks five pictures, ticks the consent, submits")
        filled = await self.world.fill(OWNER, answer, photos=shots[:5], consent=["yes"])
        transcript.check_message(self.note_ack(filled).message, "5 of 5")
        answer = await self.slash(OWNER, "dataset collect", name=NAME)
        collecting = transcript.check_message(answer.message, "Collecting")
        for shot in shots[5:]:
            transcript.add_action(OWNER, f"posts `{shot[0]}`")
            posted = await self.world.post(OWNER, files=[shot])
            await self.world.advance_clock()
            marks = self.reactions_on(posted.id)
            transcript.check("✅" in marks, "the bot marks it ✅")
        answer = await self.press(OWNER, collecting, wording.dataset.DONE)
        transcript.check_message(answer.message, "10 photos", wording.dataset.COLLECT_DONE)
        kept = list((self.bot.store.home.path / "photos").glob("*/*.png"))
        transcript.check(len(kept) == len(shots), "ten photos lie in the data folder")

    def reactions_on(self, number: int) -> list[str]:
        """Return the reactions on a message."""
        found = [m for m in self.world.messages_for(OWNER) if m.id == number]
        return [str(reaction.emoji) for message in found for reaction in message.reactions]

    async def wait_for_captions(self) -> None:
        """Wait until every photo has a caption."""
        self.transcript.begin_chapter("Captions")
        dataset = await self.bot.store.datasets.get_by_name(self.world.people[OWNER].id, NAME)
        for _ in range(round(CAPTION_SECONDS)):
            photos = await self.bot.store.photos.list_for(dataset.id, dataset.owner)
            if all(photo.caption for photo in photos):
                break
            await self.world.wait_until(lambda: False, 0.5)
        answer = await self.slash(OWNER, "dataset show", name=NAME)
        shown = self.transcript.check_message(answer.message, "10 photos")
        self.transcript.check(
            wording.dataset.UNCAPTIONED not in message_text(shown), "every photo has its caption"
        )

    async def train(self, method: str) -> None:
        """Train a style, watch its card, and download its file."""
        self.transcript.begin_chapter(f"/train {method}")
        answer = await self.slash(OWNER, f"train {method}", dataset=NAME, dial=str(self.dial))
        card = self.transcript.check_message(answer.message, "10 photos", "Steps", "Queue", "File")
        known = self.message_ids()
        answer = await self.press(OWNER, card, wording.training.START)
        self.transcript.check_message(answer.message, "Started")
        shown: dict[str, None] = {}

        def result(message: discord.Message) -> bool:
            shown.update(
                dict.fromkeys(line for line in message_text(message).splitlines() if "▰" in line)
            )
            return any(file.filename.endswith(".safetensors") for file in message.attachments)

        message = await self.wait_for_message(known, result, JOB_SECONDS)
        bars = list(shown)
        self.transcript.lines += [f"> {bar}  " for bar in bars[:: max(1, len(bars) // 6)]]
        self.transcript.check(len(shown) >= 3, "the card's bar was seen filling")
        samples = [
            m for m in self.world.messages_for(OWNER) if m.id not in known and is_preview(m)
        ]
        self.transcript.check(
            len(samples) >= 2, f"{len(samples)} times samples were posted on the way"
        )
        self.transcript.check_message(message, NAME, "is ready")
        await self.download(message, method)
        await self.note_timing(method)

    async def download(self, message: discord.Message, method: str) -> None:
        """Save the files of a result card, and check the style's."""
        for file in message.attachments:
            content = await file.read()
            if file.filename.endswith(".safetensors"):
                path = self.out / f"{NAME}-{method}.safetensors"
                path.write_bytes(content)
                self.transcript.check(
                    count_tensors(content), f"`{path.name}` has tensors, {len(content)} B"
                )
            elif file.filename.endswith((".png", ".webp")):
                save(self.out / "samples" / f"{method}-{file.filename}", content)

    async def note_timing(self, method: str) -> None:
        """Note how long a training took."""
        jobs = await self.bot.store.jobs.list_for(self.world.people[OWNER].id, limit=50)
        job = next(job for job in jobs if job.request.get("method") == method and job.ended)
        done = (await self.bot.store.events.list_kind(job.id, Done))[-1].event
        self.jobs.append(
            {"method": method, "seconds": round(done.timings.seconds, 2), "steps": done.steps,
             "steps_per_second": round(done.timings.steps_per_second, 2)}
        )  # fmt: skip

    async def sample(self) -> None:
        """Draw with each style, share the LoRA, and let a friend draw with it."""
        self.transcript.begin_chapter("/sample")
        offered = await self.world.autocomplete(OWNER, "sample", "style", NAME)
        self.transcript.check(len(offered) == 2, "both styles are offered while one types")
        for number, style in enumerate(offered, 1):
            await self.draw_four(OWNER, style, f"sample-{number}")
        self.transcript.begin_chapter("/style share")
        answer = await self.slash(OWNER, "style share", style=offered[-1])
        self.transcript.check_message(answer.message, NAME)
        message = await self.draw_four(FRIEND, offered[-1], "sample-shared")
        maker = f"<@{self.world.people[OWNER].id}>"
        self.transcript.check(maker in message_text(message), "the friend's card names the maker")

    async def draw_four(self, person: str, style: str, name: str) -> discord.Message:
        """Draw four pictures and save them."""
        known = self.message_ids()
        answer = await self.slash(person, "sample", prompt=PROMPT, style=style, count=4, seed=7)
        waiting = answer.message
        self.transcript.check(waiting, "a card waits for the pictures")

        def drawn(message: discord.Message) -> bool:
            return message.id == getattr(
                waiting, "id", 0
            ) and wording.sample.AGAIN in enabled_labels(message)

        message = self.transcript.add_message(
            await self.wait_for_message(known, drawn, JOB_SECONDS)
        )
        self.transcript.check(len(message.attachments) == 4, "four pictures are on it")
        for number, file in enumerate(message.attachments):
            save(self.out / "samples" / f"{name}-{number}.png", await file.read())
        return message

    async def erase_everything(self) -> None:
        """Delete everything, and check that nothing is left."""
        transcript, home = self.transcript, self.bot.store.home.path
        transcript.begin_chapter("/me: delete my data")
        traces = await self.list_traces()
        transcript.check(find_traces(home, traces), "photos and captions lie in the data folder")
        answer = await self.slash(OWNER, "me")
        card = transcript.check_message(answer.message, "1 dataset", "10 photos", "2 styles")
        answer = await self.press(OWNER, card, wording.member.ERASE)
        asked = transcript.check_message(answer.message, "10 photos")
        answer = await self.press(OWNER, asked, wording.member.ERASE_REMOVE)
        transcript.check_message(answer.message, "All gone")
        left = [path for path in home.glob("styles/**/*") if path.is_file()]
        transcript.check(not left, "no style's file is left")
        left = find_traces(home, traces)
        found = ", ".join(str(path.relative_to(home)) for path in left)
        transcript.check(not left, f"no photo or caption is left in any file {found}")
        answer = await self.slash(OWNER, "dataset show", name=NAME)
        transcript.check_message(answer.message, wording.errors.ERRORS["datasets_none"])
        offered = await self.world.autocomplete(FRIEND, "sample", "style", NAME)
        transcript.check(not offered, "the shared style is offered to nobody any more")

    async def list_traces(self) -> list[bytes]:
        """Return a piece of each of the owner's photos and previews, and their captions."""
        store, member = self.bot.store, self.world.people[OWNER].id
        [dataset] = await store.datasets.list_for(member)
        photos = await store.photos.list_for(dataset.id, member)
        home, digests = store.home, [photo.digest for photo in photos]
        files = [*map(home.photo_file, digests), *map(home.preview_file, digests)]
        pieces = [path.read_bytes()[-2 * PIECE_BYTES : -PIECE_BYTES] for path in files]
        return [*pieces, *(photo.caption.encode() for photo in photos)]

    def check_no_errors(self) -> None:
        """Check that the bot raised no unexpected error."""
        self.transcript.begin_chapter("The end")
        faults = [f"{type(f).__name__}: {f}" for f in self.world.faults if not is_user_error(f)]
        self.transcript.check(not faults, "; ".join(["nothing broke inside the bot", *faults]))


def find_traces(home: Path, traces: Sequence[bytes]) -> list[Path]:
    """Return the files of the data folder, but for the page's own pictures, with any of these."""
    pictures = home / "pictures"
    files = [path for path in home.rglob("*") if path.is_file() and pictures not in path.parents]
    contents = ((path, path.read_bytes()) for path in files)
    return [path for path, content in contents if any(trace in content for trace in traces)]


def is_user_error(fault: BaseException) -> bool:
    """Return whether an error was explained to the person."""
    return isinstance(getattr(fault, "original", fault), UserError)


def is_preview(message: discord.Message) -> bool:
    """Return whether a message shows a training's previews."""
    first = message_text(message).splitlines()[:1]
    return bool(message.attachments) and any("step" in line or "Before" in line for line in first)


def count_tensors(content: bytes) -> int:
    """Return the number of tensors of a `.safetensors` file, read without torch."""
    with suppress(struct.error, ValueError):
        (length,) = struct.unpack("<Q", content[:8])
        header = json.loads(content[8 : 8 + length])
        return len(header.keys() - {"__metadata__"})
    return 0


def save(path: Path, content: bytes) -> None:
    """Write a picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
