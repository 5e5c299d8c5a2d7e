"""Which act is possible from which state: the table of the office, and every other combination refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge.versions import EntryVersion
from office import audit
from office.audit import CLOCK
from office.errors import Conflict, NotPermitted
from office.seal import Sealer
from office.store import Store
from tests.make import HOURS, Cast, a_ticket, an_entry
from tests.ticketing.work import BASIS, REPLY, asker, in_state
from ticketing import assigning, holding, offline, tickets, verdicts
from ticketing.records import OPEN_STATES, TRANSITIONS, ClosedBy, Ticket, TicketState

S = TicketState
DAY = timedelta(days=1)
SEALER = Sealer(b"0" * 32)


@dataclass
class Scene:
    """What an act needs to be carried out."""

    session: AsyncSession
    cast: Cast
    ticket: Ticket
    lead: Ticket
    version: EntryVersion
    now: datetime


ACTS: dict[str, Callable[[Scene], Awaitable[object]]] = {
    "take": lambda s: tickets.take(s.session, s.ticket, actor=s.cast.li_qiang, now=s.now),
    "put_back": lambda s: tickets.put_back(s.session, s.ticket, "跨区", actor=s.cast.li_qiang, now=s.now),
    "propose": lambda s: tickets.propose(s.session, s.ticket, REPLY, BASIS, actor=s.cast.li_qiang, now=s.now),
    "revise": lambda s: tickets.revise(s.session, s.ticket, "请写明依据", actor=s.cast.wang_fang, now=s.now),
    "sign": lambda s: tickets.sign(
        s.session, s.ticket, seen=s.ticket.version, actor=s.cast.wang_fang, hours=HOURS, now=s.now
    ),
    "answer": lambda s: tickets.answer(
        s.session, s.ticket, REPLY, s.version, actor=s.cast.li_qiang, hours=HOURS, now=s.now
    ),
    "merge": lambda s: tickets.merge(s.session, s.ticket, s.lead, actor=s.cast.li_qiang, now=s.now),
    "join": lambda s: tickets.join(
        s.session, s.ticket, s.lead, cluster_id=1, actor=s.cast.li_qiang, now=s.now
    ),
    "void": lambda s: tickets.void(s.session, s.ticket, "误录", actor=s.cast.li_qiang, now=s.now),
    "close": lambda s: verdicts.close(s.session, s.ticket, by=ClosedBy.CLOCK, actor=CLOCK, now=s.now),
    "reopen": lambda s: verdicts.reopen(
        s.session, s.ticket, actor=asker(s.cast.zhang_min), hours=HOURS, now=s.now
    ),
    "assign": lambda s: assigning.assign(
        s.session, s.ticket, s.cast.li_qiang, actor=s.cast.wang_fang, now=s.now
    ),
    "accept": lambda s: assigning.accept(s.session, s.ticket, actor=s.cast.li_qiang, now=s.now),
    "transfer": lambda s: assigning.transfer(
        s.session, s.ticket, group="", to=s.cast.wang_fang, reason="归登记", actor=s.cast.li_qiang, now=s.now
    ),
    "send_back": lambda s: assigning.send_back(
        s.session, s.ticket, reason="不归本组", rule="职责分工第3条", actor=s.cast.li_qiang, now=s.now
    ),
    "hold": lambda s: holding.grant(s.session, s.ticket, actor=s.cast.wang_fang, hours=HOURS, now=s.now),
    "resume": lambda s: holding.resume(s.session, s.ticket, actor=s.cast.li_qiang, hours=HOURS, now=s.now),
    "split": lambda s: tickets.split(s.session, s.ticket, actor=s.cast.wang_fang.as_actor(), now=s.now),
    "unvoid": lambda s: verdicts.unvoid(
        s.session, s.ticket, actor=s.cast.wang_fang, hours=HOURS, now=s.now
    ),
    "take_offline": lambda s: offline.take(
        s.session, s.ticket, s.cast.li_qiang, readers=[], reason="涉及他人隐私", sealer=SEALER,
        actor=s.cast.wang_fang, now=s.now,
    ),
    "close_offline": lambda s: offline.close(
        s.session, s.ticket, offline.OfflineWay.PHONE, offline.OfflineResult.SETTLED,
        actor=s.cast.li_qiang, now=s.now,
    ),
}  # fmt: skip
TO: dict[tuple[str, TicketState], TicketState] = {
    ("take", S.UNASSIGNED): S.WORKING,
    ("take", S.ASSIGNED): S.WORKING,
    ("put_back", S.WORKING): S.UNASSIGNED,
    ("propose", S.WORKING): S.IN_REVIEW,
    ("revise", S.IN_REVIEW): S.WORKING,
    ("sign", S.IN_REVIEW): S.ANSWERED,
    ("answer", S.WORKING): S.ANSWERED,
    ("void", S.UNASSIGNED): S.VOID,
    ("void", S.ASSIGNED): S.VOID,
    ("void", S.WORKING): S.VOID,
    ("close", S.ANSWERED): S.CLOSED,
    ("reopen", S.ANSWERED): S.WORKING,
    ("reopen", S.CLOSED): S.UNASSIGNED,
    ("assign", S.UNASSIGNED): S.ASSIGNED,
    ("accept", S.ASSIGNED): S.WORKING,
    ("transfer", S.WORKING): S.ASSIGNED,
    ("send_back", S.ASSIGNED): S.UNASSIGNED,
    ("send_back", S.WORKING): S.UNASSIGNED,
    ("hold", S.WORKING): S.ON_HOLD,
    ("resume", S.ON_HOLD): S.WORKING,
    ("split", S.MERGED): S.UNASSIGNED,
    ("unvoid", S.VOID): S.UNASSIGNED,
    ("take_offline", S.UNASSIGNED): S.OFFLINE,
    ("take_offline", S.WORKING): S.OFFLINE,
    ("take_offline", S.ON_HOLD): S.OFFLINE,
    ("close_offline", S.OFFLINE): S.CLOSED,
    **{(act, state): S.MERGED for act in ("merge", "join") for state in OPEN_STATES},
}
# What the clock does, and what stays where it is, besides the acts of persons above.
BY_CLOCK = {("lapse", S.ASSIGNED): S.UNASSIGNED}


def test_the_table_names_every_state() -> None:
    assert set(TRANSITIONS) == set(TicketState)


def test_every_way_of_the_table_is_gone_by_an_act_and_no_act_goes_another() -> None:
    gone = {(state, to) for (_, state), to in (TO | BY_CLOCK).items()}
    # Back to the queue when whoever held it is no longer on duty.
    gone.add((S.ANSWERED, S.UNASSIGNED))
    assert gone == {(state, to) for state, ways in TRANSITIONS.items() for to in ways}


@pytest.mark.parametrize("act", ACTS)
async def test_an_act_moves_from_its_states_and_from_no_other(
    store: Store, cast: Cast, now: datetime, act: str
) -> None:
    for state in TicketState:
        async with store.transaction() as session:
            version = await an_entry(session, cast, now, no=f"K-09{list(S).index(state):02d}")
            ticket = await in_state(session, cast, now, state)
            if state is S.WORKING and act == "hold":
                ticket.hold_wanted_until, ticket.hold_wanted_by_id = now + DAY, cast.li_qiang.id
            if state is S.ON_HOLD:
                ticket.held_at, ticket.resume_by = now, now + DAY
            if state is S.OFFLINE:
                ticket.offline_owner_id = cast.li_qiang.id
            if state is S.MERGED:
                ticket.merged_into_id = (await a_ticket(session, cast, now)).id
            await session.flush()
            scene = Scene(session, cast, ticket, await a_ticket(session, cast, now), version, now)
            before = ticket.version
            wanted = TO.get((act, state))
            if wanted is None:
                with pytest.raises((Conflict, NotPermitted)):
                    await ACTS[act](scene)
                assert ticket.state is state
                assert ticket.version == before
            else:
                await ACTS[act](scene)
                assert ticket.state is wanted
                assert wanted in TRANSITIONS[state]
                lines, _ = await audit.listed(session, subject=f"ticket:{ticket.id}")
                assert (lines[0].facts["from"], lines[0].facts["to"]) == (state.value, wanted.value)
