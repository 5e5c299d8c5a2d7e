"""Settings: defaults that work, one reader, nothing secret in words."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from bot.settings import Settings

SECRETS = {
    "DATABASE_URL": "postgresql://desk:hidden-one@db.example/desk",
    "REDIS_URL": "redis://:hidden-two@cache.example/0",
    "TELEGRAM_TOKEN": "123456:hidden-three",
    "WEBHOOK_SECRET": "hidden-four",
    "SECRET_KEY": "hidden-five",
}


def test_everything_has_a_default_that_needs_no_network(bare: Path) -> None:
    found = Settings()
    assert found.store_url == "sqlite+aiosqlite:///var/one-window.db"
    assert (found.host, found.port, found.demo) == ("127.0.0.1", 8000, True)
    assert found.redis_url is found.telegram_token is found.public_url is None


def test_empty_settings_count_as_missing(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.setenv(name.upper(), "")
    assert Settings() == Settings.model_construct()


def test_env_file_is_read_and_the_environment_wins(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (bare / ".env").write_text("PORT=8123\nOPERATOR_NAME=东浦区\nUNKNOWN=1\n", encoding="utf-8")
    monkeypatch.setenv("PORT", "8124")
    found = Settings()
    assert (found.port, found.operator_name) == (8124, "东浦区")


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+asyncpg"])
def test_postgres_addresses_get_the_async_driver(bare: Path, scheme: str) -> None:
    found = Settings(database_url=f"{scheme}://desk:p%40ss@db.example:5433/desk?ssl=require")
    assert found.store_url == "postgresql+asyncpg://desk:p%40ss@db.example:5433/desk?ssl=require"


def test_proxies_are_separated_by_commas(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUSTED_PROXIES", "192.0.2.1, 2001:db8::/32,")
    assert Settings().trusted_proxies == {"192.0.2.1", "2001:db8::/32"}


def test_secrets_never_show(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    found = Settings()
    assert "hidden" not in repr(found) + str(found) + found.model_dump_json()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://desk:hidden@db.example/desk"),
        ("DATABASE_URL", "hidden"),
        ("REDIS_URL", "http://hidden"),
        ("TELEGRAM_TOKEN", "hidden"),
        ("TELEGRAM_TOKEN", "123:hidden/../x"),
        ("WEBHOOK_SECRET", "hidden secret"),
        ("PUBLIC_URL", "ftp://hidden"),
        ("TELEGRAM_API_URL", "hidden"),
        ("TRUSTED_PROXIES", "192.0.2.300"),
        ("PORT", "70000"),
    ],
)
def test_wrong_settings_are_refused_without_their_value(
    bare: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError) as caught:
        Settings()
    faults = caught.value.errors(include_input=False, include_url=False)
    assert [fault["loc"] for fault in faults] == [(name.lower(),)]
    assert "hidden" not in str(caught.value)


def test_keys_are_made_once_and_only_for_their_owner(bare: Path) -> None:
    found = Settings(data_dir=bare / "new")
    assert found.form_key() == found.form_key()
    assert found.telegram_secret() != found.form_key().decode()
    assert {path.stat().st_mode & 0o777 for path in (bare / "new").glob("*.key")} == {0o600}
    assert Settings(data_dir=bare / "new", secret_key="given").form_key() == b"given"
