"""The public pages beside the conversation: the answers to read and print, the notice, the choices."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from admin import pages
from bot import receiving, visitors
from bot.visitors import Reading, Visiting, Visitor, remember
from knowledge import answer as answers
from knowledge import shelf, tip_numbers
from knowledge.versions import by_number, topics
from office import units
from office.errors import NotFound
from office.hours import BEIJING
from office.words import say

router = APIRouter()

_READ = re.compile(r"/(?:where|stations|calendar|entries|privacy|lookup|tips)(?:[/?][^\\\s\x00-\x1f]*)?")


@router.post("/chat/size")
async def size(visiting: Reading) -> Response:
    """Text size of the pages, kept in a cookie; leads back to the page that asked."""
    chosen = visiting.form.text("size")
    response = RedirectResponse(_back(visiting.form.text("next")), 303)
    if chosen in pages.TEXT_SIZES:
        remember(visiting.request, response, "size", chosen)
    return response


@router.post("/language")
async def language(visiting: Reading) -> Response:
    """Chinese or English around the answers; leads back to the page that asked."""
    chosen = pages.LANGUAGES.get(visiting.form.text("lang"))
    response = RedirectResponse(_back(visiting.form.text("next")), 303)
    if chosen:
        remember(visiting.request, response, "language", chosen)
    return response


def _back(address: str) -> str:
    """The page a choice was made on, if it is one of ours; what is chosen now outdoes what its link asked."""
    if not _READ.fullmatch(address):
        return "/"
    path, _, query = address.partition("?")
    kept = urlencode([(name, value) for name, value in parse_qsl(query) if name != "lang"])
    return f"{path}?{kept}" if kept else path


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
    return visitors.render(visiting, "chat/entries.html", q=q, groups=ordered)


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
            "tip": {"url": "/tips/{}/{}".format(*found.tip), "number": tip_numbers.written(*found.tip)}
            if found.tip else None,
        },
    }  # fmt: skip
    shape = paper if paper == "slip" else ""
    return visitors.render(visiting, "chat/entry.html", entry=facts, paper=shape, related=[])


@router.get("/privacy")
async def privacy(visiting: Visiting) -> HTMLResponse:
    """What is done with what people write."""
    around = pages.frame(visiting.request)
    text = say("notice", around.language, office=around.office["name"], phone=around.office["phone"])
    return visitors.render(visiting, "chat/privacy.html", paragraphs=[text], version="1")


@router.get("/healthz")
async def health(request: Request) -> JSONResponse:
    """Whether the program answers and reaches its database; says nothing else."""
    good = await receiving.reachable(pages.services(request).store)
    return JSONResponse({"ok": good}, 200 if good else 503)


def _today(visiting: Visitor) -> date:
    return visiting.services.clock().astimezone(BEIJING).date()
