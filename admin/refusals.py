"""What a page says when something cannot be done: in words, with nothing lost that was typed."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.orm.exc import StaleDataError
from starlette.exceptions import HTTPException

from admin import times
from admin.forms import Form
from admin.pages import Desk, Refusal, SignedOut, Visit, frame, render, services, wants_json, who
from office import worktime
from office.errors import Conflict, DeskError, Invalid, NotFound, NotPermitted, TooMany
from office.words import say

log = logging.getLogger(__name__)

STATUS: dict[type[DeskError], int] = {
    NotFound: 404,
    NotPermitted: 403,
    Conflict: 409,
    Invalid: 422,
    TooMany: 429,
}
# Fields whose label stands under another key than `entry.<field>`.
LABELS = {
    "text": "answer.text",
    "note": "ticket.note_label",
    "remark": "review.remark",
    "name": "staff.name",
    "username": "sign_in.username",
}


def install(app: FastAPI) -> None:
    """Give the application its pages for everything that is refused."""
    app.add_exception_handler(DeskError, _desk_error)
    app.add_exception_handler(SignedOut, _signed_out)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(StaleDataError, _overtaken)
    app.add_exception_handler(IntegrityError, _overtaken)


def in_words(error: DeskError, language: str) -> str:
    """The wording of a refusal on a page."""
    facts: dict[str, Any] = {
        name: times.clock(value, seconds=name == "at")
        if isinstance(value, datetime)
        else times.short_day(value, language)
        if isinstance(value, date)
        else value
        for name, value in error.facts.items()
    }
    for key in (f"refused.{error.key}", error.key):
        try:
            return say(key, language, **facts)
        except KeyError:
            continue
    log.error("no wording for the refusal %s", error.key)
    return say("refused.other", language)


async def _desk_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, DeskError)
    await _lay_frame(request)
    around = frame(request)
    # The console's own address is what everybody opens; not everybody may see the queue that stands there.
    opened = request.method == "GET" and request.url.path == "/admin"
    if opened and isinstance(error, NotPermitted) and around.person and around.home != "/admin":
        return RedirectResponse(around.home, 303)
    status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 400)
    form: Form = getattr(request.state, "form", Form())
    words = in_words(error, around.language)
    if error.key == "stale_card" and not form.wrote:
        words = say("refused.stale_pressed", around.language)
    refusal = Refusal(error.key, words, status, form.typed)
    response = await _same_page(request, refusal)
    if response is None and wants_json(request):
        response = JSONResponse({"error": refusal.words}, status)
    if response is None:
        response = page(request, status, refusal)
    until = error.facts.get("until")
    if isinstance(until, datetime):
        wait = until - services(request).clock()
        response.headers["Retry-After"] = str(max(1, int(wait.total_seconds())))
    return response


async def _lay_frame(request: Request) -> None:
    """Learn the reader's language and the office's phone if the request failed before anybody asked."""
    if hasattr(request.state, "frame"):
        return
    try:
        async with services(request).store.reading() as session:
            await who(request, session)
    except SQLAlchemyError:
        log.warning("a page of refusal stands without its frame", exc_info=True)


async def _same_page(request: Request, refusal: Refusal) -> Response | None:
    again: Callable[[Visit, Refusal], Awaitable[Response]] | None = getattr(request.state, "again", None)
    if again is None or wants_json(request):
        return None
    machine = services(request)
    form: Form = getattr(request.state, "form", Form())
    # The transaction of the form is rolled back and its rows are stale, so the page is made from new ones.
    async with machine.store.reading() as session:
        found = await who(request, session)
        now = machine.clock()
        visit = (
            Desk(
                request,
                machine,
                session,
                frame(request),
                form,
                now,
                *found,
                await worktime.hours(session, now=now),
            )
            if found
            else Visit(request, machine, session, frame(request), form, now)
        )
        try:
            return await again(visit, refusal)
        except DeskError:
            return None  # the page itself is out of reach by now


def page(request: Request, status: int, refusal: Refusal) -> Response:
    """A page of its own for a refusal, with the typed text to copy."""
    around = frame(request)
    title = f"refused.title_{status}" if status in STATUS.values() else "refused.title"
    return render(
        request,
        "console/refused.html",
        status=status,
        code=status,
        heading=say(title, around.language),
        message=refusal.words,
        typed=[
            (_label(name, number, around.language), text)
            for number, (name, text) in enumerate(refusal.typed.items(), 1)
        ],
        back_url=around.home if around.person else "/",
    )


def _label(name: str, number: int, language: str) -> str:
    key = "ticket.reason_label" if name.startswith("reason_") else LABELS.get(name, f"entry.{name}")
    try:
        return say(key, language)
    except KeyError:
        return say("refused.typed_field", language, n=number)


async def _signed_out(request: Request, error: Exception) -> Response:
    if request.method == "GET" and "text/event-stream" not in request.headers.get("accept", ""):
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"/admin/sign-in?next={quote(request.url.path + query)}", 303)
    words = say("refused.signed_out", frame(request).language)
    if wants_json(request):
        return JSONResponse({"error": words}, 401)
    form: Form = getattr(request.state, "form", Form())
    return page(request, 401, Refusal("signed_out", words, 401, form.typed))


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    await _lay_frame(request)
    language = frame(request).language
    if request.method == "HEAD" or wants_json(request):
        return JSONResponse({"error": error.detail}, error.status_code, headers=error.headers)
    key = "refused.page_unknown" if error.status_code in (404, 405) else "refused.other"
    response = page(request, error.status_code, Refusal(key, say(key, language), error.status_code, {}))
    response.headers.update(error.headers or {})
    return response


async def _unreadable(request: Request, error: Exception) -> Response:
    # Only addresses carry values that the framework reads: a number too long is a page that is not there.
    return await _http_error(request, HTTPException(404))


async def _overtaken(request: Request, error: Exception) -> Response:
    # Two writers met at a unique key or a version count: for a person it is one and the same.
    log.warning("a write was overtaken: %s", type(error).__name__)
    return await _desk_error(request, Conflict("stale_card"))


async def broken(request: Request) -> Response:
    """The page for a fault of our own; works without the database."""
    language = frame(request).language
    words = say("refused.broken", language)
    if wants_json(request):
        return JSONResponse({"error": words}, 500)
    form: Form = getattr(request.state, "form", Form())
    return page(request, 500, Refusal("broken", words, 500, form.typed))
