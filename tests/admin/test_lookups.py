"""The reviewer: called when something is wrong, week by week through what staff looked up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from knowledge.roll import acts, circuit
from knowledge.roll.circuit import Why
from knowledge.roll.records import LookupResult, RollState, Way
from office.staff import Role, Staff
from office.store import Store
from tests.admin.conftest import Browser
from tests.admin.roll_desk import RollDesk, open_roll
from tests.admin.station_desk import words
from tests.make import Cast

ADDRESS = "/admin/lookups"
WEEK = timedelta(days=7)


@pytest.fixture
async def desk(app: FastAPI, store: Store, cast: Cast, now: datetime, tmp_path: Path) -> RollDesk:
    return await open_roll(app, store, cast, now, tmp_path)


@pytest.fixture
async def wang_fang(cast: Cast, signed_in: Callable[..., Any]) -> Browser:
    made: Browser = await signed_in(cast.wang_fang)
    return made


async def looked_up(store: Store, person: Staff | None, at: datetime, way: Way = Way.COUNTER) -> None:
    async with store.transaction() as session:
        await acts.record(
            session, way=way, channel="console", result=LookupResult.NOT_FOUND, now=at,
            staff_id=person.id if person else None, reason="in_person" if person else "",
        )  # fmt: skip


async def test_a_week_is_looked_through_once_and_then_waits_no_more(
    store: Store, desk: RollDesk, now: datetime, wang_fang: Browser
) -> None:
    for _ in range(2):
        await looked_up(store, desk.he_wei, now - WEEK)
    await looked_up(store, desk.gu_lan, now)
    await looked_up(store, None, now - WEEK, Way.IDENTITY)
    page = words((await wang_fang.get(ADDRESS)).text)
    assert "查询复核 1" in page  # on the way there
    assert "11月9日至11月15日" in page
    assert "何伟 柜台 本人持证到场 未查到 2" in page
    assert "11月13日 姓名和号码 0 1 0" in page
    assert "顾兰" not in page
    done = await wang_fang.post(f"{ADDRESS}/review", {"remark": "已向本人了解"})
    assert done.status_code == 303, words(done.text)
    page = words((await wang_fang.get(f"{ADDRESS}?week=2026-11-09")).text)
    assert "王芳已于" in page
    assert "已向本人了解" in page
    assert "还没有复核的周" not in page
    again = await wang_fang.post(f"{ADDRESS}/review", {"week": "2026-11-09"})
    assert again.status_code == 409
    open_week = await wang_fang.post(f"{ADDRESS}/review", {"week": "2026-11-16"})
    assert "这一周还没有结束" in open_week.text
    for odd in ("2026-11-10", "x", ""):
        assert (await wang_fang.post(f"{ADDRESS}/review", {"week": odd})).status_code == 422


async def test_nobody_looks_through_their_own(
    store: Store, desk: RollDesk, cast: Cast, now: datetime, wang_fang: Browser
) -> None:
    async with store.transaction() as session:
        person = await session.get_one(Staff, cast.wang_fang.id)
        person.roles = [*person.roles, Role.REGISTRAR.value]
    await looked_up(store, cast.wang_fang, now - WEEK)
    await wang_fang.get(ADDRESS)
    refused = await wang_fang.post(f"{ADDRESS}/review", {"remark": "都是我查的"})
    assert refused.status_code == 403
    assert "请另一位复核人员来看" in refused.text
    assert "都是我查的" in refused.text


async def test_an_alarm_calls_the_reviewer_on_every_page_until_seen(
    store: Store, desk: RollDesk, cast: Cast, now: datetime, wang_fang: Browser,
    signed_in: Callable[..., Any],
) -> None:  # fmt: skip
    assert "报警没有处理" not in (await wang_fang.get("/admin/entries")).text
    async with store.transaction() as session:
        await circuit.alarm(session, Why.CANARY, way="identity", now=now)
    assert "报警没有处理" in (await wang_fang.get("/admin/entries")).text
    assert "报警没有处理" not in (await (await signed_in(cast.li_qiang)).get("/admin/entries")).text
    page = words((await wang_fang.get(ADDRESS)).text)
    assert "查到诱饵" in page
    assert (await wang_fang.post(f"{ADDRESS}/seen", {"remark": " "})).status_code == 422
    assert (await wang_fang.post(f"{ADDRESS}/seen", {"remark": "是我们自己的演练"})).status_code == 303
    assert "报警没有处理" not in (await wang_fang.get("/admin/entries")).text


async def test_a_stop_is_lifted_with_a_reason(store: Store, desk: RollDesk, wang_fang: Browser) -> None:
    await wang_fang.get(ADDRESS)
    stopped = await wang_fang.post(f"{ADDRESS}/stop", {"reason": "名单可能泄露"})
    assert stopped.status_code == 303, words(stopped.text)
    assert "选民状态查询已停止" in (await wang_fang.get("/admin")).text
    page = words((await wang_fang.get(ADDRESS)).text)
    assert "由复核人员停止" in page
    assert (await wang_fang.post(f"{ADDRESS}/reopen", {"reason": ""})).status_code == 422
    opened = await wang_fang.post(f"{ADDRESS}/reopen", {"reason": "已查清，是误报"})
    assert opened.status_code == 303, words(opened.text)
    async with store.reading() as session:
        assert (await session.get_one(RollState, 1)).stopped_at is None


async def test_the_page_is_for_reviewers(desk: RollDesk, cast: Cast, signed_in: Callable[..., Any]) -> None:
    for person in (cast.li_qiang, desk.he_wei, cast.zhou_ning):
        assert (await (await signed_in(person)).get(ADDRESS)).status_code == 403
