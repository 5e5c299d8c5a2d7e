"""The editor of entries: a form for everything an entry carries, with the lint's findings beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from admin.differences import as_lines
from admin.entries import Drafting, found_in_words, preview, topic_options
from admin.forms import Form
from admin.pages import Desk, Number, Refusal, done
from admin.steps import alteration
from knowledge import calendar, elections, entries, lint, shelf
from knowledge.versions import (
    Audience,
    Content,
    Entry,
    EntryLevel,
    EntryState,
    EntryVersion,
    content_of,
    topics,
    versions,
)
from office import staff, units
from office.errors import Conflict, Invalid
from office.units import UnitKind, contains

router = APIRouter(prefix="/entries")
GROUPS = ("登记组", "信息组", "秘书组", "宣传组")
TEXTS = ("question", "short", "full", "group", "topic", "audience", "level")
LINES = ("phrasings", "aliases", "steps", "documents", "basis")
DAYS = ("review_on", "effective_from", "effective_until")
_SEPARATORS = re.compile(r"[、，,；;]")
PLACES = (UnitKind.CITY, UnitKind.DISTRICT, UnitKind.SUBDISTRICT, UnitKind.TOWN, UnitKind.NEIGHBOURHOOD)
"""Of whom an entry may be: those whom askers know by name."""
LONGEST = {"question": 200, "phrasings": 300, "aliases": 300}


@dataclass(frozen=True, slots=True)
class Subject:
    """What is being edited: a draft, or an entry (None: a new one) that gets its next version."""

    entry: Entry | None
    draft: EntryVersion | None
    content: Content


@router.get("/new")
async def new(desk: Drafting) -> Response:
    """An empty form for a new entry."""
    return await _page(desk, await _subject(desk, None))


@router.post("/new")
async def create(desk: Drafting) -> Response:
    """Begin a new entry as a draft."""
    return await _save(desk, None)


@router.get("/{entry_id}/edit")
async def edit(desk: Drafting, entry_id: Number) -> Response:
    """The draft of an entry, or its published content as the beginning of a new version."""
    return await _page(desk, await _subject(desk, entry_id))


@router.post("/{entry_id}/edit")
async def save(desk: Drafting, entry_id: Number) -> Response:
    """Save the draft; handing it to a reviewer is one more step, or the other button."""
    return await _save(desk, entry_id)


async def _save(desk: Desk, entry_id: int | None) -> Response:
    async def again(later: Desk, refusal: Refusal) -> Response:
        return await _page(later, await _subject(later, entry_id), refusal)

    desk.on_refusal(again)
    subject = await _subject(desk, entry_id)
    if subject.draft is not None and subject.draft.state is not EntryState.DRAFT:
        raise Conflict("draft_open")
    written = _content(desk.form, subject.content)
    if subject.draft is None:
        version = await entries.draft(
            desk.session, written, actor=desk.person, now=desk.now, entry=subject.entry
        )
    else:
        version = subject.draft
        seen = desk.form.number("version")
        await entries.edit(desk.session, version, written, seen=seen, actor=desk.person, now=desk.now)
    if desk.form.text("then") == "submit":
        altered = alteration(desk.form)
        await entries.submit(desk.session, version, actor=desk.person, now=desk.now, alteration=altered)
        return done(f"/admin/entries/{version.entry_id}", "submitted")
    return done(f"/admin/entries/{version.entry_id}/edit", "saved")


async def _subject(desk: Desk, entry_id: int | None) -> Subject:
    if entry_id is None:
        # That the content is confirmed is for its author to say.
        empty = Content(
            topic="", question="", phrasings=(), short="", scope_unit_id=await _scope(desk), confirmed=False
        )
        return Subject(None, None, empty)
    entry = await shelf.seen_by(desk.session, desk.person, entry_id)
    newest = (await versions(desk.session, entry))[0]
    content = await content_of(desk.session, newest)
    unfinished = newest.state in (EntryState.DRAFT, EntryState.IN_REVIEW)
    return Subject(entry, newest if unfinished else None, content)


async def _scope(desk: Desk) -> int:
    """A new entry holds for the whole district where its author may say so, else for the author's unit."""
    office = await units.election_office(desk.session)
    reach = await staff.reach(desk.session, desk.person)
    return office.id if contains(reach, office.path) else desk.person.unit_id


async def _scopes(desk: Desk, present: int) -> list[tuple[int, str]]:
    """Whose an entry may be: units in the author's reach, deeper ones set in, and the present one always."""
    reach = await staff.reach(desk.session, desk.person)
    found = [
        unit
        for unit in await units.all_units(desk.session)
        if unit.id == present or (unit.kind in PLACES and contains(reach, unit.path))
    ]
    return [(unit.id, "\u3000" * (unit.path.count(".") - 2) + unit.name) for unit in found]


def _content(form: Form, before: Content) -> Content:
    """What the form says. Facts are not in it and stay as they were, as does a scope that is not."""
    for name, most in LONGEST.items():
        if any(len(line) > most for line in form.lines(name)):
            raise Invalid("line_long", most=most)
    audience, level = form.text("audience"), form.text("level")
    if audience not in tuple(Audience) or level not in tuple(EntryLevel) or form.text("group") not in GROUPS:
        raise Invalid("form_broken")
    if form.text("topic") and form.text("topic") not in topics():
        raise Invalid("form_broken")
    return Content(
        topic=form.text("topic"),
        question=" ".join(form.text("question").split()),
        phrasings=form.lines("phrasings"),
        aliases=tuple(dict.fromkeys(_SEPARATORS.sub(" ", form.text("aliases")).split())),
        short=form.text("short"),
        full=form.text("full"),
        steps=form.lines("steps"),
        documents=form.lines("documents"),
        basis=tuple(_citation(line) for line in form.lines("basis")),
        facts=before.facts,
        audience=Audience(audience),
        level=EntryLevel(level),
        scope_unit_id=form.number("scope") if form.text("scope") else before.scope_unit_id,
        confirmed=form.text("confirmed") == "1",
        group=form.text("group"),
        **_days(form),
    )


def _days(form: Form) -> dict[str, Any]:
    days = {name: form.day(name) for name in DAYS}
    first, last = days["effective_from"], days["effective_until"]
    if first and last and last < first:
        raise Invalid("days_reversed")
    return days


def _citation(line: str) -> dict[str, str]:
    law, _, article = line.replace("｜", "|").partition("|")
    return {"law": law.strip(), "article": article.strip()}


def _values(content: Content) -> dict[str, str]:
    """A content as the texts of the form's fields."""
    values = {name: str(getattr(content, name)) for name in TEXTS}
    values |= {name: "\n".join(as_lines(content, name)) for name in LINES}
    for name in DAYS:
        on = getattr(content, name)
        values[name] = on.isoformat() if on else ""
    values["confirmed"] = "1" if content.confirmed else ""
    values["scope"] = str(content.scope_unit_id)
    return values


async def _page(desk: Desk, subject: Subject, refusal: Refusal | None = None) -> Response:
    values: Mapping[str, str] = _values(subject.content)
    content = subject.content
    if refusal:
        values = {name: desk.form.text(name) for name in values}
        try:
            content = _content(desk.form, subject.content)
        except Invalid:
            content = subject.content
    entry, draft = subject.entry, subject.draft
    begun = bool(entry) or refusal is not None
    return desk.render(
        "console/editor.html",
        status=refusal.status if refusal else 200,
        here=f"/admin/entries/{entry.id}/edit" if entry else "/admin/entries/new",
        error=refusal.words if refusal else "",
        done=desk.request.query_params.get("done", ""),
        entry={"id": entry.id, "no": entry.entry_no} if entry else None,
        draft={"number": draft.number, "version": draft.version, "ticket_id": draft.ticket_id}
        if draft
        else None,
        locked=draft is not None and draft.state is EntryState.IN_REVIEW,
        note=draft.review_note if draft else "",
        values=values,
        topics=[("", desk.t("editor.choose_topic")), *topic_options()],
        audiences=[(member.value, desk.t(f"audience.{member.value}")) for member in Audience],
        levels=[(member.value, desk.t(f"level.{member.value}")) for member in EntryLevel],
        groups=[(name, name) for name in GROUPS],
        scopes=await _scopes(desk, subject.content.scope_unit_id),
        variables=sorted(lint.VARIABLES),
        most=lint.LONGEST_SHORT_ANSWER,
        length=len(values["short"]),
        problems=[found_in_words(desk, found) for found in entries.problems(content)] if begun else [],
        begun=begun,
        preview=await _preview(desk, entry, draft) if not refusal else None,
        replaces=entry is not None and entry.published_id is not None,
        alteration=desk.form.text("alteration") if refusal else "",
    )


async def _preview(desk: Desk, entry: Entry | None, draft: EntryVersion | None) -> dict[str, Any] | None:
    """The saved draft as an asker would read it."""
    if entry is None or draft is None:
        return None
    scope = await units.get(desk.session, draft.scope_unit_id)
    office = await units.election_office(desk.session)
    dates = calendar.variables(await elections.spans(desk.session, desk.now), calendar.today(desk.now))
    return preview(entry, draft, await content_of(desk.session, draft), scope, dates, office)
