"""What both bot and trainer need to know of the environment."""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_data_path
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class StorageSettings(BaseSettings):
    """Where things are kept."""

    model_config = SettingsConfigDict(
        env_file=".env", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore"
    )

    home: Path = Field(
        default_factory=lambda: user_data_path("safelight"), validation_alias="SAFELIGHT_HOME"
    )
    disk: int = Field(default=1024, ge=0, validation_alias="SAFELIGHT_DISK_MB")  # MiB kept free
