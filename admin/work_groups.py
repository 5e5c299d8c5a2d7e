"""The functional groups: which topics each answers, and who is in it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from admin.pages import Desk, Number, Refusal, done, signed_in
from knowledge.versions import topics
from office import staff, units, work_groups
from office.errors import Invalid
from office.staff import Permission, Staff
from office.work_groups import WorkGroup
from ticketing import assigning

router = APIRouter(prefix="/groups")
Reading = Annotated[Desk, Depends(signed_in(Permission.SEE_STAFF))]
Managing = Annotated[Desk, Depends(signed_in(Permission.MANAGE_STAFF))]


@router.get("")
async def show(desk: Reading) -> Response:
    """All groups with their topics and members."""
    return await _show(desk)


@router.post("")
async def make(desk: Managing) -> Response:
    """Make a group of the district's own."""
    _again(desk)
    name, wanted = desk.form.text("name"), _topics(desk)
    await work_groups.add_group(desk.session, name, wanted, actor=desk.person, now=desk.now)
    return done("/admin/groups", "saved")


@router.post("/{group_id}")
async def change(desk: Managing, group_id: Number) -> Response:
    """Give a group another name and other topics; its open tickets go along."""
    _again(desk)
    group = await work_groups.get(desk.session, group_id)
    before, name = group.name, desk.form.text("name")
    await work_groups.change(desk.session, group, name, _topics(desk), actor=desk.person, now=desk.now)
    await assigning.regroup(desk.session, before, group.name)
    return done("/admin/groups", "saved")


@router.post("/{group_id}/retire")
async def retire(desk: Managing, group_id: Number) -> Response:
    """End a group."""
    _again(desk)
    group = await work_groups.get(desk.session, group_id)
    await work_groups.retire(desk.session, group, actor=desk.person, now=desk.now)
    return done("/admin/groups", "saved")


@router.post("/{group_id}/members")
async def add(desk: Managing, group_id: Number) -> Response:
    """Put somebody into a group."""
    _again(desk)
    group, person = await work_groups.get(desk.session, group_id), await _person(desk)
    await work_groups.add(desk.session, group, person, actor=desk.person, now=desk.now)
    return done("/admin/groups", "saved")


@router.post("/{group_id}/members/{staff_id}/remove")
async def remove(desk: Managing, group_id: Number, staff_id: Number) -> Response:
    """Take somebody out of a group."""
    _again(desk)
    group = await work_groups.get(desk.session, group_id)
    person = await staff.get(desk.session, staff_id)
    await work_groups.remove(desk.session, group, person, actor=desk.person, now=desk.now)
    return done("/admin/groups", "saved")


def _again(desk: Desk) -> None:
    desk.on_refusal(_show)


async def _show(desk: Desk, refusal: Refusal | None = None) -> Response:
    people = [
        person
        for person in await staff.all_staff(desk.session, (await units.election_office(desk.session)).path)
        if person.active
    ]
    rows = [await _row(desk, group, people) for group in await work_groups.listed(desk.session, retired=True)]
    return desk.render(
        "console/work_groups.html",
        status=refusal.status if refusal else 200,
        rows=rows,
        topics=[(topic.id, topic.meaning) for topic in topics().values()],
        may_manage=desk.may(Permission.MANAGE_STAFF),
        error=refusal.words if refusal else "",
        typed=refusal.typed if refusal else {},
        done=desk.request.query_params.get("done", ""),
        here="/admin/groups",
    )


async def _row(desk: Desk, group: WorkGroup, people: list[Staff]) -> dict[str, Any]:
    members = await work_groups.members(desk.session, group)
    within, known = {person.id for person in members}, topics()
    return {
        "id": group.id,
        "name": group.name,
        "topics": list(group.topics),
        "meanings": [known[topic].meaning for topic in group.topics if topic in known],
        "members": [(person.id, person.name) for person in members],
        "others": [(person.id, person.name) for person in people if person.id not in within],
        "retired": group.retired_at is not None,
    }


def _topics(desk: Desk) -> list[str]:
    wanted = desk.form.all("topics")
    if any(topic not in topics() for topic in wanted):
        raise Invalid("form_broken")
    return list(wanted)


async def _person(desk: Desk) -> Staff:
    if not desk.form.text("person"):
        raise Invalid("to_needed")
    return await staff.get(desk.session, desk.form.number("person"))
