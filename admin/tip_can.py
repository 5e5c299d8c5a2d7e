"""What a member of staff can do with a work tip now, and in words why not."""

from __future__ import annotations

from typing import Any

from admin.pages import Desk
from knowledge import tip_moves, tips
from knowledge.tips import TipState, WorkTip
from office import staff
from office.errors import NotPermitted
from office.staff import Permission
from office.units import Unit, contains
from ticketing import tip_effect

T = TipState


async def can(desk: Desk, tip: WorkTip) -> dict[str, Any]:
    """Which acts are worth showing to this person, and in words why a release is not among them."""
    unit = await desk.session.get_one(Unit, tip.unit_id)
    near = contains(await staff.reach(desk.session, desk.person), unit.path)
    drafts = near and desk.may(Permission.DRAFT_ENTRIES)
    publishes = near and desk.may(Permission.PUBLISH_ENTRIES)
    in_review, standing = tip.state is T.IN_REVIEW, tip.state is T.RELEASED
    why = await own(desk, tip) if in_review or _late(tip) else ""
    return {
        "edit": drafts and tip.state is T.DRAFT,
        "submit": drafts and tip.state is T.DRAFT,
        "delete": drafts and tip.state is T.DRAFT and tip.submitted_at is None,
        "release": in_review and publishes and not why,
        "why_not": why or desk.t("tips.only_publishers") if in_review and (why or not publishes) else "",
        "look_over": in_review and drafts and not why and tip.checker_id is None,
        "send_back": in_review and publishes,
        "take_back": in_review and drafts and (bool(why) or not publishes),
        "withdraw": standing and publishes,
        "correct": standing and drafts,
        "in_effect": standing and publishes and _late(tip) and not why,
        "board": tip.state in tips.NUMBERED,
    }


async def held(desk: Desk, tip: WorkTip) -> str:
    """Why a tip's entries are not in force though its time came, in words."""
    found = await tip_effect.waiting(desk.session, tip)
    return desk.t(f"tipheld.{found.why}", entries=desk.t("list.comma").join(found.entries)) if found else ""


def _late(tip: WorkTip) -> bool:
    """Whether the time of its entries came and they could not be published."""
    return tip.state is T.RELEASED and tip.stale_at is not None and tip.in_effect_at is None


async def own(desk: Desk, tip: WorkTip) -> str:
    """Why this person is no second one to the tip's authors, in words; empty for one who is."""
    try:
        await tip_moves.another(desk.session, tip, desk.person, now=desk.now)
    except NotPermitted as refusal:
        return desk.t(f"tips.not_{refusal.key}")
    return ""
