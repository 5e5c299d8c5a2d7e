"""A ticket from the queue to the answer: reach, races, versions, drafts, the second person."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import timedelta

from office import outbox
from office.staff import Staff
from office.store import Store
from tests.admin.conftest import Browser, Clock
from tests.make import Cast, a_ticket, an_entry
from ticketing import drafts, intake, tickets
from ticketing.queue import thread
from ticketing.records import PostKind, Ticket, TicketState

BOTH_DATABASES = True

SignedIn = Callable[[Staff], Awaitable[Browser]]


async def ticket_of(store: Store, ticket_id: int) -> Ticket:
    async with store.reading() as session:
        return await tickets.get(session, ticket_id)


async def make_ticket(store: Store, cast: Cast, clock: Clock, words: str = "选民证丢了怎么办") -> Ticket:
    async with store.transaction() as session:
        return await a_ticket(session, cast, clock(), words, unit=cast.riverside)


async def taken(store: Store, cast: Cast, clock: Clock, words: str = "选民证丢了怎么办") -> Ticket:
    async with store.transaction() as session:
        ticket = await a_ticket(session, cast, clock(), words, unit=cast.riverside)
        await tickets.take(session, ticket, actor=cast.li_qiang, now=clock())
    return ticket


async def test_queue_shows_what_lies_in_reach_and_nothing_else(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    ticket = await make_ticket(store, cast, clock)
    insider, outsider = await signed_in(cast.li_qiang), await signed_in(cast.zhao_lei)

    assert ticket.ticket_no in (await insider.get("/admin")).text
    assert ticket.ticket_no in (await insider.get(f"/admin?q={ticket.ticket_no.lower()}")).text

    for address in ("/admin", f"/admin?q={ticket.ticket_no}", "/admin?view=all", "/admin/queue/fragment"):
        page = await outsider.get(address)
        assert page.status_code == 200
        assert f"/admin/tickets/{ticket.id}" not in page.text
        assert "选民证丢了" not in page.text


async def test_ticket_outside_reach_is_not_there_for_any_act(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    ticket = await make_ticket(store, cast, clock)
    outsider = await signed_in(cast.zhao_lei)
    await outsider.get("/admin/me")
    base = f"/admin/tickets/{ticket.id}"
    assert (await outsider.client.get(base)).status_code == 404
    for act in ("take", "put-back", "draft", "looking", "answer", "propose", "note", "close", "reopen",
                "merge", "void", "promote", "cite/1"):  # fmt: skip
        refused = await outsider.post(f"{base}/{act}", {"version": "1", "text": "我来答"})
        assert refused.status_code == 404, act
        assert "选民证丢了" not in refused.text
    assert (await ticket_of(store, ticket.id)).state is TicketState.UNASSIGNED


async def test_second_to_take_is_told_who_was_first_and_when(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    ticket = await make_ticket(store, cast, clock)
    first, second = await signed_in(cast.li_qiang), await signed_in(cast.wang_fang)
    await first.get(f"/admin/tickets/{ticket.id}")
    await second.get(f"/admin/tickets/{ticket.id}")

    assert (await first.post(f"/admin/tickets/{ticket.id}/take")).status_code == 303
    late = await second.post(f"/admin/tickets/{ticket.id}/take")

    assert late.status_code == 409
    assert "已由 李* 于 10:05:00 认领" in late.text
    assert (await ticket_of(store, ticket.id)).assignee_id == cast.li_qiang.id


async def test_answer_with_an_entry_reaches_the_outbox_and_its_delivery_is_shown(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    async with store.transaction() as session:
        version = await an_entry(session, cast, clock())
    ticket = await taken(store, cast, clock)
    desk = await signed_in(cast.li_qiang)
    page = await desk.get(f"/admin/tickets/{ticket.id}")
    assert "K-0540" in page.text
    assert "请尽快联系发证的登记站核对" in page.text

    cited = await desk.post(f"/admin/tickets/{ticket.id}/cite/{version.id}", {"text": ""})
    assert cited.headers["location"] == f"/admin/tickets/{ticket.id}?cite={version.id}"
    page = await desk.get(cited.headers["location"])
    assert f'<option value="{version.id}" selected>' in page.text
    assert "\n请尽快联系发证的登记站核对，由登记站告诉您怎么办。</textarea>" in page.text

    text = "请尽快联系发证的登记站核对，由登记站告诉您怎么办。"
    sent = await desk.post(
        f"/admin/tickets/{ticket.id}/answer", {"text": text, "version_id": str(version.id)}
    )
    assert sent.status_code == 303
    async with store.reading() as session:
        (delivery,) = await outbox.about(session, f"ticket:{ticket.id}")
        assert delivery.contact_id == cast.zhang_min.id
        assert delivery.facts["text"] == text
        assert delivery.facts["entry"] == "K-0540"
        answered = await tickets.get(session, ticket.id)
        assert answered.state is TicketState.ANSWERED
        assert await drafts.of(session, answered, cast.li_qiang) == ""
    assert "等待发送" in (await desk.get(f"/admin/tickets/{ticket.id}")).text


async def test_citing_keeps_what_was_typed_before_it(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    async with store.transaction() as session:
        version = await an_entry(session, cast, clock())
    ticket = await taken(store, cast, clock)
    desk = await signed_in(cast.li_qiang)
    await desk.get(f"/admin/tickets/{ticket.id}")
    await desk.post(f"/admin/tickets/{ticket.id}/cite/{version.id}", {"text": "您好，张阿姨。"})
    async with store.reading() as session:
        draft = await drafts.of(session, await tickets.get(session, ticket.id), cast.li_qiang)
    assert draft == "您好，张阿姨。\n\n请尽快联系发证的登记站核对，由登记站告诉您怎么办。"


async def test_answer_without_an_entry_is_refused_and_keeps_the_text(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    ticket = await taken(store, cast, clock)
    desk = await signed_in(cast.li_qiang)
    await desk.get(f"/admin/tickets/{ticket.id}")
    refused = await desk.post(
        f"/admin/tickets/{ticket.id}/answer", {"text": "请带户口簿来。", "version_id": ""}
    )
    assert refused.status_code == 422
    assert "发送前请选一条口径" in refused.text
    assert "请带户口簿来。</textarea>" in refused.text
    assert (await ticket_of(store, ticket.id)).state is TicketState.WORKING


async def test_an_entry_that_needs_a_reviewer_cannot_be_sent_by_one_person(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    async with store.transaction() as session:
        version = await an_entry(session, cast, clock(), confirmed=False)
    ticket = await taken(store, cast, clock)
    desk = await signed_in(cast.li_qiang)
    page = await desk.get(f"/admin/tickets/{ticket.id}")
    assert "发送并办结" in page.text
    assert " · 须送审</option>" in page.text
    # With nothing to cite the answer is handed in for review, and the main button says so.
    assert '<option value="" data-review selected>' in page.text
    assert f'<option value="{version.id}" data-review>' in page.text
    assert re.search(r'class="button primary propose"[^>]*>送审<', page.text)
    assert not re.search(r'class="button primary send-now"', page.text)
    page = await desk.get(f"/admin/tickets/{ticket.id}?cite={version.id}")
    assert "发送并办结" not in page.text
    assert "可以直接发送" not in page.text
    assert "只能送审或存草稿" in page.text
    refused = await desk.post(
        f"/admin/tickets/{ticket.id}/answer", {"text": "按公告办。", "version_id": str(version.id)}
    )
    assert refused.status_code == 403
    assert "按公告办。</textarea>" in refused.text
    async with store.reading() as session:
        assert await outbox.about(session, f"ticket:{ticket.id}") == []


async def test_proposed_answer_is_signed_by_a_second_person(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    ticket = await taken(store, cast, clock, "新楼盘还没有门牌号，登记表上的地址怎么填？")
    officer, reviewer = await signed_in(cast.li_qiang), await signed_in(cast.wang_fang)
    base = f"/admin/tickets/{ticket.id}"
    await officer.get(base)
    no_basis = await officer.post(f"{base}/propose", {"text": "请带购房合同登记。", "basis": ""})
    assert no_basis.status_code == 422
    assert "请带购房合同登记。</textarea>" in no_basis.text
    handed_in = await officer.post(f"{base}/propose", {"text": "请带购房合同登记。", "basis": "细则第二十条"})
    assert handed_in.status_code == 303

    await officer.get(base)
    assert (await officer.post(f"{base}/sign")).status_code == 403

    page = await reviewer.get(base)
    assert "请带购房合同登记。" in page.text
    assert (await reviewer.post(f"{base}/revise", {"remark": "写明在哪里登记"})).status_code == 303
    page = await officer.get(base)
    assert "写明在哪里登记" in page.text
    assert "请带购房合同登记。</textarea>" in page.text
    await officer.post(f"{base}/propose", {"text": "请带购房合同到登记站登记。", "basis": "细则第二十条"})

    await reviewer.get(base)
    assert (await reviewer.post(f"{base}/sign")).status_code == 303
    async with store.reading() as session:
        (delivery,) = await outbox.about(session, f"ticket:{ticket.id}")
        assert delivery.facts["text"] == "请带购房合同到登记站登记。"


async def test_author_cannot_sign_own_answer(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    async with store.transaction() as session:
        ticket = await a_ticket(session, cast, clock())
        await tickets.take(session, ticket, actor=cast.wang_fang, now=clock())
    desk = await signed_in(cast.wang_fang)
    base = f"/admin/tickets/{ticket.id}"
    await desk.get(base)
    await desk.post(f"{base}/propose", {"text": "请带购房合同登记。", "basis": "细则第二十条"})
    page = await desk.get(base)
    assert "须由另一位审核人签发" in page.text
    assert f'action="{base}/sign"' not in page.text
    version = (await ticket_of(store, ticket.id)).version
    refused = await desk.post(f"{base}/sign", {"version": str(version)})
    assert refused.status_code == 403
    assert (await ticket_of(store, ticket.id)).state is TicketState.IN_REVIEW


async def test_draft_is_kept_per_person_and_offered_again(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    ticket = await taken(store, cast, clock)
    desk = await signed_in(cast.li_qiang)
    await desk.get(f"/admin/tickets/{ticket.id}")
    saved = await desk.post(
        f"/admin/tickets/{ticket.id}/draft", {"text": "您好，请"}, headers={"Accept": "application/json"}
    )
    assert saved.json() == {"saved_at": "10:05"}
    assert "\n您好，请</textarea>" in (await desk.get(f"/admin/tickets/{ticket.id}")).text
    other = await signed_in(cast.wang_fang)
    assert "您好，请" not in (await other.get(f"/admin/tickets/{ticket.id}")).text
    plain = await desk.post(f"/admin/tickets/{ticket.id}/draft", {"text": "您好，请带"})
    assert plain.status_code == 303


async def test_who_else_is_looking(store: Store, cast: Cast, clock: Clock, signed_in: SignedIn) -> None:
    ticket = await make_ticket(store, cast, clock)
    one, two = await signed_in(cast.li_qiang), await signed_in(cast.wang_fang)
    for desk in (one, two):
        await desk.get(f"/admin/tickets/{ticket.id}")
    json = {"Accept": "application/json"}
    address = f"/admin/tickets/{ticket.id}/looking"
    assert (await one.post(address, headers=json)).json() == {"others": []}
    assert (await two.post(address, headers=json)).json() == {"others": ["李*"]}
    clock.pass_by(timedelta(minutes=2))
    assert (await two.post(address, headers=json)).json() == {"others": []}


async def test_old_page_changes_nothing_and_keeps_the_typed_text(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    async with store.transaction() as session:
        version = await an_entry(session, cast, clock())
    ticket = await taken(store, cast, clock)
    here, there = await signed_in(cast.li_qiang), await signed_in(cast.li_qiang)
    base = f"/admin/tickets/{ticket.id}"
    await here.get(base)
    await there.get(base)
    await there.post(f"{base}/put-back", {"reason_put_back": "交给同事"})
    late = await here.post(f"{base}/answer", {"text": "我写了很久的答复", "version_id": str(version.id)})
    assert late.status_code == 409
    assert "刚才有人处理过" in late.text
    assert "我写了很久的答复</textarea>" in late.text
    assert (await ticket_of(store, ticket.id)).state is TicketState.UNASSIGNED


async def test_asker_who_wrote_meanwhile_is_read_first(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    async with store.transaction() as session:
        version = await an_entry(session, cast, clock())
    ticket = await taken(store, cast, clock)
    desk = await signed_in(cast.li_qiang)
    base = f"/admin/tickets/{ticket.id}"
    await desk.get(base)
    async with store.transaction() as session:
        row = await tickets.get(session, ticket.id)
        await intake.edited(session, row, "选民证没丢，是名字印错了", now=clock(), event_id="e2")
    late = await desk.post(f"{base}/answer", {"text": "去补办", "version_id": str(version.id)})
    assert late.status_code == 409
    assert "提问的人刚才又补充了内容" in late.text
    assert "去补办</textarea>" in late.text
    page = await desk.get(base)
    assert "提问的人后来改了问题" in page.text
    assert "选民证没丢，是名字印错了" in page.text
    await desk.post(f"{base}/answer", {"text": "请联系登记站更正", "version_id": str(version.id)})
    assert (await ticket_of(store, ticket.id)).state is TicketState.ANSWERED


async def test_words_of_an_asker_are_never_markup(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    words = "<script>alert(1)</script><img src=x onerror=alert(2)>\n\"'>登记&"
    ticket = await make_ticket(store, cast, clock, words)
    desk = await signed_in(cast.li_qiang)
    for address in ("/admin", f"/admin/tickets/{ticket.id}", "/admin?q=%3Cscript%3E"):
        text = (await desk.get(address)).text
        assert "<script>alert" not in text
        assert "<img" not in text
        assert "&lt;script&gt;alert(1)" in text


async def test_note_is_kept_inside(store: Store, cast: Cast, clock: Clock, signed_in: SignedIn) -> None:
    ticket = await make_ticket(store, cast, clock)
    desk = await signed_in(cast.li_qiang)
    await desk.get(f"/admin/tickets/{ticket.id}")
    await desk.post(f"/admin/tickets/{ticket.id}/note", {"note": "已电话问过居委"})
    async with store.reading() as session:
        posts = await thread(session, await tickets.get(session, ticket.id))
        assert [post.kind for post in posts] == [PostKind.ASKER, PostKind.NOTE]
        assert await outbox.about(session, f"ticket:{ticket.id}") == []


async def test_close_reopen_void_and_merge_ask_for_what_they_need(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    async with store.transaction() as session:
        version = await an_entry(session, cast, clock())
        first = await a_ticket(session, cast, clock(), "选民证丢了")
        second = await a_ticket(session, cast, clock(), "选民证掉了去哪里补")
        third = await a_ticket(session, cast, clock(), "广告")
    desk = await signed_in(cast.li_qiang)
    base = f"/admin/tickets/{first.id}"

    await desk.get(f"/admin/tickets/{third.id}")
    no_reason = await desk.post(f"/admin/tickets/{third.id}/void", {"reason_void": " "})
    assert no_reason.status_code == 422
    await desk.post(f"/admin/tickets/{third.id}/void", {"reason_void": "广告"})
    assert (await ticket_of(store, third.id)).state is TicketState.VOID

    page = await desk.get(f"/admin/tickets/{second.id}")
    assert first.ticket_no in page.text
    joined = await desk.post(f"/admin/tickets/{second.id}/merge", {"lead": str(first.id)})
    assert joined.headers["location"] == f"{base}?done=merged"
    assert (await ticket_of(store, second.id)).merged_into_id == first.id

    await desk.get(base)
    await desk.post(f"{base}/take")
    await desk.get(base)
    await desk.post(f"{base}/answer", {"text": "请联系登记站", "version_id": str(version.id)})
    await desk.get(base)
    assert (await desk.post(f"{base}/close", {"reason_close": ""})).status_code == 422
    await desk.post(f"{base}/close", {"reason_close": "已电话确认"})
    assert (await ticket_of(store, first.id)).state is TicketState.CLOSED
    await desk.get(base)
    assert (await desk.post(f"{base}/reopen")).status_code == 303
    assert (await ticket_of(store, first.id)).state is TicketState.UNASSIGNED
    assert (await ticket_of(store, first.id)).reopen_count == 1


async def test_merge_into_a_ticket_out_of_reach_is_refused(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    async with store.transaction() as session:
        own = await a_ticket(session, cast, clock(), "北塘怎么登记", unit=cast.north)
        foreign = await a_ticket(session, cast, clock(), "临江怎么登记", unit=cast.riverside)
    desk = await signed_in(cast.zhao_lei)
    page = await desk.get(f"/admin/tickets/{own.id}")
    assert foreign.ticket_no not in page.text
    refused = await desk.post(f"/admin/tickets/{own.id}/merge", {"lead": str(foreign.id)})
    assert refused.status_code == 404
    assert foreign.ticket_no not in refused.text
    assert (await ticket_of(store, own.id)).state is TicketState.UNASSIGNED


async def test_a_question_is_added_to_the_ways_to_ask_for_an_entry(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    async with store.transaction() as session:
        version = await an_entry(session, cast, clock())
    async with store.transaction() as session:
        ticket = await a_ticket(session, cast, clock(), "我的选民证被雨淋坏掉了还能用吗")
    desk = await signed_in(cast.li_qiang)
    page = await desk.get(f"/admin/tickets/{ticket.id}")
    assert 'aria-label="把提问加为 K-0540 的问法"' in page.text
    added = await desk.post(f"/admin/tickets/{ticket.id}/phrasing/{version.entry_id}")
    assert added.status_code == 303
    page = await desk.get(added.headers["location"])
    assert "已把提问加进这条口径的草稿" in page.text
    assert "我的选民证被雨淋坏掉了还能用吗" in page.text
    again = await desk.post(f"/admin/tickets/{ticket.id}/phrasing/{version.entry_id}")
    assert again.status_code == 409
    assert "这条口径已经有这个问法了" in again.text
    assert (await desk.post(f"/admin/tickets/{ticket.id}/phrasing/999")).status_code == 404
