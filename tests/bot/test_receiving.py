"""Telegram's updates: none is acknowledged and lost, none holds up the rest for ever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from aiogram import Bot
from aiogram.exceptions import TelegramConflictError, TelegramNetworkError, TelegramServerError
from aiogram.methods import DeleteWebhook, GetUpdates, SendMessage, SetMyCommands, SetWebhook, TelegramMethod
from aiogram.types import Chat, Message, Update, User
from sqlalchemy import func, select

from bot import app, receiving
from bot.app import Machine
from bot.channels import telegram
from bot.receiving import Intake, Polling
from bot.settings import Settings
from office.contacts import Channel, InboundEvent
from office.store import Store
from tests.bot.conftest import ADDRESS
from tests.bot.town import Town
from tests.make import Cast, an_entry
from ticketing.ledgers import Enquiry

SECRET = "a-secret-of-the-tests"
TOKEN = "100008:receiving"
HEADER = "X-Telegram-Bot-Api-Secret-Token"


class BotApi(Town):
    """A Bot API that hands out updates until they are acknowledged, as Telegram does."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[Update] = []
        self.failures: list[Exception] = []
        self.calls: list[TelegramMethod[Any]] = []
        self.emptied = asyncio.Event()

    async def make_request(
        self,
        bot: Bot,
        method: TelegramMethod[Any],
        timeout: int | None = None,  # noqa: ASYNC109  aiogram's signature
    ) -> Any:
        self.calls.append(method)
        if isinstance(method, SendMessage):
            return await super().make_request(bot, method, timeout)
        if self.failures:
            raise self.failures.pop(0)
        if isinstance(method, GetUpdates):
            self.waiting = [u for u in self.waiting if u.update_id >= (method.offset or 0)]
            if not self.waiting:
                self.emptied.set()
                await asyncio.sleep(3600)
            return self.waiting[: method.limit]
        return True


def an_update(number: int, text: str = "选民证丢了怎么办？", chat: int = 5001) -> Update:
    person = User(id=chat, is_bot=False, first_name="张敏")
    message = Message(
        message_id=number, date=datetime.now(UTC), chat=Chat(id=chat, type="private"), from_user=person,
        text=text,
    )  # fmt: skip
    return Update(update_id=number, message=message)


@pytest.fixture
def api() -> BotApi:
    return BotApi()


@pytest.fixture
async def machine(store: Store, cast: Cast, now: datetime, bare: Any, api: BotApi) -> AsyncIterator[Machine]:
    """The machine with a Telegram bot that talks to `api`, reached by a webhook."""
    async with store.transaction() as session:
        await an_entry(session, cast, now)
    settings = Settings(
        database_url=store.url, data_dir=bare / "data", telegram_token=TOKEN, webhook_secret=SECRET,
        public_url="https://desk.example",
    )  # fmt: skip
    made = app.build(settings, clock=lambda: now)
    bot = made.bots[Channel.TELEGRAM]
    await bot.session.close()
    bot.session = api
    yield made
    await made.close()


@pytest.fixture
async def client(machine: Machine) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=app.application(machine))
    async with httpx.AsyncClient(transport=transport, base_url=ADDRESS) as made:
        yield made


async def count(machine: Machine, table: type) -> int:
    async with machine.desk.store.reading() as session:
        return await session.scalar(select(func.count()).select_from(table)) or 0


def break_database(machine: Machine) -> Callable[[], None]:
    """Let every session fail as when the database went away; returns what mends it."""

    def gone() -> Any:
        raise ConnectionRefusedError("nobody listens")

    store: Any = machine.desk.store
    real = store._writing, store._reading
    store._writing = store._reading = gone

    def mend() -> None:
        store._writing, store._reading = real

    return mend


@pytest.mark.parametrize(
    "headers",
    [{}, {HEADER: "wrong"}, {HEADER: SECRET[:-1]}, {HEADER: SECRET + "x"}, {HEADER: "秘密".encode()}],
)
async def test_the_webhook_refuses_before_it_reads(
    machine: Machine, client: httpx.AsyncClient, headers: dict[Any, Any]
) -> None:
    response = await client.post(receiving.PATH, content=b"not json", headers=headers)
    assert response.status_code == 403
    assert await count(machine, InboundEvent) == 0


@pytest.mark.parametrize(
    ("body", "status"), [(b"{", 400), (b"{}", 400), (b"x" * (receiving.LARGEST_UPDATE + 1), 413)]
)
async def test_the_webhook_refuses_what_is_no_update(
    client: httpx.AsyncClient, body: bytes, status: int
) -> None:
    response = await client.post(receiving.PATH, content=body, headers={HEADER: SECRET})
    assert response.status_code == status


async def test_a_question_by_webhook_is_answered_once(
    machine: Machine, client: httpx.AsyncClient, api: BotApi
) -> None:
    body = an_update(7).model_dump_json(exclude_none=True)
    for _ in range(2):
        response = await client.post(receiving.PATH, content=body, headers={HEADER: SECRET})
        assert (response.status_code, response.content) == (200, b"")
    assert [chat for chat, _ in api.sent] == [5001]
    assert "请尽快联系发证的登记站核对" in api.sent[0][1]
    assert await count(machine, Enquiry) == 1


async def test_the_webhook_answers_503_while_the_database_is_away(
    machine: Machine, client: httpx.AsyncClient, api: BotApi
) -> None:
    mend = break_database(machine)
    body = an_update(7).model_dump_json(exclude_none=True)
    for _ in range(receiving.TRIES + 2):
        response = await client.post(receiving.PATH, content=body, headers={HEADER: SECRET})
        assert response.status_code == 503
    mend()
    response = await client.post(receiving.PATH, content=body, headers={HEADER: SECRET})
    assert response.status_code == 200
    assert await count(machine, Enquiry) == 1


class Failing:
    """A dispatcher that fails so many times for each update, then takes it."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.tried: list[int] = []

    async def feed_update(self, bot: Bot, update: Update, **data: Any) -> None:
        self.tried.append(update.update_id)
        if self.tried.count(update.update_id) <= self.times:
            raise RuntimeError("broken")


async def test_an_update_that_always_fails_is_given_up(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    failing = Failing(times=99)
    assert machine.telegram
    intake = Intake(failing, machine.telegram, machine.desk.store)  # type: ignore[arg-type]
    taken = [await intake.take(an_update(7)) for _ in range(receiving.TRIES)]
    assert taken == [False] * (receiving.TRIES - 1) + [True]
    assert "given up" in caplog.text


async def run_until_empty(polling: Polling, api: BotApi) -> None:
    running = asyncio.create_task(polling.run())
    try:
        async with asyncio.timeout(60):
            await api.emptied.wait()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_polling_acknowledges_only_what_was_handled(machine: Machine, api: BotApi) -> None:
    """The database goes away in the middle: polling waits, longer and longer, and loses nothing."""
    pauses: list[float] = []
    store = machine.desk.store
    mend = break_database(machine)

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        assert not [call for call in api.calls if isinstance(call, GetUpdates)]
        if len(pauses) == 8:
            mend()

    api.waiting = [an_update(number, chat=5000 + number) for number in range(1, 61)]
    assert machine.intake
    assert machine.telegram
    await run_until_empty(Polling(machine.intake, machine.telegram, store, sleep), api)
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    assert await count(machine, Enquiry) == 60
    assert len(api.sent) == 60
    offsets = [call.offset for call in api.calls if isinstance(call, GetUpdates)]
    assert offsets == [None, 51, 61]


async def test_polling_tries_the_failed_ones_again_and_keeps_each_chat_s_order(machine: Machine) -> None:
    failing = Failing(times=1)
    assert machine.telegram
    intake = Intake(failing, machine.telegram, machine.desk.store)  # type: ignore[arg-type]

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(0)

    polling = Polling(intake, machine.telegram, machine.desk.store, sleep)
    await polling.handle([an_update(1, chat=1), an_update(2, chat=2), an_update(3, chat=1)])
    of_first = [number for number in failing.tried if number in (1, 3)]
    assert of_first == [1, 1, 3, 3]
    assert polling._offset == 4


async def test_polling_survives_a_telegram_that_is_away(machine: Machine, api: BotApi) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    method = GetUpdates()
    api.failures = [TelegramNetworkError(method, "x"), TelegramServerError(method, "x")]
    api.waiting = [an_update(1)]
    assert machine.intake
    assert machine.telegram
    await run_until_empty(Polling(machine.intake, machine.telegram, machine.desk.store, sleep), api)
    assert pauses == [1, 2]
    assert len(api.sent) == 1


async def test_a_second_poller_stops_with_an_alarm(
    machine: Machine, api: BotApi, caplog: pytest.LogCaptureFixture
) -> None:
    api.failures = [TelegramConflictError(GetUpdates(), "terminated by other getUpdates request")]
    assert machine.intake
    assert machine.telegram
    async with asyncio.timeout(60):
        await Polling(machine.intake, machine.telegram, machine.desk.store).run()
    assert [record.levelname for record in caplog.records] == ["CRITICAL"]


async def test_switching_to_polling_takes_the_webhook_back_and_drops_nothing(
    machine: Machine, api: BotApi
) -> None:
    assert machine.intake
    assert machine.telegram
    running = asyncio.create_task(
        receiving.receive(
            machine.intake, machine.telegram, machine.desk.store, public_url=None, secret=lambda: SECRET
        )
    )
    async with asyncio.timeout(60):
        await api.emptied.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    kinds = [type(call) for call in api.calls]
    assert kinds.index(DeleteWebhook) < kinds.index(GetUpdates)
    (taken_back,) = [call for call in api.calls if isinstance(call, DeleteWebhook)]
    assert not taken_back.drop_pending_updates
    (poll,) = [call for call in api.calls if isinstance(call, GetUpdates)]
    assert poll.allowed_updates == list(telegram.ALLOWED_UPDATES)


async def test_menus_that_cannot_be_set_and_a_late_telegram_do_no_harm(
    machine: Machine, api: BotApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    trouble = TelegramNetworkError(SetMyCommands(commands=[]), "x")
    api.failures = [trouble, trouble, trouble]

    async def no_wait(seconds: float) -> None:
        return None

    monkeypatch.setattr(receiving.asyncio, "sleep", no_wait)
    assert machine.intake
    assert machine.telegram
    await receiving.receive(
        machine.intake, machine.telegram, machine.desk.store, public_url="https://desk.example/",
        secret=lambda: SECRET,
    )  # fmt: skip
    hook = [call for call in api.calls if isinstance(call, SetWebhook)][-1]
    assert (hook.url, hook.secret_token) == ("https://desk.example" + receiving.PATH, SECRET)
    assert not hook.drop_pending_updates


async def test_updates_in_hand_are_answered_when_the_program_stops(machine: Machine, api: BotApi) -> None:
    assert machine.intake
    asking = asyncio.create_task(machine.intake.take(an_update(7)))
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await machine.intake.finish(5)
    assert len(api.sent) == 1
