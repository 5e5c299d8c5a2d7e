"""Who calls again, what counts once, and in which ledger it stands."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from office.errors import Conflict
from office.store import Store
from tests.make import Cast, a_ticket
from tests.ticketing.calling import PHONE, SEALER, SECRET, a_call, count, entry, owed, told
from ticketing import call_log, callers, calls, ledgers
from ticketing.ledgers import Enquiry, Outcome
from ticketing.particulars import AskerKind, LedgerKind
from ticketing.records import Ticket, TicketState


@pytest.mark.parametrize("templates", ["sqlite"], indirect=True)
async def test_one_asker_on_one_topic_counts_once_in_half_an_hour(
    store: Store, cast: Cast, now: datetime
) -> None:
    version = await entry(store, cast, now)
    other = await entry(store, cast, now, no="K-0541", topic="age", question="几岁可以登记？",
                        phrasings=("多大能登记", "登记年龄", "十八岁算不算"))  # fmt: skip
    first = await told(store, cast, a_call(cast, phone=PHONE), version, now)
    again = await told(
        store, cast, a_call(cast, event="f2", phone="+86 13800138000"), version, now + timedelta(minutes=29)
    )
    assert again.repeat_of_id == first.id
    for number, (more, entry_, later) in enumerate(
        [
            ({"phone": PHONE}, other, 5),
            ({"phone": "13800138001"}, version, 6),
            ({}, version, 7),
            ({"phone": PHONE}, version, 60),
        ]
    ):
        row = await told(
            store, cast, a_call(cast, event=f"g{number}", **more), entry_, now + timedelta(minutes=later)
        )
        assert row.repeat_of_id is None
    assert await count(store, Enquiry) == 6
    assert await count(store, Enquiry, Enquiry.repeat_of_id.is_(None)) == 5


@pytest.mark.parametrize("templates", ["sqlite"], indirect=True)
async def test_a_chat_asking_the_same_again_counts_once(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        one, two, three, four = [
            await ledgers.record(
                session, cast.zhang_min, "多大能登记", outcome=Outcome.AUTO, topic=topic,
                now=now + timedelta(minutes=minutes),
            )
            for minutes, topic in ((0, "age"), (10, "age"), (20, "age"), (50, "age"))
        ]  # fmt: skip
    assert (two.repeat_of_id, three.repeat_of_id) == (one.id, one.id)
    assert four.repeat_of_id is None
    assert await count(store, Enquiry, Enquiry.repeat_of_id.is_(None)) == 2


async def test_the_same_caller_may_add_to_the_ticket_there_is(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await owed(store, cast, a_call(cast, phone=PHONE), now)
    caller = callers.digest(SECRET, PHONE)
    async with store.reading() as session:
        (found,) = await callers.owed(session, caller, cast.li_qiang)
        assert found.id == ticket.id
        assert await callers.owed(session, caller, cast.zhao_lei) == []
        assert await callers.owed(session, b"", cast.li_qiang) == []
    assert callers.alike(ticket, "我把选民证弄丢了，去哪里补", "")
    assert not callers.alike(ticket, "几岁可以登记", "age")
    later = now + timedelta(hours=2)
    call = a_call(cast, "补充：证是去年发的", event="f2", phone=PHONE)
    for _ in range(2):
        async with store.transaction() as session:
            row = await calls.appended(
                session, call, await session.get_one(Ticket, ticket.id), actor=cast.li_qiang, sealer=SEALER,
                now=later,
            )  # fmt: skip
        assert row.ticket_id == ticket.id
    assert await count(store, Ticket) == 1
    assert await count(store, Enquiry) == 2
    stranger = a_call(cast, event="f3", phone="13800138001")
    with pytest.raises(Conflict, match="merge_other_asker"):
        async with store.transaction() as session:
            await calls.appended(
                session, stranger, await session.get_one(Ticket, ticket.id), actor=cast.li_qiang,
                sealer=SEALER, now=later,
            )  # fmt: skip


@pytest.mark.parametrize("templates", ["sqlite"], indirect=True)
async def test_what_told_who_called_does_not_stay(store: Store, cast: Cast, now: datetime) -> None:
    version = await entry(store, cast, now)
    row = await told(store, cast, a_call(cast, phone=PHONE, asker_name="张女士", note="急"), version, now)
    ticket = await owed(store, cast, a_call(cast, event="f2", phone=PHONE), now)
    async with store.transaction() as session:
        await call_log.forget_old(session, now=now + timedelta(minutes=31))
    assert await count(store, callers.CallerMark) == 1  # of the ticket that is still owed
    async with store.transaction() as session:
        found = await session.get_one(Ticket, ticket.id)
        found.state = TicketState.CLOSED
        await call_log.forget_old(session, now=now + timedelta(days=91))
    assert await count(store, callers.CallerMark) == 0
    async with store.reading() as session:
        assert not {"phone", "asker_name", "note"} & set((await session.get_one(Enquiry, row.id)).particulars)


@pytest.mark.parametrize(
    ("topic", "asker", "platform", "kind"),
    [
        ("age", None, False, LedgerKind.VOTER),
        ("age", AskerKind.STREET_OFFICE, False, LedgerKind.VOTER),
        ("st_import", None, False, LedgerKind.PLATFORM),
        ("st_report", None, False, LedgerKind.POLICY),
        ("", None, False, LedgerKind.VOTER),
        ("", AskerKind.STREET_OFFICE, False, LedgerKind.POLICY),
        ("", AskerKind.VOTER, True, LedgerKind.PLATFORM),
    ],
)
def test_the_ledger_follows_the_topics_side(
    topic: str, asker: AskerKind | None, platform: bool, kind: LedgerKind
) -> None:
    assert ledgers.kind_of(topic, asker, platform=platform) is kind


async def test_a_row_of_the_chat_goes_by_its_topic_unless_somebody_put_it_elsewhere(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        for topic, ledger, kind in (
            ("age", None, LedgerKind.VOTER), ("st_import", None, LedgerKind.PLATFORM),
            ("", None, LedgerKind.VOTER), ("age", LedgerKind.POLICY, LedgerKind.POLICY),
        ):  # fmt: skip
            row = await ledgers.record(
                session, cast.zhang_min, "问题", outcome=Outcome.AUTO, topic=topic, now=now
            )
            row.ledger = ledger
            assert ledgers.ledger_of(row) is kind
        # A ticket of the chat goes by the same rule.
        assert (await a_ticket(session, cast, now)).ledger is None
