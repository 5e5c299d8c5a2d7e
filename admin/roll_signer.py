"""Whose packages are taken: the public key of the offline machine, entered by one, signed by another."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from admin.pages import Desk, Refusal, done, signed_in
from knowledge.roll import signers
from office import changes
from office.changes import ChangeKind
from office.errors import Invalid
from office.staff import Permission

router = APIRouter(prefix="/roll-signer")
Reading = Annotated[Desk, Depends(signed_in(Permission.SEE_RULES))]
Drafting = Annotated[Desk, Depends(signed_in(Permission.DRAFT_RULES))]
LONGEST_BASIS = 500
FIELDS = ("public_key", "election", "key_id", "basis")


@router.get("")
async def show(desk: Reading) -> Response:
    """The signer in force, what waits for a signature, and the form."""
    return await _page(desk)


@router.post("")
async def propose(desk: Drafting) -> Response:
    """Propose a signer; a second person compares it aloud with the offline machine and signs."""
    desk.on_refusal(_page)
    form = desk.form
    signer = signers.read(form.text("public_key"), form.text("election"), form.text("key_id"))
    basis = form.text("basis")
    if len(basis) > LONGEST_BASIS:
        raise Invalid("change_basis")
    change = await signers.propose(desk.session, signer, basis=basis, actor=desk.person, now=desk.now)
    return done(f"/admin/changes/{change.id}", "change_proposed")


def aloud(key: str) -> str:
    """A key in groups of four, as two people read it to each other."""
    return " ".join(key[first : first + 4] for first in range(0, len(key), 4))


async def _page(desk: Desk, refusal: Refusal | None = None) -> Response:
    signer = await signers.in_force(desk.session, now=desk.now)
    waiting = [c for c in await changes.waiting(desk.session) if c.kind is ChangeKind.SIGNER]
    return desk.render(
        "console/roll_signer.html",
        status=refusal.status if refusal else 200,
        here="/admin/roll-signer",
        error=refusal.words if refusal else "",
        error_key=refusal.key if refusal else "",
        typed={name: desk.form.text(name) for name in FIELDS},
        signer={"public_key": aloud(signer.public_key), "election": signer.election, "key_id": signer.key_id}
        if signer
        else None,
        waiting=waiting[0].id if waiting else 0,
        longest=LONGEST_BASIS,
        can_propose=desk.may(Permission.DRAFT_RULES),
        sees_roll=desk.may(Permission.SEE_ROLL),
    )
