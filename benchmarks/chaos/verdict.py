"""What came of every job: nothing lost, doubled, failed, stuck, mixed up or left behind."""

from __future__ import annotations

import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

from benchmarks.chaos.discord_twin import DiscordTwin, Post
from benchmarks.chaos.load import MEMBERS, pixels_digest, weights_digest
from storage.errors import UserError
from storage.events import Done, PhotoCaptioned, PreviewsDrawn
from storage.records import Job, Kind, Status
from storage.store import Store
from storage.tables.posts import make_marker


@dataclass
class Verdict:
    """The harm that was found, a line each, by kind."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """Return all harm, a line each."""
        return [f"{kind}: {line}" for kind, found in vars(self).items() for line in found]


class Inspector:
    """Compares what the members were given with the results of undisturbed jobs."""

    def __init__(self, store: Store, twin: DiscordTwin, expected: dict[str, str]) -> None:
        self.store, self.twin, self.expected = store, twin, expected
        self.verdict = Verdict()

    async def inspect(self, jobs: list[int]) -> Verdict:
        """Return the harm to these jobs."""
        for number in jobs:
            await self.inspect_job(await self.store.jobs.get(number))
        await self.find_orphans(jobs)
        return self.verdict

    async def inspect_job(self, job: Job) -> None:
        """Check a job's end, its bytes and its posts."""
        what = f"job {job.id} ({job.kind})"
        if not job.status.ended:
            self.verdict.stuck.append(f"{what} is {job.status}")
        elif job.status is not Status.DONE:
            self.verdict.failed.append(f"{what} {job.status}: {job.error}")
        elif job.kind is Kind.TRAIN:
            await self.inspect_training(job, what)
        elif job.kind is Kind.SAMPLE:
            await self.inspect_sample(job, what)
        else:
            await self.inspect_captions(job, what)
        endings = await self.store.events.list_kind(job.id, Done)
        if len(endings) > 1:
            self.verdict.doubled.append(f"{what} ended {len(endings)} times")

    async def inspect_training(self, job: Job, what: str) -> None:
        """Check a style's bytes, its result card and its previews."""
        try:
            style = await self.store.styles.get(job.style or 0, job.owner, job.guild)
            file = self.store.home.style_file(style.folder, style.name)
            digest = weights_digest(file)
        except (UserError, OSError) as missing:
            self.verdict.lost.append(f"{what}: its style, {missing}")
            return
        self.compare(what, "style", job.owner, digest)
        results = self.find_posts(f"style:delete:{style.id}", files=True)
        self.expect_one(f"{what}: its result", results)
        self.expect_one(f"{what}: its card", self.find_cards(job))
        shown = Counter(
            self.preview_step(post)
            for post in self.find_posts(f"report:add:{job.id}", files=True)
            if post not in results
        )
        drawn = await self.store.events.list_kind(job.id, PreviewsDrawn)
        steps = {entry.event.step for entry in drawn}
        for step in steps:
            if shown[step] != 1:
                kind = self.verdict.doubled if shown[step] else self.verdict.lost
                kind.append(f"{what}: previews of step {step}, {shown[step]} posts")

    async def inspect_sample(self, job: Job, what: str) -> None:
        """Check a picture's pixels and its card."""
        pictures = sorted(self.store.home.job_folder(job.folder).result.glob("*.png"))
        if not pictures:
            self.verdict.lost.append(f"{what}: its picture")
            return
        kind = "picture" if job.style is None else "styled picture"
        self.compare(what, kind, job.owner, pixels_digest(pictures[0]))
        self.expect_one(
            f"{what}: its card", self.find_posts(f"sample:delete:{job.id}", files=True)
        )

    async def inspect_captions(self, job: Job, what: str) -> None:
        """Check that each photo was given a caption."""
        told = await self.store.events.list_kind(job.id, PhotoCaptioned)
        lost = {*job.request["photos"]} - {entry.event.photo for entry in told}
        self.verdict.lost += [f"{what}: the caption of photo {photo}" for photo in sorted(lost)]

    def compare(self, what: str, kind: str, owner: int, digest: str) -> None:
        """Compare bytes with those of an undisturbed job of the same member."""
        if digest == self.expected[f"{kind} {owner}"]:
            return
        others = {self.expected[f"{kind} {member}"]: member for member in MEMBERS}
        whose = f"member {others[digest]}'s" if digest in others else "unlike any undisturbed one"
        self.verdict.foreign.append(f"{what} of member {owner}: {kind} is {whose}")

    def find_posts(self, custom_id: str, *, files: bool = False) -> list[Post]:
        """Return the posts that are still there with this custom id."""
        return [
            post
            for post in self.twin.posts
            if not post.deleted
            and f'"{custom_id}"' in post.text()
            and (post.body["attachments"] or not files)
        ]

    def find_cards(self, job: Job) -> list[Post]:
        """Return the cards of a job that are still there; an ended one's has no buttons."""
        marker = make_marker(f"card {job.id} {job.created}")
        return [
            post
            for post in self.twin.posts
            if not post.deleted
            and any(each.get("id") == marker for each in post.body["components"])
        ]

    def expect_one(self, what: str, posts: list[Post]) -> None:
        """Note what was not posted exactly once."""
        if not posts:
            self.verdict.lost.append(what)
        elif len(posts) > 1:
            self.verdict.doubled.append(f"{what}, {len(posts)} posts")

    def preview_step(self, post: Post) -> int:
        """Return the step whose previews a post shows."""
        names = " ".join(one["filename"] for one in post.body["attachments"])
        found = re.search(r"step-(\d+)", names)
        return int(found[1]) if found else -1

    async def find_orphans(self, jobs: list[int]) -> None:
        """Find folders that belong to no row, and halves of files."""
        home = self.store.home
        rows = [await self.store.jobs.get(number) for number in jobs]
        owned = {job.folder for job in rows}
        for job in rows:
            with suppress(UserError):
                owned.add(
                    (await self.store.styles.get(job.style or 0, job.owner, job.guild)).folder
                )
        folders = [*home.runs.glob("*"), *home.styles.glob("*"), *home.quarantine.glob("*/*")]
        left = [path for path in folders if path.name not in owned]
        left += [*home.path.rglob("*.part"), *home.runs.glob("*/checkpoints/*")]
        self.verdict.orphans += [str(path.relative_to(home.path)) for path in left]
