"""People and the audit as pages."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from sqlalchemy import text

from knowledge.checks import CheckState, PublicationCheck
from knowledge.versions import Entry
from office import audit, signin, staff
from office.staff import Role, Staff
from office.store import Store
from tests.admin.conftest import PASSWORD, Browser, Clock
from tests.make import Cast, a_ticket, an_entry

SignedIn = Callable[[Staff], Awaitable[Browser]]


async def test_link_of_an_invitation_is_shown_once_and_lets_its_owner_in(
    store: Store, cast: Cast, signed_in: SignedIn, browsing: Callable[..., Browser]
) -> None:
    desk = await signed_in(cast.zhou_ning)
    await desk.get("/admin/staff")
    fields = {"name": "钱一", "unit": str(cast.riverside.id), "roles": ["duty_officer", "editor"]}
    made = await desk.post("/admin/staff", fields)
    assert made.status_code == 303
    assert "invite" not in made.headers["location"]
    page = await desk.get(made.headers["location"])
    link = re.search(r"http://desk\.test(/admin/invite/[\w-]+)", page.text)
    assert link is not None
    assert "/admin/invite/" not in (await desk.get(made.headers["location"])).text

    guest = browsing()
    assert "钱一，您好" in (await guest.get(link[1])).text
    accepted = {"username": "qianyi", "password": PASSWORD, "password_again": PASSWORD}
    assert (await guest.post(link[1], accepted)).status_code == 303
    async with store.reading() as session:
        person = (await staff.all_staff(session, "."))[-1]
        assert (person.name, person.roles, person.unit_id) == (
            "钱一", ["duty_officer", "editor"], cast.riverside.id,
        )  # fmt: skip


async def test_planted_link_is_not_shown(cast: Cast, signed_in: SignedIn) -> None:
    desk = await signed_in(cast.zhou_ning)
    desk.client.cookies.set("one-window-link", "evil-token." + "0" * 64)
    page = await desk.get(f"/admin/staff/{cast.li_qiang.id}?done=link_made")
    assert "evil-token" not in page.text


async def test_refused_invitation_keeps_what_was_typed(cast: Cast, signed_in: SignedIn) -> None:
    desk = await signed_in(cast.zhou_ning)
    await desk.get("/admin/staff")
    refused = await desk.post("/admin/staff", {"name": "钱一", "unit": str(cast.north.id)})
    assert refused.status_code == 422
    assert 'value="钱一"' in refused.text
    assert f'<option value="{cast.north.id}" selected>' in refused.text
    planted = await desk.post(
        "/admin/staff", {"name": "钱一", "unit": str(cast.north.id), "roles": "superuser"}
    )
    assert planted.status_code == 422


async def test_suspended_person_is_out_at_once_and_can_be_resumed(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    admin, officer = await signed_in(cast.zhou_ning), await signed_in(cast.li_qiang)
    base = f"/admin/staff/{cast.li_qiang.id}"
    await admin.get(base)
    assert (await admin.post(f"{base}/suspend")).status_code == 303
    assert (await officer.get("/admin")).status_code == 303
    assert "已冻结" in (await admin.get(base)).text
    await admin.post(f"{base}/resume")
    assert (await officer.get("/admin")).status_code == 303  # its old sign-in stays ended
    await admin.post(f"{base}/deactivate")
    assert "已停用" in (await admin.get(base)).text
    async with store.reading() as session:
        assert await signin.sign_ins(session, cast.li_qiang, now=clock()) == []


async def test_nobody_manages_the_own_account_or_people_out_of_reach(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    async with store.transaction() as session:
        local = Staff(name="吴二", unit_id=cast.north.id, roles=[Role.ADMIN], created_at=clock())
        session.add(local)
    desk = await signed_in(cast.zhou_ning)
    own = f"/admin/staff/{cast.zhou_ning.id}"
    await desk.get(own)
    assert (await desk.post(f"{own}/suspend")).status_code == 409

    north = await signed_in(local)
    page = await north.get("/admin/staff")
    assert "赵磊" in page.text
    assert "李强" not in page.text
    other = f"/admin/staff/{cast.li_qiang.id}"
    assert (await north.client.get(other)).status_code == 404
    for act in ("link", "suspend", "resume", "deactivate"):
        assert (await north.post(f"{other}/{act}")).status_code == 404
    upward = {"name": "钱一", "unit": str(cast.district.id), "roles": "admin"}
    assert (await north.post("/admin/staff", upward)).status_code == 403


async def test_audit_lists_newest_first_and_filters(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    async with store.transaction() as session:
        ticket = await a_ticket(session, cast, clock())
    desk = await signed_in(cast.wang_fang)
    await desk.get(f"/admin/tickets/{ticket.id}")
    await desk.post(f"/admin/tickets/{ticket.id}/take")
    page = (await desk.get("/admin/audit")).text
    assert page.index("认领") < page.index("登记</td>")
    assert "待派 → 办理中" in page
    assert f'href="/admin/tickets/{ticket.id}"' in page
    assert "没有记录" in (await desk.get("/admin/audit?action=staff.")).text
    assert "待派 → 办理中" in (await desk.get(f"/admin/audit?q=ticket:{ticket.id}")).text
    assert "没有记录" in (await desk.get("/admin/audit?q=ticket:999")).text


async def test_audit_names_what_its_lines_are_about(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    async with store.transaction() as session:
        ticket = await a_ticket(session, cast, clock())
        version = await an_entry(session, cast, clock())
        entry = await session.get_one(Entry, version.entry_id)
        await audit.record(
            session, "entry_version.edit", f"entry_version:{version.id}", actor=audit.SYSTEM, now=clock()
        )
        await audit.record(
            session, "contact.forget", f"contact:{cast.zhang_min.id}", actor=audit.SYSTEM, now=clock(),
            certificate="F-1",
        )  # fmt: skip
        check = PublicationCheck(
            version_id=version.id, seen=1, base_revision=1, model_digest="", questions="", figures={},
            changes=[], state=CheckState.BLOCKED, made_by_id=cast.wang_fang.id, made_at=clock(),
        )  # fmt: skip
        session.add(check)
        await session.flush()
        await audit.record(
            session, "publication_check.ask_override", f"publication_check:{check.id}", actor=audit.SYSTEM,
            now=clock(), faults="wrong_more, resolved_less",
        )  # fmt: skip
    page = (await (await signed_in(cast.wang_fang)).get("/admin/audit")).text
    assert (
        f'>{entry.entry_no} 第{version.number}版</span><br><span class="soft small">发布前检查</span>' in page
    )
    assert "超出限度 答错增加太多、能帮上的减少太多" in page
    assert "wrong_more" not in page
    assert f">{ticket.ticket_no}</a>" in page
    assert f">{entry.entry_no} 第{version.number}版</span>" in page
    assert f">提问的人 {cast.zhang_min.id}</span>" in page
    assert "删除提问人的信息" in page
    assert "contact.forget" not in page


async def test_audit_says_whether_the_chain_holds(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    async with store.transaction() as session:
        await a_ticket(session, cast, clock())
        await a_ticket(session, cast, clock(), "另一个问题")
    desk = await signed_in(cast.wang_fang)
    # Two tickets, and the calendar of the sample.
    assert "3条记录前后相连" in (await desk.get("/admin/audit?check=1")).text
    async with store.transaction() as session:
        # Triggers refuse a change of rows; the end of the chain is what remains to be forged.
        await session.execute(text("UPDATE audit_head SET count = count + 1"))
    assert "审计记录被改动过" in (await desk.get("/admin/audit?check=1")).text


async def test_audit_is_for_those_who_answer_for_the_whole_office(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    async with store.transaction() as session:
        local = Staff(name="吴二", unit_id=cast.north.id, roles=[Role.REVIEWER], created_at=clock())
        session.add(local)
    assert (await (await signed_in(local)).get("/admin/audit")).status_code == 403
    assert (await (await signed_in(cast.li_qiang)).get("/admin/audit")).status_code == 403
    assert (await (await signed_in(cast.zhou_ning)).get("/admin/audit")).status_code == 200
