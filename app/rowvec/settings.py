"""One frozen settings object, read once from ROWVEC_* and an optional TOML file; units are in the names."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import platformdirs
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from rowvec.errors import SettingsError

Precision = Literal["fp32", "bf16", "fp16"]


class Settings(BaseSettings):
    """Every setting of rowvec: environment first, then the TOML file that ROWVEC_CONFIG names (./rowvec.toml)."""

    model_config = SettingsConfigDict(env_prefix="ROWVEC_", frozen=True, extra="ignore")

    database_url: SecretStr | None = Field(
        None, description="The server; without it, an embedded one is started in ROWVEC_HOME."
    )
    listen_url: SecretStr | None = Field(
        None, description="A direct connection for LISTEN, where database_url goes through a transaction-mode pooler."
    )
    home: Path = Field(
        default_factory=lambda: Path(platformdirs.user_data_dir("rowvec")),
        description="Folder of the embedded server and of the models.",
    )
    model_dir: Path | None = Field(None, description="Folder of the exported models; default: ROWVEC_HOME/models.")
    precision: Precision = Field(
        "fp32", description="fp32 (exact), bf16 or, on a GPU, fp16 (both lossy; part of a model's identity)."
    )
    threads: int | None = Field(
        None, ge=1, description="CPU threads that inference may use; default: what affinity and cgroup allow."
    )
    max_batch_tokens: int | None = Field(
        None, ge=64, description="Padded tokens of one micro-batch; default: measured when the model is loaded."
    )
    batch_texts: int = Field(512, ge=1, le=4096, description="Texts that one claim takes, about.")
    lease_seconds: float = Field(30.0, gt=0, description="How long a claim is ours before others may take it.")
    poll_seconds: float = Field(1.0, gt=0, description="The longest sleep without a doorbell.")
    doorbell: Literal["auto", "on", "off"] = Field(
        "auto",
        description="Be woken by NOTIFY. auto: not where max_prepared_transactions > 0, since NOTIFY would make a"
        " user's PREPARE TRANSACTION fail.",
    )
    max_attempts: int = Field(5, ge=1, description="Tries before a change goes to the dead letters.")
    backfill_window: int = Field(
        20_000, ge=1, description="Keys of a backfill that may wait in the change log at once."
    )
    index_rows: int = Field(
        10_000, ge=0, description="Rows from which on index => 'auto' makes an index; below, searching all is as quick."
    )
    recheck_seconds: float = Field(
        86_400.0, ge=0, description="How often the daemon compares every row's hash by itself; 0 means never."
    )
    metrics_port: int | None = Field(
        None, ge=1, le=65535, description="Port of the Prometheus endpoint; off by default."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Lowest level logged, to stderr."
    )

    @property
    def models(self) -> Path:
        """The folder that holds one folder a model."""
        return self.model_dir or self.home / "models"

    def direct_url(self, url: str) -> str:
        """Return the URL for what needs a session of its own (LISTEN, advisory locks): listen_url, else `url`."""
        return self.listen_url.get_secret_value() if self.listen_url else url

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then the TOML file."""
        toml = TomlConfigSettingsSource(settings_cls, Path(os.environ.get("ROWVEC_CONFIG", "rowvec.toml")))
        return init_settings, env_settings, toml


def load(**overrides: object) -> Settings:
    """Read the settings; raise SettingsError, naming the variable, when one is wrong."""
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        name = "ROWVEC_" + "_".join(str(part) for part in first["loc"]).upper()
        raise SettingsError(f"{name}: {first['msg']}", hint="`rowvec --help` lists the settings.") from None
