"""Who may do what, how far, and when a second person is one."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from office import audit, signin, staff
from office.errors import Conflict, NotFound, NotPermitted
from office.staff import GRANTS, Permission, Role, Staff, mask_name, may, must, second_person
from office.store import Store
from office.units import Unit
from tests.make import Cast

P, R = Permission, Role
# The table of the offices, written down a second time: a change of rights must be made in both places.
MATRIX = {
    P.SEE_TICKETS: {R.DUTY_OFFICER, R.EDITOR, R.REVIEWER, R.OBSERVER},
    P.WORK_TICKETS: {R.DUTY_OFFICER, R.REVIEWER},
    P.SEE_ENTRIES: {R.REGISTRAR, R.DUTY_OFFICER, R.EDITOR, R.REVIEWER, R.OBSERVER, R.ADMIN},
    P.DRAFT_ENTRIES: {R.DUTY_OFFICER, R.EDITOR},
    P.PUBLISH_ENTRIES: {R.REVIEWER},
    P.SEE_RULES: {R.REGISTRAR, R.DUTY_OFFICER, R.EDITOR, R.REVIEWER, R.OBSERVER, R.ADMIN},
    P.DRAFT_RULES: {R.DUTY_OFFICER, R.EDITOR},
    P.SIGN_RULES: {R.REVIEWER},
    P.SEE_STAFF: {R.ADMIN},
    P.MANAGE_STAFF: {R.ADMIN},
    P.SEE_AUDIT: {R.REVIEWER, R.OBSERVER, R.ADMIN},
    P.SEE_ROLL: {R.REVIEWER, R.ADMIN},
    P.PREPARE_ROLL: {R.REVIEWER, R.ADMIN},
    P.APPLY_ROLL: {R.REVIEWER},
    P.LOOK_UP: {R.REGISTRAR},
    P.REVIEW_LOOKUPS: {R.REVIEWER},
    P.OPEN_TICKETS: {R.REGISTRAR, R.DUTY_OFFICER, R.REVIEWER},
    P.EXPORT_TICKETS: {R.DUTY_OFFICER, R.REVIEWER, R.OBSERVER},
    P.SEE_ROSTER: {R.REGISTRAR, R.DUTY_OFFICER, R.EDITOR, R.REVIEWER, R.OBSERVER, R.ADMIN},
    P.EDIT_ROSTER: {R.REVIEWER, R.ADMIN},
}


def test_every_role_and_permission_is_in_the_table() -> None:
    assert set(GRANTS) == set(Role)
    assert set(MATRIX) == set(Permission)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("permission", Permission)
def test_a_role_may_what_the_table_says_and_nothing_else(permission: Permission, role: Role) -> None:
    person = Staff(name="李强", roles=[role.value])
    assert may(person, permission) is (role in MATRIX[permission])


def test_two_roles_add_up() -> None:
    person = Staff(name="王芳", roles=[R.REVIEWER.value, R.EDITOR.value])
    assert may(person, P.PUBLISH_ENTRIES)
    assert may(person, P.DRAFT_ENTRIES)
    assert not may(person, P.MANAGE_STAFF)


def test_no_role_no_right() -> None:
    assert not any(may(Staff(name="周宁", roles=[]), permission) for permission in Permission)


async def test_who_left_or_is_suspended_may_nothing(store: Store, cast: Cast, now: datetime) -> None:
    assert not may(cast.sun_jie, P.SEE_TICKETS)
    async with store.transaction() as session:
        person = await staff.get(session, cast.li_qiang.id)
        await staff.suspend(session, person, actor=cast.zhou_ning, now=now)
        assert not may(person, P.SEE_TICKETS)
        await staff.resume(session, person, actor=cast.zhou_ning, now=now)
        assert may(person, P.SEE_TICKETS)


async def test_reach_is_ones_own_unit_and_what_lies_below(store: Store, cast: Cast) -> None:
    async with store.reading() as session:
        for unit in (cast.district, cast.riverside, cast.north):
            await must(session, cast.li_qiang, P.WORK_TICKETS, unit.path)
        await must(session, cast.zhao_lei, P.WORK_TICKETS, cast.north.path)
        for unit in (cast.district, cast.riverside):
            with pytest.raises(NotPermitted):
                await must(session, cast.zhao_lei, P.WORK_TICKETS, unit.path)


async def test_a_unit_whose_number_begins_alike_is_no_part_of_it(store: Store, cast: Cast) -> None:
    neighbour = Unit(path=cast.north.path.rstrip(".") + "0.")
    async with store.reading() as session:
        with pytest.raises(NotPermitted):
            await must(session, cast.zhao_lei, P.WORK_TICKETS, neighbour.path)


async def test_the_author_is_never_the_second_person(store: Store, cast: Cast, now: datetime) -> None:
    async with store.reading() as session:
        with pytest.raises(NotPermitted) as refused:
            await second_person(session, cast.wang_fang, cast.wang_fang.id, now=now)
        assert refused.value.key == "second_person_needed"
        await second_person(session, cast.wang_fang, cast.li_qiang.id, now=now)
        await second_person(session, cast.wang_fang, None, now=now)


async def test_an_account_the_author_made_today_is_no_second_person(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        helper, _ = await signin.invite(
            session, "周宁的同事", [R.REVIEWER], cast.district, actor=cast.zhou_ning, now=now
        )
        with pytest.raises(NotPermitted) as refused:
            await second_person(session, helper, cast.zhou_ning.id, now=now + timedelta(hours=23, minutes=59))
        assert refused.value.key == "second_person_too_new"
        await second_person(session, helper, cast.zhou_ning.id, now=now + timedelta(hours=24))
        await second_person(session, helper, cast.li_qiang.id, now=now)


async def test_an_old_account_whose_password_the_author_reset_is_no_second_person(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        await signin.new_way_in(session, cast.wang_fang, actor=cast.zhou_ning, now=now)
        with pytest.raises(NotPermitted):
            await second_person(session, cast.wang_fang, cast.zhou_ning.id, now=now)


async def test_only_an_administrator_in_reach_manages_staff_and_never_themselves(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        person = await staff.get(session, cast.li_qiang.id)
        for other in (cast.wang_fang, cast.zhao_lei, cast.sun_jie):
            with pytest.raises(NotPermitted):
                await staff.suspend(session, person, actor=other, now=now)
        with pytest.raises(Conflict) as refused:
            await staff.deactivate(session, cast.zhou_ning, actor=cast.zhou_ning, now=now)
    assert refused.value.key == "not_yourself"
    assert person.active


async def test_an_administrator_of_a_town_has_no_hand_in_the_district(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        town_admin, _ = await signin.invite(session, "吴敏", [R.ADMIN], cast.north, actor=None, now=now)
        with pytest.raises(NotPermitted):
            await staff.suspend(session, cast.li_qiang, actor=town_admin, now=now)
        with pytest.raises(NotPermitted):
            await signin.invite(session, "孙洁", [R.ADMIN], cast.district, actor=town_admin, now=now)
        with pytest.raises(NotPermitted):
            await signin.new_way_in(session, cast.zhou_ning, actor=town_admin, now=now)


async def test_a_name_stays_readable_after_its_person_has_left(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        person = await staff.get(session, cast.li_qiang.id)
        await staff.deactivate(session, person, actor=cast.zhou_ning, now=now)
        assert await staff.names(session, {person.id}) == {person.id: "李强"}
        (line,), _ = await audit.listed(session, action="staff.deactivate")
        assert (line.actor_name, line.subject) == ("周宁", f"staff:{person.id}")
        with pytest.raises(NotFound):
            await staff.get(session, 9999)


async def test_staff_are_listed_within_a_path(store: Store, cast: Cast) -> None:
    async with store.reading() as session:
        assert [p.name for p in await staff.all_staff(session, cast.north.path)] == ["赵磊"]
        assert len(await staff.all_staff(session, cast.district.path)) == 5


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("李强", "李*"),
        ("张小三", "张*三"),
        ("欧阳春雨", "欧阳*"),
        ("欧阳", "欧*"),
        ("阿里木·买买提", "阿*"),
        ("王", "*"),
        ("", "*"),
    ],
)
def test_names_are_masked(name: str, masked: str) -> None:
    assert mask_name(name) == masked
