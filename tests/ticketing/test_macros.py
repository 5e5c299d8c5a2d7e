"""Macros: a unit's own short texts, without rules and dates of their own."""

from __future__ import annotations

from datetime import datetime

import pytest

from office.errors import Conflict, DeskError, NotFound, NotPermitted
from office.redact import PLACEHOLDER
from office.store import Store
from tests.make import Cast
from ticketing import macros


async def test_a_unit_and_those_below_it_use_its_macros(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        above = await macros.create(session, " 开 头 ", "您好！", actor=cast.li_qiang, now=now)
        below = await macros.create(session, "结尾", "祝您愉快。", actor=cast.zhao_lei, now=now)
        assert above.name == "开 头"
        assert [one.name for one in await macros.listed(session, cast.zhao_lei)] == ["开 头", "结尾"]
        assert [one.name for one in await macros.listed(session, cast.wang_fang)] == ["开 头"]
        assert (await macros.get(session, cast.zhao_lei, above.id)).text == "您好！"
        with pytest.raises(NotFound, match="macro_unknown"):
            await macros.get(session, cast.li_qiang, below.id)


async def test_a_retired_name_is_free_again(store: Store, cast: Cast, now: datetime) -> None:
    async with store.transaction() as session:
        one = await macros.create(session, "开头", "您好！", actor=cast.li_qiang, now=now)
        with pytest.raises(Conflict, match="macro_exists"):
            await macros.create(session, "开头", "您好呀！", actor=cast.wang_fang, now=now)
        with pytest.raises(NotPermitted):
            await macros.retire(session, one.id, actor=cast.zhao_lei, now=now)
        for _ in range(2):
            await macros.retire(session, one.id, actor=cast.wang_fang, now=now)
        assert await macros.listed(session, cast.li_qiang) == []
        again = await macros.create(session, "开头", "您好呀！", actor=cast.wang_fang, now=now)
        assert (again.id, again.text, again.author_id) == (one.id, "您好呀！", cast.wang_fang.id)
        with pytest.raises(NotFound, match="macro_unknown"):
            await macros.retire(session, 999, actor=cast.li_qiang, now=now)


@pytest.mark.parametrize(
    ("name", "text", "key"),
    [
        ("", "您好", "macro_empty"),
        ("开头", " ", "macro_empty"),
        ("开" * 41, "您好", "macro_long"),
        ("开头", "好" * 501, "macro_long"),
        ("期限", "登记到12月5日截止。", "lint_date"),
        ("期限", "登记到{{ cal.registration }}。", "lint_variable"),
    ],
)
async def test_what_must_not_come_in_this_way(
    store: Store, cast: Cast, now: datetime, name: str, text: str, key: str
) -> None:
    async with store.transaction() as session:
        with pytest.raises(DeskError, match=key):
            await macros.create(session, name, text, actor=cast.li_qiang, now=now)


async def test_numbers_never_enter_and_there_is_an_end_to_it(
    store: Store, cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(macros, "MOST", 1)
    async with store.transaction() as session:
        one = await macros.create(session, "电话", "打13800138001", actor=cast.li_qiang, now=now)
        assert one.text == f"打{PLACEHOLDER}"
        with pytest.raises(Conflict, match="macro_most"):
            await macros.create(session, "开头", "您好", actor=cast.li_qiang, now=now)
        with pytest.raises(NotPermitted):
            await macros.create(session, "开头", "您好", actor=cast.zhou_ning, now=now)
