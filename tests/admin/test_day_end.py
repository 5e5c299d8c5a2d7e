"""日清 in the console: many tickets at once, what is missing, past days in both countings."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from admin import day_end as page
from office.staff import Role, Staff
from office.store import Store
from tests.admin.conftest import Clock
from tests.make import HOURS, Cast
from tests.ticketing import work
from tests.ticketing.shifts import FRIDAY, SATURDAY, at, person, shift
from tests.ticketing.test_day_end import with_phone
from ticketing import day_end

SignIn = Callable[[Staff], Any]
ONE = pytest.mark.parametrize("templates", ["sqlite"], indirect=True)


@ONE
async def test_all_that_are_missing_are_ticked_and_put_off_with_one_reason(
    store: Store, cast: Cast, signed_in: SignIn, clock: Clock
) -> None:
    for place in range(3):
        await work.opened(store, cast, clock(), words=f"第{place}个问题怎么办？")
    clock.now = at(FRIDAY, "17:31")
    li = await signed_in(cast.li_qiang)
    shown = (await li.get("/admin/day-end")).text
    assert "还有3张没有说明" in shown
    assert not re.findall(r'name="ticket" value="\d+" checked', shown)
    shown = (await li.get("/admin/day-end?tick=missing")).text
    ticked = re.findall(r'name="ticket" value="(\d+)" checked', shown)
    assert len(ticked) == 3
    refused = await li.post("/admin/day-end", {"kind": "tomorrow", "ticket": ticked[:2]})
    assert refused.status_code == 422
    # What was ticked and chosen is there again.
    assert len(re.findall(r'name="ticket" value="\d+" checked', refused.text)) == 2
    answer = await li.post(
        "/admin/day-end", {"kind": "tomorrow", "reason": "等区里答复", "ticket": ticked[:2]}
    )
    assert answer.headers["location"] == "/admin/day-end?done=disposed"
    shown = (await li.get("/admin/day-end?done=disposed")).text
    assert "还有1张没有说明" in shown
    assert shown.count("延至明日（等区里答复）") == 2
    for fields in ({"kind": "x", "ticket": ticked}, {"kind": "phoned", "ticket": "x"}, {"kind": "phoned"}):
        assert (await li.post("/admin/day-end", fields)).status_code == 422
    assert (await li.post("/admin/day-end", {"kind": "to_duty", "ticket": ticked})).status_code == 409
    rest = {"kind": "tomorrow", "reason": "等市里答复", "ticket": ticked}
    assert (await li.post("/admin/day-end", rest)).status_code == 303
    assert "都已说明" in (await li.get("/admin/day-end")).text


@ONE
async def test_only_what_can_be_true_of_the_tickets_is_offered(
    store: Store, cast: Cast, signed_in: SignIn, clock: Clock
) -> None:
    web = await work.opened(store, cast, clock())
    clock.now = at(FRIDAY, "17:31")
    li = await signed_in(cast.li_qiang)

    async def offered() -> list[str]:
        return re.findall(r'name="kind" value="(\w+)"', (await li.get("/admin/day-end")).text)

    assert await offered() == ["tomorrow"]
    refused = await li.post("/admin/day-end", {"kind": "phoned", "reason": "x", "ticket": str(web.id)})
    assert refused.status_code == 409
    assert f"没有留电话，不能选已电话：{web.ticket_no}" in refused.text
    await shift(store, cast, FRIDAY, "17:30-24:00", cast.wang_fang)
    await with_phone(store, cast, clock(), words="选民证丢了怎么办？")
    assert await offered() == ["tomorrow", "to_duty", "phoned"]
    assert (await li.get("/admin/day-end")).text.count("没有电话") == 1


@ONE
async def test_past_days_show_both_countings_with_numerator_and_denominator(
    store: Store, cast: Cast, signed_in: SignIn, clock: Clock
) -> None:
    taken = await work.taken(store, cast, clock())
    await work.opened(store, cast, clock(), words="没有答复的问题怎么办？")
    await work.answer(store, cast, taken, await work.entry(store, cast, clock()), clock())
    clock.now = at(SATURDAY, "24:00")
    async with store.transaction() as session:
        await day_end.close_day(session, HOURS, clock())
    shown = (await (await signed_in(cast.li_qiang)).get("/admin/day-end")).text
    rows = re.findall(r"<tr>\s*<td[^>]*>(11月\d+日).*?</tr>", shown, re.DOTALL)
    assert rows == ["11月21日", "11月20日"]
    assert shown.count(">1/2<") == 2
    assert shown.count("50%") == 2
    assert "非值班日" in shown
    observer = await signed_in(await person(store, "吴静", cast.district, clock(), Role.OBSERVER))
    shown = (await observer.get("/admin/day-end")).text
    assert 'name="ticket"' not in shown
    assert (await observer.post("/admin/day-end", {"kind": "phoned", "ticket": "1"})).status_code == 403


def test_a_share_never_reads_better_than_it_is() -> None:
    assert page.share([0, 0])["of"] == "—"
    assert page.share([1999, 2000]) == {"rate": "99.9%", "of": "1999/2000", "tone": "warn"}
    assert page.share([3, 3])["rate"] == "100%"
