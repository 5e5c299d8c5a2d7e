"""The base as files: loaded, exported, loaded again the same."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from knowledge import base, entries
from knowledge.versions import Audience, Content, Entry, EntryVersion, by_number, content_of
from office.errors import Invalid
from office.store import Store
from tests.make import Cast, an_entry

ONE = """
topic: voter_card
entries:
  - "no": K-0540
    question: 选民证丢了怎么办？
    phrasings: [选民证掉了咋办, 我把选民证弄丢了, 选民证遗失到哪里补]
    short: 请联系登记站。
    basis: [{law: 细则, article: 第二十七条}]
    audience: voter
    level: ordinary
    status: confirmed
"""


async def contents(store: Store) -> dict[str, Content]:
    async with store.reading() as session:
        rows = await session.execute(
            select(Entry.entry_no, EntryVersion).join(EntryVersion, EntryVersion.id == Entry.published_id)
        )
        return {entry_no: await content_of(session, version) for entry_no, version in rows.all()}


async def test_what_is_exported_loads_as_the_same(
    store: Store, cast: Cast, now: datetime, tmp_path: Path
) -> None:
    async with store.transaction() as session:
        await an_entry(session, cast, now)
        await an_entry(
            session, cast, now, no="K-0541", aliases=("补证",), full="第一行\n第二行：{{ cal.day }}。",
            steps=("带身份证", "到登记站"), documents=("身份证",), facts=("F-001",), group="秘书组",
            review_on=date(2027, 3, 1), effective_from=date(2026, 11, 1), effective_until=date(2026, 12, 31),
            audience=Audience.STAFF, confirmed=False, scope_unit_id=cast.north.id,
        )  # fmt: skip
        await an_entry(session, cast, now, no="K-0020", topic="eligibility", question="谁可以登记？")
        folder = tmp_path / "base"
        assert await base.export(session, folder) == 3
    before = await contents(store)

    codes = {"LJ": cast.riverside.id, "BT": cast.north.id}
    assert dict(base.read(folder, cast.district.id, codes)) == before
    assert sorted(path.name for path in folder.iterdir()) == ["eligibility.yaml", "voter_card.yaml"]

    async with store.transaction() as session:
        for number in before:
            (await by_number(session, number)).entry_no = f"X-{number[2:]}"
        assert await base.load(session, folder, cast.district, now=now) == 3
    after = await contents(store)
    assert {number: after[number] for number in before} == before


async def test_only_new_numbers_are_loaded(store: Store, cast: Cast, now: datetime, tmp_path: Path) -> None:
    (tmp_path / "voter_card.yaml").write_text(ONE, encoding="utf-8")
    seen: list[tuple[int, int]] = []
    async with store.transaction() as session:
        for done in (1, 0):
            loaded = await base.load(
                session, tmp_path, cast.district, now=now, progress=lambda *at: seen.append(at)
            )
            assert loaded == done
    assert seen == [(1, 1), (1, 1)]


async def test_a_retired_entry_is_not_exported(
    store: Store, cast: Cast, now: datetime, tmp_path: Path
) -> None:
    async with store.transaction() as session:
        await an_entry(session, cast, now)
        entry = await by_number(session, "K-0540")
        await entries.retire(session, entry, actor=cast.wang_fang, now=now)
        assert await base.export(session, tmp_path) == 0


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("    short: 请联系登记站。\n", "", 4),
        ("level: ordinary", "level: secret", 10),
        ("topic: voter_card", "topic: [voter_card", 3),
        ("topic: voter_card\n", "", 1),
        ("entries:", "entry:", 1),
        ('  - "no": K-0540', "  - K-0540\n  - 'no': K-0540", 4),
        ("K-0540", "540", 4),
        ("    audience: voter\n", "    audience: voter\n    scope: XX\n", 10),
        ("    audience: voter\n", "    audience: voter\n    sope: DP\n", 10),
        ("status: confirmed", "status: perhaps", 11),
        ("status: confirmed", "status: confirmed\n    review_on: 明年", 12),
        ("status: confirmed", "status: confirmed\n    review_on: 2027-03-01 10:00:00", 12),
        ("status: confirmed", "status: confirmed\n    review_on: 2027-02-30", 1),
        (
            "status: confirmed",
            "status: confirmed\n    effective_from: 2026-12-02\n    effective_until: 2026-12-01",
            13,
        ),
        ("[选民证掉了咋办, 我把选民证弄丢了, 选民证遗失到哪里补]", "选民证掉了咋办", 6),
        ("{law: 细则, article: 第二十七条}", "细则", 8),
        ("请联系登记站。", "12", 7),
    ],
)
def test_a_broken_file_is_refused_with_its_line(tmp_path: Path, old: str, new: str, line: int) -> None:
    assert old in ONE
    (tmp_path / "voter_card.yaml").write_text(ONE.replace(old, new), encoding="utf-8")
    with pytest.raises(Invalid, match="base_file") as refused:
        list(base.read(tmp_path, 1))
    assert (refused.value.facts["file"], refused.value.facts["line"]) == ("voter_card.yaml", line)


def test_a_number_stands_in_one_place(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(ONE, encoding="utf-8")
    (tmp_path / "b.yaml").write_text(ONE, encoding="utf-8")
    with pytest.raises(Invalid, match="base_file") as refused:
        list(base.read(tmp_path, 1))
    assert refused.value.facts == {"file": "b.yaml", "line": 4, "error": "K-0540: a.yaml:4"}


async def test_a_topic_without_entries_leaves_no_file(
    store: Store, cast: Cast, now: datetime, tmp_path: Path
) -> None:
    async with store.transaction() as session:
        await an_entry(session, cast, now, topic="age")
        folder = tmp_path / "base"
        await base.export(session, folder)
        (folder / "notes.yaml").write_text("mine: 1", encoding="utf-8")
        entry = await by_number(session, "K-0540")
        await entries.retire(session, entry, actor=cast.wang_fang, now=now)
        await an_entry(session, cast, now, "K-0541")
        await base.export(session, folder)
    assert sorted(path.name for path in folder.iterdir()) == ["notes.yaml", "voter_card.yaml"]


async def test_the_matcher_gets_what_changed(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        await an_entry(session, cast, now, aliases=("补证",))
        await an_entry(session, cast, now, no="K-0541")
        first, second = await base.sources(session)
        assert (first.entry_no, first.aliases, len(first.phrasings)) == ("K-0540", ("补证",), 3)
        assert await base.sources(session, since=1) == [second]
        assert await base.sources(session, since=2) == []
