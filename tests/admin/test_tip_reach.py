"""The units a tip has not reached: marked, telephoned, sent to again; receipts taken back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from knowledge.tips import WorkTip
from office import audit
from office.contacts import Channel, Contact, ContactState
from office.outbox import Delivery, Undeliverable
from office.staff import Role
from office.store import Store
from tests.admin.conftest import Clock, plain
from tests.admin.test_tip_board import KICKED, SignedIn, arrive, person, sums
from tests.make import Cast
from tests.ticketing.tip_world import group, released
from ticketing import tip_release


@pytest.fixture
async def tip(store: Store, cast: Cast, clock: Clock) -> WorkTip:
    """A released tip, laid out to two groups of 临江街道 and one of 北塘镇."""
    async with store.transaction() as session:
        for number, unit in enumerate((cast.riverside, cast.riverside, cast.north)):
            await group(session, unit, str(-1001 - number), clock())
    return await released(store, cast, clock())


def row_of(page: str, unit: str) -> str:
    """The line of a unit in the telephone list."""
    rows = page.partition('id="silent"')[2].partition("</table>")[0].split("<tr>")
    return next(row for row in rows if f">{unit}<" in row)


async def test_a_stopped_sending_is_marked_everywhere_and_sent_again(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, tip: WorkTip
) -> None:
    board = f"/admin/tips/{tip.id}/board"
    clock.pass_by(timedelta(seconds=1))
    await arrive(store, clock, None, Undeliverable(KICKED, permanent=True))
    desk = await signed_in(cast.wang_fang)
    page = plain(await desk.get(board))
    assert "待发" in row_of(page, "北塘镇")
    assert "未送达" not in page
    assert "/board/again" not in page, "a lost group is no use, the others are under way"
    await desk.post(f"{board}/stop")
    page = plain(await desk.get(f"{board}?done=stop"))
    assert "没收到的单位在电话名单里标明" in page
    assert "已停止，未送达" in row_of(page, "北塘镇")
    assert "未送达" not in row_of(page, "临江街道"), "it hangs in one of its groups"
    assert "1个单位没有收到群消息" in page
    matrix = plain(await desk.get("/admin/tips/board"))
    cells = matrix.partition('<th scope="row">北塘镇</th>')[2].partition("</tr>")[0]
    assert "未阅" in cells
    assert "已停止，未送达" in cells
    assert "已停止，未送达" in matrix.partition('id="chase"')[2]
    lines = (await desk.post("/admin/tips/board/export")).content.decode("utf-8-sig")
    assert "未阅（已停止，未送达）" in lines

    far = await person(store, clock, cast.north, Role.REVIEWER)
    for nobody in (cast.li_qiang, cast.zhou_ning, far):
        other = await signed_in(nobody)
        assert "/board/again" not in (await other.get(board)).text
        assert (await other.post(f"{board}/again")).status_code == 403
    await desk.get(board)
    assert "补发给还没收到的1个群" in plain(await desk.get(board))
    sent = await desk.post(f"{board}/again")
    assert sent.headers["location"] == f"{board}?done=again"
    twice = await desk.post(f"{board}/again")
    assert twice.headers["location"] == f"{board}?done=again_none"
    assert "什么也没有再发" in plain(await desk.get(f"{board}?done=again_none"))
    page = plain(await desk.get(sent.headers["location"]))
    assert "只发给还没收到的群" in page
    assert sums(page) == [3, 1, 1, 0, 1]
    assert sums(page.split('class="tip-run"')[2]) == [1, 0, 0, 1, 0]
    assert "补发 <" in page.split('class="tip-run"')[2]
    assert "待发" in row_of(page, "北塘镇")
    clock.pass_by(timedelta(minutes=1))
    await arrive(store, clock, None)
    page = plain(await desk.get(board))
    assert "未送达" not in page
    # The group that was lost is bound again, gets it, and stands on no list of failures any more.
    assert "没有送达的群（1）" in page
    async with store.transaction() as session:
        lost = (await session.scalars(select(Contact).where(Contact.state == ContactState.LOST))).one()
        lost.state = ContactState.ACTIVE
    await desk.get(board)
    await desk.post(f"{board}/again")
    await arrive(store, clock, None)
    page = plain(await desk.get(board))
    assert "没有送达的群" not in page
    assert "已送达1/3，失败1（机器人被移出）" in page


async def test_without_groups_the_board_says_so_and_nobody_is_told_what_is_not_true(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    tip = await released(store, cast, clock())
    board = f"/admin/tips/{tip.id}/board"
    desk = await signed_in(cast.wang_fang)
    page = plain(await desk.get(board))
    assert "没有可以发送的群，请电话通知" in page
    assert "已送达0/0" not in page
    for unit in ("临江街道", "北塘镇"):
        assert "没有群，只能打电话" in row_of(page, unit)
    assert "2个单位没有收到群消息" in page
    told = await desk.post(f"{board}/chase")
    assert "一个也没有通知到" in plain(await desk.get(told.headers["location"]))
    quiet = await released(store, cast, clock(), title="不要回执", receipt_wanted=False)
    page = plain(await desk.get(f"/admin/tips/{quiet.id}/board"))
    assert "没有收到的单位（2）" in page
    assert "/board/chase" not in page
    assert "/board/receipts" not in page
    async with store.transaction() as session:
        await group(session, cast.riverside, "-1", clock())
    later = await released(store, cast, clock(), send_at=clock() + timedelta(hours=3))
    page = plain(await desk.get(f"/admin/tips/{later.id}/board"))
    assert "没有群" not in row_of(page, "临江街道")
    assert "没有群，只能打电话" in row_of(page, "北塘镇")
    page = plain(await desk.get(board))
    assert "未送达" in row_of(page, "临江街道")
    assert "补发给还没收到的1个群" in page
    # Of a tip that no group has seen none is told that it was withdrawn.
    await desk.get(f"/admin/tips/{tip.id}")
    gone = await desk.post(f"/admin/tips/{tip.id}/withdraw", {"why": "写错了"})
    page = plain(await desk.get(gone.headers["location"]))
    assert "没有群收到过这一期，不用通知群" in page
    assert "正在通知" not in page


async def test_withdrawing_says_how_many_groups_are_told_and_why_one_is_not(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, tip: WorkTip
) -> None:
    await arrive(store, clock, None, None, None)
    async with store.transaction() as session:
        contact = (await session.scalars(select(Contact).where(Contact.address == "-1003"))).one()
        contact.state = ContactState.SILENCED
        row = await session.get_one(WorkTip, tip.id)
        await tip_release.withdraw(
            session, row, "口径有误", seen=row.version, actor=cast.wang_fang, now=clock()
        )
    clock.pass_by(timedelta(seconds=1))
    await arrive(store, clock, None)
    desk = await signed_in(cast.wang_fang)
    assert "要通知收到过的3个群，已通知1个" in plain(await desk.get(f"/admin/tips/{tip.id}?done=withdrawn"))
    page = plain(await desk.get(f"/admin/tips/{tip.id}/board"))
    old = page.partition("还显示旧内容的群（2）")[2].partition("</table>")[0]
    assert "群静默，恢复后才送出" in old
    assert old.count("正在送出") == 1
    assert "/board/again" not in page


async def test_a_telephone_receipt_is_taken_back_and_a_long_name_refused(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, tip: WorkTip
) -> None:
    board = f"/admin/tips/{tip.id}/board"
    desk = await signed_in(cast.li_qiang)
    await desk.get(board)
    long = await desk.post(f"{board}/receipts", {"unit": str(cast.north.id), "signer": "吴" * 41})
    assert long.status_code == 422
    assert "签阅人最多40个字，没有保存" in long.text
    assert f'value="{"吴" * 41}"' in long.text
    assert "maxlength" not in long.text.partition('id="signer"')[2].partition(">")[0]
    noted = await desk.post(f"{board}/receipts", {"unit": str(cast.north.id), "signer": "吴兰"})
    page = plain(await desk.get(noted.headers["location"]))
    back = page.partition('href="?back=')[2].partition("#")[0]
    page = plain(await desk.get(f"{board}?back={back}"))
    assert f'<option value="{back}" selected>北塘镇 · 吴兰' in page
    for named, why, status in ((back, " ", 422), (f"{back}1", "记错", 409), ("forged", "记错", 422)):
        refused = await desk.post(f"{board}/receipts/back", {"receipt": named, "why": why})
        assert refused.status_code == status
    kept = await desk.post(f"{board}/receipts/back", {"receipt": back, "why": "长" * 301})
    assert "长" * 301 in kept.text
    assert f'<option value="{back}" selected>' in kept.text
    # Somebody else on duty cannot, a reviewer can.
    other = await signed_in(await person(store, clock, cast.district, Role.DUTY_OFFICER))
    assert "?back=" not in (await other.get(board)).text
    theirs = await other.post(f"{board}/receipts/back", {"receipt": back, "why": "记错"})
    assert theirs.status_code == 403
    assert "请记录人或者审核人收回" in theirs.text
    town = await signed_in(cast.zhao_lei)
    assert "?back=" not in (await town.get(board)).text
    reviewer = await signed_in(cast.wang_fang)
    await reviewer.get(board)
    gone = await reviewer.post(f"{board}/receipts/back", {"receipt": back, "why": "对方<b>没有</b>看"})
    assert gone.headers["location"] == f"{board}?done=back"
    page = (await reviewer.get(gone.headers["location"])).text
    assert "未阅单位（2）" in page
    assert "收回的签阅（1）" in page
    assert "王芳 收回北塘镇的电话签阅：对方&lt;b&gt;没有&lt;/b&gt;看" in page
    assert "收回北塘镇" in plain(await town.get(board))
    assert "已阅 0/2" in plain(await reviewer.get("/admin/tips/board"))
    async with store.reading() as session:
        acts = await audit.listed(session, subject=f"work_tip:{tip.id}", action="work_tip.receipt_back")
        assert acts[1] == 1
        assert not list(await session.scalars(select(Delivery).where(Delivery.channel == Channel.WEB)))
