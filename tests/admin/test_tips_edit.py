"""Writing a work tip in the console: every field, rows without script, nothing lost, nobody overwritten."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from knowledge import tip_links
from knowledge.tips import TipHead, TipSecrecy, TipState, TipType, WorkTip
from office.staff import Staff
from office.store import Store
from tests.admin.conftest import Browser, Clock, plain
from tests.make import Cast
from tests.ticketing.tip_world import drafted, group, read, released, rewording, submitted

SignedIn = Callable[[Staff], Awaitable[Browser]]
NEW = "/admin/tips/new"


def filled(cast: Cast, **changes: Any) -> dict[str, Any]:
    """A whole form."""
    fields = {
        "title": "关于门牌号的提示", "type": "procedure", "addressed_to": "各街道、各镇选举工作组",
        "origin": "11月18日起共收到9件。", "wording": "答复：写小区名和楼栋号。",
        "steps": "1. 先看产证\n2. 再登记",
        "contact_lines": "联系：区选举办", "basis": "实施细则第二十七条", "scope": "本区居民登记",
        "effective_from": "2026-11-21T09:00", "effective_until": "2026-12-29 20:00",
        "receipt_due": "2026-11-23T17:00", "send_at": "2026-11-21T08:30", "secrecy": "public", "head": "red",
        "document_no": "东选办〔2026〕3号", "copied_to": "区民政局", "print_run": "40", "receipt_wanted": "1",
        "attach_title": ["样表", ""], "attach_text": ["第一行\n第二行", ""],
        "targets": [str(cast.riverside.id), str(cast.north.id)], "supersedes": "", "then": "save",
    }  # fmt: skip
    return fields | changes


async def only(store: Store) -> WorkTip:
    async with store.reading() as session:
        return (await session.scalars(select(WorkTip))).one()


async def test_every_field_is_kept_as_it_was_written(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    _, version = await rewording(store, cast, "K-0901", "写小区名和楼栋号。", clock())
    desk = await signed_in(cast.li_qiang)
    page = await desk.get(NEW)
    assert "电话" in page.text  # whom to call stands there from the beginning
    saved = await desk.post(NEW, filled(cast, entries=[str(version.id)]))
    assert saved.headers["location"] == "/admin/tips/1?done=saved"
    tip = await only(store)
    assert (tip.title, tip.type, tip.head, tip.secrecy) == (
        "关于门牌号的提示", TipType.PROCEDURE, TipHead.RED, TipSecrecy.PUBLIC,
    )  # fmt: skip
    assert (tip.scope, tip.copied_to, tip.document_no, tip.print_run) == (
        "本区居民登记", "区民政局", "东选办〔2026〕3号", 40,
    )  # fmt: skip
    # Written as Beijing time, kept as it is everywhere.
    assert tip.effective_from == datetime(2026, 11, 21, 1, tzinfo=UTC)
    assert tip.effective_until == datetime(2026, 12, 29, 12, tzinfo=UTC)
    assert (tip.receipt_wanted, tip.send_at) == (True, datetime(2026, 11, 21, 0, 30, tzinfo=UTC))
    assert tip.attachments == [{"title": "样表", "text": "第一行\n第二行"}]
    async with store.reading() as session:
        row = await session.get_one(WorkTip, tip.id)
        assert {unit.id for unit in await tip_links.targets(session, row)} == {
            cast.riverside.id,
            cast.north.id,
        }
        assert [linked.id for _, linked, _ in await tip_links.linked(session, row)] == [version.id]

    again = await desk.get("/admin/tips/1/edit")
    for words in ('value="2026-11-21T09:00"', 'value="40"', "第一行\n第二行", 'value="样表"', "K-0901"):
        assert words in again.text
    assert len(re.findall(r'name="(?:targets|entries)" value="\d+" checked', again.text)) == 3
    assert "已选2个单位" in again.text


async def test_a_slip_loses_nothing_that_was_typed(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    desk = await signed_in(cast.li_qiang)
    await desk.get(NEW)
    slips = {
        "title": (" ", "请写标题"), "effective_from": ("明天<b>", "“明天<b>”看不懂"),
        "print_run": ("很多", "印数"), "send_at": ("0001-01-01T00:00", "看不懂"),
        "attach_title": (["", ""], "每个附件都要有标题"),
    }  # fmt: skip
    for name, (typed, told) in slips.items():
        refused = await desk.post(NEW, filled(cast, **{name: typed}))
        assert refused.status_code == 422, name
        said = plain(refused)
        assert told in said
        for words in ("1. 先看产证\n2. 再登记", "第一行\n第二行", "东选办〔2026〕3号", "区民政局"):
            assert words in said
        assert len(re.findall(r'name="targets" value="\d+" checked', refused.text)) == 2
        assert "<b>”" not in refused.text
    for name, value in (("type", "odd"), ("secrecy", "x"), ("supersedes", "x"), ("supersedes", "77")):
        assert (await desk.post(NEW, filled(cast, **{name: value}))).status_code == 422
    async with store.reading() as session:
        assert (await session.scalars(select(WorkTip))).all() == []


async def test_the_longest_tip_and_the_most_units_fit_into_a_form(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    """Twenty thousand Chinese characters are a quarter of a megabyte on their way."""
    desk = await signed_in(cast.li_qiang)
    await desk.get(NEW)
    parts = dict.fromkeys(("origin", "wording", "steps", "contact_lines", "basis"), "长" * 6000)
    rows = {"attach_title": ["附"] * 3, "attach_text": ["长" * 6000] * 3}
    many = {"targets": [str(cast.north.id)] * 600}
    assert (await desk.post(NEW, filled(cast, **parts, **rows, **many))).status_code == 303
    assert len((await only(store)).wording) == 6000
    long = await desk.post(NEW, filled(cast, **(parts | {"steps": "长" * 6001})))
    assert long.status_code == 422
    assert "长" * 6001 in long.text
    # Which field, how much it takes, how much it is; and a browser cuts nothing off that was pasted.
    assert "“操作步骤”最多 6000 个字，现在有 6001 个字" in plain(long)
    assert 'id="steps-error"' in long.text
    form = long.text.partition("tip-form")[2].partition("</form>")[0]
    assert re.findall(r'name="(\w+)"[^>]*maxlength', form) == ["print_run"]
    rows["attach_title"] = ["附", "附" * 201, "附"]
    assert "附件2的名称最多 200 个字" in plain(await desk.post(NEW, filled(cast, **rows)))


async def test_rows_and_many_units_are_arranged_without_script_and_without_saving(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    async with store.transaction() as session:
        await group(session, cast.riverside, "-1001", clock())
    made = await drafted(store, cast, clock())
    desk = await signed_in(cast.li_qiang)
    here = f"/admin/tips/{made.id}/edit"
    await desk.get(here)
    more = await desk.post(here, filled(cast, title="还没存的标题", then="attach:more"))
    assert more.status_code == 200
    assert more.text.count('name="attach_title"') == 3
    assert "已调整，还没有保存" in more.text
    assert 'value="还没存的标题"' in more.text
    less = await desk.post(here, filled(cast, then="attach:0"))
    assert less.text.count('name="attach_title"') == 1
    assert "第一行" not in less.text
    units = {"all": 3, "town": 1, "none": 0}
    for what, n in units.items():
        page = await desk.post(here, filled(cast, targets=[], then=f"choose:{what}"))
        assert len(re.findall(r'name="targets" value="\d+" checked', page.text)) == n
        assert f"已选{n}个单位，会发送到{1 if what == 'all' else 0}个群" in page.text
    assert (await read(store, made)).title == made.title
    # Enter in a field presses the first button of the form: it has to be the one that saves.
    first = re.search(r'<form[^>]*class="stack tip-form".*?<button[^>]*value="(\w+)"', page.text, re.DOTALL)
    assert first is not None
    assert first[1] == "save"


async def test_somebody_elses_work_is_not_overwritten_unasked(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    made = await drafted(store, cast, clock())
    here = f"/admin/tips/{made.id}/edit"
    slow, quick = await signed_in(cast.li_qiang), await signed_in(cast.wang_fang)
    await slow.get(here)
    await quick.get(here)
    assert (await quick.post(here, filled(cast, title="王芳改的"))).status_code == 303
    told = await slow.post(here, filled(cast, title="李强改的"))
    assert told.status_code == 409
    assert 'value="李强改的"' in told.text
    assert "看别人保存的内容" in told.text
    slow.shown = told.text
    # Pressing twice does not overwrite; saying so does. `test_tips_merge` has the rest.
    assert (await slow.post(here, filled(cast, title="李强改的"))).status_code == 422
    assert (await read(store, made)).title == "王芳改的"
    mine = filled(cast, title="李强改的", take_title="mine")
    assert (await slow.post(here, mine)).status_code == 303
    assert (await read(store, made)).title == "李强改的"


async def test_what_is_not_ready_is_kept_and_not_handed_in(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    desk = await signed_in(cast.li_qiang)
    await desk.get(NEW)
    kept = await desk.post(NEW, filled(cast, then="submit", document_no="", targets=[]))
    assert kept.headers["location"] == "/admin/tips/1?done=unready"
    page = await desk.get(kept.headers["location"])
    for words in ("已保存，但还不能送审", "红头文件要有发文字号", "请至少选择一个发送单位"):
        assert words in page.text
    refused = await desk.post("/admin/tips/1/submit")
    assert refused.status_code == 422
    await desk.get("/admin/tips/1/edit")
    done = await desk.post("/admin/tips/1/edit", filled(cast, then="submit"))
    assert done.headers["location"] == "/admin/tips/1?done=submitted"
    assert (await only(store)).state is TipState.IN_REVIEW
    # What is in review has no form; a form that was open all the while is told so.
    assert (await desk.get("/admin/tips/1/edit")).headers["location"] == "/admin/tips/1"
    await desk.get("/admin/tips/1")
    late = await desk.post("/admin/tips/1/edit", filled(cast, version="2"))
    assert late.status_code == 409


async def test_units_and_entries_of_others_are_refused(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    _, version = await rewording(store, cast, "K-0901", "写小区名和楼栋号。", clock(), checked=False)
    elsewhere = await signed_in(cast.zhao_lei)
    page = await elsewhere.get(NEW)
    assert "临江街道" not in page.text
    assert "K-0901" not in page.text
    own = [str(cast.north.id)]
    assert (await elsewhere.post(NEW, filled(cast))).status_code == 404
    assert (
        await elsewhere.post(NEW, filled(cast, targets=own, entries=[str(version.id)]))
    ).status_code == 403
    assert (await elsewhere.post(NEW, filled(cast, targets=own))).status_code == 303
    assert (await only(store)).unit_id == cast.north.id


async def test_a_correction_begins_with_the_old_text_and_replaces_it(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    old = await released(store, cast, clock())
    desk = await signed_in(cast.li_qiang)
    await desk.get(f"/admin/tips/{old.id}")
    begun = await desk.post(f"/admin/tips/{old.id}/correct")
    assert begun.headers["location"] == f"/admin/tips/{old.id + 1}/edit?done=correcting"
    page = await desk.get(begun.headers["location"])
    for words in ("替代2026年第1期", "按累计月数计算", f'<option value="{old.id}" selected>', "已选2个单位"):
        assert words in page.text
    assert "李强在起草更正" in (await desk.get(f"/admin/tips/{old.id}")).text
    made = await read(store, await only_other(store, old))
    assert (made.supersedes_id, made.state) == (old.id, TipState.DRAFT)
    in_review = await submitted(store, cast, clock())
    assert (await desk.post(f"/admin/tips/{in_review.id}/correct")).status_code == 409


async def only_other(store: Store, one: WorkTip) -> WorkTip:
    async with store.reading() as session:
        return (await session.scalars(select(WorkTip).where(WorkTip.id != one.id))).one()
