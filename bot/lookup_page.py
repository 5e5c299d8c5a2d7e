"""The secure page of the status lookup: the notice, the form, one result of three; nothing in the address.

A link that a channel gave is used up by the button under the notice, never by looking: chat programs fetch
links for their previews. The pass that comes of it lies in a cookie for ten minutes.
"""

from __future__ import annotations

import logging
import time
import traceback
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from admin import forms, pages, refusals, times
from bot import lookup_form, lookup_help, lookup_result
from bot.lookup_form import Asked
from bot.lookup_view import HEADERS, Asking, came, language, padded, show, word
from bot.visitors import Visitor
from knowledge.roll import challenges, links
from knowledge.roll.lookup import Found
from knowledge.roll.lookups import Caller, LookupClosed
from knowledge.roll.records import LookupLink
from office import budgets
from office.contacts import Channel
from office.errors import DeskError, NotFound, TooMany
from office.hours import beijing_day
from office.words import say

log = logging.getLogger(__name__)

PASS_COOKIE = "lookup"
# Longer than any pass is good: who comes late is known to have read the notice, and goes on with one tap.
COOKIE_LASTS = timedelta(hours=1)
PASSES_PER_HOUR_AND_NETWORK = 120
Token = Annotated[str, Path(pattern="^[A-Za-z0-9_-]{16,64}$")]

router = APIRouter()
router.include_router(lookup_help.router)


@router.get("/lookup")
async def notice(visiting: Asking) -> Response:
    """What is done with what is typed, and how to ask without typing; or that lookup is closed."""
    return await _notice(visiting)


@router.get("/lookup/cleared")
async def cleared(visiting: Asking) -> Response:
    """Where a result leads to when its time is over."""
    return word(visiting, "cleared", again="notice", ways=False)


@router.get("/lookup/form")
async def form(visiting: Asking) -> Response:
    """The form of a pass; without one, the way to a new one."""
    pass_token, version = _pass(visiting)
    now = visiting.services.clock()
    async with visiting.services.store.reading() as session:
        opening = await visiting.services.lookups.opening(session, now)
        if not opening.open:
            return _refused(visiting, opening.refusal)
        if version == challenges.notice_version() and await _link(session, pass_token, now) is None:
            return _over(visiting)
    if version != challenges.notice_version():
        return await _notice(visiting)
    return _form(visiting, pass_token, Asked(lookup_form.fresh()))


@router.get("/lookup/{token}")
async def linked(visiting: Asking, token: Token) -> Response:
    """The notice behind a single-use link; the link stays good until its button is pressed."""
    return await _notice(visiting, token)


@router.post("/lookup/open")
async def opened(visiting: Asking) -> Response:
    """The notice was read: use up the link, or make one for who comes without, and go to the form."""
    version, token = visiting.form.text("notice"), visiting.form.text("token")
    if version != challenges.notice_version():
        # It changed while it was being read, so the new one is shown once.
        return await _notice(visiting, token)
    machine, now = visiting.services, visiting.services.clock()
    try:
        async with machine.store.transaction() as session:
            source = forms.source(visiting.request, machine.secret, machine.trusted_proxies)
            await budgets.spend(
                session, f"lookup-pass:{source}",
                limit=PASSES_PER_HOUR_AND_NETWORK, span=timedelta(hours=1), now=now,
            )  # fmt: skip
            if not token:
                # A contact from here on, so that page and conversation share one budget.
                contact = await came(session, visiting, now)
                token = await links.make(session, Channel.WEB, contact, now)
            pass_token = await links.open(session, token, now)
    except NotFound:
        return _over(visiting)
    except TooMany as refused:
        return _refused(visiting, refused)
    if pages.wants_json(visiting.request):
        response = _form(visiting, pass_token, Asked(lookup_form.fresh()))
    else:
        response = RedirectResponse("/lookup/form", 303, HEADERS)
    lasts = int(COOKIE_LASTS.total_seconds())
    pages.set_cookie(visiting.request, response, PASS_COOKIE, f"{version}.{pass_token}", max_age=lasts)
    return response


@router.post("/lookup/check")
async def check(visiting: Asking) -> Response:
    """One lookup; the form again, if something has to be mended, which costs no try."""
    begun = time.monotonic()
    try:
        response = await _check(visiting)
    except DeskError:
        raise  # a key and no more; the form is out of its page's reach
    except Exception as error:
        # The text of an exception may hold what was typed: only its kind and its place are written down.
        where = "".join(traceback.format_tb(error.__traceback__))
        log.error("a lookup failed: %s\n%s", type(error).__name__, where)
        response = await refusals.broken(visiting.request)
        response.headers.update(HEADERS)
    await visiting.services.lookups.settle(begun)
    return response


async def _check(visiting: Visitor) -> Response:
    machine, now = visiting.services, visiting.services.clock()
    pass_token, version = _pass(visiting)
    async with machine.store.reading() as session:
        link = await _link(session, pass_token, now)
    if version != challenges.notice_version():
        return await _notice(visiting)
    if link is None:
        return _over(visiting)
    asked = lookup_form.read(visiting.form, machine.secret, pass_token, beijing_day(now))
    if asked.errors:
        return _form(visiting, pass_token, asked)
    caller = Caller(
        channel=Channel.WEB.value,
        contact=f"contact:{link.contact_id}",
        network=forms.source(visiting.request, machine.secret, machine.trusted_proxies),
    )
    try:
        async with machine.store.transaction() as session:
            try:
                found = await _found(visiting, session, caller, asked, version, now)
            except (LookupClosed, TooMany) as refused:
                # Said at once and not raised on, so that what the refusal has written down is kept.
                return _refused(visiting, refused)
            await links.done(session, pass_token)
    except NotFound:
        return _over(visiting)
    receipt = machine.lookups.receipt_digest(asked.code) if asked.code else b""
    return padded(await lookup_result.page(visiting, found, link.contact_id, receipt))


async def _found(
    visiting: Visitor, session: AsyncSession, caller: Caller, asked: Asked, version: str, now: datetime
) -> Found:
    lookups = visiting.services.lookups
    if asked.code:
        return await lookups.by_receipt(session, caller, asked.code, now=now)
    return await lookups.by_identity(session, caller, asked.name, asked.number, notice=version, now=now)


async def _notice(visiting: Visitor, token: str = "") -> Response:
    now, lang = visiting.services.clock(), language(visiting)
    async with visiting.services.store.reading() as session:
        opening = await visiting.services.lookups.opening(session, now)
    if not opening.open:
        return _refused(visiting, opening.refusal)
    office = pages.frame(visiting.request).office
    return show(
        visiting, "notice", token=token, version=challenges.notice_version(),
        notice=say("lookuppage.notice", lang, office=office["name"], phone=office["phone"]),
    )  # fmt: skip


def _form(visiting: Visitor, pass_token: str, asked: Asked) -> Response:
    lang = language(visiting)
    asks = lookup_form.question(visiting.services.secret, pass_token, asked.round)
    return show(
        visiting, "form", status=422 if asked.errors else 200,
        errors={name: say(key, lang) for name, key in asked.errors.items()},
        round=asked.round, question=asks.asked_in(lang), answer=asked.answer,
    )  # fmt: skip


def _over(visiting: Visitor) -> Response:
    # Only who has read the notice gets here, so one tap leads on.
    return word(visiting, "over", status=410, tone="warn", again="renew")


def _refused(visiting: Visitor, refused: LookupClosed | TooMany) -> Response:
    """Closed for everybody, or over this asker's budget: until when, and what can be done meanwhile."""
    lang, until = language(visiting), refused.facts.get("until")
    if isinstance(refused, LookupClosed):
        return word(visiting, "closed", [refusals.in_words(refused, lang)], tone="warn")
    if not isinstance(until, datetime):
        return word(visiting, "blocked", [refusals.in_words(refused, lang)], status=429, tone="warn")
    words = [say(refused.key, lang, until=times.moment(until, lang))]
    response = word(visiting, "blocked", words, status=429, tone="warn")
    left = (until - visiting.services.clock()).total_seconds()
    response.headers["Retry-After"] = str(max(1, int(left)))
    return response


def _pass(visiting: Visitor) -> tuple[str, str]:
    """The pass of this browser, and the version of the notice that was shown for it."""
    kept = visiting.request.cookies.get(pages.cookie_name(visiting.request, PASS_COOKIE), "")
    version, _, pass_token = kept.rpartition(".")
    return pass_token, version


async def _link(session: AsyncSession, pass_token: str, now: datetime) -> LookupLink | None:
    if not pass_token:
        return None
    try:
        return await links.passed(session, pass_token, now)
    except NotFound:
        return None
