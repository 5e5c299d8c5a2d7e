"""A Bot API that misbehaves on purpose, and the servers of three kinds of group robots beside it.

Each chat has a plan: what happens to the first requests for it. Everything after that is accepted. What was
accepted, and when each request came in, is written down for `tests.servers.paces` to look at. It runs in a
thread of the tests, so that they can look into its books.
"""

from __future__ import annotations

import asyncio
import json
import random
import threading
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum, auto
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from tests.servers.ports import HOST

LONG = 30.0
"""Seconds after which a request that is left hanging is let go, if nobody has hung up before."""
LATE = 0.4
"""Seconds that a slow answer takes."""
HAPPENS_TWICE = 0.2
"""The share of the misbehaving chats in which it happens once more, otherwise."""


class Fault(StrEnum):
    """What can happen to a request. The message is there all the same for those of `ARRIVED`."""

    BUSY = auto()
    """429 with the time to wait."""
    BUSY_UNTOLD = auto()
    """429 without it."""
    BROKEN = auto()
    """500."""
    BROKEN_LATE = auto()
    """500, after having delivered."""
    HANGS = auto()
    """No answer, after having delivered."""
    CUT = auto()
    """The connection is dropped."""
    CUT_LATE = auto()
    """The connection is dropped, after having delivered."""
    SLOW = auto()
    """Delivered and answered late."""
    MOVED = auto()
    """400: the group has become a supergroup, under another number."""
    GONE = auto()
    """403: we were removed. This stays so."""


ARRIVED = frozenset({Fault.BROKEN_LATE, Fault.HANGS, Fault.CUT_LATE, Fault.SLOW})
# Of a hundred chats, how many meet it first.
SHARES: Mapping[Fault, int] = {
    Fault.BUSY: 2, Fault.BUSY_UNTOLD: 1, Fault.BROKEN: 2, Fault.BROKEN_LATE: 1, Fault.HANGS: 1, Fault.CUT: 2,
    Fault.CUT_LATE: 1, Fault.SLOW: 3, Fault.MOVED: 2, Fault.GONE: 2,
}  # fmt: skip
# What happens to the first requests for a robot; the rest is Telegram's own.
OF_ROBOTS = (Fault.CUT_LATE, Fault.SLOW, Fault.BROKEN_LATE)


def plans(chats: Iterable[str], seed: int, shares: Mapping[Fault, int] = SHARES) -> dict[str, list[Fault]]:
    """What happens to the first requests for each chat; the same for the same seed. Most get nothing."""
    found: dict[str, list[Fault]] = {}
    for chat in chats:
        dice = random.Random(f"{seed}:{chat}")
        if dice.random() * 100 >= sum(shares.values()):
            continue
        kinds, weights = list(shares), list(shares.values())
        count = 2 if dice.random() < HAPPENS_TWICE else 1
        found[chat] = dice.choices(kinds, weights, k=count)
        if Fault.GONE in found[chat]:
            found[chat] = found[chat][: found[chat].index(Fault.GONE) + 1]
    return found


@dataclass(frozen=True, slots=True)
class Request:
    """One request for a chat. `at` is when it came in, in seconds of `time.monotonic`."""

    chat: str
    text: str
    at: float
    fault: Fault | None
    accepted: bool


@dataclass(frozen=True, slots=True)
class Rest:
    """A chat asked, `at` some moment, to be left alone for so many seconds."""

    chat: str
    at: float
    seconds: float


@dataclass
class Books:
    """What has come in. A chat that has moved keeps the number under which it was first known."""

    requests: list[Request] = field(default_factory=list)
    rests: list[Rest] = field(default_factory=list)
    moved: dict[str, str] = field(default_factory=dict)

    def accepted(self, words: str = "") -> Counter[str]:
        """How often each chat got a message with these words in it."""
        return Counter(one.chat for one in self.requests if one.accepted and words in one.text)

    def met(self) -> Counter[Fault]:
        """How often each fault has happened."""
        return Counter(one.fault for one in self.requests if one.fault is not None)


Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class TelegramDouble:
    """The server. A 429 asks for at most `rest` seconds; a `plan` may also be made while it runs."""

    def __init__(self, plans: Mapping[str, Iterable[Fault]] | None = None, *, rest: float = 2) -> None:
        self.books = Books()
        self.base = ""
        self._plans = {chat: deque(faults) for chat, faults in (plans or {}).items()}
        self._gone: set[str] = set()
        self._first: dict[str, str] = {}
        self._dice = random.Random(7)
        self._rest = rest
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="telegram-double", daemon=True)
        self._runner: web.AppRunner | None = None
        self._closing = asyncio.Event()

    def plan(self, chat: str, *faults: Fault) -> None:
        """Let this happen to the next requests for a chat."""
        self._plans.setdefault(chat, deque()).extend(faults)

    def __enter__(self) -> Self:
        self._thread.start()
        self._done(self._open())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _done(self, work: Any) -> None:
        future: Future[None] = asyncio.run_coroutine_threadsafe(work, self._loop)
        future.result(20)

    async def _open(self) -> None:
        app = web.Application()
        app.router.add_post("/bot{token}/{method}", self._telegram)
        app.router.add_post("/cgi-bin/webhook/send", self._wecom)
        app.router.add_post("/robot/send", self._dingtalk)
        app.router.add_post("/open-apis/bot/v2/hook/{key}", self._feishu)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, 0, backlog=1024)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.base = f"http://{host}:{port}"

    async def _close(self) -> None:
        assert self._runner is not None
        self._closing.set()
        await self._runner.cleanup()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _hang(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(LONG):
                await self._closing.wait()

    # ---- Telegram ----

    async def _telegram(self, request: web.Request) -> web.StreamResponse:
        at = time.monotonic()
        form = {name: str(value) for name, value in (await request.post()).items()}
        method = request.match_info["method"]
        if method == "getMe":
            me = {"id": 1, "is_bot": True, "first_name": "一窗", "username": "one_window_bot"}
            return web.json_response({"ok": True, "result": me})
        if "chat_id" not in form:
            return web.json_response({"ok": True, "result": True})
        named = form["chat_id"]
        chat = self._first.get(named, named)
        known = self.books.moved.get(named)
        fault = Fault.MOVED if known else self._next(chat)
        match fault:
            case Fault.BUSY:
                seconds = self._dice.randint(1, max(1, round(self._rest)))
                self.books.rests.append(Rest(chat, time.monotonic(), seconds))
                answer = _refused(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)
            case Fault.BUSY_UNTOLD:
                answer = _refused(429, "Too Many Requests")
            case Fault.MOVED:
                new = known or f"-100{named.removeprefix('-').removeprefix('100')}9"
                self.books.moved[named], self._first[new] = new, chat
                words = "Bad Request: group chat was upgraded to a supergroup chat"
                answer = _refused(400, words, migrate_to_chat_id=int(new))
            case Fault.GONE:
                answer = _refused(403, "Forbidden: bot was kicked from the supergroup chat")
            case _:
                answer = web.json_response({"ok": True, "result": self._message(named, form)})
        return await self._answered(request, chat, form.get("text", ""), at, fault, answer)

    def _message(self, chat: str, form: Mapping[str, str]) -> dict[str, Any]:
        kind = "supergroup" if chat.startswith("-") else "private"
        place = {"id": int(chat), "type": kind, "title": "工作群"}
        number = len(self.books.requests) + 1
        return {"message_id": number, "date": int(time.time()), "chat": place, "text": form.get("text", "")}

    # ---- robots ----

    async def _wecom(self, request: web.Request) -> web.StreamResponse:
        return await self._robot(request, request.query["key"], {"errcode": 0, "errmsg": "ok"})

    async def _dingtalk(self, request: web.Request) -> web.StreamResponse:
        return await self._robot(request, request.query["access_token"], {"errcode": 0, "errmsg": "ok"})

    async def _feishu(self, request: web.Request) -> web.StreamResponse:
        return await self._robot(request, request.match_info["key"], {"code": 0, "msg": "success"})

    async def _robot(self, request: web.Request, key: str, good: Mapping[str, Any]) -> web.StreamResponse:
        at = time.monotonic()
        body = json.dumps(await request.json(), ensure_ascii=False)
        return await self._answered(request, key, body, at, self._next(key), web.json_response(good))

    # ---- both ----

    def _next(self, chat: str) -> Fault | None:
        if chat in self._gone:
            return Fault.GONE
        waiting = self._plans.get(chat)
        fault = waiting.popleft() if waiting else None
        if fault is Fault.GONE:
            self._gone.add(chat)
        return fault

    async def _answered(
        self, request: web.Request, chat: str, text: str, at: float, fault: Fault | None, answer: web.Response
    ) -> web.StreamResponse:
        accepted = fault is None or fault in ARRIVED
        self.books.requests.append(Request(chat, text, at, fault, accepted))
        match fault:
            case Fault.BROKEN | Fault.BROKEN_LATE:
                return _refused(500, "Internal Server Error")
            case Fault.CUT | Fault.CUT_LATE:
                if request.transport is not None:
                    request.transport.abort()
            case Fault.HANGS:
                await self._hang()
            case Fault.SLOW:
                await asyncio.sleep(LATE)
        return answer


def _refused(code: int, words: str, **parameters: int) -> web.Response:
    body: dict[str, Any] = {"ok": False, "error_code": code, "description": words}
    if parameters:
        body["parameters"] = parameters
    return web.json_response(body, status=code)
