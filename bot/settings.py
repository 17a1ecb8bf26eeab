"""The bot's settings."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr, field_validator

from storage.backup.retention import KEEP, parse_keep
from storage.errors import UserError
from storage.settings import StorageSettings


class BotSettings(StorageSettings):
    """Everything an operator can set for the bot; `.env.example` lists each name."""

    token: SecretStr | None = Field(
        default=None, validation_alias="DISCORD_TOKEN", examples=["MTA4….GhXyz1.abc…"]
    )
    public_url: str | None = Field(
        default=None,
        validation_alias="PUBLIC_URL",
        pattern=r"^https?://[^\s/]+(/\S*)?$",
        examples=["https://safelight.example.org"],
    )
    privacy_url: str | None = Field(
        default=None,
        validation_alias="PRIVACY_URL",
        pattern=r"^https?://\S+$",
        examples=["https://example.org/privacy"],
    )
    host: str = Field(default="127.0.0.1", validation_alias="SAFELIGHT_WEB_HOST")
    port: int = Field(default=8765, ge=0, le=65535, validation_alias="SAFELIGHT_WEB_PORT")
    collect_messages: bool = Field(
        default=False, validation_alias="SAFELIGHT_COLLECT_MESSAGES", examples=["false"]
    )
    card_seconds: float = Field(
        default=15, ge=1, le=600, validation_alias="SAFELIGHT_CARD_SECONDS"
    )
    upload_mib: int = Field(default=20, ge=1, le=500, validation_alias="SAFELIGHT_UPLOAD_MIB")
    create_threads: bool = Field(
        default=True, validation_alias="SAFELIGHT_THREADS", examples=["true"]
    )
    allow_explicit: bool = Field(
        default=False, validation_alias="SAFELIGHT_ALLOW_EXPLICIT", examples=["false"]
    )
    attest_people: bool = Field(
        default=False, validation_alias="SAFELIGHT_ATTEST_PEOPLE", examples=["false"]
    )
    default_base: str = Field(default="embedded", min_length=1, validation_alias="SAFELIGHT_BASE")

    #: where `safelight run` backs up every night; nowhere without it
    backup: Path | None = Field(
        default=None, validation_alias="SAFELIGHT_BACKUP", examples=["/mnt/backups/safelight"]
    )
    keep: str = Field(default=KEEP, validation_alias="SAFELIGHT_BACKUP_KEEP")

    @field_validator("keep")
    @classmethod
    def _keep(cls, value: str) -> str:
        """Refuse a rule that would stop the backup at night."""
        try:
            parse_keep(value)
        except UserError:
            raise ValueError("it counts days, weeks and months to keep") from None
        return value

    @field_validator("token", mode="before")
    @classmethod
    def _token(cls, value: object) -> object:
        """Refuse what cannot be a bot token, without repeating it."""
        if not isinstance(value, str):
            return value
        if len(value.split(".")) != 3 or any(c.isspace() for c in value):
            raise ValueError("a bot token has three parts with dots between them and no spaces")
        return value
