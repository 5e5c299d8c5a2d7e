"""The base as staff read it: the list of entries, and one entry with all its versions."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from admin import differences, forms, times
from admin.pages import Desk, Number, Refusal, signed_in
from knowledge import alterations, answer, calendar, checks, elections, shelf, tip_bonds, tip_words
from knowledge.entries import problems
from knowledge.shelf import Filter
from knowledge.tips import UNRELEASED, TipState, WorkTip
from knowledge.versions import (
    Audience,
    Content,
    Entry,
    EntryState,
    EntryVersion,
    content_of,
    topics,
    versions,
)
from office import staff, units
from office.errors import NotFound, NotPermitted
from office.staff import Permission
from office.units import Unit

router = APIRouter(prefix="/entries")
Reading = Annotated[Desk, Depends(signed_in(Permission.SEE_ENTRIES))]
Drafting = Annotated[Desk, Depends(signed_in(Permission.DRAFT_ENTRIES))]

S = EntryState
VIEWS: dict[str, EntryState | None] = {
    "published": S.PUBLISHED,
    "in_review": S.IN_REVIEW,
    "draft": S.DRAFT,
    "retired": S.RETIRED,
    "all": None,
}
TONES = {S.DRAFT: "neutral", S.IN_REVIEW: "info", S.PUBLISHED: "good", S.RETIRED: "neutral"}


@router.get("")
async def show(desk: Reading) -> Response:
    """The list, by state, topic, audience and words."""
    asked = desk.request.query_params
    view = asked.get("view", "published") if asked.get("view") in VIEWS else "published"
    topic = asked.get("topic", "") if asked.get("topic") in topics() else ""
    audience = asked.get("audience", "") if asked.get("audience") in tuple(Audience) else ""
    search = forms.clean(asked.get("q", ""))[:100]
    page = int(asked["page"]) if asked.get("page", "").isdecimal() and len(asked["page"]) < 7 else 1
    wanted = Filter(VIEWS[view], topic, Audience(audience) if audience else None, search)
    rows, total = await shelf.listed(desk.session, desk.person, wanted, page=page)
    kept = {"topic": topic, "audience": audience, "q": search}
    waiting = await shelf.listed(desk.session, desk.person, Filter(S.IN_REVIEW))
    return desk.render(
        "console/entries.html",
        done=asked.get("done", ""),
        view=view,
        tabs=[
            {
                "href": _address(view=name, **kept),
                "label": desk.t(f"entries.view_{name}"),
                "active": name == view,
                "count": waiting[1] if name == "in_review" else None,
            }
            for name in VIEWS
        ],
        topic=topic,
        topics=[("", desk.t("entries.all_topics")), *topic_options()],
        audience=audience,
        audiences=[("", desk.t("entries.all_audiences")), *_options(desk, "audience", Audience)],
        search=search,
        filtered=any(kept.values()),
        rows=[_row(desk, entry, version, unit) for entry, version, unit in rows],
        total=total,
        page=page,
        pages=max(1, -(-total // shelf.PAGE)),
        page_base=_address(view=view, **kept, page=""),
        may_draft=desk.may(Permission.DRAFT_ENTRIES),
    )


def _address(**fields: str) -> str:
    last = "page" in fields
    kept = {name: value for name, value in fields.items() if value and name != "page"}
    query = urlencode(kept)
    return "/admin/entries?" + query + ("&page=" if last else "")


def topic_options() -> list[tuple[str, str]]:
    """Topics for a choice: what belongs there, then the id."""
    return [(topic.id, topic.meaning) for topic in topics().values() if topic.id != "none"]


def _options(desk: Desk, name: str, enum: Any) -> list[tuple[str, str]]:
    return [(member.value, desk.t(f"{name}.{member.value}")) for member in enum]


def _row(desk: Desk, entry: Entry, version: EntryVersion, unit: Unit) -> dict[str, Any]:
    overdue = version.review_on is not None and version.review_on < calendar.today(desk.now)
    return {
        "id": entry.id,
        "no": entry.entry_no,
        "number": version.number,
        "question": version.question,
        "topic": topics()[version.topic].meaning if version.topic in topics() else version.topic,
        "audience": desk.t(f"audience.{version.audience}"),
        "level": desk.t(f"level.{version.level}"),
        "state": desk.t(f"entry.state.{version.state}"),
        "tone": TONES[version.state],
        "confirmed": version.confirmed,
        "scope": unit.name,
        "review_due": overdue and version.state is S.PUBLISHED,
    }


@router.get("/{entry_id}")
async def show_entry(desk: Reading, entry_id: Number) -> Response:
    """One entry: what is in force, what is in hand, every version and what each changed."""
    return await page(desk, entry_id)


async def page(desk: Desk, entry_id: int, refusal: Refusal | None = None) -> Response:
    """The page of an entry, also after a refused act."""
    entry = await shelf.seen_by(desk.session, desk.person, entry_id)
    office = await units.election_office(desk.session)
    rows = await versions(desk.session, entry)
    contents = [await content_of(desk.session, row) for row in rows]
    names = await staff.names(
        desk.session, {number for row in rows for number in (row.author_id, row.publisher_id) if number}
    )
    places = {unit.id: unit.name for unit in await units.all_units(desk.session)}
    shown = [
        {
            **_version(desk, row, names, places),
            "changes": differences.between(before, content, choice_words(desk, places)) if before else [],
            "first": before is None,
        }
        for row, content, before in zip(rows, contents, [*contents[1:], None], strict=True)
    ]
    current = rows[0]
    dates = calendar.variables(await elections.spans(desk.session, desk.now), calendar.today(desk.now))
    scope = await units.get(desk.session, current.scope_unit_id)
    successor = await _successor(desk, entry)
    bonds = await tip_bonds.of_versions(desk.session, desk.person, [row.id for row in rows])
    return desk.render(
        "console/entry.html",
        status=refusal.status if refusal else 200,
        here=f"/admin/entries/{entry.id}",
        error=refusal.words if refusal else "",
        error_key=refusal.key if refusal else "",
        typed=refusal.typed if refusal else {},
        done=desk.request.query_params.get("done", ""),
        entry={"id": entry.id, "no": entry.entry_no, "published": entry.published_id is not None},
        current=shown[0] | {"says_otherwise": await alterations.says_otherwise(desk.session, current)},
        preview=preview(entry, current, contents[0], scope, dates, office),
        phrasings=contents[0].phrasings,
        aliases=contents[0].aliases,
        problems=[found_in_words(desk, found) for found in problems(contents[0])],
        versions=shown,
        field_words={name: desk.t(f"entry.{name}") for name in _FIELDS},
        by_tips={number: _by_tip(desk, tip) for number, tip in bonds.items()},
        successor={"id": successor.id, "no": successor.entry_no} if successor else None,
        can=await _can(desk, entry, current, scope),
        gate=await _gate(desk, current),
    )


def _by_tip(desk: Desk, tip: WorkTip) -> dict[str, Any]:
    """With which work tip a version came into force or will, in words, and where that one stands."""
    key = "in_force" if tip.in_effect_at else "linked" if tip.state in UNRELEASED else "waits"
    begins = tip_words.begins(tip)
    at = times.moment(begins, desk.frame.language, now=desk.now) if begins else ""
    words = desk.t(f"entry.by_tip_{key}", no=tip_words.number(tip), title=tip.title, at=at)
    if tip.state in (TipState.WITHDRAWN, TipState.SUPERSEDED):
        words += desk.t(f"entry.by_tip_{tip.state}")
    return {"href": f"/admin/tips/{tip.id}", "words": words}


async def _successor(desk: Desk, entry: Entry) -> Entry | None:
    if entry.successor_id is None:
        return None
    try:
        return await shelf.seen_by(desk.session, desk.person, entry.successor_id)
    except NotFound:
        return None


async def _gate(desk: Desk, current: EntryVersion) -> str:
    """What came of the check before publication, if it still holds; empty otherwise."""
    if current.state is not S.IN_REVIEW:
        return ""
    found = await checks.latest(desk.session, current)
    return found.state.value if found and await checks.holds(desk.session, found, current) else ""


_FIELDS = (*differences.TEXTS, *differences.LISTS, *differences.CHOICES)


def _version(desk: Desk, row: EntryVersion, names: dict[int, str], places: dict[int, str]) -> dict[str, Any]:
    language = desk.frame.language
    return {
        "id": row.id,
        "number": row.number,
        "version": row.version,
        "state": desk.t(f"entry.state.{row.state}"),
        "state_key": row.state.value,
        "tone": TONES[row.state],
        "question": row.question,
        "topic": topics()[row.topic].meaning if row.topic in topics() else row.topic,
        "audience": desk.t(f"audience.{row.audience}"),
        "level": desk.t(f"level.{row.level}"),
        "group": row.group,
        "scope": places.get(row.scope_unit_id, ""),
        "confirmed": row.confirmed,
        "review_on": times.day(row.review_on, language) if row.review_on else "",
        "effective": " – ".join(
            times.day(on, language) if on else "…" for on in (row.effective_from, row.effective_until)
        )
        if row.effective_from or row.effective_until
        else "",
        "author": names.get(row.author_id or 0, desk.t("actor.system")),
        "publisher": names.get(row.publisher_id or 0, ""),
        "created": times.moment(row.created_at, language),
        "published": times.moment(row.published_at, language) if row.published_at else "",
        "note": row.review_note,
        "alteration": desk.t(f"alteration.{row.alteration}") if row.alteration else "",
        "ticket_id": row.ticket_id,
    }


def choice_words(desk: Desk, places: dict[int, str]) -> Any:
    """The function that words the value of a choice, as `differences.between` takes it; `places`: units."""

    def shown(name: str, value: object) -> str:
        if name == "topic":
            return topics()[str(value)].meaning if str(value) in topics() else str(value)
        if name in ("audience", "level"):
            return desk.t(f"{name}.{value}")
        if name == "confirmed":
            return desk.t("entry.confirmed_yes" if value else "entry.confirmed_no")
        if name == "scope_unit_id":
            return places.get(int(str(value)), "")
        return str(value or "")

    return shown


def preview(
    entry: Entry, version: EntryVersion, content: Content, scope: Unit, dates: dict[str, str], office: Unit
) -> dict[str, Any] | None:
    """The version as an asker would read it, or None while it names a variable that does not exist."""
    if any(found.key == "lint_variable" for found in problems(content)):
        return None
    shown = answer.render(entry, version, scope, dates, office)
    return {
        "question": shown.question,
        "short": shown.short,
        "paragraphs": [line for line in shown.full.splitlines() if line.strip()],
        "steps": shown.steps,
        "documents": shown.documents,
        "basis": shown.basis,
        "confirmed": shown.confirmed,
        "scope": shown.scope,
        "issuer": shown.issuer,
        "date": shown.published_on.isoformat(),
    }


def found_in_words(desk: Desk, found: Any) -> dict[str, Any]:
    """A finding of the lint as a sentence."""
    return {"words": desk.t(found.key, **found.facts), "blocks": found.blocks}


async def _can(desk: Desk, entry: Entry, current: EntryVersion, scope: Unit) -> dict[str, Any]:
    drafts, publishes = desk.may(Permission.DRAFT_ENTRIES), desk.may(Permission.PUBLISH_ENTRIES)
    why = ""
    if publishes and current.state is S.IN_REVIEW:
        try:
            await staff.must(desk.session, desk.person, Permission.PUBLISH_ENTRIES, scope.path)
            await staff.second_person(desk.session, desk.person, current.author_id, now=desk.now)
        except NotPermitted as refusal:
            why = refusal.key
    return {
        "edit": drafts and current.state is S.DRAFT,
        "submit": drafts and current.state is S.DRAFT,
        "drop": drafts and current.state is S.DRAFT,
        "send_back": publishes and current.state is S.IN_REVIEW,
        "publish": publishes and current.state is S.IN_REVIEW and not why,
        "why_not": why,
        "waits": current.state is S.IN_REVIEW and not publishes,
        "new_version": drafts and current.state in (S.PUBLISHED, S.RETIRED),
        "retire": publishes and entry.published_id is not None,
    }
