"""A member's journey, played and checked: the demo's chapters, a second training, and the end."""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import discord
from PIL import Image

from bot import wording
from bot.demo.chapters import DATASET
from bot.demo.mascot import picture_files
from bot.demo.messages import enabled_labels, message_text
from bot.demo.player import JOB_SECONDS, Player, save
from bot.demo.welcome import NAME
from bot.demo.world import FRIEND, OWNER
from storage.errors import UserError
from storage.events import Done
from storage.planning.prompts import recommend_prompts
from storage.records import Concept, Dial

WIDE = "Wide"  #: a dataset of one long photo
PIECE_BYTES = 64  #: of a file by which it is found again
CAPTION_SECONDS = 60.0  #: for a job to end
QUICK_STEPS = 60  #: of the second training of a quick journey; enough to see it learn
PROMPTS = recommend_prompts(NAME.lower(), Concept.SUBJECT, small=True)


class Journey(Player):
    """A journey; each chapter leaves the world as the next one needs it."""

    async def train_mascot(self) -> None:
        """Press the demo's button, as a newcomer does, and watch."""
        self.transcript.begin_chapter("The first two minutes")
        welcome = self.transcript.add_message(self.world.messages_for(OWNER)[0])
        known = self.message_ids()
        answer = await self.press(OWNER, welcome, wording.demo.TRAIN_MASCOT)
        self.transcript.check_message(answer.message, "Started")
        result = await self.watch_training(known, NAME, "lora")
        answer = await self.press(OWNER, result, PROMPTS[0])
        await self.wait_for_pictures(answer, "sample-recommended")
        answer = await self.slash(OWNER, "sample", prompt=PROMPTS[-1], count=4, seed=7)
        drawn = await self.wait_for_pictures(answer, "sample-typed")
        self.transcript.check(NAME in message_text(drawn), "its trigger word called the style")

    async def watch_training(self, known: set[int], name: str, method: str) -> discord.Message:
        """Watch the card of a training that was started, and download its result."""
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
        self.transcript.check_message(message, name, "is ready")
        await self.download(message, method)
        await self.note_timing(method)
        return message

    async def download(self, message: discord.Message, method: str) -> None:
        """Save the files of a result card, and check the style's."""
        for file in message.attachments:
            content = await file.read()
            if file.filename.endswith(".safetensors"):
                path = self.out / f"{method}.safetensors"
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

    async def find_chapters(self) -> discord.Message:
        """Wait for the card that offers the chapters."""
        return await self.wait_for_message(
            set(), lambda m: wording.demo.ADD_OWN_PHOTOS in enabled_labels(m), JOB_SECONDS
        )

    async def guess(self) -> None:
        """Guess which of two pictures is trained."""
        self.transcript.begin_chapter("Guess which one is trained")
        known = self.message_ids()
        await self.press(OWNER, await self.find_chapters(), wording.demo.DRAW_PAIR)
        first = wording.demo.PLACES[0]
        pair = await self.wait_for_label(known, first)
        self.transcript.check(len(pair.attachments) == 2, "two pictures are on it")
        self.transcript.check(NAME not in message_text(pair), "nothing tells which one it is")
        await self.press(OWNER, pair, first)
        answered = await self.wait_for_label(known, wording.demo.PAIR_AGAIN)
        self.transcript.check("with the style" in message_text(answered), "the guess is answered")

    async def share(self) -> None:
        """Share the style with a friend, who draws with it."""
        self.transcript.begin_chapter("Share it with Robin")
        answer = await self.press(OWNER, await self.find_chapters(), wording.demo.SHARE_WITH_ROBIN)
        shown = self.transcript.check_message(answer.message, NAME, "A style by")
        answer = await self.press(FRIEND, shown, PROMPTS[-1])
        message = await self.wait_for_pictures(answer, "sample-shared")
        maker = f"<@{self.world.people[OWNER].id}>"
        self.transcript.check(maker in message_text(message), "the friend's card names the maker")

    async def add_photos(self) -> None:
        """Add ten photos: five with the chapter's form, five as messages."""
        transcript, shots = self.transcript, [(p.name, p.read_bytes()) for p in picture_files()]
        transcript.begin_chapter("Your own photos")
        answer = await self.press(OWNER, await self.find_chapters(), wording.demo.ADD_OWN_PHOTOS)
        transcript.check(
            answer.form, "a form opens for up to ten photos, with the consent to tick"
        )
        transcript.add_action(OWNER, "picks five pictures, ticks the consent, submits")
        filled = await self.world.fill(OWNER, answer, photos=shots[:5], consent=["yes"])
        transcript.check_message(self.note_ack(filled).message, "My advice for", DATASET)
        answer = await self.slash(OWNER, "dataset collect", name=DATASET)
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
        dataset = await self.bot.store.datasets.get_by_name(self.world.people[OWNER].id, DATASET)
        for _ in range(round(CAPTION_SECONDS)):
            photos = await self.bot.store.photos.list_for(dataset.id, dataset.owner)
            if all(photo.caption for photo in photos):
                break
            await self.world.wait_until(lambda: False, 0.5)
        answer = await self.slash(OWNER, "dataset show", name=DATASET)
        shown = self.transcript.check_message(answer.message, "10 photos")
        self.transcript.check(
            wording.dataset.UNCAPTIONED not in message_text(shown), "every photo has its caption"
        )
        await self.edit_captions(shown)

    async def edit_captions(self, shown: discord.Message) -> None:
        """Replace a word in all captions, and undo that."""
        transcript, captions = self.transcript, wording.captions
        answer = await self.press(OWNER, shown, captions.OPEN)
        card = transcript.check_message(answer.message, captions.BY_CAPTIONER)
        answer = await self.press(OWNER, card, captions.REPLACE)
        transcript.check(answer.form, "a form opens for what is replaced in all captions")
        transcript.add_action(OWNER, "replaces background with backdrop, submits")
        filled = await self.world.fill(OWNER, answer, find="background", words="backdrop")
        transcript.check_message(self.note_ack(filled).message, "backdrop", captions.BY_OWNER)
        answer = await self.press(OWNER, card, captions.UNDO)
        card = transcript.check_message(answer.message, "background", captions.BY_CAPTIONER)
        transcript.check("backdrop" not in message_text(card), "all captions are as they were")
        await self.audit_captions(card)

    async def audit_captions(self, card: discord.Message) -> None:
        """Add a word to all captions, let the check find it, and remove it by its button."""
        transcript, audit = self.transcript, wording.caption_audit
        answer = await self.press(OWNER, card, wording.captions.ADD_WORD)
        transcript.add_action(OWNER, "adds by the river to all captions, submits")
        filled = await self.world.fill(OWNER, answer, words="by the river")
        transcript.check_message(self.note_ack(filled).message, "by the river")
        answer = await self.press(OWNER, card, audit.CHECK)
        found = transcript.check_message(answer.message, "“river”", "comes with", "10 of 10")
        answer = await self.press(OWNER, found, audit.REMOVE)
        fixed = transcript.check_message(answer.message, "✅ Changed 10 captions")
        transcript.check("river" not in message_text(fixed), "no caption says it any more")

    async def choose_crop(self) -> None:
        """Keep another part of a long photo, and undo that."""
        transcript, said = self.transcript, wording.dataset
        transcript.begin_chapter("What is kept of a photo")
        await self.slash(OWNER, "dataset new", name=WIDE)
        form = await self.slash(OWNER, "dataset add", name=WIDE)
        transcript.add_action(OWNER, "picks a photo three times as wide as high, submits")
        self.note_ack(await self.world.fill(OWNER, form, photos=[("wide.png", draw_wide())]))
        answer = await self.slash(OWNER, "dataset show", name=WIDE)
        card = transcript.check_message(answer.message, "cut away")
        dataset = await self.bot.store.datasets.get_by_name(self.world.people[OWNER].id, WIDE)
        (photo,) = await self.bot.store.photos.list_for(dataset.id, dataset.owner)
        transcript.add_action(OWNER, "picks the photo")
        picked = self.note_ack(await self.world.select(OWNER, card, str(photo.id)))
        card = transcript.check_message(picked.message, said.FRAMED_BY["contrast"])
        answer = await self.press(OWNER, card, said.SIDES[2])
        card = transcript.check_message(answer.message, said.FRAMED_BY["member"])
        answer = await self.press(OWNER, card, said.UNDO_CROP)
        transcript.check_message(answer.message, said.FRAMED_BY["contrast"])
        answer = await self.slash(OWNER, "dataset delete", name=WIDE)
        asked = transcript.check_message(answer.message, "1 photo")
        await self.press(OWNER, asked, said.DELETE)

    async def train(self, method: str) -> None:
        """Train another style on the photos."""
        self.transcript.begin_chapter(f"/train {method}")
        chosen: dict[str, object] = {"dial": str(self.dial), "word": "emoji"}
        if self.dial is Dial.QUICK:
            chosen["steps"] = QUICK_STEPS
        answer = await self.slash(OWNER, f"train {method}", dataset=DATASET, **chosen)
        card = self.transcript.check_message(answer.message, "10 photos", "Steps", "Queue", "File")
        known = self.message_ids()
        answer = await self.press(OWNER, card, wording.training.START)
        self.transcript.check_message(answer.message, "Started")
        await self.watch_training(known, DATASET, method)
        offered = await self.world.autocomplete(OWNER, "sample", "style", "")
        self.transcript.check(len(offered) == 3, "both styles are offered while one types")

    async def erase_everything(self) -> None:
        """Delete everything, and check that nothing is left."""
        transcript, home = self.transcript, self.bot.store.home.path
        transcript.begin_chapter("/me: delete my data")
        traces = await self.list_traces()
        transcript.check(find_traces(home, traces), "photos and captions lie in the data folder")
        answer = await self.slash(OWNER, "me")
        card = transcript.check_message(answer.message, "2 datasets", "20 photos", "2 styles")
        answer = await self.press(OWNER, card, wording.member.ERASE)
        asked = transcript.check_message(answer.message, "20 photos")
        answer = await self.press(OWNER, asked, wording.member.ERASE_REMOVE)
        transcript.check_message(answer.message, "All gone")
        left = [path for path in home.glob("styles/**/*") if path.is_file()]
        transcript.check(not left, "no style's file is left")
        left = find_traces(home, traces)
        found = ", ".join(str(path.relative_to(home)) for path in left)
        transcript.check(not left, f"no photo or caption is left in any file {found}")
        answer = await self.slash(OWNER, "dataset show", name=DATASET)
        transcript.check_message(answer.message, wording.errors.ERRORS["datasets_none"])
        offered = await self.world.autocomplete(FRIEND, "sample", "style", "")
        transcript.check(not offered, "the shared style is offered to nobody any more")

    async def list_traces(self) -> list[bytes]:
        """Return a piece of each of the owner's photos and previews, and their captions."""
        store, member = self.bot.store, self.world.people[OWNER].id
        datasets = await store.datasets.list_for(member)
        photos = [p for d in datasets for p in await store.photos.list_for(d.id, member)]
        home, digests = store.home, [photo.digest for photo in photos]
        files = [*map(home.photo_file, digests), *map(home.preview_file, digests)]
        pieces = [path.read_bytes()[-2 * PIECE_BYTES : -PIECE_BYTES] for path in files]
        captions = {photo.caption for photo in photos}
        own = [each for each in captions if not any(each in prompt for prompt in PROMPTS)]
        return [*pieces, *(caption.encode() for caption in own)]  # a friend has such prompts, too

    def check_no_errors(self) -> None:
        """Check that the bot raised no unexpected error."""
        self.transcript.begin_chapter("The end")
        faults = [f"{type(f).__name__}: {f}" for f in self.world.faults if not is_user_error(f)]
        self.transcript.check(not faults, "; ".join(["nothing broke inside the bot", *faults]))


def draw_wide() -> bytes:
    """Return a photo three times as wide as high, as PNG: a picture of the mascot, far left."""
    with Image.open(picture_files()[0]) as opened:
        mascot = opened.convert("RGB")
    side = mascot.height
    wide = Image.new("RGB", (3 * side, side), mascot.getpixel((0, 0)))
    wide.paste(mascot, (0, 0))
    file = io.BytesIO()
    wide.save(file, "PNG")
    return file.getvalue()


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
