"""Filling in the record: sealed, masked, audited by name only, and never over somebody else's writing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from office.audit import AuditEntry
from office.errors import Conflict, Invalid, NotFound, NotPermitted
from office.store import Store
from tests.make import Cast
from tests.ticketing.full import SEALER
from tests.ticketing.work import opened, read
from ticketing import ledgers, queue, record_fields, record_words, tickets
from ticketing.ledgers import Enquiry, Outcome
from ticketing.particulars import LedgerKind, Nature, Secrecy
from ticketing.records import PostKind, Ticket

PHONE = "0000-87654321"


async def change(
    store: Store, cast: Cast, now: datetime, ticket: Ticket, seen: int | None = None, **typed: str
) -> tuple[str, ...]:
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        return await record_fields.change(
            session, found, typed, seen=seen or found.version, sealer=SEALER, actor=cast.li_qiang, now=now
        )


async def test_what_is_filled_in_is_kept_and_the_audit_knows_the_fields_alone(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await opened(store, cast, now)
    changed = await change(
        store, cast, now, ticket, nature="registration", group_no="12选区3组", asker_name="钱小美",
        phone=PHONE, note="已约好", topic="voter_card", call_started_at="2026-11-20T09:58",
    )  # fmt: skip
    assert set(changed) == {
        "nature", "group_no", "asker_name", "phone", "note", "topic", "call_started_at",
    }  # fmt: skip
    kept = await read(store, ticket)
    assert (kept.nature, kept.group_no, kept.note, kept.topic) == (
        Nature.REGISTRATION, "12-03", "已约好", "voter_card",
    )  # fmt: skip
    assert kept.call_started_at == datetime(2026, 11, 20, 1, 58, tzinfo=UTC)
    assert kept.phone is not None
    assert PHONE.encode() not in kept.phone
    assert SEALER.open(kept.phone) == PHONE
    assert record_words.asker_name(kept, SEALER) == "钱*美"
    assert record_words.masked_phone(kept, SEALER) == "000****4321"
    assert record_words.last_digits(kept, SEALER) == "4321"
    async with store.reading() as session:
        entry = (await session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1))).one()
    assert (entry.action, entry.facts) == ("ticket.record", {"fields": sorted(changed)})


async def test_the_same_again_changes_nothing(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await opened(store, cast, now)
    typed = {
        "asker_name": "钱小美",
        "phone": PHONE,
        "secrecy": "internal",
        "call_ended_at": "2026-11-20T10:01",
    }
    await change(store, cast, now, ticket, **typed)
    before = await read(store, ticket)
    assert await change(store, cast, now, ticket, **typed) == ()
    # An empty field of what is shown masked leaves it; only the tick takes it away.
    assert await change(store, cast, now, ticket, asker_name="", phone=" ") == ()
    assert (await read(store, ticket)).version == before.version
    assert await change(store, cast, now, ticket, phone_remove="1") == ("phone",)
    kept = await read(store, ticket)
    assert kept.phone is None
    assert SEALER.open(kept.asker_name) == "钱小美"


async def test_the_words_never_change(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await opened(store, cast, now)
    assert await change(store, cast, now, ticket, words="别的", more_words="补充：电话13800138000") == (
        "words",
    )
    assert (await read(store, ticket)).words == ticket.words
    async with store.reading() as session:
        line = (await queue.thread(session, ticket))[-1]
    assert (line.kind, line.text, line.staff_id) == (
        PostKind.EDITED, "补充：电话［号码已隐去］", cast.li_qiang.id,
    )  # fmt: skip


async def test_who_comes_second_overwrites_nothing(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await opened(store, cast, now)
    await change(store, cast, now, ticket, note="先来的")
    with pytest.raises(Conflict, match="stale_card"):
        await change(store, cast, now, ticket, seen=ticket.version, note="后来的")
    assert (await read(store, ticket)).note == "先来的"


@pytest.mark.parametrize(
    ("typed", "key"),
    [
        ({"phone": "打我"}, "record_phone"),
        ({"phone": "1"}, "record_phone"),
        ({"asker_name": "钱小美13800138000"}, "record_name"),
        ({"asker_name": "钱" * 41}, "record_long"),
        ({"note": "字" * 501}, "record_long"),
        ({"group_no": "三楼"}, "record_group_no"),
        ({"call_started_at": "昨天"}, "record_call_times"),
        ({"call_started_at": "2026-11-20T10:00", "call_ended_at": "2026-11-20T09:59"}, "record_call_times"),
        ({"call_ended_at": "2026-11-20T10:06"}, "record_call_times"),
        ({"nature": "unknown"}, "form_broken"),
        ({"why_unanswered": ""}, "form_broken"),
        ({"topic": "weather"}, "form_broken"),
    ],
)
@pytest.mark.parametrize("templates", ["sqlite"], indirect=True)
async def test_what_cannot_be_is_refused_whole(
    store: Store, cast: Cast, now: datetime, typed: dict[str, str], key: str
) -> None:
    ticket = await opened(store, cast, now)
    with pytest.raises(Invalid, match=key):
        await change(store, cast, now, ticket, **{"summary": "摘要", **typed})
    assert (await read(store, ticket)).summary == ""


async def test_a_ledger_is_the_same_on_ticket_and_enquiry(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await opened(store, cast, now)
    async with store.transaction() as session:
        enquiry = await ledgers.record(
            session, cast.zhang_min, ticket.words, outcome=Outcome.TICKETED, now=now
        )
        enquiry.ticket_id = ticket.id
    await change(store, cast, now, ticket, ledger="policy")
    async with store.reading() as session:
        assert (await session.get_one(Enquiry, enquiry.id)).ledger is LedgerKind.POLICY
        assert (await tickets.get(session, ticket.id)).ledger is LedgerKind.POLICY


async def test_anyone_may_flag_and_a_leader_alone_take_the_flag_away(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await opened(store, cast, now)
    await change(store, cast, now, ticket, secrecy="restricted")
    assert (await read(store, ticket)).secrecy is Secrecy.RESTRICTED
    with pytest.raises(NotPermitted, match="leader_needed"):
        await change(store, cast, now, ticket, secrecy="public")
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        await record_fields.change(
            session, found, {"secrecy": "public"}, seen=found.version, sealer=SEALER, actor=cast.wang_fang,
            now=now,
        )  # fmt: skip
    assert (await read(store, ticket)).secrecy is Secrecy.PUBLIC


async def test_nobody_else_fills_in_and_nobody_a_confidential_case(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await opened(store, cast, now, unit=cast.riverside)
    for person in (cast.zhao_lei, cast.sun_jie, cast.zhou_ning):
        async with store.transaction() as session:
            found = await tickets.get(session, ticket.id)
            with pytest.raises(NotPermitted):
                await record_fields.change(
                    session, found, {"note": "x"}, seen=1, sealer=SEALER, actor=person, now=now
                )
            with pytest.raises((NotPermitted, NotFound)):
                await record_fields.set_ledger(session, found, LedgerKind.VOTER, actor=person, now=now)
    async with store.transaction() as session:
        (await tickets.get(session, ticket.id)).offline_owner_id = cast.wang_fang.id
    with pytest.raises(Conflict, match="offline_only"):
        await change(store, cast, now + timedelta(minutes=1), ticket, note="x")
