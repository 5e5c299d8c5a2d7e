"""Questions about a tip: tickets that name it, counted for the board."""

from __future__ import annotations

from datetime import datetime

from knowledge.tips import WorkTip
from office.store import Store
from tests.make import HOURS, Cast
from tests.ticketing.tip_world import released
from tests.ticketing.work import asker
from ticketing import ledgers, tickets, tip_questions
from ticketing.ledgers import Enquiry
from ticketing.particulars import AskerKind, LedgerKind
from ticketing.records import Ticket


async def ask(store: Store, cast: Cast, tip: WorkTip, words: str, now: datetime) -> Ticket:
    async with store.transaction() as session:
        return await tip_questions.ask(
            session, tip, words, contact=cast.zhang_min, unit=cast.riverside, actor=asker(cast.zhang_min),
            hours=HOURS, now=now, event_id="m-1:7",
        )  # fmt: skip


async def test_question_is_a_ticket_linked_to_its_tip(store: Store, cast: Cast, now: datetime) -> None:
    tip, other = [await released(store, cast, now) for _ in range(2)]
    ticket = await ask(store, cast, tip, "补办的证怎么算？我的号码 13800005678", now)
    assert (ticket.tip_id, ticket.tip_no, ticket.unit_id) == (tip.id, "第1期", cast.riverside.id)
    assert "13800005678" not in ticket.words
    assert (ticket.asker_kind, ticket.ledger) == (AskerKind.WORK_GROUP, LedgerKind.POLICY)
    assert ticket.promised_at > now
    again = await ask(store, cast, tip, " 补办的证怎么算？我的号码 13800005678", now)
    assert again.id == ticket.id
    more = await ask(store, cast, tip, "换发的证怎么算？", now)
    async with store.transaction() as session:
        assert await tip_questions.counts(session, [tip.id, other.id]) == {tip.id: 2}
        row = await tickets.get(session, more.id)
        await tickets.take(session, row, actor=cast.li_qiang, now=now)
        await tickets.void(session, row, "重复", actor=cast.li_qiang, now=now)
        assert await tip_questions.count(session, tip) == 1
        assert await tip_questions.count(session, other) == 0
        enquiry = await session.get_one(Enquiry, 1)
        assert (enquiry.ticket_id, enquiry.unit_id) == (ticket.id, cast.riverside.id)
        assert ledgers.ledger_of(enquiry) is LedgerKind.POLICY
