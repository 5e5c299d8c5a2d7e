"""What a reply without a conclusion may say, and what it may not."""

from __future__ import annotations

from datetime import datetime

import pytest

from office.errors import Conflict
from office.store import Store
from tests.make import HOURS, Cast
from tests.ticketing.people import act
from tests.ticketing.work import everything_sent, taken
from ticketing import interim, progress

PHONES = ("0000-12345678",)


@pytest.mark.parametrize(
    "text",
    [
        "投票日是12月30日。", "请下午3点来。", "申诉期限是15日。", "依据第二十七条。", "要等一天。",
        "请打0000-87654321。", "您可以由家人代办。", "不可以代投。", "不用带身份证。",
        "周三来办理。", "明天答复您。",
    ],
)  # fmt: skip
async def test_what_concludes_does_not_leave(store: Store, cast: Cast, now: datetime, text: str) -> None:
    ticket = await taken(store, cast, now)  # promised today, Friday, 17:30
    with pytest.raises(Conflict, match="interim_conclusion"):
        await act(
            store, ticket, lambda s, t: interim.reply(s, t, text, actor=cast.li_qiang, hours=HOURS, now=now)
        )
    assert await everything_sent(store) == []


@pytest.mark.parametrize(
    "text",
    [
        "正在向登记站核实，请稍等。", "一位同事正在核实，请不要着急。",
        "编号{no}正在办理，11月20日17:30前答复。",
        "有急事可以拨打0000-12345678。", "目前还不能答复您，还没有结果。",
        "您能补充一下单位名称吗？", "周五前答复您。",
        "我们需要向上级请示。",
    ],
)  # fmt: skip
async def test_how_it_stands_may_be_said(store: Store, cast: Cast, now: datetime, text: str) -> None:
    ticket = await taken(store, cast, now)
    assert not progress.concludes(text.format(no=ticket.ticket_no), ticket, PHONES)
