"""Work tips begun to put another one right, and those begun in vain."""

from __future__ import annotations

import html
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta

from sqlalchemy import select

from knowledge import tip_drafts, tip_links
from knowledge.tips import TipEntry, TipHead, TipSecrecy, TipState, TipTarget, TipType, WorkTip
from office import audit
from office.staff import Staff
from office.store import Store
from tests.admin.conftest import Browser, Clock, plain
from tests.make import Cast
from tests.ticketing.gathered import confirmed, fourteen, signed
from tests.ticketing.tip_world import drafted, read, released, rewording, submitted
from tests.ticketing.work import answered
from ticketing.cluster_records import Cluster

SignedIn = Callable[[Staff], Awaitable[Browser]]
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def test_a_correction_begins_with_all_that_still_holds_and_says_something_else(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    now = clock()
    _, version = await rewording(store, cast, "K-0901", "请按累计月数计算。", now)
    old = await released(
        store, cast, now, effective_from=now + 5 * HOUR, effective_until=now + 9 * DAY, send_at=now + HOUR,
        receipt_due=now + 2 * HOUR, scope="本区居民登记", copied_to="区民政局", print_run=40,
        secrecy=TipSecrecy.PUBLIC, head=TipHead.RED, document_no="东选办〔2026〕3号", entries=(version.id,),
        attachments=({"title": "样表", "text": "第一行"},),
    )  # fmt: skip
    clock.pass_by(3 * HOUR)
    desk = await signed_in(cast.li_qiang)
    await desk.get(f"/admin/tips/{old.id}")
    begun = await desk.post(f"/admin/tips/{old.id}/correct")
    assert begun.headers["location"] == f"/admin/tips/{old.id + 1}/edit?done=correcting"
    async with store.reading() as session:
        row = await session.get_one(WorkTip, old.id + 1)
        before = await tip_drafts.written(session, await session.get_one(WorkTip, old.id))
        made = await tip_drafts.written(session, row)
    changed = {"type", "supersedes_id", "document_no", "send_at", "receipt_due"}
    kept = [name for name in made.__slots__ if getattr(made, name) == getattr(before, name)]
    assert set(made.__slots__) - set(kept) == changed
    assert (made.type, made.supersedes_id, made.document_no) == (TipType.CORRECTION, old.id, "")
    assert (made.send_at, made.receipt_due, made.entries) == (None, None, (version.id,))

    # Nothing is put right yet.
    here = f"/admin/tips/{row.id}"
    said = plain(await desk.get(here))
    assert "和要更正的那一期一字不差" in said
    refused = await desk.post(f"{here}/submit")
    assert refused.status_code == 422
    async with store.transaction() as session:
        row = await session.get_one(WorkTip, row.id)
        row.wording, row.document_no = "答复：按累计月数计算，满60个月。", "东选办〔2026〕4号"
    await desk.get(here)
    assert (await desk.post(f"{here}/submit")).headers["location"] == f"{here}?done=submitted"

    # The next one who sees the mistake is led to it.
    other = await signed_in(cast.wang_fang)
    assert "李强在起草更正" in plain(await other.get(f"/admin/tips/{old.id}"))
    led = await other.post(f"/admin/tips/{old.id}/correct")
    assert led.headers["location"] == f"{here}?done=correction_open"
    assert "这一期的更正李强已经在起草" in plain(await other.get(led.headers["location"]))
    async with store.reading() as session:
        assert len((await session.scalars(select(WorkTip))).all()) == 2


async def test_a_second_press_on_a_ticket_opens_the_draft_that_is_there_already(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    ticket = await answered(store, cast, clock())
    begin = f"/admin/tips/from-ticket/{ticket.id}"
    desk, other = await signed_in(cast.li_qiang), await signed_in(cast.wang_fang)
    await desk.get("/admin/tips")
    assert (await desk.post(begin)).headers["location"] == "/admin/tips/1/edit?done=begun"
    await other.get("/admin/tips")
    for presses in (desk, other, other):
        led = (await presses.post(begin)).headers["location"]
        assert led == f"/admin/tips/1?ticket={ticket.id}&done=ticket_open"
    assert "您已经从这件工单起草了一份" in plain(await desk.get(led))
    told = await other.get(led)
    assert "已经有一份还没有签发的工作提示，就是这一份（李强起草）" in plain(told)
    # Handed in it is there as well; whoever wants another one all the same says so.
    await desk.get("/admin/tips/1")
    async with store.transaction() as session:
        (await session.get_one(WorkTip, 1)).state = TipState.IN_REVIEW
    assert (await desk.post(begin)).headers["location"] == led
    assert f'action="{begin}"' in told.text
    another = await other.post(begin, {"another": "1"})
    assert another.headers["location"] == "/admin/tips/2/edit?done=begun"
    # What the address says is no more than what the draft itself tells.
    for query in (f"ticket={ticket.id + 1}", "ticket=x", ""):
        assert "另外起草" not in (await other.get(f"/admin/tips/1?done=ticket_open&{query}")).text, query


async def test_a_ticket_whose_tip_is_out_or_whose_draft_was_deleted_begins_a_new_one(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    ticket = await answered(store, cast, clock())
    begin = f"/admin/tips/from-ticket/{ticket.id}"
    out = await released(store, cast, clock(), sources={"tickets": [ticket.id]})
    desk = await signed_in(cast.li_qiang)
    await desk.get("/admin/tips")
    begun = await desk.post(begin)
    assert begun.headers["location"] == f"/admin/tips/{out.id + 1}/edit?done=begun"
    await desk.get(f"/admin/tips/{out.id + 1}")
    await desk.post(f"/admin/tips/{out.id + 1}/delete", {"sure": "1"})
    assert (await desk.post(begin)).headers["location"].endswith("/edit?done=begun")
    # An old address says nothing of a tip that is out meanwhile.
    for what in ("ticket_open", "correction_open"):
        shown = plain(await desk.get(f"/admin/tips/{out.id}?ticket={ticket.id}&done={what}"))
        assert "另外起草" not in shown
        assert "{who}" not in shown


async def test_the_ticket_that_leads_a_cluster_opens_the_draft_of_the_cluster(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    tickets = await fourteen(store, cast, clock())
    cluster = await confirmed(store, cast, tickets, clock())
    await signed(store, cast, tickets[0], clock())
    desk = await signed_in(cast.wang_fang)
    await desk.get(f"/admin/clusters/{cluster.id}")
    led = await desk.post(f"/admin/tips/from-ticket/{tickets[0].id}")
    assert led.headers["location"] == f"/admin/tips/1?ticket={tickets[0].id}&done=ticket_open"
    await desk.post(f"/admin/clusters/{cluster.id}/drafts")
    async with store.reading() as session:
        assert len((await session.scalars(select(WorkTip))).all()) == 1


async def test_a_draft_that_was_begun_in_vain_is_deleted_and_its_sources_are_free(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    tickets = await fourteen(store, cast, clock())
    cluster = await confirmed(store, cast, tickets, clock())
    await signed(store, cast, tickets[0], clock())
    _, version = await rewording(store, cast, "K-0901", "请按累计月数计算。", clock(), checked=False)
    async with store.transaction() as session:
        row = await session.get_one(WorkTip, 1)
        await tip_links.set_targets(session, row, [cast.north.id], actor=cast.li_qiang)
        await tip_links.link(session, row, [version.id], actor=cast.li_qiang)
    desk, elsewhere = await signed_in(cast.wang_fang), await signed_in(cast.zhao_lei)
    here = "/admin/tips/1"
    page = await desk.get(here)
    assert f'action="{here}/delete"' in page.text
    await elsewhere.get("/admin/tips")
    assert (await elsewhere.post(f"{here}/delete", {"version": "1", "sure": "1"})).status_code == 404
    unsure = await desk.post(f"{here}/delete")
    assert unsure.status_code == 422
    assert "请先打勾确认" in plain(unsure)
    assert (await desk.post(f"{here}/delete", {"version": "7", "sure": "1"})).status_code == 409
    gone = await desk.post(f"{here}/delete", {"sure": "1"})
    assert gone.headers["location"] == "/admin/tips?done=deleted"
    assert "草稿已删除" in (await desk.get(gone.headers["location"])).text
    assert (await desk.get(here)).status_code == 404
    async with store.reading() as session:
        for table in (WorkTip, TipTarget, TipEntry):
            assert (await session.scalars(select(table))).all() == []
        assert (await session.get_one(Cluster, cluster.id)).tip_id is None
        (told, *_), _ = await audit.listed(session, subject="work_tip:1")
    assert (told.action, told.actor_name) == ("work_tip.discard", cast.wang_fang.name)
    assert told.facts["clusters"] == [cluster.cluster_no]
    assert tickets[0].words not in str(told.facts)
    # The cluster offers its tip again.
    await desk.get(f"/admin/clusters/{cluster.id}")
    assert (await desk.post(f"/admin/clusters/{cluster.id}/drafts")).status_code == 303
    async with store.reading() as session:
        assert (await session.get_one(Cluster, cluster.id)).tip_id is not None


async def test_what_was_typed_into_a_draft_that_is_gone_comes_back_under_the_names_of_the_form(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    old = await released(store, cast, clock())
    _, version = await rewording(store, cast, "K-0901", "请按累计月数计算。", clock(), checked=False)
    made = await drafted(store, cast, clock())
    here = f"/admin/tips/{made.id}"
    slow, quick = await signed_in(cast.li_qiang), await signed_in(cast.wang_fang)
    await slow.get(f"{here}/edit")
    await quick.get(here)
    assert (await quick.post(f"{here}/delete", {"sure": "1"})).status_code == 303
    lost = await slow.post(f"{here}/edit", {
        "title": "李强改的<b>", "type": "procedure", "wording": "答复：李强的口径。", "basis": "  ",
        "effective_from": "2026-12-01T09:00", "secrecy": "internal", "head": "plain", "receipt_wanted": "1",
        "targets": [str(cast.riverside.id), str(cast.north.id)], "entries": [str(version.id)],
        "supersedes": str(old.id), "attach_title": ["样表", ""], "attach_text": ["第一行\n第二行", ""],
        "then": "save",
    })  # fmt: skip
    assert lost.status_code == 404
    shown = [
        (html.unescape(label), html.unescape(words).strip())
        for label, words in re.findall(
            r'<label for="typed-\d+">(.*?)</label>.*?<textarea[^>]*>(.*?)</textarea>', lost.text, re.DOTALL
        )
    ]
    assert shown == [
        ("标题", "李强改的<b>"),
        ("类型", "操作规程"),
        ("二、统一口径", "答复：李强的口径。"),
        ("附件", "样表\n第一行\n第二行"),
        ("关联口径", "K-0901 第2版"),
        ("替代哪一期", "2026年第1期 关于居住证年限的提示"),
        ("发送范围", "临江街道、北塘镇"),
        ("生效时间", "2026-12-01 09:00"),
        ("回执", "要"),
        ("公开范围", "仅工作人员"),
        ("版头", "提示版头：选民登记工作提示＋期号"),
    ]
    assert "<b>" not in lost.text


async def test_what_others_were_asked_to_read_stays(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    returned = await submitted(store, cast, clock())
    desk = await signed_in(cast.li_qiang)
    for state in ("in_review", "returned"):
        page = await desk.get(f"/admin/tips/{returned.id}")
        assert "/delete" not in page.text, state
        assert (await desk.post(f"/admin/tips/{returned.id}/delete", {"sure": "1"})).status_code == 409
        await desk.post(f"/admin/tips/{returned.id}/take-back")
    assert (await read(store, returned)).state is TipState.DRAFT
    # A page from before its number was given to another draft writes nothing into that one.
    first = await drafted(store, cast, clock())
    slow, here = await signed_in(cast.wang_fang), f"/admin/tips/{first.id}/edit"
    await slow.get(here)
    await desk.get(f"/admin/tips/{first.id}")
    await desk.post(f"/admin/tips/{first.id}/delete", {"sure": "1"})
    again = await drafted(store, cast, clock(), title="另一份提示")
    assert again.id == first.id
    fields = {"title": "串了", "type": "wording", "secrecy": "internal", "head": "plain", "then": "save"}
    assert (await slow.post(here, fields)).status_code == 409
    assert (await read(store, again)).title == "另一份提示"
