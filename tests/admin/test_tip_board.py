"""The board of a work tip: sending with its sums, receipts, reminders; and units beside tips."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from knowledge import tip_receipts
from knowledge.tip_receipts import Receipt, ReceiptWay
from knowledge.tips import WorkTip
from office import audit, broadcasts, outbox
from office.broadcasts import Broadcast, BroadcastState
from office.contacts import Channel, Contact
from office.outbox import Delivery, Undeliverable
from office.staff import Role, Staff
from office.store import Store
from office.units import Unit
from tests.admin.conftest import Browser, Clock, plain
from tests.make import HOURS, Cast
from tests.ticketing.tip_world import group, released, submitted
from ticketing import tip_posts, tip_questions, tip_release
from ticketing.tip_chases import TipChase

SignedIn = Callable[[Staff], Awaitable[Browser]]
KICKED = "TelegramForbiddenError: Forbidden: bot was kicked from the supergroup chat"


@pytest.fixture
async def tip(store: Store, cast: Cast, clock: Clock) -> WorkTip:
    """A released tip, laid out to two groups of 临江街道 and one of 北塘镇."""
    async with store.transaction() as session:
        for number, unit in enumerate((cast.riverside, cast.riverside, cast.north)):
            row = await group(session, unit, str(-1001 - number), clock())
            row.title = f"{unit.name}<b>{number}</b>群"
    return await released(store, cast, clock())


async def arrive(store: Store, clock: Clock, *outcomes: Undeliverable | None) -> None:
    """What becomes of the next messages, in their order: None is sent."""
    async with store.transaction() as session:
        claimed = await outbox.claim(session, [Channel.TELEGRAM], limit=len(outcomes), now=clock())
        for (delivery, _), outcome in zip(claimed, outcomes, strict=True):
            if outcome is None:
                await outbox.sent(session, delivery.id, now=clock())
                await tip_posts.noted(session, delivery, message_id=delivery.id, refused=False, now=clock())
            else:
                await outbox.failed(session, delivery.id, outcome, now=clock())


async def the_run(store: Store) -> Broadcast:
    async with store.reading() as session:
        return (await session.scalars(select(Broadcast).order_by(Broadcast.id))).first()  # type: ignore[return-value]


async def person(store: Store, clock: Clock, unit: Unit, *roles: Role) -> Staff:
    async with store.transaction() as session:
        found = Staff(name="何静", unit_id=unit.id, roles=[r.value for r in roles], created_at=clock())
        session.add(found)
    return found


def sums(page: str) -> list[int]:
    """The figures of the first broadcast: total, sent, failed, waiting, stopped."""
    part = page.partition('class="tip-sum"')[2].partition("</dl>")[0]
    return [int(piece.partition("<")[0]) for piece in part.split("<dd>")[1:]]


async def test_the_sending_is_told_with_its_sum_at_every_moment(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, tip: WorkTip
) -> None:
    desk = await signed_in(cast.wang_fang)
    board, fragment = f"/admin/tips/{tip.id}/board", f"/admin/tips/{tip.id}/board/progress"

    async def told() -> str:
        page, part = plain(await desk.get(board)), plain(await desk.client.get(fragment))
        total, *parts = sums(page)
        assert sum(parts) == total == 3
        assert sums(part) == [total, *parts]
        assert "<html" not in part
        return page

    page = await told()
    assert "已送达0/3" in page
    assert "发送中" in page
    assert '<progress value="0" max="3"' in page
    assert f'data-progress-url="{fragment}"' in page
    clock.pass_by(timedelta(seconds=1))
    await arrive(store, clock, None, Undeliverable(KICKED, permanent=True))
    page = await told()
    assert "已送达1/3，失败1（机器人被移出）" in page
    assert "每分钟1条，预计还要1分钟" in page
    assert KICKED not in page
    assert "data-finished>" not in page
    # The group's name comes from outside.
    assert "临江街道&lt;b&gt;1&lt;/b&gt;群" in (await desk.get(board)).text

    # A try whose end nobody knows, and then one more.
    await arrive(store, clock, Undeliverable("TimeoutError", uncertain=True))
    clock.pass_by(timedelta(minutes=1))
    await arrive(store, clock, None)
    page = await told()
    assert "已送达2/3，失败1（机器人被移出）" in page
    assert "可能重复1" in page
    assert "可能收到两次的群（1）" in page
    assert "已结束" in page
    assert f'action="{board}/pause"' not in page
    part = await desk.client.get(fragment)
    assert "data-finished>" in part.text
    assert part.headers["cache-control"] == "no-store"


async def test_pause_resume_and_stop_are_for_who_publishes_near_the_tip(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, tip: WorkTip
) -> None:
    run, board = await the_run(store), f"/admin/tips/{tip.id}/board"
    fields: dict[str, Any] = {"run": str(run.id), "version": "1"}
    far = await person(store, clock, cast.north, Role.REVIEWER)
    for somebody in (cast.li_qiang, cast.zhao_lei, far, cast.zhou_ning):
        desk = await signed_in(somebody)
        shown = await desk.get(board)
        assert shown.status_code == 200
        for act in ("pause", "resume", "stop"):
            assert f"/board/{act}" not in shown.text
            assert (await desk.post(f"{board}/{act}", fields)).status_code == 403

    desk = await signed_in(cast.wang_fang)
    await desk.get(board)
    paused = await desk.post(f"{board}/pause")
    assert paused.headers["location"] == f"{board}?done=pause"
    page = plain(await desk.get(paused.headers["location"]))
    assert "已暂停" in page
    assert "王芳 在" in page
    async with store.transaction() as session:
        assert await outbox.claim(session, [Channel.TELEGRAM], limit=5, now=clock()) == []
    # A page that is no longer fresh, and a broadcast of something else.
    stale = await desk.post(f"{board}/resume", {"version": "1"})
    assert stale.status_code == 409
    assert "刚才有人处理过" in stale.text
    assert "您写的还在" not in stale.text, "nothing was typed"
    async with store.transaction() as session:
        other = await broadcasts.begin(session, "news:1", actor=None, starts_at=clock(), now=clock())
    assert (await desk.post(f"{board}/stop", {"run": str(other.id), "version": "1"})).status_code == 404

    await desk.get(board)
    assert (await desk.post(f"{board}/resume")).status_code == 303
    await arrive(store, clock, None)
    page = plain(await desk.get(board))
    # It asks before it does: what it means stands folded away in front of the button.
    assert "不能恢复" in page.partition("停止…")[2].partition("</details>")[0]
    assert (await desk.post(f"{board}/stop")).status_code == 303
    page = plain(await desk.get(board))
    assert sums(page) == [3, 1, 0, 0, 2]
    assert "已停止" in page
    assert "/board/resume" not in page
    assert (await the_run(store)).state is BroadcastState.STOPPED
    async with store.reading() as session:
        acts = await session.scalars(
            select(audit.AuditEntry.action).where(audit.AuditEntry.subject == f"broadcast:{run.id}")
        )
        assert list(acts) == ["broadcast.begin", "broadcast.pause", "broadcast.resume", "broadcast.stop"]


async def test_receipts_are_shown_the_silent_first_noted_by_telephone_and_reminded(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, tip: WorkTip
) -> None:
    board = f"/admin/tips/{tip.id}/board"
    await arrive(store, clock, None, None, None)
    desk = await signed_in(cast.li_qiang)
    page = plain(await desk.get(f"{board}?unit={cast.north.id}"))
    assert "未阅单位（2）" in page
    assert f'<option value="{cast.north.id}" selected>' in page
    empty = await desk.post(f"{board}/receipts", {"unit": str(cast.riverside.id), "signer": " "})
    assert empty.status_code == 422
    assert "请填写电话中签阅人的姓名" in empty.text
    assert f'<option value="{cast.riverside.id}" selected>' in empty.text
    number = {"unit": str(cast.riverside.id), "signer": "吴兰 13912345678"}
    refused = await desk.post(f"{board}/receipts", number)
    assert (refused.status_code, 'value="吴兰 13912345678"' in refused.text) == (422, True)
    assert "签阅人只写姓名，不写号码" in refused.text
    noted = await desk.post(f"{board}/receipts", {"unit": str(cast.riverside.id), "signer": "<i>吴兰</i>"})
    assert noted.headers["location"] == f"{board}?done=noted"
    again = await desk.post(f"{board}/receipts", {"unit": str(cast.riverside.id), "signer": "别人"})
    assert "以第一次为准" in (await desk.get(again.headers["location"])).text
    text = (await desk.get(board)).text
    assert "&lt;i&gt;吴兰&lt;/i&gt;" in text
    assert "电话（李强 记录）" in text
    assert text.index("未阅单位（1）") < text.index("北塘镇") < text.index("已阅单位（1）")
    assert "50%" in text
    assert "还不到24小时" in text
    not_asked = {"unit": str(cast.district.id), "signer": "吴兰"}
    assert (await desk.post(f"{board}/receipts", not_asked)).status_code == 404

    assert (await desk.post(f"{board}/chase")).headers["location"] == f"{board}?done=chased"
    assert "已催阅未阅单位" in (await desk.get(f"{board}?done=chased")).text
    assert (await desk.post(f"{board}/chase")).status_code == 303
    third = await desk.post(f"{board}/chase")
    assert third.status_code == 409
    assert "今天已经催阅两次，不能再催。请用电话名单联系未阅单位。" in third.text
    clock.pass_by(timedelta(hours=10))
    desk = await signed_in(cast.li_qiang)
    await desk.get(board)
    closed = plain(await desk.post(f"{board}/chase"))
    assert "现在不是值班时间，不能催阅。下次值班：11月" in closed
    assert "催阅记录（2）" in closed
    async with store.reading() as session:
        told = await session.scalars(select(Delivery).where(Delivery.kind == "tip_chase"))
        assert {row.facts["unit"] for row in told} == {"北塘镇"}
        assert len(list(await session.scalars(select(TipChase)))) == 2


async def test_a_unit_sees_its_own_line_and_signs_in_the_console(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, tip: WorkTip
) -> None:
    board = f"/admin/tips/{tip.id}/board"
    desk = await signed_in(cast.zhao_lei)
    page = plain(await desk.get(board))
    assert "临江街道" not in page
    assert "您看到的是本单位范围内的" in page
    assert sums(page) == [3, 0, 0, 3, 0]
    assert "北塘镇还没有签阅这一期" in page
    assert "/board/chase" not in page
    assert (await desk.post(f"{board}/chase")).status_code == 403
    # For a unit that is not one's own nobody signs, nor notes what was said.
    foreign = await desk.post(f"{board}/read", {"unit": str(cast.riverside.id)})
    assert foreign.status_code == 403
    elsewhere = {"unit": str(cast.riverside.id), "signer": "吴兰"}
    assert (await desk.post(f"{board}/receipts", elsewhere)).status_code == 403
    await desk.get(board)
    signed = await desk.post(f"{board}/read")
    assert signed.headers["location"] == f"{board}?done=read"
    page = plain(await desk.get(board))
    assert "赵磊" in page
    assert "后台" in page
    assert "还没有签阅" not in page
    async with store.reading() as session:
        (receipt,) = (await session.scalars(select(Receipt))).all()
        assert (receipt.unit_id, receipt.way) == (cast.north.id, ReceiptWay.CONSOLE)
    # Of the office above nobody signs for them; an administrator sees and does nothing else.
    reader = await signed_in(cast.zhou_ning)
    page = plain(await reader.get(board))
    assert "临江街道" in page
    for act in ("read", "receipts", "chase", "pause"):
        assert f"/board/{act}" not in page
    draft = await submitted(store, cast, clock())
    office = await signed_in(cast.wang_fang)
    assert (await office.get(f"/admin/tips/{draft.id}/board")).headers[
        "location"
    ] == f"/admin/tips/{draft.id}"
    assert (await desk.get(f"/admin/tips/{draft.id}/board")).status_code == 404
    waiting = await released(store, cast, clock(), send_at=clock() + timedelta(hours=3))
    assert "定于11月20日（周五）13:05发送" in plain(await office.get(f"/admin/tips/{waiting.id}/board"))


async def test_what_still_reads_as_before_and_the_questions_about_a_tip(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, tip: WorkTip
) -> None:
    board = f"/admin/tips/{tip.id}/board"
    await arrive(store, clock, None, None, None)
    async with store.transaction() as session:
        row = await session.get_one(WorkTip, tip.id)
        contact = (await session.scalars(select(Contact).where(Contact.address == "-1001"))).one()
        ticket = await tip_questions.ask(
            session, row, "过渡房怎么登记？", contact=contact, unit=cast.riverside,
            actor=cast.li_qiang.as_actor(), hours=HOURS, now=clock(),
        )  # fmt: skip
        await tip_release.withdraw(
            session, row, "口径有误", seen=row.version, actor=cast.wang_fang, now=clock()
        )
    desk = await signed_in(cast.wang_fang)
    page = plain(await desk.get(board))
    assert "还显示旧内容的群（3）" in page
    assert "更正通知" in page
    assert "/board/chase" not in page
    assert f'href="/admin?view=all&tip={tip.id}"' in page
    listed = (await desk.get(f"/admin?view=all&tip={tip.id}")).text
    assert ticket.ticket_no in listed
    assert f'name="tip" value="{tip.id}"' in listed
    assert ticket.ticket_no not in (await desk.get("/admin?view=all&tip=77")).text


async def test_units_beside_tips_whom_to_remind_and_the_file(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, tip: WorkTip
) -> None:
    second = await released(store, cast, clock(), title="只发临江", targets=(cast.riverside.id,))
    await released(store, cast, clock(), title="还没到时候", send_at=clock() + timedelta(days=1))
    async with store.transaction() as session:
        row = await session.get_one(WorkTip, tip.id)
        unit = await session.get_one(Unit, cast.north.id)
        await tip_receipts.acknowledge(
            session, row, unit, person=cast.zhao_lei, way=ReceiptWay.LINK, now=clock()
        )
    desk = await signed_in(cast.li_qiang)
    text = plain(await desk.get("/admin/tips/board"))
    assert "还没到时候" not in text
    rows = {
        name: text.partition(f'<th scope="row">{name}</th>')[2].partition("</tr>")[0]
        for name in ("临江街道", "北塘镇")
    }
    assert rows["临江街道"].count("未阅") == 2
    assert "✓" in rows["北塘镇"]
    assert "10:05" in rows["北塘镇"]
    assert "—" in rows["北塘镇"]
    assert "已阅 1/2" in text
    chase = text.partition('id="chase"')[2]
    assert "催阅名单（1）" in text
    assert f'href="/admin/tips/{second.id}/board">第2期' in chase
    assert "北塘镇" not in chase
    left = await desk.post("/admin/tips/board/export")
    assert left.headers["content-type"].startswith("text/csv")
    assert 'filename="tip_board-' in left.headers["content-disposition"]
    lines = left.content.decode("utf-8-sig")
    assert "2026年第1期" in lines
    # A file is read on other days, and in other offices.
    assert "✓ 2026-11-20 10:05:00" in lines
    assert "北京时间" in lines
    assert "工作提示签阅情况" in (await desk.get("/admin/exports")).text

    town = await signed_in(cast.zhao_lei)
    page = plain(await town.get("/admin/tips/board"))
    assert "临江街道" not in page
    assert "各单位都已签阅" in page
    admin = await signed_in(cast.zhou_ning)
    assert "导出" not in (await admin.get("/admin/tips/board")).text
    assert (await admin.post("/admin/tips/board/export")).status_code == 403
