"""Group robots: entered, tested, mended, changed, taken out. Of an address only its end is ever shown."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from admin import robot_tests, times
from admin.group_states import states
from admin.pages import Desk, Number, Refusal, done, signed_in
from office import group_health, robot_addresses, robot_use, robots, staff, units
from office.contacts import Channel
from office.errors import Invalid
from office.robots import Robot
from office.staff import Permission
from office.units import Unit, contains

router = APIRouter(prefix="/robots")
Managing = Annotated[Desk, Depends(signed_in(Permission.MANAGE_STAFF))]
HERE = "/admin/robots"
DONE = ("added", "changed", "tested", "mended", "removed")


@router.get("")
async def show(desk: Managing) -> Response:
    """The robots in reach, those that have stopped first, and the form for another one."""
    return await _list(desk)


@router.post("")
async def add(desk: Managing) -> Response:
    """Enter the robot of a group."""
    desk.on_refusal(_list)
    robot = await robots.add(
        desk.session, await _unit(desk), _channel(desk), desk.form.text("title"), desk.form.text("address"),
        desk.form.text("secret"), sealer=desk.services.sealer, actor=desk.person, now=desk.now,
    )  # fmt: skip
    return done(f"{HERE}/{robot.id}", "added")


@router.get("/{robot_id}")
async def one(desk: Managing, robot_id: Number) -> Response:
    """One robot: how it is, why it stopped, and what can be done."""
    return await _one(desk, robot_id)


@router.get("/{robot_id}/progress")
async def progress(desk: Managing, robot_id: Number) -> Response:
    """Only what has become of the test message, for the page that asks for it again."""
    robot = await robots.get(desk.session, robot_id, actor=desk.person)
    return desk.render("console/robot_test.html", **await robot_tests.view(desk, robot))


@router.post("/{robot_id}")
async def change(desk: Managing, robot_id: Number) -> Response:
    """Another unit or title; another address or secret, if one is given."""
    _again(desk, robot_id)
    await robots.change(
        desk.session, robot_id, await _unit(desk), desk.form.text("title"), desk.form.text("address"),
        desk.form.text("secret"), seen=desk.form.number("version"), sealer=desk.services.sealer,
        actor=desk.person, now=desk.now,
    )  # fmt: skip
    return done(f"{HERE}/{robot_id}", "changed")


@router.post("/{robot_id}/test")
async def test(desk: Managing, robot_id: Number) -> Response:
    """A line in the group that says where it comes from."""
    _again(desk, robot_id)
    await robots.test(desk.session, robot_id, actor=desk.person, now=desk.now)
    return done(f"{HERE}/{robot_id}", "tested")


@router.post("/{robot_id}/mend")
async def mend(desk: Managing, robot_id: Number) -> Response:
    """The platform's side has been put right: what waited goes out."""
    _again(desk, robot_id)
    seen = desk.form.number("version")
    await robots.mended(desk.session, robot_id, seen=seen, actor=desk.person, now=desk.now)
    return done(f"{HERE}/{robot_id}", "mended")


@router.post("/{robot_id}/remove")
async def remove(desk: Managing, robot_id: Number) -> Response:
    """Take a robot out, and its address with it."""
    _again(desk, robot_id)
    seen = desk.form.number("version")
    await robots.remove(desk.session, robot_id, seen=seen, actor=desk.person, now=desk.now)
    return done(HERE, "removed")


def _again(desk: Desk, robot_id: int) -> None:
    async def again(fresh: Desk, refusal: Refusal) -> Response:
        return await _one(fresh, robot_id, refusal)

    desk.on_refusal(again)


async def _list(desk: Desk, refusal: Refusal | None = None) -> Response:
    reach = await staff.reach(desk.session, desk.person)
    typed = refusal.typed if refusal else {}
    found = await robots.listed(desk.session, reach)
    last = await robot_use.last_sent(desk.session, [robot.contact.id for robot in found])
    return desk.render(
        "console/robots.html",
        **_told(desk, refusal),
        here=HERE,
        rows=[_row(desk, robot, last.get(robot.contact.id)) for robot in found],
        units=await _units(desk, reach),
        channels=_channels(desk),
        signing=_signing(desk),
        # What is a credential is not sent back: it is pasted once more.
        typed={name: typed.get(name, "") for name in ("title", "unit", "channel")},
    )


async def _one(desk: Desk, robot_id: int, refusal: Refusal | None = None) -> Response:
    robot = await robots.get(desk.session, robot_id, actor=desk.person)
    reach = await staff.reach(desk.session, desk.person)
    typed = refusal.typed if refusal else {}
    last = await robot_use.last_sent(desk.session, [robot.contact.id])
    return desk.render(
        "console/robot.html",
        **_told(desk, refusal),
        here=f"{HERE}/{robot_id}",
        robot=_row(desk, robot, last.get(robot.contact.id)),
        units=await _units(desk, reach),
        signs=robot.contact.channel in robot_addresses.SIGNING,
        title=typed.get("title", robot.group.title),
        chosen=typed.get("unit", robot.unit.id),
        **await robot_tests.view(desk, robot),
    )


def _told(desk: Desk, refusal: Refusal | None) -> dict[str, Any]:
    what = desk.request.query_params.get("done", "")
    return {
        "status": refusal.status if refusal else 200,
        "error": refusal.words if refusal else "",
        "told": desk.t(f"robots.done.{what}") if what in DONE and not refusal else "",
    }


def _row(desk: Desk, robot: Robot, last: datetime | None) -> dict[str, Any]:
    health, why = group_health.of(robot.group, robot.contact, robot.row), robot.row.stopped_why
    return {
        "id": robot.row.id,
        "group": robot.group.id,
        "version": robot.version,
        "title": robot.group.title,
        "unit": robot.unit.name,
        "channel": desk.t(f"bindings.channel.{robot.contact.channel.value}"),
        "hint": robot.row.hint,
        # That nothing ails it says little of a robot that has never spoken.
        "states": states(desk, health)
        or [
            {"words": desk.t("group_health.sound"), "tone": "good"}
            if last
            else {"words": desk.t("robots.unused"), "tone": "info"}
        ],
        "last": desk.t("robots.last", at=times.moment(last, desk.frame.language)) if last else "",
        "why": desk.t_or(f"robots.why.{why}", why) if why else "",
        "since": times.moment(robot.row.stopped_at or robot.row.added_at, desk.frame.language),
        "stopped": robot.row.stopped_at is not None,
    }


async def _units(desk: Desk, reach: str) -> list[tuple[int, str]]:
    found = await units.all_units(desk.session)
    return [(unit.id, unit.name) for unit in found if contains(reach, unit.path)]


def _channels(desk: Desk) -> list[tuple[str, str]]:
    return [
        (channel.value, desk.t(f"bindings.channel.{channel.value}")) for channel in robot_addresses.ROBOTS
    ]


def _signing(desk: Desk) -> str:
    names = (desk.t(f"bindings.channel.{channel.value}") for channel in sorted(robot_addresses.SIGNING))
    return desk.t("robots.joint").join(names)


async def _unit(desk: Desk) -> Unit:
    return await units.get(desk.session, desk.form.number("unit"))


def _channel(desk: Desk) -> Channel:
    chosen = desk.form.text("channel")
    if chosen not in tuple(robot_addresses.ROBOTS):
        raise Invalid("form_broken")
    return Channel(chosen)
