"""Calls that are written down: answered at once or owed, once each, with the caller's number sealed."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from knowledge.lessons import Lesson
from knowledge.versions import Audience, EntryLevel
from office import audit
from office.audit import AuditEntry
from office.contacts import Channel
from office.errors import Conflict, Invalid, NotPermitted
from office.redact import PLACEHOLDER
from office.staff import Role, Staff
from office.store import Store
from tests.make import Cast
from tests.ticketing.calling import PHONE, SEALER, WORDS, a_call, count, entry, owed, told
from ticketing import call_log
from ticketing.ledgers import Enquiry, Outcome
from ticketing.particulars import AskerKind, LedgerKind, Nature, PlatformModule, Secrecy, Symptom
from ticketing.records import Ticket, TicketKind, TicketState, UnansweredReason

IDENTITY = "31019919900101" + "1234"


async def test_an_answer_on_the_spot_is_one_row_with_entry_officer_and_reply(
    store: Store, cast: Cast, now: datetime
) -> None:
    version = await entry(store, cast, now)
    row = await told(
        store, cast, a_call(cast, phone=PHONE, asker_name="张女士", post="一号窗口"), version, now
    )
    assert row.outcome is Outcome.ON_THE_SPOT
    assert row.channel is Channel.PHONE
    assert row.contact_id is None
    assert row.ticket_id is None
    assert (row.staff_id, row.unit_id) == (cast.li_qiang.id, cast.riverside.id)
    assert (row.entry_version_id, row.topic, row.ledger) == (version.id, "voter_card", LedgerKind.VOTER)
    assert row.reply == version.short
    assert row.words == WORDS
    assert row.particulars["post"] == "一号窗口"
    async with store.reading() as session:
        (act,) = (await session.scalars(select(AuditEntry).where(AuditEntry.action == "call.answer"))).all()
        assert (await audit.verify(session))[1] is None
    assert "138" not in json.dumps(act.facts)
    assert "张" not in json.dumps(act.facts, ensure_ascii=False)


@pytest.mark.parametrize("templates", ["sqlite"], indirect=True)
async def test_name_and_phone_are_nowhere_in_clear_and_a_recall_finds_them(
    store: Store, cast: Cast, now: datetime
) -> None:
    version = await entry(store, cast, now)
    await told(store, cast, a_call(cast, phone="0000-55667788", asker_name="张女士"), version, now)
    await told(store, cast, a_call(cast, event="f2"), version, now)
    async with store.reading() as session:
        stored = str((await session.execute(text("select * from enquiry"))).all())
        stored += str((await session.execute(text("select * from caller_mark"))).all())
        assert "55667788" not in stored
        assert "张女士" not in stored
        known, nameless = await call_log.told(session, [version.id])
    assert SEALER.open(known.phone) == "0000-55667788"
    assert SEALER.open(known.asker_name) == "张女士"
    assert nameless.phone is None
    assert nameless.asker_name is None
    assert call_log.shown_phone(SEALER, SEALER.seal("13800138000")) == "138****8000"
    assert call_log.shown_phone(SEALER, SEALER.seal("0000-55667788")) == "000*-****7788"
    assert call_log.shown_phone(SEALER, SEALER.seal("5566778")) == "***6778"
    assert call_log.shown_phone(SEALER, b"another key") == call_log.shown_phone(SEALER, None) == ""


async def test_an_unanswered_call_is_a_ticket_with_everything_of_the_form(
    store: Store, cast: Cast, now: datetime
) -> None:
    begun = now - timedelta(minutes=3)
    call = a_call(
        cast, "导入时提示身份证号重复", channel=Channel.COUNTER, started_at=begun, ended_at=now,
        phone=PHONE, asker_name="赵同志", asker_kind=AskerKind.REGISTRAR, symptom=Symptom.ERROR,
        platform_module=PlatformModule.IMPORT, failure_reason="地址信息错误", group_no="12-03",
        note="等回电", topic="st_import", secrecy=Secrecy.INTERNAL,
    )  # fmt: skip
    ticket = await owed(store, cast, call, now)
    assert ticket.ticket_no.startswith("DP-1120-")
    assert len(ticket.progress_code) == 4
    assert ticket.state is TicketState.UNASSIGNED
    assert ticket.promised_at > now
    assert ticket.why_unanswered is UnansweredReason.NEEDS_DATA
    assert ticket.first_taker_id == cast.li_qiang.id
    assert ticket.contact_id is None
    assert ticket.unit_id == cast.riverside.id
    assert ticket.channel is Channel.COUNTER
    assert ticket.group == "信息组"
    assert ticket.ledger is LedgerKind.PLATFORM
    assert (ticket.call_started_at, ticket.call_ended_at) == (begun, now)
    assert (ticket.platform_module, ticket.symptom) == (PlatformModule.IMPORT, Symptom.ERROR)
    assert (ticket.failure_reason, ticket.group_no, ticket.note) == ("地址信息错误", "12-03", "等回电")
    assert ticket.asker_kind is AskerKind.REGISTRAR
    assert ticket.secrecy is Secrecy.INTERNAL
    assert SEALER.open(ticket.phone) == PHONE
    assert SEALER.open(ticket.asker_name) == "赵同志"
    async with store.reading() as session:
        (row,) = (await session.scalars(select(Enquiry))).all()
    assert row.outcome is Outcome.TICKETED
    assert row.ticket_id == ticket.id
    assert "phone" not in row.particulars
    assert "asker_name" not in row.particulars


async def test_pressing_enter_twice_writes_once(store: Store, cast: Cast, now: datetime) -> None:
    version = await entry(store, cast, now)
    first = await told(store, cast, a_call(cast), version, now)
    second = await told(store, cast, a_call(cast, channel=Channel.COUNTER), version, now)
    assert first.id == second.id
    assert await count(store, Enquiry) == 1
    with pytest.raises(Conflict, match=r"calls\.recorded"):
        await owed(store, cast, a_call(cast), now)
    one = await owed(store, cast, a_call(cast, event="f2"), now)
    two = await owed(store, cast, a_call(cast, event="f2"), now)
    assert one.id == two.id
    assert await count(store, Ticket) == 1
    # The same id from another person's form is another form.
    await owed(store, cast, a_call(cast, event="f2"), now, actor=cast.wang_fang)
    assert await count(store, Ticket) == 2


@pytest.mark.parametrize("templates", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "changes",
    [{"confirmed": False}, {"level": EntryLevel.STATUTORY}, {"level": EntryLevel.SENSITIVE}],
    ids=["unconfirmed", "statutory", "sensitive"],
)
async def test_what_one_officer_may_not_say_alone_becomes_a_ticket(
    store: Store, cast: Cast, now: datetime, changes: dict[str, Any]
) -> None:
    version = await entry(store, cast, now, **changes)
    row = await told(store, cast, a_call(cast), version, now)
    assert row.outcome is Outcome.TICKETED
    assert row.reply == ""
    async with store.reading() as session:
        ticket = await session.get_one(Ticket, row.ticket_id)
    assert ticket.why_unanswered is UnansweredReason.NEEDS_SUPERIOR
    assert ticket.topic == "voter_card"


@pytest.mark.parametrize("templates", ["sqlite"], indirect=True)
async def test_an_entry_out_of_force_becomes_a_ticket(store: Store, cast: Cast, now: datetime) -> None:
    version = await entry(store, cast, now, effective_until=(now - timedelta(days=1)).date())
    row = await told(store, cast, a_call(cast), version, now)
    assert row.outcome is Outcome.TICKETED


@pytest.mark.parametrize("templates", ["sqlite"], indirect=True)
async def test_an_entry_for_staff_is_not_read_out_to_a_voter(store: Store, cast: Cast, now: datetime) -> None:
    version = await entry(store, cast, now, audience=Audience.STAFF, topic="st_import")
    for kind in (None, AskerKind.VOTER):
        with pytest.raises(NotPermitted, match=r"calls\.staff_only"):
            await told(store, cast, a_call(cast, asker_kind=kind), version, now)
    row = await told(store, cast, a_call(cast, asker_kind=AskerKind.REGISTRAR), version, now)
    assert row.outcome is Outcome.ON_THE_SPOT
    assert row.ledger is LedgerKind.PLATFORM


@pytest.mark.parametrize("templates", ["sqlite"], indirect=True)
async def test_no_identity_number_is_kept_anywhere(store: Store, cast: Cast, now: datetime) -> None:
    call = a_call(cast, f"我的号码{IDENTITY}重复了", asker_name=IDENTITY, note=IDENTITY, station=IDENTITY)
    ticket = await owed(store, cast, call, now)
    assert PLACEHOLDER in ticket.words
    assert SEALER.open(ticket.asker_name) == PLACEHOLDER
    async with store.reading() as session:
        for table in ("ticket", "enquiry", "thread_post"):
            assert IDENTITY not in str((await session.execute(text(f"select * from {table}"))).all())
    for wrong in (IDENTITY, "不肯说", "12"):
        with pytest.raises(Invalid, match=r"calls\.phone_bad"):
            await owed(store, cast, a_call(cast, event="f2", phone=wrong), now)
    assert await count(store, Ticket) == 1


@pytest.mark.parametrize("templates", ["sqlite"], indirect=True)
async def test_who_may_write_down_what(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        registrar = Staff(
            name="钱一", unit_id=cast.riverside.id, roles=[Role.REGISTRAR.value], created_at=now
        )
        session.add(registrar)
        await session.flush()
    ticket = await owed(store, cast, a_call(cast), now, actor=registrar)
    assert ticket.first_taker_id == registrar.id
    async with store.reading() as session:
        assert [t.id for t in await call_log.followed(session, registrar, now=now)] == [ticket.id]
        assert not await call_log.followed(session, cast.li_qiang, now=now)
    for actor in (cast.zhao_lei, cast.sun_jie, cast.zhou_ning):
        with pytest.raises(NotPermitted):
            await owed(store, cast, a_call(cast, event="f2"), now, actor=actor)
    with pytest.raises(NotPermitted):
        await owed(store, cast, a_call(cast, event="f2", unit=cast.north), now, actor=registrar)
    for call, key in (
        (a_call(cast, "  ", event="f2"), "words_needed"),
        (a_call(cast, "长" * 6001, event="f2"), "words_long"),
    ):
        with pytest.raises(Invalid, match=key):
            await owed(store, cast, call, now)
    with pytest.raises(Invalid, match="form_broken"):
        await owed(store, cast, a_call(cast, event="f2", channel=Channel.WEB), now)


@pytest.mark.parametrize("templates", ["sqlite"], indirect=True)
async def test_a_complaint_is_a_report_and_for_few_eyes(store: Store, cast: Cast, now: datetime) -> None:
    call = a_call(cast, "有人替别人填选票", nature=Nature.COMPLAINT, secrecy=Secrecy.PUBLIC)
    ticket = await owed(store, cast, call, now)
    assert ticket.kind is TicketKind.REPORT
    assert ticket.secrecy is Secrecy.RESTRICTED


@pytest.mark.parametrize("templates", ["sqlite"], indirect=True)
async def test_the_officers_choice_is_a_lesson_but_two_words_are_none(
    store: Store, cast: Cast, now: datetime
) -> None:
    version = await entry(store, cast, now)
    await told(store, cast, a_call(cast, "选民证"), version, now)
    assert await count(store, Lesson) == 0
    await told(store, cast, a_call(cast, event="f2"), version, now)
    assert await count(store, Lesson) == 1


@pytest.mark.parametrize("templates", ["sqlite"], indirect=True)
async def test_corrections_are_added_on_the_day_by_the_person_itself(
    store: Store, cast: Cast, now: datetime
) -> None:
    row = await told(store, cast, a_call(cast), await entry(store, cast, now), now)

    async def correct(actor: Staff, at: datetime, words: str, ledger: LedgerKind | None = None) -> None:
        async with store.transaction() as session:
            found = await session.get_one(Enquiry, row.id)
            await call_log.correct(session, found, words, ledger, actor=actor, now=at)

    await correct(cast.li_qiang, now, "来电人是单位经办", LedgerKind.POLICY)
    with pytest.raises(NotPermitted):
        await correct(cast.wang_fang, now, "不是")
    with pytest.raises(Invalid, match="text_needed"):
        await correct(cast.li_qiang, now, " ", LedgerKind.POLICY)
    with pytest.raises(Conflict, match="too_late"):
        await correct(cast.li_qiang, now + timedelta(days=1), "晚了")
    async with store.reading() as session:
        (found,) = await call_log.today(session, cast.li_qiang, now=now)
        assert found.words == WORDS
        assert found.ledger is LedgerKind.POLICY
        (note,) = (await call_log.notes(session, [found.id]))[found.id]
        assert note.text == "来电人是单位经办"
        assert not await call_log.today(session, cast.wang_fang, now=now)
