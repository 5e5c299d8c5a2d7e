"""Errors of the platform: steps from the base, else module and symptom by taps, then a ticket of 信息组."""

from __future__ import annotations

import pytest
from aiogram.types import Document, PhotoSize

from tests.handlers.staff_desk import bind, registrar
from tests.journeys.conversation import Chat, Town
from ticketing.attachments import Attachment
from ticketing.ledgers import Enquiry
from ticketing.ledgers import Outcome as Ended
from ticketing.particulars import AskerKind, LedgerKind, PlatformModule, Symptom

PHOTO = [PhotoSize(file_id="small", file_unique_id="a", width=90, height=90, file_size=900),
         PhotoSize(file_id="large", file_unique_id="b", width=900, height=900, file_size=90_000)]  # fmt: skip


@pytest.fixture
async def officer(town: Town) -> Chat:
    return await bind(town, await registrar(town), 6004)


async def to_the_error(officer: Chat) -> None:
    await officer.says("/op")
    await officer.taps("导入")
    out = await officer.taps("报错")
    assert out.text.startswith("请发截图，注意遮住姓名和证件号")


async def test_four_taps_and_words_make_a_ticket_of_the_it_group(officer: Chat, town: Town) -> None:
    assert (await officer.says("/op")).buttons == ["登记", "审核", "导入", "统计"]
    out = await officer.taps("导入")
    assert out.buttons == ["报错", "卡住", "数据不对", "没权限"]
    await officer.taps("报错")
    out = await officer.says("第12行：小组编号不存在")
    ticket = await town.ticket()
    assert out.text.startswith(f"已转信息组，编号 {ticket.ticket_no}，查询码 {ticket.progress_code}")
    assert (ticket.group, ticket.ledger) == ("信息组", LedgerKind.PLATFORM)
    assert (ticket.platform_module, ticket.symptom) == (PlatformModule.IMPORT, Symptom.ERROR)
    assert ticket.failure_reason == "第12行：小组编号不存在"
    assert ticket.asker_kind is AskerKind.REGISTRAR
    assert ticket.unit_id == town.cast.riverside.id
    assert ticket.first_taker_id is None, "who asks has not taken it"
    (enquiry,) = await town.rows(Enquiry)
    assert (enquiry.ticket_id, enquiry.outcome, enquiry.ledger) == (
        ticket.id, Ended.TICKETED, LedgerKind.PLATFORM,
    )  # fmt: skip


async def test_a_screenshot_is_kept_with_the_ticket_and_out_of_sight(officer: Chat, town: Town) -> None:
    await to_the_error(officer)
    out = await officer.sends(photo=PHOTO)
    assert "已转信息组" in out.text
    ticket = await town.ticket()
    (kept,) = await town.rows(Attachment)
    assert (kept.ticket_id, kept.quarantined, kept.source) == (ticket.id, True, "large")


async def test_an_album_is_one_ticket(officer: Chat, town: Town) -> None:
    await to_the_error(officer)
    await officer.sends(photo=PHOTO, media_group_id="7")
    assert (await officer.sends(photo=PHOTO, media_group_id="7")).texts == []
    ticket = await town.ticket()
    assert [row.ticket_id for row in await town.rows(Attachment)] == [ticket.id] * 2


async def test_a_number_in_the_caption_is_taken_out_and_the_sender_warned(officer: Chat, town: Town) -> None:
    await to_the_error(officer)
    out = await officer.sends(photo=PHOTO, caption="310104199001010012 提示重复")
    assert out.deleted
    assert "身份证" in out.text
    ticket = await town.ticket()
    assert "310104199001010012" not in ticket.words + ticket.failure_reason
    assert [row.quarantined for row in await town.rows(Attachment)] == [True]


async def test_a_file_that_is_no_picture_is_refused_and_the_ticket_stands(officer: Chat, town: Town) -> None:
    await to_the_error(officer)
    file = Document(file_id="x", file_unique_id="x", file_name="a.exe", mime_type="application/x-msdownload")
    out = await officer.sends(document=file)
    assert "已转信息组" in out.text
    assert await town.rows(Attachment) == []
    assert len(await town.tickets()) == 1


async def test_steps_come_first_where_the_base_has_them(officer: Chat, town: Town) -> None:
    out = await officer.says("云平台导入名单时报错怎么处理？")
    assert "先核对表头" in out.text
    assert "没解决，报信息组" in out.buttons
    await officer.taps("没解决，报信息组")
    await officer.taps("导入")
    await officer.taps("报错")
    await officer.says("仍然提示身份证号重复")
    ticket = await town.ticket()
    assert "云平台导入名单时报错怎么处理" in ticket.words
    assert "仍然提示" in ticket.words
    assert ticket.topic == "st_import"


async def test_op_with_words_looks_for_steps(officer: Chat) -> None:
    assert "先核对表头" in (await officer.says("/op 云平台导入名单时报错怎么处理？")).text


@pytest.mark.parametrize("said", ["平台报错", "云平台报错"])
async def test_plain_words_begin_it_too(officer: Chat, said: str) -> None:
    assert (await officer.says(said)).buttons == ["登记", "审核", "导入", "统计"]


@pytest.mark.parametrize("arg", ["9", "0-9", "x", "0-x", "-1"])
async def test_forged_choices_expire(officer: Chat, arg: str, town: Town) -> None:
    out = await officer.taps_data(f"1|plt|0|0|{arg}")
    assert out.toast is not None
    assert await town.tickets() == []


async def test_a_voter_cannot_begin_it_and_a_voters_tap_is_refused(chat: Chat, town: Town) -> None:
    assert (await chat.says("/op")).text.startswith("您没有该操作权限")
    assert (await chat.taps_data("1|plt|0|0|0-0")).toast == "您没有该操作权限。如需开通，请联系本街镇管理员。"
    await chat.says("平台报错")
    assert all(ticket.group != "信息组" for ticket in await town.tickets())


async def test_signs_alone_ask_once_more(officer: Chat, town: Town) -> None:
    await to_the_error(officer)
    assert (await officer.says("？？")).text.startswith("请发截图")
    assert await town.tickets() == []
    await officer.says("无法保存")
    assert len(await town.tickets()) == 1
