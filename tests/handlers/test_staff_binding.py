"""Binding a chat from the phone's side: the link, the digits, the second phone, the menu, letting go."""

from __future__ import annotations

import pytest
from aiogram.methods import DeleteMyCommands, SetMyCommands

from office import bindings, chat_invites, contacts
from office.contacts import Channel
from office.staff import Staff
from tests.handlers.staff_desk import LI_QIANG, bind, registrar
from tests.journeys.conversation import Chat, Town


async def invited(town: Town, person: Staff) -> str:
    async with town.store.transaction() as session:
        _, token = await chat_invites.invite(session, person, actor=town.cast.zhou_ning, now=town.now)
    return token


async def test_the_link_shows_role_masked_name_and_two_digits(town: Town) -> None:
    person = await registrar(town, "张小三")
    token = await invited(town, person)
    out = await town.chat(LI_QIANG).says(f"/start inv_{token}")
    async with town.store.reading() as session:
        (found,) = [b for b, _, _ in await bindings.listed(session, ".")]
    assert out.text == (f"您将以“临江街道登记员”身份绑定，姓名：张*三。请管理员核对两位数字：{found.digits}")


async def test_after_the_console_has_confirmed_the_staff_menu_appears(town: Town) -> None:
    chat = await bind(town, town.cast.li_qiang, LI_QIANG)
    out = await town.delivers()
    chat.saw(out)
    assert "绑定完成，李强" in out.text
    (menu,) = [method for method in out.methods if isinstance(method, SetMyCommands)]
    assert [command.command for command in menu.commands][:3] == ["op", "k", "dan"]
    assert "start" in [command.command for command in menu.commands]
    assert menu.scope is not None
    assert menu.scope.chat_id == LI_QIANG  # type: ignore[union-attr]
    assert "待签收 0" in (await chat.taps("我的工单")).text


@pytest.mark.parametrize("payload", ["inv_" + "x" * 22, "inv_short", "inv_" + "x" * 22 + "__p07"])
async def test_a_link_that_is_none_says_what_any_old_code_says(chat: Chat, payload: str) -> None:
    assert "二维码已更新" in (await chat.says(f"/start {payload}")).text


async def test_a_used_and_an_expired_link_are_refused_in_words(town: Town) -> None:
    token = await invited(town, town.cast.li_qiang)
    await town.chat(6001).says(f"/start inv_{token}")
    assert "已经用过了" in (await town.chat(6002).says(f"/start inv_{token}")).text
    other = await invited(town, town.cast.wang_fang)
    town.later(hours=24)
    out = await town.chat(6002).says(f"/start inv_{other}")
    assert out.text == "邀请已过期（24小时），请管理员重发"


async def test_the_first_phone_agrees_with_a_button(town: Town) -> None:
    first = await bind(town, town.cast.li_qiang, 6001)
    token = await invited(town, town.cast.li_qiang)
    second = town.chat(6002)
    await second.says(f"/start inv_{token}")
    first.saw(await town.delivers())
    async with town.store.transaction() as session:
        waiting = (await bindings.listed(session, "."))[0][0]
        await chat_invites.confirm(
            session, waiting.id, waiting.digits, actor=town.cast.zhou_ning, now=town.now
        )
    assert "绑定完成" in (await first.taps("同意")).text
    assert "待签收" in (await second.says("/dan")).text
    third = await second.taps_data(first.shown[-1][1].callback_data or "")
    assert third.toast


async def test_only_the_first_phone_of_the_same_person_has_a_word(town: Town, chat: Chat) -> None:
    first = await bind(town, town.cast.li_qiang, 6001)
    other = await bind(town, town.cast.wang_fang, 6005)
    token = await invited(town, town.cast.li_qiang)
    await town.chat(6002).says(f"/start inv_{token}")
    first.saw(await town.delivers())
    agree = next(b.callback_data for _, b in first.shown if b.text == "同意")
    assert agree is not None
    assert (await other.taps_data(agree)).toast == "这个选项已过期，请重新开始。"
    assert (await chat.taps_data(agree)).toast == "您没有该操作权限。如需开通，请联系本街镇管理员。"
    assert "告知管理员" in (await first.taps("不是我")).text
    assert "已经结束" in ((await first.taps("同意")).toast or "")


@pytest.mark.parametrize("said", ["解除绑定", "/unbind"])
async def test_letting_go_takes_the_menu_away(town: Town, said: str) -> None:
    chat = await bind(town, town.cast.li_qiang, LI_QIANG)
    await town.delivers()
    assert (await chat.says(said)).methods == []
    out = await town.delivers()
    assert "已解除绑定" in out.text
    assert any(isinstance(method, DeleteMyCommands) for method in out.methods)
    assert (await chat.says("/dan")).text == "您没有该操作权限。如需开通，请联系本街镇管理员。"


async def test_the_words_of_staff_are_questions_from_anybody_else(chat: Chat) -> None:
    for said in ("解除绑定", "我的工单", "dan", "值班", "换班"):
        assert "没有该操作权限" not in (await chat.says(said)).text


@pytest.mark.parametrize("said", ["/dan", "/q", "/duty", "/swap", "/op", "/k 0540", "/bind", "/unbind"])
async def test_the_commands_of_staff_refuse_voters(chat: Chat, said: str) -> None:
    assert (await chat.says(said)).text == "您没有该操作权限。如需开通，请联系本街镇管理员。"


async def test_the_work_menu_is_for_staff(town: Town, chat: Chat) -> None:
    officer = await bind(town, town.cast.li_qiang, LI_QIANG)
    assert "/dan 我的工单" in (await officer.says("工作菜单")).text
    assert "/dan" not in (await chat.says("/menu")).text


async def test_a_web_chat_is_bound_the_same_way(town: Town) -> None:
    token = await invited(town, town.cast.li_qiang)
    async with town.store.transaction() as session:
        contact = await contacts.seen(session, Channel.WEB, "digest of a cookie", now=town.now)
        arrival = await chat_invites.follow(session, token, contact, now=town.now)
        assert arrival.binding is not None
        await chat_invites.confirm(
            session, arrival.binding.id, arrival.binding.digits, actor=town.cast.zhou_ning, now=town.now
        )
        found = await bindings.bound(session, contact)
        assert found is not None
        assert found.id == town.cast.li_qiang.id


async def test_who_is_forgotten_is_nobody_on_staff_in_that_chat(town: Town) -> None:
    chat = await bind(town, town.cast.li_qiang, LI_QIANG)
    town.later(minutes=1)
    await chat.says("/forget")
    await chat.taps("确认删除")
    async with town.store.reading() as session:
        assert await bindings.contacts_of(session, town.cast.li_qiang) == []
    assert (await chat.says("/dan")).text.startswith("您没有该操作权限")
