"""Settings from the environment and `.env`: those that all processes share, and the reader."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from platformdirs import user_data_path
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from storage.errors import UserError
from storage.photofiles import PhotoKeys


def default_home() -> Path:
    """Return the data folder of a machine whose operator names none."""
    return user_data_path("safelight")


class StorageSettings(BaseSettings):
    """Where data is stored, and how much of it."""

    #: Code may set a field by its own name. The environment must not: HOME, PORT and TOKEN belong
    #: to others. No variable's name can begin with "=", so the prefix rules that out.
    model_config = SettingsConfigDict(
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        env_prefix="=",
        extra="ignore",
        populate_by_name=True,
    )

    home: Path = Field(default_factory=default_home, validation_alias="SAFELIGHT_HOME")
    #: a new job must leave so much of the disk free
    min_free_mib: int = Field(default=1024, ge=0, validation_alias="SAFELIGHT_DISK_MB")
    #: of all styles of a member; 0 is unlimited
    member_quota_mib: int = Field(default=20_480, ge=0, validation_alias="SAFELIGHT_MEMBER_MB")
    #: after which files of fully trained models are removed; 0 is never
    full_model_days: int = Field(default=30, ge=0, validation_alias="SAFELIGHT_MODEL_DAYS")
    #: after which checkpoints of finished trainings are removed; 0 is never
    checkpoint_days: int = Field(default=14, ge=0, validation_alias="SAFELIGHT_CHECKPOINT_DAYS")
    #: by which photos are encrypted on the disk: the first encrypts, all decrypt; none without it
    photo_keys: SecretStr | None = Field(
        default=None,
        validation_alias="SAFELIGHT_PHOTO_KEYS",
        examples=["(one that safelight encrypt --new-key prints)"],
    )
    #: without use, after which datasets are deleted; 0 is never
    unused_days: int = Field(default=0, ge=0, validation_alias="SAFELIGHT_UNUSED_DAYS")

    @field_validator("photo_keys")
    @classmethod
    def _photo_keys(cls, value: SecretStr | None) -> SecretStr | None:
        """Refuse what are no keys, without repeating them."""
        if value is not None:
            PhotoKeys.parse(value.get_secret_value())
        return value

    def read_photo_keys(self) -> PhotoKeys:
        """Return the keys of photos; none without the setting."""
        return PhotoKeys.parse(self.photo_keys.get_secret_value() if self.photo_keys else "")


Settings = TypeVar("Settings", bound=StorageSettings)


def read_settings(table: type[Settings], **known: Any) -> Settings:
    """Return the settings of a class; `known` fields are not read from the environment.

    Raises UserError("setting_wrong") with the variable's name, the problem and a value that would
    do. The wrong value is never repeated: it may be a token.
    """
    try:
        return table(**known)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        name = str(first["loc"][0]) if first["loc"] else "SAFELIGHT_HOME"
        raise UserError(
            "setting_wrong",
            name=name,
            problem=first["msg"].removeprefix("Value error, "),
            example=f"{name}={example_value(table, name)}",
        ) from None


def example_value(table: type[StorageSettings], name: str) -> str:
    """Return a value that a setting, given by its field's or variable's name, would take."""
    for attribute, field in table.model_fields.items():
        if name in {attribute, field.validation_alias}:
            return str(field.examples[0]) if field.examples else str(field.get_default())
    return "…"
