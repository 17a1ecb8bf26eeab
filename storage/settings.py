"""What both bot and trainer need to know of the environment."""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_data_path
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class StorageSettings(BaseSettings):
    """Where things are kept."""

    #: Code may give a field by its own name. No variable can begin with "=", so that the
    #: environment cannot: HOME, PORT or TOKEN are not ours.
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
    min_free_mib: int = Field(
        default=1024, ge=0, validation_alias="SAFELIGHT_DISK_MB"
    )  # MiB kept free
    member_quota_mib: int = Field(
        default=20_480, ge=0, validation_alias="SAFELIGHT_MEMBER_MB"
    )  # MiB; 0: any
    full_model_days: int = Field(
        default=30, ge=0, validation_alias="SAFELIGHT_MODEL_DAYS"
    )  # 0: for ever
