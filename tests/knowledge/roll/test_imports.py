"""A roll carried in: prepared by one, applied by another, taken out again, and cleared away."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from sqlalchemy import func, select

from knowledge.roll import imports, keys, package, signers, staging
from knowledge.roll.keys import OfflineKey
from knowledge.roll.records import ImportState, Mark, RollImport, RollRow, RollState
from office import audit, changes
from office.errors import DeskError, Invalid, NotFound, NotPermitted
from office.staff import Staff
from office.store import Store
from office.words import LANGUAGES, catalogue, say
from tests import rolls
from tests.make import Cast
from tests.voters import AYGUL, CAST, HE_JIE, LIN_YAN, Voter, voter


@dataclass
class Hall:
    """The service of 东浦区 with one offline machine, and its two people for rolls."""

    store: Store
    cast: Cast
    now: datetime
    folder: Path
    key: OfflineKey = field(default_factory=lambda: keys.make(rolls.ELECTION))
    made: int = 0

    def package(self, voters: Sequence[Voter] = CAST, *, key: OfflineKey | None = None, **more: Any) -> Path:
        """A package, each made an hour after the one before."""
        self.made += 1
        path = self.folder / f"{self.made}.roll"
        marks = more.pop("marks", None)
        block = rolls.rows(self.key.digest, voters, marks=marks, receipts=more.pop("receipts", True))
        more.setdefault("made_at", rolls.MADE_AT + timedelta(hours=self.made))
        rolls.write(path, key or self.key, block, **more)
        return path

    async def prepared(self, path: Path | None = None, *, by: Staff | None = None) -> RollImport:
        return await imports.prepare(
            self.store,
            path or self.package(),
            key=self.key.digest,
            actor=by or self.cast.zhou_ning,
            now=self.now,
        )

    async def apply(self, row: RollImport, *, by: Staff | None = None, seen: int | None = None) -> None:
        async with self.store.transaction() as session:
            await imports.apply(
                session, await imports.get(session, row.id), seen=seen or row.version,
                actor=by or self.cast.wang_fang, now=self.now,
            )  # fmt: skip

    async def drop(self, row: RollImport, *, by: Staff | None = None) -> None:
        async with self.store.transaction() as session:
            found = await imports.get(session, row.id)
            await imports.drop(
                session, found, seen=row.version, actor=by or self.cast.wang_fang, now=self.now
            )

    async def applied(self, path: Path | None = None) -> RollImport:
        row = await self.prepared(path)
        await self.apply(row)
        return row

    async def roll_back(
        self, *, seen: int | None = None, why: str = "名册有误", by: Staff | None = None
    ) -> RollImport:
        async with self.store.transaction() as session:
            current = await imports.in_force(session)
            return await imports.roll_back(
                session, seen=seen or (current.version if current else 1), why=why,
                actor=by or self.cast.wang_fang, now=self.now,
            )  # fmt: skip

    async def asked(self) -> int | None:
        """The import that lookups ask."""
        async with self.store.reading() as session:
            found = await imports.in_force(session)
            return found.id if found else None

    async def state(self, row: RollImport) -> ImportState:
        async with self.store.reading() as session:
            return (await imports.get(session, row.id)).state

    async def rows(self, row: RollImport) -> int:
        async with self.store.reading() as session:
            statement = select(func.count()).select_from(RollRow).where(RollRow.import_id == row.id)
            return await session.scalar(statement) or 0

    async def clear_away(self, now: datetime | None = None) -> int:
        async with self.store.transaction() as session:
            return await imports.clear_away(session, now or self.now)


@pytest.fixture
async def hall(store: Store, cast: Cast, now: datetime, tmp_path: Path) -> Hall:
    found = Hall(store, cast, now, tmp_path)
    await rolls.trust(store, found.key, now)
    return found


async def reason(act: Awaitable[object]) -> str:
    """The key of the refusal; it has words, and they can be filled."""
    with pytest.raises(DeskError) as caught:
        await act
    for language in LANGUAGES:
        assert say(caught.value.key, language, **caught.value.facts)
    return caught.value.key


# ---- prepared by one, applied by another ----


async def test_a_roll_is_prepared_unseen_and_applied_by_a_second_person(hall: Hall):
    row = await hall.prepared()
    assert (row.state, row.rows, row.prepared_by_id) == (ImportState.PREPARED, 8, hall.cast.zhou_ning.id)
    assert await hall.asked() is None
    await hall.apply(row)
    assert await hall.asked() == row.id
    async with hall.store.reading() as session:
        applied = await imports.get(session, row.id)
        assert (applied.state, applied.applied_by_id) == (ImportState.APPLIED, hall.cast.wang_fang.id)
        lines, _ = await audit.listed(session, subject=f"roll_import:{row.id}")
        assert [line.action for line in lines] == ["roll_import.apply", "roll_import.prepare"]
        assert lines[0].facts["hash"] == row.package_hash


async def test_the_preview_counts_persons_against_the_roll_in_force(hall: Hall):
    await hall.applied()
    marks = {HE_JIE: Mark(0), voter(9): Mark.CANARY}
    row = await hall.prepared(hall.package([LIN_YAN, HE_JIE, voter(1), voter(2), voter(9)], marks=marks))
    counts = row.counts
    # 林 stands as before, 贺 has another mark, 欧阳 and 阿依 are gone, two are new, a canary is nobody.
    assert [counts[name] for name in ("new", "changed", "gone", "same")] == [2, 1, 2, 1]
    assert (counts["receipts_new"], counts["receipts_gone"]) == (3, 2)
    assert (counts["persons"], counts["refused"], counts["compared_with"]) == (4, 0, await hall.asked())


async def test_somebody_at_another_place_is_changed(hall: Hall):
    await hall.applied(hall.package(receipts=False))
    await hall.prepared(hall.package(receipts=False))
    other = (rolls.PLACES[0], ("第九选区", "19-01", ""))
    row = await hall.prepared(hall.package(receipts=False, places=other))
    assert [row.counts[name] for name in ("new", "changed", "gone", "same")] == [0, 2, 0, 2]


async def test_the_first_roll_is_all_new(hall: Hall):
    row = await hall.prepared()
    assert [row.counts[name] for name in ("new", "changed", "gone", "same")] == [4, 0, 0, 0]
    assert (row.counts["receipts_new"], row.counts["compared_with"]) == (4, 0)


async def test_the_same_person_cannot_apply_what_they_prepared(hall: Hall):
    row = await hall.prepared(by=hall.cast.wang_fang)
    assert await reason(hall.apply(row)) == "second_person_needed"
    assert await hall.asked() is None


async def test_who_may_do_what(hall: Hall):
    with pytest.raises(NotPermitted):
        await hall.prepared(by=hall.cast.li_qiang)
    row = await hall.prepared()
    for act in (hall.apply(row, by=hall.cast.zhou_ning), hall.drop(row, by=hall.cast.li_qiang)):
        with pytest.raises(NotPermitted):
            await act
    await hall.apply(row)
    with pytest.raises(NotPermitted):
        await hall.roll_back(by=hall.cast.zhou_ning)


async def test_a_page_that_is_out_of_date_applies_nothing(hall: Hall):
    row = await hall.prepared()
    assert await reason(hall.apply(row, seen=row.version + 1)) == "stale_card"
    await hall.apply(row)
    assert await reason(hall.apply(row, seen=row.version + 1)) == "stale_card"
    with pytest.raises(NotFound):
        async with hall.store.reading() as session:
            await imports.get(session, 999)


# ---- refusals ----


async def test_packages_that_are_not_ours_are_refused_each_with_its_reason(hall: Hall):
    stranger = keys.make(rolls.ELECTION)
    elsewhere = keys.OfflineKey(keys.make("西浦区2026").digest, hall.key.signing)
    another = keys.OfflineKey(stranger.digest, hall.key.signing)
    refused = [
        (hall.package(key=stranger), "signer"),
        (hall.package(key=elsewhere), "election"),
        (hall.package(key=another), "key"),
        (hall.package(digest_version=2), "digest_version"),
        (hall.package([]), "empty"),
        (hall.package([voter(1)], marks={voter(1): Mark.CANARY}), "empty"),
        (hall.package(made_at=hall.now + timedelta(days=2)), "future"),
        (hall.folder / "none.roll", "missing"),
    ]
    for path, wanted in refused:
        assert await reason(hall.prepared(path)) == f"roll_package.{wanted}"
    async with hall.store.reading() as session:
        assert await imports.listed(session) == []


async def test_a_service_with_another_key_takes_nothing(hall: Hall):
    path = hall.package()
    other = keys.make(rolls.ELECTION).digest
    act = imports.prepare(hall.store, path, key=other, actor=hall.cast.zhou_ning, now=hall.now)
    assert await reason(act) == "roll_package.key"


async def test_without_a_trusted_machine_nothing_is_taken(
    store: Store, cast: Cast, now: datetime, tmp_path: Path
):
    hall = Hall(store, cast, now, tmp_path)
    assert await reason(hall.prepared()) == "roll_package.no_signer"


async def test_an_altered_package_is_refused(hall: Hall):
    path = hall.package()
    content = bytearray(path.read_bytes())
    content[-70] ^= 1
    path.write_bytes(content)
    assert await reason(hall.prepared(path)) == "roll_package.altered"


async def test_what_was_in_force_once_is_not_taken_again(hall: Hall):
    path = hall.package()
    await hall.applied(path)
    assert await reason(hall.prepared(path)) == "roll_package.replayed"
    await hall.applied()
    await hall.roll_back()
    assert await reason(hall.prepared(hall.folder / "2.roll")) == "roll_package.replayed"


async def test_an_older_package_is_refused_at_both_steps(hall: Hall):
    oldest, older = hall.package(), hall.package()
    waiting = await hall.prepared(older)
    await hall.applied()
    assert await reason(hall.prepared(oldest)) == "roll_package.older"
    assert await reason(hall.apply(waiting)) == "roll_package.older"


async def test_a_machine_that_is_no_longer_trusted_applies_nothing(hall: Hall):
    row = await hall.prepared()
    async with hall.store.transaction() as session:
        change = (await changes.decided(session, kind=changes.ChangeKind.SIGNER))[0][0]
        await changes.undo(session, change, actor=hall.cast.wang_fang, now=hall.now)
    assert await reason(hall.apply(row)) == "roll_package.no_signer"
    other = keys.make(rolls.ELECTION)
    async with hall.store.transaction() as session:
        signer = signers.read(other.signer, rolls.ELECTION, hall.key.digest.key_id)
        change = await signers.propose(session, signer, basis="交接", actor=hall.cast.li_qiang, now=hall.now)
        await changes.sign(session, change, seen=1, actor=hall.cast.wang_fang, now=hall.now)
    assert await reason(hall.apply(row)) == "roll_package.signer"


async def test_counts_made_against_another_roll_are_made_anew_first(hall: Hall):
    first, second = await hall.prepared(), await hall.prepared(hall.package([LIN_YAN, AYGUL]))
    await hall.apply(first)
    assert await reason(hall.apply(second)) == "roll_import.compared"
    again = await imports.compare(hall.store, second.id, actor=hall.cast.zhou_ning, now=hall.now)
    assert (again.counts["same"], again.counts["gone"], again.counts["compared_with"]) == (2, 2, first.id)
    assert await reason(hall.apply(second)) == "stale_card"
    await hall.apply(again)
    assert await hall.asked() == second.id
    assert await reason(
        imports.compare(hall.store, second.id, actor=hall.cast.zhou_ning, now=hall.now)
    ) == "stale_card"  # fmt: skip


async def test_a_load_that_fails_may_be_tried_again(hall: Hall, monkeypatch: pytest.MonkeyPatch):
    path = hall.package()

    async def full(*args: object) -> None:
        raise OSError("no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(staging, "load", full)
        with pytest.raises(OSError, match="no space"):
            await hall.prepared(path)
    async with hall.store.reading() as session:
        assert [row.state for row in await imports.listed(session)] == [ImportState.DROPPED]
    row = await hall.applied(path)
    assert await hall.asked() == row.id


async def test_the_same_package_is_not_loaded_twice_at_once(hall: Hall, monkeypatch: pytest.MonkeyPatch):
    path, refusals = hall.package(), []

    async def load(*args: object, load: Callable[..., Awaitable[None]] = staging.load) -> None:
        refusals.append(await reason(hall.prepared(path)))
        await load(*args)

    monkeypatch.setattr(staging, "load", load)
    await hall.prepared(path)
    assert refusals == ["roll_package.loading"]


# ---- out again ----


async def test_one_person_takes_a_roll_out_and_the_one_before_is_asked_again(hall: Hall):
    first, second = await hall.applied(), await hall.applied()
    assert await hall.state(first) is ImportState.REPLACED
    back = await hall.roll_back(why="第三选区的小组编错了")
    assert (back.id, await hall.asked()) == (first.id, first.id)
    assert await hall.state(first) is ImportState.APPLIED
    assert await hall.state(second) is ImportState.ROLLED_BACK
    assert await reason(hall.roll_back()) == "roll_import.none_before"
    async with hall.store.reading() as session:
        lines, _ = await audit.listed(session, action="roll_import.roll_back")
        assert lines[0].facts["why"] == "第三选区的小组编错了"
    third = await hall.applied()
    assert await hall.asked() == third.id


async def test_taking_out_needs_a_reason_without_anybodys_number(hall: Hall):
    await hall.applied()
    await hall.applied()
    for why in (" ", "因" * 201):
        with pytest.raises(Invalid, match=r"roll_import\.why"):
            await hall.roll_back(why=why)
    assert await reason(hall.roll_back(seen=99)) == "stale_card"
    await hall.roll_back(why=f"{LIN_YAN.number} 登记有误")
    async with hall.store.reading() as session:
        lines, _ = await audit.listed(session, action="roll_import.roll_back")
        assert LIN_YAN.number not in lines[0].facts["why"]


async def test_the_first_roll_has_nothing_before_it(hall: Hall):
    assert await reason(hall.roll_back()) == "roll_import.none_before"
    await hall.applied()
    assert await reason(hall.roll_back()) == "roll_import.none_before"


async def test_a_roll_of_another_key_is_not_gone_back_to(hall: Hall):
    first = await hall.applied()
    await hall.applied()
    async with hall.store.transaction() as session:
        (await imports.get(session, first.id)).key_id = "0" * 16
    assert await reason(hall.roll_back()) == "roll_import.none_before"


async def test_a_prepared_import_is_dropped_and_may_come_again(hall: Hall):
    path = hall.package()
    row = await hall.prepared(path)
    await hall.drop(row, by=hall.cast.zhou_ning)
    assert await hall.state(row) is ImportState.DROPPED
    assert await reason(hall.drop(row)) == "stale_card"
    again = await hall.applied(path)
    assert await hall.asked() == again.id


async def test_only_a_stop_for_want_of_a_roll_ends_with_an_apply(hall: Hall):
    for why, left in ((imports.NO_ROLL, ""), ("budget", "budget")):
        async with hall.store.transaction() as session:
            state = await session.get_one(RollState, 1)
            state.stopped_at, state.stopped_why = hall.now, why
        await hall.applied()
        async with hall.store.reading() as session:
            state = await session.get_one(RollState, 1)
            assert (state.stopped_why, state.stopped_at is None) == (left, not left)


# ---- at once ----


async def won(*acts: Awaitable[object]) -> list[str]:
    """How each of several acts at once ended: empty, or the key of its refusal."""

    async def end(act: Awaitable[object]) -> str:
        try:
            await act
        except DeskError as refused:
            return refused.key
        return ""

    return list(await asyncio.gather(*(end(act) for act in acts)))


async def test_of_two_applies_at_once_one_wins(hall: Hall):
    one, two = await hall.prepared(), await hall.prepared()
    ends = await won(hall.apply(one), hall.apply(two))
    assert sorted(ends)[0] == ""
    assert set(ends) & {"roll_import.compared", "roll_package.older"}
    assert await hall.asked() == (one.id if ends[0] == "" else two.id)
    assert [await hall.state(row) for row in (one, two)].count(ImportState.APPLIED) == 1


async def test_the_same_import_is_applied_once(hall: Hall):
    row = await hall.prepared()
    assert sorted(await won(hall.apply(row), hall.apply(row), hall.apply(row))) == [
        "",
        "stale_card",
        "stale_card",
    ]


async def test_of_an_apply_and_a_drop_at_once_one_wins(hall: Hall):
    for _ in range(3):
        row = await hall.prepared()
        ends = await won(hall.apply(row), hall.drop(row))
        assert sorted(ends) == ["", "stale_card"]
        applied = ends[0] == ""
        assert await hall.state(row) is (ImportState.APPLIED if applied else ImportState.DROPPED)
        assert (await hall.asked() == row.id) is applied
        if applied:
            break


async def test_of_an_apply_and_a_roll_back_at_once_both_hold_in_some_order(hall: Hall):
    await hall.applied()
    second, third = await hall.applied(), await hall.prepared()
    ends = await won(hall.apply(third), hall.roll_back(seen=second.version + 1))
    assert "" in ends
    asked = await hall.asked()
    async with hall.store.reading() as session:
        applied = select(RollImport.id).where(RollImport.state == ImportState.APPLIED)
        assert list(await session.scalars(applied)) == [asked]


# ---- cleared away ----


async def test_what_nobody_can_ask_again_is_cleared_away_bit_by_bit(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(imports, "BATCH", 3)
    old, before, current = [await hall.applied() for _ in range(3)]
    waiting = await hall.prepared()
    assert [await hall.clear_away() for _ in range(4)] == [3, 3, 2, 0]
    assert [await hall.rows(row) for row in (old, before, current, waiting)] == [0, 8, 8, 8]
    async with hall.store.reading() as session:
        cleared = await imports.get(session, old.id)
        assert cleared.cleared_at == hall.now
        assert (await imports.get(session, before.id)).cleared_at is None


async def test_what_was_taken_out_or_dropped_is_cleared_away_too(hall: Hall):
    await hall.applied()
    out, dropped = await hall.applied(), await hall.prepared()
    await hall.roll_back()
    await hall.drop(dropped)
    assert [await hall.clear_away() for _ in range(3)] == [8, 8, 0]
    assert [await hall.rows(row) for row in (out, dropped)] == [0, 0]


async def test_exactly_one_batch_is_the_last_one(hall: Hall, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(imports, "BATCH", 8)
    await hall.drop(await hall.prepared())
    assert [await hall.clear_away() for _ in range(2)] == [8, 0]


async def test_a_load_that_stopped_an_hour_ago_is_given_up(hall: Hall, monkeypatch: pytest.MonkeyPatch):
    path = hall.package()

    async def crash(*args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(staging, "load", crash)
        patch.setattr(imports, "_give_up", crash)
        with pytest.raises(KeyboardInterrupt):
            await hall.prepared(path)
    assert await reason(hall.prepared(path)) == "roll_package.loading"
    await hall.clear_away(hall.now + timedelta(minutes=61))
    async with hall.store.reading() as session:
        assert [row.state for row in await imports.listed(session)] == [ImportState.DROPPED]
    await hall.prepared(path)


async def test_no_row_tells_who_it_is_of(hall: Hall):
    row = await hall.applied()
    async with hall.store.reading() as session:
        found = (await session.scalars(select(RollRow).where(RollRow.import_id == row.id))).all()
    digests = b"".join(one.digest for one in found)
    assert len(digests) == 16 * 8
    assert not any(v.number.encode() in digests or v.name.encode() in digests for v in CAST)
    assert np.frombuffer(digests, "u1").std() > 40


@pytest.mark.parametrize("module", [package, imports, signers], ids=lambda module: module.__name__)
def test_every_refusal_has_words(module: ModuleType):
    assert module.__file__
    source = Path(module.__file__).read_text(encoding="utf-8")
    found = set(re.findall(r'(?:BadPackage|Conflict|Invalid|NotFound)\(\s*"(roll[\w.]+)"', source))
    assert len(found) >= 4
    for language in LANGUAGES:
        assert not [key for key in found if key not in catalogue(language)]
