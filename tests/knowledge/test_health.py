"""What contradicts itself among that which is in force."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from knowledge import entries, health, pack_record, packs, rules
from knowledge.health import Clash, Conflicts, Held, Term, clashes, conflicts, seams
from knowledge.stations import Station, StationKind
from knowledge.versions import Audience, EntryVersion, by_number
from office import audit, changes
from office.changes import Change, ChangeKind
from office.errors import NotPermitted
from office.staff import Staff
from office.store import Store
from tests.make import Cast, an_entry, content

TODAY = date(2026, 11, 20)
LOST = ("选民证掉了咋办", "我把选民证弄丢了", "选民证遗失到哪里补")
OTHER = ("候选人是怎么产生的", "谁可以推荐候选人", "候选人怎么来的")


def held(no: int, *words: str, path: str = ".1.", **more: Any) -> Held:
    fields: dict[str, Any] = {
        "audience": Audience.VOTER, "scope": "东浦区", "first": None, "last": None, "question": "？",
    }  # fmt: skip
    return Held(no, f"K-{no:04d}", path=path, words=frozenset(words), **(fields | more))


def found(*entries: Held) -> list[tuple[str, str, tuple[str, ...], bool]]:
    return [(one.first.entry_no, one.second.entry_no, one.words, one.narrower) for one in clashes(entries)]


# --- the same words ---


def test_two_entries_with_the_same_words_clash_once_with_all_of_them() -> None:
    one, two, third = held(1, "甲", "乙", "丙"), held(2, "乙", "丙"), held(3, "丁")
    assert found(two, third, one) == [("K-0001", "K-0002", ("丙", "乙"), False)]


def test_three_entries_with_one_word_clash_by_pairs() -> None:
    assert len(found(*(held(no, "甲") for no in (1, 2, 3)))) == 3


def test_what_holds_for_a_part_comes_first_there_and_is_told_apart() -> None:
    wide, street = held(1, "甲"), held(2, "甲", path=".1.2.")
    assert found(street, wide) == [("K-0001", "K-0002", ("甲",), True)]


def test_two_streets_and_two_audiences_never_meet() -> None:
    assert found(held(1, "甲", path=".1.2."), held(2, "甲", path=".1.3.")) == []
    assert found(held(1, "甲", path=".1.2."), held(2, "甲", path=".1.21.")) == []
    assert found(held(1, "甲"), held(2, "甲", audience=Audience.STAFF)) == []


def test_entries_that_follow_each_other_meet_only_on_a_shared_day() -> None:
    until = held(1, "甲", last=TODAY)
    assert found(until, held(2, "甲", first=TODAY + timedelta(days=1))) == []
    assert len(found(until, held(2, "甲", first=TODAY))) == 1


# --- days between versions ---


def day(number: int) -> date:
    return TODAY + timedelta(days=number)


def between(*terms: tuple[int | None, int | None]) -> list[tuple[int, int, bool]]:
    made = [
        Term(number, day(first) if first is not None else None, day(last) if last is not None else None)
        for number, (first, last) in enumerate(terms, start=1)
    ]
    return [((s.first - TODAY).days, (s.last - TODAY).days, s.hole) for s in seams(made, TODAY)]


@pytest.mark.parametrize(
    ("terms", "expected"),
    [
        ([(None, 5), (6, None)], []),
        ([(None, 5), (7, None)], [(6, 6, True)]),
        ([(None, 5), (5, 9)], [(5, 5, False)]),
        ([(None, 9), (3, 5)], [(3, 5, False)]),
        ([(None, None), (7, None)], []),
        ([(None, None), (None, None)], []),
        ([(None, 5), (None, None)], []),
        ([(8, None), (None, 5)], [(6, 7, True)]),
        ([(None, -9), (-5, None)], []),
        ([(None, -9), (0, None)], []),
        ([(None, -9), (1, None)], [(-8, 0, True)]),
        ([(None, -3), (-5, -4)], []),
        ([(0, 9), (2, 3), (12, 14)], [(2, 3, False), (10, 11, True)]),
    ],
)
def test_dated_versions_meet_without_hole_and_overlap(
    terms: list[tuple[int | None, int | None]], expected: list[tuple[int, int, bool]]
) -> None:
    assert between(*terms) == expected


# --- in the store ---


async def conflicts_for(store: Store, person: Staff, now: datetime) -> Conflicts:
    async with store.reading() as session:
        return await conflicts(session, person, now=now)


def numbers(found: tuple[Clash, ...]) -> list[tuple[str, str]]:
    return [(one.first.entry_no, one.second.entry_no) for one in found]


async def test_words_are_compared_as_the_matcher_reads_them(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        await an_entry(session, cast, now, question="选民证丢了怎么办？", phrasings=LOST)
        await an_entry(
            session, cast, now, "K-0541", question="候选人怎么产生？", phrasings=(*OTHER, "選民證掉了咋辦")
        )
        await an_entry(
            session, cast, now, "K-0542", question="证件不见了？", phrasings=LOST,
            scope_unit_id=cast.riverside.id,
        )  # fmt: skip
        await an_entry(session, cast, now, "K-0543", phrasings=LOST)
        await entries.retire(session, await by_number(session, "K-0543"), actor=cast.wang_fang, now=now)
    seen = await conflicts_for(store, cast.wang_fang, now)
    assert numbers(seen.clashes) == [("K-0540", "K-0541")]
    assert seen.clashes[0].words == ("选民证掉了怎么办",)
    assert numbers(seen.narrower) == [("K-0540", "K-0542"), ("K-0541", "K-0542")]
    assert seen.narrower[0].second.scope == "临江街道"
    assert seen.count == 1

    # A town is shown the district's and its own, and nobody else's.
    assert numbers((await conflicts_for(store, cast.zhao_lei, now)).narrower) == []
    with pytest.raises(NotPermitted):
        await conflicts_for(store, cast.sun_jie, now)


async def test_a_draft_that_begins_after_a_hole_is_told(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        await an_entry(session, cast, now, effective_until=day(5))
        entry = await by_number(session, "K-0540")
        written = content(cast, effective_from=day(8))
        draft = await entries.draft(session, written, actor=cast.li_qiang, now=now, entry=entry)
    (torn,) = (await conflicts_for(store, cast.wang_fang, now)).seams
    assert (torn.entry, torn.page_id, torn.name) == (True, entry.id, "K-0540")
    assert (torn.seam.first, torn.seam.last, torn.seam.hole) == (day(6), day(7), True)
    async with store.transaction() as session:
        found = await session.get_one(EntryVersion, draft.id)
        await entries.drop(session, found, actor=cast.li_qiang, now=now)
    assert (await conflicts_for(store, cast.wang_fang, now)).seams == ()


async def signed(
    store: Store,
    cast: Cast,
    now: datetime,
    row: str = "B1",
    text: str = "请凭选民资格证明登记。",
    **more: Any,
) -> Change:
    async with store.transaction() as session:
        change = await rules.propose_row(
            session, "shanghai", row, {"answer": text}, basis="区选举办会议纪要", scope=cast.district,
            actor=cast.li_qiang, now=now, **more,
        )  # fmt: skip
        await changes.sign(session, change, seen=change.version, actor=cast.wang_fang, now=now)
    return change


async def test_changes_of_one_row_that_overlap_are_told(store: Store, cast: Cast, now: datetime) -> None:
    await signed(store, cast, now, effective_until=day(9))
    later = await signed(store, cast, now, effective_from=day(7))
    await signed(store, cast, now, "XH", effective_from=day(7))
    (torn,) = (await conflicts_for(store, cast.wang_fang, now)).seams
    assert (torn.entry, torn.page_id, torn.name) == (False, later.id, "shanghai:B1")
    assert (torn.seam.first, torn.seam.last, torn.seam.hole) == (day(7), day(9), False)


@pytest.fixture
def renewed(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Stands for an update of the program: calling it changes the shipped rows from then on."""

    def renew(row: str, **new: Any) -> None:
        pack = packs.load("shanghai")
        leaves = tuple(
            replace(leaf, **new) if leaf.row == row else leaf
            for leaf in pack.leaves
            if new or leaf.row != row
        )
        load = packs.load
        made = replace(pack, leaves=leaves, version=pack.version + 1)
        monkeypatch.setattr(packs, "load", lambda name: made if name == "shanghai" else load(name))

    return renew


async def test_a_row_renewed_since_the_district_signed_is_told(
    store: Store, cast: Cast, now: datetime, renewed: Any
) -> None:
    async with store.transaction() as session:
        await health.note(session, now=now)
    change = await signed(store, cast, now + timedelta(hours=1))
    await signed(store, cast, now + timedelta(hours=1), "A13", "请联系区选举办。")
    later = now + timedelta(days=1)
    assert (await conflicts_for(store, cast.wang_fang, later)).stale == ()

    renewed("B1", answer="本届的办法是这样的。")
    async with store.transaction() as session:
        assert await health.note(session, now=later) == 1
        assert await pack_record.note(session, now=later) == 0
    (stale,) = (await conflicts_for(store, cast.wang_fang, later)).stale
    assert (stale.change_id, stale.key, stale.facts["row"]) == (change.id, "health.row_renewed", "B1")

    again = await signed(store, cast, later + timedelta(hours=1))
    assert again.id != change.id
    assert (await conflicts_for(store, cast.wang_fang, later + timedelta(hours=2))).stale == ()
    async with store.reading() as session:
        assert (await audit.listed(session, action="pack.rows", subject="pack:shanghai"))[1] == 2


async def test_a_row_that_is_no_more_is_told(store: Store, cast: Cast, now: datetime, renewed: Any) -> None:
    await signed(store, cast, now, "XH")
    renewed("XH")
    (stale,) = (await conflicts_for(store, cast.wang_fang, now)).stale
    assert stale.key == "health.row_gone"


async def test_a_wording_that_the_pack_can_take_no_more_is_told(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        await changes.install(
            session, ChangeKind.RULES, "shanghai:B1", {"answer": "12月5日前来登记。"}, basis="旧文件",
            scope=cast.district, now=now,
        )  # fmt: skip
    (stale,) = (await conflicts_for(store, cast.wang_fang, now)).stale
    assert stale.key == "health.row_unfit"


async def test_texts_in_force_that_the_lint_has_come_to_refuse_are_told(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        version = await an_entry(session, cast, now)
        version.full = "12月5日前都可以办。"
        session.add(
            Station(
                kind=StationKind.REGISTRATION, code="12-01", name="书香苑登记站", unit_id=cast.riverside.id,
                groups=[], address="临江街道示例路2号", hours=[], access=[], note="十二月五日起{{ cal.day }}",
            )
        )  # fmt: skip
    seen = await conflicts_for(store, cast.wang_fang, now)
    told = [(one.name, one.problem.key) for one in seen.misworded]
    assert told == [("K-0540", "lint_date"), ("12-01", "lint_date"), ("12-01", "lint_variable")]
    assert seen.misworded[0].place == f"/admin/entries/{version.entry_id}"


async def test_a_sound_base_has_no_conflicts(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        await an_entry(session, cast, now)
    assert (await conflicts_for(store, cast.wang_fang, now)).count == 0


async def test_a_signed_wording_leads_to_the_entries_of_its_topic(
    store: Store, cast: Cast, now: datetime
) -> None:
    topic = packs.load("shanghai").rows("B1")[0].topic
    later = now + timedelta(hours=2)
    async with store.transaction() as session:
        await an_entry(session, cast, now, "K-0540", topic=topic)
        await an_entry(session, cast, now, "K-0541", topic="voter_card", phrasings=LOST)
        await an_entry(session, cast, now, "K-0542", topic=topic, phrasings=OTHER, effective_until=day(-1))
    change = await signed(store, cast, now + timedelta(hours=1))
    async with store.transaction() as session:
        await an_entry(
            session, cast, later, "K-0543", topic=topic, phrasings=("甲甲甲甲", "乙乙乙乙", "丙丙丙丙")
        )
        await an_entry(
            session, cast, later, "K-0544", topic=topic, confirmed=False,
            phrasings=("丁丁丁丁", "戊戊戊戊", "己己己己"),
        )  # fmt: skip
    seen = await conflicts_for(store, cast.wang_fang, later)
    (told,) = seen.beside
    assert (told.row, told.change_id, told.number) == ("B1", change.id, 1)
    assert [one.entry.entry_no for one in told.entries] == ["K-0540", "K-0544"]
    assert seen.count == len(seen.clashes)  # they may be right


async def test_stations_that_are_closed_on_election_day_are_conflicts_until_mended(
    store: Store, cast: Cast, now: datetime
) -> None:
    wrong = [{"from": "2026-12-28", "to": "2026-12-28", "weekdays": "1-7", "spans": ["7:00-20:00"]}]
    async with store.transaction() as session:
        station = Station(
            kind=StationKind.POLLING, code="12-01", name="书香苑投票站", unit_id=cast.riverside.id,
            groups=[], address="临江街道示例路2号", hours=wrong, access=[],
        )  # fmt: skip
        session.add(station)
    seen = await conflicts_for(store, cast.wang_fang, now)
    assert [one.code for one in seen.strays] == ["12-01"]
    assert seen.count == 1
    async with store.transaction() as session:
        found = await session.get_one(Station, station.id)
        found.hours = [{**wrong[0], "from": "2026-12-29", "to": "2026-12-29"}]
    assert (await conflicts_for(store, cast.wang_fang, now)).strays == ()
