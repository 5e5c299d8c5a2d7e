"""The console in a test: the application with its router, and browsers for the people of the cast."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from admin import router
from admin.pages import Services
from knowledge.answer import LiveBase
from knowledge.versions import EntryVersion
from office import signin
from office.staff import Staff
from office.store import Store
from tests.make import Cast, a_ticket, an_entry
from tests.make import Clock as Clock
from ticketing import tickets
from ticketing.records import Ticket

ADDRESS = "http://desk.test"
PASSWORD = "a long enough password"


@dataclass
class Browser:
    """A browser that fills in the forms it has been shown."""

    client: httpx.AsyncClient
    shown: str = ""
    version: str = field(default="", init=False)

    async def get(self, address: str, **more: Any) -> httpx.Response:
        """Open a page; a page that was shown is the one whose forms are sent next."""
        response = await self.client.get(address, **more)
        self.shown = response.text
        return response

    async def post(
        self, address: str, fields: Mapping[str, Any] | None = None, **more: Any
    ) -> httpx.Response:
        """Send a form with the token and the hidden fields of the page that is shown."""
        sent = {"csrf": self.hidden("csrf"), **self._hidden(address), **(fields or {})}
        return await self.client.post(address, data=sent, **more)

    def hidden(self, name: str) -> str:
        """The first hidden field of that name on the page."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.shown)
        return found[1] if found else ""

    def _hidden(self, address: str) -> dict[str, str]:
        form = re.search(rf'<form[^>]*action="{re.escape(address)}"[^>]*>(.*?)</form>', self.shown, re.DOTALL)
        inside = form[1] if form else self.shown
        return dict(re.findall(r'<input type="hidden" name="([a-z_]+)" value="([^"]*)">', inside))


def plain(page: httpx.Response) -> str:
    """A page as it reads, without entities."""
    return html.unescape(page.text)


@pytest.fixture
def clock(now: datetime) -> Clock:
    return Clock(now)


def console() -> FastAPI:
    """The console's routes, without what they work with."""
    made = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    router.install(made)
    return made


@pytest.fixture(scope="session")
def bare_app() -> FastAPI:
    """The routes, made once: that costs more than most tests do. Who adds one has a `bare_app` of its own."""
    return console()


@pytest.fixture
def app(bare_app: FastAPI, store: Store, clock: Clock) -> FastAPI:
    """The application as the running machine builds it, console only."""
    bare_app.state.services = Services(
        store=store,
        live=LiveBase(),
        secret=b"secret of the tests",
        sample=True,
        official=False,
        secure_cookies=False,
        trusted_proxies=frozenset(),
        clock=clock,
    )
    return bare_app


@pytest.fixture
async def browsing(app: FastAPI) -> AsyncIterator[Callable[..., Browser]]:
    """Makes browsers; `host` is the network address from which it comes."""
    opened: list[httpx.AsyncClient] = []

    def make(host: str = "192.0.2.1") -> Browser:
        transport = httpx.ASGITransport(app=app, client=(host, 40000))
        client = httpx.AsyncClient(transport=transport, base_url=ADDRESS)
        opened.append(client)
        return Browser(client)

    yield make
    for client in opened:
        await client.aclose()


@pytest.fixture
def signed_in(store: Store, clock: Clock, browsing: Callable[..., Browser]) -> Callable[[Staff], Any]:
    """A browser in which this person is signed in, the short way: with a sign-in in the store."""

    async def make(person: Staff) -> Browser:
        async with store.transaction() as session:
            token = await signin._sign_in(session, person, device="Test", now=clock())
        made = browsing()
        made.client.cookies.set("one-window-desk", token)
        return made

    return make


@pytest.fixture
async def version(store: Store, cast: Cast, now: datetime) -> EntryVersion:
    """A published entry that may carry the answer to `ticket`."""
    async with store.transaction() as session:
        return await an_entry(
            session, cast, now, no="K-0112", topic="appeal", question="对选民名单有意见怎么申诉？",
            short="名单公布之日起5日内可以向选举委员会提出申诉。",
        )  # fmt: skip


@pytest.fixture
async def ticket(store: Store, cast: Cast, now: datetime, version: EntryVersion) -> Ticket:
    """A ticket of 张敏's in the hands of 李强."""
    async with store.transaction() as session:
        found = await a_ticket(session, cast, now, "对选民名单有意见怎么办")
        await tickets.take(session, found, actor=cast.li_qiang, now=now)
        return found


@pytest.fixture
async def with_password(store: Store, cast: Cast, now: datetime) -> dict[str, str]:
    """Gives 李强 a user name and a password by way of an invite."""
    async with store.transaction() as session:
        token = await signin.new_way_in(session, cast.li_qiang, actor=None, now=now)
        await signin.accept_invite(session, token, "liqiang", PASSWORD, device="Test", now=now)
    return {"username": "liqiang", "password": PASSWORD}


@pytest.fixture
def behind(app: FastAPI) -> Callable[..., None]:
    """Puts the application behind proxies."""

    def set_proxies(*proxies: str) -> None:
        app.state.services = replace(app.state.services, trusted_proxies=frozenset(proxies))

    return set_proxies
