"""Stations in the conversation: by name, number, street and position, and by the poster that was scanned."""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime

import pytest
from aiogram.methods import SendVenue
from aiogram.types import Location, ReplyKeyboardMarkup, Venue
from sqlalchemy import text

from handlers import station_card
from handlers.station_asked import asked
from handlers.stations import is_clear, looked_up
from knowledge.stations import PosterCount, Station, StationKind
from office import units
from office.contacts import Contact
from office.store import Base
from office.units import UnitKind
from tests.journeys.conversation import Chat, Out, Town
from tests.make import DATA
from tests.station_places import LATITUDE, LONGITUDE, a_station, hide, some_stations
from ticketing import ledgers
from ticketing.ledgers import Enquiry, Outcome
from ticketing.records import Ticket

CARD = "临江街道 12-03 登记站"


@pytest.fixture
async def placed(town: Town) -> Town:
    """The desk with stations."""
    async with town.store.transaction() as session:
        await some_stations(session, town.cast)
    return town


def venues(out: Out) -> list[SendVenue]:
    return [method for method in out.methods if isinstance(method, SendVenue)]


async def test_without_any_station_the_office_is_named(chat: Chat) -> None:
    out = await chat.says("/station")
    assert "还没有公布" in out.text
    assert "0000-12345678" in out.text
    assert out.buttons == ["临江街道", "北塘镇", "人工咨询"]
    street = await chat.taps("北塘镇")
    assert "北塘镇的登记站还没有公布" in street.text
    assert "0000-12345678" in street.text


@pytest.mark.parametrize(
    "said", ["/station", "登记站", "附近登记站", "在哪个登记站", "登记站在哪里？", "／登记站"]
)
async def test_asked_without_a_place_the_streets_are_offered(placed: Town, said: str) -> None:
    out = await placed.chat().says(said)
    assert "12-03" in out.text
    assert out.buttons == ["临江街道", "北塘镇", "📍 发送位置"]
    assert await placed.rows(Enquiry) == []


async def test_a_street_lists_its_stations_and_each_opens_its_card(placed: Town) -> None:
    chat = placed.chat()
    await chat.says("/station")
    street = await chat.taps("临江街道")
    assert "临江街道有3个登记站" in street.text
    assert [label for label in street.buttons if label[0].isdigit()] == [
        "1. 12-03 登记",
        "2. 12-04 登记",
        "3. 12-05 登记",
    ]
    card = await chat.taps("2. 12-04 登记")
    assert "望江里居委会登记站" in card.text


async def test_many_streets_and_stations_come_in_portions(town: Town) -> None:
    async with town.store.transaction() as session:
        for number in range(6):
            street = await units.add(
                session, UnitKind.SUBDISTRICT, f"S{number}", f"示例{number}街道", town.cast.district
            )
        for number in range(9):
            await a_station(session, street, f"31-{number + 10}", f"第{number}站")
    chat = town.chat()
    first = await chat.says("/station")
    assert len(first.buttons) == 6
    second = await chat.taps("更多")
    assert "示例5街道" in second.buttons
    assert set(first.buttons) & set(second.buttons) == {"📍 发送位置"}
    page = await chat.taps("示例5街道")
    assert len(page.buttons) <= 6
    await chat.taps("更多")
    last = await chat.taps("更多")
    assert "9. 31-18 登记" in last.buttons


@pytest.mark.parametrize(
    "said",
    [
        "书香苑登记站在哪里",
        "书香苑在哪登记？",
        "临江街道 书香苑在哪登记",
        "书香苑登记站几点开门",
        "12-03登记站在哪",
        "12-03",
        "１２－０３登记站几点关门",
        "书香苑登记站",
        "我住书香苑，去哪里登记",
        "/station 书香苑",
        "临江街道12-03登记站电话多少",
        "书香苑登记站有没有坡道",
        "书香苑几点开门",
        "书香苑现在开着吗",
        "书香苑今天能登记吗",
        "书香苑登记站电话",
        "12-03在哪",
    ],
)
async def test_words_that_name_a_station_get_its_card(placed: Town, said: str) -> None:
    out = await placed.chat().says(said)
    assert CARD in out.text, out.text
    assert "临江路示例弄3号（书香苑小区北门）" in out.text
    assert "0000-11110003" in out.text
    assert "现在开放" in out.text
    assert await placed.rows(Ticket) == []


async def test_the_card_says_everything_with_its_tense(placed: Town) -> None:
    out = await placed.chat().says("书香苑登记站几点开门")
    assert "到11:30" in out.text
    assert "11月16日" in out.text
    assert "12月5日" in out.text
    assert "进行中，还剩15天" in out.text
    assert "未开始，还有1天" in out.text
    assert "公交示例1路" in out.text
    assert "无障碍坡道、备有老花镜" in out.text
    assert "服务小组：12-03" in out.text
    assert out.buttons[:2] == ["❓ 我该在这里登记吗", "📍 地图"]


async def test_a_question_for_a_station_is_in_the_books(placed: Town) -> None:
    await placed.chat().says("书香苑登记站几点开门")
    (enquiry,) = await placed.rows(Enquiry)
    assert (enquiry.words, enquiry.outcome, enquiry.topic) == (
        "书香苑登记站几点开门",
        Outcome.AUTO,
        "contact",
    )


@pytest.mark.parametrize(
    ("at", "words"),
    [
        ((2026, 11, 20, 3, 29), "现在开放"),  # 11:29
        ((2026, 11, 20, 3, 30), "未开放"),  # 11:30
        ((2026, 11, 20, 15, 59), "明天"),  # 23:59
        ((2026, 12, 5, 4, 0), "已结束"),  # the last Saturday, noon
    ],
)
async def test_open_or_not_at_the_moment_of_the_question(
    placed: Town, at: tuple[int, ...], words: str
) -> None:
    placed.now = datetime(*at, tzinfo=UTC)  # type: ignore[arg-type,misc]
    assert words in (await placed.chat().says("12-03登记站几点开门")).text


async def test_the_tense_turns_at_midnight_in_beijing(placed: Town) -> None:
    placed.now = datetime(2026, 12, 5, 15, 59, tzinfo=UTC)
    assert "今天截止" in (await placed.chat().says("12-03登记站几点开门")).text
    placed.now = datetime(2026, 12, 5, 16, 0, tzinfo=UTC)
    out = await placed.chat().says("12-03登记站几点开门")
    assert "今天截止" not in out.text
    assert "已结束" in out.text


async def test_the_map_is_a_card_of_the_channel(placed: Town) -> None:
    chat = placed.chat()
    await chat.says("12-03登记站在哪")
    (venue,) = venues(await chat.taps("📍 地图"))
    assert (venue.title, venue.latitude, venue.longitude) == (CARD, LATITUDE, LONGITUDE)
    assert "临江路示例弄3号" in venue.address


async def test_without_a_position_there_is_no_map(placed: Town) -> None:
    assert "📍 地图" not in (await placed.chat().says("21-01登记站在哪")).buttons


async def test_do_i_register_here_begins_the_wizard(placed: Town) -> None:
    chat = placed.chat()
    await chat.says("12-03登记站在哪")
    assert "户口" in (await chat.taps("❓ 我该在这里登记吗")).text


async def test_several_that_fit_are_a_choice(placed: Town) -> None:
    async with placed.store.transaction() as session:
        await a_station(
            session, placed.cast.riverside, "12-07", "书香苑二期登记站", neighbourhood="书香苑", near="书香苑"
        )
    chat = placed.chat()
    out = await chat.says("书香苑登记站在哪里")
    assert "您找的是哪一个" in out.text
    assert {"1. 12-03 登记", "2. 12-07 登记"} <= set(out.buttons)
    assert "书香苑二期" in (await chat.taps("2. 12-07 登记")).text


async def test_an_unknown_place_leads_to_an_office_and_never_to_a_guess(placed: Town) -> None:
    out = await placed.chat().says("翠湖新村登记站在哪里")
    assert "没有找到" in out.text
    assert "0000-12345678" in out.text
    assert "12-0" not in out.text


async def test_in_a_known_street_its_own_office_is_named(placed: Town) -> None:
    async with placed.store.transaction() as session:
        row = await units.get(session, placed.cast.north.id)
        row.phone, row.office_name = "0000-22220000", "北塘镇选举工作组"
    out = await placed.chat().says("北塘镇翠湖新村登记站在哪里")
    assert "北塘镇选举工作组" in out.text
    assert "0000-22220000" in out.text


@pytest.mark.parametrize(
    "said",
    [
        "我该在哪里登记",
        "选民证丢了怎么办？",
        "外地户口在哪里登记",
        "我户口在书香苑，在哪里登记",
        "什么时候登记",
        "登记时间是哪几天",
        "投票在哪里投",
        "走不动的老人能不能在家投票？",
        "12-03还能登记材料吗",
        "书香苑小学几点放学",
        "几点开门",
        "登记站的人要收钱，我要举报",
        "我住临江街道，外地户口，登记站让我开证明怎么办",
        "登记要带什么材料去登记站",
    ],
)
def test_other_questions_go_their_own_way(said: str) -> None:
    question = asked(said)
    assert question is None or not question.placelike


async def test_no_open_golden_question_is_taken_for_a_station_by_mistake(placed: Town) -> None:
    async with placed.store.reading() as session:
        await placed.desk.stations.refresh(session)
    index = placed.desk.stations.index
    lines = [
        line for file in (DATA / "golden").glob("*.jsonl") for line in file.read_text("utf-8").splitlines()
    ]
    questions = {json.loads(line)["q"] for line in lines if line.strip()}
    assert len(questions) > 500
    taken = []
    for words in questions:
        found = asked(words)
        if found is not None and is_clear(found, looked_up(index, found)):
            taken.append(words)
    assert not [words for words in taken if not re.search("登记[站点]", words)]
    assert len(taken) < 30


@pytest.mark.parametrize(
    "said",
    [
        "我该在哪里登记",
        "选民证丢了怎么办？",
        "外地户口在哪里登记",
        "登记站的人打人，我要举报登记站在哪",
        "书香苑物业几点下班",
    ],
)
async def test_they_are_answered_as_without_stations(placed: Town, said: str) -> None:
    out = await placed.chat().says(said)
    assert "12-03 登记站" not in out.text
    assert "没有找到您说的登记站" not in out.text


async def test_two_questions_are_answered_one_by_one(placed: Town) -> None:
    out = await placed.chat().says("选民证丢了怎么办？书香苑登记站在哪里？")
    assert "我看到2个问题" in out.text


async def test_a_hidden_station_is_gone_with_the_next_question(placed: Town) -> None:
    chat = placed.chat()
    await chat.says("12-03登记站在哪")
    (row,) = [s for s in await placed.rows(Station) if s.code == "12-03"]
    async with placed.store.transaction() as session:
        await hide(session, row)
    assert "已更新" in (await chat.taps("📍 地图")).text
    assert CARD not in (await chat.says("书香苑登记站在哪里")).text


@pytest.mark.parametrize(
    "data", ["1|sta|0|0|cr99-99", "1|sta|0|0|x", "1|sta|1|0|u0", "1|sta|zzz|0|u0", "1|sta|0|0"]
)
async def test_forged_buttons_do_no_harm(placed: Town, data: str) -> None:
    out = await placed.chat().taps_data(data)
    assert out.toast is not None
    assert CARD not in out.text


async def test_a_position_gives_the_three_nearest_and_is_kept_nowhere(placed: Town) -> None:
    latitude, longitude = 30.503321, 125.001234
    out = await placed.chat().sends(location=Location(latitude=latitude, longitude=longitude))
    assert out.text.index("12-03") < out.text.index("12-04") < out.text.index("12-05")
    assert "500米以内" in out.text
    assert "3公里以内" in out.text
    assert "现在开放" in out.text
    assert "待公布" in out.text
    assert "位置没有保存" in out.text
    assert out.buttons == ["1. 12-03 登记", "2. 12-04 登记", "3. 12-05 登记"]

    async with placed.store.reading() as session:
        for table in Base.metadata.sorted_tables:
            for row in (await session.execute(text(f'SELECT * FROM "{table.name}"'))).mappings():
                written = json.dumps(dict(row), default=str)
                assert "30.503" not in written, table.name
                assert "125.001" not in written, table.name
    assert await placed.rows(Enquiry) == []


async def test_no_position_stands_in_a_log(placed: Town, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        await placed.chat().sends(location=Location(latitude=30.503321, longitude=125.001234))
    assert "30.503" not in caplog.text


async def test_a_venue_is_a_position_too(placed: Town) -> None:
    place = Location(latitude=LATITUDE, longitude=LONGITUDE)
    out = await placed.chat().sends(venue=Venue(location=place, title="某处", address="某路"), location=place)
    assert "300米以内" in out.text


async def test_a_live_position_is_not_followed(placed: Town) -> None:
    out = await placed.chat().sends(location=Location(latitude=LATITUDE, longitude=LONGITUDE, live_period=60))
    assert out.methods == []


async def test_far_from_everything_the_streets_are_offered(placed: Town) -> None:
    out = await placed.chat().sends(location=Location(latitude=-40.0, longitude=0.0))
    assert "不在东浦区附近" in out.text
    assert "临江街道" in out.buttons


async def test_telegram_asks_for_the_position_with_its_own_button(placed: Town) -> None:
    chat = placed.chat()
    await chat.says("附近登记站")
    (message,) = (await chat.taps("📍 发送位置")).messages
    assert isinstance(message.reply_markup, ReplyKeyboardMarkup)
    assert message.reply_markup.keyboard[0][0].request_location is True


async def test_large_print_keeps_its_lasting_buttons(placed: Town) -> None:
    chat = placed.chat()
    await chat.says("大字")
    await chat.says("附近登记站")
    (message,) = (await chat.taps("📍 发送位置")).messages
    assert message.reply_markup is None
    card = await chat.says("12-03登记站在哪")
    assert "公交示例1路" not in card.text
    assert "临江路示例弄3号" in card.text
    assert "11月16日至12月5日 周一至周五" in card.text
    assert "登记站电话：0000-11110003" in card.text
    assert "选举办电话：0000-12345678" in card.text
    assert "\n电话：" not in card.text


async def test_distances_are_steps_that_give_nobody_away() -> None:
    assert station_card.distance(12) == station_card.distance(290) == "300米以内"
    assert station_card.distance(4001) == "5公里以内"
    assert station_card.distance(5001) == "10公里以内"
    assert station_card.distance(12, "en") == "within 300 m"


# ---- what was said a moment ago ----


@pytest.mark.parametrize("said", ["书香苑", "临江路", "12-03", "我住书香苑", "书香苑。"])
async def test_a_place_is_looked_up_after_it_was_asked_for(placed: Town, said: str) -> None:
    chat = placed.chat()
    await chat.says("/station")
    assert CARD in (await chat.says(said)).text


async def test_after_half_an_hour_or_a_restart_only_the_hint_is_lost(placed: Town) -> None:
    chat = placed.chat()
    await chat.says("/station")
    placed.later(minutes=31)
    assert CARD not in (await chat.says("书香苑")).text
    await chat.says("/station")
    placed.restart()
    assert CARD not in (await chat.says("书香苑")).text
    assert CARD in (await chat.says("书香苑在哪登记")).text


async def test_an_unknown_place_that_was_asked_for_leads_to_an_office(placed: Town) -> None:
    chat = placed.chat()
    await chat.says("/station")
    out = await chat.says("翠湖新村")
    assert "没有找到" in out.text
    assert "0000-12345678" in out.text


async def test_another_question_after_the_hint_is_answered_as_ever(placed: Town) -> None:
    chat = placed.chat()
    await chat.says("/station")
    assert "请尽快联系发证的登记站核对" in (await chat.says("选民证丢了怎么办？")).text
    assert CARD in (await chat.says("书香苑")).text


@pytest.mark.parametrize("said", ["2", "２", "第二个", "二"])
async def test_a_typed_number_chooses_from_a_list(placed: Town, said: str) -> None:
    chat = placed.chat()
    await chat.says("/station")
    await chat.taps("临江街道")
    assert "望江里居委会登记站" in (await chat.says(said)).text


async def test_a_typed_number_chooses_a_street(placed: Town) -> None:
    chat = placed.chat()
    await chat.says("附近登记站")
    assert "临江街道有3个登记站" in (await chat.says("1")).text
    assert "望江里居委会登记站" in (await chat.says("2")).text


async def test_a_number_means_the_newest_choice(placed: Town) -> None:
    chat = placed.chat()
    await chat.says("/station")
    placed.later(minutes=1)
    async with placed.store.transaction() as session:
        (contact,) = [c for c in await placed.rows(Contact) if c.address == "5001"]
        await ledgers.record(
            session, await session.get_one(Contact, contact.id), "示例", outcome=None, now=placed.now,
            offered=[1],
        )  # fmt: skip
    assert "临江街道有3个" not in (await chat.says("1")).text


@pytest.mark.parametrize("said", ["对", "是", "是的", "1"])
async def test_the_one_offered_is_confirmed_in_words(placed: Town, said: str) -> None:
    chat = placed.chat()
    assert "您找的是这个吗" in (await chat.says("书香登记站在哪里")).text
    assert CARD in (await chat.says(said)).text


@pytest.mark.parametrize("said", ["不是", "不对", "都不是"])
async def test_the_one_offered_is_refused_in_words(placed: Town, said: str) -> None:
    chat = placed.chat()
    await chat.says("书香登记站在哪里")
    out = await chat.says(said)
    assert "您想找哪里的登记站" in out.text
    assert await placed.rows(Ticket) == []


FOLLOWING = ["今天开到几点", "周日开吗", "地址在哪", "电话多少", "现在开着吗？", "怎么走", "有停车位吗"]


@pytest.mark.parametrize("said", FOLLOWING[:6])
@pytest.mark.parametrize("first", ["/start st_12-03__p07", "12-03登记站在哪"])
async def test_what_is_asked_next_means_the_same_station(placed: Town, first: str, said: str) -> None:
    chat = placed.chat()
    await chat.says(first)
    assert CARD in (await chat.says(said)).text


@pytest.mark.parametrize("said", ["什么时候登记", "选民证丢了怎么办？", "什么时候开始登记", "投票要带什么"])
async def test_a_question_of_its_own_does_not_mean_the_station(placed: Town, said: str) -> None:
    chat = placed.chat()
    await chat.says("12-03登记站在哪")
    assert CARD not in (await chat.says(said)).text


async def test_whoever_waits_for_a_person_still_writes_to_one(placed: Town) -> None:
    chat = placed.chat()
    await chat.says("12-03登记站在哪")
    await chat.says("解决了")
    await chat.says("人工")
    await chat.taps("📍 地图")
    assert "编号" in (await chat.says("书香苑")).text


# ---- streets, polling stations, and questions that a place comes along with ----


@pytest.mark.parametrize("said", ["临江街道有哪些登记站", "临江街道的登记站", "临江街道在哪登记"])
async def test_a_street_named_alone_is_its_list(placed: Town, said: str) -> None:
    out = await placed.chat().says(said)
    assert "临江街道有3个登记站" in out.text
    assert out.buttons[0] == "1. 12-03 登记"


async def test_a_long_list_goes_on_on_the_page(placed: Town) -> None:
    placed.restart(public_url="https://desk.example")
    async with placed.store.transaction() as session:
        for number in range(10, 14):
            await a_station(session, placed.cast.riverside, f"12-{number}", f"第{number}站")
    keys = (await placed.chat().says("临江街道有哪些登记站")).keys
    (page,) = [key for key in keys if key.url]
    assert page.url == (f"https://desk.example/stations?street={placed.cast.riverside.id}&kind=registration")


async def test_buttons_say_which_kind_of_station(placed: Town) -> None:
    async with placed.store.transaction() as session:
        await a_station(
            session, placed.cast.riverside, "12-03", "书香苑投票站", kind=StationKind.POLLING
        )  # fmt: skip
    out = await placed.chat().says("12-03")
    assert out.buttons == ["1. 12-03 登记", "2. 12-03 投票"]


@pytest.mark.parametrize(
    ("said", "button"),
    [("投票站", "📍 查投票站"), ("投票站几点开门", "📍 查投票站"), ("登记几点下班", "📍 查登记站")],
)
async def test_stations_in_general_are_offered_beside_the_answer(
    placed: Town, said: str, button: str
) -> None:
    async with placed.store.transaction() as session:
        await a_station(
            session, placed.cast.riverside, "12-03", "书香苑投票站", kind=StationKind.POLLING
        )  # fmt: skip
    chat = placed.chat()
    out = await chat.says(said)
    assert button in out.buttons, out.text
    assert len(out.buttons) <= 6
    await chat.taps(button)
    kind = button.removeprefix("📍 查")
    assert kind in (await chat.taps("临江街道")).text


@pytest.mark.parametrize("said", ["我住书香苑，选民证丢了", "书香苑的，我选民证弄丢了"])
async def test_a_place_beside_a_question_does_not_hide_it(placed: Town, said: str) -> None:
    out = await placed.chat().says(said)
    assert "请尽快联系发证的登记站核对" in out.text, out.text
    (enquiry,) = await placed.rows(Enquiry)
    assert enquiry.words == said


async def test_a_place_that_both_kinds_of_station_serve_hides_nothing_either(placed: Town) -> None:
    async with placed.store.transaction() as session:
        await a_station(session, placed.cast.riverside, "12-03", "书香苑投票站", kind=StationKind.POLLING)
    assert "请尽快联系" in (await placed.chat().says("我住书香苑，选民证丢了")).text


async def test_what_nothing_answers_is_owed_at_once(placed: Town) -> None:
    said = "书香苑的，登记站门口太吵"
    out = await placed.chat().says(said)
    ticket = await placed.ticket()
    assert ticket.words == said
    assert ticket.ticket_no in out.text


async def test_nobody_answers_the_phone(placed: Town) -> None:
    chat = placed.chat()
    for said in ("书香苑登记站电话打不通", "电话没人接"):
        out = await chat.says(said)
        assert "打东浦区选举委员会办公室：0000-12345678" in out.text, said
        assert CARD in out.text


# ---- posters ----

LINK = "/start st_12-03__p07"
FIRST_SCREEN = ["什么时候登记", "在哪里登记", "要带什么", "查是否已登记", "人工咨询", "🔠 大字简明版"]


async def counts(town: Town) -> dict[tuple[str, str, str], int]:
    return {(row.code, row.source, row.day.isoformat()): row.count for row in await town.rows(PosterCount)}


async def test_v1_a_stranger_is_greeted_by_the_name_of_the_station(placed: Town) -> None:
    chat = placed.chat(777)
    out = await chat.says(LINK)
    assert out.text.startswith("您好！我是东浦选举咨询助手。您扫描的是“临江街道 12-03 登记站”。想了解什么？")
    assert "/privacy" in out.text
    assert "地址：临江路示例弄3号" in out.text
    assert "现在开放，到11:30" in out.text
    assert "12月5日 周一至周五 9:00–11:30" in out.text
    assert out.buttons == FIRST_SCREEN
    assert await counts(placed) == {("12-03", "p07", "2026-11-20"): 1}

    where = await chat.taps("在哪里登记")
    assert [venue.title for venue in venues(where)] == [CARD]
    assert "临江路示例弄3号" in where.text
    assert "❓ 我该在这里登记吗" in where.buttons


async def test_each_button_of_the_first_screen_leads_somewhere(placed: Town) -> None:
    chat = placed.chat(777)
    await chat.says(LINK)
    for label, words in [
        ("什么时候登记", "12月5日"),
        ("查是否已登记", "身份证"),
        ("人工咨询", "值班同志"),
        ("🔠 大字简明版", "大字"),
    ]:
        out = await chat.taps(label)
        assert words in out.text, (label, out.text)


async def test_a_known_person_is_not_greeted_again(placed: Town) -> None:
    chat = placed.chat(777)
    await chat.says(LINK)
    placed.later(minutes=2)
    out = await chat.says("/start st_12-04")
    assert out.text.startswith("您扫描的是“临江街道 12-04 登记站”。想了解什么？\n")


async def test_a_poster_is_counted_and_nobody_with_it(placed: Town) -> None:
    first, second = placed.chat(777), placed.chat(778)
    await first.says(LINK)
    await second.says(LINK)
    await second.says("/start st_12-03__p08")
    await second.says("/start st_12-03")
    assert await counts(placed) == {
        ("12-03", "p07", "2026-11-20"): 2,
        ("12-03", "p08", "2026-11-20"): 1,
        ("12-03", "", "2026-11-20"): 1,
    }
    assert set(PosterCount.__table__.columns.keys()) == {"code", "source", "day", "count"}
    assert await placed.rows(Enquiry) == []
    assert all("p07" not in str(vars(contact)) for contact in await placed.rows(Contact))


async def test_the_same_person_counts_once_a_day(placed: Town) -> None:
    chat = placed.chat(777)
    for _ in range(3):
        await chat.says(LINK)
    assert await counts(placed) == {("12-03", "p07", "2026-11-20"): 1}
    placed.later(days=1)
    await chat.says(LINK)
    assert (await counts(placed))["12-03", "p07", "2026-11-21"] == 1


@pytest.mark.parametrize(
    "payload",
    [
        "st_99-99__p07",
        "st_12-03__",
        "st_12-03__P07",
        "st_12-03__p07x12345",
        "st_1-03",
        "st_12-03_p07",
        "st_",
        "st_12-03__p07__p08",
        "st_１２-03",
        "tip_2026-3",
        "inv_x",
        "k_9999",
        "x" * 64,
        "st_12-03%20",
    ],
)
async def test_a_link_that_leads_nowhere_asks_for_the_street(
    placed: Town, caplog: pytest.LogCaptureFixture, payload: str
) -> None:
    out = await placed.chat().says(f"/start {payload}")
    assert out.text == "这个二维码已更新，请选择您所在的街镇。也可以直接打字提问。"
    assert "临江街道" in out.buttons
    assert await counts(placed) == {}
    written = [record.getMessage() for record in caplog.records if record.name.startswith("handlers")]
    assert len(written) == 1
    assert payload not in written[0]
    assert "99-99" not in written[0]


async def test_a_hidden_stations_poster_leads_to_the_streets(placed: Town) -> None:
    (row,) = [s for s in await placed.rows(Station) if s.code == "12-03"]
    async with placed.store.transaction() as session:
        await hide(session, row)
    assert "二维码已更新" in (await placed.chat().says(LINK)).text
    assert await counts(placed) == {}


async def test_english_askers_read_english(placed: Town) -> None:
    chat = placed.chat()
    await chat.says("/start")
    async with placed.store.transaction() as session:
        (contact,) = [c for c in await placed.rows(Contact) if c.address == "5001"]
        (await session.get_one(Contact, contact.id)).language = "en"
    out = await chat.says("12-03登记站在哪")
    assert "临江街道 12-03 registration station" in out.text
    assert "Registration station phone: 0000-11110003" in out.text
    assert "Do I register here?" in "".join(out.buttons)
