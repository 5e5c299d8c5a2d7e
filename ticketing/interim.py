"""What is heard before there is an answer: how it stands, a later time, a warning, a nudge."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from office import budgets, units
from office.audit import Actor, ActorKind
from office.contacts import Contact
from office.errors import Conflict, Invalid, NotFound
from office.hours import BEIJING, OfficeHours, beijing_day, moment
from office.outbox import Priority as Urgency
from office.staff import Staff
from office.words import say
from ticketing import clocks, leading, progress, restricted
from ticketing.assigning import leaders_of, responsible, tell
from ticketing.intake import clean, post
from ticketing.moving import get, lock, may_work, must_hold, noted, reason_given, text_given
from ticketing.records import OPEN_STATES, PostKind, Ticket, TicketState
from ticketing.waiting import Asker, askers
from ticketing.waiting import tell as tell_asker

S = TicketState
LONGEST_NUDGE = 300
MOST_EXTENSIONS = 3
LONGEST_EXTENSION = timedelta(days=7)
NUDGES_A_DAY = 3
BATCH = 100


async def reply(
    session: AsyncSession, ticket: Ticket, text: str, *, actor: Staff, hours: OfficeHours, now: datetime
) -> None:
    """Write to the asker without concluding (仅回复，继续办理); the clocks run on.

    Raises `Conflict("interim_conclusion")` for a text that says more than how it stands: it would leave
    without being held against anything.
    """
    await must_hold(session, actor, ticket)
    restricted.must_be_open(ticket)
    if progress.concludes(text_given(text), ticket, await units.published_numbers(session)):
        raise Conflict("interim_conclusion")
    words = await clean(session, text_given(text))
    await post(session, ticket, PostKind.INTERIM, words, now=now, staff=actor)
    ticket.status_told_at = now
    await session.flush()
    own = (await askers(session, ticket))[0:1]
    for asker in own:
        if asker.ticket is ticket:
            await _say(
                session,
                asker,
                "interim",
                {"text": words},
                key=f"interim:{ticket.version}",
                now=now,
                by_phone=words,
            )
    await noted(session, ticket, "reply", actor.as_actor(), now)


async def extend(
    session: AsyncSession,
    ticket: Ticket,
    promised_at: datetime,
    reason: str,
    *,
    actor: Staff,
    hours: OfficeHours,
    now: datetime,
) -> None:
    """Promise a later time, before the old promise passes, and say so to everybody who waits.

    A leader's decision (helpdesk roles: 延期). Raises `Conflict("extension_too_late")` once the promise has
    passed, `Conflict("extension_used_up")` after the third, `Invalid("extension_time")` for a time that is
    not later or lies more than a week ahead, `Invalid("extension_past_term")` beyond a term of the law.
    """
    await may_work(session, actor, ticket)
    await leading.must_lead(session, actor, ticket, now=now)
    await lock(session, ticket)
    if ticket.state not in OPEN_STATES or ticket.state is S.ON_HOLD:
        raise Conflict("stale_card")
    if now >= ticket.promised_at:
        raise Conflict("extension_too_late")
    if ticket.extensions >= MOST_EXTENSIONS:
        raise Conflict("extension_used_up", most=MOST_EXTENSIONS)
    if not ticket.promised_at < promised_at <= now + LONGEST_EXTENSION:
        raise Invalid("extension_time", days=LONGEST_EXTENSION.days)
    if ticket.statutory_due is not None and promised_at > moment(ticket.statutory_due, clocks.MIDNIGHT):
        raise Invalid("extension_past_term")
    why = await reason_given(session, reason)
    await post(session, ticket, PostKind.EXTENSION, why, now=now, staff=actor)
    ticket.promised_at = promised_at
    ticket.due_at = max(ticket.due_at, promised_at)
    ticket.extensions += 1
    ticket.warned, ticket.status_told_at = 0, now
    await session.flush()
    await _say_all(session, ticket, "extended", key=f"extended:{ticket.extensions}", now=now, by_phone=True)
    await noted(session, ticket, "extend", actor.as_actor(), now, extensions=ticket.extensions)
    if responsible(ticket) != actor.id:
        await tell(session, ticket, [responsible(ticket)], "extended", now=now)


async def held(session: AsyncSession, ticket: Ticket, *, hours: OfficeHours, now: datetime) -> None:
    """Say to everybody who waits that a higher office is asked, and until when at the latest."""
    ticket.status_told_at = now
    await session.flush()
    promised = _if_resumed(ticket, hours)
    await _say_all(
        session, ticket, "held", key=f"held:{now:%Y%m%d%H%M%S}", now=now, promised=promised, by_phone=True
    )


async def nudge(
    session: AsyncSession, ticket: Ticket, words: str, *, by: Staff | Contact, now: datetime
) -> None:
    """Remind whoever has the ticket (催办): by its asker, or by anybody of the staff who may work on it.

    What nobody is assigned to goes to the leaders, and to whoever took it first.
    Raises `TooMany` after three a day from one side, `Conflict("stale_card")` where nothing is owed any more.
    """
    if isinstance(by, Contact):
        if ticket.contact_id != by.id:
            raise NotFound("expired_button")
        actor = Actor(ActorKind.CONTACT, by.id, "asker", by.channel.value)
    else:
        await may_work(session, by, ticket)
        actor = by.as_actor()
    standing = await get(session, ticket.merged_into_id) if ticket.merged_into_id else ticket
    await lock(session, *([ticket] if standing is ticket else [ticket, standing]))
    if standing.state not in OPEN_STATES:
        raise Conflict("stale_card")
    source = f"nudge:{ticket.id}:{actor.kind.value}:{actor.id}"
    await budgets.spend(session, source, limit=NUDGES_A_DAY, span=timedelta(days=1), now=now)
    said = (await clean(session, words.strip()))[:LONGEST_NUDGE]
    await post(session, standing, PostKind.NUDGE, said, now=now, staff=by if isinstance(by, Staff) else None)
    standing.nudges += 1
    await session.flush()
    await noted(session, standing, "nudge", actor, now, nudges=standing.nudges)
    people = [responsible(standing), standing.assignee_id]
    if standing.assignee_id is None:
        people += [leader.id for leader in await leaders_of(session, standing, now=now)]
    await tell(session, standing, people, "nudged", now=now, times=standing.nudges)


async def warn(session: AsyncSession, *, hours: OfficeHours, now: datetime) -> int:
    """Warn holder and leaders at 80 % and at 100 % of an answer's time, each once; returns how many warnings.

    Held tickets wait: their clock stands still.
    """
    running = (S.UNASSIGNED, S.ASSIGNED, S.WORKING, S.IN_REVIEW)
    rows = await session.execute(
        select(Ticket.id, Ticket.accepted_at, Ticket.clock_from, Ticket.due_at, Ticket.warned)
        .where(Ticket.state.in_(running), Ticket.warned < 100)
        .order_by(Ticket.due_at, Ticket.id)
    )
    due = [
        (row.id, level)
        for row in rows
        if (level := clocks.warning_level(row.clock_from or row.accepted_at, row.due_at, now, hours))
        > row.warned
    ]
    given = 0
    for ticket_id, level in due[:BATCH]:
        ticket = await _mine(session, ticket_id)
        if ticket is None or ticket.state not in running or ticket.warned >= level:
            continue
        ticket.warned = level
        await session.flush()
        people = [ticket.assignee_id, *await leaders_of(session, ticket, now=now)]
        await tell(session, ticket, people, f"warn_{level}", now=now, due=_clock(ticket.due_at))
        given += 1
    return given


async def status_within_24h(session: AsyncSession, *, hours: OfficeHours, now: datetime) -> int:
    """Say how it stands to whoever has heard nothing for a day since asking; returns to how many tickets.

    At the latest 24 hours after the acceptance whatever the state, in duty hours where there are any before.
    """
    rows = await session.execute(
        select(Ticket.id, Ticket.accepted_at)
        .where(Ticket.state.in_((*OPEN_STATES, S.OFFLINE, S.MERGED)), Ticket.status_told_at.is_(None))
        .where(Ticket.accepted_at <= now - clocks.HOUR)
        .order_by(Ticket.accepted_at, Ticket.id)
        .limit(10 * BATCH)
    )
    due = [row.id for row in rows if clocks.status_at(row.accepted_at, hours) <= now]
    told = 0
    for ticket_id in due[:BATCH]:
        ticket = await _mine(session, ticket_id)
        if ticket is None or ticket.status_told_at is not None:
            continue
        ticket.status_told_at = now
        await session.flush()
        await _status(session, ticket, key="24h", hours=hours, now=now)
        told += 1
    return told


async def daily_while_held(session: AsyncSession, *, hours: OfficeHours, now: datetime) -> int:
    """Write to whoever waits on a held ticket once a duty day, from the day after the hold began."""
    if not hours.is_open(now):
        return 0
    today = moment(beijing_day(now), timedelta(0))
    rows = await session.scalars(
        select(Ticket.id)
        .where(Ticket.state == S.ON_HOLD, Ticket.held_at < today)
        .where(or_(Ticket.status_told_at.is_(None), Ticket.status_told_at < today))
        .order_by(Ticket.id)
        .limit(BATCH)
    )
    told = 0
    for ticket_id in rows.all():
        ticket = await _mine(session, ticket_id)
        if ticket is None or ticket.state is not S.ON_HOLD:
            continue
        ticket.status_told_at = now
        await session.flush()
        promised, day = _if_resumed(ticket, hours), beijing_day(now).isoformat()
        await _say_all(session, ticket, "held", key=f"held:{day}", now=now, promised=promised)
        told += 1
    return told


async def _status(
    session: AsyncSession, ticket: Ticket, *, key: str, hours: OfficeHours, now: datetime
) -> None:
    lead = await get(session, ticket.merged_into_id) if ticket.merged_into_id else ticket
    if ticket is not lead and (lead.contact_id == ticket.contact_id or lead.state not in OPEN_STATES):
        return
    promised = _if_resumed(lead, hours) if lead.state is S.ON_HOLD else lead.promised_at
    facts = {"state": lead.state.value, **_promise(promised, now)}
    asker = next((one for one in await askers(session, lead) if one.ticket.id == ticket.id), None)
    if asker is not None:
        await _say(session, asker, "status", facts, key=f"status:{key}", now=now)


async def _say_all(
    session: AsyncSession,
    ticket: Ticket,
    kind: str,
    *,
    key: str,
    now: datetime,
    promised: datetime | None = None,
    by_phone: bool = False,
) -> None:
    facts = {"why": ticket.why_unanswered.value, **_promise(promised or ticket.promised_at, now)}
    for asker in await askers(session, ticket):
        own = asker.ticket.ticket_no
        point = (
            say(f"call_back.{kind}", no=own, promise=_clock(promised or ticket.promised_at))
            if by_phone
            else ""
        )
        await _say(session, asker, kind, facts, key=key, now=now, by_phone=point)


async def _say(
    session: AsyncSession,
    asker: Asker,
    kind: str,
    facts: dict[str, Any],
    *,
    key: str,
    now: datetime,
    by_phone: str = "",
) -> None:
    await tell_asker(
        session, asker, kind, facts, key=f"{kind}:{asker.ticket.id}:{key}", now=now, by_phone=by_phone,
        priority=Urgency.NOTICE,
    )  # fmt: skip


async def _mine(session: AsyncSession, ticket_id: int) -> Ticket | None:
    """The ticket, locked for this job; None while somebody else works on it: the next round will see it."""
    return (
        await session.scalars(
            select(Ticket)
            .where(Ticket.id == ticket_id)
            .with_for_update(skip_locked=True)
            .execution_options(populate_existing=True)
        )
    ).one_or_none()


def _if_resumed(ticket: Ticket, hours: OfficeHours) -> datetime:
    """When the answer of a held ticket is due if it is gone on with as late as it may."""
    if ticket.held_at is None or ticket.resume_by is None:
        return ticket.promised_at
    return hours.add_duty(ticket.promised_at, hours.duty_between(ticket.held_at, ticket.resume_by))


def _promise(promised: datetime, now: datetime) -> dict[str, Any]:
    return {"promised": promised.isoformat(), "passed": promised <= now}


def _clock(at: datetime) -> str:
    return f"{at.astimezone(BEIJING):%m-%d %H:%M}"
