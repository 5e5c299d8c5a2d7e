"""Writing a work tip in the console: begun blank, from a meeting or as a correction; edited as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from admin import tip_beside, tip_form, tip_merge, tip_units
from admin.pages import Desk, Number, Refusal, done, signed_in
from admin.tip_merge import Began
from admin.tips import DONE, sources
from knowledge import tip_bonds, tip_corrections, tip_drafts, tip_links, tip_moves, tip_words, tips
from knowledge.tips import Tip, TipState, WorkTip
from office import staff, units
from office.errors import Conflict, NotFound
from office.staff import Permission
from office.units import Unit, contains

router = APIRouter(prefix="/tips")
Drafting = Annotated[Desk, Depends(signed_in(Permission.DRAFT_ENTRIES))]
Writing = Annotated[Desk, Depends(signed_in(Permission.DRAFT_ENTRIES, tip_form.read_form))]
NEW = "/admin/tips/new"
MEETING = "/admin/tips/from-meeting"
TOO_LONG = "tip_long_"


@router.get("/new")
async def new(desk: Drafting) -> Response:
    """An empty tip in a form; nothing is kept before it is saved."""
    return await _editor(desk, None)


@router.post("/new")
async def create(desk: Writing) -> Response:
    """Keep a new tip; a button that only arranges the form shows it again arranged."""
    return await _take(desk, None)


@router.get("/from-meeting")
async def meeting(desk: Drafting) -> Response:
    """Which meeting a new tip passes on."""
    return _meeting(desk)


@router.post("/from-meeting")
async def begin_from_meeting(desk: Drafting) -> Response:
    """Begin a tip with what is known of a meeting, and go on in its editor."""

    async def again(later: Desk, refusal: Refusal) -> Response:
        return _meeting(later, refusal)

    desk.on_refusal(again)
    name, day = desk.form.text("meeting"), desk.form.day("day")
    unit = await _owner(desk)
    made = await tip_drafts.from_meeting(desk.session, name, day, unit=unit, actor=desk.person, now=desk.now)
    return done(f"/admin/tips/{made.id}/edit", "begun")


@router.post("/{tip_id}/correct")
async def correct(desk: Drafting, tip_id: Number) -> Response:
    """Begin the correction that will take the place of a released tip, or go on to the one that is begun."""
    old = await tips.get(desk.session, desk.person, tip_id)
    made, new = await tip_corrections.begin(desk.session, old, actor=desk.person, now=desk.now)
    return done(f"/admin/tips/{made.id}{'/edit' if new else ''}", "correcting" if new else "correction_open")


@router.get("/{tip_id}/edit")
async def edit(desk: Drafting, tip_id: Number) -> Response:
    """The draft in a form."""
    tip = await _draft(desk, tip_id)
    if tip.state is not TipState.DRAFT:
        return done(f"/admin/tips/{tip_id}")
    return await _editor(desk, tip)


@router.post("/{tip_id}/edit")
async def save(desk: Writing, tip_id: Number) -> Response:
    """Save the draft, hand it in, or only arrange the form."""
    return await _take(desk, tip_id)


async def _take(desk: Desk, tip_id: int | None) -> Response:
    async def again(later: Desk, refusal: Refusal) -> Response:
        typed = tip_form.typed(later.form)
        try:
            found = await _draft(later, tip_id) if tip_id else None
        except NotFound:
            return await tip_beside.handed_back(later, typed, refusal)
        return await _editor(later, found, typed, refusal)

    desk.on_refusal(again)
    tip = await _draft(desk, tip_id) if tip_id else None
    offered = await tip_units.offered(desk.session, desk.person)
    arranged = tip_form.rearranged(desk.form, [(unit.id, unit.kind.value) for unit in offered])
    if arranged is not None:
        return await _editor(desk, tip, arranged)
    found, seen = tip_form.typed(desk.form), 0
    if tip is not None:
        seen = desk.form.number("version")
        found = await _settled(desk, tip, found, seen)
    written = Tip(
        **tip_form.meant(found),
        targets=await _reachable(desk, tip, found["targets"], {unit.id for unit in offered}),
        entries=tuple(sorted(found["entries"])),
        meeting=found["meeting"] if "meeting" in desk.form.fields else None,
    )
    if tip is None:
        unit = await _owner(desk)
        tip = await tip_drafts.draft(
            desk.session, written, unit=unit, sources={}, actor=desk.person, now=desk.now
        )
    else:
        await tip_drafts.edit(desk.session, tip, written, seen=seen, actor=desk.person, now=desk.now)
    if desk.form.text("then") == "submit":
        if any(problem.blocks for problem in await tip_moves.problems(desk.session, tip, now=desk.now)):
            # What was written is worth keeping; the tip's page lists what is still missing.
            return done(f"/admin/tips/{tip.id}", "unready")
        await tip_moves.submit(desk.session, tip, seen=tip.version, actor=desk.person, now=desk.now)
        return done(f"/admin/tips/{tip.id}", "submitted")
    return done(f"/admin/tips/{tip.id}", "saved")


async def _settled(desk: Desk, tip: WorkTip, typed: dict[str, Any], seen: int) -> dict[str, Any]:
    """What is to be saved after a choice between two people's words; raises `Invalid("tip_choose")` without.

    `Conflict("stale_card")` for a page that began from other words: also where the count is the same, because
    SQLite gives the number of a deleted draft to the next one.
    """
    start = tip_merge.began(desk.form)
    present = await _present(desk, tip)
    marks = tip_merge.marks(present)
    if seen != tip.version or any(marks[name] != mark for name, mark in start.marks.items()):
        raise Conflict("stale_card")
    return tip_merge.settled(typed, present, start)


async def _present(desk: Desk, tip: WorkTip) -> dict[str, Any]:
    """The tip as it stands, as this person's form would show it: without the units that it does not offer."""
    values = tip_form.written(await tip_drafts.written(desk.session, tip))
    offered = {unit.id for unit in await tip_units.offered(desk.session, desk.person)}
    return values | {"targets": values["targets"] & offered}


async def _reachable(
    desk: Desk, tip: WorkTip | None, chosen: frozenset[int], offered: set[int]
) -> tuple[int, ...]:
    """The units that are ticked; those of another's choice that this page did not offer stay as they were."""
    if chosen - offered:
        raise NotFound("unit_unknown")
    before = {unit.id for unit in await tip_links.targets(desk.session, tip)} if tip else set()
    return tuple(sorted(chosen | (before - offered)))


async def _draft(desk: Desk, tip_id: int) -> WorkTip:
    """A tip that this person may write; raises `NotFound` for one outside their reach, released or not."""
    tip = await tips.get(desk.session, desk.person, tip_id)
    unit = await desk.session.get_one(Unit, tip.unit_id)
    if not contains(await staff.reach(desk.session, desk.person), unit.path):
        raise NotFound("tip_unknown")
    return tip


async def _owner(desk: Desk) -> Unit:
    """Whose a new tip is: the election office's where its author reaches it, else the author's own unit's."""
    office = await units.election_office(desk.session)
    reach = await staff.reach(desk.session, desk.person)
    return office if contains(reach, office.path) else await units.get(desk.session, desk.person.unit_id)


def _meeting(desk: Desk, refusal: Refusal | None = None) -> Response:
    return desk.render(
        "console/tip_meeting.html",
        status=refusal.status if refusal else 200,
        here=MEETING,
        error=refusal.words if refusal else "",
        name=desk.form.text("meeting"),
        day=desk.form.text("day"),
        most=tip_drafts.LONGEST_MEETING,
    )


async def _editor(
    desk: Desk, tip: WorkTip | None, values: Mapping[str, Any] | None = None, refusal: Refusal | None = None
) -> Response:
    arranged = values is not None and refusal is None
    if values is None:
        written = await tip_drafts.written(desk.session, tip) if tip else await _blank(desk)
        values = tip_form.written(written)
        start, version, beside = Began({}), tip.version if tip else 0, None
        if tip is not None:
            start = Began(tip_merge.marks(await _present(desk, tip)))
    else:
        values, start, version, beside = await _shown_again(desk, tip, values, refusal)
    asked = desk.request.query_params.get("done", "")
    corrects = await desk.session.get(WorkTip, tip.supersedes_id or 0) if tip else None
    here = f"/admin/tips/{tip.id}/edit" if tip else NEW
    return desk.render(
        "console/tip_edit.html",
        status=refusal.status if refusal else 200,
        here=here,
        action=here,
        error=_why(desk, refusal),
        error_key=refusal.key if refusal else "",
        wrong={refusal.key.removeprefix(TOO_LONG): refusal.words} if refusal else {},
        done="" if arranged else asked if asked in DONE else "",
        arranged=arranged,
        tip={"id": tip.id, "version": version, "title": tip.title} if tip else None,
        was=tip_merge.spelled(start.marks),
        open=" ".join(start.open),
        beside=beside,
        moved_on=tip_beside.moved_on(desk, tip) if tip else "",
        note=tip.review_note if tip else "",
        corrects={"id": corrects.id, "title": corrects.title, "number": tip_words.number(corrects)}
        if corrects
        else None,
        meeting=bool(tip and (tip.sources.get("meeting") or values["meeting"])),
        values=values,
        sources=await sources(desk, tip) if tip else None,
        **await _offers(desk, tip, values),
    )


def _why(desk: Desk, refusal: Refusal | None) -> str:
    if refusal is None:
        return ""
    return desk.t("tips.stale") if refusal.key == "stale_card" else refusal.words


async def _shown_again(
    desk: Desk, tip: WorkTip | None, typed: Mapping[str, Any], refusal: Refusal | None
) -> tuple[Mapping[str, Any], Began, int, dict[str, Any] | None]:
    """The form once more: its values, where it began, its count, and what a colleague wrote beside it.

    The count stays the one that the form was made from: else a second press, after a slip in one field, would
    overwrite unasked what somebody else saved meanwhile. Once told so, it goes on from what was saved.
    """
    if tip is None:
        return typed, Began({}), 0, None
    start, text = tip_merge.began(desk.form), desk.form.text("version")
    version = int(text) if text.isdecimal() and len(text) < 10 else tip.version
    if tip.state is not TipState.DRAFT:
        return typed, start, version, None
    present = await _present(desk, tip)
    if "meeting" not in desk.form.fields:
        typed = {**typed, "meeting": present["meeting"]}
    if refusal is not None and refusal.key == "stale_card":
        merge = tip_merge.merged(typed, present, start)
        start = Began(tip_merge.marks(present), merge.open)
        told = await tip_beside.told(desk, tip, merge.values, present, start, merge.adopted)
        return merge.values, start, tip.version, told
    beside = await tip_beside.told(desk, tip, typed, present, start, ()) if start.open else None
    return typed, start, version, beside


async def _offers(desk: Desk, tip: WorkTip | None, values: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that can be chosen in the form."""
    chosen: frozenset[int] = values["targets"]
    linked = (
        [(version, entry) for _, version, entry in await tip_links.linked(desk.session, tip)] if tip else []
    )
    open_ones = await tip_links.open_versions(desk.session, desk.person)
    both = {version.id for version, _ in [*linked, *open_ones]}
    bound = await tip_bonds.waiting(desk.session, both)
    # What waits for a signed tip is that one's, unless this one takes its place.
    free = [
        pair
        for pair in open_ones
        if pair[0].id not in bound or str(bound[pair[0].id].id) == values["supersedes"]
    ]
    versions = {version.id: (version, entry) for version, entry in [*linked, *free]}
    return {
        **await tip_units.tree(desk, chosen),
        **{
            f"{name}_options": [(kind.value, desk.t(f"tips.{name}_{kind}")) for kind in kinds]
            for name, kinds in tip_form.KINDS.items()
        },
        "versions": [
            {
                "id": version.id,
                "no": entry.entry_no,
                "number": version.number,
                "question": version.question,
                "state": desk.t(f"entry.state.{version.state}"),
                "waits": tip_words.number(bound[version.id]) if version.id in bound else "",
                "chosen": version.id in values["entries"],
            }
            for version, entry in versions.values()
        ],
        "supersedable": await _supersedable(desk, tip, values["supersedes"]),
    }


async def _supersedable(desk: Desk, tip: WorkTip | None, present: str) -> list[tuple[str, str]]:
    rows, _ = await tips.listed(desk.session, desk.person, state=TipState.RELEASED)
    found = {str(row.id): row for row in rows if tip is None or row.id != tip.id}
    if present.isdecimal() and present not in found and len(present) < 10:
        other = await desk.session.get(WorkTip, int(present))
        found |= {present: other} if other is not None and other.state in tips.NUMBERED else {}
    named = [(key, f"{tip_words.number(row)} {row.title}") for key, row in found.items()]
    return [("", desk.t("tips.supersedes_none")), *named]


async def _blank(desk: Desk) -> Tip:
    return Tip(title="", contact_lines=await tip_drafts.contact(desk.session))
