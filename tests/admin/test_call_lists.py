"""The list of likely entries under a call: made for one question, and honest about what Enter would do."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from knowledge.versions import EntryLevel
from office.store import Store
from tests.admin.conftest import Clock
from tests.admin.test_calls import NEW, SignIn, entry, fields, rows
from tests.make import Cast, an_entry
from ticketing.ledgers import Outcome
from ticketing.records import Ticket

pytestmark = pytest.mark.parametrize("templates", ["sqlite"], indirect=True)
LIKELY = "/admin/calls/likely"
OTHER = "多大能登记"
__all__ = ["entry"]


async def age(store: Store, cast: Cast, clock: Clock, **more: object) -> int:
    async with store.transaction() as session:
        version = await an_entry(
            session, cast, clock.now - timedelta(days=1), "K-0541", topic="age", question="几岁可以登记？",
            phrasings=("多大能登记", "登记年龄", "十八岁算不算"), **more,
        )  # fmt: skip
    return version.id


async def test_an_entry_listed_for_another_question_is_not_recorded(
    signed_in: SignIn, store: Store, cast: Cast, clock: Clock, entry: int
) -> None:
    other = await age(store, cast, clock)
    browser = await signed_in(cast.li_qiang)
    await browser.get(NEW)
    sent = fields(browser, cast, then="spot", version_id=str(entry), preset=str(entry))
    for stale in ({**sent, "words": OTHER}, {**sent, "listed": ""}):
        refused = await browser.post(NEW, stale)
        assert refused.status_code == 409
        assert "请核对后再按一次 Enter" in refused.text
        assert stale["words"] in refused.text
        assert not await rows(store)
    refused = await browser.post(NEW, {**sent, "words": OTHER})
    assert f'value="{other}" checked' in refused.text
    made_for = re.search(r'name="listed" value="([0-9a-f]+)"', refused.text)
    assert made_for is not None
    # The form that came back belongs to the new question, and the same key records it.
    again = {**sent, "words": OTHER, "listed": made_for[1], "version_id": str(other)}
    assert (await browser.post(NEW, again)).status_code == 303
    (row,) = await rows(store)
    assert (row.entry_version_id, row.outcome) == (other, Outcome.ON_THE_SPOT)


async def test_lines_and_spaces_make_no_other_question(signed_in: SignIn, cast: Cast, entry: int) -> None:
    browser = await signed_in(cast.li_qiang)
    await browser.get(NEW)
    sent = fields(browser, cast, words="选民证\n弄丢了", then="spot", version_id=str(entry))
    assert (await browser.post(NEW, {**sent, "words": " 选民证\r\n弄丢了 "})).status_code == 303


async def test_what_nobody_chose_does_not_stay_chosen(
    signed_in: SignIn, store: Store, cast: Cast, clock: Clock, entry: int
) -> None:
    other = await age(store, cast, clock)
    browser = await signed_in(cast.li_qiang)
    await browser.get(NEW)
    both = fields(browser, cast, words="选民证弄丢了，登记年龄多大能登记", version_id=str(entry))
    kept = await browser.post(LIKELY, both)
    shown = set(re.findall(r'name="version_id" value="([0-9]+)"', kept.text))
    assert shown == {str(entry), str(other)}
    assert f'value="{entry}" checked' in kept.text
    fresh = (await browser.post(LIKELY, {**both, "preset": str(entry)})).text
    preset = re.search(r'name="preset" value="([0-9]*)"', fresh)
    assert preset is not None
    assert re.findall(r'value="([0-9]+)" checked', fresh) == [one for one in preset.groups() if one]


async def test_what_needs_review_is_not_said_to_be_read_out(
    signed_in: SignIn, store: Store, cast: Cast, clock: Clock
) -> None:
    async with store.transaction() as session:
        strict = await an_entry(session, cast, clock.now - timedelta(days=1), level=EntryLevel.SENSITIVE)
    browser = await signed_in(cast.li_qiang)
    await browser.get(NEW)
    alone = (await browser.post(LIKELY, fields(browser, cast))).text
    assert 'data-outcome="review"' in alone
    assert "只会转未答复" in alone
    assert "把握较大" not in alone
    assert f'value="{strict.id}" checked' in alone
    done = await browser.post(NEW, fields(browser, cast, then="spot", version_id=str(strict.id)))
    assert done.status_code == 303
    async with store.reading() as session:
        assert await session.scalar(select(func.count()).select_from(Ticket)) == 1
    async with store.transaction() as session:
        near = await an_entry(
            session, cast, clock.now - timedelta(days=1), "K-0542", question="选民证丢了怎么补办？",
            phrasings=("选民证弄丢怎么补", "丢了选民证补办", "选民证遗失补领"),
        )  # fmt: skip
    both = (await browser.post(LIKELY, fields(browser, cast))).text
    assert f'value="{near.id}"' in both
    if both.index(f'value="{strict.id}"') < both.index(f'value="{near.id}"'):
        assert "checked" not in both


async def test_a_phone_has_seven_to_fifteen_digits(
    signed_in: SignIn, store: Store, cast: Cast, entry: int
) -> None:
    browser = await signed_in(cast.li_qiang)
    await browser.get(NEW)
    refused = await browser.post(NEW, fields(browser, cast, then="owe", phone="138123", asker_name="张女士"))
    assert refused.status_code == 422
    assert "电话号码要有 7 到 15 位数字" in refused.text
    for kept in ("138123", "张女士", "我把选民证弄丢了"):
        assert kept in refused.text
    assert not await rows(store)


async def test_a_correction_says_so(signed_in: SignIn, cast: Cast, entry: int) -> None:
    browser = await signed_in(cast.li_qiang)
    await browser.get(NEW)
    done = await browser.post(NEW, fields(browser, cast, then="spot", version_id=str(entry)))
    await browser.get(done.headers["location"])
    corrected = await browser.post(f"{done.headers['location']}/correct", {"correction": "是单位经办"})
    page = (await browser.get(corrected.headers["location"])).text
    assert "更正已记录" in page
    assert "草稿已保存。" not in page
