"""Settings that the bot and the scheduler share, from the environment and `.env`."""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_data_path
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


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

    home: Path = Field(
        default_factory=lambda: user_data_path("safelight"), validation_alias="SAFELIGHT_HOME"
    )
    #: a new job must leave so much of the disk free
    min_free_mib: int = Field(default=1024, ge=0, validation_alias="SAFELIGHT_DISK_MB")
    #: of all styles of a member; 0 is unlimited
    member_quota_mib: int = Field(default=20_480, ge=0, validation_alias="SAFELIGHT_MEMBER_MB")
    #: after which files of fully trained models are removed; 0 is never
    full_model_days: int = Field(default=30, ge=0, validation_alias="SAFELIGHT_MODEL_DAYS")
