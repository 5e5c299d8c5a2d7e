"""Packages of the roll through the pages: carried in by one, seen as counts, applied by another."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import select

from knowledge.roll import imports, keys
from knowledge.roll.records import ImportState, ReceiptStop, RollImport, RollState, Suppression
from office.changes import Change, ChangeKind
from office.store import Store
from tests import rolls
from tests.admin.conftest import Browser
from tests.admin.roll_desk import RollDesk, open_roll, sent
from tests.admin.station_desk import words
from tests.make import Cast
from tests.voters import CAST, HE_JIE, LIN_YAN, OUYANG, TAO_MIN


@pytest.fixture
async def desk(app: FastAPI, store: Store, cast: Cast, now: datetime, tmp_path: Path) -> RollDesk:
    return await open_roll(app, store, cast, now, tmp_path)


@pytest.fixture
async def zhou_ning(cast: Cast, signed_in: Callable[..., Any]) -> Browser:
    """Carries packages in and may not apply one."""
    made: Browser = await signed_in(cast.zhou_ning)
    return made


@pytest.fixture
async def wang_fang(cast: Cast, signed_in: Callable[..., Any]) -> Browser:
    made: Browser = await signed_in(cast.wang_fang)
    return made


async def carried_in(browser: Browser, content: bytes, name: str = "东浦区.roll") -> Any:
    await browser.get("/admin/roll")
    return await browser.post("/admin/roll/imports", **sent(content, name))


async def taken(browser: Browser, content: bytes) -> str:
    """The address of the import that a sound package becomes."""
    answer = await carried_in(browser, content)
    assert answer.status_code == 303, words(answer.text)
    address: str = answer.headers["location"].partition("?")[0]
    return address


async def current(store: Store) -> RollImport:
    async with store.reading() as session:
        found = await imports.in_force(session)
    assert found is not None
    return found


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Temporary files of other tests, which run at the same time, are none of ours."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))


def left_files() -> list[Path]:
    return list(Path(tempfile.gettempdir()).glob("one-window-package-*"))


# --- the way in ---


async def test_one_carries_in_another_applies_and_the_page_shows_counts_only(
    store: Store, desk: RollDesk, zhou_ning: Browser, wang_fang: Browser
) -> None:
    first = await current(store)
    answer = await carried_in(zhou_ning, desk.package(*CAST, TAO_MIN))
    assert answer.status_code == 303, words(answer.text)
    assert left_files() == []
    address = answer.headers["location"].partition("?")[0]
    page = words((await zhou_ning.get(answer.headers["location"])).text)
    assert "名册包已通过检查，还没有启用" in page
    assert "新增的人 1" in page
    assert "没有变的人 4" in page
    assert "要由有启用权限的另一位同志来做" in page
    assert (await current(store)).id == first.id
    assert not any(voter.name in page or voter.number in page for voter in CAST)

    shown = words((await wang_fang.get(address)).text)
    assert "由周宁导入" in shown
    applied = await wang_fang.post(f"{address}/apply")
    assert applied.status_code == 303, words(applied.text)
    page = words((await wang_fang.get(applied.headers["location"])).text)
    assert "新名册已启用" in page
    assert "使用中" in page
    assert "已替换" in page
    assert (await current(store)).id != first.id


async def test_who_carried_it_in_cannot_apply_it(store: Store, desk: RollDesk, wang_fang: Browser) -> None:
    answer = await carried_in(wang_fang, desk.package(*CAST, TAO_MIN))
    address = answer.headers["location"].partition("?")[0]
    page = (await wang_fang.get(address)).text
    assert "/apply" not in page
    refused = await wang_fang.post(f"{address}/apply")
    assert refused.status_code == 403
    async with store.reading() as session:
        states = set(await session.scalars(select(RollImport.state)))
    assert states == {ImportState.APPLIED, ImportState.PREPARED}


async def test_large_changes_must_be_ticked(
    store: Store, desk: RollDesk, zhou_ning: Browser, wang_fang: Browser
) -> None:
    answer = await carried_in(zhou_ning, desk.package(LIN_YAN, HE_JIE, OUYANG))
    address = answer.headers["location"].partition("?")[0]
    page = (await wang_fang.get(address)).text
    assert "现有名册中25%的人在新名册里没有了" in page
    assert "1 个已打印的回执码将失效" in page
    refused = await wang_fang.post(f"{address}/apply")
    assert refused.status_code == 422
    assert "全部勾选后再启用" in refused.text
    assert (await wang_fang.post(f"{address}/apply", {"meant": "gone"})).status_code == 422
    applied = await wang_fang.post(f"{address}/apply", {"meant": ["gone", "receipts_gone"]})
    assert applied.status_code == 303, words(applied.text)


async def test_under_another_key_persons_are_not_compared_and_what_ends_must_be_ticked(
    store: Store, desk: RollDesk, cast: Cast, now: datetime, zhou_ning: Browser, wang_fang: Browser
) -> None:
    async with store.transaction() as session:
        (await session.get_one(RollImport, 1)).key_id = "f" * 16
        who = {"at": now, "staff_id": cast.wang_fang.id}
        session.add_all([Suppression(digest=bytes(16), basis="第7号文件", **who)])
        session.add_all([ReceiptStop(digest=bytes([n]) * 16, **who) for n in range(2)])
    address = await taken(zhou_ning, desk.package(LIN_YAN, HE_JIE))
    page = words((await wang_fang.get(address)).text)
    assert "换了密钥，人数不能逐个比较" in page
    assert "1 位保护对象要在做包时用 --suppress 重新写入" in page
    assert "2 个已停用回执码的记录" in page
    assert "2 个已打印的回执码将失效" in page
    assert "%的人" not in page
    assert "移出的人" not in page
    meant = ["other_key", "receipts_gone", "protected"]
    assert (await wang_fang.post(f"{address}/apply", {"meant": meant})).status_code == 422
    applied = await wang_fang.post(f"{address}/apply", {"meant": [*meant, "stopped"]})
    assert applied.status_code == 303, words(applied.text)


async def test_the_page_that_was_read_must_be_the_present_one(
    store: Store, desk: RollDesk, zhou_ning: Browser, wang_fang: Browser
) -> None:
    address = await taken(zhou_ning, desk.package(*CAST, TAO_MIN))
    await wang_fang.get(address)
    refused = await wang_fang.post(f"{address}/apply", {"version": "1"})
    assert refused.status_code == 409
    dropped = await wang_fang.post(f"{address}/drop")
    assert dropped.status_code == 303, words(dropped.text)
    await taken(zhou_ning, desk.package(*CAST, TAO_MIN))


async def test_figures_of_before_are_compared_anew(
    store: Store, desk: RollDesk, zhou_ning: Browser, wang_fang: Browser
) -> None:
    address = await taken(zhou_ning, desk.package(*CAST, TAO_MIN, hours=24))
    older = await taken(zhou_ning, desk.package(*CAST, TAO_MIN, hours=12))
    await wang_fang.get(older)
    assert (await wang_fang.post(f"{older}/apply", {"meant": "gone"})).status_code == 303
    shown = (await wang_fang.get(address)).text
    assert "请重新比对" in shown
    assert (await wang_fang.post(f"{address}/apply")).status_code == 409
    await wang_fang.get(address)
    assert (await wang_fang.post(f"{address}/compare")).status_code == 303
    assert "新增的人 0" in words((await wang_fang.get(address)).text)


async def test_back_to_the_one_before_needs_a_reason(
    store: Store, desk: RollDesk, zhou_ning: Browser, wang_fang: Browser
) -> None:
    first = await current(store)
    address = (
        (await carried_in(zhou_ning, desk.package(*CAST, TAO_MIN))).headers["location"].partition("?")[0]
    )
    await wang_fang.get(address)
    await wang_fang.post(f"{address}/apply")
    await wang_fang.get("/admin/roll")
    refused = await wang_fang.post("/admin/roll/roll-back", {"why": " "})
    assert refused.status_code == 422
    assert "请写明退回的原因" in refused.text
    back = await wang_fang.post("/admin/roll/roll-back", {"why": "小组编号整体错位"})
    assert back.status_code == 303, words(back.text)
    assert (await current(store)).id == first.id


# --- what is refused, in words ---


async def test_every_refusal_is_told_and_nothing_changes(
    store: Store, desk: RollDesk, zhou_ning: Browser
) -> None:
    sound = desk.package(*CAST, TAO_MIN)
    altered = bytearray(sound)
    altered[-70] ^= 1
    foreign = keys.make(rolls.ELECTION)
    other = desk.folder / "foreign.roll"
    rolls.write(other, foreign, rolls.rows(foreign.digest))
    told = {
        "没有使用": bytes(altered),
        "不完整": sound[:-100],
        "不是由现在认可的离线电脑签名": other.read_bytes(),
        "不比正在使用的名册": desk.package(*CAST, hours=-24),
        "11月19日（周四）16:00": desk.package(*CAST, hours=-48),
    }
    for expected, content in told.items():
        answer = await carried_in(zhou_ning, content)
        assert answer.status_code == 422, expected
        assert expected in words(answer.text)
    assert (await carried_in(zhou_ning, sound)).status_code == 303
    again = await carried_in(zhou_ning, sound)
    assert "以前已经导入过" in words(again.text)
    assert left_files() == []
    async with store.reading() as session:
        assert len(list(await session.scalars(select(RollImport.id)))) == 2


@pytest.mark.parametrize("name", ["选民.csv", "选民.xlsx", "选民.roll"])
async def test_a_table_of_voters_is_refused_with_the_way_to_go(
    desk: RollDesk, zhou_ning: Browser, name: str
) -> None:
    row = f"{LIN_YAN.name},{LIN_YAN.number}\n".encode()
    answer = await carried_in(zhou_ning, "姓名,身份证号码\n".encode() + row, name)
    assert answer.status_code == 422
    assert "manage.py roll build" in answer.text
    assert 'type="file"' in answer.text  # the page itself, ready for the right file
    assert LIN_YAN.name not in answer.text
    assert LIN_YAN.number not in answer.text
    assert left_files() == []


async def test_without_a_file_or_a_key_the_page_says_so(
    desk: RollDesk, zhou_ning: Browser, cast: Cast
) -> None:
    await zhou_ning.get("/admin/roll")
    empty = await zhou_ning.post("/admin/roll/imports", **sent(b"", ""))
    assert empty.status_code == 422
    desk.key_path.rename(desk.key_path.with_suffix(".away"))
    answer = await carried_in(zhou_ning, desk.package(*CAST, TAO_MIN))
    assert answer.status_code == 422
    assert "密钥" in words(answer.text)


async def test_who_may_not_prepare_cannot_even_send_a_file(
    desk: RollDesk, cast: Cast, signed_in: Callable[..., Any]
) -> None:
    li_qiang = await signed_in(cast.li_qiang)
    await li_qiang.get("/admin/changes")
    assert (await li_qiang.get("/admin/roll")).status_code == 403
    await li_qiang.get("/admin/changes")
    refused = await li_qiang.post("/admin/roll/imports", **sent(desk.package()))
    assert refused.status_code == 403
    assert left_files() == []


async def test_a_stopped_lookup_and_no_roll_are_told(
    app: FastAPI, store: Store, cast: Cast, now: datetime, tmp_path: Path, wang_fang: Browser
) -> None:
    await open_roll(app, store, cast, now, tmp_path, install=False)
    assert "还没有名册" in words((await wang_fang.get("/admin/roll")).text)
    async with store.transaction() as session:
        state = await session.get_one(RollState, 1)
        state.stopped_at, state.stopped_why = now, "canary"
    page = words((await wang_fang.get("/admin/entries")).text)
    assert "选民状态查询已停止，等待您处理" in page


# --- whose packages ---


async def test_a_signer_is_proposed_by_one_and_signed_by_another(
    app: FastAPI, store: Store, cast: Cast, now: datetime, tmp_path: Path,
    signed_in: Callable[..., Any], wang_fang: Browser,
) -> None:  # fmt: skip
    await open_roll(app, store, cast, now, tmp_path, install=False)
    fresh = keys.make("东浦区2026")
    li_qiang = await signed_in(cast.li_qiang)
    await li_qiang.get("/admin/roll-signer")
    fields = {"public_key": fresh.signer[:-1], "election": "东浦区2026",
              "key_id": fresh.digest.key_id, "basis": "两人当面抄录"}  # fmt: skip
    refused = await li_qiang.post("/admin/roll-signer", fields)
    assert refused.status_code == 422
    assert "公钥应是64位" in refused.text
    assert fresh.signer[:-1] in refused.text
    fields["public_key"] = " ".join(fresh.signer[n : n + 4] for n in range(0, 64, 4)).upper()
    proposed = await li_qiang.post("/admin/roll-signer", fields)
    assert proposed.status_code == 303, words(proposed.text)
    address = proposed.headers["location"].partition("?")[0]
    page = words((await wang_fang.get(address)).text)
    assert fresh.signer[:4] + " " + fresh.signer[4:8] in page
    assert "逐组核对" in page
    assert (await wang_fang.post(f"{address}/sign")).status_code == 303
    assert fresh.signer[:4] + " " + fresh.signer[4:8] in (await wang_fang.get("/admin/roll-signer")).text
    async with store.reading() as session:
        kinds = list(await session.scalars(select(Change.kind).where(Change.kind == ChangeKind.SIGNER)))
    assert len(kinds) == 2
