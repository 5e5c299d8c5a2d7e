"""What every page needs: the services, the reader, the session, the permission, the form and the frame."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi import Path as InPath
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from sqlalchemy.ext.asyncio import AsyncSession

from admin import forms
from admin.forms import Form
from admin.frame import LANGUAGES as LANGUAGES
from admin.frame import NOBODY, Frame, frame_of, office_facts, ways
from knowledge.live import LiveBase
from knowledge.live_stations import LiveStations
from knowledge.roll.keys import KeyHolder
from knowledge.roll.lookups import Lookups
from office import signin, staff, worktime
from office.hours import OfficeHours
from office.seal import Sealer
from office.signin import SignIn
from office.staff import Permission, Staff
from office.store import Store
from office.words import CHINESE, say

HERE = Path(__file__).parent
STATIC = HERE / "static"
SIGN_IN_COOKIE = "desk"
FORM_COOKIE = "form"
TEXT_SIZES = ("standard", "large", "extra")
THEMES = ("", "light", "dark", "contrast")

Number = Annotated[int, InPath(ge=1, le=2**31 - 1)]
Reader = Callable[[Request], Awaitable[Form]]


@dataclass(frozen=True, slots=True)
class Services:
    """What the running machine gives to every page; it hangs on `app.state.services`.

    `clock` returns the present moment as aware UTC. `trusted_proxies` are addresses or networks.
    """

    store: Store
    live: LiveBase
    secret: bytes
    sample: bool
    official: bool
    secure_cookies: bool
    trusted_proxies: frozenset[str]
    clock: Callable[[], datetime]
    stations: LiveStations = field(default_factory=LiveStations)
    roll_key: KeyHolder = field(default_factory=lambda: KeyHolder(Path("roll.key")))
    lookups: Lookups = field(default_factory=Lookups)
    sealer: Sealer = field(default_factory=lambda: Sealer(b""))
    public_url: str = ""


class SignedOut(Exception):
    """The page is for staff, and nobody is signed in."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a form was not taken, in words, and what stood in it."""

    key: str
    words: str
    status: int
    typed: Mapping[str, str]


@dataclass(slots=True)
class Visit:
    """One request to a page that needs no sign-in."""

    request: Request
    services: Services
    session: AsyncSession
    frame: Frame
    form: Form
    now: datetime

    def t(self, key: str, **facts: Any) -> str:
        """Wording in the reader's language."""
        return say(key, self.frame.language, **facts)

    def t_or(self, key: str, otherwise: str) -> str:
        """Wording of something that may be newer than the catalogue."""
        try:
            return self.t(key)
        except KeyError:
            return otherwise

    def render(self, template: str, **context: Any) -> HTMLResponse:
        """A page; see `render`."""
        return render(self.request, template, **context)

    def on_refusal(self, again: Callable[[Any, Refusal], Awaitable[Response]]) -> None:
        """Say how this form's page is made again, with a fresh session, if the form cannot be taken."""
        self.request.state.again = again


@dataclass(slots=True)
class Desk(Visit):
    """One request of a signed-in member of staff."""

    person: Staff
    sign_in: SignIn
    hours: OfficeHours

    def may(self, permission: Permission) -> bool:
        """Whether a control for this act is worth showing; the act itself checks again."""
        return staff.may(self.person, permission)


def services(request: Request) -> Services:
    """The services of the running application."""
    found: Services = request.app.state.services
    return found


def cookie_name(request: Request, name: str) -> str:
    """`__Host-` cookies cannot be planted by a neighbouring host; browsers take them over https only."""
    return f"__Host-one-window-{name}" if services(request).secure_cookies else f"one-window-{name}"


def set_cookie(request: Request, response: Response, name: str, value: str, **more: Any) -> None:
    """A cookie that scripts cannot read and other sites do not send along."""
    response.set_cookie(
        cookie_name(request, name),
        value,
        secure=services(request).secure_cookies,
        httponly=True,
        samesite="lax",
        path="/",
        **more,
    )


def drop_cookie(request: Request, response: Response, name: str) -> None:
    """Take a cookie back."""
    response.delete_cookie(
        cookie_name(request, name), path="/", secure=services(request).secure_cookies, httponly=True
    )


def anchor(request: Request) -> str:
    """The cookie to which this browser's form tokens are bound: the sign-in's, before it a random one."""
    cookies = request.cookies
    return cookies.get(cookie_name(request, SIGN_IN_COOKIE)) or cookies.get(
        cookie_name(request, FORM_COOKIE), ""
    )


async def session(request: Request) -> AsyncIterator[AsyncSession]:
    """The one transaction of a posting request, committed before the response leaves; else a reading one."""
    store = services(request).store
    async with store.transaction() if request.method == "POST" else store.reading() as opened:
        yield opened


Session = Annotated[AsyncSession, Depends(session, scope="function")]


async def who(request: Request, session: AsyncSession) -> tuple[Staff, SignIn] | None:
    """The signed-in person behind a request, or None; also lays the page's frame down."""
    token = request.cookies.get(cookie_name(request, SIGN_IN_COOKIE), "")
    found = await signin.who(session, token, now=services(request).clock()) if token else None
    chosen = request.cookies.get(cookie_name(request, "language"), "")
    office = await office_facts(session)
    # The last known way to the office stays at hand for the page that tells of a lost database.
    request.app.state.office_facts = office
    if found is None:
        request.state.frame = Frame(office, chosen if chosen in LANGUAGES.values() else CHINESE)
        return None
    request.state.frame = await frame_of(session, found[0], office, now=services(request).clock())
    return found


def frame(request: Request) -> Frame:
    """The frame of this request; a bare one if the request failed before the store was asked."""
    found: Frame | None = getattr(request.state, "frame", None)
    if found is None:
        found = Frame(getattr(request.app.state, "office_facts", NOBODY), CHINESE)
    return found


async def _form(request: Request, read: Reader = forms.read) -> Form:
    # Kept on the request, so that a page which refuses the form can show it again.
    found: Form = await read(request) if request.method == "POST" else Form()
    request.state.form = found
    return found


class Need:
    """Dependency that lets in who is signed in and has `permission`; None asks for a sign-in alone.

    The permission stands on the dependency so that a test can read from each route what it demands.
    Acts on objects check reach as well, in the domain.
    """

    def __init__(self, permission: Permission | None, read: Reader = forms.read) -> None:
        self.permission = permission
        self.read = read

    async def __call__(self, request: Request, session: Session) -> Desk:
        form = await _form(request, self.read)
        found = await who(request, session)
        if found is None:
            raise SignedOut
        machine = services(request)
        if request.method == "POST":
            forms.check(request, form, machine.secret, anchor(request))
        if self.permission is not None:
            await staff.must(session, found[0], self.permission)
        now = machine.clock()
        hours = await worktime.hours(session, now=now)
        return Desk(request, machine, session, frame(request), form, now, *found, hours)


@cache
def signed_in(permission: Permission | None, read: Reader = forms.read) -> Need:
    """The dependency of routes that need `permission`; `read` reads what is posted to them."""
    return Need(permission, read)


async def visitor(request: Request, session: Session) -> Visit:
    """Dependency of the pages before the sign-in; their forms are protected all the same."""
    form = await _form(request)
    await who(request, session)
    machine = services(request)
    if request.method == "POST":
        forms.check(request, form, machine.secret, anchor(request))
    return Visit(request, machine, session, frame(request), form, machine.clock())


Visitor = Annotated[Visit, Depends(visitor)]
Own = Annotated[Desk, Depends(signed_in(None))]


@cache
def environment() -> Environment:
    """The templates; data is escaped everywhere and an unknown name is an error."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined
    )
    made.filters["lines"] = lines
    return made


def lines(text: str) -> Markup:
    """A person's own words with their line breaks, escaped."""
    return Markup("<br>").join(text.splitlines())


@cache
def static(name: str) -> str:
    """The address of a file under `static/`; it changes with the file, so that it may be kept for a year."""
    return f"/static/{name}?v={hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]}"


def render(request: Request, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    """A page from a template with everything its frame shows.

    `csrf` and `here` may be given: a channel with a visitor's cookie of its own makes its own token, and
    a page that answers a POST names the address under which it can be asked for again.
    """
    machine, around = services(request), frame(request)
    bound, fresh = anchor(request), ""
    if not bound:
        bound = fresh = secrets.token_urlsafe(16)
    query = f"?{request.url.query}" if request.url.query else ""

    def t(key: str, **facts: Any) -> str:
        return say(key, around.language, **facts)

    values: dict[str, Any] = {
        "t": t,
        "lang": next(tag for tag, name in LANGUAGES.items() if name == around.language),
        "text_size": _chosen(request, "size", TEXT_SIZES),
        "theme": _chosen(request, "theme", THEMES),
        "static": static,
        "office": around.reached,
        "sample": machine.sample,
        "nonofficial": not machine.official,
        "here": request.url.path + query,
        "person": around.person,
        "unit": around.unit,
        "nav": ways(request.url.path, around, t) if around.person else [],
        "alarm": around.alarm,
        "unread": around.unread,
        "may_call": Permission.OPEN_TICKETS in around.permissions,
        "home_url": around.home,
        "settings_url": "/admin/settings",
        "sign_out_url": "/admin/sign-out",
        "csrf": forms.token(machine.secret, bound),
        **context,
    }
    response = HTMLResponse(environment().get_template(template).render(values), status)
    if fresh and "csrf" not in context:
        set_cookie(request, response, FORM_COOKIE, fresh)
    return response


def _chosen(request: Request, name: str, among: tuple[str, ...]) -> str:
    value = request.cookies.get(cookie_name(request, name), "")
    return value if value in among else among[0]


def done(address: str, what: str = "") -> RedirectResponse:
    """The answer to a form that was taken: go and look at `address`; `what` names the notice shown there."""
    joint = "&" if "?" in address else "?"
    return RedirectResponse(f"{address}{joint}done={what}" if what else address, 303)


def wants_json(request: Request) -> bool:
    """Whether a script asked, which wants facts and no page."""
    return "application/json" in request.headers.get("accept", "")
