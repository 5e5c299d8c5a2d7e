"""Cases about the voter list: one for each contact and issue, with the clock of the law and what to bring."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from knowledge import elections
from knowledge.calendar import Election
from knowledge.roll.records import LookupLink
from office import changes, contacts
from office.changes import Change, ChangeKind
from office.contacts import Channel
from office.errors import Conflict, NotPermitted
from office.store import Store
from office.words import LANGUAGES
from tests.make import CALENDAR, HOURS, Cast
from tests.ticketing.work import answer, asker, entry, read
from tests.ticketing.work import roll_case as case
from ticketing import forget, queue, roll_cases, tickets, timed, verdicts
from ticketing.clocks import Priority
from ticketing.records import (
    ClosedBy,
    PostKind,
    RollIssue,
    StatutoryKind,
    Ticket,
    TicketKind,
    TicketState,
)

S = TicketState
DIGEST, OTHER = bytes(range(16)), bytes(range(16, 32))
# The sample list is posted on 12-09 at the latest, appeals close on 12-14, and it is amended until 12-27.
POSTED = datetime(2026, 12, 9, 2, 5, tzinfo=UTC)
LAST_APPEALS = datetime(2026, 12, 14, 2, 5, tzinfo=UTC)
DAY = timedelta(days=1)


async def lines(store: Store, ticket: Ticket) -> list[str]:
    async with store.reading() as session:
        return [post.text for post in await queue.thread(session, ticket) if post.kind is PostKind.ASKER]


# --- opening ---


async def test_help_with_checking_goes_to_the_registration_group(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket = await read(store, await case(store, cast, now, receipt_digest=DIGEST))
    assert (ticket.kind, ticket.group, ticket.topic) == (TicketKind.VERIFY, "登记组", "reg_status")
    assert (ticket.lookup_result, ticket.receipt_digest) == ("not_found", DIGEST)
    assert (ticket.roll_issue, ticket.statutory_kind, ticket.statutory_due) == (None, None, None)
    assert ticket.priority is Priority.P2
    assert ticket.words == "请帮我核实登记情况。"


@pytest.mark.parametrize("issue", roll_cases.CORRECTED)
async def test_a_correction_runs_until_the_list_is_amended(
    store: Store, cast: Cast, now: datetime, issue: RollIssue
) -> None:
    ticket = await case(store, cast, now, TicketKind.CORRECTION, issue=issue, words="我住临江，名单上没有我")
    assert (ticket.roll_issue, ticket.statutory_kind) == (issue, StatutoryKind.CORRECTION)
    assert ticket.statutory_due == date(2026, 12, 27)
    assert ticket.words == "我住临江，名单上没有我"


async def test_an_appeal_of_the_last_day_is_decided_within_three_days(store: Store, cast: Cast) -> None:
    ticket = await case(store, cast, LAST_APPEALS, TicketKind.APPEAL)
    assert (ticket.roll_issue, ticket.statutory_kind) == (RollIssue.APPEAL, StatutoryKind.APPEAL_DECISION)
    assert ticket.statutory_due == date(2026, 12, 17)
    assert (ticket.priority, ticket.asked_for_person) == (Priority.P1, True)


@pytest.mark.parametrize("moment", [POSTED - DAY, LAST_APPEALS + DAY])
async def test_outside_its_term_no_appeal_is_taken(store: Store, cast: Cast, moment: datetime) -> None:
    with pytest.raises(Conflict, match="appeal_closed"):
        await case(store, cast, moment, TicketKind.APPEAL)
    async with store.reading() as session:
        assert (await session.scalars(select(Ticket))).all() == []


async def test_while_a_term_is_open_every_case_is_urgent(store: Store, cast: Cast) -> None:
    assert (await case(store, cast, POSTED)).priority is Priority.P1


async def test_after_the_list_is_final_a_correction_has_no_clock_any_more(store: Store, cast: Cast) -> None:
    ticket = await case(store, cast, datetime(2026, 12, 28, 2, 5, tzinfo=UTC), TicketKind.CORRECTION)
    assert (ticket.statutory_kind, ticket.statutory_due, ticket.priority) == (None, None, Priority.P2)


@pytest.mark.parametrize(
    ("kind", "issue"),
    [
        (TicketKind.CORRECTION, None),
        (TicketKind.CORRECTION, RollIssue.APPEAL),
        (TicketKind.VERIFY, RollIssue.MISSING),
        (TicketKind.ENQUIRY, None),
    ],
)
async def test_what_is_no_case_is_none(
    store: Store, cast: Cast, now: datetime, kind: TicketKind, issue: RollIssue | None
) -> None:
    with pytest.raises(ValueError, match="no case"):
        await case(store, cast, now, kind, issue=issue)


# --- one case for each contact and issue ---


async def test_a_second_tap_adds_to_the_first_case(store: Store, cast: Cast, now: datetime) -> None:
    first = await case(store, cast, now)
    again = await case(store, cast, now + DAY, words="昨天刚去登记过", receipt_digest=DIGEST)
    assert again.id == first.id
    assert again.accepted_at == now
    assert await lines(store, first) == ["请帮我核实登记情况。", "昨天刚去登记过"]
    assert (await read(store, first)).receipt_digest == DIGEST


async def test_the_same_message_come_twice_is_written_once(store: Store, cast: Cast, now: datetime) -> None:
    first = await case(store, cast, now, event_id="m7")
    assert (await case(store, cast, now, event_id="m7")).id == first.id
    assert len(await lines(store, first)) == 1


async def test_two_taps_at_once_open_one_case(store: Store, cast: Cast, now: datetime) -> None:
    both = await asyncio.gather(*(case(store, cast, now, TicketKind.CORRECTION) for _ in range(2)))
    assert both[0].id == both[1].id


async def test_another_issue_another_person_and_another_receipt_are_other_cases(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        other = await contacts.seen(session, Channel.TELEGRAM, "5002", now=now)
    opened = [
        await case(store, cast, now, receipt_digest=DIGEST),
        await case(store, cast, now, receipt_digest=OTHER),
        await case(store, cast, now, contact=other),
        await case(store, cast, now, TicketKind.CORRECTION),
        await case(store, cast, now, TicketKind.CORRECTION, issue=RollIssue.WRONG),
        await case(store, cast, now, contact=None),
        await case(store, cast, now, contact=None),
    ]
    assert len({ticket.id for ticket in opened}) == len(opened)


async def test_a_case_joined_to_another_is_found_there(store: Store, cast: Cast, now: datetime) -> None:
    first = await case(store, cast, now, receipt_digest=DIGEST)
    second = await case(store, cast, now, receipt_digest=OTHER)
    async with store.transaction() as session:
        lead = await tickets.get(session, second.id)
        child = await tickets.get(session, first.id)
        await tickets.merge(session, child, lead, actor=cast.li_qiang, now=now)
    assert (await read(store, first)).receipt_digest is None
    assert (await case(store, cast, now)).id == second.id


# --- what the law does to a ticket ---


async def taken(store: Store, cast: Cast, ticket: Ticket, now: datetime) -> Ticket:
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        await tickets.take(session, found, actor=cast.li_qiang, now=now)
    return found


@pytest.mark.parametrize("kind", [TicketKind.APPEAL, TicketKind.CORRECTION])
async def test_what_a_legal_term_runs_on_is_never_void(store: Store, cast: Cast, kind: TicketKind) -> None:
    ticket = await case(store, cast, POSTED, kind)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        with pytest.raises(NotPermitted, match="never_void"):
            await tickets.void(session, found, "误录", actor=cast.li_qiang, now=POSTED)


async def test_an_answered_appeal_is_closed_by_a_person_alone(store: Store, cast: Cast) -> None:
    ticket = await taken(store, cast, await case(store, cast, POSTED, TicketKind.APPEAL), POSTED)
    plain = await taken(store, cast, await case(store, cast, POSTED), POSTED)
    version = await entry(store, cast, POSTED)
    for one in (ticket, plain):
        await answer(store, cast, one, version, POSTED)
    late = POSTED + 30 * DAY
    async with store.transaction() as session:
        await timed.ask_back(session, hours=HOURS, now=POSTED + DAY)
        await timed.close_by_default(session, now=late)
    assert ((await read(store, ticket)).state, (await read(store, plain)).state) == (S.ANSWERED, S.CLOSED)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        await verdicts.close(
            session, found, by=ClosedBy.OFFICER, actor=cast.li_qiang.as_actor(), now=late, reason="已送达决定"
        )
    assert (await read(store, ticket)).state is S.CLOSED


async def test_a_term_is_not_lost_by_joining(store: Store, cast: Cast) -> None:
    plain = await case(store, cast, POSTED)
    first = await case(store, cast, POSTED, TicketKind.APPEAL)
    later = await case(
        store, cast, POSTED + DAY, TicketKind.APPEAL, receipt_digest=OTHER, contact=cast.zhang_min
    )
    assert later.id == first.id
    async with store.transaction() as session:
        lead, child = await tickets.get(session, plain.id), await tickets.get(session, first.id)
        with pytest.raises(Conflict, match="merge_statutory"):
            await tickets.merge(session, child, lead, actor=cast.li_qiang, now=POSTED)


async def test_of_two_terms_the_earlier_one_counts(store: Store, cast: Cast) -> None:
    first = await case(store, cast, POSTED, TicketKind.APPEAL, receipt_digest=DIGEST)
    later = await case(store, cast, POSTED + 2 * DAY, TicketKind.APPEAL, receipt_digest=OTHER)
    assert (first.statutory_due, later.statutory_due) == (date(2026, 12, 12), date(2026, 12, 14))
    async with store.transaction() as session:
        lead, child = await tickets.get(session, later.id), await tickets.get(session, first.id)
        await tickets.merge(session, child, lead, actor=cast.li_qiang, now=POSTED)
    assert (await read(store, later)).statutory_due == date(2026, 12, 12)


async def test_what_ends_today_by_law_comes_first(store: Store, cast: Cast) -> None:
    appeal = await case(store, cast, POSTED, TicketKind.APPEAL)
    before = await case(store, cast, POSTED - timedelta(hours=1))
    for now, order in (
        (POSTED, [before.id, appeal.id]),
        (POSTED + 3 * DAY, [appeal.id, before.id]),
    ):
        async with store.reading() as session:
            rows, _ = await queue.listed(session, cast.li_qiang, queue.Filter(), now=now)
            following = await queue.next_for(session, cast.li_qiang, now=now)
        assert [ticket.id for ticket, _ in rows] == order
        assert following is not None
        assert following.id == order[0]


# --- what is erased ---


async def test_the_receipt_goes_when_the_case_is_closed(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await taken(store, cast, await case(store, cast, now, receipt_digest=DIGEST), now)
    await answer(store, cast, ticket, await entry(store, cast, now), now)
    assert (await read(store, ticket)).receipt_digest == DIGEST
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        await verdicts.close(session, found, by=ClosedBy.ASKER, actor=asker(cast.zhang_min), now=now)
    row = await read(store, ticket)
    assert (row.receipt_digest, row.lookup_result) == (None, "not_found")


async def test_the_receipt_goes_when_the_case_is_set_aside(store: Store, cast: Cast, now: datetime) -> None:
    ticket = await case(store, cast, now, receipt_digest=DIGEST)
    async with store.transaction() as session:
        found = await tickets.get(session, ticket.id)
        await tickets.void(session, found, "误录", actor=cast.li_qiang, now=now)
    assert (await read(store, ticket)).receipt_digest is None


async def test_who_is_forgotten_leaves_no_receipt_but_with_an_open_term(store: Store, cast: Cast) -> None:
    plain = await case(store, cast, POSTED, receipt_digest=DIGEST)
    legal = await case(store, cast, POSTED, TicketKind.APPEAL, receipt_digest=DIGEST)
    over = await taken(
        store, cast, await case(store, cast, POSTED, TicketKind.CORRECTION, receipt_digest=DIGEST), POSTED
    )
    await answer(store, cast, over, await entry(store, cast, POSTED), POSTED)
    async with store.transaction() as session:
        session.add(
            LookupLink(
                token_digest="0" * 64, channel=Channel.TELEGRAM, contact_id=cast.zhang_min.id, made_at=POSTED,
                expires_at=POSTED + timedelta(minutes=10),
            )
        )  # fmt: skip
        contact = await contacts.get(session, cast.zhang_min.id)
        await forget.contact(session, contact, now=POSTED)
    found = [await read(store, ticket) for ticket in (plain, legal, over)]
    assert [row.receipt_digest for row in found] == [None, DIGEST, None]
    assert [row.lookup_result for row in found] == ["", "not_found", ""]
    async with store.reading() as session:
        assert (await session.scalars(select(LookupLink))).all() == []


# --- in words ---


async def test_the_clock_is_said_with_the_days_left(store: Store, cast: Cast) -> None:
    ticket = await case(store, cast, LAST_APPEALS, TicketKind.APPEAL)
    said = [roll_cases.clock_words(ticket, date(2026, 12, day)) for day in (14, 16, 17, 19)]
    assert said == [
        "申诉决定：最迟12月17日（周四），还剩3天",
        "申诉决定：最迟12月17日（周四），还剩1天",
        "申诉决定：最迟12月17日（周四），今天到期",
        "申诉决定：最迟12月17日（周四），已超过2天",
    ]
    assert "Thu 17 Dec" in roll_cases.clock_words(ticket, date(2026, 12, 14), "en")
    assert roll_cases.clock_words(await case(store, cast, LAST_APPEALS), date(2026, 12, 14)) == ""


@pytest.mark.parametrize(
    ("day", "said"),
    [
        (date(2026, 12, 8), "公布后才能申诉"),
        (date(2026, 12, 15), "申诉期已过（12月14日）。仍可请登记站核实：最迟12月27日可以补正。"),
        (date(2026, 12, 28), "请拨打 0000-12345678"),
    ],
)
def test_outside_the_term_it_says_what_can_be_done(day: date, said: str) -> None:
    dates = elections.dates_of(Election.from_content(CALENDAR))
    assert said in (roll_cases.instead(dates, day, phone="0000-12345678") or "")


def test_within_the_term_there_is_nothing_to_say_instead() -> None:
    dates = elections.dates_of(Election.from_content(CALENDAR))
    assert roll_cases.instead(dates, date(2026, 12, 9), phone="") is None
    assert "尚未公布" in (roll_cases.instead({}, date(2026, 12, 9), phone="") or "")


async def test_without_a_calendar_a_case_is_opened_all_the_same(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        rows = await session.scalars(select(Change).where(Change.kind == ChangeKind.CALENDAR))
        await changes.undo(session, rows.one(), actor=cast.wang_fang, now=now)
    ticket = await case(store, cast, now, TicketKind.CORRECTION)
    assert (ticket.statutory_kind, ticket.statutory_due) == (None, None)


@pytest.mark.parametrize("kind", roll_cases.TOPICS)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_kind_has_a_list_of_what_to_bring(kind: TicketKind, lang: str) -> None:
    papers = roll_cases.documents(kind, lang)
    assert papers.items
    text = papers.as_text(lang)
    assert text.startswith(papers.title)
    assert text.endswith(roll_cases.prevails(lang))
    assert len(text) < 1000
    assert all(item.text in text for item in papers.items)


def test_no_other_kind_has_one() -> None:
    with pytest.raises(KeyError):
        roll_cases.documents(TicketKind.ENQUIRY)
