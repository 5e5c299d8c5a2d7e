"""One bound group: how it can be reached, where in it work tips are posted, and in which language."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from admin import times
from admin.group_states import states
from admin.pages import Desk, Number, Refusal, done, signed_in
from office import chat_groups, group_health, group_settings, robot_use, robots, units
from office.bindings import ChatGroup, GroupState
from office.contacts import Channel, Contact
from office.errors import Invalid, NotFound
from office.staff import Permission
from office.words import LANGUAGES

router = APIRouter(prefix="/bindings/groups")
Managing = Annotated[Desk, Depends(signed_in(Permission.MANAGE_STAFF))]
_NUMBER = re.compile(r"[0-9]{1,10}")
# A message's address in a group with topics: the topic stands before the message.
_ADDRESS = re.compile(r"https://t\.me/(?:c/[0-9]+|[A-Za-z0-9_]+)/([0-9]{1,10})(?:/[0-9]+)?")


@router.get("/{group_id}")
async def show(desk: Managing, group_id: Number) -> Response:
    """The group with its state and the form of its settings."""
    return await _page(desk, group_id)


@router.post("/{group_id}/settings")
async def settle(desk: Managing, group_id: Number) -> Response:
    """Choose the topic for work tips, and the language."""

    async def again(fresh: Desk, refusal: Refusal) -> Response:
        return await _page(fresh, group_id, refusal)

    desk.on_refusal(again)
    await group_settings.settle(
        desk.session, group_id, topic=_topic(desk.form.text("topic")), language=desk.form.text("language"),
        seen=desk.form.number("version"), actor=desk.person, now=desk.now,
    )  # fmt: skip
    return done(f"/admin/bindings/groups/{group_id}", "settled")


def _topic(typed: str) -> int | None:
    """The number of a topic: typed as it is, or out of the address of a message in it; None for nothing."""
    text = typed.strip()
    if not text:
        return None
    found = _ADDRESS.fullmatch(text)
    if found is None and not _NUMBER.fullmatch(text):
        raise Invalid("group.topic")
    return int(found[1] if found else text)


async def _page(desk: Desk, group_id: int, refusal: Refusal | None = None) -> Response:
    group = await chat_groups.get(desk.session, group_id, actor=desk.person)
    if group.state not in (GroupState.BOUND, GroupState.LOST):
        raise NotFound("group.unknown")
    contact = await desk.session.get_one(Contact, group.contact_id)
    robot = await robots.of_contact(desk.session, contact.id)
    health = group_health.of(group, contact, robot.row if robot else None)
    used = robot is None or await robot_use.last_sent(desk.session, [contact.id])
    typed = refusal.typed if refusal else {}
    return desk.render(
        "console/group.html",
        status=refusal.status if refusal else 200,
        error=refusal.words if refusal else "",
        told=desk.t("groups.settled") if desk.request.query_params.get("done") == "settled" else "",
        here=f"/admin/bindings/groups/{group_id}",
        group=group,
        unit=(await units.get(desk.session, group.unit_id)).name,
        channel=desk.t(f"bindings.channel.{contact.channel.value}"),
        purpose=desk.t(f"group_purpose.{group.purpose.value}"),
        states=states(desk, health)
        or [
            {"words": desk.t("group_health.sound"), "tone": "good"}
            if used
            else {"words": desk.t("robots.unused"), "tone": "info"}
        ],
        since=_since(desk, group),
        robot_id=robot.row.id if robot else None,
        bound=group.state is GroupState.BOUND,
        has_topics=contact.channel is Channel.TELEGRAM,
        topic=typed.get("topic", group.topics.get(group_settings.TIPS, "")),
        language=typed.get("language", contact.language),
        languages=[(name, desk.t(f"groups.language.{name}")) for name in LANGUAGES],
    )


def _since(desk: Desk, group: ChatGroup) -> list[tuple[str, str]]:
    """When what ails the group began, or when it last got another number."""
    moments = (
        ("restricted", group.restricted_at), ("silent", group.silent_since), ("moved", group.moved_at),
    )  # fmt: skip
    return [
        (desk.t(f"group_health.{name}"), times.moment(at, desk.frame.language))
        for name, at in moments
        if at is not None
    ]
