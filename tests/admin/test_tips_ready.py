"""Before a signature: what is missing stands beside the button; when the entries come into force."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from knowledge import golden
from knowledge.tips import TipState, WorkTip
from knowledge.versions import EntryVersion
from office.staff import Role, Staff
from office.store import Store
from tests.admin.conftest import Browser, Clock, plain
from tests.make import Cast, an_entry
from tests.ticketing.tip_world import check, drafted, read, released, rewording, signed, submitted
from ticketing import tip_effect, tip_release

SignedIn = Callable[[Staff], Awaitable[Browser]]
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def no_golden_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gate before a publication has tests of its own, and lets everything pass here."""
    monkeypatch.setattr(golden, "shipped", lambda: ())
    monkeypatch.setattr("knowledge.replay.Comparison.passed", property(lambda found: True))


def button(page: str) -> str:
    """The tag of the button that signs, empty without one."""
    found = re.search(r'action="/admin/tips/\d+/release".*?(<button[^>]*>)', page, re.DOTALL)
    return found[1] if found else ""


async def test_an_attachment_without_text_is_named_before_the_signature(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    rows = ({"title": "样表", "text": "第一行"}, {"title": "小区<一>览表", "text": ""})
    made = await drafted(store, cast, clock(), attachments=rows)
    desk = await signed_in(cast.li_qiang)
    said = plain(await desk.get(f"/admin/tips/{made.id}"))
    assert "附件2《小区<一>览表》还没有正文" in said
    assert "附件1《" not in said
    assert (await desk.post(f"/admin/tips/{made.id}/submit")).status_code == 422


async def test_a_tip_cannot_be_signed_while_something_is_missing_and_the_page_says_what(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    _, version = await rewording(store, cast, "K-0901", "按累计月数计算。", clock(), checked=False)
    made = await submitted(store, cast, clock(), entries=(version.id,))
    desk, here = await signed_in(cast.wang_fang), f"/admin/tips/{made.id}"

    async def held(*words: str) -> None:
        page = await desk.get(here)
        assert " disabled" in button(page.text)
        said = plain(page).partition('id="step"')[2].partition("</section>")[0]
        assert "签发前还缺" in said
        for one in words:
            assert one in said, one
        assert (await desk.post(f"{here}/release")).status_code in (403, 409, 422)

    await held("K-0901：还没有做发布前检查", f'href="/admin/entries/{version.entry_id}/check"')
    await check(store, cast, version, clock())
    assert "disabled" not in button((await desk.get(here)).text)
    # Something else is published: what was checked is another base.
    async with store.transaction() as session:
        await an_entry(session, cast, clock(), no="K-0902", question="新楼盘没有门牌号怎么写？")
    await held("K-0901：还没有做发布前检查")
    await check(store, cast, version, clock())
    async with store.transaction() as session:
        row = await session.get_one(WorkTip, made.id)
        row.addressed_to = ""
    await held("请填写主送")
    async with store.transaction() as session:
        row = await session.get_one(WorkTip, made.id)
        row.addressed_to = "各街道"
    assert "disabled" not in button((await desk.get(here)).text)
    # Whoever wrote an entry is no second person to it, whoever does not reach a unit cannot send there.
    async with store.transaction() as session:
        person = await session.get_one(Staff, cast.wang_fang.id)
        person.unit_id = cast.district.id
        row_version = await session.get_one(EntryVersion, version.id)
        row_version.author_id = cast.wang_fang.id
    await held("K-0901是您起草的")
    assert (await read(store, made)).state is TipState.IN_REVIEW


async def test_a_signer_of_another_place_is_told_which_units_are_out_of_reach(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    async with store.transaction() as session:
        person = await session.get_one(Staff, cast.zhao_lei.id)
        person.roles = [Role.DUTY_OFFICER.value, Role.REVIEWER.value]
        session.add(
            signer := Staff(name="周丽", unit_id=cast.north.id, roles=["reviewer"], created_at=clock())
        )
    made = await submitted(store, cast, clock())
    async with store.transaction() as session:
        row = await session.get_one(WorkTip, made.id)
        row.unit_id = cast.north.id
    page = await (await signed_in(signer)).get(f"/admin/tips/{made.id}")
    assert " disabled" in button(page.text)
    assert "临江街道不在您的范围内" in plain(page)


@pytest.mark.parametrize(
    ("days", "before", "after"),
    [
        ({}, "签发的同时生效", "已生效"),
        ({"send_at": 2 * HOUR}, "11月20日（周五）12:05发送时生效", "11月20日（周五）12:05发送时生效"),
        ({"effective_from": 3 * HOUR}, "将在11月20日（周五）13:05生效", "将在11月20日（周五）13:05生效"),
        (
            {"send_at": 2 * HOUR, "effective_from": 3 * HOUR},
            "将在11月20日（周五）13:05生效",
            "将在11月20日（周五）13:05生效",
        ),
        ({"send_at": HOUR / -2}, "签发的同时生效", "已生效"),
    ],
    ids=["at once", "sent later", "later", "both", "past"],
)
async def test_one_true_sentence_says_when_the_entries_come_into_force(
    store: Store,
    cast: Cast,
    clock: Clock,
    signed_in: SignedIn,
    days: dict[str, Any],
    before: str,
    after: str,
) -> None:
    now = clock()
    _, version = await rewording(store, cast, "K-0901", "按累计月数计算。", now)
    told = {name: now + value for name, value in days.items()}
    made = await submitted(store, cast, now, entries=(version.id,), **told)
    desk, here = await signed_in(cast.wang_fang), f"/admin/tips/{made.id}"

    async def said() -> str:
        return plain(await desk.get(here)).partition('id="changes"')[2].partition("</p>")[0]

    assert before in await said()
    at_once = before.startswith("签发")
    assert ("1条关联口径同时生效" in plain(await desk.get(here))) is at_once
    signed_tip = await signed(store, cast, made, now)
    assert after in await said()
    if at_once:
        return
    # Something else is published meanwhile: that is the clock's to look at, nobody has to sign again.
    async with store.transaction() as session:
        await an_entry(session, cast, now, no="K-0902", question="新楼盘没有门牌号怎么写？")
    changes = plain(await desk.get(here)).partition('id="changes"')[2]
    assert "口径库有变化，到时自动重新检查" in changes
    assert "签发前要先做" not in changes
    board = f"{here}/board"
    assert ("定于11月20日（周五）12:05发送" in plain(await desk.get(board))) is ("send_at" in days)
    async with store.transaction() as session:
        row = await session.get_one(WorkTip, made.id)
        await tip_release.withdraw(
            session, row, "有误", seen=signed_tip.version, actor=cast.wang_fang, now=now
        )
    assert "没有随本期生效" in await said()
    fallen = plain(await desk.get(board))
    assert "定于" not in fallen
    assert ("发送以前就撤回了，没有发送" in fallen) is ("send_at" in days)


async def test_what_waits_for_a_signed_tip_is_not_offered_to_another_and_its_page_names_the_tip(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    now = clock()
    _, version = await rewording(store, cast, "K-0901", "按累计月数计算。", now)
    _, other = await rewording(store, cast, "K-0902", "写小区名和楼栋号。", now)
    await check(store, cast, version, now)
    rival = await drafted(store, cast, now, title="另一份提示", entries=(version.id, other.id))
    desk, entry = await signed_in(cast.li_qiang), f"/admin/entries/{version.entry_id}"
    assert "签发后随工作提示《另一份提示》生效" in plain(await desk.get(entry))
    tip = await released(store, cast, now, entries=(version.id,), effective_from=now + 3 * HOUR)
    page = await desk.get(entry)
    assert "等工作提示2026年第1期生效" in plain(page)
    assert f'href="/admin/tips/{tip.id}"' in page.text

    new = await desk.get("/admin/tips/new")
    assert f'name="entries" value="{other.id}"' in new.text
    assert f'name="entries" value="{version.id}"' not in new.text
    fields = {
        "title": "抢先", "type": "procedure", "secrecy": "internal", "head": "plain", "then": "save",
        "entries": [str(version.id)],
    }  # fmt: skip
    refused = await desk.post("/admin/tips/new", fields)
    assert refused.status_code == 409
    assert "随工作提示2026年第1期生效" in plain(refused)
    # One that linked it before sees why it cannot go on.
    said = plain(await desk.get(f"/admin/tips/{rival.id}"))
    assert "随工作提示2026年第1期生效" in said
    assert "随2026年第1期生效" in plain(await desk.get(f"/admin/tips/{rival.id}/edit"))
    # Its own correction has it.
    await desk.get(f"/admin/tips/{tip.id}")
    begun = await desk.post(f"/admin/tips/{tip.id}/correct")
    assert f'name="entries" value="{version.id}" checked' in (await desk.get(begun.headers["location"])).text

    clock.pass_by(3 * HOUR)
    await check(store, cast, version, clock())
    async with store.transaction() as session:
        assert await tip_effect.take_effect(session, now=clock()) == 1
        assert (await session.get_one(EntryVersion, version.id)).published_at is not None
    page = await desk.get(entry)
    assert "随工作提示2026年第1期生效" in plain(page)
    for state, mark in ((TipState.WITHDRAWN, "（已撤回）"), (TipState.SUPERSEDED, "（已被替代）")):
        async with store.transaction() as session:
            (await session.get_one(WorkTip, tip.id)).state = state
        assert f"随工作提示2026年第1期生效{mark}" in plain(await desk.get(entry))
