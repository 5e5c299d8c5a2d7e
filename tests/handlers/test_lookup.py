"""Am I registered: the ways to ask, receipt codes however they are typed, results that go away."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiogram.enums import ChatMemberStatus
from aiogram.fsm.storage.memory import MemoryStorage, SimpleEventIsolation
from aiogram.methods import GetChatAdministrators, TelegramMethod
from aiogram.types import Chat as TelegramChat
from aiogram.types import ChatMemberAdministrator, ChatMemberOwner, User

from bot.memory import ForgivingStorage, Outage
from handlers.lookup_asked import wanted
from handlers.passing import Passing
from handlers.router import dispatcher
from knowledge.roll import identity, links, receipts
from knowledge.roll.attempts import Attempts, Budget, Spent, Unreachable
from knowledge.roll.keys import KeyHolder
from knowledge.roll.lookups import Lookups
from knowledge.roll.records import LookupAct, LookupLink, LookupResult, Mark
from office.contacts import Contact, ContactState
from office.outbox import Delivery, DeliveryState
from office.store import Store
from tests.handlers.test_input import bare, everything
from tests.journeys.conversation import GROUP, USERNAME, Chat, Out, Town, at, blocked, refused, unreachable
from tests.make import an_entry
from tests.rolls import install_roll
from tests.voters import CAST, HE_JIE, LIN_YAN, OUYANG, TAO_MIN, Voter, code
from ticketing.ledgers import Enquiry
from ticketing.records import RollIssue, TicketKind

LOST = "选民证丢了怎么办？"
CODE = receipts.written(LIN_YAN.receipt)
NOBODYS = identity.with_check("31019919780312900")
RESULT = (
    "查询结果：已登记\n选区：第一选区　小组：12-01　登记站：12-01\n"
    "下一步：名单公布后请再核对，以公布的名单为准。\n本消息5分钟后自动删除"
)
ASK = "为保护您的个人信息，请不要在这里发送身份证号码。请选择："
WAYS = ["🔢 用回执码查询", "🔒 打开安全查询页", "📍 到登记站查询"]
HELP = ["🙋 帮我核实", "✏️ 名单有误", "📝 申诉", "📍 登记站"]
MISTYPED = "回执码有误，请核对。\n回执码共10位，由数字和字母组成。"
HERS = "可以用她的登记回执码查询；没有回执码，请带她的身份证到登记站，或由她本人查询。"


@pytest.fixture
async def rolled(town: Town, tmp_path: Path) -> Town:
    """The town with a roll: 林䶮 is registered, 贺㛃 not yet, 欧阳𠅤 is protected. 陶𬭚 stands nowhere."""
    marks = {HE_JIE: Mark(0), OUYANG: Mark.REGISTERED | Mark.SUPPRESSED}
    await install_roll(town.store, tmp_path, CAST, marks=marks)
    town.restart(lookups=Lookups(town.store, KeyHolder(tmp_path / "roll.key"), secret=b"tests", floor=0))
    return town


@pytest.fixture
def asker(rolled: Town) -> Chat:
    """张敏's private chat in a town with a roll."""
    return rolled.chat()


def plain(text: str) -> str:
    return text.replace("<b>", "").replace("</b>", "").replace("<i>", "").replace("</i>", "")


def passing(out: Out) -> Passing:
    (found,) = [method for method in out.methods if isinstance(method, Passing)]
    return found


async def traces(town: Town, chat: Chat, log: str = "") -> str:
    """All that is stored, remembered and logged, without signs."""
    state = town.dispatcher.fsm.get_context(town.bot, chat.where, chat.person)
    return bare(f"{await everything(town)}{await state.get_data()}{log}").upper()


# --- the ways to ask ------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", ["/status", "查登记", "我登记了吗", "查一下我登记了没有？", "帮我查登记"])
async def test_the_ways_to_ask_are_offered_and_no_number_is_asked_for(asker: Chat, said: str) -> None:
    out = await asker.says(said)
    assert out.texts == [ASK]
    assert out.buttons == WAYS


@pytest.mark.parametrize(
    "said",
    [
        "选民登记查循",
        "查一下我有没有登记",
        "我登计好了没",
        "俺登没登上啊",
        "查登記",
        "我名字在不在选民名单里",
        "想问问我的名字在不在册子上？",
    ],
)
async def test_however_it_is_asked_the_same_ways_are_offered(asker: Chat, rolled: Town, said: str) -> None:
    out = await asker.says(said)
    assert out.texts == [ASK]
    assert out.buttons == WAYS
    assert await rolled.rows(Enquiry) == []


@pytest.mark.parametrize("said", ["回执码丢了怎么查", "回执码在哪里", "回执单上的号码怎么用"])
async def test_about_the_code_it_is_said_how_else(asker: Chat, said: str) -> None:
    out = await asker.says(said)
    assert "在安全查询页填姓名和身份证号码，或带身份证到登记站查询。" in out.text
    assert out.text.endswith(ASK)
    assert out.buttons == WAYS


@pytest.mark.parametrize("said", ["登记查询什么时候开放", "查登记状态可以电话查吗"])
async def test_when_one_can_look_up_is_said_in_words(asker: Chat, rolled: Town, said: str) -> None:
    out = await asker.says(said)
    assert "查询时间：11月16日至12月28日，现在可以查询。" in out.text
    assert ("咨询电话" in out.text) == ("电话" in said)
    assert out.buttons == WAYS
    with at(rolled, rolled.now - timedelta(days=10)):
        assert "查询时间：11月16日至12月28日。" in (await asker.says(said)).text


@pytest.mark.parametrize(
    "said", ["Am I registered to vote?", "check my registration", "voter registration status"]
)
async def test_who_asks_in_english_gets_the_page_in_english(asker: Chat, rolled: Town, said: str) -> None:
    rolled.restart(public_url="https://desk.example")
    out = await asker.says(said)
    assert out.text.startswith("To protect your personal information")
    assert out.keys[1].url == "https://desk.example/lookup?lang=en"
    with at(rolled, rolled.now - timedelta(days=10)):
        assert (await asker.says(said)).text.startswith("Lookup is not open yet.")


@pytest.mark.parametrize(
    "said",
    ["登记要带什么", "我怎么登记", "我能登记吗", "登记截止了没有", "名单什么时候公布", "我已经登记了"],
)  # fmt: skip
def test_other_questions_are_not_taken_for_a_lookup(said: str) -> None:
    assert wanted(said) is None


async def test_without_a_roll_words_of_one_s_own_are_answered_from_the_base(chat: Chat) -> None:
    assert "登记查询暂时停用" not in (await chat.says("查一下我有没有登记")).text


async def test_what_is_announced_to_a_person_goes_to_a_person(asker: Chat, rolled: Town) -> None:
    await asker.says("人工")
    await asker.says("查一下我有没有登记")
    assert len(await rolled.tickets()) == 1


async def test_an_answer_about_being_registered_leads_to_the_lookup(asker: Chat, rolled: Town) -> None:
    async with rolled.store.transaction() as session:
        await an_entry(
            session, rolled.cast, rolled.now, "K-0341", topic="reg_status",
            question="“未查到”是什么意思？", short="不等于没有登记。",
            phrasings=("未查到是什么意思", "显示未查到怎么办", "查不到我怎么回事"),
        )  # fmt: skip
    out = await asker.says("显示未查到怎么办")
    assert out.buttons[0] == "🔎 查登记"
    assert (await asker.taps("🔎 查登记")).texts == [ASK]


@pytest.mark.parametrize("said", ["/status", "查登记"])
async def test_outside_the_window_the_window_and_the_station_are_named(
    asker: Chat, rolled: Town, said: str
) -> None:
    with at(rolled, rolled.now - timedelta(days=10)):
        out = await asker.says(said)
        assert out.text.startswith("现在还不能查询。查询时间：11月16日至12月28日。\n")
        assert "0000-12345678" in out.text
        assert out.buttons == ["📍 到登记站查询"]
        assert (await asker.says(CODE)).text == out.text
    assert await rolled.rows(LookupAct) == []


async def test_buttons_shown_while_it_was_open_say_when_it_is_closed(asker: Chat, rolled: Town) -> None:
    await asker.says("查登记")
    with at(rolled, rolled.now + timedelta(days=60)):
        for label in WAYS[:2]:
            assert (await asker.taps(label)).text.startswith("现在还不能查询。")
    assert await rolled.rows(LookupLink) == []


async def test_without_a_roll_lookup_is_closed_and_questions_go_on(chat: Chat) -> None:
    assert "登记查询暂时停用" in (await chat.says("查登记")).text
    assert "K-0540" in (await chat.says(LOST)).text


async def test_the_station_is_a_way_too(asker: Chat) -> None:
    await asker.says("查登记")
    assert (await asker.taps("📍 到登记站查询")).texts


# --- the secure page ------------------------------------------------------------------------------------


async def test_the_page_is_a_link_of_ten_minutes_for_one_use(asker: Chat, rolled: Town) -> None:
    rolled.restart(public_url="https://desk.example")
    await asker.says("查登记")
    assert await rolled.rows(LookupLink) == []
    out = await asker.taps("🔒 打开安全查询页")
    assert out.text == "请点下面的按钮打开安全查询页。\n链接10分钟内有效，只能用一次，请不要转给别人。"
    (button,) = out.keys
    assert button.url is not None
    address, _, token = button.url.rpartition("/")
    assert address == "https://desk.example/lookup"
    async with rolled.store.transaction() as session:
        assert await links.open(session, token, rolled.now)

    rolled.later(minutes=9)
    assert (await rolled.delivers()).methods == []
    rolled.later(minutes=1)
    assert len((await rolled.delivers()).deleted) == 1, "a link that is over is taken away"
    assert token not in await everything(rolled)


async def test_where_the_page_cannot_be_reached_the_other_ways_are_named(asker: Chat, rolled: Town) -> None:
    await asker.says("查登记")
    out = await asker.taps("🔒 打开安全查询页")
    assert out.text.startswith("这里不能打开安全查询页。")
    assert out.buttons == [WAYS[0], WAYS[2]]
    assert await rolled.rows(LookupLink) == []


# --- receipt codes --------------------------------------------------------------------------------------


async def test_the_code_is_asked_for_and_answered(asker: Chat, rolled: Town) -> None:
    await asker.says("查登记")
    assert (await asker.taps(WAYS[0])).texts == ["请发送回执上的10位回执码，例如 K7M2-9QXD-4E。"]
    out = await asker.says(CODE)
    assert plain(out.text) == RESULT
    assert out.buttons == HELP
    (act,) = await rolled.rows(LookupAct)
    assert (act.way, act.result, act.channel) == ("receipt", "registered", "telegram")


@pytest.mark.parametrize(
    ("voter", "title"),
    [(LIN_YAN, "已登记"), (TAO_MIN, "未查到"), (HE_JIE, "请到登记站核实"), (OUYANG, "请到登记站核实")],
)
async def test_three_results_in_one_layout(asker: Chat, voter: Voter, title: str) -> None:
    out = await asker.says(receipts.written(voter.receipt))
    result = passing(out)
    assert plain(result.text).startswith(f"查询结果：{title}\n")
    assert result.text.count("\n") == 3
    assert result.text.endswith("<i>本消息5分钟后自动删除</i>")
    assert result.protect_content is True
    assert out.buttons == HELP


async def test_why_one_has_to_ask_at_the_station_is_not_to_be_told_apart(asker: Chat) -> None:
    protected, unready = [await asker.says(voter.receipt) for voter in (OUYANG, HE_JIE)]
    assert protected.text == unready.text
    assert [key.callback_data for key in protected.keys] == [key.callback_data for key in unready.keys]


@pytest.mark.parametrize(
    "form",
    ["{w}", "{c}", "{low}", " {w} ", "{w}。", "{spaced}", "{full}", "我的回执码是{c}", "帮我查 {w} 谢谢",
     "回执码：{low}", "/status {w}", "{w}\n登记了吗"],
)  # fmt: skip
async def test_a_code_is_read_however_it_is_typed_and_whenever(asker: Chat, form: str) -> None:
    voter = LIN_YAN
    written = receipts.written(voter.receipt)
    said = form.format(
        w=written, c=voter.receipt, low=voter.receipt.lower(), spaced=written.replace("-", " "),
        full="".join(chr(ord(symbol) + 0xFEE0) for symbol in written),
    )  # fmt: skip
    assert plain((await asker.says(said)).text) == RESULT


@pytest.mark.parametrize("said", ["K7M2-9QXD-4E", "zz2k9m4t7p", "K7M29QXD4", "K7M2-9QXD-4EE"])
async def test_e37_a_mistyped_code_is_never_not_found(asker: Chat, rolled: Town, said: str) -> None:
    sent = asker.message(text=said)
    out = await asker.feed(message=sent)
    assert out.texts == [MISTYPED]
    assert out.deleted == [sent.message_id]
    assert await rolled.rows(LookupAct) == []
    assert await rolled.rows(Enquiry) == []


async def test_what_was_asked_for_as_a_code_is_taken_for_one(asker: Chat, rolled: Town) -> None:
    await asker.says("查登记")
    await asker.taps(WAYS[0])
    assert (await asker.says("123456")).texts == [MISTYPED]
    assert "K-0540" in (await asker.says(LOST)).text
    rolled.later(minutes=11)
    assert (await asker.says("123456")).texts != [MISTYPED]


async def test_what_only_looks_a_little_like_a_code_goes_its_own_way(asker: Chat, rolled: Town) -> None:
    await asker.says("新楼盘还没有门牌号，登记表上的地址怎么填？")
    ticket = await rolled.ticket()
    number, key = ticket.ticket_no, ticket.progress_code
    for said in (number, number.lower().replace("-", ""), f"{number} {key}", key, f"进度 {key}"):
        assert number in (await asker.says(said)).text, said
    for said in ("12-03", "K-0540", "12月5日9:00", "2026-11-25还能登记吗", "xuanminzheng diu le zenmeban"):
        out = await asker.says(said)
        assert MISTYPED not in out.text
        assert out.deleted == []


async def test_a_code_is_kept_nowhere(asker: Chat, rolled: Town, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    mistyped = f"{LIN_YAN.receipt[:4]}-{LIN_YAN.receipt[4:8]}-A{LIN_YAN.receipt[9]}"
    for said in (CODE, f"我的回执码是{LIN_YAN.receipt}，登记了吗", mistyped, f"人工 {CODE}"):
        rolled.later(minutes=1)
        await asker.says(said)
    await asker.says("人工")
    await asker.says(f"请帮我看看 {CODE} 这个码")
    await asker.sends(photo=[], caption=f"这张回执 {CODE}")
    await asker.edits(asker.last_message, f"改一下，{CODE}")
    await rolled.delivers()

    found = await traces(rolled, asker, caplog.text)
    assert LIN_YAN.receipt not in found
    assert LIN_YAN.receipt[:8] not in found


async def test_the_sender_s_own_message_is_deleted(asker: Chat) -> None:
    sent = asker.message(text=CODE)
    assert (await asker.feed(message=sent)).deleted == [sent.message_id]
    edited = await asker.edits(sent.message_id, f"改一下 {CODE}")
    assert edited.deleted == [sent.message_id]


async def test_a_number_beside_the_code_is_taken_out_too(asker: Chat) -> None:
    out = await asker.says(f"身份证{NOBODYS}，回执码{CODE}")
    assert out.texts[0].startswith("已为您删除含身份证号码的消息。")
    assert plain(out.texts[1]) == RESULT
    assert len(out.deleted) == 1


# --- results that go away -------------------------------------------------------------------------------


async def test_a_result_is_deleted_after_five_minutes(asker: Chat, rolled: Town) -> None:
    await asker.says(CODE)
    (row,) = await rolled.rows(Delivery)
    assert (row.kind, row.facts.keys()) == ("take_away", {"message"})
    rolled.later(minutes=4, seconds=59)
    assert (await rolled.delivers()).methods == []
    rolled.later(seconds=1)
    assert (await rolled.delivers()).deleted == [row.facts["message"]]
    assert (await rolled.delivers()).methods == []


async def test_it_goes_away_for_who_wants_no_messages_too(asker: Chat, rolled: Town) -> None:
    await asker.says("退订")
    await asker.says(CODE)
    assert (await rolled.rows(Contact))[0].state is ContactState.SILENCED
    rolled.later(minutes=5)
    assert len((await rolled.delivers()).deleted) == 1


async def test_who_is_forgotten_leaves_no_result_behind(asker: Chat, rolled: Town) -> None:
    await asker.says(CODE)
    (row,) = await rolled.rows(Delivery)
    message = row.facts["message"]
    await asker.says("/forget")
    assert (await asker.taps("确认删除")).deleted == [message]
    assert (await rolled.rows(Delivery))[0].state is DeliveryState.FAILED


async def test_a_result_that_cannot_leave_is_not_kept_for_later(asker: Chat, rolled: Town) -> None:
    rolled.fails(None, unreachable)
    assert (await asker.says(CODE)).texts == []
    assert "已登记" not in await everything(rolled)
    out = await rolled.delivers()
    assert out.texts == ["刚才的内容没有发送成功，也没有保存。请重新查询。"]
    assert out.buttons == []


async def test_a_result_that_cannot_be_promised_to_go_goes_at_once(
    asker: Chat, rolled: Town, tmp_path: Path
) -> None:
    away = Store(f"sqlite+aiosqlite:///{tmp_path / 'nowhere' / 'store.db'}")

    class Cut(Lookups):
        async def settle(self, begun: float) -> None:
            wire.store = away

    class Wire:
        store = rolled.store

        def __getattr__(self, name: str) -> Any:
            return getattr(self.store, name)

    wire = Wire()
    cut = Cut(rolled.store, KeyHolder(tmp_path / "roll.key"), secret=b"tests")
    rolled.restart(store=wire, lookups=cut)
    out = await asker.says(CODE)
    assert len(out.deleted) == 2
    assert out.texts[-1] == "刚才的内容没有发送成功，也没有保存。请重新查询。"
    await away.close()


async def test_a_result_to_who_has_blocked_us_is_no_trouble(asker: Chat, rolled: Town) -> None:
    rolled.fails(None, blocked)
    assert (await asker.says(CODE)).texts == []
    assert await rolled.rows(Delivery) == []


async def test_answers_wait_for_the_floor_time_with_no_transaction_open(
    asker: Chat, rolled: Town, tmp_path: Path
) -> None:
    class Waiting(Lookups):
        def __init__(self) -> None:
            super().__init__(rolled.store, KeyHolder(tmp_path / "roll.key"), secret=b"tests")
            self.waited: list[str] = []

        async def settle(self, begun: float) -> None:
            assert begun > 0
            assert not any(isinstance(m, Passing) for m in rolled.session.sent[before:])
            async with rolled.store.transaction() as session:
                # It would wait for ever for a transaction of the same turn.
                session.add(LookupLink(**_link(rolled.now, len(self.waited))))
            self.waited.append("")

    lookups = Waiting()
    rolled.restart(lookups=lookups)
    for number, voter in enumerate((LIN_YAN, TAO_MIN, HE_JIE, LIN_YAN, LIN_YAN, LIN_YAN), start=1):
        before = len(rolled.session.sent)
        await asker.says(voter.receipt)
        assert len(lookups.waited) == number, "a refusal takes as long as a result"
    assert "查询次数较多" in rolled.session.sent[-1].text  # type: ignore[attr-defined]
    before = len(rolled.session.sent)
    await asker.says(LOST)
    assert len(lookups.waited) == 6, "other replies leave at once"


def _link(now: datetime, number: int) -> dict[str, Any]:
    return {"token_digest": str(number), "channel": "telegram", "made_at": now, "expires_at": now}


# --- budgets, Redis -------------------------------------------------------------------------------------


async def test_e38_after_five_tries_one_is_told_until_when_and_how_else(asker: Chat, rolled: Town) -> None:
    for number in range(5):
        assert "查询结果" in (await asker.says(code(f"ZZ{'ABCDE'[number]}"))).text
    out = await asker.says(CODE)
    assert out.text.startswith("查询次数较多，请于11月21日（周六）10:06后再试，或到登记站查询。")
    assert "0000-12345678" in out.text
    assert out.buttons == ["📍 到登记站查询"]
    assert len(await rolled.rows(LookupAct)) == 5
    assert "查询结果：已登记" in (await rolled.chat(777).says(CODE)).text
    assert "K-0540" in (await asker.says(LOST)).text


class Gone(Attempts):
    """Budgets in a Redis that has gone away."""

    async def reach(self) -> None:
        raise Unreachable

    async def spend(self, asker: str, budgets: Sequence[Budget], now: datetime) -> Spent:
        raise Unreachable


class NoStorage(MemoryStorage):
    """Conversation state in the same Redis."""

    def __getattribute__(self, name: str) -> Any:
        if name in ("get_state", "set_state", "get_data", "set_data"):
            raise ConnectionRefusedError("nobody listens")
        return super().__getattribute__(name)


async def test_e28_without_redis_lookup_closes_and_questions_go_on(
    asker: Chat, rolled: Town, tmp_path: Path
) -> None:
    lookups = Lookups(rolled.store, KeyHolder(tmp_path / "roll.key"), Gone(), b"tests", floor=0)
    rolled.restart(lookups=lookups)
    storage = ForgivingStorage(NoStorage(), Outage())
    rolled.dispatcher = dispatcher(rolled.desk, storage, SimpleEventIsolation())
    for said in ("查登记", CODE):
        assert (await asker.says(said)).text.startswith("登记查询暂时停用，其他问题照常回答。")
    assert "K-0540" in (await asker.says(LOST)).text
    assert await rolled.rows(LookupAct) == []


async def test_without_memory_of_the_question_a_code_is_still_read(asker: Chat, rolled: Town) -> None:
    storage = ForgivingStorage(NoStorage(), Outage())
    rolled.dispatcher = dispatcher(rolled.desk, storage, SimpleEventIsolation())
    assert plain((await asker.says(CODE)).text) == RESULT
    assert "已为您转给值班同志核实" in (await asker.taps(HELP[0])).text
    assert (await rolled.ticket()).receipt_digest is None


# --- somebody else --------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", ["帮我妈查一下", "帮我妈查一下登记了没有", "我妈登记了没有", "她登记了吗"])
async def test_v5_for_somebody_else_there_is_the_code_or_the_station(
    asker: Chat, rolled: Town, said: str
) -> None:
    out = await asker.says(said)
    assert out.texts == [HERS]
    assert out.buttons == [WAYS[0], WAYS[2]]
    assert await rolled.tickets() == []


async def test_v5_in_somebody_s_place_is_for_somebody_too(asker: Chat) -> None:
    assert (await asker.says("替我爸查登记状态")).texts == [HERS.replace("她", "他")]


@pytest.mark.parametrize(
    "said",
    [
        "查一下张三登记了没有",
        "查下赵磊",
        "帮我查一下王芳",
        "李强登记了吗",
        "邻居登记了没有",
        "查查隔壁老王登没登",
    ],
)
async def test_v5_nobody_is_looked_up_by_name_and_no_name_is_kept(
    asker: Chat, rolled: Town, said: str
) -> None:
    out = await asker.says(said)
    assert out.texts == [HERS.replace("她", "他")]
    assert await rolled.rows(Enquiry) == []
    assert await rolled.rows(LookupAct) == []


@pytest.mark.parametrize(
    "said", ["查登记员", "查登记站", "能帮家里人查有没有登记上吗？", "我登记了吗？选民证丢了怎么办？"]
)
async def test_questions_that_name_nobody_are_answered_as_before(asker: Chat, said: str) -> None:
    assert "登记回执码查询；" not in (await asker.says(said)).text


async def test_the_badge_of_a_registrar_is_another_matter(asker: Chat) -> None:
    assert "登记员的身份" in (await asker.says("查登记员")).text


# --- numbers that were pasted ---------------------------------------------------------------------------


async def test_e21_a_pasted_number_is_deleted_and_the_safe_ways_are_offered(
    asker: Chat, rolled: Town
) -> None:
    sent = asker.message(text=f"我叫某某，{LIN_YAN.number}，帮我查登记")
    out = await asker.feed(message=sent)
    assert out.deleted == [sent.message_id]
    assert out.texts[0].startswith("已为您删除含身份证号码的消息。请改用回执码或安全查询页。")
    assert out.buttons[:3] == WAYS
    assert LIN_YAN.number not in await everything(rolled)
    assert (await asker.taps(WAYS[0])).texts == ["请发送回执上的10位回执码，例如 K7M2-9QXD-4E。"]


@pytest.mark.parametrize(
    "form", ["我叫林䶮，身份证{n}，查一下", "林䶮 {n} 登记了没有", "我叫林䶮，身份证号码{n}"]
)
async def test_of_a_message_with_a_number_nothing_is_written_down(
    asker: Chat, rolled: Town, form: str
) -> None:
    sent = asker.message(text=form.format(n=NOBODYS))
    out = await asker.feed(message=sent)
    assert out.deleted == [sent.message_id]
    assert out.texts == ["已为您删除含身份证号码的消息。请改用回执码或安全查询页。\n号码没有保存。"]
    assert out.buttons == WAYS
    assert await rolled.rows(Enquiry) == []
    assert await rolled.tickets() == []
    assert "䶮" not in await everything(rolled)


async def test_another_question_beside_a_number_is_still_answered(asker: Chat) -> None:
    assert "K-0540" in (await asker.says(f"{NOBODYS}，{LOST}")).texts[-1]


@dataclass
class Administrators:
    """A group where we may not delete, with these administrators."""

    town: Town
    people: list[Any]

    def install(self) -> None:
        inner = self.town.session.make_request

        async def make_request(bot: Any, method: TelegramMethod[Any], timeout: int | None = None) -> Any:  # noqa: ASYNC109
            if isinstance(method, GetChatAdministrators):
                return self.people
            return await inner(bot, method, timeout)

        self.town.session.make_request = make_request  # type: ignore[method-assign]


def _admin(person: int, *, bot: bool = False) -> ChatMemberAdministrator:
    # Without the dozen rights that a real one has.
    user = User(id=person, is_bot=bot, first_name="群管")
    return ChatMemberAdministrator.model_construct(status=ChatMemberStatus.ADMINISTRATOR, user=user)


async def test_where_we_may_delete_in_a_group_we_do(rolled: Town) -> None:
    group = rolled.group()
    sent = group.message(text=f"{NOBODYS} 帮忙看看")
    out = await group.feed(message=sent)
    assert out.deleted == [sent.message_id]
    assert out.texts == [
        "已为您删除含身份证号码的消息，号码没有保存。\n请不要在群里发身份证号码，个人情况请私聊我。"
    ]


async def test_where_we_may_not_sender_and_administrator_are_asked(rolled: Town) -> None:
    owner = ChatMemberOwner(user=User(id=9, is_bot=False, first_name="群主"), is_anonymous=False)
    Administrators(rolled, [_admin(8, bot=True), _admin(7), owner]).install()
    group = rolled.group()
    chat = TelegramChat(id=GROUP, type="supergroup", title="临江<居民>群")
    rolled.fails(refused("message can't be deleted"))
    out = await group.says(f"{NOBODYS} 帮忙看看", chat=chat)
    note, said = out.messages
    assert (note.chat_id, note.text) == (
        9, "“临江&lt;居民&gt;群”群里有一条消息含身份证号码，我不能删除。请您删除，或给我删除消息的权限。",
    )  # fmt: skip
    assert said.chat_id == GROUP
    assert said.text.startswith("请不要在群里发身份证号码。我在本群不能删除消息，请您自己删除刚才那条。")
    assert said.text.endswith("我已私下告诉本群管理员。")

    rolled.fails(refused("message can't be deleted"))
    again = await group.says(f"{NOBODYS} 再看看", chat=chat)
    assert [message.chat_id for message in again.messages] == [GROUP], "told once in a while is enough"


@pytest.mark.parametrize("people", [[], [_admin(8, bot=True)], [_admin(7)]])
async def test_where_no_administrator_can_be_reached_that_is_said(rolled: Town, people: list[Any]) -> None:
    Administrators(rolled, people).install()
    rolled.fails(refused("not enough rights"), *[blocked for person in people if not person.user.is_bot])
    out = await rolled.group().says(f"{NOBODYS} 帮忙看看")
    assert out.text.endswith("我联系不上本群管理员，请您也告诉管理员一声。")


async def test_a_code_in_a_group_shows_nothing_there(rolled: Town) -> None:
    group = rolled.group()
    sent = group.message(text=f"@{USERNAME} {CODE} 登记了吗")
    out = await group.feed(message=sent)
    assert out.deleted == [sent.message_id]
    assert out.texts == ["已删除含回执码的消息。回执码请不要发在群里，请私聊我查询。"]
    rolled.fails(refused("message can't be deleted"))
    left = await group.says(f"@{USERNAME} {CODE}")
    assert left.text.startswith("请私聊我查询。我在本群不能删除消息，请您自己删除刚才那条回执码")
    assert await rolled.rows(LookupAct) == []
    assert LIN_YAN.receipt not in await traces(rolled, group)


# --- help under a result --------------------------------------------------------------------------------


async def test_help_is_a_case_with_the_class_and_the_digest_of_the_receipt(
    asker: Chat, rolled: Town, tmp_path: Path
) -> None:
    await asker.says(receipts.written(TAO_MIN.receipt))
    out = await asker.taps(HELP[0])
    ticket = await rolled.ticket()
    assert out.toast == ""
    assert out.text.startswith("已为您转给值班同志核实。\n")
    assert ticket.ticket_no in out.text
    assert ticket.kind is TicketKind.VERIFY
    assert ticket.lookup_result == LookupResult.NOT_FOUND
    key = KeyHolder(tmp_path / "roll.key").key()
    assert ticket.receipt_digest == key.receipt(TAO_MIN.receipt)
    state = rolled.dispatcher.fsm.get_context(rolled.bot, asker.where, asker.person)
    assert await state.get_data() == {}, "what was held is forgotten"
    assert "以选举委员会公告为准" in (await asker.taps("📄 要带的材料")).text


@pytest.mark.parametrize(
    ("label", "issue"),
    [
        ("名单上没有我", RollIssue.MISSING),
        ("我的信息写错了", RollIssue.WRONG),
        ("我登记了两次", RollIssue.DUPLICATE),
    ],
)
async def test_what_is_wrong_with_the_list_is_asked_first(
    asker: Chat, rolled: Town, label: str, issue: RollIssue
) -> None:
    await asker.says(CODE)
    asked = await asker.taps(HELP[1])
    assert asked.buttons == ["名单上没有我", "我的信息写错了", "我登记了两次"]
    assert await rolled.tickets() == []
    await asker.taps(label)
    ticket = await rolled.ticket()
    assert (ticket.kind, ticket.roll_issue) == (TicketKind.CORRECTION, issue)
    assert ticket.receipt_digest is not None
    again = await asker.taps(label)
    assert ticket.ticket_no in again.text
    assert len(await rolled.tickets()) == 1


async def test_an_appeal_before_the_list_is_posted_is_told_when(asker: Chat, rolled: Town) -> None:
    await asker.says(CODE)
    out = await asker.taps(HELP[2])
    assert "名单" in out.text
    assert out.buttons[0] == "📝 申诉材料清单"
    assert await rolled.tickets() == []
    assert "以选举委员会公告为准" in (await asker.taps("📝 申诉材料清单")).text


async def test_an_appeal_within_its_term_carries_the_clock_of_the_law(asker: Chat, rolled: Town) -> None:
    with at(rolled, datetime.fromisoformat("2026-12-11T10:00+08:00")):
        await asker.says(CODE)
        out = await asker.taps(HELP[2])
        ticket = await rolled.ticket()
    assert ticket.kind is TicketKind.APPEAL
    assert ticket.statutory_due is not None
    assert "申诉决定：最迟12月14日" in out.text


async def test_e39_a_digest_goes_with_no_other_result_and_not_for_ever(asker: Chat, rolled: Town) -> None:
    await asker.says(CODE)
    stranger = rolled.chat(777)
    stranger.shown = list(asker.shown)
    await stranger.taps(HELP[0])
    assert (await rolled.ticket()).receipt_digest is None, "a forwarded button acts for whoever taps"

    await asker.says(receipts.written(TAO_MIN.receipt))
    asker.shown = asker.shown[:4]
    await asker.taps(HELP[0])
    assert (await rolled.tickets())[1].receipt_digest is None, "an older result is another's perhaps"


async def test_half_an_hour_later_the_digest_is_not_used(asker: Chat, rolled: Town) -> None:
    await asker.says(CODE)
    rolled.later(minutes=31)
    await asker.taps(HELP[0])
    assert (await rolled.ticket()).receipt_digest is None


async def test_beside_the_way_to_object_stands_what_to_bring(asker: Chat, rolled: Town) -> None:
    async with rolled.store.transaction() as session:
        await an_entry(
            session, rolled.cast, rolled.now, "K-0620", topic="appeal", question="名单上没有我怎么办？",
            phrasings=("名单上没有我怎么办", "名单里找不到我", "选民名单漏了我"),
            short="先联系登记站核对更正。",
        )  # fmt: skip
    out = await asker.says("名单上没有我怎么办？")
    at_place = out.buttons.index("📝 申诉材料清单")
    assert out.buttons[at_place + 1] == "转人工·加急"
    assert "以选举委员会公告为准" in (await asker.taps("📝 申诉材料清单")).text


@pytest.mark.parametrize("data", ["1|doc|0|0|x", "1|wrg|0|9|x", "1|vfy|0|zz|", "1|obj|0|0|"])
async def test_forged_buttons_do_nothing_worse_than_others(asker: Chat, data: str) -> None:
    assert (await asker.taps_data(data)).toast is not None
