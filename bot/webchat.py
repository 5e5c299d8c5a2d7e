"""The web chat's pages: what a visitor types becomes an update, what we send is streamed to the page."""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, Chat, Location, Message, Update, User
from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse

from admin import forms, pages
from admin.forms import Form
from admin.headers import HEADERS
from admin.refusals import in_words
from bot.channels import web
from bot.channels.markup import paragraphs
from bot.channels.web import MailboxItem, Op
from bot.chat_lines import newest, shown
from bot.visitors import VISITOR_COOKIE, Visiting, Visitor, remember
from handlers import asking, keyboards, lookup_memory, station_replies
from handlers.callbacks import Op as CallbackOp
from handlers.callbacks import tap
from office import budgets, contacts, redact, units
from office.contacts import Channel, Contact
from office.errors import Invalid
from office.store import ring_after_commit
from office.wakeups import rang
from office.words import say

STREAM_LASTS = timedelta(minutes=5)
LOOK_EVERY = 10.0
PER_MINUTE = 30
PER_MINUTE_AND_NETWORK = 300
# Where the page is asked for is the visitor's to decide, by a tap; no other page of ours may ask.
ASKS_FOR_POSITION = HEADERS["Permissions-Policy"].replace("geolocation=()", "geolocation=(self)")
_EVENT = re.compile(r"[A-Za-z0-9-]{8,64}")
_DEGREES = re.compile(r"-?[0-9]{1,3}(\.[0-9]{1,9})?")
_PAYLOAD = re.compile(r"[A-Za-z0-9_-]{1,64}")

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Said:
    """What a visitor's form says: words, a tapped button, where they are, or the link they came by.

    A position is handed on once and written down nowhere.
    """

    text: str = ""
    start: str = ""
    action: str = ""
    message_id: int = 0
    position: Location | None = None

    @classmethod
    def of(cls, form: Form) -> Said:
        """Read a form; raises `Invalid` for one that says nothing, too much, or is not our page's."""
        if form.text("latitude") or form.text("longitude"):
            return cls(position=_position(form.text("latitude"), form.text("longitude")))
        if start := form.text("start"):
            # A link that is none leads to the same words as one that is out of date.
            return cls(start=start if _PAYLOAD.fullmatch(start) else "-")
        text, action, number = form.text("text"), form.text("action"), form.text("message_id")
        if action:
            return cls(
                action=action[:64], message_id=int(number) if re.fullmatch("[0-9]{1,9}", number) else 0
            )
        if not text.strip():
            raise Invalid("chat.blank")
        if len(text) > asking.LONGEST_INPUT:
            raise Invalid("too_long", most=asking.LONGEST_INPUT)
        return cls(text=text)


def _position(latitude: str, longitude: str) -> Location:
    if not (_DEGREES.fullmatch(latitude) and _DEGREES.fullmatch(longitude)):
        raise Invalid("form_broken")
    north, east = float(latitude), float(longitude)
    if abs(north) > 90 or abs(east) > 180:
        raise Invalid("form_broken")
    return Location(latitude=north, longitude=east)


@router.get("/")
async def page(visiting: Visiting, start: str = "") -> HTMLResponse:
    """The conversation as it stands; the cookie is given here, the contact only with the first message.

    `start` is what a QR code carries. Looking at the address says nothing yet: the page's form does, so that
    neither a preview nor a reload counts as somebody who came.
    """
    return await _page(visiting, start)


async def _page(visiting: Visitor, start: str = "", refused: str = "") -> HTMLResponse:
    if not visiting.token:
        visiting = Visitor(visiting.request, secrets.token_urlsafe(16), visiting.form)
    contact = await visiting.contact()
    items: list[MailboxItem] = []
    last = 0
    if contact is not None:
        async with visiting.services.store.reading() as session:
            items, last = await web.page(session, contact.id)
    language = pages.frame(visiting.request).language
    # Who asked for large print in words gets it on the page too, unless they chose a size there.
    chosen = pages.cookie_name(visiting.request, "size") in visiting.request.cookies
    large = contact is not None and contact.text_size != "standard" and not chosen
    size: dict[str, Any] = {"text_size": "large"} if large else {}
    response = pages.render(
        visiting.request,
        "chat/page.html",
        status=422 if refused else 200,
        **size,
        refused=refused,
        typed=visiting.form.text("text") if visiting.form.text("text").strip() else "",
        items=[shown(item) for item in items],
        newest=newest(items),
        quick=[{"label": say(t["key"], language), "text": t["words"]} for t in keyboards.quick_topics()]
        + [{"label": say("menu.human", language), "text": "人工"}],
        event_id=secrets.token_hex(12),
        start=start[:65],
        locate_action=tap(CallbackOp.STATION, arg=station_replies.HERE),
        last_seq=last,
        csrf=visiting.csrf,
        home_url="/",
    )
    response.headers["Permissions-Policy"] = ASKS_FOR_POSITION
    remember(visiting.request, response, VISITOR_COOKIE, visiting.token)
    return response


@router.post("/chat/messages")
async def send(visiting: Visiting) -> Response:
    """Take a message or a tapped button; the same `event_id` again changes nothing."""
    form, now = visiting.form, visiting.services.clock()
    event_id = form.text("event_id")
    if not _EVENT.fullmatch(event_id):
        raise Invalid("form_broken")
    try:
        said = Said.of(form)
    except Invalid as problem:
        # What is wrong with the words is said where they are mended; anything else is no page of ours.
        if problem.key not in ("chat.blank", "too_long") or pages.wants_json(visiting.request):
            raise
        return await _page(visiting, refused=in_words(problem, pages.frame(visiting.request).language))
    contact, own = await _take_in(visiting, event_id, _own_line(visiting, said), now)
    update = _update(contact, own, event_id, said, now)
    conversation = visiting.conversation
    await conversation.dispatcher.feed_update(
        conversation.bot, update, channel=Channel.WEB, event_id=f"{contact.id}:{event_id}",
        network=_source(visiting),
    )  # fmt: skip
    forgotten = await visiting.contact() is None
    if forgotten:
        items = await _start_afresh(visiting, contact, own, now)
    else:
        async with visiting.services.store.reading() as session:
            items = await web.since(session, contact.id, own - 1)
    if not pages.wants_json(visiting.request):
        return RedirectResponse("/#newest", 303)
    return JSONResponse({"items": [_line(visiting, item) for item in items], "cleared": forgotten})


async def _start_afresh(visiting: Visitor, old: Contact, own: int, now: datetime) -> list[MailboxItem]:
    """After being forgotten: the old lines go; only the word about it stands in the stranger's mailbox."""
    async with visiting.services.store.transaction() as session:
        last = await web.last(session, old.id)
        words = [item for item in await web.since(session, old.id, own - 1) if item.op is Op.APPEND]
        await web.clear(session, old.id)
        stranger = await contacts.seen(session, Channel.WEB, visiting.address, now=now)
        stranger.language = old.language
        for item in words:
            if not item.mine:
                await web.write(session, stranger.id, Op.APPEND, item.content, after=last, now=now)
        # The old mailbox's stream wakes, and goes on with the new one.
        ring_after_commit(session, web.topic(old.id))
        return await web.since(session, stranger.id, 0)


async def _take_in(visiting: Visitor, event_id: str, text: str, now: datetime) -> tuple[Contact, int]:
    """The contact, and the number of the line from which the visitor has not seen the mailbox yet."""
    minute = timedelta(minutes=1)
    async with visiting.services.store.transaction() as session:
        await budgets.spend(
            session, f"chat:{_source(visiting)}", limit=PER_MINUTE_AND_NETWORK, span=minute, now=now
        )
        contact = await contacts.seen(session, Channel.WEB, visiting.address, now=now)
        await budgets.spend(session, f"chat:{contact.id}", limit=PER_MINUTE, span=minute, now=now)
        contact.language = pages.frame(visiting.request).language
        if contact.first_seen_at == now:
            ring_after_commit(session, f"visitor:{visiting.address}")
        if not text:
            return contact, await web.last(session, contact.id) + 1
        published = ((await units.election_office(session)).phone,)
        clean = redact.text(text, published=published).text
        if (typed := await lookup_memory.typed(clean, _state(visiting, contact), now)) is not None:
            clean = typed.text
        item, _ = await web.write(
            session, contact.id, Op.APPEND, {"text": clean, "html": False, "buttons": []},
            mine=True, key=f"in:{event_id}", now=now,
        )  # fmt: skip
        return contact, item.seq


def _source(visiting: Visitor) -> str:
    machine = visiting.services
    return forms.source(visiting.request, machine.secret, machine.trusted_proxies)


def _state(visiting: Visitor, contact: Contact) -> FSMContext:
    """What the conversation remembers of this visitor: whether a receipt code was asked for."""
    found = visiting.conversation
    return found.dispatcher.fsm.get_context(found.bot, chat_id=contact.id, user_id=contact.id)


def _own_line(visiting: Visitor, said: Said) -> str:
    # What the visitor sees of their own: that they told where they are, never where that is.
    if said.position is not None:
        return say("sta.position_sent", pages.frame(visiting.request).language)
    return said.text


def _update(contact: Contact, own: int, event_id: str, said: Said, now: datetime) -> Update:
    chat = Chat(id=contact.id, type="private")
    person = User(id=contact.id, is_bot=False, first_name="visitor")
    if not said.action:
        text = f"/start {said.start}" if said.start else said.text
        content: dict[str, Any] = {"location": said.position} if said.position else {"text": text}
        message = Message(message_id=own, date=now, chat=chat, from_user=person, **content)
        return Update(update_id=own, message=message)
    tapped = Message(message_id=said.message_id, date=now, chat=chat, text="")
    query = CallbackQuery(
        id=f"{contact.id}:{event_id}", from_user=person, chat_instance="web", message=tapped, data=said.action
    )
    return Update(update_id=own, callback_query=query)


@router.get("/chat/mailbox")
async def mailbox(visiting: Visiting, after: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0) -> JSONResponse:
    """The lines after number `after`, for windows without the stream."""
    contact = await visiting.contact()
    if contact is None:
        return JSONResponse({"items": []})
    async with visiting.services.store.reading() as session:
        items = await web.since(session, contact.id, after)
    return JSONResponse({"items": [_line(visiting, item) for item in items]})


@router.get("/chat/stream")
async def stream(visiting: Visiting, after: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0) -> Response:
    """New lines as server-sent events; `Last-Event-ID` says where a broken stream goes on."""
    if not visiting.token:
        return Response(status_code=204)
    header = visiting.request.headers.get("last-event-id", "")
    start = int(header) if header.isdigit() and len(header) < 10 else after
    return StreamingResponse(
        _events(visiting, start),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )


async def _events(visiting: Visitor, after: int) -> AsyncIterator[str]:
    wakeups, streams = visiting.services.store.wakeups, visiting.conversation.streams
    until = time.monotonic() + STREAM_LASTS.total_seconds()
    yield "retry: 3000\n\n"
    contact = await visiting.contact()
    while contact is None and time.monotonic() < until and not streams.ending:
        with wakeups.listening(f"visitor:{visiting.address}") as bell, streams.open(bell):
            contact = await visiting.contact()
            if contact is None and not await rang(bell, LOOK_EVERY):
                yield ": waiting\n\n"
    while contact is not None and time.monotonic() < until and not streams.ending:
        with wakeups.listening(web.topic(contact.id)) as bell, streams.open(bell):
            async with visiting.services.store.reading() as session:
                items = await web.since(session, contact.id, after)
            for item in items:
                after = item.seq
                data = json.dumps(_line(visiting, item), ensure_ascii=False)
                yield f"id: {item.seq}\nevent: item\ndata: {data}\n\n"
            if not await rang(bell, LOOK_EVERY):
                yield ": still here\n\n"
        # Whoever asked to be forgotten meanwhile is another contact now.
        contact = await visiting.contact() or contact


@router.post("/chat/end")
async def end(visiting: Visiting) -> Response:
    """Leave nothing on a shared computer: the cookie goes, and the conversation with it.

    What is owed stays owed: the answer can be collected with number and code.
    """
    contact = await visiting.contact()
    if contact is not None:
        async with visiting.services.store.transaction() as session:
            await web.clear(session, contact.id)
    response = RedirectResponse("/", 303)
    pages.drop_cookie(visiting.request, response, VISITOR_COOKIE)
    return response


def _line(visiting: Visitor, item: MailboxItem) -> dict[str, Any]:
    html = ""
    if item.op is Op.TOAST:
        html = str(paragraphs(item.content["text"], html=False))
    elif item.op is not Op.REMOVE:
        around = pages.frame(visiting.request)
        html = pages.environment().get_template("chat/item.html").render(
            item=shown(item),
            t=lambda key, **facts: say(key, around.language, **facts),
            csrf=visiting.csrf,
            event_id=secrets.token_hex(8),
        )  # fmt: skip
    return {"seq": item.seq, "op": item.op.value, "id": item.target, "html": html}
