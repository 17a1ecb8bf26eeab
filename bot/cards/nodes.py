"""The machines that train, for the bot's operator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import discord

from bot import wording
from bot.actions.permissions import check_operator
from bot.bot import Bot, Interaction
from bot.card import Card
from bot.cards.components import Select, defer_update, edit, row, text
from bot.wording import escape, fill, flatten, say
from storage.errors import UserError
from storage.records import Catalog, Job, Status
from storage.tables.nodes import VERSIONS, Node, Wish

MAX_OPTIONS = 25  #: of a select
MAX_BASES = 6  #: named for each machine
MIB_A_GIB = 1024


async def nodes_card(bot: Bot) -> Card:
    """Return a card of all workers with what each one is, has and does."""
    nodes = await bot.store.nodes.list()
    if not nodes:
        return Card(text(wording.operator.TITLE, wording.operator.NONE))
    catalogs = await bot.store.catalog.read_all()
    running = [job for job in await bot.store.jobs.list_open() if job.status is Status.RUNNING]
    lines = [node_line(node, catalogs, running) for node in nodes]
    alone = [] if any(node.remote for node in nodes) else [wording.operator.ALONE]
    return Card(
        text(wording.operator.TITLE, "\n\n".join(lines), *alone),
        row(Act(options=list_actions(nodes))),
    )


def node_line(node: Node, catalogs: Mapping[str, Catalog], running: Sequence[Job]) -> str:
    """Return a worker's state, device, bases and job."""
    catalog = catalogs.get(node.place)
    names = [base.title for base in (catalog.bases if catalog else ()) if base.present]
    shown = names[:MAX_BASES] + (["…"] if len(names) > MAX_BASES else [])
    jobs = [job_name(job) for job in running if job.worker == node.place]
    return fill(
        wording.operator.LINE,
        place=escape(node.place),
        state=describe_state(node),
        device=escape(describe_device(catalog)),
        bases=say(wording.operator.BASES, names=shown) if shown else wording.operator.NO_BASES,
        job=", ".join(jobs) or wording.operator.NO_JOB,
    )


def describe_state(node: Node) -> str:
    """Return what the operator asked of a worker, or else whether it takes jobs, and why not."""
    why, _, wrong = node.why.partition(" ")
    if why == VERSIONS and not node.wish:
        return fill(wording.operator.OTHER_VERSIONS, wrong=escape(wrong))
    return wording.operator.STATES[node.wish or ("ready" if node.here else why or "away")]


def describe_device(catalog: Catalog | None) -> str:
    """Return what a worker computes on, and its memory."""
    if catalog is None:
        return wording.operator.DEVICE_UNKNOWN
    gib = round(catalog.memory_mib / MIB_A_GIB)
    return fill(wording.operator.MEMORY, device=catalog.device, gib=gib) if gib else catalog.device


def job_name(job: Job) -> str:
    """Return what kind of job it is, and its number; nothing of what is in it."""
    kind = wording.operator.JOB_KINDS.get(job.kind, wording.operator.OTHER_JOB)
    return fill(wording.operator.JOB, kind=kind, number=job.id)


def list_actions(nodes: Sequence[Node]) -> list[discord.SelectOption]:
    """List what can be asked of each worker; only other machines can leave."""
    found = list[discord.SelectOption]()
    for node in nodes:
        wishes = [Wish.DRAIN if node.wish is Wish.NONE else Wish.NONE]
        wishes += [Wish.REMOVE] if node.remote and node.wish is not Wish.REMOVE else []
        for wish in wishes:
            label = fill(wording.operator.ACTIONS[wish], place=node.place)
            found.append(
                discord.SelectOption(
                    label=flatten(label, 100), value=f"{wish} {node.place}",
                    description=wording.operator.HINTS[wish],
                )
            )  # fmt: skip
    return found[:MAX_OPTIONS]


class Act(Select, verb="operator:act"):
    """Ask something of a worker."""

    placeholder = wording.operator.PICK

    async def press(self, interaction: Interaction) -> None:
        await check_operator(interaction)
        await defer_update(interaction)
        nodes, (wish, _, place) = interaction.client.store.nodes, self.value.partition(" ")
        if wish not in {*Wish} or not await nodes.set_wish(place, Wish(wish)):
            raise UserError("card_old")
        await edit(interaction, await nodes_card(interaction.client))
