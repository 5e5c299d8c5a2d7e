"""Feedback: what people do with an answer or a ticket becomes a lesson, and what they take back does not."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import select

from knowledge import entries, golden
from knowledge.golden import GoldenQuestion
from knowledge.lessons import Lesson, Source
from knowledge.versions import Entry, EntryState, EntryVersion, content_of
from office.errors import Conflict, Invalid, NotPermitted
from office.staff import Staff
from office.store import Store
from tests.make import HOURS, Cast, a_ticket, an_entry
from ticketing import feedback, forget, ledgers, promote, tickets, verdicts
from ticketing.ledgers import Enquiry, Outcome
from ticketing.records import FollowUp, Ticket, TicketKind, UnansweredReason

WORDS = "选民证丢了怎么办"
Row = tuple[Source, int | None, bool]


async def taught(store: Store) -> list[Row]:
    async with store.reading() as session:
        rows = (await session.scalars(select(Lesson).order_by(Lesson.id))).all()
        return [(row.source, row.entry_id, row.right) for row in rows]


async def lesson(store: Store) -> Lesson:
    async with store.reading() as session:
        return (await session.scalars(select(Lesson))).one()


async def entry_ids(store: Store, cast: Cast, now: datetime, count: int = 2) -> list[int]:
    async with store.transaction() as session:
        return [(await an_entry(session, cast, now, f"K-{540 + n:04d}")).entry_id for n in range(count)]


async def asked(store: Store, cast: Cast, now: datetime, **facts: object) -> Enquiry:
    async with store.transaction() as session:
        return await ledgers.record(session, cast.zhang_min, WORDS, now=now, **facts)  # type: ignore[arg-type]


async def test_a_verdict_on_an_answer_given_at_once_keeps_how_sure_the_matcher_was(
    store: Store, cast: Cast, now: datetime
) -> None:
    (entry_id,) = await entry_ids(store, cast, now, 1)
    enquiry = await asked(store, cast, now, outcome=Outcome.AUTO, entry_id=entry_id, probability=0.8)
    async with store.transaction() as session:
        await feedback.verdict(session, enquiry, solved=True, now=now)
    found = await lesson(store)
    assert (found.source, found.entry_id, found.right, found.weight) == (Source.SOLVED, entry_id, True, 0.5)
    assert (found.words, found.probability, found.contact_id, found.enquiry_id, found.at) == (
        WORDS, 0.8, cast.zhang_min.id, enquiry.id, now,
    )  # fmt: skip
    async with store.transaction() as session:
        await feedback.verdict(session, enquiry, solved=False, now=now)
    assert await taught(store) == [(Source.NOT_SOLVED, entry_id, False)]


async def test_a_verdict_on_a_chosen_answer_says_nothing_of_the_matchers_sureness(
    store: Store, cast: Cast, now: datetime
) -> None:
    ids = await entry_ids(store, cast, now)
    enquiry = await asked(
        store, cast, now, outcome=Outcome.AUTO, entry_id=ids[0], offered=ids, probability=0.4
    )
    async with store.transaction() as session:
        await feedback.choice(session, enquiry, ids[0], now=now)
        await feedback.verdict(session, enquiry, solved=True, now=now)
    async with store.reading() as session:
        assert set((await session.scalars(select(Lesson.probability))).all()) == {None}
    assert await taught(store) == [(Source.CHOICE_TAKEN, ids[0], True), (Source.SOLVED, ids[0], True)]


async def test_a_verdict_without_an_answer_teaches_nothing(store: Store, cast: Cast, now: datetime) -> None:
    enquiry = await asked(store, cast, now, outcome=None, probability=0.4)
    async with store.transaction() as session:
        await feedback.verdict(session, enquiry, solved=False, now=now)
    assert await taught(store) == []


async def test_another_choice_takes_the_place_of_the_first_and_a_refusal_that_of_both(
    store: Store, cast: Cast, now: datetime
) -> None:
    ids = await entry_ids(store, cast, now)
    enquiry = await asked(store, cast, now, outcome=None, offered=ids)
    for entry_id in ids:
        async with store.transaction() as session:
            await feedback.choice(session, enquiry, entry_id, now=now)
        assert await taught(store) == [(Source.CHOICE_TAKEN, entry_id, True)]
    async with store.transaction() as session:
        await feedback.refusal(session, enquiry, now=now)
    assert await taught(store) == [(Source.CHOICES_REFUSED, entry_id, False) for entry_id in ids]


async def answered(store: Store, cast: Cast, now: datetime, **facts: object) -> tuple[Ticket, int]:
    """A ticket that 李强 answered with an entry, and that entry."""
    async with store.transaction() as session:
        version = await an_entry(session, cast, now)
        ticket = await a_ticket(session, cast, now, WORDS)
        for name, value in facts.items():
            setattr(ticket, name, value)
        await session.flush()
        await tickets.take(session, ticket, actor=cast.li_qiang, now=now)
        await tickets.answer(
            session, ticket, version.short, version, actor=cast.li_qiang, hours=HOURS, now=now
        )
        return ticket, version.entry_id


async def test_answering_with_an_entry_is_the_desks_word(store: Store, cast: Cast, now: datetime) -> None:
    _, entry_id = await answered(store, cast, now)
    found = await lesson(store)
    assert (found.source, found.entry_id, found.right, found.weight) == (
        Source.DESK_POINTED, entry_id, True, 1.0,
    )  # fmt: skip
    assert (found.words, found.contact_id, found.staff_id) == (WORDS, cast.zhang_min.id, cast.li_qiang.id)


async def test_what_did_not_solve_it_is_no_longer_taught(store: Store, cast: Cast, now: datetime) -> None:
    ticket, _ = await answered(store, cast, now)
    async with store.transaction() as session:
        row = await tickets.get(session, ticket.id)
        await verdicts.follow_up(
            session, row, FollowUp.NOT_SOLVED, contact=cast.zhang_min, actor=cast.li_qiang.as_actor(),
            hours=HOURS, now=now,
        )  # fmt: skip
    assert await taught(store) == []


@pytest.mark.parametrize(
    "facts",
    [
        {"kind": TicketKind.REPORT},
        {"kind": TicketKind.APPEAL},
        {"why_unanswered": UnansweredReason.RESTRICTED},
        {"words": "选民证丢了怎么办？身份证丢了怎么办？登记站在哪里？"},
    ],
)
async def test_what_few_may_see_and_what_asks_several_things_teaches_nothing(
    store: Store, cast: Cast, now: datetime, facts: dict[str, object]
) -> None:
    await answered(store, cast, now, **facts)
    assert await taught(store) == []


async def test_setting_a_ticket_aside_says_that_no_entry_answers_it(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        ticket = await a_ticket(session, cast, now, "今天菜场几点关门")
        await tickets.void(session, ticket, "不是本办事项", actor=cast.li_qiang, now=now)
    assert await taught(store) == [(Source.DESK_DISMISSED, None, True)]


async def test_a_new_entry_from_a_ticket_is_what_its_words_ask_for(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket, entry_id = await answered(store, cast, now)
    async with store.transaction() as session:
        row = await tickets.get(session, ticket.id)
        version = await promote.to_entry(session, row, actor=cast.wang_fang, now=now)
    assert await taught(store) == [
        (Source.DESK_POINTED, entry_id, True),
        (Source.DESK_NEW, version.entry_id, True),
    ]


async def test_who_asks_to_be_forgotten_leaves_no_lesson(store: Store, cast: Cast, now: datetime) -> None:
    _, entry_id = await answered(store, cast, now)
    enquiry = await asked(store, cast, now, outcome=Outcome.AUTO, entry_id=entry_id)
    async with store.transaction() as session:
        await feedback.verdict(session, enquiry, solved=True, now=now)
    assert len(await taught(store)) == 2
    async with store.transaction() as session:
        await forget.contact(session, await session.merge(cast.zhang_min), now=now)
    assert await taught(store) == []


async def asked_from_now_on(store: Store) -> list[tuple[str, str, int | None, str]]:
    async with store.reading() as session:
        rows = await session.scalars(select(GoldenQuestion).order_by(GoldenQuestion.id))
        return [(row.q, row.topic, row.entry_id, row.kind) for row in rows.all()]


async def set_aside(store: Store, cast: Cast, now: datetime, words: str, **facts: object) -> None:
    async with store.transaction() as session:
        ticket = await a_ticket(session, cast, now, "今天菜场几点关门")
        ticket.words = words
        for name, value in facts.items():
            setattr(ticket, name, value)
        await session.flush()
        await tickets.void(session, ticket, "不是本办事项", actor=cast.li_qiang, now=now)


async def test_a_new_entry_brings_its_question_into_the_golden_ones(
    store: Store, cast: Cast, now: datetime
) -> None:
    ticket, _ = await answered(store, cast, now, words="新楼盘没有门牌地址怎么填")
    assert await asked_from_now_on(store) == []
    async with store.transaction() as session:
        row = await tickets.get(session, ticket.id)
        version = await promote.to_entry(session, row, actor=cast.li_qiang, now=now)
    assert await asked_from_now_on(store) == [
        ("新楼盘没有门牌地址怎么填", "voter_card", version.entry_id, "desk")
    ]


async def test_what_was_set_aside_is_a_golden_question_for_nobody(
    store: Store, cast: Cast, now: datetime
) -> None:
    await set_aside(store, cast, now, "今天菜场几点关门")
    assert await asked_from_now_on(store) == [("今天菜场几点关门", "none", None, "offtopic")]


async def test_words_that_are_asked_already_keep_their_answer(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        await golden.add(session, "登记要带啥", topic="reg_docs", actor=cast.li_qiang, now=now)
    shipped = next(case.q for case in golden.shipped() if case.in_scope and not case.sealed)
    for words in ("登记要带啥", shipped):
        await set_aside(store, cast, now, words)
    assert await asked_from_now_on(store) == [("登记要带啥", "reg_docs", None, "desk")]


@pytest.mark.parametrize(
    ("words", "facts"),
    [
        ("我的手机号是13800138000，菜场几点关门", {}),
        ("身份证11010519491231002X能进菜场吗", {}),
        ("［号码已隐去］菜场几点关门", {}),
        ("菜场几点关门", {"why_unanswered": UnansweredReason.RESTRICTED}),
        ("菜场几点关门", {"contact_id": None}),
        ("菜场几点关门？超市几点开门？", {}),
        ("菜" * 301, {}),
        ("", {}),
    ],
)
async def test_nothing_personal_and_no_story_becomes_a_golden_question(
    store: Store, cast: Cast, now: datetime, words: str, facts: dict[str, object]
) -> None:
    await set_aside(store, cast, now, words, **facts)
    assert await asked_from_now_on(store) == []


@pytest.mark.parametrize("kind", [TicketKind.REPORT, TicketKind.APPEAL])
async def test_an_entry_from_a_ticket_for_few_eyes_brings_no_golden_question(
    store: Store, cast: Cast, now: datetime, kind: TicketKind
) -> None:
    ticket, _ = await answered(store, cast, now, kind=kind)
    async with store.transaction() as session:
        row = await tickets.get(session, ticket.id)
        await promote.to_entry(session, row, actor=cast.li_qiang, now=now)
    assert await asked_from_now_on(store) == []


async def phrase(store: Store, cast: Cast, now: datetime, words: str, entry_id: int, **by: Staff) -> None:
    """An officer adds the words of a new ticket to an entry."""
    async with store.transaction() as session:
        ticket = await a_ticket(session, cast, now, words)
        entry = await session.get_one(Entry, entry_id)
        await promote.to_phrasing(session, ticket, entry, actor=by.get("by", cast.li_qiang), now=now)


async def drafts(store: Store) -> list[tuple[EntryState, tuple[str, ...]]]:
    async with store.reading() as session:
        rows = await session.scalars(select(EntryVersion).order_by(EntryVersion.id))
        return [(row.state, (await content_of(session, row)).phrasings) for row in rows.all()]


async def test_questions_become_phrasings_of_one_draft_and_the_published_version_stays(
    store: Store, cast: Cast, now: datetime
) -> None:
    (entry_id,) = await entry_ids(store, cast, now, 1)
    ((_, before),) = await drafts(store)
    await phrase(store, cast, now, "证子不晓得落在啥地方了", entry_id)
    await phrase(store, cast, now, "选民证被小孩撕了", entry_id)
    assert await drafts(store) == [
        (EntryState.PUBLISHED, before),
        (EntryState.DRAFT, (*before, "证子不晓得落在啥地方了", "选民证被小孩撕了")),
    ]
    assert await taught(store) == [(Source.DESK_PHRASING, entry_id, True)] * 2


async def test_words_that_an_entry_knows_or_that_are_no_single_question_are_not_added(
    store: Store, cast: Cast, now: datetime
) -> None:
    (entry_id,) = await entry_ids(store, cast, now, 1)
    with pytest.raises(Conflict, match="phrasing_known"):
        await phrase(store, cast, now, "选民证掉了咋办", entry_id)
    for words in ("选民证丢了怎么办？身份证丢了怎么办？", "选" * 301):
        with pytest.raises(Invalid, match="not_one_question"):
            await phrase(store, cast, now, words, entry_id)
    with pytest.raises(NotPermitted):
        await phrase(store, cast, now, "证子落掉了", entry_id, by=cast.zhao_lei)
    async with store.transaction() as session:
        await entries.retire(session, await session.get_one(Entry, entry_id), actor=cast.wang_fang, now=now)
    with pytest.raises(Conflict, match="entry_not_in_force"):
        await phrase(store, cast, now, "证子落掉了", entry_id)
    assert await taught(store) == []
