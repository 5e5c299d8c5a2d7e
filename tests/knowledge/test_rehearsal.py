"""The gate before publication, from the gathered bases to the second person who lets a version pass."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from knowledge import checks, entries, golden, rehearsal
from knowledge.checks import CheckState, PublicationCheck
from knowledge.replay import Case
from knowledge.versions import Audience, BaseState, EntryState, EntryVersion, by_number, get_version
from office import audit
from office.errors import Conflict, Invalid, NotPermitted
from office.staff import Invite, Role, Staff
from office.store import Store
from tests.make import Cast, an_entry, check, content
from tests.questions import ANOTHER, OPEN, OTHER, SEALED


@pytest.fixture(autouse=True)
def few_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(golden, "shipped", lambda: (*OPEN, *SEALED))


@pytest.fixture
async def second(store: Store, cast: Cast, now: datetime) -> Staff:
    """Another reviewer of the district."""
    async with store.transaction() as session:
        person = Staff(
            name="冯一", unit_id=cast.district.id, roles=[Role.REVIEWER.value],
            created_at=now - timedelta(days=30),
        )  # fmt: skip
        session.add(person)
    return person


async def in_review(store: Store, cast: Cast, now: datetime, no: str = "", **changes: Any) -> EntryVersion:
    """A version waiting for its reviewer: of a new entry, or of the entry `no`."""
    async with store.transaction() as session:
        entry = await by_number(session, no) if no else None
        version = await entries.draft(
            session, content(cast, **changes), actor=cast.li_qiang, now=now, entry=entry
        )
        await entries.submit(session, version, actor=cast.li_qiang, now=now)
    return version


async def checked(store: Store, version: EntryVersion, by: Staff, now: datetime) -> PublicationCheck:
    async with store.transaction() as session:
        return await check(session, await get_version(session, version.id), actor=by, now=now)


async def publish(store: Store, version: EntryVersion, by: Staff, now: datetime) -> EntryVersion:
    async with store.transaction() as session:
        found = await get_version(session, version.id)
        await entries.publish(session, found, seen=found.version, actor=by, now=now)
    return found


async def blocked(store: Store, cast: Cast, now: datetime) -> EntryVersion:
    """A version that takes all golden questions of its topic away, and its check."""
    async with store.transaction() as session:
        await an_entry(session, cast, now)
    version = await in_review(store, cast, now, "K-0540", **OTHER)
    assert (await checked(store, version, cast.wang_fang, now)).state is CheckState.BLOCKED
    return version


# --- what is asked ---


async def test_a_check_that_passes_opens_the_way_and_its_figures_are_audited(
    store: Store, cast: Cast, now: datetime
) -> None:
    version = await in_review(store, cast, now)
    found = await checked(store, version, cast.wang_fang, now)
    assert (found.state, found.base_revision) == (CheckState.PASSED, 0)
    assert found.figures["before"]["right"] == 0
    assert found.figures["after"]["right"] >= 3
    assert {row["q"] for row in found.changes} == {case.q for case in OPEN}
    assert (await publish(store, version, cast.wang_fang, now)).state is EntryState.PUBLISHED
    async with store.reading() as session:
        lines, _ = await audit.listed(session, subject=f"entry_version:{version.id}")
    published, made = lines[:2]
    assert (published.action, made.action) == ("entry_version.publish", "entry_version.check")
    for line in (published, made):
        assert line.facts["check"] == found.id
        assert line.facts["right"] == f"0 → {found.figures['after']['right']}"
        assert "faults" not in line.facts


async def test_no_sealed_words_are_written_down(store: Store, cast: Cast, now: datetime) -> None:
    version = await blocked(store, cast, now)
    async with store.reading() as session:
        found = await checks.latest(session, version)
        lines, _ = await audit.listed(session)
    assert found is not None
    assert found.figures["sealed"]["worse"] == 1
    assert "密封" not in repr((found.changes, found.figures, [line.facts for line in lines]))


async def test_a_replay_leaves_the_base_alone(store: Store, cast: Cast, now: datetime) -> None:
    version = await in_review(store, cast, now)
    async with store.reading() as session:
        prepared = await rehearsal.prepare(session, version, now=now)
    assert await rehearsal.run(prepared) == await rehearsal.run(prepared) == rehearsal.play(prepared)
    assert [source.entry_no for source in prepared.before] == []
    assert [source.entry_no for source in prepared.after] == ["K-2001"]


async def test_what_the_present_base_says_is_asked_once(
    store: Store, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with store.transaction() as session:
        await an_entry(session, cast, now)
    version = await in_review(store, cast, now, "K-0540", **OTHER)
    built: list[int] = []
    real = rehearsal.Index

    def counting(sources: Any, *more: Any) -> Any:
        built.append(len(sources))
        return real(sources, *more)

    monkeypatch.setattr(rehearsal, "Index", counting)
    monkeypatch.setattr(rehearsal, "_last", ((), "", {}))
    async with store.reading() as session:
        prepared = await rehearsal.prepare(session, version, now=now)
        assert rehearsal.play(prepared) == rehearsal.play(prepared)
        assert len(built) == 3
        more = replace(prepared, cases=(*prepared.cases, Case("快递丢了怎么办", "none")))
        assert rehearsal.play(more).before.asked == len(prepared.cases) + 1
    assert len(built) == 5


async def test_the_base_is_what_the_version_s_unit_sees_on_its_first_day(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        await an_entry(session, cast, now, "K-0541", scope_unit_id=cast.riverside.id)
        await an_entry(session, cast, now, "K-0542", scope_unit_id=cast.north.id)
        await an_entry(session, cast, now, "K-0543")
        await an_entry(session, cast, now, "K-0544", effective_until=now.date())
        await an_entry(session, cast, now, "K-0545", effective_from=now.date() + timedelta(days=9))
    later = now.date() + timedelta(days=3)
    for scope, first, seen in (
        (cast.district, None, ["K-0543", "K-0544"]),
        (cast.riverside, None, ["K-0541", "K-0543", "K-0544"]),
        (cast.north, later, ["K-0542", "K-0543"]),
    ):
        version = await in_review(store, cast, now, scope_unit_id=scope.id, effective_from=first)
        async with store.reading() as session:
            prepared = await rehearsal.prepare(session, version, now=now)
        assert [source.entry_no for source in prepared.before] == seen
        assert len(prepared.after) == len(seen) + 1


async def test_a_narrower_scope_is_judged_from_where_the_answer_is_lost(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        await an_entry(session, cast, now)
    version = await in_review(store, cast, now, "K-0540", scope_unit_id=cast.riverside.id)
    found = await checked(store, version, cast.wang_fang, now)
    assert (found.state, found.figures["after"]["right"]) == (CheckState.BLOCKED, 0)


async def test_a_wording_taken_from_voters_is_judged_as_lost(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        await an_entry(session, cast, now)
    version = await in_review(store, cast, now, "K-0540", audience=Audience.STAFF)
    assert (await checked(store, version, cast.wang_fang, now)).state is CheckState.BLOCKED


# --- the version's own words, and the questions that name an entry ---

DAY: dict[str, Any] = {"topic": "vote_day", "question": "选举日是哪一天？",
       "phrasings": ("哪天投票", "投票是几月几号", "什么时候投票选举")}  # fmt: skip
WHERE: dict[str, Any] = {"topic": "vote_how", "question": "到哪里投票？",
         "phrasings": ("投票地点在哪里", "投票站在什么地方", "去哪投票选举")}  # fmt: skip
PROXY: dict[str, Any] = {"topic": "proxy", "question": "可以委托别人投票吗？",
         "phrasings": ("能请人代投吗", "委托投票怎么办", "家人可以替我投票吗")}  # fmt: skip
STOLEN = ("选民证丢了怎么办", "选举日是哪一天", "到哪里投票", "可以委托别人投票吗")


async def a_base(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        for number, fields in enumerate(({}, DAY, WHERE, PROXY), start=540):
            await an_entry(session, cast, now, f"K-0{number}", **fields)


async def test_an_entry_with_stolen_words_is_blocked_though_no_golden_question_shows_it(
    store: Store, cast: Cast, now: datetime, second: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(golden, "shipped", lambda: (Case("快递丢了怎么办", "none"),))
    await a_base(store, cast, now)
    thief = await in_review(
        store, cast, now, topic="contact", question="蓝色雨棚归谁收拾？", phrasings=STOLEN
    )
    found = await checked(store, thief, cast.wang_fang, now)
    assert found.state is CheckState.BLOCKED
    assert {"own_less", "claimed_words"} <= set(found.figures["faults"])
    assert [(row["words"], row["entry_no"], row["exact"]) for row in found.figures["claims"]] == [
        (words, number, True)
        for words, number in zip(STOLEN, ("K-0540", "K-0541", "K-0542", "K-0543"), strict=True)
    ]
    assert {row["q"] for row in found.changes if row["turn"] == "worse"} == {
        "选民证丢了怎么办？", "选举日是哪一天？", "到哪里投票？", "可以委托别人投票吗？",
    }  # fmt: skip
    with pytest.raises(Invalid, match="check_blocked"):
        await publish(store, thief, cast.wang_fang, now)
    async with store.transaction() as session:
        await checks.ask_override(session, thief, "试验两人放行被偷的问法", actor=second, now=now)
        await checks.override(session, thief, actor=cast.wang_fang, now=now)
    await publish(store, thief, cast.wang_fang, now)


async def test_one_stolen_phrasing_is_enough(store: Store, cast: Cast, now: datetime) -> None:
    await a_base(store, cast, now)
    thief = await in_review(store, cast, now, **(OTHER | {"phrasings": (*OTHER["phrasings"], "哪天投票")}))
    found = await checked(store, thief, cast.wang_fang, now)
    assert (found.state, found.figures["faults"]) == (CheckState.BLOCKED, ["claimed_words"])
    # Without it nothing speaks against the entry.
    honest = await in_review(store, cast, now, **OTHER)
    assert (await checked(store, honest, cast.wang_fang, now)).figures["claims"] == []


async def test_a_new_version_claims_nothing_of_its_own_entry(store: Store, cast: Cast, now: datetime) -> None:
    await a_base(store, cast, now)
    version = await in_review(store, cast, now, "K-0541", **DAY)
    found = await checked(store, version, cast.wang_fang, now)
    assert (found.state, found.figures["claims"], found.changes) == (CheckState.PASSED, [], [])


async def test_words_claimed_are_told_where_the_version_is_not_shown(
    store: Store, cast: Cast, now: datetime
) -> None:
    await a_base(store, cast, now)
    changed = DAY | {"phrasings": (*DAY["phrasings"], "到哪里投票"), "scope_unit_id": cast.riverside.id}
    version = await in_review(store, cast, now, "K-0541", **changed)
    found = await checked(store, version, cast.wang_fang, now)
    assert [row["entry_no"] for row in found.figures["claims"]] == ["K-0542"]
    assert "claimed_words" in found.figures["faults"]


# --- what the domain demands ---


async def test_without_a_check_nothing_is_published(store: Store, cast: Cast, now: datetime) -> None:
    version = await in_review(store, cast, now)
    with pytest.raises(Conflict, match="check_needed"):
        await publish(store, version, cast.wang_fang, now)


async def test_a_check_of_another_wording_does_not_count(store: Store, cast: Cast, now: datetime) -> None:
    version = await in_review(store, cast, now)
    await checked(store, version, cast.wang_fang, now)
    async with store.transaction() as session:
        found = await get_version(session, version.id)
        await entries.send_back(session, found, "再短些", actor=cast.wang_fang, now=now)
        await entries.submit(session, found, actor=cast.li_qiang, now=now)
    with pytest.raises(Conflict, match="check_needed"):
        await publish(store, version, cast.wang_fang, now)


async def test_a_check_of_an_older_base_is_repeated(store: Store, cast: Cast, now: datetime) -> None:
    version = await in_review(store, cast, now)
    await checked(store, version, cast.wang_fang, now)
    async with store.transaction() as session:
        await an_entry(session, cast, now, **ANOTHER)
    with pytest.raises(Conflict, match="check_needed"):
        await publish(store, version, cast.wang_fang, now)
    await checked(store, version, cast.wang_fang, now)
    await publish(store, version, cast.wang_fang, now)


async def test_a_check_of_another_version_does_not_count(store: Store, cast: Cast, now: datetime) -> None:
    one, two = await in_review(store, cast, now), await in_review(store, cast, now)
    await checked(store, one, cast.wang_fang, now)
    with pytest.raises(Conflict, match="check_needed"):
        await publish(store, two, cast.wang_fang, now)


async def test_a_check_with_another_model_does_not_count(store: Store, cast: Cast, now: datetime) -> None:
    version = await in_review(store, cast, now)
    made = await checked(store, version, cast.wang_fang, now)
    async with store.transaction() as session:
        await session.execute(
            update(PublicationCheck).where(PublicationCheck.id == made.id).values(model_digest="0" * 64)
        )
    with pytest.raises(Conflict, match="check_needed"):
        await publish(store, version, cast.wang_fang, now)


async def test_a_base_that_moves_during_the_publication_undoes_it(
    store: Store, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = await in_review(store, cast, now)
    await checked(store, version, cast.wang_fang, now)
    real = checks.demand

    async def overtaken(session: Any, *rest: Any) -> Any:
        found = await real(session, *rest)
        await session.execute(update(BaseState).values(revision=BaseState.revision + 1))
        return found

    monkeypatch.setattr(checks, "demand", overtaken)
    with pytest.raises(Conflict, match="check_needed"):
        await publish(store, version, cast.wang_fang, now)
    async with store.reading() as session:
        assert (await get_version(session, version.id)).state is EntryState.IN_REVIEW


async def test_a_base_that_moves_during_the_replay_makes_it_worthless(
    store: Store, cast: Cast, now: datetime
) -> None:
    version = await in_review(store, cast, now)
    async with store.reading() as session:
        prepared = await rehearsal.prepare(session, version, now=now)
    async with store.transaction() as session:
        await an_entry(session, cast, now)
    found = await rehearsal.run(prepared)
    async with store.transaction() as session:
        with pytest.raises(Conflict, match="check_outdated"):
            await rehearsal.record(session, prepared, found, actor=cast.wang_fang, now=now)


async def test_only_who_may_publish_may_check(store: Store, cast: Cast, now: datetime) -> None:
    version = await in_review(store, cast, now)
    for person in (cast.li_qiang, cast.zhao_lei, cast.sun_jie):
        with pytest.raises(NotPermitted):
            await checked(store, version, person, now)


async def test_the_newest_check_counts(
    store: Store, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(golden, "shipped", lambda: OPEN)
    version = await blocked(store, cast, now)
    async with store.transaction() as session:
        for case in OPEN:
            question = await golden.add(session, case.q, topic="proxy", actor=cast.wang_fang, now=now)
        await golden.retire(session, question, actor=cast.wang_fang, now=now)
    # Two labels were wrong: what is left of the questions does not speak against it any more.
    assert (await checked(store, version, cast.wang_fang, now)).state is CheckState.BLOCKED
    async with store.transaction() as session:
        await golden.add(session, OPEN[2].q, topic="proxy", actor=cast.wang_fang, now=now)
    assert (await checked(store, version, cast.wang_fang, now)).state is CheckState.PASSED
    await publish(store, version, cast.wang_fang, now)


# --- the second person ---


async def test_two_persons_let_a_blocked_version_pass(
    store: Store, cast: Cast, now: datetime, second: Staff
) -> None:
    version = await blocked(store, cast, now)
    with pytest.raises(Invalid, match="check_blocked"):
        await publish(store, version, cast.wang_fang, now)
    reason = "换届后不再发选民证，电话13800001234"
    async with store.transaction() as session:
        asked = await checks.ask_override(session, version, reason, actor=cast.wang_fang, now=now)
        assert asked.reason.startswith("换届后不再发选民证")
        assert "13800001234" not in asked.reason
    with pytest.raises(Invalid, match="check_blocked"):
        await publish(store, version, cast.wang_fang, now)
    async with store.transaction() as session:
        with pytest.raises(NotPermitted, match="override_own"):
            await checks.override(session, version, actor=cast.wang_fang, now=now)
        found = await checks.override(session, version, actor=second, now=now)
    assert (found.state, found.overridden_by_id) == (CheckState.OVERRIDDEN, second.id)
    await publish(store, version, cast.wang_fang, now)
    async with store.reading() as session:
        lines, _ = await audit.listed(session)
    by_action = {line.action: line for line in reversed(lines)}
    for action in ("publication_check.ask_override", "publication_check.override"):
        assert by_action[action].facts["reason"] == asked.reason
    assert "resolved_less" in by_action["entry_version.publish"].facts["faults"]
    assert (await _sound(store)) is None


async def _sound(store: Store) -> audit.Fault | None:
    async with store.reading() as session:
        return (await audit.verify(session))[1]


async def test_an_override_wants_a_reason_a_block_and_an_asker(
    store: Store, cast: Cast, now: datetime, second: Staff
) -> None:
    passing = await in_review(store, cast, now)
    await checked(store, passing, cast.wang_fang, now)
    async with store.transaction() as session:
        with pytest.raises(Conflict, match="stale_card"):
            await checks.ask_override(
                session, passing, "以防万一，先申请放行吧", actor=cast.wang_fang, now=now
            )
    version = await blocked(store, cast, now)
    async with store.transaction() as session:
        with pytest.raises(Invalid, match="override_reason"):
            await checks.ask_override(session, version, " \n", actor=cast.wang_fang, now=now)
        with pytest.raises(Invalid, match="override_reason"):
            await checks.ask_override(
                session, version, "一 二三四五六七八九 \n", actor=cast.wang_fang, now=now
            )
    async with store.transaction() as session:
        with pytest.raises(Conflict, match="stale_card"):
            await checks.override(session, version, actor=second, now=now)


async def test_the_author_neither_asks_nor_agrees(
    store: Store, cast: Cast, now: datetime, second: Staff
) -> None:
    version = await blocked(store, cast, now)
    async with store.transaction() as session:
        author = await session.get_one(Staff, cast.li_qiang.id)
        author.roles = [Role.EDITOR.value, Role.REVIEWER.value]
    async with store.transaction() as session:
        with pytest.raises(NotPermitted, match="second_person_needed"):
            await checks.ask_override(session, version, "换届后改了办法，须当天答复", actor=author, now=now)
        await checks.ask_override(
            session, version, "换届后改了办法，须当天答复", actor=cast.wang_fang, now=now
        )
        with pytest.raises(NotPermitted, match="second_person_needed"):
            await checks.override(session, version, actor=author, now=now)
        for person in (cast.zhao_lei, cast.zhou_ning):
            with pytest.raises(NotPermitted, match="not_permitted"):
                await checks.override(session, version, actor=person, now=now)


async def test_an_account_that_the_asker_has_just_opened_is_no_second_person(
    store: Store, cast: Cast, now: datetime, second: Staff
) -> None:
    version = await blocked(store, cast, now)
    async with store.transaction() as session:
        await checks.ask_override(
            session, version, "换届后改了办法，须当天答复", actor=cast.wang_fang, now=now
        )
        session.add(
            Invite(
                token_digest="x",
                staff_id=second.id,
                created_by_id=cast.wang_fang.id,
                created_at=now,
                expires_at=now,
            )
        )
        await session.flush()
        with pytest.raises(NotPermitted, match="asker_too_new"):
            await checks.override(session, version, actor=second, now=now)


async def test_an_override_is_for_one_state_of_the_base(
    store: Store, cast: Cast, now: datetime, second: Staff
) -> None:
    version = await blocked(store, cast, now)
    async with store.transaction() as session:
        await checks.ask_override(
            session, version, "换届后改了办法，须当天答复", actor=cast.wang_fang, now=now
        )
        await checks.override(session, version, actor=second, now=now)
        await an_entry(session, cast, now, "K-0900", **ANOTHER)
    with pytest.raises(Conflict, match="check_needed"):
        await publish(store, version, cast.wang_fang, now)
    async with store.transaction() as session:
        with pytest.raises(Conflict, match="check_needed"):
            await checks.override(session, version, actor=second, now=now)


async def test_two_agree_at_once_and_it_counts_once(
    store: Store, cast: Cast, now: datetime, second: Staff
) -> None:
    version = await blocked(store, cast, now)
    async with store.transaction() as session:
        await checks.ask_override(
            session, version, "换届后改了办法，须当天答复", actor=cast.wang_fang, now=now
        )

    async def agree() -> None:
        async with store.transaction() as session:
            await checks.override(session, await get_version(session, version.id), actor=second, now=now)

    ended = await asyncio.gather(agree(), agree(), return_exceptions=True)
    assert sorted(type(one).__name__ for one in ended) == ["Conflict", "NoneType"]


async def test_titles_are_those_in_force(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        await an_entry(session, cast, now)
    await in_review(store, cast, now, "K-0540", **OTHER)
    await in_review(store, cast, now, question="新问题怎么问？")
    async with store.reading() as session:
        assert await checks.titles(session, {"K-0540", "K-2001", "K-9999"}) == {
            "K-0540": "选民证丢了怎么办？", "K-2001": "新问题怎么问？",
        }  # fmt: skip
