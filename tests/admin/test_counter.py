"""The counter: one result, nothing shown again, everything in the audit but the person."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select

from knowledge.roll.records import LookupAct, ReceiptStop, RollState, Suppression
from office.audit import AuditEntry
from office.staff import Staff
from office.store import Store
from tests.admin.conftest import Browser
from tests.admin.roll_desk import RollDesk, open_roll
from tests.admin.station_desk import words
from tests.make import Cast
from tests.voters import HE_JIE, LIN_YAN, TAO_MIN, Voter

ADDRESS = "/admin/counter"


@pytest.fixture
async def desk(app: FastAPI, store: Store, cast: Cast, now: datetime, tmp_path: Path) -> RollDesk:
    return await open_roll(app, store, cast, now, tmp_path)


@pytest.fixture
async def at(signed_in: Callable[..., Any]) -> Callable[[Staff], Any]:
    """A browser with the counter before this person."""

    async def made(person: Staff) -> Browser:
        browser: Browser = await signed_in(person)
        await browser.get(ADDRESS)
        return browser

    return made


def typed(voter: Voter, **more: str) -> dict[str, str]:
    return {"name": voter.name, "number": voter.number, **more}


async def asked(browser: Browser, voter: Voter, reason: str = "in_person") -> Any:
    return await browser.post(f"{ADDRESS}/person", typed(voter, reason=reason))


async def audited(store: Store) -> list[AuditEntry]:
    async with store.reading() as session:
        return list(await session.scalars(select(AuditEntry).order_by(AuditEntry.id)))


def silent(page: str, *voters: Voter) -> bool:
    """Nothing of these voters stands on the page."""
    return not any(what in page for one in voters for what in (one.name, one.number, one.receipt))


async def test_the_person_at_the_counter_gets_one_result(
    store: Store, desk: RollDesk, at: Callable[..., Any]
) -> None:
    he_wei = await at(desk.he_wei)
    answer = await asked(he_wei, LIN_YAN)
    assert answer.status_code == 200, words(answer.text)
    page = words(answer.text)
    assert "已登记" in page
    assert "选区 第一选区" in page
    assert "今天已核对1次" in page
    assert answer.headers["cache-control"] == "no-store"
    assert silent(answer.text, LIN_YAN)
    assert "未查到" in words((await asked(he_wei, TAO_MIN)).text)
    by_code = await he_wei.post(f"{ADDRESS}/receipt", {"code": HE_JIE.receipt, "reason": "list_checked"})
    assert "已登记" in words(by_code.text)
    assert silent(by_code.text, HE_JIE)
    async with store.reading() as session:
        acts = list(await session.scalars(select(LookupAct).order_by(LookupAct.id)))
    assert [(act.staff_id, act.reason) for act in acts] == [
        (desk.he_wei.id, "in_person"), (desk.he_wei.id, "in_person"), (desk.he_wei.id, "list_checked")
    ]  # fmt: skip
    lines = [line for line in await audited(store) if line.action == "lookup.counter"]
    assert [line.actor_name for line in lines] == ["何伟"] * 3
    assert silent(str([line.facts for line in lines]), LIN_YAN, TAO_MIN, HE_JIE)


async def test_what_cannot_be_is_refused_without_being_shown(desk: RollDesk, at: Callable[..., Any]) -> None:
    he_wei = await at(desk.he_wei)
    wrong = Voter(LIN_YAN.name, LIN_YAN.number[:-1] + ("0" if LIN_YAN.number[-1] != "0" else "1"), "")
    answer = await asked(he_wei, wrong)
    assert answer.status_code == 422
    assert "身份证号码有误" in answer.text
    assert wrong.number not in answer.text
    assert LIN_YAN.name not in answer.text
    unreasoned = await asked(he_wei, LIN_YAN, reason="")
    assert unreasoned.status_code == 422
    assert silent(unreasoned.text, LIN_YAN)
    mistyped = await he_wei.post(f"{ADDRESS}/receipt", {"code": "ABCDEFGHJ2", "reason": "in_person"})
    assert mistyped.status_code == 422
    assert "ABCDEFGHJ2" not in mistyped.text


async def test_a_lost_session_or_a_foreign_form_shows_nothing_either(
    desk: RollDesk, at: Callable[..., Any], browsing: Callable[..., Browser]
) -> None:
    stranger = browsing()
    answer = await stranger.client.post(f"{ADDRESS}/person", data=typed(LIN_YAN))
    assert answer.status_code == 401
    assert silent(answer.text, LIN_YAN)
    he_wei = await at(desk.he_wei)
    foreign = await he_wei.client.post(f"{ADDRESS}/person", data=typed(LIN_YAN, csrf="x"))
    assert foreign.status_code == 403
    assert silent(foreign.text, LIN_YAN)


async def test_only_who_may_look_up_gets_the_page(
    desk: RollDesk, cast: Cast, signed_in: Callable[..., Any]
) -> None:
    for person in (cast.li_qiang, cast.wang_fang, cast.zhou_ning):
        browser = await signed_in(person)
        assert (await browser.get(ADDRESS)).status_code == 403


async def test_a_closed_lookup_is_told_with_its_cause(
    store: Store, desk: RollDesk, now: datetime, at: Callable[..., Any]
) -> None:
    he_wei = await at(desk.he_wei)
    async with store.transaction() as session:
        state = await session.get_one(RollState, 1)
        state.stopped_at, state.stopped_why = now, "budget"
    answer = await asked(he_wei, LIN_YAN)
    assert answer.status_code == 409
    assert "查询已停止，等复核人员恢复" in answer.text
    desk.key_path.unlink()
    answer = await he_wei.post(f"{ADDRESS}/stop", {"code": LIN_YAN.receipt})
    assert answer.status_code == 422
    assert silent(answer.text, LIN_YAN)


async def test_a_lost_receipt_is_stopped_and_no_try_tells_of_it(
    store: Store, desk: RollDesk, at: Callable[..., Any]
) -> None:
    he_wei = await at(desk.he_wei)
    stopped = await he_wei.post(f"{ADDRESS}/stop", {"code": LIN_YAN.receipt})
    again = await he_wei.post(f"{ADDRESS}/stop", {"code": LIN_YAN.receipt})
    nobodys = await he_wei.post(f"{ADDRESS}/stop", {"code": TAO_MIN.receipt})
    assert "这个回执码已不能用于查询" in stopped.text
    assert words(stopped.text) == words(again.text) == words(nobodys.text)
    assert silent(stopped.text, LIN_YAN)
    found = await he_wei.post(f"{ADDRESS}/receipt", {"code": LIN_YAN.receipt, "reason": "receipt_lost"})
    assert "未查到" in words(found.text)
    async with store.reading() as session:
        assert await session.scalar(select(func.count()).select_from(ReceiptStop)) == 2
    assert [line.facts for line in await audited(store) if line.action == "receipt.stop"] == [{}] * 3


async def test_one_takes_out_of_sight_and_two_put_back(
    store: Store, desk: RollDesk, at: Callable[..., Any]
) -> None:
    he_wei, gu_lan = await at(desk.he_wei), await at(desk.gu_lan)
    without = await he_wei.post(f"{ADDRESS}/suppress", typed(LIN_YAN, basis=""))
    assert without.status_code == 422
    assert silent(without.text, LIN_YAN)
    done = await he_wei.post(f"{ADDRESS}/suppress", typed(LIN_YAN, basis="公函〔2026〕3号"))
    assert "已受保护" in words(done.text)
    assert silent(done.text, LIN_YAN)
    assert "请到登记站核实" in words((await asked(gu_lan, LIN_YAN)).text)
    # Whoever tries one alone learns nothing: not of the protected, not of others.
    first = await gu_lan.post(f"{ADDRESS}/lift", typed(LIN_YAN))
    other = await gu_lan.post(f"{ADDRESS}/lift", typed(TAO_MIN))
    again = await gu_lan.post(f"{ADDRESS}/lift", typed(LIN_YAN))
    assert "已记下" in words(first.text)
    assert words(first.text) == words(other.text) == words(again.text)
    async with store.reading() as session:
        assert await session.scalar(select(func.count()).select_from(Suppression)) == 1
    lifted = await he_wei.post(f"{ADDRESS}/lift", typed(LIN_YAN))
    assert "保护已解除" in words(lifted.text)
    assert "已登记" in words((await asked(gu_lan, LIN_YAN)).text)
    kept = [line for line in await audited(store) if line.action.startswith("suppression.")]
    assert [line.action for line in kept] == [
        "suppression.set", "suppression.ask_lift", "suppression.ask_lift", "suppression.ask_lift",
        "suppression.lift",
    ]  # fmt: skip
    assert {line.subject for line in kept} == {"roll:suppression"}
    assert all(line.facts == {} for line in kept)
