"""The platforms of group robots in one server, which looks at what it is sent as strictly as they do.

Signatures are made the way the platforms' own published examples do it, and not with our code.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import urllib.parse
from dataclasses import dataclass, field
from email.utils import formatdate
from types import TracebackType
from typing import Any, Self

from aiohttp import web

from tests.servers.ports import HOST

HOUR = 3600


@dataclass(frozen=True, slots=True)
class Form:
    """What the addresses of a platform look like; `zeros` is a token of it that nobody has."""

    start: str
    zeros: str

    def token(self, name: str) -> str:
        """A plainly invented token, another one for each name; it ends with the four digits of the name."""
        own = hashlib.sha256(name.encode()).hexdigest()[:8] + name.rpartition("-")[2].zfill(4)[-4:]
        return self.zeros[: -len(own)] + own

    def format(self, name: str) -> str:
        """The address with this token, or with the token of this name."""
        return self.start + (name if len(name) == len(self.zeros) else self.token(name))


WECOM = Form("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=", "00000000-0000-4000-8000-000000000000")
DINGTALK = Form("https://oapi.dingtalk.com/robot/send?access_token=", "0" * 64)
FEISHU = Form("https://open.feishu.cn/open-apis/bot/v2/hook/", "00000000-0000-4000-8000-000000000000")


def dingtalk_sign(timestamp: str, secret: str) -> str:
    """As in DingTalk's example for Python 3, before it is quoted."""
    secret_enc = secret.encode("utf-8")
    string_to_sign = f"{timestamp}\n{secret}"
    string_to_sign_enc = string_to_sign.encode("utf-8")
    hmac_code = hmac.new(secret_enc, string_to_sign_enc, digestmod=hashlib.sha256).digest()
    return base64.b64encode(hmac_code).decode("utf-8")


def feishu_sign(timestamp: str, secret: str) -> str:
    """As in Feishu's example for Python 3."""
    string_to_sign = f"{timestamp}\n{secret}"
    hmac_code = hmac.new(string_to_sign.encode("utf-8"), digestmod=hashlib.sha256).digest()
    return base64.b64encode(hmac_code).decode("utf-8")


@dataclass
class Sent:
    """One request as it came: raw address, raw body, what was answered, and when, in seconds."""

    path: str
    raw: bytes
    answer: dict[str, Any]
    at: float = 0.0

    @property
    def body(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.raw)
        return found

    @property
    def ok(self) -> bool:
        return self.answer.get("errcode", self.answer.get("code")) == 0


@dataclass
class Platforms:
    """Knows tokens and their secrets; `refusing` holds answers that the next requests get instead."""

    secrets: dict[str, str] = field(default_factory=dict)
    sent: list[Sent] = field(default_factory=list)
    refusing: list[Any] = field(default_factory=list)
    now: float | None = None
    base: str = ""
    _runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/cgi-bin/webhook/send", self._wecom)
        app.router.add_post("/robot/send", self._dingtalk)
        app.router.add_post("/open-apis/bot/v2/hook/{token}", self._feishu)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, HOST, 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.base = f"http://{HOST}:{port}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def _clock(self) -> float:
        return time.time() if self.now is None else self.now

    async def _wecom(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        if request.query.get("key") not in self.secrets:
            return self._answer(request, raw, {"errcode": 93000, "errmsg": "invalid webhook url"})
        body = json.loads(raw)
        limit = {"text": 2048, "markdown": 4096}[body["msgtype"]]
        if len(body[body["msgtype"]]["content"].encode()) > limit:
            return self._answer(request, raw, {"errcode": 40058, "errmsg": "content exceed max length"})
        return self._answer(request, raw, {"errcode": 0, "errmsg": "ok"})

    async def _dingtalk(self, request: web.Request) -> web.StreamResponse:
        raw, query = await request.read(), request.query
        secret = self.secrets.get(query.get("access_token", ""))
        if secret is None:
            return self._answer(request, raw, {"errcode": 300005, "errmsg": "token is not exist"})
        if len(raw) > 20_000:
            text = "message too long, exceed 20000 bytes"
            return self._answer(request, raw, {"errcode": 460101, "errmsg": text})
        at = query.get("timestamp", "0")
        if abs(self._clock() - int(at) / 1000) > HOUR:
            return self._answer(request, raw, {"errcode": 310000, "errmsg": "invalid timestamp"})
        asked = urllib.parse.parse_qs(request.rel_url.raw_query_string)
        if asked.get("sign") != [dingtalk_sign(at, secret)]:
            return self._answer(request, raw, {"errcode": 310000, "errmsg": "sign not match"})
        kind = json.loads(raw)
        assert kind[kind["msgtype"]]
        return self._answer(request, raw, {"errcode": 0, "errmsg": "ok"})

    async def _feishu(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        secret = self.secrets.get(request.match_info["token"])
        if secret is None:
            text = "param invalid: incoming webhook access token invalid"
            return self._answer(request, raw, {"code": 19001, "data": {}, "msg": text})
        body = json.loads(raw)
        if len(raw) > 20 * 1024 or body.get("msg_type") != "post":
            return self._answer(request, raw, {"code": 9499, "data": {}, "msg": "Bad Request"})
        late = abs(self._clock() - int(body.get("timestamp", 0))) > HOUR
        if late or body.get("sign") != feishu_sign(str(body.get("timestamp")), secret):
            text = "sign match fail or timestamp is not within one hour from current time"
            return self._answer(request, raw, {"code": 19021, "data": {}, "msg": text})
        return self._answer(request, raw, {"code": 0, "data": {}, "msg": "success"})

    def _answer(self, request: web.Request, raw: bytes, answer: dict[str, Any]) -> web.StreamResponse:
        # The status is 200 whatever is said, as with two of the three.
        headers = {"Date": formatdate(self._clock(), usegmt=True)}
        text = None
        if self.refusing:
            refusal = self.refusing.pop(0)
            if isinstance(refusal, web.StreamResponse):
                self.sent.append(Sent(request.raw_path, raw, {"code": -1}, self._clock()))
                return refusal
            answer, text = (refusal, None) if isinstance(refusal, dict) else ({}, str(refusal))
        self.sent.append(Sent(request.raw_path, raw, answer, self._clock()))
        return web.Response(text=json.dumps(answer) if text is None else text, headers=headers)
