"""Publishing: what would be answered otherwise, whether that may be, who lets it pass, and the act itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from sqlalchemy.ext.asyncio import AsyncSession

from admin import times
from admin.entries import Reading
from admin.pages import Desk, Need, Number, Refusal, done, services
from admin.steps import Publishing, current
from knowledge import checks, entries, rehearsal, shelf
from knowledge.checks import CheckState, PublicationCheck
from knowledge.claims import MORE_ANSWERED
from knowledge.replay import (
    MORE_LOST,
    MORE_UNSURE,
    MORE_WRONG,
    OWN_LOST,
    RESOLVED_FALL,
    RIGHT_FALL,
    WRONG_LIMIT,
    Grade,
    Turn,
)
from knowledge.versions import Entry, EntryState, EntryVersion, versions
from office import staff
from office.errors import Conflict, NotPermitted
from office.staff import Permission
from ticketing import recall_proposals

router = APIRouter(prefix="/entries")

TONES = {
    CheckState.PASSED: "good",
    CheckState.BLOCKED: "danger",
    CheckState.ASKED: "warn",
    CheckState.OVERRIDDEN: "warn",
}
GRADES = {Grade.RIGHT: "good", Grade.OFFERED: "info", Grade.UNRESOLVED: "neutral", Grade.WRONG: "danger"}
FIGURES = ("right", "offered", "unresolved", "wrong", "astray")
LIMITS = (
    "wrong_limit", "wrong_more", "resolved_less", "right_less", "own_less",
    "claimed_words", "claimed_answers",
)  # fmt: skip
LESS_IS_BETTER = frozenset({"unresolved", "wrong", "astray"})


async def reading(request: Request) -> AsyncIterator[AsyncSession]:
    """A session that only looks, for a form whose work takes seconds: no transaction may wait for that."""
    async with services(request).store.reading() as opened:
        yield opened


class Aside(Need):
    """Lets in like `Need`, for a handler that opens its own short transaction after its long work."""

    async def __call__(
        self, request: Request, session: Annotated[AsyncSession, Depends(reading, scope="function")]
    ) -> Desk:
        return await super().__call__(request, session)


Checking = Annotated[Desk, Depends(Aside(Permission.PUBLISH_ENTRIES))]


@router.get("/{entry_id}/check")
async def show(desk: Reading, entry_id: Number) -> Response:
    """What the last check of the version in review found, and what may be done now."""
    return await page(desk, entry_id)


@router.post("/{entry_id}/check")
async def check(desk: Checking, entry_id: Number) -> Response:
    """Ask the golden questions of the base with and without the version; publishes nothing."""
    _, version = await current(desk, entry_id, page)
    await checks.may_publish(desk.session, version, actor=desk.person, now=desk.now)
    if version.state is not EntryState.IN_REVIEW:
        raise Conflict("stale_card")
    prepared = await rehearsal.prepare(desk.session, version, now=desk.now)
    last = await checks.latest(desk.session, version)
    # Pressing twice must not sweep away what a second person has been asked, or has agreed to.
    known = last is not None and last.questions == prepared.questions
    if not (known and await checks.holds(desk.session, last, version)):
        await desk.session.close()
        found = await rehearsal.run(prepared)
        async with desk.services.store.transaction() as session:
            await rehearsal.record(session, prepared, found, actor=desk.person, now=desk.now)
    return done(f"/admin/entries/{entry_id}/check")


@router.post("/{entry_id}/publish")
async def publish(desk: Publishing, entry_id: Number) -> Response:
    """Put the version in force; only somebody other than its author may, and only with a check that holds."""
    _, version = await current(desk, entry_id, page)
    seen = desk.form.number("version")
    await entries.publish(desk.session, version, seen=seen, actor=desk.person, now=desk.now)
    recall = await recall_proposals.published(desk.session, version, now=desk.now)
    if recall is not None:
        return done(f"/admin/recalls/{recall.id}", "published")
    return done(f"/admin/entries/{entry_id}", "published")


@router.post("/{entry_id}/override")
async def ask_override(desk: Publishing, entry_id: Number) -> Response:
    """Ask another person to let a blocked version pass."""
    _, version = await current(desk, entry_id, page)
    reason = desk.form.text("override_reason")
    await checks.ask_override(desk.session, version, reason, actor=desk.person, now=desk.now)
    return done(f"/admin/entries/{entry_id}/check", "override_asked")


@router.post("/{entry_id}/override/confirm")
async def override(desk: Publishing, entry_id: Number) -> Response:
    """Let a blocked version pass, as the second person."""
    _, version = await current(desk, entry_id, page)
    await checks.override(desk.session, version, actor=desk.person, now=desk.now)
    return done(f"/admin/entries/{entry_id}/check", "overridden")


async def page(desk: Desk, entry_id: int, refusal: Refusal | None = None) -> Response:
    """The page of the check, also after a refused act."""
    entry = await shelf.seen_by(desk.session, desk.person, entry_id)
    version = (await versions(desk.session, entry))[0]
    if version.state is not EntryState.IN_REVIEW and refusal is None:
        return done(f"/admin/entries/{entry_id}")
    found = await checks.latest(desk.session, version)
    if found is not None and found.seen != version.version:
        found = None  # about another wording
    holds = await checks.holds(desk.session, found, version)
    return desk.render(
        "console/check.html",
        status=refusal.status if refusal else 200,
        here=f"/admin/entries/{entry_id}/check",
        error=refusal.words if refusal else "",
        error_key=refusal.key if refusal else "",
        typed=refusal.typed if refusal else {},
        done=desk.request.query_params.get("done", ""),
        entry={"id": entry.id, "no": entry.entry_no, "replaces": entry.published_id is not None},
        current={
            "id": version.id, "number": version.number, "version": version.version,
            "question": version.question,
            "alteration": desk.t(f"alteration.{version.alteration}") if version.alteration else "",
        },
        check=await _check(desk, found, entry, version) if found else None,
        holds=holds,
        shortest=checks.SHORTEST_REASON,
        limits=[desk.t(f"check.limit_{name}", **_limits()) for name in LIMITS],
        **await _can(desk, found if holds else None, version),
    )  # fmt: skip


async def _can(desk: Desk, found: PublicationCheck | None, version: EntryVersion) -> dict[str, Any]:
    """Which act is next for this person, if any, and else why not."""
    try:
        await checks.may_publish(desk.session, version, actor=desk.person, now=desk.now)
    except NotPermitted as refusal:
        return {"act": "", "why_not": refusal.key if desk.may(Permission.PUBLISH_ENTRIES) else ""}
    if version.state is not EntryState.IN_REVIEW:
        return {"act": "", "why_not": ""}
    if found is None:
        return {"act": "check", "why_not": ""}
    if found.state in checks.OPENING:
        return {"act": "publish", "why_not": ""}
    if found.state is CheckState.BLOCKED:
        return {"act": "ask", "why_not": ""}
    if found.asked_by_id == desk.person.id:
        return {"act": "wait", "why_not": ""}
    try:
        await checks.may_override(desk.session, found, actor=desk.person, now=desk.now)
    except NotPermitted as refusal:
        return {"act": "", "why_not": refusal.key}
    return {"act": "confirm", "why_not": ""}


async def _check(desk: Desk, found: PublicationCheck, entry: Entry, version: EntryVersion) -> dict[str, Any]:
    people = {number for number in (found.made_by_id, found.asked_by_id, found.overridden_by_id) if number}
    names = await staff.names(desk.session, people)
    shown = {no for change in found.changes for side in ("before", "after") for no in change[side]["entries"]}
    claims = found.figures.get("claims", [])
    titles = await checks.titles(desk.session, shown | {claim["entry_no"] for claim in claims})
    after = {**titles, entry.entry_no: version.question}
    before, sealed, opened = found.figures["before"], found.figures["sealed"], found.figures["open"]
    groups = [
        {
            "key": turn.value,
            "label": desk.t(f"check.{turn.value}", n=opened[turn.value] + sealed[turn.value]),
            "sealed": sealed[turn.value],
            "rows": [
                {
                    "q": change["q"],
                    "staff": change["audience"] == "staff",
                    "before": _said(desk, change["before"], titles),
                    "after": _said(desk, change["after"], after),
                }
                for change in found.changes
                if change["turn"] == turn.value
            ],
        }
        for turn in Turn
        if opened[turn.value] + sealed[turn.value]
    ]
    return {
        "state": found.state.value,
        "tone": TONES[found.state],
        "asked": found.figures["after"]["asked"],
        "changed": sum(opened.values()) + sum(sealed.values()),
        "figures": [_figure(desk, name, before, found.figures["after"]) for name in FIGURES],
        "faults": [desk.t(f"check.fault_{name}", **_limits()) for name in found.figures["faults"]],
        "groups": groups,
        "claims": [{**claim, "title": titles.get(claim["entry_no"], "")} for claim in claims],
        "reason": found.reason,
        "made_by": names.get(found.made_by_id, ""),
        "made_at": times.moment(found.made_at, desk.frame.language),
        "asked_by": names.get(found.asked_by_id or 0, ""),
        "overridden_by": names.get(found.overridden_by_id or 0, ""),
    }


def _limits() -> dict[str, Any]:
    return {
        "limit": f"{WRONG_LIMIT:.0%}", "more": MORE_WRONG, "fall": f"{RESOLVED_FALL:.0%}", "lost": MORE_LOST,
        "right_fall": f"{RIGHT_FALL:.1%}", "unsure": MORE_UNSURE, "own": OWN_LOST, "answered": MORE_ANSWERED,
    }  # fmt: skip


def _said(desk: Desk, said: Mapping[str, Any], titles: Mapping[str, str]) -> dict[str, Any]:
    return {
        "how": desk.t(f"check.{said['outcome']}"),
        "mark": desk.t(f"check.grade_{said['grade']}"),
        "tone": GRADES[Grade(said["grade"])],
        "entries": [{"no": number, "title": titles.get(number, "")} for number in said["entries"]],
    }


def _figure(desk: Desk, name: str, before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, Any]:
    of_what = {"wrong": "all", "astray": "outside"}.get(name, "inside")

    def of(figures: Mapping[str, int]) -> int:
        inside, asked = figures["in_scope"], figures["asked"]
        return {"all": asked, "outside": asked - inside, "inside": inside}[of_what]

    def told(figures: Mapping[str, int]) -> dict[str, Any]:
        whole = of(figures)
        share = desk.t(f"check.share_{of_what}", share=f"{figures[name] / whole:.1%}") if whole else ""
        return {"n": figures[name], "share": share}

    grown = after[name] - before[name]
    good = grown < 0 if name in LESS_IS_BETTER else grown > 0
    return {
        "label": desk.t(f"check.figure_{name}"),
        "before": told(before),
        "after": told(after),
        "grown": f"{grown:+d}" if grown else "±0",
        "tone": "neutral" if not grown else "good" if good else "danger",
    }
