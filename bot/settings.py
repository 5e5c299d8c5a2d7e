"""All settings, read once from the environment and an optional `.env` file: the only reader of either."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class Settings(BaseSettings):
    """Every setting has a default that works on one computer without a network."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", hide_input_in_errors=True)

    data_dir: Path = Field(Path("var"), description="Folder for the database, keys and exports")
    host: str = Field("127.0.0.1", description="Address to listen on")
    port: int = Field(8000, ge=1, le=65535, description="Port to listen on")
    database_url: SecretStr | None = Field(
        None, description="PostgreSQL address; SQLite in the data folder if empty"
    )
    redis_url: SecretStr | None = Field(None, description="Redis address; state stays in memory if empty")
    telegram_token: SecretStr | None = Field(None, description="Bot token; Telegram is off if empty")
    telegram_api_url: str | None = Field(
        None, description="Another Bot API server, for tests or a local server"
    )
    public_url: str | None = Field(None, description="https address under which this program is reached")
    webhook_secret: SecretStr | None = Field(
        None, description="Secret header of Telegram's webhook; made if empty"
    )
    secret_key: SecretStr | None = Field(
        None, description="Key of forms and links; made in the data folder if empty"
    )
    operator_name: str = Field("", description="Who runs this; a test banner shows while it is empty")
    trusted_proxies: Annotated[frozenset[str], NoDecode] = Field(
        frozenset(), description="Addresses of proxies whose X-Forwarded-For counts, comma separated"
    )
    demo: bool = Field(True, description="Load the invented district into an empty database")

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _commas(cls, value: object) -> object:
        return (
            frozenset(part.strip() for part in value.split(",") if part.strip())
            if isinstance(value, str)
            else value
        )

    @field_validator(
        "database_url", "redis_url", "telegram_token", "webhook_secret", "secret_key", mode="before"
    )
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value

    @property
    def store_url(self) -> str:
        """The async address of the database."""
        if self.database_url is None:
            return f"sqlite+aiosqlite:///{self.data_dir / 'one-window.db'}"
        url = self.database_url.get_secret_value()
        scheme, _, rest = url.partition("://")
        return f"postgresql+asyncpg://{rest}" if scheme in ("postgres", "postgresql") else url

    def key(self, name: str) -> str:
        """A secret of this installation, made on first use and kept readable by its owner only."""
        path = self.data_dir / f"{name}.key"
        if not path.exists():
            self.data_dir.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(32))
        return path.read_text().strip()

    def form_key(self) -> bytes:
        """The key behind form tokens and signed links."""
        return (self.secret_key.get_secret_value() if self.secret_key else self.key("secret")).encode()

    def telegram_secret(self) -> str:
        """What Telegram must send in its secret header."""
        return self.webhook_secret.get_secret_value() if self.webhook_secret else self.key("webhook")
