"""What a member orders to be trained, and how a button keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self, TypeVar

from bot.bot import Interaction
from storage.errors import UserError
from storage.options import options_from_json
from storage.records import Dial, Optimizer


@dataclass(frozen=True, slots=True)
class DraftBody:
    """What a draft keeps."""

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        """Read what `to_json` returned.

        Raises UserError("card_old") for the draft of something else or of another version.
        """
        try:
            return cls(**cls.read_fields(body))
        except (KeyError, TypeError, ValueError) as old:
            raise UserError("card_old") from old

    @staticmethod
    def read_fields(body: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields in a draft's body with their own types."""
        raise NotImplementedError


Kept = TypeVar("Kept", bound=DraftBody)


async def load_draft(interaction: Interaction, kind: type[Kept], number: int) -> Kept:
    """Return a draft of the presser's; somebody else's card is an old one."""
    return kind.from_json(await interaction.client.store.drafts.get(number, interaction.user.id))


@dataclass(frozen=True, slots=True)
class TrainingOrder(DraftBody):
    """A training before it is queued. Numbers that are 0 follow the dial."""

    dataset: int
    method: str
    base: str
    dial: Dial = Dial.BALANCED
    steps: int = 0
    rank: int = 0
    learning_rate: float = 0.0
    class_word: str = ""
    private: bool = False
    other_datasets: tuple[int, ...] = ()  #: further datasets, each a concept of its own
    options: Mapping[str, Any] = field(default_factory=dict)  #: `TrainingOptions` that were chosen
    num_class_images: int = -1  #: -1 follows the dial
    class_dataset: int = 0  #: a dataset of others of its kind; 0 is none
    sample_prompts: tuple[str, ...] = ()  #: the member's own, in place of the usual ones

    @property
    def optimizer(self) -> Optimizer:
        """The optimizer that was chosen, or the default."""
        return Optimizer(self.options.get("optimizer", Optimizer.ADAMW))

    @staticmethod
    def read_fields(body: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields in a draft's body with their own types."""
        return {
            **body,
            "dial": Dial(body["dial"]),
            "other_datasets": tuple(body["other_datasets"]),
            "options": options_from_json(body["options"]),
            "sample_prompts": tuple(body.get("sample_prompts", ())),
        }
