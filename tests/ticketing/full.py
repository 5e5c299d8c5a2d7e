"""A ticket with every field of its record filled in, for the tests of sheets and pages."""

from __future__ import annotations

from datetime import datetime, timedelta

from office.contacts import Channel
from office.seal import Sealer
from office.staff import Staff
from office.store import Store
from tests.make import Cast, an_entry
from tests.ticketing.work import answered
from ticketing import tickets
from ticketing.particulars import AnswerMode, AskerKind, Cause, LedgerKind, Nature, VoterKind
from ticketing.records import FollowUp, Ticket

SEALER = Sealer(b"secret of the tests")
PHONE = "0000-87654321"


async def filled(store: Store, cast: Cast, now: datetime) -> Ticket:
    """An answered ticket of the 临江街道, called in by 钱小美, with all that an officer can fill in."""
    ticket = await answered(store, cast, now, unit=cast.riverside, channel=Channel.PHONE)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        wu = Staff(name="吴丽", unit_id=cast.riverside.id, roles=["duty_officer"], created_at=now)
        session.add(wu)
        await session.flush()
        version = await an_entry(session, cast, now, "K-0777", question="门牌号没有怎么登记？")
        found.first_taker_id, found.post = wu.id, "热线一号席"
        found.weekend_duty = True
        found.asker_name, found.phone = SEALER.seal("钱小美"), SEALER.seal(PHONE)
        found.asker_kind, found.voter_kind = AskerKind.VOTER, VoterKind.HOUSEHOLD
        found.electoral_district, found.group_no, found.station = "第12选区", "12-03", "书香苑站"
        found.nature, found.ledger = Nature.REGISTRATION, LedgerKind.VOTER
        found.spot_reply, found.note = "已告知先到登记站", "=1+1"
        found.group = "登记组"
        found.assigned_at = found.taken_at
        found.reviewer_id, found.reviewed_at = cast.wang_fang.id, now + timedelta(minutes=30)
        found.answered_at = now + timedelta(hours=1)
        found.answer_mode, found.answered_by_id = AnswerMode.PHONE, cast.li_qiang.id
        found.follow_up, found.cause = FollowUp.SOLVED, Cause.WORDING
        found.tip_no, found.entry_created_id = "第3期", version.entry_id
    return found
