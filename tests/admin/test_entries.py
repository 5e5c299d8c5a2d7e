"""From an answered ticket to a published entry: editor, checks, the second person, versions."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from knowledge import entries, golden, shelf
from knowledge.versions import Entry, EntryState, EntryVersion, by_number, get_version, versions
from office.staff import Role, Staff
from office.store import Store
from tests.admin.conftest import Browser, Clock
from tests.make import HOURS, Cast, a_ticket, an_entry, content
from ticketing import tickets

SignedIn = Callable[[Staff], Awaitable[Browser]]

FIELDS: dict[str, Any] = {
    "topic": "reg_docs",
    "question": "新楼盘还没有门牌号，登记表上的地址怎么填？",
    "phrasings": "新房子没门牌怎么登记\n小区还没有门牌号能登记吗\n交房了门牌没下来，登记写哪里",
    "aliases": "没门牌",
    "short": "带购房合同到登记站登记。登记时间：{{ cal.registration }}。",
    "full": "",
    "steps": "",
    "documents": "购房合同\n身份证",
    "basis": "上海市区和乡镇人民代表大会代表直接选举实施细则 | 第二十条",
    "audience": "voter",
    "level": "ordinary",
    "group": "登记组",
    "confirmed": "1",
    "review_on": "2027-03-01",
    "effective_from": "",
    "effective_until": "",
}


@pytest.fixture(autouse=True)
def no_golden_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gate has tests of its own; here every check passes, whatever the matcher thinks of a small base."""
    monkeypatch.setattr(golden, "shipped", lambda: ())


async def answered_ticket(store: Store, cast: Cast, clock: Clock) -> int:
    async with store.transaction() as session:
        ticket = await a_ticket(session, cast, clock())
        await tickets.take(session, ticket, actor=cast.li_qiang, now=clock())
        await tickets.propose(
            session, ticket, "带购房合同到登记站登记。", "细则第二十条", actor=cast.li_qiang, now=clock()
        )
        await tickets.sign(
            session, ticket, seen=ticket.version, actor=cast.wang_fang, hours=HOURS, now=clock()
        )
        return ticket.id


async def newest(store: Store, entry_id: int) -> EntryVersion:
    async with store.reading() as session:
        return (await versions(session, await session.get_one(Entry, entry_id)))[0]


def number_in(address: str) -> int:
    return int(address.split("/entries/")[1].split("/")[0].split("?")[0])


async def published_by(reviewer: Browser, entry_id: int) -> httpx.Response:
    """The two presses of a publication: the check, and on its page the confirmation."""
    base = f"/admin/entries/{entry_id}"
    checked = await reviewer.post(f"{base}/check")
    assert checked.headers["location"] == f"{base}/check"
    await reviewer.get(f"{base}/check")
    return await reviewer.post(f"{base}/publish")


async def test_ticket_becomes_an_entry_that_a_second_person_publishes(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    ticket_id = await answered_ticket(store, cast, clock)
    editor, reviewer = await signed_in(cast.li_qiang), await signed_in(cast.wang_fang)

    await editor.get(f"/admin/tickets/{ticket_id}")
    promoted = await editor.post(f"/admin/tickets/{ticket_id}/promote")
    entry_id = number_in(promoted.headers["location"])
    page = await editor.get(promoted.headers["location"])
    assert "新楼盘还没有门牌号，登记表上的地址怎么填？" in page.text
    assert "带购房合同到登记站登记。</textarea>" in page.text
    assert "至少要 3 条问法" in page.text

    address = f"/admin/entries/{entry_id}/edit"
    unready = await editor.post(address, {**FIELDS, "phrasings": "一句问法够不够", "then": "submit"})
    assert unready.status_code == 422
    assert "一句问法够不够</textarea>" in unready.text
    assert (await newest(store, entry_id)).short == "带购房合同到登记站登记。"

    submitted = await editor.post(address, {**FIELDS, "then": "submit"})
    assert submitted.headers["location"] == f"/admin/entries/{entry_id}?done=submitted"
    version = await newest(store, entry_id)
    assert version.state is EntryState.IN_REVIEW
    assert version.documents == ["购房合同", "身份证"]

    page = await editor.get(f"/admin/entries/{entry_id}")
    assert "须是作者以外的另一位同志" in page.text
    assert (await editor.post(f"/admin/entries/{entry_id}/publish")).status_code == 403

    page = await reviewer.get(f"/admin/entries/{entry_id}")
    assert "居民登记：11月16日" in page.text
    published = await published_by(reviewer, entry_id)
    assert published.status_code == 303
    assert (await newest(store, entry_id)).state is EntryState.PUBLISHED

    async with store.transaction() as session:
        ticket = await a_ticket(session, cast, clock(), "新房子没门牌怎么登记")
        await tickets.take(session, ticket, actor=cast.li_qiang, now=clock())
    assert "带购房合同到登记站登记" in (await editor.get(f"/admin/tickets/{ticket.id}")).text


async def test_author_cannot_publish_even_with_the_role(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    async with store.transaction() as session:
        version = await entries.draft(session, content(cast), actor=cast.wang_fang, now=clock())
        await entries.submit(session, version, actor=cast.wang_fang, now=clock())
    desk = await signed_in(cast.wang_fang)
    page = await desk.get(f"/admin/entries/{version.entry_id}")
    assert "作者是王芳" in page.text
    assert page.text.count("另一位") == 1
    assert "二人原则" in page.text
    refused = await desk.post(
        f"/admin/entries/{version.entry_id}/publish",
        {"version": str(version.version), "version_id": str(version.id)},
    )
    assert refused.status_code == 403
    assert (await newest(store, version.entry_id)).state is EntryState.IN_REVIEW


async def test_old_editor_page_changes_nothing_and_keeps_what_was_typed(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    async with store.transaction() as session:
        version = await entries.draft(session, content(cast), actor=cast.li_qiang, now=clock())
    address = f"/admin/entries/{version.entry_id}/edit"
    here, there = await signed_in(cast.li_qiang), await signed_in(cast.wang_fang)
    await here.get(address)
    await there.get(address)
    assert (await there.post(address, {**FIELDS, "short": "先保存的短答"})).status_code == 303
    late = await here.post(address, {**FIELDS, "short": "后保存的短答"})
    assert late.status_code == 409
    assert "后保存的短答</textarea>" in late.text
    assert (await newest(store, version.entry_id)).short == "先保存的短答"
    again = await here.post(address, {**FIELDS, "short": "后保存的短答"})
    assert again.status_code == 409  # the refused page carries the new version count, this one is the old
    here.shown = late.text
    assert (await here.post(address, {**FIELDS, "short": "后保存的短答"})).status_code == 303
    assert (await newest(store, version.entry_id)).short == "后保存的短答"


async def test_new_version_of_a_published_entry_shows_what_it_changes(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    async with store.transaction() as session:
        first = await an_entry(session, cast, clock())
    editor, reviewer = await signed_in(cast.li_qiang), await signed_in(cast.wang_fang)
    address = f"/admin/entries/{first.entry_id}/edit"
    page = await editor.get(address)
    assert "现行版本继续有效" in page.text
    fields = {**FIELDS, "topic": "voter_card", "question": "选民证丢了怎么办？",
              "phrasings": "选民证掉了咋办\n我把选民证弄丢了\n选民证没了能补吗", "documents": "",
              "aliases": "", "short": "请尽快联系发证的登记站核对，由登记站当场告诉您怎么办。"}  # fmt: skip
    unsaid = await editor.post(address, {**fields, "then": "submit"})
    assert (unsaid.status_code, "请先选择：这次是实质变化" in unsaid.text) == (422, True)
    chosen = {**fields, "then": "submit", "alteration": "editorial"}
    assert (await editor.post(address, chosen)).status_code == 303
    page = await reviewer.get(f"/admin/entries/{first.entry_id}")
    assert "<ins>当场</ins>" in page.text
    assert "<del>选民证遗失到哪里补</del>" in page.text
    assert "<ins>选民证没了能补吗</ins>" in page.text
    assert (await published_by(reviewer, first.entry_id)).status_code == 303
    async with store.reading() as session:
        assert (await get_version(session, first.id)).state is EntryState.RETIRED
        assert (await by_number(session, "K-0540")).published_id != first.id


async def test_sent_back_with_a_remark_then_dropped(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    async with store.transaction() as session:
        version = await entries.draft(session, content(cast), actor=cast.li_qiang, now=clock())
        await entries.submit(session, version, actor=cast.li_qiang, now=clock())
    base = f"/admin/entries/{version.entry_id}"
    editor, reviewer = await signed_in(cast.li_qiang), await signed_in(cast.wang_fang)
    assert "正在审核，不能修改" in (await editor.get(f"{base}/edit")).text
    assert (await editor.post(f"{base}/edit", FIELDS)).status_code == 409
    await reviewer.get(base)
    assert (await reviewer.post(f"{base}/send-back", {"remark": " "})).status_code == 422
    await reviewer.post(f"{base}/send-back", {"remark": "<b>写明</b>到哪里补"})
    page = await editor.get(base)
    assert "&lt;b&gt;写明&lt;/b&gt;到哪里补" in page.text
    assert (await editor.post(f"{base}/drop")).status_code == 303
    assert (await newest(store, version.entry_id)).state is EntryState.RETIRED


async def test_retired_entry_names_its_successor(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    async with store.transaction() as session:
        old = await an_entry(session, cast, clock())
        new = await an_entry(session, cast, clock(), "K-0541", question="选民证遗失怎么补？")
    desk = await signed_in(cast.wang_fang)
    base = f"/admin/entries/{old.entry_id}"
    await desk.get(base)
    missing = await desk.post(f"{base}/retire", {"successor": "K-9999"})
    assert missing.status_code == 422
    assert "K-9999" in missing.text
    assert (await desk.post(f"{base}/retire", {"successor": "K-0540"})).status_code == 422
    assert (await desk.post(f"{base}/retire", {"successor": "k-0541"})).status_code == 303
    page = await desk.get(base)
    assert f'href="/admin/entries/{new.entry_id}"' in page.text
    assert "K-0540" not in (await desk.get("/admin/entries")).text
    assert "K-0540" in (await desk.get("/admin/entries?view=retired")).text


async def test_list_is_filtered_and_searched(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    async with store.transaction() as session:
        await an_entry(session, cast, clock())
        await an_entry(session, cast, clock(), "K-0901", topic="st_dup", audience="staff",
                       question="导入时提示身份证号重复怎么办？",
                       phrasings=("导入提示重复怎么处理", "名单里一人两条", "重复的号码导不进"))  # fmt: skip
        await entries.draft(session, content(cast, question="100%的草稿"), actor=cast.li_qiang, now=clock())
    desk = await signed_in(cast.li_qiang)
    wanted = {
        "/admin/entries": {"K-0540", "K-0901"},
        "/admin/entries?q=0901": {"K-0901"},
        "/admin/entries?q=弄丢了": {"K-0540"},
        "/admin/entries?q=100%25": set(),
        "/admin/entries?q=_": set(),
        "/admin/entries?audience=staff": {"K-0901"},
        "/admin/entries?topic=voter_card": {"K-0540"},
        "/admin/entries?view=draft": {"K-2001"},
        "/admin/entries?view=all": {"K-0540", "K-0901", "K-2001"},
        "/admin/entries?view=all&q=100%25": {"K-2001"},
        "/admin/entries?view=nonsense&topic=nonsense&page=x": {"K-0540", "K-0901"},
    }
    for address, numbers in wanted.items():
        page = (await desk.get(address)).text
        assert {no for no in ("K-0540", "K-0901", "K-2001") if f'"code">{no}' in page} == numbers, address


async def test_entry_of_another_street_is_not_there(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    async with store.transaction() as session:
        version = await an_entry(session, cast, clock(), scope_unit_id=cast.riverside.id)
        shared = await an_entry(session, cast, clock(), "K-0541", question="选民证遗失怎么补？")
    desk = await signed_in(cast.zhao_lei)
    assert (await desk.get(f"/admin/entries/{version.entry_id}")).status_code == 404
    assert (await desk.get(f"/admin/entries/{version.entry_id}/edit")).status_code == 404
    assert (await desk.get(f"/admin/entries/{shared.entry_id}")).status_code == 200
    page = (await desk.get("/admin/entries")).text
    assert "K-0541" in page
    assert "K-0540" not in page
    async with store.reading() as session:
        rows, total = await shelf.listed(session, cast.zhao_lei, shelf.Filter())
        assert (len(rows), total) == (1, 1)


async def test_new_entry_keeps_everything_typed_when_a_field_is_wrong(
    store: Store, cast: Cast, signed_in: SignedIn
) -> None:
    desk = await signed_in(cast.li_qiang)
    fresh = await desk.get("/admin/entries/new")
    # Nobody has confirmed what is not yet written.
    assert '<input type="checkbox" name="confirmed" value="1">' in fresh.text
    assert '<option value="reg_where_hukou">我该在哪里登记' in fresh.text
    assert "（reg_where_hukou）" not in fresh.text, "codes are for files, not for people"
    wrong = await desk.post(
        "/admin/entries/new", {**FIELDS, "effective_from": "2026-12-01", "effective_until": "2026-11-01"}
    )
    assert wrong.status_code == 422
    assert "失效日早于生效日" in wrong.text
    for text in ("交房了门牌没下来，登记写哪里", "{{ cal.registration }}", "购房合同", "第二十条", "没门牌"):
        assert text in wrong.text
    assert 'value="reg_docs" selected' in wrong.text
    made = await desk.post("/admin/entries/new", FIELDS)
    assert made.status_code == 303
    assert (await newest(store, number_in(made.headers["location"]))).basis == [
        {"law": "上海市区和乡镇人民代表大会代表直接选举实施细则", "article": "第二十条"}
    ]


async def test_reader_without_the_role_neither_drafts_nor_publishes(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    async with store.transaction() as session:
        version = await an_entry(session, cast, clock())
        reader = Staff(name="钱一", unit_id=cast.district.id, roles=[Role.REGISTRAR], created_at=clock())
        session.add(reader)
    desk = await signed_in(reader)
    base = f"/admin/entries/{version.entry_id}"
    page = await desk.get(base)
    assert page.status_code == 200
    assert f'action="{base}/retire"' not in page.text
    assert (await desk.get(f"{base}/edit")).status_code == 403
    for act in ("submit", "drop", "send-back", "publish", "retire", "edit"):
        assert (await desk.post(f"{base}/{act}", FIELDS)).status_code == 403, act
    assert (await desk.get("/admin")).headers["location"] == "/admin/calls"


async def test_an_entry_is_made_for_a_street_and_stays_its_own(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    desk = await signed_in(cast.li_qiang)
    form = (await desk.get("/admin/entries/new")).text
    shown = re.search(r'<select[^>]*name="scope".*?</select>', form, re.DOTALL)
    assert shown
    assert re.findall(r">\u3000*([^<\u3000]+)</option>", shown[0]) == ["东浦区", "临江街道", "北塘镇"]
    made = await desk.post("/admin/entries/new", {**FIELDS, "scope": str(cast.riverside.id)})
    assert made.status_code == 303
    address = made.headers["location"].partition("?")[0]
    version = await newest(store, int(address.split("/")[3]))
    assert version.scope_unit_id == cast.riverside.id
    page = (await desk.get(address)).text
    assert f'value="{cast.riverside.id}" selected' in page
    await desk.post(address, {**FIELDS, "short": "请到居委会。"})
    assert (await newest(store, version.entry_id)).scope_unit_id == cast.riverside.id


async def test_nobody_makes_an_entry_for_a_unit_out_of_reach(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    desk = await signed_in(cast.zhao_lei)
    assert 'name="scope"' not in (await desk.get("/admin/entries/new")).text
    for unit, status in ((cast.district.id, 403), (cast.riverside.id, 403), (999, 404)):
        refused = await desk.post("/admin/entries/new", {**FIELDS, "scope": str(unit)})
        assert refused.status_code == status
