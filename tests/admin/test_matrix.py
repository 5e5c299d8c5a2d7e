"""Every console address for every role, and about what belongs to a sibling unit or to the parent unit.

Generated from the routes themselves: a new one is in it as soon as it exists. What must never happen is an
answer other than a refusal where permission or reach is missing; what one may do is tested elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge.tips import WorkTip
from office import chat_invites, contacts, robots
from office.contacts import Channel
from office.hours import beijing_day
from office.rosters import Roster
from office.seal import Sealer
from office.shifts import DutyShift, ShiftName
from office.staff import GRANTS, Permission, Role, Staff
from office.store import Store
from office.units import Unit
from tests.admin.conftest import Browser, Clock
from tests.make import Cast, a_ticket
from tests.servers.robots import WECOM
from tests.shape.test_routes import of_console
from ticketing import call_backs
from ticketing.call_backs import CallBackKind
from ticketing.clusters import Cluster
from ticketing.handovers import Handover
from ticketing.ledgers import Enquiry, Outcome
from ticketing.swaps import DutySwap

pytestmark = pytest.mark.parametrize("templates", ["sqlite"], indirect=True)

SignedIn = Callable[[Staff], Any]
Route = tuple[str, str]
SECRET = "只有本单位能看的一句话"
REFUSED = (403, 404)
# A form may be found wanting before it is asked whose it is; what counts is that nothing is done or shown.
NOT_DONE = (*REFUSED, 409, 410, 413, 422)
# A stream that stays open; and the first address, which leads everybody to a page of their own.
LEFT_OUT = {("GET", "/admin/queue/stream"), ("GET", "/admin")}


def guarded() -> Iterator[tuple[Route, Permission]]:
    """Every route that demands a permission."""
    for route, permissions in sorted(of_console().items()):
        if permissions and permissions[0] is not None and route not in LEFT_OUT:
            yield route, permissions[0]


def address(path: str, objects: dict[str, int]) -> str:
    """The address with the numbers of these objects in it; 1 for what is not among them."""
    return re.sub(r"\{(\w+)\}", lambda name: str(objects.get(name[1], 1)), path)


async def person(session: AsyncSession, name: str, unit: Unit, roles: list[Role], clock: Clock) -> Staff:
    found = Staff(name=name, unit_id=unit.id, roles=[role.value for role in roles], created_at=clock.now)
    session.add(found)
    await session.flush()
    return found


async def send(desk: Browser, route: Route, at: str) -> Any:
    if route[0] == "GET":
        return await desk.client.get(at)
    return await desk.post(at, {"version": "1", "reason": "试一试", "text": "试一试", "words": "试一试"})


@pytest.mark.parametrize("role", Role)
async def test_no_role_gets_where_it_has_no_permission(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, role: Role
) -> None:
    async with store.transaction() as session:
        somebody = await person(session, "韩梅", cast.district, [role], clock)
        await a_ticket(session, cast, clock.now)
    desk = await signed_in(somebody)
    await desk.get("/admin/me")
    let_in = []
    for route, needed in guarded():
        if needed not in GRANTS[role]:
            answered = await send(desk, route, address(route[1], {}))
            if answered.status_code not in REFUSED:
                let_in.append((*route, answered.status_code))
    assert let_in == []


async def belongings(session: AsyncSession, cast: Cast, unit: Unit, clock: Clock) -> dict[str, int]:
    """One of everything that belongs to a unit, by the names that addresses give them."""
    now = clock.now
    officer = await person(session, "同事", unit, [Role.DUTY_OFFICER], clock)
    ticket = await a_ticket(session, cast, now, words=SECRET, unit=unit)
    call = await call_backs.put(
        session, key=f"t:{ticket.id}", kind=CallBackKind.PROMISED, ticket=ticket, point=SECRET, now=now
    )
    assert call is not None
    enquiry = Enquiry(
        contact_id=None, channel=Channel.PHONE, words=SECRET, outcome=Outcome.ON_THE_SPOT, offered=[],
        unit_id=unit.id, staff_id=officer.id, at=now, business_day=beijing_day(now), particulars={},
    )  # fmt: skip
    cluster = Cluster(
        cluster_no=f"C-1120-{unit.id}", title=SECRET, lead_id=ticket.id, unit_id=unit.id,
        first_asked_at=now, created_at=now, created_by_id=officer.id,
    )  # fmt: skip
    tip = WorkTip(
        title=SECRET, unit_id=unit.id, sources={}, drafter_id=officer.id, created_at=now, changed_at=now
    )
    roster = Roster(unit_id=unit.id, rows=[], findings=[], prepared_by_id=officer.id, prepared_at=now)
    shift = DutyShift(
        unit_id=unit.id, day=beijing_day(now), name=ShiftName.WHOLE_DAY, opens="8:30", closes="17:30",
        officer_id=officer.id, note=SECRET,
    )  # fmt: skip
    session.add_all([enquiry, cluster, tip, roster, shift])
    await session.flush()
    swap = DutySwap(shift_id=shift.id, from_id=officer.id, to_id=officer.id, reason=SECRET, asked_at=now)
    handover = Handover(unit_id=unit.id, from_id=officer.id, snapshot={}, message=SECRET, made_at=now)
    session.add_all([swap, handover])
    binding, token = await chat_invites.invite(session, officer, actor=cast.zhou_ning, now=now)
    contact = await contacts.seen(session, Channel.TELEGRAM, f"9{unit.id}", now=now)
    await chat_invites.follow(session, token, contact, now=now)
    await session.flush()
    robot = await robots.add(
        session, unit, Channel.WECOM_ROBOT, SECRET, WECOM.format(f"invented-{unit.id:04}"), "",
        sealer=Sealer(b""), actor=cast.zhou_ning, now=now,
    )  # fmt: skip
    return {
        "robot_id": robot.id, "unit_id": unit.id, "ticket_id": ticket.id,
        "call_id": call.id, "enquiry_id": enquiry.id, "cluster_id": cluster.id,
        "tip_id": tip.id, "roster_id": roster.id, "shift_id": shift.id, "swap_id": swap.id,
        "handover_id": handover.id, "staff_id": officer.id, "binding_id": binding.id,
    }  # fmt: skip


@pytest.mark.parametrize("place", ["sibling", "parent"])
async def test_nothing_of_another_unit_is_shown_or_done(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, place: str
) -> None:
    async with store.transaction() as session:
        everything = await person(session, "全能", cast.riverside, list(Role), clock)
        unit = cast.north if place == "sibling" else cast.district
        objects = await belongings(session, cast, unit, clock)
    desk = await signed_in(everything)
    await desk.get("/admin/me")
    named = [route for route, _ in guarded() if any(f"{{{name}}}" in route[1] for name in objects)]
    assert len(named) > 60
    reached = []
    for route in named:
        answered = await send(desk, route, address(route[1], objects))
        if answered.status_code not in NOT_DONE or SECRET in answered.text:
            reached.append((*route, answered.status_code))
    assert reached == []
    assert {name for name in objects if not any(f"{{{name}}}" in path for _, path in named)} == set()


async def test_lists_show_nothing_of_another_unit(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    async with store.transaction() as session:
        everything = await person(session, "全能", cast.riverside, list(Role), clock)
        for unit in (cast.north, cast.district):
            await belongings(session, cast, unit, clock)
    desk = await signed_in(everything)
    await desk.get("/admin/me")
    told = []
    for route, _ in guarded():
        if route[0] == "GET" and "{" not in route[1]:
            answered = await desk.client.get(route[1])
            if answered.status_code >= 500 or SECRET in answered.text:
                told.append((*route, answered.status_code))
    assert told == []
