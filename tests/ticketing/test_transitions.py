"""Which act is possible from which state: the table of the office, and every other combination refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge.versions import EntryVersion
from office import audit
from office.audit import CLOCK
from office.errors import Conflict
from office.store import Store
from tests.make import HOURS, Cast, a_ticket, an_entry
from tests.ticketing.work import BASIS, REPLY, asker, in_state
from ticketing import tickets, verdicts
from ticketing.records import TRANSITIONS, ClosedBy, Ticket, TicketState

S = TicketState


@dataclass
class Scene:
    """What an act needs to be carried out."""

    session: AsyncSession
    cast: Cast
    ticket: Ticket
    lead: Ticket
    version: EntryVersion
    now: datetime


ACTS: dict[str, Callable[[Scene], Awaitable[None]]] = {
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
    "void": lambda s: tickets.void(s.session, s.ticket, "误录", actor=s.cast.li_qiang, now=s.now),
    "close": lambda s: verdicts.close(s.session, s.ticket, by=ClosedBy.CLOCK, actor=CLOCK, now=s.now),
    "reopen": lambda s: verdicts.reopen(
        s.session, s.ticket, actor=asker(s.cast.zhang_min), hours=HOURS, now=s.now
    ),
}
TO: dict[tuple[str, TicketState], TicketState] = {
    ("take", S.UNASSIGNED): S.WORKING,
    ("take", S.ASSIGNED): S.WORKING,
    ("put_back", S.WORKING): S.UNASSIGNED,
    ("propose", S.WORKING): S.IN_REVIEW,
    ("revise", S.IN_REVIEW): S.WORKING,
    ("sign", S.IN_REVIEW): S.ANSWERED,
    ("answer", S.WORKING): S.ANSWERED,
    ("merge", S.UNASSIGNED): S.MERGED,
    ("merge", S.ASSIGNED): S.MERGED,
    ("merge", S.WORKING): S.MERGED,
    ("merge", S.ON_HOLD): S.MERGED,
    ("merge", S.IN_REVIEW): S.MERGED,
    ("void", S.UNASSIGNED): S.VOID,
    ("void", S.ASSIGNED): S.VOID,
    ("void", S.WORKING): S.VOID,
    ("close", S.ANSWERED): S.CLOSED,
    ("reopen", S.ANSWERED): S.WORKING,
    ("reopen", S.CLOSED): S.UNASSIGNED,
}


def test_the_table_names_every_state() -> None:
    assert set(TRANSITIONS) == set(TicketState)


@pytest.mark.parametrize("act", ACTS)
async def test_an_act_moves_from_its_states_and_from_no_other(
    store: Store, cast: Cast, now: datetime, act: str
) -> None:
    for state in TicketState:
        async with store.transaction() as session:
            version = await an_entry(session, cast, now, no=f"K-09{list(S).index(state):02d}")
            ticket = await in_state(session, cast, now, state)
            scene = Scene(session, cast, ticket, await a_ticket(session, cast, now), version, now)
            before = ticket.version
            wanted = TO.get((act, state))
            if wanted is None:
                with pytest.raises(Conflict):
                    await ACTS[act](scene)
                assert ticket.state is state
                assert ticket.version == before
            else:
                await ACTS[act](scene)
                assert ticket.state is wanted
                assert wanted in TRANSITIONS[state]
                lines, _ = await audit.listed(session, subject=f"ticket:{ticket.id}")
                assert (lines[0].facts["from"], lines[0].facts["to"]) == (state.value, wanted.value)
