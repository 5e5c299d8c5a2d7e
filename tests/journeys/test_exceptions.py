"""The exception catalogue, one test or more for each row that concerns the conversation."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiogram.fsm.storage.memory import MemoryStorage, SimpleEventIsolation
from aiogram.types import Chat as TelegramChat
from aiogram.types import ChatMemberLeft, ChatMemberMember, ChatMemberUpdated, Update, User
from sqlalchemy.exc import OperationalError

from bot import app, receiving
from bot.channels import telegram
from bot.memory import ForgivingStorage, Outage
from bot.settings import Settings
from handlers.callbacks import Op, tap
from handlers.router import dispatcher
from knowledge import elections, entries
from knowledge.answer import AnswerGiven
from knowledge.versions import by_number
from office import outbox
from office.contacts import Channel, Contact, ContactState, InboundEvent
from office.outbox import Delivery, DeliveryState
from office.store import Store
from tests.journeys.conversation import (
    GROUP,
    USERNAME,
    Chat,
    Town,
    at,
    blocked,
    moved,
    number_and_code,
    refused,
)
from tests.make import CALENDAR, an_entry
from ticketing.ledgers import Enquiry
from ticketing.records import PostKind, ThreadPost, TicketState

LOST = "选民证丢了怎么办？"
UNKNOWN = "新楼盘还没有门牌号，登记表上的地址怎么填？"
SECRET = "a-secret-of-the-tests"
OLD = "该操作已过期，请看最新内容。"
GONE = "这个选项已过期，请重新开始。"


async def test_e01_the_same_update_twice_counts_once(chat: Chat, town: Town) -> None:
    update = Update(update_id=7, message=chat.message(text=UNKNOWN))
    first, second = await asyncio.gather(town.feed(update), town.feed(update))
    third = await town.feed(update)

    assert len(town.session.sent) == 1
    assert third.methods == []
    assert first.methods or second.methods
    assert len(await town.tickets()) == 1
    assert len(await town.rows(InboundEvent)) == 1


async def test_e01_the_same_number_on_another_channel_is_another_event(chat: Chat, town: Town) -> None:
    update = Update(update_id=7, message=chat.message(text=LOST))
    await town.feed(update)
    async with town.store.transaction() as session:
        session.add(InboundEvent(channel=Channel.WEB, event_id="7", at=town.now))
    assert len(await town.rows(InboundEvent)) == 2


@pytest.fixture
async def machine(store: Store, town: Town, tmp_path: Path) -> Any:
    """The program with a webhook; its Telegram answers nothing."""
    settings = Settings(
        _env_file=None, data_dir=tmp_path, database_url=store.url, telegram_token="700001:test",
        telegram_api_url="http://127.0.0.1:9", public_url="https://desk.example", webhook_secret=SECRET,
    )  # fmt: skip
    found = app.build(settings)
    yield found
    await found.close()


@pytest.mark.parametrize(
    "header", [None, b"", b"wrong", SECRET[:-1].encode(), "密码".encode(), b"\xff\xfe", b"x" * 5000]
)
async def test_e02_without_the_secret_the_body_is_not_even_read(
    machine: Any, store: Store, town: Town, header: bytes | None
) -> None:
    status: list[int] = []

    async def receive() -> Any:
        raise AssertionError("the body was read")

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            status.append(message["status"])

    headers = [] if header is None else [(b"x-telegram-bot-api-secret-token", header)]
    scope = {
        "type": "http", "http_version": "1.1", "method": "POST", "path": receiving.PATH, "scheme": "https",
        "raw_path": receiving.PATH.encode(), "query_string": b"", "root_path": "", "headers": headers,
        "client": ("127.0.0.1", 1), "server": ("desk.example", 443), "asgi": {"version": "3.0"},
    }  # fmt: skip
    await app.application(machine)(scope, receive, send)
    assert status == [403]
    assert await town.rows(InboundEvent) == []


async def test_e02_with_the_secret_the_update_is_taken(machine: Any, chat: Chat, town: Town) -> None:
    update = Update(update_id=9, message=chat.message(text=UNKNOWN))
    transport = httpx.ASGITransport(app=app.application(machine))
    async with httpx.AsyncClient(transport=transport, base_url="https://desk.example") as client:
        for content, status in (
            (update.model_dump_json(exclude_none=True, by_alias=True), 200),
            ("{", 400),
            (json.dumps({"update_id": "x"}), 400),
            ("x" * (receiving.LARGEST_UPDATE + 1), 413),
        ):
            found = await client.post(
                receiving.PATH, content=content, headers={"X-Telegram-Bot-Api-Secret-Token": SECRET}
            )
            assert found.status_code == status
    assert len(await town.tickets()) == 1


async def test_e03_an_edit_before_an_answer_is_matched_again(chat: Chat, town: Town) -> None:
    first = chat.message(text=UNKNOWN)
    await chat.feed(message=first)
    town.later(minutes=1)
    out = await chat.edits(first.message_id, LOST)

    ticket = await town.ticket()
    assert ticket.ticket_no in out.texts[0]
    assert "K-0540" in out.texts[1]
    posts = await town.rows(ThreadPost)
    assert [(post.kind, post.text) for post in posts] == [(PostKind.ASKER, UNKNOWN), (PostKind.EDITED, LOST)]


async def test_e03_an_edited_question_that_was_answered_by_itself_keeps_both_versions(
    chat: Chat, town: Town
) -> None:
    first = chat.message(text=LOST)
    await chat.feed(message=first)
    town.later(minutes=1)
    assert "K-0300" in (await chat.edits(first.message_id, "外地人怎么登记选民？")).text
    assert [enquiry.words for enquiry in await town.rows(Enquiry)] == [LOST, "外地人怎么登记选民？"]


async def test_e03_an_edit_that_changes_no_word_changes_nothing(chat: Chat, town: Town) -> None:
    first = chat.message(text=UNKNOWN)
    await chat.feed(message=first)
    for words in (UNKNOWN, "", "…"):
        assert (await chat.edits(first.message_id, words)).methods == []
    assert len(await town.rows(ThreadPost)) == 1


async def test_e04_an_edit_after_a_persons_answer_is_only_noted(chat: Chat, town: Town) -> None:
    first = chat.message(text=UNKNOWN)
    await chat.feed(message=first)
    await town.answers(await town.ticket())
    out = await chat.edits(first.message_id, LOST)

    ticket = await town.ticket()
    assert out.texts == [f"您修改后的内容已补充到 {ticket.ticket_no}，值班同志能看到。"]
    assert ticket.state is TicketState.ANSWERED
    assert await town.rows(AnswerGiven) == []


async def test_e05_a_double_tap_has_one_effect(chat: Chat, town: Town) -> None:
    await chat.says(LOST)
    await asyncio.gather(chat.taps("❌ 没解决，转人工"), chat.taps("❌ 没解决，转人工"))
    third = await chat.taps("❌ 没解决，转人工")

    assert third.toast == "已经记下了。"
    assert third.texts == []
    assert len(await town.tickets()) == 1


async def test_e06_a_button_older_than_its_object_shows_how_things_stand(chat: Chat, town: Town) -> None:
    await chat.says(UNKNOWN)
    await town.answers(await town.ticket())
    chat.saw(await town.delivers())
    await chat.taps("❌ 还没有")
    await town.answers(await town.ticket(), "已核实，请带身份证到登记站办理。")

    out = await chat.taps("✅ 解决了")
    assert out.toast == OLD
    assert "已核实" in out.text
    assert (await town.ticket()).state is TicketState.ANSWERED


async def test_e07_forged_buttons_are_refused_and_logged(
    chat: Chat, town: Town, caplog: pytest.LogCaptureFixture
) -> None:
    await chat.says(LOST)
    (enquiry,) = await town.rows(Enquiry)
    stranger = town.chat(777)
    for op in (Op.SOLVED, Op.NOT_SOLVED, Op.PICK, Op.NONE_OF_THESE):
        out = await stranger.taps_data(tap(op, enquiry.id, arg="0"))
        assert out.toast == GONE
        assert out.texts == []
    assert (await town.rows(Enquiry))[0].solved is None
    assert await town.tickets() == []
    assert caplog.text.count("was refused: expired_button") == 4


async def test_e08_a_message_out_of_reach_is_never_edited(chat: Chat, town: Town) -> None:
    await chat.says(LOST)
    out = await chat.taps("❌ 没解决，转人工", accessible=False)
    assert out.unbuttoned == []
    assert "已为您转给值班同志" in out.text

    await town.answers(await town.ticket())
    chat.saw(await town.delivers())
    again = await chat.taps("❌ 还没有", accessible=False)
    assert again.unbuttoned == []
    assert "已重新办理" in again.text


async def test_e09_markup_and_emoji_in_a_question_stay_what_they_are(chat: Chat, town: Town) -> None:
    await chat.says("<b>新楼盘</b> & 没有门牌号😀，怎么登记？" + "x" * 300)
    await chat.says("人工")
    out = await chat.says("进度")
    assert "&lt;b&gt;新楼盘&lt;/b&gt; &amp; 没有门牌号😀" in out.text


async def test_e10_long_answers_are_numbered_with_the_buttons_on_the_last_part(
    chat: Chat, town: Town
) -> None:
    await chat.says(UNKNOWN)
    await town.answers(await town.ticket(), ("<&>" * 30 + "请带身份证到登记站办理。\n") * 30)
    out = await town.delivers()

    assert len(out.texts) > 1
    assert all(len(text) <= 4096 for text in out.texts)
    assert out.texts[0].endswith(f"(1/{len(out.texts)})")
    assert [message.reply_markup is not None for message in out.messages] == [
        *[False] * (len(out.texts) - 1), True,
    ]  # fmt: skip


async def test_e11_six_thousand_characters_are_taken_and_kept(chat: Chat, town: Town) -> None:
    words = ("业委会的章程在哪看" * 700)[:6000]
    assert (await chat.says(words)).texts
    (enquiry,) = await town.rows(Enquiry)
    assert enquiry.words == words


async def test_e12_who_blocked_us_is_lost_and_never_tried_again(chat: Chat, town: Town) -> None:
    await chat.says(UNKNOWN)
    await town.answers(await town.ticket())
    town.fails(blocked)
    await town.delivers()

    (contact,) = await town.rows(Contact)
    (delivery,) = await town.rows(Delivery)
    assert contact.state is ContactState.LOST
    assert delivery.state is DeliveryState.FAILED
    town.later(days=1)
    assert (await town.delivers()).methods == []


async def test_e13_a_chat_that_is_not_found_is_lost(chat: Chat, town: Town) -> None:
    """The part that exists: the contact is marked. Telling a group's liaison belongs to bound groups."""
    await chat.says(UNKNOWN)
    await town.answers(await town.ticket())
    town.fails(refused("chat not found"))
    await town.delivers()
    assert (await town.rows(Contact))[0].state is ContactState.LOST
    assert (await town.rows(Delivery))[0].state is DeliveryState.FAILED


async def test_e14_a_chat_that_moved_is_followed_once(chat: Chat, town: Town) -> None:
    """The part that exists: address moved and sent again. Binding anew belongs to bound groups."""
    await chat.says(UNKNOWN)
    await town.answers(await town.ticket())
    town.fails(moved(-100555))
    out = await town.delivers()

    assert (await town.rows(Contact))[0].address == "-100555"
    assert [message.chat_id for message in out.messages] == [-100555]
    assert (await town.rows(Delivery))[0].state is DeliveryState.SENT
    error = telegram.translated(moved(-100555)(out.messages[0]))  # type: ignore[arg-type]
    assert isinstance(error, outbox.Undeliverable)
    assert error.moved_to == "-100555"


async def test_e15_an_unknown_group_is_told_one_line(town: Town) -> None:
    """The part that exists: the line on joining. Leaving after a day belongs to bound groups."""
    me = User(id=town.bot.id, is_bot=True, first_name="一窗")
    event = ChatMemberUpdated(
        chat=TelegramChat(id=GROUP, type="supergroup"), date=town.now,
        old_chat_member=ChatMemberLeft(user=me), new_chat_member=ChatMemberMember(user=me),
        from_user=User(id=5001, is_bot=False, first_name="张敏"),
    )  # fmt: skip
    out = await town.group().feed(my_chat_member=event)
    assert len(out.texts) == 1
    assert "/ask" in out.text


async def test_e16_an_anonymous_sender_is_told_why_there_is_no_private_answer(town: Town) -> None:
    """That such a sender cannot act as staff either: `tests/handlers/test_staff_exceptions.py`."""
    group = town.group(1087968824)
    sender = {
        "sender_chat": TelegramChat(id=GROUP, type="supergroup"),
        "from_user": User(id=1087968824, is_bot=True, first_name="Group"),
    }
    out = await group.says(f"@{USERNAME} 我选民证丢了怎么办", **sender)
    assert out.texts[0] == "您现在是匿名身份，我没法单独回复。请用本人账号私聊我。"
    assert "K-0540" in (await group.says(f"@{USERNAME} {LOST}", **sender)).text


async def test_e17_a_group_user_gets_a_button_to_the_private_chat(town: Town) -> None:
    out = await town.group().says(f"@{USERNAME} 我选民证丢了怎么办")
    assert [key.url for key in out.keys] == [f"https://t.me/{USERNAME}?start=ask"]
    assert "K-0540" not in out.text


async def test_e18_talk_that_is_overheard_is_neither_answered_nor_kept(town: Town) -> None:
    """The part that exists: with privacy mode off by mistake the talk is passed over. The warning is part
    of the health check."""
    assert (await town.group().says(LOST)).methods == []
    assert await town.rows(Enquiry) == []
    assert await town.tickets() == []


@pytest.mark.parametrize(
    "again", [UNKNOWN, "新楼盘没有门牌号，登记表地址怎么填", "我们新楼盘还没有门牌号，登记表的地址怎么填呢？"]
)
async def test_e19_the_same_question_of_the_same_asker_joins_its_ticket(
    chat: Chat, town: Town, again: str
) -> None:
    first = await chat.says(UNKNOWN)
    town.later(minutes=10)
    out = await chat.says(again)

    assert number_and_code(out.text)[0] == number_and_code(first.text)[0]
    assert out.text.startswith("已补充到您的问题")
    ticket = await town.ticket()
    assert [post.text for post in await town.rows(ThreadPost)] == [UNKNOWN, again]
    assert {enquiry.ticket_id for enquiry in await town.rows(Enquiry)} == {ticket.id}


async def test_e19_the_same_question_of_somebody_else_is_another_ticket(chat: Chat, town: Town) -> None:
    await chat.says(UNKNOWN)
    await town.chat(777).says(UNKNOWN)
    assert len(await town.tickets()) == 2


@pytest.mark.parametrize("said", ["？", "在吗", "你好", "有人吗？"])
async def test_e20_a_knock_is_answered_once(chat: Chat, town: Town, said: str) -> None:
    assert (await chat.says(said)).text == "在的，请直接说您的问题。"
    assert (await chat.says(said)).methods == []
    town.later(minutes=2)
    assert (await chat.says(said)).text == "在的，请直接说您的问题。"
    assert await town.rows(Enquiry) == []


@pytest.mark.parametrize("number", ["310104199001010012", "13912345678", "6222020200112233445"])
async def test_e21_numbers_are_taken_out_before_anything_is_kept(chat: Chat, town: Town, number: str) -> None:
    sent = chat.message(text=f"{UNKNOWN}我的号码 {number}")
    out = await chat.feed(message=sent)
    assert out.deleted == [sent.message_id]
    for enquiry in await town.rows(Enquiry):
        assert number not in enquiry.words
        assert "［号码已隐去］" in enquiry.words


@pytest.mark.parametrize(
    "said",
    [
        "選民證丟了怎麼辦",
        "选民证丢了怎么办",
        "选名证丢了怎么办",
        " 选民证 丢 了 怎么办 ？？",
        "选民证丢了咋办",
        "选民证掉忒了哪能办",
    ],
)
async def test_e23_scripts_widths_and_typos_are_understood(chat: Chat, said: str) -> None:
    assert "K-0540" in (await chat.says(said)).text


@pytest.mark.parametrize("said", ["xuanminzheng diu le zenmeban", "xuanminzhengdiulezenmeban"])
async def test_e23_pinyin_is_understood_or_offered(chat: Chat, said: str) -> None:
    out = await chat.says(said)
    assert "选民证丢了怎么办？" in out.text


@pytest.mark.parametrize(
    "said", ["How do I register to vote?", "Where can I vote please", "HELLO, I need help to vote"]
)
async def test_e24_english_gets_a_short_template_with_the_phone(chat: Chat, town: Town, said: str) -> None:
    out = await chat.says(said)
    assert out.text.startswith("I can answer in Chinese only.")
    assert "0000-12345678" in out.text
    assert out.buttons == ["A person", "🏠 Menu"]

    await chat.taps("A person")
    assert (await town.ticket()).words == said


async def test_e37_a_code_may_be_mistyped_with_look_alikes(chat: Chat, town: Town) -> None:
    """Progress codes; receipt codes stand in `tests/handlers/test_lookup.py`."""
    await chat.says(UNKNOWN)
    ticket = await town.ticket()
    async with town.store.transaction() as session:
        session.add(ticket)
        ticket.progress_code = "01AB"
    other = town.chat(777)
    for typed in ("01AB", "OIAB", "ol ab", "０１ＡＢ", "0-1-A-B"):
        out = await other.says(f"{ticket.ticket_no.lower()} {typed.replace(' ', '')}")
        assert "等待办理" in out.text, typed


async def test_e37_a_number_with_a_wrong_check_letter_is_nobodys(chat: Chat, town: Town) -> None:
    await chat.says(UNKNOWN)
    ticket = await town.ticket()
    wrong = ticket.ticket_no[:-1] + ("A" if ticket.ticket_no[-1] != "A" else "B")
    out = await town.chat(777).says(f"进度 {wrong} {ticket.progress_code}")
    assert out.text.startswith("没有查到")


async def test_e39_a_forwarded_button_acts_for_whoever_taps(chat: Chat, town: Town) -> None:
    await chat.says(LOST)
    await chat.says("/start")
    stranger = town.chat(777)
    stranger.shown = list(chat.shown)

    assert (await stranger.taps("✅ 解决了")).toast == GONE
    out = await stranger.taps("要带什么")
    assert {message.chat_id for message in out.messages} == {777}
    owners = {enquiry.contact_id for enquiry in await town.rows(Enquiry)}
    assert len(owners) == 2


async def test_e39_an_answer_names_nobody(chat: Chat) -> None:
    out = await chat.says(LOST)
    assert "张敏" not in out.text
    assert "5001" not in out.text


async def test_e42_forgetting_is_the_way_to_take_words_back(chat: Chat, town: Town) -> None:
    """No event tells that a message was deleted, so the words stay until its sender says so."""
    await chat.says(UNKNOWN)
    await chat.says("/forget")
    await chat.taps("确认删除")
    assert [enquiry.words for enquiry in await town.rows(Enquiry)] == [""]
    assert UNKNOWN not in {post.text for post in await town.rows(ThreadPost)}
    assert (await town.ticket()).business_day == date(2026, 11, 20), "what was counted stays counted"


def beijing(text: str) -> datetime:
    """A moment of Beijing time."""
    return datetime.fromisoformat(f"{text}+08:00").astimezone(UTC)


@pytest.mark.parametrize(
    ("asked", "promised"),
    [
        ("2026-11-20T16:30", "最迟11月20日（周五）17:30前"),
        ("2026-11-20T16:31", "最迟11月23日（周一）12:00前"),
        ("2026-11-20T23:59:59", "最迟11月23日（周一）12:00前"),
        ("2026-11-23T00:00", "最迟11月23日（周一）17:30前"),
        ("2026-09-30T18:10", "最迟10月8日（周四）12:00前"),
        ("2026-10-04T10:00", "最迟10月8日（周四）12:00前"),
        ("2026-10-10T10:00", "最迟10月10日（周六）17:30前"),
        ("2026-10-11T10:00", "最迟10月12日（周一）12:00前"),
    ],
)
async def test_e26_a_promise_keeps_to_the_days_the_office_works(
    chat: Chat, town: Town, asked: str, promised: str
) -> None:
    """Both sides of midnight, a holiday, a Saturday worked in exchange and the Sunday after it."""
    with at(town, beijing(asked)):
        out = await chat.says(UNKNOWN)
    assert promised in out.text


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ("我在美国出差，什么时候登记？", "11月16日（周一）至12月5日（周六）"),
        ("我在纽约留学，新楼盘还没有门牌号，登记表上的地址怎么填？", "最迟11月20日（周五）17:30前"),
    ],
)
async def test_e27_whoever_is_in_another_time_zone_is_told_which_time_is_meant(
    chat: Chat, town: Town, said: str, named: str
) -> None:
    async with town.store.transaction() as session:
        await an_entry(
            session, town.cast, town.now, "K-0160", topic="reg_deadline", question="登记什么时候开始和截止？",
            phrasings=("登记到哪天截止", "什么时候登记", "我在国外出差什么时候登记", "我在美国什么时候登记"),
            short="登记时间：{{ cal.registration }}。",
        )  # fmt: skip
    out = await chat.says(said)
    assert named in out.text
    assert out.text.endswith("以上都是北京时间。")


@pytest.mark.parametrize("said", ["/when", UNKNOWN, LOST, "/where"])
async def test_e27_everybody_else_is_spared_it(chat: Chat, said: str) -> None:
    assert "北京时间" not in (await chat.says(said)).text


async def test_e27_an_answer_without_a_time_needs_no_zone(chat: Chat) -> None:
    out = await chat.says("我在国外，选民证丢了怎么办")
    assert "选民证丢了怎么办" in out.text
    assert "北京时间" not in out.text


class Unreachable(MemoryStorage):
    """What a Redis looks like that has gone away."""

    def __getattribute__(self, name: str) -> Any:
        if name in ("get_state", "set_state", "get_data", "set_data"):
            raise ConnectionRefusedError("nobody listens")
        return super().__getattribute__(name)


async def test_e28_without_redis_answers_and_the_wizard_go_on(chat: Chat, town: Town) -> None:
    storage = ForgivingStorage(Unreachable(), Outage())
    town.dispatcher = dispatcher(town.desk, storage, SimpleEventIsolation())
    assert "K-0540" in (await chat.says(LOST)).text
    await chat.says("/where")
    for label in ("外省市", "在职", "一般单位"):
        await chat.taps(label)
    out = await chat.taps("没有")
    assert "有没有下面的情况" in out.text
    assert "外省市户口，在职" in (await chat.taps("都没有")).text
    assert "开选民资格证明" in (await chat.taps("对")).text


class Wire:
    """The store as the desk sees it, which can be led to a database that is not there."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)


async def test_e29_without_the_database_the_phone_is_given(chat: Chat, town: Town, tmp_path: Path) -> None:
    away = Store(f"sqlite+aiosqlite:///{tmp_path / 'nowhere' / 'store.db'}")
    wire = Wire(town.store)
    town.restart(store=wire)
    await chat.says("/start")
    before = len(town.session.sent)
    wire.store = away
    with pytest.raises(OperationalError):
        await chat.says(LOST)
    said = [getattr(method, "text", "") for method in town.session.sent[before:]]
    assert said == ["系统正在维护，请拨 0000-12345678。"]

    wire.store = town.store
    await away.close()
    assert "K-0540" in (await chat.says(LOST)).text


async def test_e30_a_broadcast_on_the_hour_is_scattered_over_minutes(town: Town) -> None:
    """A calendar signed at ten o'clock: whoever asked to be told is told within minutes, not all at once."""
    people = [town.chat(7000 + number) for number in range(12)]
    for person in people:
        await person.says("/when")
        await person.taps("🔔 通知我")
        await person.taps("全部")
    ten = beijing("2026-11-23T10:00")
    moved = {**CALENDAR, "day": "2027-01-05"}
    async with town.store.transaction() as session:
        editor = town.cast.li_qiang
        change = await elections.propose(session, moved, basis="公告", reason="推迟", actor=editor, now=ten)
        await elections.sign(session, change, seen=change.version, actor=town.cast.wang_fang, now=ten)
    due = [row.due_at - ten for row in await town.rows(Delivery)]
    assert len(due) == len(people)
    assert len({span // timedelta(minutes=1) for span in due}) > 3
    assert timedelta(0) <= min(due)
    assert max(due) <= timedelta(minutes=10)

    with at(town, ten + timedelta(minutes=10)):
        assert len((await town.delivers()).messages) == len(people)


async def test_e31_the_button_of_a_retired_entry_leads_to_its_successor(chat: Chat, town: Town) -> None:
    out = await chat.says("xuanminzheng diu le zenmeban")
    assert out.text.splitlines()[1] == "1. 选民证丢了怎么办？"
    async with town.store.transaction() as session:
        await an_entry(
            session, town.cast, town.now, "K-0541", question="选民证遗失后怎么办理？",
            phrasings=("选民证遗失去哪里报", "证件遗失报给谁", "选民证遗失怎么报"),
            short="请先打登记站电话。",
        )  # fmt: skip
        old, new = await by_number(session, "K-0540"), await by_number(session, "K-0541")
        await entries.retire(session, old, actor=town.cast.wang_fang, now=town.now, successor=new)
    shown = await chat.taps("第1个")
    assert "请先打登记站电话" in shown.text
    assert "K-0541" in shown.text
    assert "K-0540" not in shown.text


@pytest.mark.parametrize("said", ["/when", "什么时候登记", "登记到哪天截止？", "12月5号还能登记吗"])
async def test_e32_without_a_calendar_no_date_is_invented(chat: Chat, town: Town, said: str) -> None:
    async with town.store.transaction() as session:
        await an_entry(
            session, town.cast, town.now, "K-0160", topic="reg_deadline", question="登记什么时候截止？",
            phrasings=("登记到哪天截止", "什么时候登记", "登记截止日是几号"),
            short="登记时间：{{ cal.registration }}。投票：{{ cal.voting }}。",
        )  # fmt: skip
        change = await elections.change_in_force(session, date(2026, 11, 20))
        assert change is not None
        await elections.undo(session, change, actor=town.cast.wang_fang, now=town.now)
    out = await chat.says(said)
    assert "尚未公布" in out.text
    invented = [found for found in re.findall(r"\d{1,2}月\d{1,2}日", out.text) if found != "12月5日"]
    assert not invented
