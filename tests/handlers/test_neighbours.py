"""A place of another district: whom to ask there, and handing over only what its asker wants handed over."""

from __future__ import annotations

import pytest

from handlers.neighbours import Elsewhere, elsewhere
from knowledge.rules import RegionContact
from office import changes
from office.changes import ChangeKind
from tests.journeys.conversation import Chat, Town, number_and_code
from tests.station_places import some_stations
from ticketing.ledgers import Enquiry, Outcome
from ticketing.records import Ticket, TicketKind, UnansweredReason

WEST = RegionContact(
    name="西岸区",
    says=("西岸", "31-"),
    office="西岸区选举委员会办公室",
    phone="0000-33330000",
    hours="工作日 9:00–17:00",
    address="西岸区示例路2号",
)
DIRECTORY = {
    "contacts": [
        {
            "name": WEST.name,
            "says": list(WEST.says),
            "office": WEST.office,
            "phone": WEST.phone,
            "hours": WEST.hours,
            "address": WEST.address,
        }
    ]
}


@pytest.fixture
async def beside(town: Town) -> Town:
    """The desk that knows its neighbour's number, and has stations of its own."""
    async with town.store.transaction() as session:
        await some_stations(session, town.cast)
        await changes.install(
            session,
            ChangeKind.RULES,
            "shanghai:contacts",
            DIRECTORY,
            basis="示例数据",
            scope=town.cast.district,
            now=town.now,
        )
    return town


@pytest.mark.parametrize(
    "said",
    [
        "我在隔壁西岸区",
        "我住西岸区，怎么登记",
        "我家在西岸",
        "我们小区在西岸区，去哪登记",
        "我是西岸的，能来登记吗",
        "本人住在西岸区",
        "我现在住在隔壁的西岸区",
        "住西岸区",
        "西岸区的登记站在哪里",
        "西岸区登记站",
        "西岸区滨江路在哪登记",
        "请问西岸区登记站在哪",
    ],
)
def test_ones_own_place_in_another_district(said: str) -> None:
    assert elsewhere(said, [WEST], "东浦区") == Elsewhere("西岸区", WEST)


@pytest.mark.parametrize(
    "said",
    [
        "我户口在西岸区",
        "我户口在西岸区，人住东浦，在哪登记",
        "我在西岸区上班",
        "我单位在西岸区",
        "我是西岸区的退休职工",
        "西岸区什么时候选举",
        "我在东浦区，我妈在西岸区",
        "我以前住西岸区",
        "我住东浦区，隔壁是西岸区",
        "我爸在西岸区",
        "我从西岸区搬来",
        "我住哪个选区",
        "我住在小区里",
        "我在本区",
        "我是外区的",
        "我在社区登记过了",
        "我住的小区没有登记站",
        "我在东浦区怎么登记",
        "我住在市区",
        "我在校区",
        "我住新区",
        "我在开发区",
        "我是这个选区的",
        "西岸花园登记站在哪",
        "书香苑登记站离西岸区登记站远吗",
    ],
)
def test_what_names_no_other_district_of_ones_own(said: str) -> None:
    assert elsewhere(said, [WEST], "东浦区") is None


@pytest.mark.parametrize("said", ["我在南湖区", "我住隔壁南湖区，怎么登记", "我是南湖区的"])
def test_a_district_nobody_has_entered_is_known_as_one(said: str) -> None:
    assert elsewhere(said, [WEST], "东浦区") == Elsewhere("南湖区", None)


@pytest.mark.parametrize(
    "said", ["我们小区在东浦和西岸交界的地方", "我家在西岸区边上，到底归哪边", "我住东浦还是西岸分不清"]
)
def test_at_the_border_it_is_either(said: str) -> None:
    found = elsewhere(said, [WEST], "东浦区")
    assert found is not None
    assert found.border


async def test_v9_the_other_office_and_an_offer(beside: Town) -> None:
    out = await beside.chat().says("我在隔壁西岸区")
    assert out.text.startswith("您说的地方不在东浦区。请联系西岸区选举办：")
    for words in (WEST.phone, WEST.hours, WEST.address, "要不要把您的问题转过去？"):
        assert words in out.text
    assert out.buttons == ["☎ 只要电话", "➡ 转过去"]
    assert await beside.rows(Ticket) == []


async def test_only_a_tap_hands_the_question_over(beside: Town) -> None:
    chat = beside.chat()
    await chat.says("我在隔壁西岸区，怎么登记")
    out = await chat.taps("➡ 转过去")
    ticket = await beside.ticket()
    assert (ticket.kind, ticket.why_unanswered) == (TicketKind.CROSS_AREA, UnansweredReason.OTHER_REGION)
    assert ticket.words == "我在隔壁西岸区，怎么登记"
    assert number_and_code(out.text) == (ticket.ticket_no, ticket.progress_code)
    assert (await chat.taps("➡ 转过去")).toast == "已经记下了。"
    assert (await chat.taps("☎ 只要电话")).toast == "已经记下了。"
    assert len(await beside.tickets()) == 1


async def test_the_number_alone_hands_nothing_over(beside: Town) -> None:
    chat = beside.chat()
    await chat.says("我在隔壁西岸区")
    out = await chat.taps("☎ 只要电话")
    assert WEST.phone in out.text
    assert "没有转出" in out.text
    assert await beside.rows(Ticket) == []
    (enquiry,) = await beside.rows(Enquiry)
    assert enquiry.outcome is Outcome.AUTO


async def test_without_their_number_ours_is_given(beside: Town) -> None:
    chat = beside.chat()
    out = await chat.says("我在南湖区")
    assert "南湖区选举办的电话我们这里还没有" in out.text
    assert "0000-12345678" in out.text
    assert "0000-12345678" in (await chat.taps("☎ 只要电话")).text
    await chat.taps("➡ 转过去")
    assert (await beside.ticket()).kind is TicketKind.CROSS_AREA


async def test_at_the_border_a_person_finds_out(beside: Town) -> None:
    out = await beside.chat().says("我们小区在东浦和西岸交界的地方，归哪边")
    assert "两边都有可能" in out.text
    assert (await beside.ticket()).kind is TicketKind.CROSS_AREA


async def test_nobody_elses_question_is_handed_over(beside: Town) -> None:
    chat = beside.chat()
    await chat.says("我在隔壁西岸区")
    _, button = chat.shown[-1]
    assert button.callback_data is not None
    out = await beside.chat(888).taps_data(button.callback_data)
    assert out.toast
    assert await beside.rows(Ticket) == []


@pytest.mark.parametrize("said", ["我户口在西岸区", "我户口在西岸区，住在东浦，在哪登记"])
async def test_the_household_is_for_the_wizard(beside: Town, said: str) -> None:
    assert "您说的地方不在" not in (await beside.chat().says(said)).text


async def test_a_code_of_the_other_district_leads_to_its_office(beside: Town, chat: Chat) -> None:
    out = await chat.says("/start st_31-02__p01")
    assert "您说的地方不在东浦区" in out.text
    assert WEST.phone in out.text


async def test_a_contact_no_longer_in_force_is_not_named(town: Town) -> None:
    out = await town.chat().says("我在隔壁西岸区")
    assert WEST.phone not in out.text
    assert "西岸区选举办的电话我们这里还没有" in out.text
