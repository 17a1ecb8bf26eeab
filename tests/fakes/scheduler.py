"""What the bot sees of training, without any: a scheduler that writes the store by hand."""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from storage.events import (
    CheckpointSaved,
    Done,
    Event,
    Failed,
    LogEntry,
    PictureDrawn,
    PreviewsDrawn,
    Progress,
    ResultDrawn,
    Started,
    Timings,
)
from storage.planning.durations import TimingKey
from storage.records import (
    Base,
    Catalog,
    CheckedPhoto,
    Concept,
    Dial,
    Kind,
    Method,
    NewJob,
    Rule,
    Status,
    Timing,
)
from storage.requests import TrainRequest
from tests.fakes.discord import draw_photo

if TYPE_CHECKING:
    import simcord

    from storage.records import Dataset, Job, Style
    from storage.store import Store
    from tests.fakes.discord import BotKit


WORD = Method("embedding", (1, 8), learns_word=True, title="Embedding", rank_name="vectors")
CLASS = Method(
    "dreambooth", (0, 128), small_copy=True, dropout=True, title="DreamBooth", rank_rules="lora"
)


@cache
def draw_square(side: int) -> bytes:
    """Return a photo of so many pixels a side, drawn once."""
    return draw_photo(size=(side, side))


class FakeScheduler:
    """Writes what the scheduler and its workers write: claims, events, results."""

    def __init__(self, kit: BotKit) -> None:
        self.kit = kit

    @property
    def store(self) -> Store:
        """The store that bot and scheduler share."""
        return self.kit.store

    async def publish_catalog(self, **changes: Any) -> None:
        """Publish four methods on two bases that are here and one that is not."""
        base = Base(
            "embedded", "Safelight emoji", "sd1", "embedded", 64, "", "", present=True, small=True,
            caption_tokens=75,
        )  # fmt: skip
        real = replace(base, name="sd15", title="Stable Diffusion", source="hub/sd15", small=False)
        real = replace(real, resolution=512)
        away = replace(real, name="away", title="Away", present=False)
        methods = {
            "lora": (Method("lora", dropout=True, title="LoRA"), 8, 1 << 20),
            "embedding": (WORD, 2, 4096),
            "dreambooth": (CLASS, 0, 24_000_000),
            "finetune": (Method("finetune", (0, 0), title="Fine-tuned model"), 0, 24_000_000),
        }
        rules = tuple(
            Rule(
                name, place.name, concept, dial, 90, 10, 100, 400, rank, 1e-3, 4, size,
                f"{concept}_{dial}", num_class_images=24 * (name == "dreambooth"),
            )
            for name, (_, rank, size) in methods.items()
            for place in (base, real, away)
            for concept in Concept
            for dial in Dial
        )  # fmt: skip
        known = tuple(method for method, _, _ in methods.values())
        catalog = Catalog((base, real, away), known, "embedded", rules, "two cores")
        await self.store.catalog.publish(replace(catalog, **changes))
        await self.kit.bot.cogs["train"].refresh()

    async def add_timing(self, step: float, around: float = 0.0, method: str = "lora") -> None:
        """Record how long a step of a subject on the embedded base took, in seconds."""
        gait = TimingKey("two cores", "embedded", 64, method, Concept.SUBJECT, 4)
        await self.store.durations.add_run(gait, Timing(step, 0.0, 0.0, around))

    async def add_dataset(
        self,
        who: simcord.MemberActor,
        name: str = "my dog",
        photos: int = 5,
        warned: int = 0,
        side: int = 130,
    ) -> Dataset:
        """Add a member's dataset whose photos skip the darkroom, which is faster.

        They are just larger than emoji, so that advice takes them for photographs.
        """
        dataset = await self.kit.add_dataset(who, name)
        for at in range(photos):
            warnings = ("tiny",) if at < warned else ()
            digest = f"{at + who.id:064x}"
            checked = CheckedPhoto(
                digest, at * 0x0F0F_F0F0_0FF0, side, side, draw_square(side), b"webp", warnings
            )
            await self.store.photos.add(dataset, checked)
        return dataset

    async def let_bot_poll(self, seconds: float = 1) -> None:
        """Advance the clock so that the bot reads the new events."""
        await self.kit.env.advance_time(seconds)

    async def start_training(self) -> tuple[simcord.MemberActor, Job]:
        """Let alice start a training, and claim it."""
        who = self.kit.add_member("alice")
        await self.add_dataset(who)
        card = (await who.slash(self.kit.channel, "train lora", dataset="my dog")).response
        await who.click(card, label="Start")
        return who, await self.claim()

    async def claim(self, *kinds: Kind) -> Job:
        """Claim the next job and report that it started."""
        job = await self.store.jobs.claim("worker", kinds or tuple(Kind))
        assert job is not None
        await self.add_event(job, Started(0, 100, "two cores"))
        return job

    async def add_event(self, job: Job, event: Event) -> None:
        """Append an event to a job."""
        await self.store.events.append(job.id, [LogEntry(event, time.time())])

    async def report_step(self, job: Job, step: int) -> None:
        """Report the progress of a training."""
        await self.add_event(
            job, Progress(step, 100, 0.2, 0.123, steps_per_second=5.0, eta_seconds=40.0)
        )

    async def report_preview(self, job: Job, step: int, side: int = 64) -> None:
        """Write the files of a preview and a checkpoint, and report both."""
        folder = self.store.home.job_folder(job.folder).samples
        folder.mkdir(parents=True, exist_ok=True)
        files = tuple(f"step-{step:06d}-{at}.png" for at in range(2))
        for at, name in enumerate(files):
            (folder / name).write_bytes(draw_photo(step + at, (side, side)))
        (folder / "loss.png").write_bytes(draw_photo(step, (300, 200)))
        prompts = ("a dog", "a dog on the moon")
        await self.add_event(job, PreviewsDrawn(step, files, prompts, (1, 2)))
        await self.add_event(job, CheckpointSaved(step, "x", "loss.png"))

    async def report_result(self, job: Job, step: int = 100) -> None:
        """Write the pictures of the end, and report them."""
        folder = self.store.home.job_folder(job.folder).samples
        folder.mkdir(parents=True, exist_ok=True)
        files = tuple(f"step-{step:06d}-end-{at}.png" for at in range(4))
        for at, name in enumerate(files):
            (folder / name).write_bytes(draw_photo(at, (64, 64)))
        await self.add_event(job, ResultDrawn(step, files, ("a dog",) * 4, (1,) * 4, candidates=3))

    async def finish_training(self, job: Job, size: int = 2048, **facts: Any) -> Style:
        """Write the style's file and settle the job as done."""
        file = self.store.home.job_folder(job.folder).result / f"{job.request['name']}.safetensors"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"\0" * size)
        style = await self.store.styles.add(
            job, file, method=job.request["method"], family="sd1",
            trigger=job.request["trigger"], concept=Concept(job.request["concept"]),
            whole=bool(facts.get("full_model")),
        )  # fmt: skip
        await self.add_event(job, Done(100, Timings(48.0, 5.0), file.name, size, **facts))
        assert await self.store.jobs.end_run(job.id, job.fence, Status.DONE)
        return style

    async def finish_sample(self, job: Job, side: int = 64) -> None:
        """Write a sample job's pictures and settle it as done."""
        folder = self.store.home.job_folder(job.folder).result
        folder.mkdir(parents=True, exist_ok=True)
        for at in range(job.request["count"]):
            (folder / f"{at}.png").write_bytes(draw_photo(at, (side, side)))
            seed = job.request["seed"] + at
            prompt = job.request["prompt"]
            await self.add_event(job, PictureDrawn(f"{at}.png", seed, prompt))
        await self.add_event(job, Done(job.request["count"]))
        assert await self.store.jobs.end_run(job.id, job.fence, Status.DONE)

    async def fail(self, job: Job, code: str = "loss_nan", **facts: Any) -> None:
        """Settle a job as failed."""
        error = {"code": code, **facts}
        await self.add_event(job, Failed(code, facts))
        assert await self.store.jobs.end_run(job.id, job.fence, Status.FAILED, error)

    async def add_style(
        self, who: simcord.MemberActor, name: str = "my dog", size: int = 2048, **more: Any
    ) -> Style:
        """Add a member's finished style, without commands."""
        dataset = await self.kit.add_dataset(who, name)
        word = more.pop("trigger", "mydog")
        request = TrainRequest(
            "lora", "embedded", name, word, Concept.SUBJECT, Dial.QUICK, 100, 8, 1e-3, 4, 7
        )
        new = NewJob(
            Kind.TRAIN, who.id, self.kit.guild.id, self.kit.channel.id, asdict(request),
            "embedded", dataset.id,
        )  # fmt: skip
        queued = await self.store.jobs.queue(new)
        self.kit.bot.jobs.forget(queued.id)
        return await self.finish_training(await self.claim(Kind.TRAIN), size, **more)
