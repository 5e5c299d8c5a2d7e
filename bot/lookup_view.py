"""How the secure page is shown: one frame, a part for each stage, its own headers, nothing that was typed."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from admin import pages
from admin.forms import Form
from bot import visitors
from bot.visitors import VISITOR_COOKIE, Visitor, remember
from knowledge.roll import challenges
from office import contacts
from office.contacts import Channel, Contact
from office.store import ring_after_commit
from office.words import say

RESULT_LASTS = timedelta(minutes=5)
# Nothing but our own files, and forms and questions to ourselves.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    # A body that a proxy compresses would tell by its length what the page says.
    "Cache-Control": "no-store, no-transform",
    "X-Robots-Tag": "noindex",
}


async def private(request: Request) -> Visitor:
    """The visitor; what they typed is kept from every page of refusal, which would show it again."""
    try:
        visiting = await visitors.visitor(request)
        return visiting if visiting.token else Visitor(request, secrets.token_urlsafe(16), visiting.form)
    finally:
        request.state.form = Form()


Asking = Annotated[Visitor, Depends(private)]


async def came(session: AsyncSession, visiting: Visitor, now: datetime) -> Contact:
    """The visitor's contact, made if they have not written anything yet."""
    contact = await contacts.seen(session, Channel.WEB, visiting.address, now=now)
    if contact.first_seen_at == now:
        contact.language = language(visiting)
        ring_after_commit(session, f"visitor:{visiting.address}")
    return contact


def show(visiting: Visitor, stage: str, *, status: int = 200, **context: Any) -> Response:
    """The page at `stage`; to a script the part of the page alone, so that it may keep what was typed."""
    lasts = int(RESULT_LASTS.total_seconds())
    values = {"stage": stage, "clear_after": lasts, "here": _address(stage), **context}
    response: Response
    if pages.wants_json(visiting.request):
        part = visitors.render(visiting, "chat/lookup_stage.html", **values)
        body = {"stage": stage, "html": bytes(part.body).decode()}
        response = Response(json.dumps(body, ensure_ascii=False), status, media_type="application/json")
    else:
        response = visitors.render(visiting, "chat/lookup.html", status=status, **values)
        remember(visiting.request, response, VISITOR_COOKIE, visiting.token)
        if stage == "result":
            response.headers["Refresh"] = f"{lasts}; url=/lookup/cleared"
    response.headers.update(HEADERS)
    return response


def word(
    visiting: Visitor,
    key: str,
    words: Sequence[str] = (),
    *,
    status: int = 200,
    tone: str = "info",
    again: str = "",
    ways: bool = True,
) -> Response:
    """A page that says something instead of the form: `lookuppage.<key>_title`, and `words` or its own.

    `again` is "notice" for a way to the notice, "renew" for a button that makes a new pass at once.
    """
    lang = language(visiting)
    return show(
        visiting, "word", status=status, title=say(f"lookuppage.{key}_title", lang),
        words=words or [say(f"lookuppage.{key}", lang)], tone=tone, again=again, ways=ways,
        version=challenges.notice_version(),
    )  # fmt: skip


def language(visiting: Visitor) -> str:
    """The reader's language."""
    return pages.frame(visiting.request).language


def padded(response: Response, step: int = 16384) -> Response:
    """The same response, filled up with blanks to a multiple of `step` bytes.

    Who sees only how much passes on the line must not learn from it what was answered.
    """
    body = bytes(response.body)
    response.body = body + b" " * (-len(body) % step)
    response.headers["content-length"] = str(len(response.body))
    return response


def _address(stage: str) -> str:
    # Where a choice of language or size leads back to: never to the address that a form was sent to.
    return "/lookup/form" if stage == "form" else "/lookup"
