"""Group robots as channels: send-only sessions that sign each request and read what the platform says."""

from __future__ import annotations

import json
import logging
from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, ClassVar

import aiohttp
from aiogram import Bot
from aiogram.methods import GetMe, SendMessage, SendVenue, TelegramMethod
from aiogram.types import Chat, Message, User
from yarl import URL

from bot.channels import web, written
from bot.channels.caps import Caps
from bot.channels.degrade import degrade, read
from bot.channels.own import OwnSession
from office import robot_addresses, robots
from office.errors import DeskError
from office.outbox import Undeliverable
from office.robots import Credentials
from office.seal import Sealer
from office.store import Store

log = logging.getLogger(__name__)

ANSWERS_WITHIN = 10.0
# So long a mended robot may have to wait before what is due to it goes out.
LOOK_AGAIN = 60.0
OUT_OF_REACH = 30.0
LONGEST_ANSWER = 64 * 1024
# So many parts of deliveries are known to have gone: enough for all that may be under way.
REMEMBERED = 2000
# Both platforms that sign refuse what is more than an hour old, or comes from as far ahead.
CLOCK_OFF = timedelta(minutes=59)
MINUTE = 60.0
# An answer without a code; also the platforms' own for a failure of theirs. Nobody knows what became of it.
NO_CODE = -1


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the body of an answer means: sent, or one of the ways in which it was not.

    `wait` is in seconds; `gone`: the robot is no more; `halt`: why our set-up is refused, as `robots.halt`.
    """

    code: int
    sent: bool = False
    wait: float | None = None
    gone: bool = False
    halt: str = ""


@dataclass(frozen=True, slots=True)
class Codes:
    """The codes of a platform that mean something to us; `names` are where an answer may have its code.

    `wait`: for so long one is left alone that was sent to too often. `halts`: why our set-up is refused.
    """

    names: tuple[str, ...]
    too_often: frozenset[int]
    gone: frozenset[int]
    halts: Mapping[int, str]
    wait: float = MINUTE

    def judged(self, answer: Mapping[str, Any]) -> Verdict:
        """What an answer means; success is a code of 0."""
        found = (number(answer, name) for name in self.names)
        code = next((code for code in found if code is not None), NO_CODE)
        return Verdict(
            code,
            sent=code == 0,
            wait=self.wait if code in self.too_often else None,
            gone=code in self.gone,
            halt=self.halts.get(code, ""),
        )


class RobotSession(OwnSession):
    """Posts messages to the robots of one platform; the chat number is the contact's row number.

    `base` is another server in the place of the platform's, for tests: scheme and host.
    """

    codes: ClassVar[Codes]

    def __init__(
        self, caps: Caps, store: Store, sealer: Sealer, clock: Callable[[], datetime], *, base: str = ""
    ) -> None:
        super().__init__()
        self.caps = caps
        self._store = store
        self._sealer = sealer
        self._clock = clock
        self._base = base
        self._client: aiohttp.ClientSession | None = None
        self._gone: dict[str, None] = {}

    @abstractmethod
    def signed(
        self, credentials: Credentials, body: dict[str, Any], now: datetime
    ) -> tuple[str, dict[str, Any]]:
        """Address and body of a request, signed from the bare address for this moment."""

    def judged(self, answer: Mapping[str, Any]) -> Verdict:
        """What the platform's answer means."""
        return self.codes.judged(answer)

    async def make_request(
        self,
        bot: Bot,
        method: TelegramMethod[Any],
        timeout: int | None = None,  # noqa: ASYNC109  aiogram's signature
    ) -> Any:
        """Send a message, in parts if need be.

        Raises `Undeliverable`, and `NotImplementedError` for anything that a robot cannot do.
        """
        match method:
            case SendMessage() | SendVenue():
                last: Message | None = None
                for number, part in enumerate(degrade(method, self.caps)):
                    assert isinstance(part, SendMessage)
                    last = await self._once(part, number)
                return last
            case GetMe():
                return User(id=bot.id, is_bot=True, first_name="One Window", username=self.caps.channel)
        raise NotImplementedError(f"a group robot cannot do {type(method).__name__}")

    async def _once(self, part: SendMessage, number: int) -> Message:
        """Send a part, unless it went already when the rest of its delivery did not."""
        contact_id, key = int(part.chat_id), web.key()
        mark = f"{key}.{number}" if key else ""
        if mark not in self._gone:
            await self._send(contact_id, part)
        if mark:
            self._gone[mark] = None
            while len(self._gone) > REMEMBERED:
                del self._gone[next(iter(self._gone))]
        # The platforms give no number by which a message could be found again.
        chat = Chat(id=contact_id, type="group")
        return Message(message_id=0, date=self._clock(), chat=chat, text=part.text)

    async def _send(self, contact_id: int, message: SendMessage) -> None:
        credentials = await self._credentials(contact_id)
        content = self.caps.write(read(message))
        now = self._clock()
        address, body = self.signed(credentials, content.body, now)
        answer, theirs = await self._post(address, written.encoded(body))
        verdict = self.judged(answer)
        if verdict.sent:
            return
        reason = f"{self.caps.channel.value} refuses with {verdict.code}"
        if verdict.wait is not None:
            raise Undeliverable(reason, retry_after=verdict.wait)
        if verdict.gone:
            raise Undeliverable(reason, permanent=True)
        if verdict.halt:
            off = verdict.halt == "signature" and theirs is not None and abs(now - theirs) >= CLOCK_OFF
            raise await self._halted(contact_id, "clock" if off else verdict.halt)
        raise Undeliverable(reason, uncertain=verdict.code == NO_CODE)

    async def _credentials(self, contact_id: int) -> Credentials:
        async with self._store.reading() as session:
            robot = await robots.of_contact(session, contact_id)
        if robot is None:
            raise Undeliverable("the robot was removed", permanent=True)
        if robot.row.stopped_at is not None:
            raise self._stopped(robot.row.stopped_why)
        try:
            credentials = robots.opened(robot.row, self._sealer)
            # Looked at once more: nothing that got into the table by another way leads anywhere else.
            robot_addresses.checked(self.caps.channel, credentials.address)
        except DeskError:
            pass
        else:
            return credentials
        raise await self._halted(contact_id, "seal")

    async def _post(self, address: str, body: bytes) -> tuple[Mapping[str, Any], datetime | None]:
        """The platform's answer and its clock; the HTTP status says nothing, so it is not looked at."""
        if self._base:
            address = self._base + "/" + address.removeprefix("https://").partition("/")[2]
        headers = {"Content-Type": "application/json; charset=utf-8"}
        try:
            # As it is: otherwise the quoted signature would be made over.
            whole = URL(address, encoded=True)
            async with self._opened().post(
                whole, data=body, headers=headers, allow_redirects=False
            ) as response:
                content = await _whole(response)
                theirs = _moment(response.headers.get("Date", ""))
        except aiohttp.ClientConnectorError:
            failed = Undeliverable("out of reach", retry_after=OUT_OF_REACH)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            # Perhaps it was taken, so it counts as a try. Only the kind is told: the words have the address.
            failed = Undeliverable(type(error).__name__, uncertain=True)
        else:
            return _read(content), theirs
        raise failed

    async def _halted(self, contact_id: int, why: str) -> Undeliverable:
        async with self._store.transaction() as session:
            new = await robots.halt(session, contact_id, why, now=self._clock())
        if new:
            log.critical("the %s robot of contact %s stops: %s", self.caps.channel.value, contact_id, why)
        return self._stopped(why)

    def _stopped(self, why: str) -> Undeliverable:
        return Undeliverable(f"the robot has stopped: {why}", retry_after=LOOK_AGAIN)

    def _opened(self) -> aiohttp.ClientSession:
        if self._client is None or self._client.closed:
            self._client = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=ANSWERS_WITHIN), cookie_jar=aiohttp.DummyCookieJar()
            )
        return self._client

    async def close(self) -> None:
        """Let go of the connections."""
        if self._client is not None:
            await self._client.close()


def parts(bot: Bot | None, method: TelegramMethod[Any]) -> list[TelegramMethod[Any]]:
    """What of a method is one request each, so that each can be paced; itself where no robot is behind."""
    session = bot.session if bot else None
    return degrade(method, session.caps) if isinstance(session, RobotSession) else [method]


def number(answer: Mapping[str, Any], name: str) -> int | None:
    """A code of an answer; None where it has none."""
    found = answer.get(name)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def words(answer: Mapping[str, Any], name: str) -> str:
    """What an answer says, in small letters; for telling refusals apart, never to be written down."""
    found = answer.get(name)
    return found.lower() if isinstance(found, str) else ""


async def _whole(response: aiohttp.ClientResponse) -> bytes:
    found = b""
    async for chunk in response.content.iter_chunked(LONGEST_ANSWER):
        found += chunk
        if len(found) > LONGEST_ANSWER:
            break
    return found


def _read(content: bytes) -> Mapping[str, Any]:
    try:
        answer = json.loads(content)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise Undeliverable("an answer that is none of the platform's", uncertain=True)
    return answer


def _moment(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
