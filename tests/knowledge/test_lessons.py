"""Lessons: what counts, what does not, and that one person cannot teach the matcher."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from knowledge import entries, lessons
from knowledge.lessons import NO_ENTRY, Lesson, Source
from knowledge.train import Label
from knowledge.versions import by_number
from office import contacts
from office.contacts import Channel
from office.store import Store
from tests.make import Cast, an_entry

LOST = "选民证丢了怎么办"
NOW = datetime(2026, 11, 20, 2, 5, tzinfo=UTC)
_numbers = itertools.count(1)


def said(
    source: Source,
    contact_id: int | None,
    words: str = LOST,
    entry_id: int | None = 7,
    at: datetime = NOW,
) -> Lesson:
    """A lesson as it lies in the store."""
    return Lesson(
        id=next(_numbers), words=words, entry_id=entry_id, right=source not in lessons.WRONG,
        weight=lessons.WEIGHTS[source], source=source, contact_id=contact_id, at=at,
    )  # fmt: skip


def test_the_desk_teaches_alone() -> None:
    assert lessons.weigh([said(Source.DESK_POINTED, 1)]) == [Label(LOST, 7, True, 1.0)]


@pytest.mark.parametrize("source", sorted(lessons.LAY))
def test_fewer_than_three_people_teach_nothing(source: Source) -> None:
    assert lessons.weigh([said(source, 1), said(source, 2)]) == []


@pytest.mark.parametrize(
    ("source", "right", "weight"),
    [
        (Source.SOLVED, True, 1.0),
        (Source.NOT_SOLVED, False, 1.0),
        (Source.CHOICE_TAKEN, True, 0.9),
        (Source.CHOICES_REFUSED, False, 0.9),
    ],
)
def test_three_people_teach_as_much_as_the_desk_at_most(source: Source, right: bool, weight: float) -> None:
    for people in (3, 9):
        (label,) = lessons.weigh([said(source, number) for number in range(people)])
        assert (label.question, label.entry_id, label.right) == (LOST, 7, right)
        assert label.weight == (weight if people == 3 else 1.0)


def test_one_person_teaches_nothing_however_often_and_in_however_many_wordings() -> None:
    flood = [said(Source.SOLVED, 1, f"{number}号楼什么时候停水") for number in range(50)]
    flood += [said(Source.CHOICE_TAKEN, 1) for _ in range(50)]
    assert lessons.weigh(flood) == []


def test_one_person_adds_one_voice_to_others() -> None:
    others = [said(Source.CHOICE_TAKEN, 2), said(Source.CHOICE_TAKEN, 3)]
    loud = [said(Source.CHOICE_TAKEN, 1) for _ in range(20)]
    (label,) = lessons.weigh(others + loud)
    assert label.weight == 0.9


def test_the_same_words_in_another_dress_count_together() -> None:
    words = ("选民证丢了怎么办", "请问选民证丢了怎么办？", "選民證丟了怎麼辦")
    (label,) = lessons.weigh([said(Source.SOLVED, n, w) for n, w in enumerate(words)])
    assert label.right


def test_the_last_word_of_a_person_counts() -> None:
    taken = [said(Source.CHOICE_TAKEN, number) for number in range(3)]
    regretted = [said(Source.NOT_SOLVED, 0)]
    assert lessons.weigh(taken + regretted) == []


def test_people_who_disagree_weaken_each_other() -> None:
    solved = [said(Source.SOLVED, number) for number in range(3)]
    assert lessons.weigh(solved + [said(Source.NOT_SOLVED, number) for number in range(10, 12)]) == [
        Label(LOST, 7, True, 0.5)
    ]
    assert lessons.weigh(solved + [said(Source.NOT_SOLVED, number) for number in range(10, 13)]) == []


@pytest.mark.parametrize(
    ("wordings", "entry_ids", "days", "counted"),
    [(8, 1, 1, 3), (20, 20, 1, 10), (20, 20, 2, 20), (8, 1, 8, 3)],
)
def test_what_a_person_may_teach_is_capped_by_entry_and_by_day(
    wordings: int, entry_ids: int, days: int, counted: int, now: datetime
) -> None:
    rows = [
        said(
            Source.SOLVED, person, f"{number}号楼怎么登记", 100 + number % entry_ids,
            now + timedelta(days=number % days),
        )
        for number in range(wordings)
        for person in range(3)
    ]  # fmt: skip
    assert len(lessons.weigh(rows)) == counted


def test_a_day_is_a_day_in_beijing() -> None:
    late = datetime(2026, 11, 20, 15, 59, tzinfo=UTC)
    for later, counted in ((timedelta(), 10), (timedelta(minutes=2), 12)):
        rows = [
            said(Source.SOLVED, person, f"{number}号楼怎么登记", number, late + later * (number > 5))
            for number in range(1, 13)
            for person in range(3)
        ]  # fmt: skip
        assert len(lessons.weigh(rows)) == counted


def test_where_the_desk_has_spoken_askers_no_longer_count() -> None:
    crowd = [said(Source.NOT_SOLVED, number) for number in range(20)]
    elsewhere = [said(Source.SOLVED, number, entry_id=8) for number in range(20)]
    assert lessons.weigh([said(Source.DESK_POINTED, 50), *crowd, *elsewhere]) == [Label(LOST, 7, True, 1.0)]


def test_dismissed_means_that_no_entry_answers_and_the_last_word_of_the_desk_counts() -> None:
    pointed, dismissed = said(Source.DESK_POINTED, 1), said(Source.DESK_DISMISSED, 1, entry_id=None)
    assert lessons.weigh([pointed, dismissed]) == [Label(LOST, NO_ENTRY, True, 1.0)]
    again, other = said(Source.DESK_POINTED, 1), said(Source.DESK_POINTED, 1, entry_id=8)
    assert lessons.weigh([pointed, dismissed, again, other]) == [
        Label(LOST, 7, True, 1.0),
        Label(LOST, 8, True, 1.0),
    ]


def test_the_order_of_labels_does_not_depend_on_the_order_of_words() -> None:
    rows = [said(Source.SOLVED, n, w, e) for n in range(3) for w, e in (("怎么登记", 2), ("选民证", 1))]
    assert [label.entry_id for label in lessons.weigh(rows)] == [2, 1]


async def teach(store: Store, now: datetime, source: Source, words: str = LOST, **more: object) -> bool:
    facts = {"entry_id": None, "occasion": f"enquiry:{next(_numbers)}", "now": now} | more
    async with store.transaction() as session:
        return await lessons.teach(session, source, words, **facts)  # type: ignore[arg-type]


async def an_id(store: Store, cast: Cast, now: datetime, no: str = "K-0540") -> int:
    async with store.transaction() as session:
        return (await an_entry(session, cast, now, no)).entry_id


async def others(store: Store, now: datetime, count: int) -> list[int]:
    async with store.transaction() as session:
        return [(await contacts.seen(session, Channel.WEB, f"w{n}", now=now)).id for n in range(count)]


async def test_an_occasion_teaches_once(store: Store, cast: Cast, now: datetime) -> None:
    entry_id = await an_id(store, cast, now)
    facts = {"entry_id": entry_id, "occasion": "enquiry:1", "contact_id": cast.zhang_min.id}
    assert await teach(store, now, Source.SOLVED, **facts)
    assert not await teach(store, now, Source.SOLVED, **facts)
    assert await teach(store, now, Source.CHOICE_TAKEN, **facts)


@pytest.mark.parametrize("words", ["", "  ", "选" * 301])
async def test_nothing_and_whole_stories_teach_nothing(
    store: Store, cast: Cast, now: datetime, words: str
) -> None:
    assert not await teach(store, now, Source.DESK_POINTED, words, entry_id=await an_id(store, cast, now))


async def test_taking_back_touches_no_other_occasion(store: Store, cast: Cast, now: datetime) -> None:
    entry_id = await an_id(store, cast, now)
    for occasion in ("enquiry:1", "enquiry:11", "ticket:1"):
        await teach(store, now, Source.SOLVED, entry_id=entry_id, occasion=occasion)
        await teach(store, now, Source.CHOICE_TAKEN, entry_id=entry_id, occasion=occasion)
    async with store.transaction() as session:
        await lessons.take_back(session, Source.SOLVED, occasion="enquiry:1")
        left = set((await session.scalars(select(Lesson.key))).all())
    assert left == {
        f"{occasion}:{source}:{entry_id}"
        for occasion in ("enquiry:1", "enquiry:11", "ticket:1")
        for source in ("solved", "choice_taken")
    } - {f"enquiry:1:solved:{entry_id}"}


async def test_labels_are_about_entries_in_force(store: Store, cast: Cast, now: datetime) -> None:
    entry_id = await an_id(store, cast, now)
    await teach(store, now, Source.DESK_POINTED, entry_id=entry_id, staff_id=cast.li_qiang.id)
    await teach(store, now, Source.DESK_DISMISSED, "今天菜价多少")
    async with store.transaction() as session:
        assert {label.entry_id for label in await lessons.labels(session)} == {entry_id, NO_ENTRY}
        await entries.retire(session, await by_number(session, "K-0540"), actor=cast.wang_fang, now=now)
        assert {label.entry_id for label in await lessons.labels(session)} == {NO_ENTRY}


async def test_verdicts_are_those_on_answers_given_at_once_a_few_of_each_person(
    store: Store, cast: Cast, now: datetime
) -> None:
    ids = [await an_id(store, cast, now, f"K-{540 + n:04d}") for n in range(8)]
    (other,) = await others(store, now, 1)
    for entry_id in ids:
        await teach(
            store, now, Source.NOT_SOLVED, entry_id=entry_id, contact_id=cast.zhang_min.id, probability=0.9
        )
    await teach(store, now, Source.SOLVED, entry_id=ids[0], contact_id=other, probability=0.7)
    await teach(store, now, Source.NOT_SOLVED, entry_id=ids[0], contact_id=other, probability=0.8)
    await teach(store, now, Source.CHOICE_TAKEN, entry_id=ids[1], contact_id=other)
    await teach(store, now, Source.SOLVED, entry_id=ids[2], probability=0.6)
    async with store.reading() as session:
        assert sorted(await lessons.verdicts(session)) == [(0.8, False)] + [(0.9, False)] * 5


async def test_who_is_forgotten_has_taught_nothing(store: Store, cast: Cast, now: datetime) -> None:
    entry_id = await an_id(store, cast, now)
    (other,) = await others(store, now, 1)
    for contact_id in (cast.zhang_min.id, other):
        await teach(store, now, Source.SOLVED, entry_id=entry_id, contact_id=contact_id)
        await teach(store, now, Source.DESK_POINTED, entry_id=entry_id, contact_id=contact_id)
    async with store.transaction() as session:
        await lessons.forget(session, cast.zhang_min.id)
        assert set((await session.scalars(select(Lesson.contact_id))).all()) == {other}


async def test_after_ninety_days_only_what_the_desk_made_is_left_without_the_asker(
    store: Store, cast: Cast, now: datetime
) -> None:
    entry_id = await an_id(store, cast, now)
    for at in (now - timedelta(days=91), now - timedelta(days=89)):
        for source in Source:
            await teach(store, at, source, entry_id=entry_id, contact_id=cast.zhang_min.id)
    async with store.transaction() as session:
        await lessons.forget_old(session, now=now)
        rows = (await session.scalars(select(Lesson).order_by(Lesson.id))).all()
    desk = [source for source in Source if source not in lessons.LAY]
    assert [(row.source, row.contact_id) for row in rows] == [
        *((source, None) for source in desk),
        *((source, cast.zhang_min.id) for source in Source),
    ]


async def test_the_newest_lesson_tells_whether_there_is_something_new(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.reading() as session:
        assert await lessons.newest(session) == 0
    await teach(store, now, Source.DESK_DISMISSED)
    async with store.reading() as session:
        first = await lessons.newest(session)
    await teach(store, now, Source.DESK_DISMISSED)
    async with store.reading() as session:
        assert await lessons.newest(session) > first
