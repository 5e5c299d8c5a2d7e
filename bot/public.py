"""The public pages beside the conversation: the answers to read and print, the notice, the choices."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from admin import pages
from bot import receiving
from bot.visitors import Visiting, Visitor, remember
from knowledge import answer as answers
from knowledge import shelf
from knowledge.versions import by_number, topics
from office import units
from office.errors import NotFound
from office.hours import BEIJING
from office.words import say

router = APIRouter()


@router.post("/chat/size")
async def size(visiting: Visiting) -> Response:
    """Text size of the pages, kept in a cookie."""
    chosen = visiting.form.text("size")
    response = RedirectResponse("/", 303)
    if chosen in pages.TEXT_SIZES:
        remember(visiting.request, response, "size", chosen)
    return response


@router.post("/language")
async def language(visiting: Visiting) -> Response:
    """Chinese or English around the answers."""
    chosen = pages.LANGUAGES.get(visiting.form.text("lang"))
    response = RedirectResponse("/", 303)
    if chosen:
        remember(visiting.request, response, "language", chosen)
    return response


@router.get("/entries")
async def entries(visiting: Visiting, q: Annotated[str, Query(max_length=60)] = "") -> HTMLResponse:
    """All public answers by topic, readable without script and cookies."""
    async with visiting.services.store.reading() as session:
        found = await shelf.public(session, search=q, today=_today(visiting))
    names = topics()
    groups: dict[str, list[dict[str, str]]] = {}
    for entry, version in found:
        line = {"question": version.question, "url": f"/entries/{entry.entry_no}"}
        groups.setdefault(version.topic, []).append(line)
    ordered = [
        {"title": names[topic].meaning, "entries": groups[topic]} for topic in names if topic in groups
    ]
    return pages.render(
        visiting.request, "chat/entries.html", q=q, groups=ordered, csrf=visiting.csrf, home_url="/"
    )


@router.get("/entries/{entry_no}")
async def entry(
    visiting: Visiting, entry_no: str, paper: Annotated[str, Query(max_length=8)] = ""
) -> HTMLResponse:
    """One public answer with its passport, for reading and printing."""
    async with visiting.services.store.reading() as session:
        row = await by_number(session, entry_no.upper())
        if not await shelf.is_public(session, row, today=_today(visiting)):
            raise NotFound("entry_unknown")
        office = await units.election_office(session)
        found = await answers.published(session, row.id, office=office, now=visiting.services.clock())
    if found is None:
        raise NotFound("entry_unknown")
    facts = {
        "question": found.question,
        "paragraphs": [found.short, *(line for line in found.full.splitlines() if line.strip())],
        "steps": found.steps,
        "documents": found.documents,
        "unconfirmed": not found.confirmed,
        "passport": {
            "basis": found.basis, "number": found.entry_no, "version": found.number,
            "date": found.published_on.isoformat(), "issuer": found.issuer, "scope": found.scope,
        },
    }  # fmt: skip
    return pages.render(
        visiting.request, "chat/entry.html", entry=facts, csrf=visiting.csrf, home_url="/",
        paper=paper if paper == "slip" else "", related=[],
    )  # fmt: skip


@router.get("/privacy")
async def privacy(visiting: Visiting) -> HTMLResponse:
    """What is done with what people write."""
    around = pages.frame(visiting.request)
    text = say("notice", around.language, office=around.office["name"], phone=around.office["phone"])
    return pages.render(
        visiting.request,
        "chat/privacy.html",
        paragraphs=[text],
        version="1",
        csrf=visiting.csrf,
        home_url="/",
    )


@router.get("/healthz")
async def health(request: Request) -> JSONResponse:
    """Whether the program answers and reaches its database; says nothing else."""
    good = await receiving.reachable(pages.services(request).store)
    return JSONResponse({"ok": good}, 200 if good else 503)


def _today(visiting: Visitor) -> date:
    return visiting.services.clock().astimezone(BEIJING).date()
