"""What the advisor recommends for a member's dataset."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot.actions.order import DraftBody, TrainingOrder
from bot.actions.training import Preview, preview_training, read_catalog
from bot.bot import Interaction
from storage.errors import UserError
from storage.planning.advice_input import CLASS_WORDS, AdviceInput, SubjectMatter
from storage.planning.advisor import Advice, Choice, advise
from storage.records import Concept

DISK_CODES = frozenset({"disk_low", "quota_full"})  #: a smaller file may still find room


@dataclass(frozen=True, slots=True)
class Question(DraftBody):
    """What a member asks the advisor."""

    dataset: int
    subject_matter: SubjectMatter | None = None  #: None: what the dataset's concept suggests
    commercial: bool = False
    private: bool = False
    second: bool = False  #: show the second choice
    class_word: str = ""

    @staticmethod
    def read_fields(body: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields in a draft's body with their own types."""
        shown = body["subject_matter"]
        return {**body, "subject_matter": SubjectMatter(shown) if shown else None}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the advisor recommends."""

    question: Question
    concept: Concept
    case: AdviceInput
    advice: Advice

    @property
    def choice(self) -> Choice:
        """The choice that the member looks at."""
        first, second = self.advice.first, self.advice.second
        return second if second and self.question.second else first

    @property
    def alternative(self) -> Choice | None:
        """The other choice, if there is one."""
        return self.advice.second if self.choice is self.advice.first else self.advice.first

    @property
    def order(self) -> TrainingOrder:
        """The order of what is recommended."""
        question, choice = self.question, self.choice
        word = question.class_word
        if choice.needs_class_word and not word:
            word = CLASS_WORDS[self.case.subject_matter]
        return TrainingOrder(
            question.dataset, choice.method, choice.base.name, choice.dial,
            class_word=word, private=question.private,
        )  # fmt: skip


async def ask_advisor(
    interaction: Interaction, question: Question, *, concepts: int = 1, large_file_ok: bool = True
) -> Answer:
    """Ask the advisor about a member's dataset; a whole model needs a link to its large file."""
    bot, owner = interaction.client, interaction.user.id
    dataset = await bot.store.datasets.get(question.dataset, owner)
    photos = await bot.store.photos.list_for(dataset.id, owner)
    server = await bot.store.servers.get(interaction.guild_id or 0)
    transparent = await asyncio.to_thread(bot.store.photos.any_transparent, photos)
    case = replace(
        AdviceInput.from_photos(
            photos, dataset.concept, question.subject_matter, transparent=transparent
        ),
        commercial=question.commercial,
        concepts=concepts,
        large_file_ok=large_file_ok and bot.web.public is not None,
        max_minutes=server.minutes,
    )
    durations = await bot.store.durations.read_all()
    catalog = await read_catalog(bot, owner, interaction.guild_id or 0, (question.dataset,))
    return Answer(question, dataset.concept, case, advise(catalog, case, durations))


async def advise_and_preview(
    interaction: Interaction, question: Question
) -> tuple[Answer, Preview]:
    """Preview what the advisor recommends: something smaller where the disk is nearly full."""
    bot, owner, guild = interaction.client, interaction.user.id, interaction.guild_id or 0
    answer = await ask_advisor(interaction, question)
    try:
        return answer, await preview_training(bot, answer.order, owner, guild)
    except UserError as error:
        if error.code not in DISK_CODES or not answer.case.large_file_ok:
            raise
    answer = await ask_advisor(interaction, question, large_file_ok=False)
    return answer, await preview_training(bot, answer.order, owner, guild)
