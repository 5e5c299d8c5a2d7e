"""The end of the roll through its page: asked, carried out by another, certified, and closed."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from docx import Document
from fastapi import FastAPI
from sqlalchemy import func, select

from knowledge.roll.records import RollRow
from office.store import Store
from tests.admin.conftest import Browser, Clock
from tests.admin.roll_desk import RollDesk, open_roll
from tests.admin.station_desk import words
from tests.make import Cast

ADDRESS = "/admin/roll/purge"
LATE = timedelta(days=70)


@pytest.fixture
async def desk(
    app: FastAPI, store: Store, cast: Cast, now: datetime, clock: Clock, tmp_path: Path
) -> RollDesk:
    made = await open_roll(app, store, cast, now, tmp_path)
    clock.pass_by(LATE)
    return made


@pytest.fixture
async def wang_fang(desk: RollDesk, cast: Cast, signed_in: Callable[..., Any]) -> Browser:
    made: Browser = await signed_in(cast.wang_fang)
    return made


@pytest.fixture
async def feng_yi(desk: RollDesk, signed_in: Callable[..., Any]) -> Browser:
    made: Browser = await signed_in(desk.feng_yi)
    return made


async def asked(browser: Browser, **fields: str) -> Any:
    await browser.get(ADDRESS)
    return await browser.post(ADDRESS, {"basis": "选举委员会决定", **fields})


async def rows(store: Store) -> int:
    async with store.reading() as session:
        return await session.scalar(select(func.count()).select_from(RollRow)) or 0


def there(path: Path) -> bool:
    return path.exists()


async def test_one_asks_another_carries_out_and_a_certificate_tells(
    store: Store, desk: RollDesk, wang_fang: Browser, feng_yi: Browser
) -> None:
    assert (await asked(wang_fang)).status_code == 303
    page = (await wang_fang.get(ADDRESS)).text
    assert "carry-out" not in page  # not one's own
    address = f"{ADDRESS}/1/carry-out"
    assert (await wang_fang.post(address, {"sure": "1", "version": "1"})).status_code == 403
    await feng_yi.get(ADDRESS)
    unsure = await feng_yi.post(address)
    assert unsure.status_code == 422
    assert await rows(store) == 8
    done = await feng_yi.post(address, {"sure": "1"})
    assert done.status_code == 303, words(done.text)
    assert await rows(store) == 0
    assert not there(desk.key_path)
    page = words((await feng_yi.get(ADDRESS)).text)
    assert "覆盖并删除" in page
    assert "名册行（摘要） 8" in page
    paper = await feng_yi.get(f"{ADDRESS}/1/certificate")
    assert paper.headers["content-disposition"].startswith('attachment; filename="purge-certificate-20270129')
    told = "\n".join(paragraph.text for paragraph in Document(io.BytesIO(paper.content)).paragraphs)
    assert "选民名册数据清除证书" in told
    assert (await feng_yi.get(f"{ADDRESS}/1/certificate")).content == paper.content
    roll = words((await feng_yi.get("/admin/roll")).text)
    assert "名册已于1月29日（周五）10:05清除，查询已关闭" in roll


async def test_a_key_that_stays_is_told_and_tried_again(
    store: Store, desk: RollDesk, wang_fang: Browser, feng_yi: Browser
) -> None:
    desk.key_path.unlink()
    desk.key_path.mkdir()
    await asked(wang_fang)
    await feng_yi.get(ADDRESS)
    await feng_yi.post(f"{ADDRESS}/1/carry-out", {"sure": "1"})
    page = words((await feng_yi.get(ADDRESS)).text)
    assert "密钥没有销毁，请立即人工处理" in page
    assert "覆盖并删除。" not in page
    desk.key_path.rmdir()
    assert (await feng_yi.post(f"{ADDRESS}/1/finish")).status_code == 303
    assert "已没有密钥文件" in words((await feng_yi.get(ADDRESS)).text)


async def test_too_early_needs_a_reason_and_a_wish_can_be_taken_back(
    store: Store, desk: RollDesk, clock: Clock, now: datetime, cast: Cast, signed_in: Callable[..., Any]
) -> None:
    clock.now = now
    wang_fang = await signed_in(cast.wang_fang)
    refused = await asked(wang_fang)
    assert refused.status_code == 422
    assert "提前清除请写明原因" in words(refused.text)
    assert "选举委员会决定" in refused.text
    assert (await asked(wang_fang, reason="整体重做")).status_code == 303
    page = words((await wang_fang.get(ADDRESS)).text)
    assert "整体重做" in page
    assert (await wang_fang.post(f"{ADDRESS}/1/drop")).status_code == 303
    assert (await wang_fang.get(f"{ADDRESS}/1/certificate")).status_code == 404
    assert await rows(store) == 8


async def test_who_may_only_see_sees_and_does_nothing(
    desk: RollDesk, cast: Cast, signed_in: Callable[..., Any]
) -> None:
    zhou_ning = await signed_in(cast.zhou_ning)
    page = await zhou_ning.get(ADDRESS)
    assert page.status_code == 200
    assert "提出清除" not in page.text
    assert (await zhou_ning.post(ADDRESS, {"basis": "x"})).status_code == 403
    assert (await (await signed_in(cast.li_qiang)).get(ADDRESS)).status_code == 403
