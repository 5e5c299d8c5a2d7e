"""Who reads the public pages: a cookie, and forms bound to it; nothing else is known of a visitor."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Annotated, Any

from aiogram import Bot, Dispatcher
from fastapi import Depends, Request
from fastapi.responses import HTMLResponse, Response

from admin import forms, pages
from admin.forms import Form
from office import contacts
from office.contacts import Channel, Contact
from office.signin import digest

VISITOR_COOKIE = "visitor"
COOKIE_LASTS = timedelta(days=180)
# Reading leaves no cookie, so the forms of who only reads cannot be bound to one.
_READER = "reader"


class Streams:
    """The streams that are open, so that a stopping server need not wait for them.

    `ending` tells a stream to end; the page opens a new one by itself and misses nothing.
    """

    def __init__(self) -> None:
        self.ending = False
        self._bells: set[asyncio.Event] = set()

    @contextmanager
    def open(self, bell: asyncio.Event) -> Iterator[None]:
        """A stream that waits for `bell` inside the block."""
        self._bells.add(bell)
        try:
            yield
        finally:
            self._bells.discard(bell)

    def end(self) -> None:
        """End all streams, and those that are opened from now on."""
        self.ending = True
        for bell in self._bells:
            bell.set()


@dataclass(frozen=True)
class Conversation:
    """The dispatcher and the web chat's bot; hangs on `app.state.conversation`."""

    dispatcher: Dispatcher
    bot: Bot
    streams: Streams = field(default_factory=Streams)


@dataclass(frozen=True)
class Visitor:
    """A request of the public pages: the cookie, if there is one, and the protection of forms bound to it."""

    request: Request
    token: str
    form: Form

    @property
    def services(self) -> pages.Services:
        return pages.services(self.request)

    @property
    def address(self) -> str:
        """What is kept of the cookie."""
        return digest(self.token) if self.token else ""

    @property
    def csrf(self) -> str:
        return forms.token(self.services.secret, self.token or _READER)

    @property
    def conversation(self) -> Conversation:
        found: Conversation = self.request.app.state.conversation
        return found

    async def contact(self) -> Contact | None:
        """The visitor's contact, once there was a first message."""
        if not self.token:
            return None
        async with self.services.store.reading() as session:
            return await contacts.find(session, Channel.WEB, self.address)


async def visitor(request: Request) -> Visitor:
    """The visitor behind a request; posted forms are read and checked."""
    visiting = await _come(request)
    if request.method == "POST":
        forms.check(request, visiting.form, visiting.services.secret, visiting.token)
    return visiting


async def reader(request: Request) -> Visitor:
    """Who chooses a language or a size, which a page does that was read without a cookie too."""
    visiting = await _come(request)
    secret = visiting.services.secret
    unbound = visiting.form.text(forms.TOKEN_FIELD) == forms.token(secret, _READER)
    forms.check(request, visiting.form, secret, _READER if unbound else visiting.token)
    return visiting


async def _come(request: Request) -> Visitor:
    token = request.cookies.get(pages.cookie_name(request, VISITOR_COOKIE), "")
    async with pages.services(request).store.reading() as session:
        await pages.who(request, session)
    if asked := asked_language(request):
        request.state.frame = replace(pages.frame(request), language=asked)
    if request.method != "POST":
        return Visitor(request, token, Form())
    request.state.form = form = await forms.read(request)
    return Visitor(request, token, form)


def asked_language(request: Request) -> str:
    """The language that the address itself asks for by `lang`, or nothing."""
    return pages.LANGUAGES.get(request.query_params.get("lang", ""), "")


Visiting = Annotated[Visitor, Depends(visitor)]
Reading = Annotated[Visitor, Depends(reader)]


def render(visiting: Visitor, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    """A public page. A language that the address asks for is kept, so that the ways on are in it too."""
    response = pages.render(
        visiting.request, template, status=status, csrf=visiting.csrf, home_url="/", **context
    )
    if asked := asked_language(visiting.request):
        remember(visiting.request, response, "language", asked)
    return response


def remember(request: Request, response: Response, name: str, value: str) -> None:
    """Keep a visitor's cookie or choice for half a year."""
    pages.set_cookie(request, response, name, value, max_age=int(COOKIE_LASTS.total_seconds()))
