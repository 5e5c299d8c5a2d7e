"""Questions on Telegram by long polling, in private and in a group, against telegram-test-api.

That server's `getMe` is incomplete, so the bot is told its own name; buttons cannot be tapped there.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from aiogram.types import User
from sqlalchemy import func, select

from bot import app, demo, migrate, receiving
from bot.app import Machine
from bot.settings import Settings
from office.contacts import Channel
from tests.servers.telegram_test_api import Client, group, private
from ticketing.ledgers import Enquiry

NAME = "one_window_bot"


@dataclass
class Town:
    """The program, polling, and the people who write to it."""

    machine: Machine
    people: Client


@pytest.fixture(scope="module")
async def town(telegram_test_api: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    token = "100094:polling-journey"
    settings = Settings(
        _env_file=None,
        data_dir=tmp_path_factory.mktemp("polling"),
        telegram_token=token,
        telegram_api_url=telegram_test_api,
    )
    machine = app.build(settings)
    store = machine.desk.store
    bot = machine.bots[Channel.TELEGRAM]
    bot._me = User(id=bot.id, is_bot=True, first_name="一窗", username=NAME)
    await migrate.upgrade(store)
    await demo.load(store, now=machine.desk.clock())
    assert machine.intake
    task = asyncio.create_task(
        receiving.receive(machine.intake, bot, store, public_url=None, secret=settings.telegram_secret)
    )
    async with Client(telegram_test_api, token) as people:
        yield Town(machine, people)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await machine.close()


async def test_a_private_question_is_answered(town: Town) -> None:
    chat = private(9401)
    await town.people.send_message("怎么登记？", chat=chat, person_id=9401)
    answer = await town.people.wait(9401)
    assert "【" in answer["text"]
    assert "K-0" in answer["text"]
    assert "没解决" in str(answer["reply_markup"])


async def test_a_command_in_private_opens_the_first_screen(town: Town) -> None:
    await town.people.send_command("/start", chat=private(9402), person_id=9402)
    greeting = await town.people.wait(9402)
    assert "inline_keyboard" in str(greeting["reply_markup"])


async def test_a_group_is_answered_by_command_and_by_name_and_else_left_alone(town: Town) -> None:
    chat = group(-100_9403)
    await town.people.send_message("怎么登记？", chat=chat, person_id=9403)
    await town.people.send_command("/ask 怎么登记？", chat=chat, person_id=9403)
    by_command = await town.people.wait(chat["id"])
    assert "K-0" in by_command["text"]
    # Nobody has bound the group: that is said once.
    assert "/bind" in (await town.people.wait(chat["id"]))["text"]
    await town.people.send_message(f"@{NAME} 怎么登记？", chat=chat, person_id=9403)
    by_name = await town.people.wait(chat["id"])
    assert by_name["text"] == by_command["text"]
    with pytest.raises(TimeoutError):
        await town.people.wait(chat["id"], seconds=0.5)


async def test_something_personal_in_a_group_is_led_away(town: Town) -> None:
    chat = group(-100_9404)
    await town.people.send_command("/ask 我妈的身份证是11010519491231002X登记了吗", chat=chat, person_id=9404)
    reply = await town.people.wait(chat["id"])
    assert "身份证号码" in reply["text"]
    everything = str(reply) + str(await town.people.get_updates(chat["id"]))
    assert "11010519491231002" not in everything
    assert "K-0" not in everything


async def test_every_question_is_answered_once_over_a_restart_of_the_polling(town: Town) -> None:
    """Ten people write while nobody polls with this offset yet; all are answered, each once."""
    people = range(9410, 9420)
    for person in people:
        await town.people.send_message("怎么登记？", chat=private(person), person_id=person)
    answers = await asyncio.gather(*(town.people.wait(person, seconds=60) for person in people))
    assert all("K-0" in answer["text"] for answer in answers)
    async with town.machine.desk.store.reading() as session:
        asked = await session.scalar(
            select(func.count()).select_from(Enquiry).where(Enquiry.channel == Channel.TELEGRAM)
        )
    for person in people:
        with pytest.raises(TimeoutError):
            await town.people.wait(person, seconds=0.05)
    assert asked is not None
    assert asked >= len(people)
