"""From a result on the secure page to help: what its buttons pass on to people, and what is said about it."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from fastapi import APIRouter
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from admin import forms
from bot import lookup_result
from bot.lookup_result import Sealed
from bot.lookup_view import Asking, came, language, show, word
from bot.visitors import Visitor
from handlers import speech
from knowledge import elections
from office import budgets, contacts, units, worktime
from office.audit import Actor, ActorKind
from office.contacts import Channel, Contact
from office.errors import Invalid, NotFound
from office.hours import beijing_day
from office.words import say
from ticketing import roll_cases
from ticketing.records import RollIssue, Ticket, TicketKind

log = logging.getLogger(__name__)

router = APIRouter()

ACTS = {"verify": TicketKind.VERIFY, "correction": TicketKind.CORRECTION, "appeal": TicketKind.APPEAL}
CASES_PER_HOUR_AND_NETWORK = 60


@router.post("/lookup/help")
async def ask(visiting: Asking) -> Response:
    """帮我核实 is passed on at once; 名单有误 asks first what is wrong, 申诉 says first what it needs."""
    form, now = visiting.form, visiting.services.clock()
    kind = ACTS.get(form.text("act"))
    if kind is None:
        raise Invalid("form_broken")
    try:
        sealed = lookup_result.unseal(visiting, form.text("sealed"), now)
    except Invalid:
        return word(visiting, "result_over", status=410, tone="warn", again="notice")
    issue = next((one for one in roll_cases.CORRECTED if one.value == form.text("issue")), None)
    if kind is TicketKind.APPEAL and (said := await _instead(visiting, now)):
        return _before(visiting, kind, [said], possible=False)
    if kind is TicketKind.VERIFY or (form.text("sure") and (issue or kind is TicketKind.APPEAL)):
        return await _passed_on(visiting, kind, issue, sealed, now)
    missing = kind is TicketKind.CORRECTION and bool(form.text("sure"))
    lines = [say(f"lookuppage.help.{kind.value}", language(visiting))]
    return _before(visiting, kind, lines, missing=missing)


async def _instead(visiting: Visitor, now: datetime) -> str | None:
    async with visiting.services.store.reading() as session:
        dates = await elections.spans(session, now)
        office = await units.election_office(session)
    return roll_cases.instead(dates, beijing_day(now), language(visiting), phone=office.phone)


def _before(
    visiting: Visitor, kind: TicketKind, lines: list[str], *, possible: bool = True, missing: bool = False
) -> Response:
    lang = language(visiting)
    choices = roll_cases.CORRECTED if kind is TicketKind.CORRECTION else ()
    return show(
        visiting, "help", status=422 if missing else 200,
        title=say(f"lookuppage.help_{kind.value}", lang), lines=lines,
        documents=roll_cases.documents(kind, lang), prevails=roll_cases.prevails(lang), possible=possible,
        issues=[(one.value, say(f"lookupchat.issue.{one.value}", lang)) for one in choices],
        error=say("lookuppage.error.issue", lang) if missing else "",
        act=kind.value, sealed=visiting.form.text("sealed"), button=say("lookuppage.pass_on", lang),
    )  # fmt: skip


async def _passed_on(
    visiting: Visitor, kind: TicketKind, issue: RollIssue | None, sealed: Sealed, now: datetime
) -> Response:
    machine, lang = visiting.services, language(visiting)
    source = forms.source(visiting.request, machine.secret, machine.trusted_proxies)
    async with machine.store.transaction() as session:
        await budgets.spend(
            session, f"lookup-case:{source}",
            limit=CASES_PER_HOUR_AND_NETWORK, span=timedelta(hours=1), now=now,
        )  # fmt: skip
        contact = await _contact(session, visiting, sealed.contact_id, now)
        ticket = await _case(session, contact, kind, issue, sealed, now)
    if ticket is None:
        return word(visiting, "result_over", status=410, tone="warn", again="notice")
    today = beijing_day(now)
    return show(
        visiting, "ticket",
        no=ticket.ticket_no, code=ticket.progress_code, promise=speech.spoken_time(ticket.promised_at, lang),
        clock=roll_cases.clock_words(ticket, today, lang),
        where=say(f"lookuppage.answer_{'here' if contact.channel is Channel.WEB else 'there'}", lang),
        documents=roll_cases.documents(kind, lang), prevails=roll_cases.prevails(lang),
    )  # fmt: skip


async def _contact(
    session: AsyncSession, visiting: Visitor, contact_id: int | None, now: datetime
) -> Contact:
    """Whom the link was made for; if that one was forgotten meanwhile, the visitor."""
    if contact_id is not None:
        try:
            return await contacts.get(session, contact_id)
        except NotFound:
            log.info("the contact of a lookup is gone, the visitor takes its place")
    return await came(session, visiting, now)


async def _case(
    session: AsyncSession,
    contact: Contact,
    kind: TicketKind,
    issue: RollIssue | None,
    sealed: Sealed,
    now: datetime,
) -> Ticket | None:
    """The case, opened once however often the button is pressed; None if that one is closed by now."""
    event_id = f"lookup:{sealed.once}:{issue or kind}"
    receipt = bytes.fromhex(sealed.receipt) or None
    if not await contacts.first_time(session, Channel.WEB, event_id, now=now):
        known = RollIssue.APPEAL if kind is TicketKind.APPEAL else issue
        return await roll_cases.open_of(session, contact, kind, known, receipt_digest=receipt)
    office = await units.election_office(session)
    return await roll_cases.open_case(
        session, contact, kind=kind, issue=issue, words="", result=sealed.result, receipt_digest=receipt,
        unit=office, district=office, channel=contact.channel,
        actor=Actor(ActorKind.CONTACT, contact.id, "asker", contact.channel.value),
        hours=await worktime.hours(session, now=now), now=now, event_id=event_id,
    )  # fmt: skip
