"""Work tips begun to put another one right, and those begun in vain."""

from __future__ import annotations

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
