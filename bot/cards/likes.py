"""The thumbs under pictures that a style drew, and what its card says of them."""

from __future__ import annotations

from typing import ClassVar

from bot import wording
from bot.actions.permissions import check_may_vote
from bot.bot import Interaction
from bot.card import Card
from bot.cards.components import Button, defer_update, follow_up, text
from bot.cards.report import get_server_job
from bot.wording import fill
from storage.errors import UserError
from storage.records import Kind, Status
from storage.tables.likes import Liking


def likes_line(liking: Liking) -> str:
    """Return how many of a style's samples are liked; "" before anybody has rated one."""
    return (
        fill(wording.style.LIKES, liked=liking.liked, rated=liking.rated) if liking.rated else ""
    )


class Like(Button, verb="sample:like"):
    """Count the presser's thumb for the style; only they see the answer."""

    label = wording.sample.LIKE
    liked: ClassVar[bool] = True

    async def press(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        await check_may_vote(interaction)
        store = interaction.client.store
        job = await get_server_job(interaction, self.number(0))
        if (job.kind, job.status) != (Kind.SAMPLE, Status.DONE):
            raise UserError("job_unknown")
        if job.style is None:
            raise UserError("style_unknown")
        await store.likes.set(job.id, interaction.user.id, liked=self.liked)
        said = wording.sample.LIKED if self.liked else wording.sample.DISLIKED
        line = likes_line(await store.likes.count(job.style))
        await follow_up(interaction, Card(text(said, line)))


class Dislike(Like, verb="sample:dislike"):
    """Count the presser's thumb against the style."""

    label, liked = wording.sample.DISLIKE, False
