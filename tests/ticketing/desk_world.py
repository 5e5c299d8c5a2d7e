"""A desk at which chance works: many people, many tickets, every act there is, legal or not."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import inspect, select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge.versions import EntryVersion
from office.audit import Actor
from office.contacts import Channel, Contact
from office.errors import DeskError
from office.seal import Sealer
from office.staff import Staff
from office.units import Unit
from office.work_groups import WorkGroup
from tests.make import HOURS, Cast
from tests.ticketing.work import BASIS, REPLY, asker
from ticketing import assigning, holding, intake, interim, joint, ledgers, offline, tickets, timed, verdicts
from ticketing.ledgers import Outcome
from ticketing.offline import OfflineResult, OfflineWay
from ticketing.records import ClosedBy, FollowUp, Ticket, TicketKind, TicketState, UnansweredReason

S = TicketState
SEALER = Sealer(b"0" * 32)
MOST = 30
HOLD_FOR = timedelta(hours=20)
Act = Callable[["World", Ticket, Staff], Awaitable[Any]]


@dataclass
class World:
    """What the acts are carried out on. `now` goes on by chance; `done` counts acts that had an effect."""

    session: AsyncSession
    cast: Cast
    officers: list[Staff]
    outsiders: list[Staff]
    askers: list[Contact]
    ordinary: EntryVersion
    statutory: EntryVersion
    group: WorkGroup
    run: int
    chance: random.Random
    now: datetime
    tickets: list[int] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    seen: set[TicketState] = field(default_factory=set)
    _held: list[object] = field(default_factory=list)

    def anybody(self) -> Staff:
        """Mostly somebody who may, now and then somebody who may not."""
        return self.chance.choice(self.outsiders if self.chance.random() < 0.08 else self.officers)

    def leader(self) -> Staff:
        """王芳 reviews, and so she leads."""
        return self.cast.wang_fang

    async def begin(self, session: AsyncSession) -> None:
        """Take up a transaction. What is looked at in each step is held, so that it is read once in it."""
        self.session = session
        self._held = [
            *(await session.scalars(select(Ticket).where(Ticket.id.in_(self.tickets)))).all(),
            *(await session.scalars(select(Unit))).all(),
            *(await session.scalars(select(Staff))).all(),
            *(await session.scalars(select(Contact))).all(),
        ]

    async def ticket(self, number: int) -> Ticket:
        """A ticket as it stands; what a refusal has undone is read again."""
        found = await self.session.get_one(Ticket, number)
        if inspect(found).expired_attributes:
            await self.session.refresh(found)
        return found

    async def other(self, ticket: Ticket) -> Ticket:
        """Another ticket to join this one to; often one that may be joined."""
        rows = [await self.ticket(number) for number in self.tickets]
        fit = [
            row for row in rows if row.id != ticket.id and row.state in (S.WORKING, S.UNASSIGNED, S.ANSWERED)
        ]
        return self.chance.choice(fit if fit and self.chance.random() < 0.9 else rows)


async def open_ticket(world: World) -> Ticket:
    """A new question: by one of the askers, or by a caller without a chat."""
    number, identity = len(world.tickets), f"31019919850612{world.chance.randint(1000, 9999)}"
    contact = world.chance.choice([*world.askers, None])
    kind = world.chance.choice([TicketKind.ENQUIRY] * 8 + [TicketKind.REPORT, TicketKind.APPEAL])
    actor: Actor = asker(contact) if contact else world.cast.li_qiang.as_actor()
    ticket = await intake.open_ticket(
        world.session,
        contact,
        f"甲{world.run}乙{number}丙：新楼盘没有门牌怎么登记，证号{identity}",
        unit=world.cast.district,
        district=world.cast.district,
        channel=Channel.TELEGRAM if contact else Channel.PHONE,
        actor=actor,
        hours=HOURS,
        now=world.now,
        kind=kind,
        urgent=world.chance.random() < 0.2,
    )
    if contact is not None:
        row = await ledgers.record(
            world.session, contact, ticket.words, outcome=Outcome.TICKETED, now=world.now
        )
        row.ticket_id = ticket.id
    world.tickets.append(ticket.id)
    world._held.append(ticket)
    return ticket


async def said(world: World, ticket: Ticket, word: FollowUp) -> bool:
    """The asker's word, mostly from the right one."""
    contact = world.chance.choice(world.askers)
    if ticket.contact_id is not None and world.chance.random() < 0.9:
        contact = await world.session.get_one(Contact, ticket.contact_id)
    return await verdicts.follow_up(
        world.session, ticket, word, contact=contact, actor=asker(contact), hours=HOURS, now=world.now
    )


def _person(world: World) -> Staff:
    return world.chance.choice(world.officers)


def _group(world: World) -> str:
    return world.chance.choice(["", world.group.name])


ACTS: dict[str, Act] = {
    "take": lambda w, t, p: tickets.take(w.session, t, actor=p, now=w.now),
    "put_back": lambda w, t, p: tickets.put_back(w.session, t, "去开会", actor=p, now=w.now),
    "note": lambda w, t, p: tickets.note(w.session, t, "已电话核实", actor=p, now=w.now),
    "propose": lambda w, t, p: tickets.propose(w.session, t, REPLY, BASIS, actor=p, now=w.now),
    "revise": lambda w, t, p: tickets.revise(w.session, t, "补充依据", actor=p, now=w.now),
    "sign": lambda w, t, p: tickets.sign(w.session, t, seen=t.version, actor=p, hours=HOURS, now=w.now),
    "answer": lambda w, t, p: tickets.answer(
        w.session, t, REPLY, w.ordinary, actor=p, hours=HOURS, now=w.now
    ),
    "answer_statutory": lambda w, t, p: tickets.answer(
        w.session, t, REPLY, w.statutory, actor=p, hours=HOURS, now=w.now
    ),
    "void": lambda w, t, p: tickets.void(w.session, t, "误录", actor=p, now=w.now),
    "unvoid": lambda w, t, p: verdicts.unvoid(w.session, t, actor=p, hours=HOURS, now=w.now),
    "close": lambda w, t, p: verdicts.close(
        w.session, t, by=ClosedBy.OFFICER, actor=p.as_actor(), now=w.now, reason="已电话告知"
    ),
    "reopen": lambda w, t, p: verdicts.reopen(w.session, t, actor=p.as_actor(), hours=HOURS, now=w.now),
    "assign": lambda w, t, p: assigning.assign(
        w.session, t, _person(w), actor=p, now=w.now, group=_group(w)
    ),
    "accept": lambda w, t, p: assigning.accept(w.session, t, actor=p, now=w.now),
    "transfer": lambda w, t, p: assigning.transfer(
        w.session, t, group=_group(w), to=w.chance.choice([None, _person(w)]), reason="归他办", actor=p,
        now=w.now,
    ),
    "send_back": lambda w, t, p: assigning.send_back(
        w.session, t, reason="不归", rule="第3条", actor=p, now=w.now
    ),
    "add_joint": lambda w, t, p: joint.add(w.session, t, _person(w), actor=p, now=w.now),
    "contribute": lambda w, t, p: joint.contribute(w.session, t, "可以登记", actor=p, now=w.now),
    "want_hold": lambda w, t, p: holding.want(
        w.session, t, UnansweredReason.NEEDS_SUPERIOR, w.now + HOLD_FOR, actor=p, now=w.now
    ),
    "grant": lambda w, t, p: holding.grant(w.session, t, actor=p, hours=HOURS, now=w.now),
    "refuse": lambda w, t, p: holding.refuse(w.session, t, actor=p, hours=HOURS, now=w.now),
    "resume": lambda w, t, p: holding.resume(w.session, t, actor=p, hours=HOURS, now=w.now),
    "reply": lambda w, t, p: interim.reply(w.session, t, "正在核实", actor=p, hours=HOURS, now=w.now),
    "extend": lambda w, t, p: interim.extend(
        w.session, t, t.promised_at + timedelta(hours=w.chance.randint(1, 40)), "待市里答复", actor=p,
        hours=HOURS, now=w.now,
    ),
    "nudge": lambda w, t, p: interim.nudge(w.session, t, "请尽快", by=p, now=w.now),
    "split": lambda w, t, p: tickets.split(w.session, t, actor=p.as_actor(), now=w.now),
    "solved": lambda w, t, p: said(w, t, FollowUp.SOLVED),
    "not_solved": lambda w, t, p: said(w, t, FollowUp.NOT_SOLVED),
    "take_offline": lambda w, t, p: offline.take(
        w.session, t, _person(w), readers=[], reason="涉及他人隐私", sealer=SEALER, actor=p, now=w.now
    ),
    "close_offline": lambda w, t, p: offline.close(
        w.session, t, OfflineWay.PHONE, OfflineResult.SETTLED, actor=p, now=w.now
    ),
}  # fmt: skip


async def merge(world: World, ticket: Ticket, person: Staff) -> None:
    await tickets.merge(world.session, ticket, await world.other(ticket), actor=person, now=world.now)


async def join(world: World, ticket: Ticket, person: Staff) -> None:
    lead = await world.other(ticket)
    await tickets.join(world.session, ticket, lead, cluster_id=900, actor=person, now=world.now)


async def late(world: World, ticket: Ticket, person: Staff) -> None:
    lead = await world.ticket(ticket.merged_into_id or ticket.id)
    await tickets.tell_late(world.session, ticket, lead, hours=HOURS, now=world.now)


ACTS |= {"merge": merge, "join": join, "late": late}
# What moves the time by which something is owed; nothing else may.
MOVES_CLOCK = {"resume", "extend", "reopen", "unvoid", "not_solved", "jobs"}
FITTING: dict[TicketState, tuple[str, ...]] = {
    S.UNASSIGNED: (
        "take", "take", "take", "assign", "assign", "merge", "join", "join", "void", "take_offline",
    ),
    S.ASSIGNED: ("accept", "accept", "take", "send_back", "merge", "join"),
    S.WORKING: (
        "answer", "answer", "answer", "propose", "propose", "want_hold", "want_hold", "grant", "grant",
        "transfer", "send_back", "put_back", "reply", "add_joint", "contribute", "extend", "refuse", "join",
        "contribute", "note", "take_offline", "void", "answer_statutory",
    ),
    S.ON_HOLD: ("resume", "resume", "merge", "take_offline"),
    S.IN_REVIEW: ("sign", "sign", "revise", "join"),
    S.ANSWERED: ("solved", "not_solved", "close", "reopen"),
    S.CLOSED: ("reopen", "not_solved"),
    S.OFFLINE: ("close_offline",),
    S.MERGED: ("split", "not_solved", "solved", "late"),
    S.VOID: ("unvoid",),
}  # fmt: skip
BY_LEADER = {"assign", "grant", "refuse", "extend", "split", "unvoid", "take_offline", "sign", "revise"}


def choose(world: World, ticket: Ticket) -> tuple[str, Staff]:
    """An act and who tries it: two of five times what the ticket's state asks for, by whom it asks for."""
    chance = world.chance
    if chance.random() < 0.6:
        return chance.choice(list(ACTS)), world.anybody()
    wished = ticket.hold_wanted_until is not None and chance.random() < 0.6
    act = chance.choice(("grant", "grant", "refuse") if wished else FITTING[ticket.state])
    if act in BY_LEADER and chance.random() < 0.9:
        return act, world.leader()
    if act == "contribute":
        return act, chance.choice(world.officers)
    wanted = ticket.offline_owner_id if ticket.state is S.OFFLINE else ticket.assignee_id
    holder = next((person for person in world.officers if person.id == wanted), None)
    return act, holder if holder and chance.random() < 0.9 else world.anybody()


async def jobs(world: World) -> int:
    """Everything the clock does, once."""
    session, now = world.session, world.now
    counts = [
        await holding.resume_due(session, hours=HOURS, now=now),
        await assigning.lapse(session, hours=HOURS, now=now),
        await interim.warn(session, hours=HOURS, now=now),
        await interim.status_within_24h(session, hours=HOURS, now=now),
        await interim.daily_while_held(session, hours=HOURS, now=now),
        await timed.ask_back(session, hours=HOURS, now=now),
        await timed.close_by_default(session, now=now),
    ]
    return sum(counts)


async def leave(world: World) -> int:
    """Somebody goes home: what they hold goes into the queue."""
    return await assigning.requeue(
        world.session, world.chance.choice(world.officers), actor=None, now=world.now
    )


async def attempt(
    world: World, what: Callable[[], Awaitable[Any]], name: str, *, hopeless: bool = False
) -> bool:
    """Try something in a savepoint: it has its whole effect or none. Anything but a refusal is an error.

    What is `hopeless` is refused before anything is written; that saves the savepoint, which costs as much.
    """
    session = world.session
    try:
        if hopeless:
            await what()
        else:
            async with session.begin_nested():
                await what()
    except DeskError:
        if hopeless:
            assert not session.new, f"{name} wrote before it was refused"
            for row in session.dirty:
                session.expire(row)
        world.refused[name] += 1
        return False
    world.done[name] += 1
    return True
