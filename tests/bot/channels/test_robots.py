"""Group robots over HTTP: signed to the byte, each refusal understood, and no credential ever told."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from aiogram import Bot
from aiogram.exceptions import AiogramError
from aiogram.methods import EditMessageText, GetMe, LeaveChat, SendMessage, TelegramMethod
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup, Message
from aiohttp import web
from sqlalchemy import select, update

from bot.channels import robot_bots, telegram
from bot.channels import robots as sessions
from bot.channels import web as web_chat
from office import robots
from office.audit import AuditEntry
from office.contacts import Channel
from office.outbox import Undeliverable
from office.robots import GroupRobot, Robot
from office.seal import Sealer
from office.store import Store
from tests.make import Cast, Clock
from tests.servers.robots import DINGTALK, FEISHU, WECOM, Platforms, dingtalk_sign, feishu_sign

pytestmark = pytest.mark.parametrize("templates", ["sqlite"], indirect=True)

SEALER = Sealer(b"a secret of the tests")
# Plainly invented, and easy to find again where they must not be.
TOKENS = {
    Channel.WECOM_ROBOT: WECOM.token("invented-0001"),
    Channel.DINGTALK_ROBOT: DINGTALK.token("invented-0002"),
    Channel.FEISHU_ROBOT: FEISHU.token("invented-0003"),
}
SECRETS = {
    Channel.WECOM_ROBOT: "",
    Channel.DINGTALK_ROBOT: "SECinventedForTheTests0002",
    Channel.FEISHU_ROBOT: "inventedSecretOfFeishu0003",
}
FORMS = {Channel.WECOM_ROBOT: WECOM, Channel.DINGTALK_ROBOT: DINGTALK, Channel.FEISHU_ROBOT: FEISHU}
PLATFORMS = list(TOKENS)
IDS = [channel.value for channel in PLATFORMS]
LINK = InlineKeyboardMarkup(
    inline_keyboard=[[InlineKeyboardButton(text="已阅", url="https://desk.example/t/abc")]]
)


class Town:
    """Three groups of 临江街道 with a robot each, the platforms, and the bots that send there."""

    def __init__(self, store: Store, clock: Clock, platforms: Platforms) -> None:
        self.store = store
        self.clock = clock
        self.platforms = platforms
        self.robots: dict[Channel, Robot] = {}
        self.bots = robot_bots.make_bots(store, SEALER, clock, base=platforms.base)

    async def send(self, channel: Channel, text: str, **more: Any) -> Message:
        return await self.bots[channel](
            SendMessage(chat_id=self.robots[channel].contact.id, text=text, **more)
        )

    async def refused(self, channel: Channel, answer: Any) -> Undeliverable:
        self.platforms.refusing = [answer]
        with pytest.raises(Undeliverable) as caught:
            await self.send(channel, "第3期")
        return caught.value

    async def row(self, channel: Channel) -> GroupRobot:
        async with self.store.reading() as session:
            return await session.get_one(GroupRobot, self.robots[channel].row.id)

    async def mend(self, channel: Channel) -> None:
        async with self.store.transaction() as session:
            values = {"stopped_at": None, "stopped_why": "", "version": GroupRobot.version + 1}
            await session.execute(update(GroupRobot).values(values))


@pytest.fixture
async def town(store: Store, cast: Cast, now: datetime) -> AsyncIterator[Town]:
    secrets = {TOKENS[channel]: SECRETS[channel] for channel in PLATFORMS}
    async with Platforms(secrets, now=now.timestamp()) as platforms:
        made = Town(store, Clock(now), platforms)
        for channel in PLATFORMS:
            async with store.transaction() as session:
                address = FORMS[channel].format(TOKENS[channel])
                row = await robots.add(
                    session, cast.riverside, channel, f"{channel.value}群", address, SECRETS[channel],
                    sealer=SEALER, actor=cast.zhou_ning, now=now,
                )  # fmt: skip
                made.robots[channel] = await robots.get(session, row.id, actor=cast.zhou_ning)
        yield made
        for bot in made.bots.values():
            await bot.session.close()


async def test_requests_are_those_of_the_platforms_to_the_byte(town: Town, now: datetime) -> None:
    for _ in range(2):  # the second one is signed from the bare address as well
        town.clock.pass_by(timedelta(milliseconds=1500))
        town.platforms.sent.clear()
        for channel in PLATFORMS:
            answer = await town.send(channel, "<b>第3期</b>\n a&lt;b 😀", reply_markup=LINK)
            assert (answer.message_id, answer.chat.id) == (0, town.robots[channel].contact.id)
        wecom, ding, fei = town.platforms.sent
        at = town.clock.now.timestamp()
        assert wecom.path == f"/cgi-bin/webhook/send?key={TOKENS[Channel.WECOM_ROBOT]}"
        said = "第3期\\n a<b 😀\\n\\n已阅：https://desk.example/t/abc"
        assert wecom.raw.decode() == '{"msgtype":"text","text":{"content":"' + said + '"}}'
        ms = int(at * 1000)
        sign = dingtalk_sign(str(ms), SECRETS[Channel.DINGTALK_ROBOT])
        sign = sign.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
        assert ding.path == (
            f"/robot/send?access_token={TOKENS[Channel.DINGTALK_ROBOT]}&timestamp={ms}&sign={sign}"
        )
        assert ding.raw.decode() == '{"msgtype":"text","text":{"content":"' + said + '"}}'
        assert fei.path == f"/open-apis/bot/v2/hook/{TOKENS[Channel.FEISHU_ROBOT]}"
        sign = feishu_sign(str(int(at)), SECRETS[Channel.FEISHU_ROBOT])
        assert fei.raw.decode() == (
            f'{{"timestamp":"{int(at)}","sign":"{sign}","msg_type":"post","content":{{"post":{{"zh_cn":'
            '{"title":"第3期","content":[[{"tag":"text","text":" a<b 😀"}],[{"tag":"text","text":" "}],'
            '[{"tag":"a","text":"已阅","href":"https://desk.example/t/abc"}]]}}}}'
        )
        assert all(one.ok for one in town.platforms.sent)


@pytest.mark.parametrize("channel", PLATFORMS, ids=IDS)
async def test_long_texts_arrive_whole_and_no_part_is_refused(town: Town, channel: Channel) -> None:
    text = "\n\n".join(f"{number}*<登记>&_[{'选民' * 300}]😀" for number in range(14))
    await town.bots[channel](
        SendMessage(
            chat_id=town.robots[channel].contact.id, text=text, parse_mode=None, reply_markup=LINK
        )
    )  # fmt: skip
    sent = town.platforms.sent
    assert len(sent) > 1
    assert all(one.ok for one in sent)
    whole = "".join(json.dumps(one.body, ensure_ascii=False) for one in sent)
    assert [whole.count(f"{number}*<登记>&_[") > 0 for number in range(14)] == [True] * 14
    assert whole.count("选民") == 14 * 300
    assert f"({len(sent)}/{len(sent)})" in whole
    method = SendMessage(chat_id=town.robots[channel].contact.id, text=text, parse_mode=None)
    assert len(sessions.parts(town.bots[channel], method)) >= len(sent) - 1
    other: list[Bot] = [web_chat.make_bot(town.store, town.clock), telegram.make_bot("42:invented")]
    assert [sessions.parts(bot, method) for bot in other] == [[method], [method]]


W, D, F = PLATFORMS
CODES = [
    (W, {"errcode": 45009}, 60.0, False, ""),
    (W, {"errcode": 45033}, 60.0, False, ""),
    (W, {"errcode": 93000}, None, True, ""),
    (W, {"errcode": 93008}, None, True, ""),
    (W, {"errcode": 93004}, 60.0, False, "disabled"),
    (W, {"errcode": 40058}, None, False, ""),
    (W, {"errcode": -1}, None, False, ""),
    *[(D, {"errcode": code}, 600.0, False, "") for code in (130101, 302033, 410100)],
    *[(D, {"errcode": code}, None, True, "") for code in (300001, 300005, 400013, 400101, 400106)],
    (D, {"errcode": 400102}, 60.0, False, "disabled"),
    (D, {"errcode": 310000, "errmsg": "keywords not in content"}, 60.0, False, "keyword"),
    (D, {"errcode": 310000, "errmsg": "ip 192.0.2.1 not in whitelist"}, 60.0, False, "network"),
    (D, {"errcode": 310000, "errmsg": "invalid timestamp"}, 60.0, False, "signature"),
    (D, {"errcode": 310000, "errmsg": "sign not match"}, 60.0, False, "signature"),
    (D, {"errcode": 310000}, 60.0, False, "signature"),
    (D, {"errcode": 460101}, None, False, ""),
    (D, {"errcode": 430102}, None, False, ""),
    (F, {"code": 11232}, 60.0, False, ""),
    (F, {"code": 99991400}, 60.0, False, ""),
    (F, {"code": 19001}, None, True, ""),
    (F, {"code": 19021}, 60.0, False, "signature"),
    (F, {"code": 19022}, 60.0, False, "network"),
    (F, {"code": 19024}, 60.0, False, "keyword"),
    (F, {"code": 9499, "msg": "Bad Request"}, None, False, ""),
    *[(channel, {"code": "0", "errcode": True}, None, False, "") for channel in PLATFORMS],
]  # fmt: skip


async def test_each_code_means_what_it_should(town: Town) -> None:
    for channel, answer, wait, gone, why in CODES:
        error = await town.refused(channel, answer)
        assert (error.retry_after, error.permanent) == (wait, gone), answer
        assert (await town.row(channel)).stopped_why == why, answer
        await town.mend(channel)
    await town.refused(Channel.FEISHU_ROBOT, {"code": 1, "StatusCode": 0})
    town.platforms.refusing = [{"StatusCode": 0, "StatusMessage": "success"}]
    assert (await town.send(Channel.FEISHU_ROBOT, "older form")).text == "older form"


async def test_a_wrong_set_up_stops_the_robot_until_it_is_mended(
    town: Town, cast: Cast, caplog: pytest.LogCaptureFixture
) -> None:
    town.platforms.secrets[TOKENS[Channel.DINGTALK_ROBOT]] = "SECanotherOneAltogether"
    with pytest.raises(Undeliverable) as caught:
        await town.send(Channel.DINGTALK_ROBOT, "第3期")
    assert caught.value.retry_after == sessions.LOOK_AGAIN
    assert [record.levelno for record in caplog.records] == [logging.CRITICAL]
    with pytest.raises(Undeliverable, match="signature"):
        await town.send(Channel.DINGTALK_ROBOT, "第4期")
    assert len(town.platforms.sent) == 1, "a stopped robot is left alone"
    town.platforms.secrets[TOKENS[Channel.DINGTALK_ROBOT]] = SECRETS[Channel.DINGTALK_ROBOT]
    await town.mend(Channel.DINGTALK_ROBOT)
    assert (await town.send(Channel.DINGTALK_ROBOT, "第4期")).message_id == 0

    town.clock.pass_by(timedelta(hours=2))
    for channel in (Channel.DINGTALK_ROBOT, Channel.FEISHU_ROBOT):
        with pytest.raises(Undeliverable, match="clock"):
            await town.send(channel, "第5期")


async def test_what_is_no_answer_may_have_arrived_and_what_never_left_has_not(town: Town) -> None:
    for nothing in ("", "<html>502</html>", "[]", "null", "x" * 200_000):
        error = await town.refused(Channel.WECOM_ROBOT, nothing)
        assert (error.retry_after, error.permanent, error.uncertain) == (None, False, True)
    elsewhere = web.Response(status=302, headers={"Location": "http://192.0.2.1/"})
    assert (await town.refused(Channel.WECOM_ROBOT, elsewhere)).uncertain, "a redirect is not followed"
    gone = robot_bots.make_bots(town.store, SEALER, town.clock, base="http://127.0.0.1:9")
    with pytest.raises(Undeliverable) as caught:
        await gone[Channel.WECOM_ROBOT](SendMessage(chat_id=town.robots[W].contact.id, text="x"))
    assert (caught.value.retry_after, caught.value.uncertain) == (sessions.OUT_OF_REACH, False)
    await gone[Channel.WECOM_ROBOT].session.close()


async def test_a_robot_can_send_and_nothing_else(town: Town, cast: Cast, now: datetime) -> None:
    numbers = {bot.id for bot in town.bots.values()}
    assert len(numbers | {web_chat.make_bot(town.store, town.clock).id}) == 4, "their conversations differ"
    for channel, bot in town.bots.items():
        assert (await bot(GetMe())).username == channel.value
        unable: list[TelegramMethod[Any]] = [EditMessageText(chat_id=1, message_id=1, text="x")]
        for method in (*unable, LeaveChat(chat_id=1)):
            with pytest.raises(NotImplementedError):
                await bot(method)
        with pytest.raises(NotImplementedError):
            await anext(bot.session.stream_content("x"))
        async with town.store.transaction() as session:
            robot = await robots.get(session, town.robots[channel].row.id, actor=cast.zhou_ning)
            await robots.remove(session, robot.row.id, seen=robot.version, actor=cast.zhou_ning, now=now)
        with pytest.raises(Undeliverable) as caught:
            await town.send(channel, "x")
        assert caught.value.permanent
    assert town.platforms.sent == []


async def test_another_secret_of_the_installation_or_a_planted_address_stops_it(town: Town) -> None:
    other = robot_bots.make_bots(town.store, Sealer(b"another"), town.clock, base=town.platforms.base)
    async with town.store.transaction() as session:
        row = await session.get_one(GroupRobot, town.robots[F].row.id)
        row.sealed_address = SEALER.seal("http://192.0.2.1/open-apis/bot/v2/hook/planted-here") or b""
    for bot, channel in ((other[W], W), (town.bots[F], F)):
        with pytest.raises(Undeliverable, match="seal"):
            await bot(SendMessage(chat_id=town.robots[channel].contact.id, text="x"))
    assert town.platforms.sent == []


async def test_neither_address_nor_secret_is_told_anywhere(
    town: Town, cast: Cast, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("aiosqlite").setLevel(logging.INFO)
    told: list[str] = []
    answers: list[Any] = ["nonsense", {"errcode": 310000, "errmsg": FORMS[D].format(TOKENS[D])}, None]
    town.platforms.refusing = answers[:]
    for channel in (*PLATFORMS, *PLATFORMS):
        try:
            await town.send(channel, "第3期")
        except (Undeliverable, AiogramError) as error:
            logging.getLogger("a test").exception("refused")
            told += [repr(error), str(error)]
    gone = robot_bots.make_bots(town.store, SEALER, town.clock, base="http://127.0.0.1:9")
    for channel, bot in gone.items():
        with pytest.raises(Undeliverable) as caught:
            await bot(SendMessage(chat_id=town.robots[channel].contact.id, text="x"))
        logging.getLogger("a test").error("unreachable", exc_info=caught.value)
        told += [repr(caught.value), repr(bot), repr(bot.session), repr(vars(bot.session))]
        await bot.session.close()
    async with town.store.reading() as session:
        for robot in await robots.listed(session, "."):
            told += [
                repr(robot),
                str(robot.row),
                repr(robots.opened(robot.row, SEALER)),
                repr(vars(robot.row)),
            ]
        entries = (await session.scalars(select(AuditEntry))).all()
        told += [f"{entry.action} {entry.subject} {entry.facts} {entry.actor_name}" for entry in entries]
    told += [caplog.text]
    everything = "\n".join(told)
    assert "unreachable" in everything
    assert "group_robot.halt" in everything
    for word in (*TOKENS.values(), *filter(None, SECRETS.values())):
        assert word not in everything
