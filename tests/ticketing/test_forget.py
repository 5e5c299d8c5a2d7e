"""Being forgotten: words go, counts stay, what the law needs survives without the contact."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from knowledge.answer import AnswerGiven
from office import audit, contacts, outbox
from office.contacts import Channel, ContactState
from office.outbox import DeliveryState
from office.store import Store
from tests.make import HOURS, Cast
from tests.ticketing.confidences import SEALER, taken_offline
from tests.ticketing.test_attachments import PNG
from tests.ticketing.work import answered, entry, messages, opened, proposed, read, taken
from ticketing import (
    attachments,
    call_backs,
    drafts,
    forget,
    ledgers,
    queue,
    restricted,
    tickets,
    timed,
)
from ticketing.attachments import Attachment
from ticketing.call_backs import CallBack, CallBackKind, CallBackState
from ticketing.forget import REMOVED
from ticketing.ledgers import Enquiry, Outcome
from ticketing.records import TicketKind, TicketState

S = TicketState


async def forget_zhang_min(store: Store, cast: Cast, now: datetime) -> str:
    async with store.transaction() as session:
        contact = await contacts.get(session, cast.zhang_min.id)
        return await forget.contact(session, contact, now=now)


async def test_who_was_forgotten_asks_again_as_a_stranger(store: Store, cast: Cast, now: datetime) -> None:
    await opened(store, cast, now)
    certificate = await forget_zhang_min(store, cast, now)
    assert certificate.startswith("F-1120-")
    async with store.transaction() as session:
        again = await contacts.seen(session, Channel.TELEGRAM, "5001", now=now)
        assert again.id != cast.zhang_min.id
        assert await queue.of_asker(session, again) == []
        old = await contacts.get(session, cast.zhang_min.id)
        assert (old.state, "5001" in old.address) == (ContactState.LOST, False)
        (line,), _ = await audit.listed(session, action="contact.forget")
        assert line.facts == {"certificate": certificate}


@pytest.mark.parametrize("make", [opened, taken, proposed], ids=["open", "taken", "in_review"])
async def test_an_open_ticket_becomes_void_and_wordless(
    store: Store, cast: Cast, now: datetime, make: Callable[..., object]
) -> None:
    ticket = await make(store, cast, now)  # type: ignore[misc]
    if make is not proposed:  # whose answer waits types nothing beside it
        async with store.transaction() as session:
            await drafts.save(session, ticket, "张女士您好", actor=cast.li_qiang, now=now)
    await forget_zhang_min(store, cast, now)
    row = await read(store, ticket)
    assert (row.state, row.contact_id, row.words) == (S.VOID, None, REMOVED)
    async with store.reading() as session:
        assert {line.text for line in await queue.thread(session, row)} == {REMOVED}
        assert await drafts.of(session, row, cast.li_qiang) == ""
        assert (await audit.verify(session))[1] is None


@pytest.mark.parametrize("kind", [TicketKind.APPEAL, TicketKind.REPORT, TicketKind.CORRECTION])
async def test_a_statutory_ticket_survives_without_the_contact(
    store: Store, cast: Cast, now: datetime, kind: TicketKind
) -> None:
    ticket = await taken(store, cast, now, words="名单上没有我，我要申诉", kind=kind)
    await forget_zhang_min(store, cast, now)
    row = await read(store, ticket)
    assert (row.state, row.contact_id) == (S.WORKING, None)
    assert row.words == "名单上没有我，我要申诉"
    version = await entry(store, cast, now)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        await tickets.answer(session, found, "已核实", version, actor=cast.li_qiang, hours=HOURS, now=now)
    assert await messages(store, ticket) == []


async def test_enquiries_lose_their_words_and_stay_counted(store: Store, cast: Cast, now: datetime) -> None:
    version = await entry(store, cast, now)
    async with store.transaction() as session:
        await ledgers.record(session, cast.zhang_min, "选民证丢了", outcome=Outcome.AUTO, now=now)
        half = await ledgers.record(session, cast.zhang_min, "我想问", outcome=None, now=now)
        half.pending_until = now
        session.add(AnswerGiven(contact_id=cast.zhang_min.id, entry_version_id=version.id, at=now))
    await forget_zhang_min(store, cast, now)
    async with store.transaction() as session:
        assert await timed.settle_pieces(session, hours=HOURS, now=now.replace(hour=3)) == 0
        rows = (await session.scalars(select(Enquiry).order_by(Enquiry.id))).all()
        assert [(row.words, row.outcome) for row in rows] == [("", Outcome.AUTO), ("", None)]
        assert (await session.scalars(select(AnswerGiven))).all() == []


async def test_nothing_more_is_sent_and_what_was_sent_stays_sent(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await answered(store, cast, now)
    async with store.transaction() as session:
        ((first, _),) = await outbox.claim(session, [Channel.TELEGRAM], limit=5, now=now)
        await outbox.sent(session, first.id, now=now)
        await outbox.put(session, cast.zhang_min, "follow_up", {"no": 1}, key="f", subject="t", now=now)
    await forget_zhang_min(store, cast, now)
    (sent,) = await messages(store, ticket)
    assert (sent.state, sent.facts) == (DeliveryState.SENT, {})
    async with store.transaction() as session:
        assert await outbox.claim(session, [Channel.TELEGRAM], limit=5, now=now) == []
        (waiting,) = await outbox.about(session, "t")
        assert (waiting.state, waiting.facts) == (DeliveryState.FAILED, {})


async def test_others_keep_what_is_theirs(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        other = await contacts.seen(session, Channel.TELEGRAM, "5002", now=now)
    ticket = await opened(store, cast, now, contact=other)
    await forget_zhang_min(store, cast, now)
    assert (await read(store, ticket)).contact_id == other.id


async def test_names_phones_calls_and_files_go_as_well(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await taken(store, cast, now)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        found.asker_name, found.phone = SEALER.seal("张敏"), SEALER.seal("13800138000")
        found.summary, found.note = "摘要", "备注"
        asked = await ledgers.record(session, cast.zhang_min, "问", outcome=Outcome.TICKETED, now=now)
        asked.reply, asked.particulars = "答", {"who": "张敏"}
        call = await call_backs.put(
            session, key="c", kind=CallBackKind.PROMISED, ticket=found, point="回电", now=now
        )
        assert call is not None
        await attachments.put(
            session, found, "a.png", PNG, contact=cast.zhang_min, quarantined=True, sealer=SEALER, now=now
        )
    await forget_zhang_min(store, cast, now)
    row = await read(store, ticket)
    assert (row.asker_name, row.phone, row.summary, row.note) == (None, None, "", "")
    async with store.reading() as session:
        (left,) = await session.scalars(select(CallBack))
        assert (left.asker_name, left.phone, left.point) == (None, None, REMOVED)
        assert left.state is CallBackState.GIVEN_UP
        (file,) = (await session.execute(select(Attachment.sealed, Attachment.contact_id))).all()
        assert tuple(file) == (None, None)
        (enquiry,) = await session.scalars(select(Enquiry))
        assert (enquiry.reply, enquiry.particulars) == ("", {})


async def test_an_open_appeal_keeps_its_files(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await taken(store, cast, now, kind=TicketKind.APPEAL)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        await attachments.put(
            session, found, "a.png", PNG, contact=cast.zhang_min, quarantined=True, sealer=SEALER, now=now
        )
    await forget_zhang_min(store, cast, now)
    async with store.reading() as session:
        sealed, contact_id = (await session.execute(select(Attachment.sealed, Attachment.contact_id))).one()
    assert sealed is not None
    assert contact_id is None


async def test_a_lead_that_others_wait_for_stays_open(store: Store, cast: Cast, now: datetime) -> None:
    lead = await taken(store, cast, now)
    async with store.transaction() as session:
        other = await contacts.seen(session, Channel.TELEGRAM, "5002", now=now)
    member = await opened(store, cast, now, contact=other)
    async with store.transaction() as session:
        found = await tickets.get(session, lead.id)
        await tickets.join(
            session, await tickets.get(session, member.id), found, cluster_id=1, actor=cast.li_qiang, now=now
        )
    await forget_zhang_min(store, cast, now)
    row = await read(store, lead)
    assert (row.state, row.contact_id, row.words) == (S.WORKING, None, REMOVED)
    assert (await read(store, member)).state is S.MERGED


async def test_what_was_sealed_of_a_case_goes_unless_the_law_needs_it(
    store: Store, cast: Cast, now: datetime
) -> None:
    plain = await taken_offline(store, cast, now)
    report = await taken_offline(store, cast, now, kind=TicketKind.REPORT)
    await forget_zhang_min(store, cast, now)
    async with store.reading() as session:
        assert await restricted.read(session, plain, sealer=SEALER) is None
        assert await restricted.read(session, report, sealer=SEALER) is not None


async def test_names_and_phones_end_thirty_days_after_closing(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await answered(store, cast, now)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        found.asker_name, found.phone = SEALER.seal("张敏"), SEALER.seal("13800138000")
        found.state, found.closed_at = S.CLOSED, now
    for days, kept in ((30, True), (31, False)):
        async with store.transaction() as session:
            await forget.old_names(session, now=now + timedelta(days=days))
        row = await read(store, ticket)
        assert (row.asker_name is not None, row.phone is not None) == (kept, kept)
