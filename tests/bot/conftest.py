"""The whole program in a test: built as in production, on the test's database."""

from __future__ import annotations

import re
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from bot import app
from bot.app import Machine
from bot.settings import Settings
from bot.worker import Worker
from office.store import Store
from tests.bot.town import Town, a_worker
from tests.make import Cast, Clock, an_entry

ADDRESS = "http://desk.test"


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An environment without any of our settings, in an empty folder."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def clock(now: datetime) -> Clock:
    """The test's moment, which moves only when told to."""
    return Clock(now)


@pytest.fixture
def town() -> Town:
    """A Telegram that takes everything, until it is told otherwise."""
    return Town()


@pytest.fixture
def worker(store: Store, clock: Clock, town: Town) -> Worker:
    """A worker on that town, without a pace; not started."""
    return a_worker(store, clock, town)


@pytest.fixture
async def machine(store: Store, cast: Cast, now: Any, bare: Path) -> AsyncIterator[Machine]:
    """The parts on the test's database, with two entries; nothing is started."""
    async with store.transaction() as session:
        await an_entry(session, cast, now)
    made = app.build(Settings(database_url=store.url, data_dir=bare / "data"), clock=lambda: now)
    yield made
    await made.close()


@pytest.fixture(scope="session")
def sites() -> dict[str, FastAPI]:
    """The web application, made once: its routes cost more than most tests do."""
    return {}


@pytest.fixture
def site(machine: Machine, sites: dict[str, FastAPI]) -> FastAPI:
    """The web application of the machine; its lifespan does not run."""
    if "plain" not in sites:
        sites["plain"] = app.application(machine)
    app.equip(sites["plain"], machine)
    return sites["plain"]


@dataclass
class Visitor:
    """A browser with or without scripts that talks to the web chat."""

    client: httpx.AsyncClient
    csrf: str = ""
    page: str = ""
    seen: list[dict[str, Any]] = field(default_factory=list)

    async def open(self) -> httpx.Response:
        """Load the conversation."""
        response = await self.client.get("/")
        self.page = response.text
        self.csrf = hidden(response.text, "csrf")
        return response

    async def send(
        self, text: str = "", *, event_id: str = "", script: bool = True, **fields: str
    ) -> httpx.Response:
        """Send a message or, with `action` and `message_id`, tap a button."""
        if not self.csrf:
            await self.open()
        headers = {"accept": "application/json"} if script else {}
        data = {"csrf": self.csrf, "event_id": event_id or new_id(), "text": text, **fields}
        return await self.client.post("/chat/messages", data=data, headers=headers)

    async def ask(self, text: str) -> list[dict[str, Any]]:
        """Send a message; the lines of the mailbox that came of it."""
        response = await self.send(text)
        assert response.status_code == 200, response.text
        items: list[dict[str, Any]] = response.json()["items"]
        self.seen += items
        return items

    async def tap(self, label: str) -> list[dict[str, Any]]:
        """Tap the newest button with this label."""
        for item in reversed(self.seen):
            for action, text in buttons(item["html"]):
                if label in text:
                    response = await self.send(action=action, message_id=str(item["id"]))
                    assert response.status_code == 200, response.text
                    items: list[dict[str, Any]] = response.json()["items"]
                    self.seen += items
                    return items
        raise AssertionError(f"no button {label}")


def new_id() -> str:
    return uuid.uuid4().hex


def hidden(page: str, name: str) -> str:
    """The value of the first hidden field of that name."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, f"no field {name}"
    return found[1]


def buttons(html: str) -> list[tuple[str, str]]:
    """The buttons of a line: what they do, and their label."""
    return re.findall(r'name="action" value="([^"]*)">\s*<button[^>]*>([^<]*)</button>', html)


@pytest.fixture
async def visitor(site: FastAPI) -> AsyncIterator[Callable[..., Visitor]]:
    """Makes visitors, each with cookies of their own."""
    opened: list[httpx.AsyncClient] = []

    def make(host: str = "192.0.2.1") -> Visitor:
        transport = httpx.ASGITransport(app=site, client=(host, 40000))
        opened.append(httpx.AsyncClient(transport=transport, base_url=ADDRESS))
        return Visitor(opened[-1])

    yield make
    for client in opened:
        await client.aclose()
