"""The calendar in the console: seen, tried, proposed with everything that follows, refused by field."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from admin import calendar_strip
from admin.calendar_strip import Mark
from knowledge import elections
from knowledge.stations import Station, StationKind
from office import changes
from office.changes import ChangeKind, ChangeState
from office.store import Store
from tests.admin.conftest import Browser, Clock
from tests.make import Cast

HERE = "/admin/calendar"
FORM = "/admin/calendar/propose"


def filled(**more: Any) -> dict[str, Any]:
    """The form as 李强 fills it in: the sample election a week later."""
    return {
        "name": "示例选举", "region": "shanghai", "level": "county", "day": "2027-01-05", "voting_days": "1",
        "window_audience": ["居民登记", "单位登记", ""], "window_from": ["2026-11-16", "2026-11-18", ""],
        "window_to": ["2026-12-05", "2026-12-02", ""], "window_note": ["9:00–17:00", "", ""],
        "paper": "市选举委员会通知", "then": "propose",
    } | more  # fmt: skip


def text(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


async def proposed(browser: Browser, **more: Any) -> Any:
    await browser.get(FORM)
    return await browser.post(FORM, filled(**more))


async def test_every_milestone_is_drawn_and_stands_in_the_table(
    cast: Cast, signed_in: Callable[..., Any]
) -> None:
    li_qiang = await signed_in(cast.li_qiang)
    shown = (await li_qiang.get(HERE)).text
    assert "<svg" in shown
    assert 'role="img"' in shown
    words = text(shown)
    for said in (
        "选民名单公布",
        "12月9日",
        "最迟",
        "起诉截止",
        "细则25",
        "选举日前20日",
        "进行中",
        "2008年12月29日",
    ):
        assert said in words, said


async def test_without_a_calendar_nothing_is_invented(
    store: Store, cast: Cast, signed_in: Callable[..., Any], clock: Clock
) -> None:
    async with store.transaction() as session:
        change = await elections.change_in_force(session, date(2026, 11, 20))
        assert change is not None
        await changes.undo(session, change, actor=cast.wang_fang, now=clock())
    li_qiang = await signed_in(cast.li_qiang)
    shown = text((await li_qiang.get(HERE)).text)
    assert "还没有选举日程" in shown
    assert "12月" not in shown.split("试算")[0]
    assert "选举日未定" not in text((await li_qiang.get(FORM)).text)


async def test_any_day_can_be_tried_and_nothing_is_kept(
    store: Store, cast: Cast, signed_in: Callable[..., Any]
) -> None:
    """The known days of a past election."""
    li_qiang = await signed_in(cast.li_qiang)
    shown = await li_qiang.get(f"{HERE}/try", params={"day": "2021-11-16", "region": "shanghai"})
    assert shown.status_code == 200
    for day in ("10月27日", "11月1日", "11月9日", "11月11日", "11月14日"):
        assert day in shown.text
    posted = await li_qiang.get(f"{HERE}/try", params={"day": "2026-12-29", "posted": "2026-12-08"})
    assert "12月13日" in posted.text
    wrong = await li_qiang.get(f"{HERE}/try", params={"day": "2026-02-30"})
    assert wrong.status_code == 422
    assert "选举日" in text(wrong.text)
    late = await li_qiang.get(f"{HERE}/try", params={"day": "2026-12-29", "posted": "2027-01-02"})
    assert late.status_code == 422
    assert "选民名单公布" in text(late.text)
    async with store.reading() as session:
        assert await changes.count_waiting(session) == 0


async def test_polling_stations_closed_on_the_new_day_are_warned_of_until_their_hours_are_mended(
    store: Store, cast: Cast, signed_in: Callable[..., Any]
) -> None:
    hours = {"from": "2026-12-29", "to": "2026-12-29", "weekdays": "1-7", "spans": ["7:00-20:00"]}
    async with store.transaction() as session:
        session.add(
            Station(
                kind=StationKind.POLLING, code="12-01", name="书香苑投票站", unit_id=cast.riverside.id,
                groups=[], address="示例路2号", hours=[hours], access=[],
            )
        )  # fmt: skip
    li_qiang = await signed_in(cast.li_qiang)
    warning = "1个投票站的开放时间不在新的投票日：12-01"
    same = await proposed(li_qiang, then="look", day="2026-12-29")
    assert warning not in text(same.text)
    looked = await proposed(li_qiang, then="look")
    assert warning in text(looked.text)
    assert 'href="/admin/stations?kind=polling"' in looked.text
    assert "2027年1月5日（周二）" in text(looked.text)
    taken = await proposed(li_qiang, reason="市里统一推迟")
    address = taken.headers["location"].split("?")[0]
    wang_fang = await signed_in(cast.wang_fang)
    assert warning in text((await wang_fang.get(address)).text)
    assert "12-01" not in (await wang_fang.get("/admin/health")).text
    await wang_fang.get(address)
    assert (await wang_fang.post(f"{address}/sign")).status_code == 303
    assert "12-01 书香苑投票站" in text((await wang_fang.get("/admin/health")).text)
    shown = text((await wang_fang.get(address)).text)
    assert "订阅了日期提醒的群众会收到日期变动的消息" in shown


async def test_a_new_day_is_proposed_with_before_and_after_and_signed_by_another(
    store: Store, cast: Cast, signed_in: Callable[..., Any]
) -> None:
    li_qiang = await signed_in(cast.li_qiang)
    looked = await proposed(li_qiang, then="look")
    assert looked.status_code == 200
    words = text(looked.text)
    assert "推后7天" in words
    assert "12月16日" in words
    assert "单位登记" in words
    taken = await proposed(li_qiang, reason="市里统一推迟")
    assert taken.status_code == 303, text(taken.text)[:600]
    address = taken.headers["location"].split("?")[0]
    page = text((await li_qiang.get(address)).text)
    assert "推后7天" in page
    assert "位订阅的群众" in page
    assert "须由作者以外的另一位同志" in page or "等有签发权的同志签发" in page

    wang_fang = await signed_in(cast.wang_fang)
    await wang_fang.get(address)
    signed = await wang_fang.post(f"{address}/sign")
    assert signed.status_code == 303
    async with store.reading() as session:
        held = await elections.in_force(session, date(2026, 11, 20))
        assert held is not None
        assert held.day == date(2027, 1, 5)
    assert "1月5日" in (await li_qiang.get(HERE)).text


@pytest.mark.parametrize(
    ("field", "value", "anchor"),
    [
        ("day", "2026-11-19", "day"),
        ("window_to", ["2026-11-01", "2026-12-02", ""], "window_to_1"),
        ("window_to", ["2026-12-05", "2027-01-05", ""], "window_to_2"),
        ("window_from", ["2026-13-01", "2026-11-18", ""], "window_from_1"),
        ("window_audience", ["居民登记", "居民登记", ""], "window_audience_2"),
        ("posted_list_posted", "2027-01-06", "posted_list_posted"),
        ("offset_days_list_posted", "-25", "offset_basis_list_posted"),
        ("offset_days_list_posted", "二十", "offset_days_list_posted"),
    ],
)
async def test_a_contradiction_names_its_field_and_loses_nothing(
    store: Store, cast: Cast, signed_in: Callable[..., Any], field: str, value: Any, anchor: str
) -> None:
    li_qiang = await signed_in(cast.li_qiang)
    refused = await proposed(li_qiang, **{field: value})
    assert refused.status_code == 422
    assert f'href="#{anchor}"' in refused.text
    assert f'id="{anchor}"' in refused.text
    assert f'id="{anchor}-error"' in refused.text
    for typed in value if isinstance(value, list) else [value]:
        assert f'value="{typed}"' in refused.text or typed == ""
    assert "市选举委员会通知" in refused.text
    async with store.reading() as session:
        assert await changes.count_waiting(session) == 0


async def test_what_is_doubtful_needs_a_reason(
    store: Store, cast: Cast, signed_in: Callable[..., Any]
) -> None:
    """The amended list would be due on a Sunday."""
    li_qiang = await signed_in(cast.li_qiang)
    refused = await proposed(li_qiang, day="2027-01-04", window_to=["2026-12-16", "2026-12-02", ""])
    assert refused.status_code == 422
    assert "确要这样，在下面写明理由" in text(refused.text)
    taken = await proposed(
        li_qiang, day="2027-01-04", window_to=["2026-12-16", "2026-12-02", ""], reason="市里统一安排"
    )
    assert taken.status_code == 303
    async with store.reading() as session:
        (waiting,) = await changes.waiting(session)
        assert waiting.kind is ChangeKind.CALENDAR
        assert waiting.basis.endswith("（市里统一安排）")


async def test_a_line_is_added_without_script_and_without_a_proposal(
    store: Store, cast: Cast, signed_in: Callable[..., Any]
) -> None:
    li_qiang = await signed_in(cast.li_qiang)
    shown = await proposed(li_qiang, then="row", name="改了一半的名称", day="2026-1")
    assert shown.status_code == 200
    assert shown.text.count('name="window_audience"') == 3
    assert "改了一半的名称" in shown.text
    async with store.reading() as session:
        assert await changes.count_waiting(session) == 0


LOOKUP = {
    "lookup_from": ["2026-11-16", "2026-12-10", ""], "lookup_to": ["2026-12-01", "2026-12-31", ""],
    "lookup_note": ["", "每天8:00–20:00", ""], "reason": "市里统一推迟",
}  # fmt: skip


async def test_lookup_windows_are_entered_by_one_person_and_signed_by_another(
    store: Store, cast: Cast, signed_in: Callable[..., Any]
) -> None:
    li_qiang, wang_fang = await signed_in(cast.li_qiang), await signed_in(cast.wang_fang)
    shown = await li_qiang.get(FORM)
    assert 'id="lookup_from_1" name="lookup_from" type="date" value="2026-11-16"' in shown.text
    taken = await proposed(li_qiang, **LOOKUP)
    assert taken.status_code == 303, text(taken.text)[:600]
    address = taken.headers["location"].split("?")[0]
    async with store.reading() as session:
        held = await elections.in_force(session, date(2026, 11, 20))
    assert held is not None
    assert [window.last for window in held.lookup] == [date(2026, 12, 28)]
    waiting = text((await wang_fang.get(address)).text)
    assert "登记情况查询" in waiting
    assert "每天8:00–20:00" in waiting
    assert (await wang_fang.post(f"{address}/sign")).status_code == 303
    async with store.reading() as session:
        held = await elections.in_force(session, date(2026, 11, 20))
    assert held is not None
    assert [window.last for window in held.lookup] == [date(2026, 12, 1), date(2026, 12, 31)]
    assert text((await li_qiang.get(HERE)).text).count("登记情况查询") >= 2


async def test_a_calendar_without_lookup_windows_misses_nothing(
    cast: Cast, signed_in: Callable[..., Any]
) -> None:
    li_qiang, wang_fang = await signed_in(cast.li_qiang), await signed_in(cast.wang_fang)
    address = (await proposed(li_qiang, reason="市里统一推迟")).headers["location"].split("?")[0]
    await wang_fang.get(address)
    await wang_fang.post(f"{address}/sign")
    assert "登记情况查询" not in text((await li_qiang.get(HERE)).text)


@pytest.mark.parametrize(
    ("field", "value", "anchor", "said"),
    [
        ("lookup_to", ["2026-12-01", "2027-01-06", ""], "lookup_to_2", "登记情况查询 第2"),
        ("lookup_to", ["2026-12-01", "明天", ""], "lookup_to_2", "登记情况查询 第2"),
        ("lookup_from", ["2026-11-16", "2026-12-01", ""], "lookup_from_2", "登记情况查询 第2"),
    ],
)
async def test_a_lookup_window_that_cannot_be_names_its_field(
    cast: Cast, signed_in: Callable[..., Any], field: str, value: list[str], anchor: str, said: str
) -> None:
    li_qiang = await signed_in(cast.li_qiang)
    refused = await proposed(li_qiang, **LOOKUP | {field: value})
    assert refused.status_code == 422
    assert f'href="#{anchor}"' in refused.text
    assert f'id="{anchor}-error"' in refused.text
    assert all(f'value="{typed}"' in refused.text for typed in value if typed)


async def test_a_lookup_window_before_registration_is_asked_about_at_its_field(
    cast: Cast, signed_in: Callable[..., Any]
) -> None:
    li_qiang = await signed_in(cast.li_qiang)
    looked = await proposed(
        li_qiang, **LOOKUP | {"lookup_from": ["2026-11-15", "2026-12-10", ""], "then": "look"}
    )
    assert 'href="#lookup_from_1"' in looked.text
    assert "早于登记开始" in text(looked.text)


async def test_a_line_for_a_lookup_window_is_added_without_a_proposal(
    store: Store, cast: Cast, signed_in: Callable[..., Any]
) -> None:
    li_qiang = await signed_in(cast.li_qiang)
    shown = await proposed(li_qiang, **LOOKUP | {"then": "lookup"})
    assert shown.status_code == 200
    assert shown.text.count('name="lookup_from"') == 3
    assert shown.text.count('name="window_audience"') == 2
    async with store.reading() as session:
        assert await changes.count_waiting(session) == 0


async def test_without_a_basis_nothing_is_proposed(cast: Cast, signed_in: Callable[..., Any]) -> None:
    li_qiang = await signed_in(cast.li_qiang)
    refused = await proposed(li_qiang, paper=" ", reason="市里统一推迟")
    assert refused.status_code == 422
    assert "请写明依据" in refused.text
    assert "市里统一推迟" in refused.text


async def test_who_may_only_look_gets_no_form(cast: Cast, signed_in: Callable[..., Any]) -> None:
    zhou_ning = await signed_in(cast.zhou_ning)
    shown = await zhou_ning.get(HERE)
    assert shown.status_code == 200
    assert FORM not in shown.text
    assert (await zhou_ning.get(FORM)).status_code == 403


async def test_a_town_does_not_move_the_districts_election(cast: Cast, signed_in: Callable[..., Any]) -> None:
    zhao_lei = await signed_in(cast.zhao_lei)
    assert (await proposed(zhao_lei, reason="市里统一推迟")).status_code == 403


async def test_an_undone_calendar_gives_way_to_the_one_before(
    store: Store, cast: Cast, signed_in: Callable[..., Any]
) -> None:
    li_qiang, wang_fang = await signed_in(cast.li_qiang), await signed_in(cast.wang_fang)
    address = (await proposed(li_qiang, reason="市里统一推迟")).headers["location"].split("?")[0]
    await wang_fang.get(address)
    await wang_fang.post(f"{address}/sign")
    await wang_fang.get(address)
    assert (await wang_fang.post(f"{address}/undo")).status_code == 422
    assert (await wang_fang.post(f"{address}/undo", {"sure": "1"})).status_code == 303
    async with store.reading() as session:
        held = await elections.in_force(session, date(2026, 11, 20))
        assert held is not None
        assert held.day == date(2026, 12, 29)
        rows, _ = await changes.decided(session)
        assert rows[0].state is ChangeState.UNDONE


# ---- the drawing ----


def mark(first: date, last: date | None = None, label: str = "名单公布") -> Mark:
    return Mark(first, last or first, label, "info", True)


def test_lanes_stand_in_the_order_of_their_days_and_within_the_strip() -> None:
    marks = [mark(date(2026, 12, 29)), mark(date(2026, 11, 25), date(2026, 12, 5)), mark(date(2026, 12, 9))]
    strip = calendar_strip.drawn(marks, date(2026, 11, 20))
    assert [lane.left for lane in strip.lanes] == sorted(lane.left for lane in strip.lanes)
    assert all(lane.left >= 0 and lane.left + lane.width <= 100 for lane in strip.lanes)
    assert strip.today is not None
    assert 0 < strip.today < strip.lanes[0].left
    assert [day.month for day, _ in strip.months] == [12]
    # Words stand where there is room.
    assert [lane.before for lane in strip.lanes] == [False, False, True]


def test_a_day_far_away_does_not_squeeze_the_strip() -> None:
    strip = calendar_strip.drawn([mark(date(2021, 11, 16)), mark(date(2021, 10, 27))], date(2026, 11, 20))
    assert strip.today is None
    assert strip.lanes[1].left - strip.lanes[0].left > 50


def test_nothing_entered_draws_nothing() -> None:
    assert calendar_strip.drawn([], date(2026, 11, 20)) == calendar_strip.Strip((), (), None)


def test_names_of_months_do_not_run_into_each_other() -> None:
    strip = calendar_strip.drawn([mark(date(2026, 1, 15)), mark(date(2027, 12, 15))], date(2026, 11, 20))
    named = calendar_strip.months_apart(strip, 9.0)
    assert 1 < len(named) < len(strip.months)
    assert all(later - left >= 9 for (_, left), (_, later) in itertools.pairwise(named))
