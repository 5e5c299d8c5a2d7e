"""The page of functional groups: made, changed, peopled and ended by whoever manages staff."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from office import audit, work_groups
from office.errors import Conflict, Invalid, NotPermitted
from office.staff import Staff
from office.store import Store
from tests.admin.conftest import Browser, Clock
from tests.make import Cast
from tests.ticketing.work import opened, read

pytestmark = pytest.mark.parametrize("templates", ["sqlite"], indirect=True)
SignedIn = Callable[[Staff], Awaitable[Browser]]
PAGE = "/admin/groups"


@pytest.fixture
async def installed(store: Store, clock: Clock) -> None:
    async with store.transaction() as session:
        assert await work_groups.install(session, now=clock()) == 4
        assert await work_groups.install(session, now=clock()) == 0


async def names(store: Store) -> list[str]:
    async with store.reading() as session:
        return [group.name for group in await work_groups.listed(session)]


@pytest.mark.usefixtures("installed")
async def test_the_shipped_groups_share_all_topics_between_them(store: Store) -> None:
    assert await names(store) == ["信息组", "登记组", "秘书组", "宣传组"]
    async with store.reading() as session:
        topics = [topic for group in await work_groups.listed(session) for topic in group.topics]
        assert len(topics) == len(set(topics)) > 50
        assert await work_groups.group_of(session, "reg_docs") == "登记组"
        assert await work_groups.group_of(session, "st_import") == "信息组"
        assert await work_groups.group_of(session, "") == ""


@pytest.mark.usefixtures("installed")
async def test_an_administrator_makes_changes_and_ends_groups(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    ticket = await opened(store, cast, clock(), topic="st_import")
    assert ticket.group == "信息组"
    admin = await signed_in(cast.zhou_ning)
    page = await admin.get(PAGE)
    assert page.status_code == 200
    assert "流动选民" in page.text or "登记" in page.text
    assert (await admin.post(PAGE, {"name": "法制组", "topics": ["misconduct"]})).status_code == 303
    assert "法制组" in await names(store)
    async with store.reading() as session:
        first = await work_groups.named(session, "信息组")
    assert first is not None
    await admin.get(PAGE)
    changed = await admin.post(f"{PAGE}/{first.id}", {"name": "平台组", "topics": ["st_import", "reg_docs"]})
    assert changed.status_code == 303
    # Open tickets go along, and a topic goes to one group only.
    assert (await read(store, ticket)).group == "平台组"
    async with store.reading() as session:
        assert await work_groups.group_of(session, "reg_docs") == "平台组"
        registering = await work_groups.named(session, "登记组")
    assert registering is not None
    assert "reg_docs" not in registering.topics
    added = await admin.post(f"{PAGE}/{first.id}/members", {"person": str(cast.li_qiang.id)})
    assert added.status_code == 303
    assert "李强" in (await admin.get(PAGE)).text
    async with store.reading() as session:
        assert [one.name for one in await work_groups.members_of(session, "平台组")] == ["李强"]
        assert list(await work_groups.of_person(session, cast.li_qiang)) == ["平台组"]
    assert (await admin.post(f"{PAGE}/{first.id}/members/{cast.li_qiang.id}/remove")).status_code == 303
    assert (await admin.post(f"{PAGE}/{first.id}/retire")).status_code == 303
    assert "平台组" not in await names(store)
    async with store.reading() as session:
        lines, _ = await audit.listed(session, action="work_group.")
    assert [line.action.split(".")[1] for line in reversed(lines)] == [
        "install", "make", "change", "add", "remove", "retire",
    ]  # fmt: skip


@pytest.mark.usefixtures("installed")
async def test_a_name_stands_once_and_a_refused_form_is_shown_again(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    admin = await signed_in(cast.zhou_ning)
    await admin.get(PAGE)
    for name, status in (("信息组", 409), (" ", 422), ("法" * 21, 422)):
        refused = await admin.post(PAGE, {"name": name})
        assert refused.status_code in (status, 400)
        assert "承办组" in refused.text
    assert (await admin.post(PAGE, {"name": "甲组", "topics": ["没有"]})).status_code in (400, 422)


@pytest.mark.usefixtures("installed")
async def test_only_who_manages_staff_changes_groups(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    officer = await signed_in(cast.li_qiang)
    assert (await officer.get(PAGE)).status_code == 403
    async with store.transaction() as session:
        (group, *_) = await work_groups.listed(session)
        with pytest.raises(NotPermitted):
            await work_groups.add(session, group, cast.li_qiang, actor=cast.wang_fang, now=clock())
        with pytest.raises(Invalid, match="group_member_unfit"):
            await work_groups.add(session, group, cast.sun_jie, actor=cast.zhou_ning, now=clock())
        await work_groups.retire(session, group, actor=cast.zhou_ning, now=clock())
        with pytest.raises(Conflict):
            await work_groups.retire(session, group, actor=cast.zhou_ning, now=clock())
