"""Chats of staff and groups in the console: the invitation shown once, the digits, groups, reach."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import pytest
from fastapi import FastAPI

from admin.posters import Doors
from office import bindings, chat_groups, chat_invites, contacts
from office.audit import SYSTEM
from office.bindings import ChatGroup, GroupPurpose, GroupState, StaffBinding
from office.contacts import Channel
from office.staff import Role, Staff
from office.store import Store
from tests.admin.conftest import Browser, Clock
from tests.make import Cast

SignedIn = Callable[[Staff], Awaitable[Browser]]
PAGE = "/admin/bindings"


async def follow(store: Store, token: str, number: str, now: datetime) -> StaffBinding:
    async with store.transaction() as session:
        contact = await contacts.seen(session, Channel.TELEGRAM, number, now=now)
        arrival = await chat_invites.follow(session, token, contact, now=now)
        assert arrival.binding is not None
        return arrival.binding


async def invite(store: Store, cast: Cast, person: Staff, now: datetime) -> tuple[StaffBinding, str]:
    async with store.transaction() as session:
        return await chat_invites.invite(session, person, actor=cast.zhou_ning, now=now)


@pytest.fixture
def telegram(app: FastAPI) -> None:
    async def name() -> str:
        return "dongpu_bot"

    app.state.doors = Doors("https://desk.example", name)


@pytest.mark.usefixtures("telegram")
async def test_the_link_and_its_code_are_shown_once_and_bind_after_the_digits(
    store: Store, cast: Cast, now: datetime, signed_in: SignedIn
) -> None:
    desk = await signed_in(cast.zhou_ning)
    await desk.get(PAGE)
    made = await desk.post(PAGE, {"staff": str(cast.li_qiang.id)})
    assert made.status_code == 303
    assert "inv_" not in made.headers["location"]
    page = await desk.get(PAGE)
    link = re.search(r"https://t\.me/dongpu_bot\?start=inv_([\w-]{22})", page.text)
    assert link is not None
    assert f"https://desk.example/?start=inv_{link[1]}" in page.text
    assert "<svg" in page.text
    assert link[1] not in (await desk.get(PAGE)).text

    binding = await follow(store, link[1], "6001", now)
    page = await desk.get(PAGE)
    assert "等核对数字" in page.text
    assert f">{binding.digits}<" not in page.text
    assert f'value="{binding.digits}"' not in page.text, "the person reads them out, the page does not"
    digits = {f"digits_{binding.id}": binding.digits}
    answer = await desk.post(f"{PAGE}/{binding.id}/confirm", digits)
    assert answer.headers["location"] == f"{PAGE}?done=bound"
    assert "已绑定" in (await desk.get(f"{PAGE}?done=bound")).text
    async with store.reading() as session:
        assert len(await bindings.contacts_of(session, cast.li_qiang)) == 1


async def test_wrong_digits_are_refused_and_the_third_time_is_the_last(
    store: Store, cast: Cast, now: datetime, signed_in: SignedIn
) -> None:
    _, token = await invite(store, cast, cast.li_qiang, now)
    binding = await follow(store, token, "6001", now)
    desk = await signed_in(cast.zhou_ning)
    await desk.get(PAGE)
    wrong = {f"digits_{binding.id}": "00"}
    answers = [await desk.post(f"{PAGE}/{binding.id}/confirm", wrong) for _ in range(3)]
    assert [answer.headers["location"].partition("done=")[2] for answer in answers] == [
        "wrong", "wrong", "over",
    ]  # fmt: skip
    assert "数字不符" in (await desk.get(f"{PAGE}?done=wrong")).text
    right = {f"digits_{binding.id}": binding.digits}
    refused = await desk.post(f"{PAGE}/{binding.id}/confirm", right)
    assert refused.status_code == 409
    assert "已经结束" in refused.text


async def test_a_second_phone_waits_for_the_first(
    store: Store, cast: Cast, now: datetime, signed_in: SignedIn
) -> None:
    desk = await signed_in(cast.zhou_ning)
    for number, outcome in (("6001", "bound"), ("6002", "first_phone")):
        _, token = await invite(store, cast, cast.li_qiang, now)
        binding = await follow(store, token, number, now)
        await desk.get(PAGE)
        answer = await desk.post(f"{PAGE}/{binding.id}/confirm", {f"digits_{binding.id}": binding.digits})
        assert answer.headers["location"].endswith(outcome)
    assert "等第一部手机同意" in (await desk.get(PAGE)).text


async def test_a_binding_is_ended_and_a_planted_link_is_not_shown(
    store: Store, cast: Cast, now: datetime, signed_in: SignedIn
) -> None:
    binding, _ = await invite(store, cast, cast.li_qiang, now)
    desk = await signed_in(cast.zhou_ning)
    desk.client.cookies.set("one-window-chat-link", f"{cast.li_qiang.id}.evil-token.{'0' * 64}")
    assert "evil-token" not in (await desk.get(PAGE)).text
    assert (await desk.post(f"{PAGE}/{binding.id}/end")).status_code == 303
    assert (await desk.post(f"{PAGE}/{binding.id}/end")).status_code == 409
    assert "还没有绑定" in (await desk.get(PAGE)).text


async def test_who_may_not_manage_staff_sees_or_changes_nothing(
    store: Store, cast: Cast, now: datetime, signed_in: SignedIn
) -> None:
    binding, token = await invite(store, cast, cast.li_qiang, now)
    await follow(store, token, "6001", now)
    officer = await signed_in(cast.wang_fang)
    await officer.get("/admin/me")
    assert (await officer.client.get(PAGE)).status_code == 403
    for act in (f"/{binding.id}/confirm", f"/{binding.id}/end", "/groups/1/bind", "/groups/1/unbind", ""):
        assert (await officer.post(f"{PAGE}{act}")).status_code == 403


async def test_another_units_administrator_cannot_reach_it(
    store: Store, cast: Cast, now: datetime, signed_in: SignedIn
) -> None:
    async with store.transaction() as session:
        north = Staff(
            name="何平", unit_id=cast.north.id, roles=[Role.ADMIN.value], created_at=now - timedelta(days=9)
        )
        session.add(north)
        await session.flush()
        group = await chat_groups.seen(session, -1001, "登记工作群", actor=SYSTEM, now=now)
        await chat_groups.ask(session, group, person=cast.zhou_ning, now=now)
    binding, token = await invite(store, cast, cast.li_qiang, now)
    await follow(store, token, "6001", now)
    desk = await signed_in(north)
    page = await desk.get(PAGE)
    assert "李强" not in page.text
    assert "登记工作群" not in page.text
    assert (await desk.post(PAGE, {"staff": str(cast.li_qiang.id)})).status_code == 404
    assert (await desk.post(f"{PAGE}/{binding.id}/end")).status_code == 403
    fields = {f"unit_{group.row.id}": str(cast.north.id), f"purpose_{group.row.id}": "staff"}
    assert (await desk.post(f"{PAGE}/groups/{group.row.id}/bind", fields)).status_code == 403


async def test_a_group_is_confirmed_with_unit_and_purpose_and_let_go(
    store: Store, cast: Cast, now: datetime, signed_in: SignedIn
) -> None:
    async with store.transaction() as session:
        group = await chat_groups.seen(session, -1001, "<b>登记</b>工作群", actor=SYSTEM, now=now)
    desk = await signed_in(cast.zhou_ning)
    assert "未登记" in (await desk.get(PAGE)).text
    row = group.row.id
    fields = {f"unit_{row}": str(cast.riverside.id), f"purpose_{row}": "open"}
    assert (await desk.post(f"{PAGE}/groups/{row}/bind", fields)).status_code == 409, "nobody asked for it"
    async with store.transaction() as session:
        await chat_groups.ask(session, group, person=cast.zhou_ning, now=now)
    page = await desk.get(PAGE)
    assert "&lt;b&gt;登记" in page.text
    broken = await desk.post(f"{PAGE}/groups/{row}/bind", {**fields, f"purpose_{row}": "all"})
    assert broken.status_code == 422
    assert (await desk.post(f"{PAGE}/groups/{row}/bind", fields)).status_code == 303
    async with store.reading() as session:
        found = await session.get_one(ChatGroup, row)
        assert (found.state, found.purpose, found.unit_id) == (
            GroupState.BOUND, GroupPurpose.OPEN, cast.riverside.id,
        )  # fmt: skip
    assert "居民群" in (await desk.get(PAGE)).text
    assert (await desk.post(f"{PAGE}/groups/{row}/unbind")).status_code == 303
    assert (await desk.post(f"{PAGE}/groups/{row}/unbind")).status_code == 409


async def test_stopping_an_account_in_the_console_ends_its_chats(
    store: Store, cast: Cast, now: datetime, clock: Clock, signed_in: SignedIn
) -> None:
    desk = await signed_in(cast.zhou_ning)
    _, token = await invite(store, cast, cast.li_qiang, now)
    binding = await follow(store, token, "6001", now)
    await desk.get(PAGE)
    await desk.post(f"{PAGE}/{binding.id}/confirm", {f"digits_{binding.id}": binding.digits})
    assert (await desk.post(f"/admin/staff/{cast.li_qiang.id}/suspend")).status_code == 303
    async with store.reading() as session:
        assert await bindings.contacts_of(session, cast.li_qiang) == []
    assert "还没有绑定" in (await desk.get(PAGE)).text


async def test_every_wording_of_the_page_exists_in_english(
    store: Store, cast: Cast, now: datetime, signed_in: SignedIn
) -> None:
    async with store.transaction() as session:
        cast.zhou_ning.language = "en"
        await session.merge(cast.zhou_ning)
        for number, asked in ((-1001, True), (-1002, False)):
            group = await chat_groups.seen(session, number, "Work", actor=SYSTEM, now=now)
            if asked:
                await chat_groups.ask(session, group, person=cast.zhou_ning, now=now)
    _, token = await invite(store, cast, cast.li_qiang, now)
    await follow(store, token, "6001", now)
    desk = await signed_in(cast.zhou_ning)
    text = (await desk.get(PAGE)).text
    assert "Chat bindings" in text
    assert "Digits to compare" in text
    assert "To be confirmed" in text
