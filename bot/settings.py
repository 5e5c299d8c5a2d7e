"""All settings, read once from the environment and an optional `.env` file: the only reader of either."""

from __future__ import annotations

import ipaddress
import re
import secrets
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

POSTGRES = ("postgresql", "postgres", "postgresql+asyncpg")
DATABASES = (*POSTGRES, "sqlite+aiosqlite")
REDIS = ("redis", "rediss", "unix")


class Settings(BaseSettings):
    """Every setting has a default that works on one computer without a network.

    A setting that is there and empty counts as one that is not there.
    """

    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="ignore", hide_input_in_errors=True
    )

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
    roll_key: Path | None = Field(
        None, description="Key file of the roll; roll.key in the data folder if empty"
    )
    operator_name: str = Field("", description="Who runs this; a test banner shows while it is empty")
    trusted_proxies: Annotated[frozenset[str], NoDecode] = Field(
        frozenset(), description="Addresses of proxies whose X-Forwarded-For counts, comma separated"
    )
    wanted_wrong: float = Field(
        0.01, gt=0, le=0.2, description="Share of answers given at once that may be wrong"
    )
    ephemeral_answers: bool = Field(
        False, description="Answer personal questions in Telegram groups so that only the asker sees it"
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

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: frozenset[str]) -> frozenset[str]:
        for network in value:
            ipaddress.ip_network(network, strict=False)
        return value

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            try:
                scheme = make_url(value.get_secret_value()).drivername
            except ArgumentError:
                scheme = ""
            if scheme not in DATABASES:
                raise ValueError("应以 postgresql:// 开头 (must begin with postgresql://)")
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and urlsplit(value.get_secret_value()).scheme not in REDIS:
            raise ValueError("应以 redis:// 开头 (must begin with redis://)")
        return value

    @field_validator("telegram_token")
    @classmethod
    def _token(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.fullmatch(r"[0-9]+:[A-Za-z0-9_-]+", value.get_secret_value()):
            raise ValueError("应为 数字:字母 (must look like digits:letters)")
        return value

    @field_validator("webhook_secret")
    @classmethod
    def _header(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", value.get_secret_value()):
            raise ValueError("只能用字母、数字、_ 和 - (letters, digits, _ and - only, at most 256)")
        return value

    @field_validator("public_url", "telegram_api_url")
    @classmethod
    def _http(cls, value: str | None) -> str | None:
        if value is not None and urlsplit(value).scheme not in ("http", "https"):
            raise ValueError("应以 https:// 开头 (must begin with https://)")
        return value

    @property
    def store_url(self) -> str:
        """The async address of the database."""
        if self.database_url is None:
            return f"sqlite+aiosqlite:///{self.data_dir / 'one-window.db'}"
        url = make_url(self.database_url.get_secret_value())
        if url.drivername in POSTGRES:
            url = url.set(drivername="postgresql+asyncpg")
        return url.render_as_string(hide_password=False)

    def key(self, name: str) -> str:
        """A secret of this installation, made on first use and kept readable by its owner only."""
        path = self.data_dir / f"{name}.key"
        if not path.exists():
            self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(32))
        return path.read_text().strip()

    def form_key(self) -> bytes:
        """The key behind form tokens and signed links."""
        return (self.secret_key.get_secret_value() if self.secret_key else self.key("secret")).encode()

    @property
    def roll_key_file(self) -> Path:
        """Where the key of the roll's digests is looked for; it is carried there, never made here."""
        return self.roll_key or self.data_dir / "roll.key"

    def telegram_secret(self) -> str:
        """What Telegram must send in its secret header."""
        return self.webhook_secret.get_secret_value() if self.webhook_secret else self.key("webhook")
