"""Changes of governed data: what waits for a second person, what was decided, and the page of each change."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from admin import times
from admin.change_kinds import KINDS, subject_in_words
from admin.pages import Desk, Number, Refusal, done, signed_in
from office import audit, changes, staff, units
from office.changes import Change, ChangeKind, ChangeState
from office.errors import Invalid, NotPermitted
from office.staff import Permission
from office.units import contains

router = APIRouter(prefix="/changes")
Reading = Annotated[Desk, Depends(signed_in(Permission.SEE_RULES))]
Signing = Annotated[Desk, Depends(signed_in(Permission.SIGN_RULES))]
TONES = {
    ChangeState.PROPOSED: "warn",
    ChangeState.SIGNED: "good",
    ChangeState.DROPPED: "neutral",
    ChangeState.UNDONE: "danger",
}


@router.get("")
async def show(desk: Reading) -> Response:
    """What waits for a second person, then what was decided, by kind and page."""
    asked = desk.request.query_params
    kind = ChangeKind(asked["kind"]) if asked.get("kind") in tuple(ChangeKind) else None
    page = int(asked["page"]) if asked.get("page", "").isdecimal() and len(asked["page"]) < 7 else 1
    waiting = await changes.waiting(desk.session)
    decided, total = await changes.decided(desk.session, kind=kind, page=page)
    kept = {"kind": kind.value} if kind else {}
    return desk.render(
        "console/changes.html",
        waiting=await _rows(desk, waiting),
        decided=await _rows(desk, decided),
        total=total,
        page=page,
        pages=max(1, -(-total // changes.PAGE)),
        page_base="/admin/changes?" + urlencode({**kept, "page": ""}),
        tabs=[
            {"href": "/admin/changes", "label": desk.t("changes.all"), "active": kind is None},
            *(
                {
                    "href": f"/admin/changes?kind={one.value}",
                    "label": desk.t(f"change.kind.{one.value}"),
                    "active": kind is one,
                }
                for one in ChangeKind
            ),
        ],
    )


@router.get("/{change_id}")
async def one(desk: Reading, change_id: Number) -> Response:
    """One change: who, basis, scope, days, what differs, and what may be done now."""
    return await page(desk, change_id)


@router.post("/{change_id}/sign")
async def sign(desk: Signing, change_id: Number) -> Response:
    """Put a proposal in force as its second person; the page that was read must be the present one."""
    change = await _begun(desk, change_id)
    seen = desk.form.number("version")
    await KINDS[change.kind].sign(desk, change, seen)
    return done(f"/admin/changes/{change_id}", "change_signed")


@router.post("/{change_id}/drop")
async def drop(desk: Reading, change_id: Number) -> Response:
    """Give a proposal up; the domain says who may."""
    change = await _begun(desk, change_id)
    await changes.drop(desk.session, change, actor=desk.person, now=desk.now)
    return done(f"/admin/changes/{change_id}", "change_dropped")


@router.post("/{change_id}/undo")
async def undo(desk: Signing, change_id: Number) -> Response:
    """Take a signed change out of force at once, after its reader has said to be sure."""
    change = await _begun(desk, change_id)
    if desk.form.text("sure") != "1":
        raise Invalid("change_not_sure")
    await KINDS[change.kind].undo(desk, change)
    return done(f"/admin/changes/{change_id}", "change_undone")


async def _begun(desk: Desk, change_id: int) -> Change:
    async def again(later: Desk, refusal: Refusal) -> Response:
        return await page(later, change_id, refusal)

    desk.on_refusal(again)
    return await changes.get(desk.session, change_id)


async def page(desk: Desk, change_id: int, refusal: Refusal | None = None) -> Response:
    """The page of a change, also after a refused act."""
    change = await changes.get(desk.session, change_id)
    scope = await units.get(desk.session, change.scope_unit_id)
    people = {number for number in (change.author_id, change.signer_id) if number}
    names = await staff.names(desk.session, people)
    kind = KINDS[change.kind]
    return desk.render(
        "console/change.html",
        status=refusal.status if refusal else 200,
        here=f"/admin/changes/{change_id}",
        error=refusal.words if refusal else "",
        done=desk.request.query_params.get("done", ""),
        change={
            **_about(desk, change, scope.name, names),
            "version": change.version,
            "basis": change.basis,
            "signer": names.get(change.signer_id or 0, ""),
            "signed": times.moment(change.signed_at, desk.frame.language) if change.signed_at else "",
            "review_on": times.day(change.review_on, desk.frame.language) if change.review_on else "",
        },
        address=kind.address(change),
        undo_told=desk.t(
            "changes.undo_told" if change.kind is ChangeKind.CALENDAR else "changes.undo_untold"
        ),
        shown=await kind.shown(desk, change),
        history=await _history(desk, change),
        can=await _can(desk, change, scope.path),
    )


async def _rows(desk: Desk, found: list[Change]) -> list[dict[str, Any]]:
    """The lines of a list; none of them looks at a content."""
    people = {number for change in found for number in (change.author_id, change.signer_id) if number}
    names = await staff.names(desk.session, people)
    scopes = {unit.id: unit.name for unit in await units.all_units(desk.session)} if found else {}
    return [_about(desk, change, scopes.get(change.scope_unit_id, ""), names) for change in found]


def _about(desk: Desk, change: Change, scope: str, names: dict[int, str]) -> dict[str, Any]:
    language = desk.frame.language
    days = [times.day(on, language) if on else "" for on in (change.effective_from, change.effective_until)]
    return {
        "id": change.id,
        "kind": desk.t(f"change.kind.{change.kind.value}"),
        "subject": subject_in_words(desk, change),
        "number": change.number,
        "state": desk.t(f"change.state.{change.state.value}"),
        "state_key": change.state.value,
        "tone": TONES[change.state],
        "scope": scope,
        "author": names.get(change.author_id or 0, desk.t("changes.installation")),
        "created": times.moment(change.created_at, language),
        "days": _days(desk, *days),
        "own": change.author_id == desk.person.id,
    }


def _days(desk: Desk, first: str, last: str) -> str:
    if first and last:
        return desk.t("changes.days_between", first=first, last=last)
    if first or last:
        return desk.t("changes.days_from", day=first) if first else desk.t("changes.days_until", day=last)
    return desk.t("changes.days_always")


async def _history(desk: Desk, change: Change) -> list[dict[str, str]]:
    lines, _ = await audit.listed(desk.session, subject=f"change:{change.id}")
    return [
        {
            "time": times.moment(line.at, desk.frame.language),
            "who": line.actor_name if line.actor_kind == "staff" else desk.t(f"actor.{line.actor_kind}"),
            "what": desk.t_or(f"act.{line.action}", line.action),
            "tone": "good" if line.action == "change.sign" else "neutral",
        }
        for line in reversed(lines)
    ]


async def _can(desk: Desk, change: Change, scope_path: str) -> dict[str, Any]:
    """What this person may do next, and why not, as the domain will see it."""
    within = contains(await staff.reach(desk.session, desk.person), scope_path)
    signs = within and desk.may(Permission.SIGN_RULES)
    own = change.author_id == desk.person.id
    found: dict[str, Any] = {"sign": False, "drop": False, "undo": False, "why_not": ""}
    if change.state is ChangeState.SIGNED:
        return found | {"undo": signs}
    if change.state is not ChangeState.PROPOSED:
        return found
    found["drop"] = signs or (own and within and desk.may(Permission.DRAFT_RULES))
    if not signs:
        return found | {"why_not": "changes.only_signers"}
    try:
        await staff.second_person(desk.session, desk.person, change.author_id, now=desk.now)
    except NotPermitted as refused:
        return found | {"why_not": f"refused.{refused.key}"}
    return found | {"sign": True}
