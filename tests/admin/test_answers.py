"""Answering on the page: differences side by side, one send for one form, drafts of colleagues, replies."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from knowledge.versions import EntryVersion
from office import notices, outbox
from office.staff import Staff
from office.store import Store
from tests.admin.conftest import Browser, Clock, plain
from tests.make import Cast
from ticketing import drafts, intake, macros, tickets
from ticketing.particulars import AnswerMode, Cause
from ticketing.queue import thread
from ticketing.records import PostKind, Ticket, TicketState

SignedIn = Callable[[Staff], Awaitable[Browser]]
JSON = {"Accept": "application/json"}


async def now_of(store: Store, ticket: Ticket) -> Ticket:
    async with store.reading() as session:
        return await tickets.get(session, ticket.id)


async def sent(store: Store, ticket: Ticket) -> int:
    async with store.reading() as session:
        return len(
            [row for row in await outbox.about(session, f"ticket:{ticket.id}") if row.kind == "answer"]
        )


async def test_a_difference_stands_side_by_side_and_nothing_typed_is_lost(
    store: Store, cast: Cast, signed_in: SignedIn, ticket: Ticket, version: EntryVersion
) -> None:
    desk = await signed_in(cast.li_qiang)
    base = f"/admin/tickets/{ticket.id}"
    await desk.get(base)
    typed = {
        "text": "请在15日内申诉。",
        "version_id": str(version.id),
        "cause": "wording",
        "basis": "我写的依据",
    }
    refused = await desk.post(f"{base}/answer", typed)
    assert refused.status_code == 409
    page = plain(refused)
    assert "与K-0112第1版不一致：15日 ≠ 5日。" in page
    assert "<del>15日</del>" in page
    assert "<ins>5日</ins>" in page
    assert "请在15日内申诉。</textarea>" in page
    assert "我写的依据</textarea>" in page
    assert 'value="wording" selected' in page
    assert (await sent(store, ticket), (await now_of(store, ticket)).state) == (0, TicketState.WORKING)

    desk.shown = refused.text
    explained = await desk.post(f"{base}/answer", {**typed, "explained": "公告延长到15日"})
    assert explained.headers["location"] == f"{base}?done=proposed"
    row = await now_of(store, ticket)
    assert (row.state, row.conclusion_basis, row.cause) == (
        TicketState.IN_REVIEW, "公告延长到15日", Cause.WORDING,
    )  # fmt: skip
    review = plain(await (await signed_in(cast.wang_fang)).get(base))
    assert "与K-0112第1版不一致：15日 ≠ 5日。" in review
    assert "公告延长到15日" in review
    assert "K-0112 第1版" in review


async def test_a_double_click_sends_once_and_the_second_is_told(
    store: Store, cast: Cast, signed_in: SignedIn, ticket: Ticket, version: EntryVersion
) -> None:
    desk = await signed_in(cast.li_qiang)
    base = f"/admin/tickets/{ticket.id}"
    await desk.get(base)
    typed = {"text": "请在5日内申诉。", "version_id": str(version.id)}
    first = await desk.post(f"{base}/answer", typed)
    second = await desk.post(f"{base}/answer", typed)
    assert first.headers["location"] == f"{base}?done=answered"
    assert second.headers["location"] == f"{base}?done=already_sent"
    assert "没有重复发送" in (await desk.get(second.headers["location"])).text
    assert await sent(store, ticket) == 1


async def test_the_same_draft_is_handed_to_a_reviewer_once(
    cast: Cast, signed_in: SignedIn, ticket: Ticket
) -> None:
    desk = await signed_in(cast.li_qiang)
    base = f"/admin/tickets/{ticket.id}"
    await desk.get(base)
    typed = {"text": "请先到登记站。", "basis": "区选举办意见"}
    assert (await desk.post(f"{base}/propose", typed)).headers["location"] == f"{base}?done=proposed"
    assert (await desk.post(f"{base}/propose", typed)).headers["location"] == f"{base}?done=already_sent"


async def test_a_second_window_with_another_text_is_refused_with_what_happened(
    store: Store, cast: Cast, signed_in: SignedIn, ticket: Ticket, version: EntryVersion
) -> None:
    here, there = await signed_in(cast.li_qiang), await signed_in(cast.li_qiang)
    base = f"/admin/tickets/{ticket.id}"
    await here.get(base)
    await there.get(base)
    await there.post(f"{base}/answer", {"text": "请在5日内申诉。", "version_id": str(version.id)})
    late = await here.post(f"{base}/answer", {"text": "我另写了一份", "version_id": str(version.id)})
    assert late.status_code == 409
    assert "我另写了一份</textarea>" in late.text
    assert "您打开本页以后" in late.text
    assert await sent(store, ticket) == 1


async def test_a_take_over_in_between_is_told_by_name(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, ticket: Ticket, version: EntryVersion
) -> None:
    desk = await signed_in(cast.li_qiang)
    base = f"/admin/tickets/{ticket.id}"
    await desk.get(base)
    async with store.transaction() as session:
        row = await tickets.get(session, ticket.id)
        await tickets.put_back(session, row, "交给王芳", actor=cast.li_qiang, now=clock())
        await tickets.take(session, row, actor=cast.wang_fang, now=clock())
    late = plain(await desk.post(f"{base}/answer", {"text": "还在写", "version_id": str(version.id)}))
    assert "王* 认领" in late
    assert "还在写</textarea>" in late
    assert await sent(store, ticket) == 0


async def test_reply_only_keeps_the_ticket_in_hand(
    store: Store, cast: Cast, signed_in: SignedIn, ticket: Ticket
) -> None:
    desk = await signed_in(cast.li_qiang)
    base = f"/admin/tickets/{ticket.id}"
    page = await desk.get(base)
    for label in ("发送并办结", "送审", "仅回复，继续办理"):
        assert label in page.text
    done = await desk.post(f"{base}/interim", {"text": "正在核实，请稍等。"})
    assert done.headers["location"] == f"{base}?done=replied"
    assert (await now_of(store, ticket)).state is TicketState.WORKING
    async with store.reading() as session:
        posts = await thread(session, await tickets.get(session, ticket.id))
        assert [post.kind for post in posts][-1] is PostKind.INTERIM


async def test_the_draft_tells_where_it_differs_while_one_types(
    store: Store, cast: Cast, signed_in: SignedIn, ticket: Ticket, version: EntryVersion
) -> None:
    desk = await signed_in(cast.li_qiang)
    base = f"/admin/tickets/{ticket.id}"
    await desk.get(base)
    fields = {"text": "请在15日内申诉。", "version_id": str(version.id), "basis": "细则"}
    told = (await desk.post(f"{base}/draft", fields, headers=JSON)).json()
    assert told["differences"] == ["与K-0112第1版不一致：15日 ≠ 5日。"]
    told = (await desk.post(f"{base}/draft", {**fields, "text": "5日内申诉"}, headers=JSON)).json()
    assert told["differences"] == []
    page = plain(await desk.get(base))
    assert f'value="{version.id}" selected' in page
    assert "细则</textarea>" in page


async def test_the_next_holder_takes_a_colleagues_draft_over_with_one_button(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, ticket: Ticket, version: EntryVersion
) -> None:
    async with store.transaction() as session:
        row = await tickets.get(session, ticket.id)
        await drafts.save(
            session, row, "五天内申诉。", actor=cast.li_qiang, now=clock(), version_id=version.id
        )
        await tickets.put_back(session, row, "下班", actor=cast.li_qiang, now=clock())
        await tickets.take(session, row, actor=cast.wang_fang, now=clock())
    desk = await signed_in(cast.wang_fang)
    base = f"/admin/tickets/{ticket.id}"
    page = await desk.get(base)
    assert "李* 有一份草稿" in page.text
    taken = await desk.post(f"{base}/drafts/{cast.li_qiang.id}", {"text": "您好，"})
    assert taken.headers["location"] == f"{base}?done=draft_taken"
    page = plain(await desk.get(base))
    assert "您好，\n\n五天内申诉。</textarea>" in page
    assert f'value="{version.id}" selected' in page
    assert (await desk.post(f"{base}/drafts/999", {"text": ""})).status_code == 404


async def test_one_is_told_who_writes_and_that_the_page_grew_old(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, ticket: Ticket
) -> None:
    one = await signed_in(cast.wang_fang)
    await one.get(f"/admin/tickets/{ticket.id}")
    async with store.transaction() as session:
        row = await tickets.get(session, ticket.id)
        await drafts.save(session, row, "五天内", actor=cast.li_qiang, now=clock())
        await drafts.look(session, row, actor=cast.li_qiang, now=clock())
        version = row.version
    address = f"/admin/tickets/{ticket.id}/looking"
    told = (await one.post(address, {"version": str(version)}, headers=JSON)).json()
    assert told == {"others": ["李*"], "writing": ["李*"]}
    told = (await one.post(address, {"version": str(version - 1)}, headers=JSON)).json()
    assert "请刷新" in told["changed"]


async def test_a_macro_goes_behind_what_is_typed(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, ticket: Ticket
) -> None:
    async with store.transaction() as session:
        ending = await macros.create(session, "结尾", "感谢您的来电。", actor=cast.li_qiang, now=clock())
    desk = await signed_in(cast.li_qiang)
    base = f"/admin/tickets/{ticket.id}"
    page = await desk.get(base)
    assert 'data-text="感谢您的来电。"' in page.text
    put = await desk.post(f"{base}/macro", {"text": "五天内申诉。", "macro": str(ending.id)})
    assert put.status_code == 303
    assert "五天内申诉。\n感谢您的来电。</textarea>" in (await desk.get(base)).text
    assert (await desk.post(f"{base}/macro", {"text": "五天内", "macro": ""})).status_code == 422


async def test_a_wrong_entry_is_flagged_from_the_page(
    store: Store, cast: Cast, signed_in: SignedIn, ticket: Ticket, version: EntryVersion
) -> None:
    desk = await signed_in(cast.li_qiang)
    base = f"/admin/tickets/{ticket.id}"
    page = await desk.get(base)
    assert "K-0112 口径有误，告知负责小组" in page.text
    flagged = await desk.post(f"{base}/flag/{version.id}", {f"why_{version.id}": "已改为10日"})
    assert flagged.headers["location"] == f"{base}?done=flagged"
    async with store.reading() as session:
        assert [row.kind for row in await notices.listed(session, cast.wang_fang.id)] == ["entry_flagged"]
    empty = await desk.post(f"{base}/flag/{version.id}", {f"why_{version.id}": " "})
    assert empty.status_code == 422


async def test_who_was_told_by_phone_is_not_written_to(
    store: Store, cast: Cast, signed_in: SignedIn, ticket: Ticket, version: EntryVersion
) -> None:
    desk = await signed_in(cast.li_qiang)
    base = f"/admin/tickets/{ticket.id}"
    await desk.get(base)
    await desk.post(f"{base}/answer", {"text": "5日内申诉。", "version_id": str(version.id), "mode": "phone"})
    row = await now_of(store, ticket)
    assert (row.state, row.answer_mode, await sent(store, ticket)) == (
        TicketState.ANSWERED, AnswerMode.PHONE, 0,
    )  # fmt: skip
    page = plain(await desk.get(base))
    assert "已电话告知" in page
    assert "已送达" in page


async def test_what_the_asker_changed_is_shown_part_by_part_even_after_the_answer(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, ticket: Ticket, version: EntryVersion
) -> None:
    desk = await signed_in(cast.li_qiang)
    base = f"/admin/tickets/{ticket.id}"
    await desk.get(base)
    await desk.post(f"{base}/answer", {"text": "5日内申诉。", "version_id": str(version.id)})
    async with store.transaction() as session:
        row = await tickets.get(session, ticket.id)
        await intake.edited(session, row, "对候选人名单有意见怎么办", now=clock(), event_id="e9")
    page = plain(await desk.get(base))
    assert "提问的人后来改了问题" in page
    assert "<del>选民</del><ins>候选人</ins>" in page
    assert "是在答复之后修改的" in page
