"""The guard before an answer leaves: held against what it cites, the calendar, and the office's own ways."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from knowledge.conflicts import Difference, DifferenceKind
from knowledge.versions import Alteration, EntryLevel, EntryState, EntryVersion
from office import audit
from office.errors import Conflict, Invalid, NotPermitted
from office.notices import listed
from office.store import Store
from tests.make import HOURS, Cast
from tests.ticketing.people import person
from tests.ticketing.work import entry, everything_sent, read, taken
from ticketing import answering, drafts, entry_flags, queue, tickets
from ticketing.particulars import AnswerMode, Cause
from ticketing.records import PostKind, Ticket, TicketState

APPEAL: dict[str, Any] = {
    "no": "K-0112",
    "question": "对选民名单有意见怎么申诉？",
    "topic": "appeal",
    "short": "名单公布之日起5日内可以向选举委员会提出申诉，3日内作出决定。",
    "full": "可以由家人代为提出。名单公布时间：{{ cal.list_posted }}。请拨打 {{ office.phone }}。",
}


async def guarded(
    store: Store, ticket: Ticket, text: str, version: EntryVersion | None, now: datetime
) -> tuple[Difference, ...]:
    async with store.reading() as session:
        found = await tickets.get(session, ticket.id)
        return await answering.guard(session, found, text, version, now=now)


async def test_own_words_of_the_entry_pass_with_anything_polite_around_them(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket, version = await taken(store, cast, now), await entry(store, cast, now, **APPEAL)
    for text in (
        "名单公布之日起5日内可以向选举委员会提出申诉。",
        f"您好！您11月20日问的（编号{ticket.ticket_no}）答复如下：五天内提出申诉，家人可以代为提出。",
        "这里是东浦区选举委员会办公室，工作日 8:30–11:30、13:30–17:30 都可以打 0000-12345678。",
        "名单最迟12月9日公布。",
    ):
        assert await guarded(store, ticket, text, version, now) == (), text


async def test_what_the_entry_says_differently_is_found(store: Store, cast: Cast, now: datetime) -> None:
    ticket, version = await taken(store, cast, now), await entry(store, cast, now, **APPEAL)
    assert await guarded(store, ticket, "请在15日内申诉。", version, now) == (
        Difference(DifferenceKind.NUMBER, "15日", "5日"),
    )
    (found,) = await guarded(store, ticket, "不可以由家人代为提出。", version, now)
    assert found.kind is DifferenceKind.NEGATION
    (found,) = await guarded(store, ticket, "请拨打 0000-87654321。", version, now)
    assert found.kind is DifferenceKind.PHONE


async def test_the_calendar_in_force_is_held_against_every_answer(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket, version = await taken(store, cast, now), await entry(store, cast, now)
    found = await guarded(store, ticket, "投票日是12月29日。", version, now)
    assert [one.kind for one in found] == [DifferenceKind.FOREIGN]  # the day is right, the entry another
    for cited in (version, None):
        found = await guarded(store, ticket, "投票日是12月30日。", cited, now)
        assert Difference(DifferenceKind.CALENDAR, "12月30日", "12月29日") in found


async def test_what_the_asker_said_is_no_addition_of_ours_but_never_excuses_a_wrong_one(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await taken(store, cast, now, words="我住了4年，申诉是不是15日内？")
    version = await entry(store, cast, now, **APPEAL)
    assert await guarded(store, ticket, "您住满4年，可以提出申诉。", version, now) == ()
    (found,) = await guarded(store, ticket, "是的，15日内申诉。", version, now)
    assert (found.yours, found.approved) == ("15日", "5日")
    (found,) = await guarded(store, ticket, "一个月内申诉。", version, now)
    assert (found.yours, found.approved) == ("一个月", "5日")


async def test_an_answer_that_differs_stays_here_until_it_is_explained(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket, version = await taken(store, cast, now), await entry(store, cast, now, **APPEAL)

    async def send(**more: Any) -> None:
        async with store.transaction() as session:
            row = await tickets.get(session, ticket.id)
            await tickets.answer(
                session, row, "请在15日内申诉。", version, actor=cast.li_qiang, hours=HOURS, now=now, **more
            )

    with pytest.raises(Conflict, match=r"answer\.conflicts"):
        await send()
    assert (await read(store, ticket)).state is TicketState.WORKING
    await send(explained="本区公告延长到15日", cause=Cause.WORDING, mode=AnswerMode.PHONE)
    row = await read(store, ticket)
    assert row.state is TicketState.IN_REVIEW
    assert (row.proposed_text, row.conclusion_basis) == ("请在15日内申诉。", "本区公告延长到15日")
    assert (row.conclusion_version_id, row.cause, row.answer_mode) == (
        version.id, Cause.WORDING, AnswerMode.PHONE,
    )  # fmt: skip
    assert await everything_sent(store) == []


@pytest.mark.parametrize(
    "changes",
    [{"level": EntryLevel.STATUTORY}, {"level": EntryLevel.SENSITIVE}, {"confirmed": False}],
)
async def test_an_answer_that_needs_a_reviewer_does_not_leave_without(
    store: Store, cast: Cast, now: datetime, changes: dict[str, Any]
) -> None:
    ticket, version = await taken(store, cast, now), await entry(store, cast, now, **changes)
    async with store.transaction() as session:
        row = await tickets.get(session, ticket.id)
        with pytest.raises(NotPermitted, match="reviewer_needed"):
            await tickets.answer(
                session, row, version.short, version, actor=cast.li_qiang, hours=HOURS, now=now
            )


async def test_a_wrong_entry_is_told_to_whoever_answers_for_it(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket, version = await taken(store, cast, now), await entry(store, cast, now)
    async with store.transaction() as session:
        row = await tickets.get(session, ticket.id)
        with pytest.raises(Invalid, match="reason_needed"):
            await entry_flags.flag(session, row, version, " ", actor=cast.li_qiang, now=now)
        told = await entry_flags.flag(session, row, version, "已改为10日", actor=cast.li_qiang, now=now)
        again = await entry_flags.flag(session, row, version, "再说一次", actor=cast.li_qiang, now=now)
    # Nobody is in the group yet, so the reviewer is told; a second time is no news.
    assert (told, again) == (1, 0)
    async with store.reading() as session:
        (notice,) = await listed(session, cast.wang_fang.id)
        assert (notice.kind, notice.facts["no"], notice.facts["who"]) == ("entry_flagged", "K-0540", "李*")
        notes = [post.text for post in await queue.thread(session, row) if post.kind is PostKind.NOTE]
        assert notes[0] == "K-0540（1）：已改为10日"
        acts, _ = await audit.listed(session, subject=f"entry:{version.entry_id}", action="entry.flag")
        assert acts[0].facts == {"version": 1, "ticket": ticket.ticket_no}


async def test_an_outsider_flags_nothing(store: Store, cast: Cast, now: datetime) -> None:
    ticket, version = await taken(store, cast, now), await entry(store, cast, now)
    stranger = await person(store, cast.north, now, "何静")
    async with store.transaction() as session:
        row = await tickets.get(session, ticket.id)
        with pytest.raises(NotPermitted):
            await entry_flags.flag(session, row, version, "不对", actor=stranger, now=now)


async def test_a_text_of_ones_own_under_a_foreign_entry_goes_to_a_reviewer(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket, version = await taken(store, cast, now), await entry(store, cast, now, **APPEAL)
    own = "您放心，委托朋友到现场帮忙办理即可，材料事后再补。"
    (found,) = await guarded(store, ticket, own, version, now)
    assert found.kind is DifferenceKind.FOREIGN
    async with store.transaction() as session:
        row = await tickets.get(session, ticket.id)
        with pytest.raises(Conflict, match=r"answer\.conflicts"):
            await tickets.answer(session, row, own, version, actor=cast.li_qiang, hours=HOURS, now=now)


@pytest.mark.parametrize(
    ("alteration", "told"), [(Alteration.SUBSTANTIVE, True), (None, True), (Alteration.EDITORIAL, False)]
)
async def test_a_draft_from_the_version_before_is_not_sent_under_the_new_one(
    store: Store, cast: Cast, now: datetime, alteration: Alteration | None, told: bool
) -> None:
    ticket = await taken(store, cast, now)
    before, after = "请带身份证或户口簿到登记站办理登记。", "请带身份证和户口簿到登记站办理登记。"
    first = await entry(store, cast, now, short=before)
    async with store.transaction() as session:
        old = await session.get_one(EntryVersion, first.id)
        facts = {column.key: getattr(old, column.key) for column in EntryVersion.__table__.columns}
        old.state = EntryState.RETIRED
        await session.flush()
        new = EntryVersion(**{**facts, "id": None, "number": 2, "short": after, "alteration": alteration})
        session.add(new)
    found = await guarded(store, ticket, before, new, now)
    assert (Difference(DifferenceKind.OLDER, before[:-1], after[:-1]) in found) is told
    assert await guarded(store, ticket, after, new, now) == ()
    if told:
        async with store.transaction() as session:
            row = await tickets.get(session, ticket.id)
            with pytest.raises(Conflict, match=r"answer\.version_moved"):
                await tickets.answer(session, row, before, new, actor=cast.li_qiang, hours=HOURS, now=now)
            await drafts.save(
                session, row, "带上证件去登记站。", actor=cast.li_qiang, now=now, version_id=first.id
            )
            with pytest.raises(Conflict, match=r"answer\.version_moved"):
                await tickets.answer(
                    session, row, "带证件到登记站办理登记。", new, actor=cast.li_qiang, hours=HOURS, now=now
                )
