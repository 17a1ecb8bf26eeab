"""The way of a member, played and checked: photos in, styles out, pictures, and all of it gone."""

from __future__ import annotations

import json
import struct
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import discord

from bot import wording
from bot.demo.diary import AstrayError, Diary
from bot.demo.discordish import FRIEND, OWNER
from bot.demo.mascot import pictures
from bot.demo.seen import labels, words
from storage.errors import UserError
from storage.events import Done

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bot.bot import Bot
    from bot.demo.discordish import Answer, World

NAME = "Glim"
SOON, LONG = 60.0, 600.0  #: seconds until a job of that kind has surely ended
PROMPT = "a glim emoji, on a yellow background"


class Journey:
    """One journey; each chapter leaves the world as the next one needs it."""

    def __init__(self, bot: Bot, world: World, out: Path) -> None:
        self.bot, self.world, self.out = bot, world, out
        self.diary = Diary()
        self.slowest = 0.0
        self.jobs: list[dict[str, Any]] = []

    # what a person does -----------------------------------------------------------------------

    def heard(self, answer: Answer) -> Answer:
        """Keep the slowest acknowledgement."""
        self.slowest = max(self.slowest, answer.ack)
        return answer

    async def slash(self, person: str, command: str, **options: object) -> Answer:
        """Type a command."""
        given = "".join(f" {name}:{value}" for name, value in options.items())
        self.diary.did(person, f"`/{command}{given}`")
        return self.heard(await self.world.slash(person, command, **options))

    async def press(self, person: str, message: discord.Message, label: str) -> Answer:
        """Press a button."""
        self.diary.did(person, f"presses `[{label}]`")
        return self.heard(await self.world.press(person, message, label))

    async def newest(
        self, known: set[int], fits: Callable[[discord.Message], bool], seconds: float
    ) -> discord.Message:
        """Wait for a message that was not there before."""
        found: list[discord.Message] = []

        def look() -> bool:
            new = [m for m in self.world.seen(OWNER) if m.id not in known and fits(m)]
            found[:] = new
            return bool(new)

        if not await self.world.until(look, seconds):
            raise AstrayError(f"nothing came within {seconds:.0f} seconds")
        return found[-1]

    def known(self) -> set[int]:
        """Return the messages that are there."""
        return {message.id for message in self.world.seen(OWNER)}

    # the chapters -----------------------------------------------------------------------------

    async def hand_over(self) -> None:
        """Give ten photos: five in the form, five as messages."""
        diary, shots = self.diary, [(p.name, p.read_bytes()) for p in pictures()]
        diary.chapter("Ten photos")
        answer = await self.slash(OWNER, "dataset new", name=NAME, kind="subject")
        diary.reads(answer.message, NAME, "0 photos")
        answer = await self.slash(OWNER, "dataset add", name=NAME)
        diary.found(answer.form, "a form opens for up to ten photos, with the consent to tick")
        diary.did(OWNER, "picks five pictures, ticks the consent, submits")
        filled = await self.world.fill(OWNER, answer, photos=shots[:5], consent=["yes"])
        diary.reads(self.heard(filled).message, "5 of 5")
        answer = await self.slash(OWNER, "dataset collect", name=NAME)
        collecting = diary.reads(answer.message, "Collecting")
        for shot in shots[5:]:
            diary.did(OWNER, f"posts `{shot[0]}`")
            posted = await self.world.say(OWNER, files=[shot])
            await self.world.live()
            marks = self.marks(posted.id)
            diary.found("✅" in marks, "the bot marks it ✅")
        answer = await self.press(OWNER, collecting, wording.dataset.DONE)
        diary.reads(answer.message, "10 photos", wording.dataset.COLLECT_DONE)
        kept = list((self.bot.store.home.path / "photos").glob("*/*.png"))
        diary.found(len(kept) == len(shots), "ten photos lie in the data folder")

    def marks(self, number: int) -> list[str]:
        """Return the reactions on a message."""
        found = [m for m in self.world.seen(OWNER) if m.id == number]
        return [str(reaction.emoji) for message in found for reaction in message.reactions]

    async def captions(self) -> None:
        """Wait until every photo is described."""
        self.diary.chapter("Captions")
        dataset = await self.bot.store.datasets.get_by_name(self.world.people[OWNER].id, NAME)
        for _ in range(round(SOON)):
            photos = await self.bot.store.photos.list_for(dataset.id, dataset.owner)
            if all(photo.caption for photo in photos):
                break
            await self.world.until(lambda: False, 0.5)
        answer = await self.slash(OWNER, "dataset show", name=NAME)
        shown = self.diary.reads(answer.message, "10 photos")
        self.diary.found(
            wording.dataset.UNCAPTIONED not in words(shown), "every photo has its caption"
        )

    async def train(self, method: str) -> None:
        """Train a style, watch it being made, and download its file."""
        self.diary.chapter(f"/train {method}")
        answer = await self.slash(OWNER, f"train {method}", dataset=NAME)
        card = self.diary.reads(answer.message, "10 photos", "Steps", "Queue", "File")
        known = self.known()
        answer = await self.press(OWNER, card, wording.training.START)
        self.diary.reads(answer.message, "Started")
        shown: dict[str, None] = {}

        def result(message: discord.Message) -> bool:
            shown.update(
                dict.fromkeys(line for line in words(message).splitlines() if "▰" in line)
            )
            return any(file.filename.endswith(".safetensors") for file in message.attachments)

        message = await self.newest(known, result, LONG)
        bars = list(shown)
        self.diary.lines += [f"> {bar}  " for bar in bars[:: max(1, len(bars) // 6)]]
        self.diary.found(len(shown) >= 3, "the card's bar was seen filling")
        samples = [m for m in self.world.seen(OWNER) if m.id not in known and is_sample(m)]
        self.diary.found(len(samples) >= 2, f"{len(samples)} times samples were posted on the way")
        self.diary.reads(message, NAME, "is ready")
        await self.download(message, method)
        await self.took(method)

    async def download(self, message: discord.Message, method: str) -> None:
        """Keep the file of a result card, and look into it."""
        for file in message.attachments:
            content = await file.read()
            if file.filename.endswith(".safetensors"):
                path = self.out / f"{NAME}-{method}.safetensors"
                path.write_bytes(content)
                self.diary.found(tensors(content), f"`{path.name}` has tensors, {len(content)} B")
            elif file.filename.endswith((".png", ".webp")):
                keep(self.out / "samples" / f"{method}-{file.filename}", content)

    async def took(self, method: str) -> None:
        """Note how long the training took."""
        jobs = await self.bot.store.jobs.list_for(self.world.people[OWNER].id, limit=50)
        job = next(job for job in jobs if job.request.get("method") == method and job.ended)
        done = (await self.bot.store.events.of_kind(job.id, Done))[-1].event
        self.jobs.append(
            {"method": method, "seconds": round(done.timings.seconds, 2), "steps": done.steps,
             "steps_per_second": round(done.timings.steps_per_second, 2)}
        )  # fmt: skip

    async def sample(self) -> None:
        """Draw with each style; then share the LoRA, and let a friend draw with it."""
        self.diary.chapter("/sample")
        offered = await self.world.offered(OWNER, "sample", "style", NAME)
        self.diary.found(len(offered) == 2, "both styles are offered while one types")
        for number, style in enumerate(offered, 1):
            await self.draw(OWNER, style, f"sample-{number}")
        self.diary.chapter("/style share")
        answer = await self.slash(OWNER, "style share", style=offered[-1])
        self.diary.reads(answer.message, NAME)
        message = await self.draw(FRIEND, offered[-1], "sample-shared")
        maker = f"<@{self.world.people[OWNER].id}>"
        self.diary.found(maker in words(message), "the friend's card names the maker")

    async def draw(self, person: str, style: str, name: str) -> discord.Message:
        """Have four pictures drawn, and keep them."""
        known = self.known()
        answer = await self.slash(person, "sample", prompt=PROMPT, style=style, count=4, seed=7)
        waiting = answer.message
        self.diary.found(waiting, "a card waits for the pictures")

        def drawn(message: discord.Message) -> bool:
            return message.id == getattr(waiting, "id", 0) and wording.sample.AGAIN in labels(
                message
            )

        message = self.diary.saw(await self.newest(known, drawn, LONG))
        self.diary.found(len(message.attachments) == 4, "four pictures are on it")
        for number, file in enumerate(message.attachments):
            keep(self.out / "samples" / f"{name}-{number}.png", await file.read())
        return message

    async def leave(self) -> None:
        """Delete everything, and find nothing left."""
        diary, home = self.diary, self.bot.store.home.path
        diary.chapter("/me: delete my data")
        answer = await self.slash(OWNER, "me")
        card = diary.reads(answer.message, "1 dataset", "10 photos", "2 styles")
        answer = await self.press(OWNER, card, wording.member.ERASE)
        asked = diary.reads(answer.message, "10 photos")
        answer = await self.press(OWNER, asked, wording.member.ERASE_REMOVE)
        diary.reads(answer.message, "All gone")
        for what in ("photos", "previews", "styles", "runs/*/photos"):
            left = [path for path in home.glob(f"{what}/**/*") if path.is_file()]
            diary.found(not left, f"no file is left in `{what}`")
        answer = await self.slash(OWNER, "dataset show", name=NAME)
        diary.reads(answer.message, "no such dataset")
        offered = await self.world.offered(FRIEND, "sample", "style", NAME)
        diary.found(not offered, "the shared style is offered to nobody any more")

    def ended(self) -> None:
        """Find that nothing went wrong on the way."""
        self.diary.chapter("The end")
        faults = [f"{type(f).__name__}: {f}" for f in self.world.faults if not foreseen(f)]
        self.diary.found(not faults, "; ".join(["nothing broke inside the bot", *faults]))


def foreseen(fault: BaseException) -> bool:
    """Say whether a person was told in a sentence what was wrong."""
    return isinstance(getattr(fault, "original", fault), UserError)


def is_sample(message: discord.Message) -> bool:
    """Say whether a message shows what a training draws on the way."""
    first = words(message).splitlines()[:1]
    return bool(message.attachments) and any("step" in line or "Before" in line for line in first)


def tensors(content: bytes) -> int:
    """Count the tensors of a `.safetensors`, read by hand: the bot knows no torch."""
    with suppress(struct.error, ValueError):
        (length,) = struct.unpack("<Q", content[:8])
        header = json.loads(content[8 : 8 + length])
        return len(header.keys() - {"__metadata__"})
    return 0


def keep(path: Path, content: bytes) -> None:
    """Write a picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
