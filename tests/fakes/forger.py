"""Interactions that no honest Discord app would send."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from simcord.enums import ComponentType, InteractionType
from simcord.interactions import base_payload
from simcord.results import InteractionResult

from tests.fakes.discord import text

if TYPE_CHECKING:
    from tests.fakes.discord import BotKit

SILENT, FORM, CARD = "(no answer)", "(a form)", "(the card)"  #: instead of a message


#: a message as Discord sends it, with forged components
MESSAGE = {
    "id": str(10**18),
    "type": 0,
    "content": "",
    "flags": 0,
    "embeds": [],
    "attachments": [],
    "mentions": [],
    "mention_roles": [],
    "mention_everyone": False,
    "pinned": False,
    "tts": False,
    "timestamp": "2026-01-01T00:00:00+00:00",
    "edited_timestamp": None,
}


class Forger:
    """A member who sends whatever they like; all at once, since settling takes longest."""

    def __init__(self, kit: BotKit, who: Any) -> None:
        self.kit, self.who = kit, who
        self._sent: dict[Any, InteractionResult] = {}

    def press(self, custom_id: str, name: object = None) -> None:
        """Press a button with a custom id of one's own; the answer is found by `name`."""
        button = {"type": ComponentType.BUTTON, "style": 2, "label": "x"}
        self._use(custom_id if name is None else name, button, custom_id)

    def select(self, custom_id: str, *values: str) -> None:
        """Select values of one's own."""
        options = [{"label": "x", "value": "1"}]
        select = {"type": ComponentType.STRING_SELECT, "options": options}
        self._use((custom_id, values), select, custom_id, values=list(values))

    def submit(self, custom_id: str, components: list[Any], name: object) -> None:
        """Submit a form with fields of one's own."""
        data = {"custom_id": custom_id, "components": components, "resolved": {}}
        self._send(name, InteractionType.MODAL_SUBMIT, data)

    async def answers(self) -> dict[Any, str]:
        """Return what the bot answers to all that was sent."""
        await self.kit.env.settle()
        sent, self._sent = self._sent, {}
        return {name: self._read(result) for name, result in sent.items()}

    async def open_forms(self) -> dict[Any, dict[str, Any]]:
        """Return the forms that the bot opens for what was pressed."""
        await self.kit.env.settle()
        sent, self._sent = self._sent, {}
        return {name: result.modal or {} for name, result in sent.items()}

    def close_forms(self) -> None:
        """End the forms that stayed open after an error; simcord looks at each while settling."""
        for form in list(self.kit.bot._connection._view_store._modals.values()):
            form.stop()

    def _use(self, name: object, component: dict[str, Any], custom_id: str, **data: Any) -> None:
        placed = component | {"custom_id": custom_id, "id": 2}
        rows = [{"type": ComponentType.ACTION_ROW, "id": 1, "components": [placed]}]
        author = {"id": str(self.kit.bot.user.id), "username": "bot", "discriminator": "0"}
        where = {"channel_id": str(self.kit.channel.id), "author": author | {"avatar": None}}
        sent = {"custom_id": custom_id, "component_type": component["type"], "id": 2} | data
        message = MESSAGE | where | {"components": rows}
        self._send(name, InteractionType.MESSAGE_COMPONENT, sent, message=message)

    def _send(self, name: object, kind: int, data: dict[str, Any], **extra: Any) -> None:
        backend, channel, guild = self.kit.env.backend, self.kit.channel, self.kit.guild
        record, payload = base_payload(
            backend,
            type=kind,
            channel_id=channel.id,
            guild_id=guild.id,
            user_id=self.who.id,
            data=data,
        )
        backend.emit("INTERACTION_CREATE", payload | extra)
        self._sent[name] = InteractionResult(self.kit.env, record)

    @staticmethod
    def _read(result: InteractionResult) -> str:
        if result.modal is not None:
            return FORM
        if result.acknowledged and result._interaction.message_id is None and not result.followups:
            return CARD
        return text(result) if result.response or result.followups else SILENT


class Tracebacks(logging.Handler):
    """Collects the errors that any library logs."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Add a record with its traceback."""
        self.found.append(
            self.format(record) if record.exc_info is None else repr(record.exc_info[1])
        )

    def __enter__(self) -> Tracebacks:
        logging.getLogger().addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger().removeHandler(self)
