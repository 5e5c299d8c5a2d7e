"""Golden questions from files and from the desk."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from knowledge import entries, golden
from knowledge.golden import GoldenQuestion
from knowledge.replay import Case
from knowledge.versions import Audience, by_number, topics
from office import audit
from office.errors import Conflict, Invalid, NotFound, NotPermitted
from office.redact import PLACEHOLDER
from office.store import Store
from tests.make import Cast, an_entry, content, publish

SHIPPED = golden.shipped
WORDS = "选民证放洗衣机里洗坏了还能投票吗"


@pytest.fixture(autouse=True)
def no_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shipped questions are out of the way."""
    monkeypatch.setattr(golden, "shipped", lambda: ())


def test_the_shipped_questions_are_many_and_their_labels_known() -> None:
    """Told by counts only: what is sealed must not come out of a failing test either."""
    found = SHIPPED()
    assert sum(not case.sealed for case in found) >= 500
    assert sum(not case.in_scope for case in found) >= 90
    assert {topic for case in found for topic in (case.topic, *case.also)} <= set(topics())


def of_files(folder: Path) -> tuple[Case, ...]:
    return SHIPPED(folder)


def test_files_are_read_with_the_sealed_ones_marked(tmp_path: Path) -> None:
    (tmp_path / "sealed").mkdir()
    (tmp_path / "age.jsonl").write_text(
        '{"q": "几岁能投票", "topic": "age", "also": ["eligibility"], "kind": "plain"}\n\n'
        '{"q": "今天下雨吗", "topic": "none"}\n',
        encoding="utf-8",
    )
    (tmp_path / "sealed" / "age.jsonl").write_text(
        '{"q": "娃多大好选", "topic": "age", "audience": "staff"}\n', encoding="utf-8"
    )
    assert of_files(tmp_path) == (
        Case("几岁能投票", "age", ("eligibility",), "voter", "plain"),
        Case("今天下雨吗", "none"),
        Case("娃多大好选", "age", (), "staff", "", True),
    )
    assert [case.in_scope for case in of_files(tmp_path)] == [True, False, True]


@pytest.mark.parametrize("line", ["{", "[]", '{"q": "密"}', '{"q": "密", "topic": "age", "audience": "all"}'])
def test_a_broken_line_is_named_and_not_shown(tmp_path: Path, line: str) -> None:
    (tmp_path / "age.jsonl").write_text("\n" + line, encoding="utf-8")
    with pytest.raises(ValueError, match=r"^age\.jsonl:2: not a golden question$"):
        of_files(tmp_path)


async def test_the_desk_s_question_is_asked_from_then_on(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        await an_entry(session, cast, now)
        entry = await by_number(session, "K-0540")
        await golden.add(session, WORDS, entry=entry, actor=cast.li_qiang, now=now)
        await golden.add(
            session, "物业费怎么交", topic="none", kind="offtopic", actor=cast.wang_fang, now=now
        )
    async with store.reading() as session:
        assert await golden.cases(session) == (
            Case(WORDS, "voter_card", kind="desk"), Case("物业费怎么交", "none", kind="offtopic"),
        )  # fmt: skip
        rows, total = await golden.listed(session)
        lines, _ = await audit.listed(session, action="golden_question.")
    assert [(row.question.q, row.entry_no, row.added_by) for row in rows] == [
        ("物业费怎么交", "", "王芳"), (WORDS, "K-0540", "李强"),
    ]  # fmt: skip
    assert total == len(lines) == 2
    assert not any(WORDS in str(line.facts) for line in lines)


async def test_personal_numbers_do_not_become_questions(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        words = "我的身份证110105199001011234丢了\n  怎么办"
        added = await golden.add(session, words, topic="voter_card", actor=cast.li_qiang, now=now)
    assert added.q == f"我的身份证{PLACEHOLDER}丢了 怎么办"


async def test_the_same_words_again_take_the_new_label(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        first = await golden.add(session, WORDS, topic="none", actor=cast.li_qiang, now=now)
        await golden.retire(session, first, actor=cast.wang_fang, now=now)
        again = await golden.add(
            session, WORDS, topic="proxy", audience=Audience.STAFF, actor=cast.li_qiang, now=now
        )
        assert again.id == first.id
        assert await golden.cases(session) == (Case(WORDS, "proxy", audience="staff", kind="desk"),)
        assert len((await session.scalars(select(GoldenQuestion))).all()) == 1


async def test_the_desk_s_label_counts_before_the_file_s(
    store: Store, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    filed = (Case(WORDS, "proxy"), Case("几岁能投票", "age"))
    monkeypatch.setattr(golden, "shipped", lambda: filed)
    async with store.transaction() as session:
        with pytest.raises(Conflict, match="golden_known"):
            await golden.add(session, WORDS, topic="voter_card", actor=cast.li_qiang, now=now)
        await golden.add(session, WORDS, topic="voter_card", actor=cast.wang_fang, now=now)
        assert [case.topic for case in await golden.cases(session)] == ["age", "voter_card"]


async def test_a_question_follows_its_entry_into_another_topic(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        await an_entry(session, cast, now)
        entry = await by_number(session, "K-0540")
        await golden.add(session, WORDS, entry=entry, actor=cast.li_qiang, now=now)
        version = await entries.draft(
            session, content(cast, topic="proxy"), actor=cast.li_qiang, now=now, entry=entry
        )
        await entries.submit(session, version, actor=cast.li_qiang, now=now)
        assert [case.topic for case in await golden.cases(session)] == ["voter_card"]
        assert [case.topic for case in await golden.cases(session, {entry.id: "proxy"})] == ["proxy"]
        await publish(session, version, actor=cast.wang_fang, now=now)
        assert [case.topic for case in await golden.cases(session)] == ["proxy"]


async def test_an_entry_that_is_only_drafted_lends_its_topic(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        version = await entries.draft(session, content(cast), actor=cast.li_qiang, now=now)
        entry = await session.get_one(entries.Entry, version.entry_id)
        added = await golden.add(session, WORDS, entry=entry, actor=cast.li_qiang, now=now)
    assert (added.topic, added.entry_id) == ("voter_card", entry.id)


async def test_a_question_without_words_or_answer_is_refused(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        for words, topic, key in ((" \n", "age", "golden_no_words"), (WORDS, "", "golden_no_answer"),
                                  (WORDS, "weather", "golden_no_answer")):  # fmt: skip
            with pytest.raises(Invalid, match=key):
                await golden.add(session, words, topic=topic, actor=cast.li_qiang, now=now)
        with pytest.raises(NotFound):
            await golden.get(session, 404)


async def test_who_may_add_and_who_may_retire(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        for person in (cast.zhou_ning, cast.sun_jie):
            with pytest.raises(NotPermitted):
                await golden.add(session, WORDS, topic="age", actor=person, now=now)
        added = await golden.add(session, WORDS, topic="age", actor=cast.li_qiang, now=now)
        with pytest.raises(NotPermitted):
            await golden.retire(session, added, actor=cast.zhao_lei, now=now)
        await golden.retire(session, added, actor=cast.wang_fang, now=now)
        with pytest.raises(Conflict):
            await golden.retire(session, added, actor=cast.wang_fang, now=now)
        assert await golden.cases(session) == ()
        assert (await golden.listed(session))[1] == 0
        assert [row.question.q for row in (await golden.listed(session, retired=True))[0]] == [WORDS]


async def test_what_the_desk_does_anyway_leaves_known_words_alone(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        grown = await golden.grow(session, WORDS, topic="none", actor=cast.li_qiang, now=now)
        assert grown is not None
        assert await golden.grow(session, f" {WORDS}\n", topic="proxy", actor=cast.wang_fang, now=now) is None
        assert await golden.cases(session) == (Case(WORDS, "none", kind="desk"),)
        with pytest.raises(Conflict, match="golden_known"):
            await golden.add(session, WORDS, topic="proxy", actor=cast.li_qiang, now=now)
        again = await golden.add(session, WORDS, topic="none", actor=cast.li_qiang, now=now)
        assert again.id == grown.id


async def test_who_added_it_takes_it_back_within_a_day(store: Store, cast: Cast, now: datetime) -> None:
    late = now + timedelta(days=1, seconds=1)
    async with store.transaction() as session:
        first = await golden.add(session, WORDS, topic="none", actor=cast.li_qiang, now=now)
        second = await golden.add(session, "几点开门", topic="none", actor=cast.li_qiang, now=now)
        with pytest.raises(NotPermitted):
            await golden.retire(session, first, actor=cast.zhao_lei, now=now)
        await golden.retire(session, first, actor=cast.li_qiang, now=now + timedelta(days=1))
        with pytest.raises(NotPermitted):
            await golden.retire(session, second, actor=cast.li_qiang, now=late)
        await golden.retire(session, second, actor=cast.wang_fang, now=late)


async def test_search_takes_signs_as_they_are(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        for words in ("办理率100%是什么意思", "办理率100是什么意思"):
            await golden.add(session, words, topic="age", actor=cast.li_qiang, now=now)
        rows, total = await golden.listed(session, search="100%")
    assert (total, [row.question.q for row in rows]) == (1, ["办理率100%是什么意思"])
