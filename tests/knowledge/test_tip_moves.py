"""From draft to review and back: what is missing, who has gone over it, with which remark it returns."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from knowledge import misworded, packs, tip_drafts, tip_moves
from knowledge.tips import Tip, TipHead, TipState, TipType, WorkTip
from office import audit, contacts, notices
from office.bindings import BindingState, StaffBinding
from office.contacts import Channel
from office.errors import Conflict, DeskError, Invalid, NotPermitted
from office.hours import beijing_day
from office.outbox import Delivery
from office.staff import Role, Staff
from office.store import Store
from office.units import Unit
from tests.make import Cast

TIP = Tip("关于居住证年限的提示", basis="细则第二十七条")


def sound(cast: Cast, **changes: Any) -> Tip:
    fields = {"addressed_to": "各街道", "wording": "答复：按累计算。", "targets": (cast.north.id,)}
    return replace(TIP, **(fields | changes))


@pytest.mark.parametrize(
    ("changes", "problems"),
    [
        ({}, []),
        ({"basis": " ", "type": TipType.PROCEDURE}, []),
        ({"basis": " "}, ["tip_needs_basis"]),
        ({"wording": "答复：（待填写）"}, ["tip_to_fill"]),
        ({"title": "关于……的提示"}, ["tip_to_fill"]),
        ({"type": TipType.CORRECTION}, ["tip_needs_supersedes"]),
        ({"head": TipHead.RED}, ["tip_needs_document_no"]),
        ({"head": TipHead.RED, "document_no": " 东选办【2026】第03号 "}, []),
        ({"head": TipHead.RED, "document_no": "东选办<b>2026"}, ["tip_document_no_form"]),
        ({"head": TipHead.RED, "document_no": "<b>〔2026〕3号"}, ["tip_document_no_form"]),
        ({"document_no": "东选办〔2026〕0号"}, ["tip_document_no_form"]),
        ({"effective_from": 2, "effective_until": 1}, ["tip_days_reversed"]),
        ({"effective_until": -1}, ["tip_days_over"]),
        ({"effective_until": 1, "send_at": 2}, ["tip_days_over"]),
        ({"receipt_due": 1, "send_at": 2}, ["tip_due_early"]),
        ({"receipt_due": 1, "send_at": 2, "receipt_wanted": False}, []),
        ({"steps": "外省户口不能登记，请回老家。{{ cal.list_posted }}"}, ["lint_variable"]),
        ({"wording": "12月5日前办完"}, []),
        ({"attachments": ({"title": "{{ x }}", "text": "表"},)}, ["lint_variable"]),
        ({"attachments": ({"title": "样表", "text": " \n"},)}, ["tip_attachment_empty"]),
    ],
)
async def test_what_stands_between_a_draft_and_its_release(
    store: Store, cast: Cast, now: datetime, changes: dict[str, Any], problems: list[str]
) -> None:
    hours = {"effective_from", "effective_until", "send_at", "receipt_due"}
    at = {name: now + timedelta(hours=value) if name in hours else value for name, value in changes.items()}
    async with store.transaction() as session:
        made = await tip_drafts.draft(
            session, sound(cast, **at), unit=cast.district, sources={}, actor=cast.li_qiang, now=now
        )
        assert [one.key for one in await tip_moves.problems(session, made, now=now)] == problems
        if problems:
            with pytest.raises(Invalid, match="tip_unready") as refused:
                await tip_moves.submit(session, made, seen=made.version, actor=cast.li_qiang, now=now)
            assert refused.value.facts["problems"] == problems
        else:
            await tip_moves.submit(session, made, seen=made.version, actor=cast.li_qiang, now=now)
            assert (made.state, made.submitted_at) == (TipState.IN_REVIEW, now)


async def test_a_known_wrong_claim_stops_a_tip_as_it_stops_an_entry(
    store: Store, cast: Cast, now: datetime
) -> None:
    claim = "本人没有精神病史才能登记"
    async with store.transaction() as session:
        made = await tip_drafts.draft(
            session, sound(cast, steps=claim), unit=cast.district, sources={}, actor=cast.li_qiang, now=now
        )
        assert [one.key for one in await tip_moves.problems(session, made, now=now)] == ["lint_wrong_claim"]
        made.state, made.year, made.issue_no = TipState.RELEASED, 2026, 1
        await session.flush()
        found = await misworded.misworded(session, [], packs.load("shanghai"), beijing_day(now))
        assert [(one.name, one.place) for one in found] == [("2026年第1期", f"/admin/tips/{made.id}")]


async def test_in_review_a_tip_is_looked_over_sent_back_or_taken_back(
    store: Store, cast: Cast, now: datetime
) -> None:
    async with store.transaction() as session:
        made = await tip_drafts.draft(
            session, sound(cast), unit=cast.district, sources={}, actor=cast.li_qiang, now=now
        )
        await tip_moves.submit(session, made, seen=made.version, actor=cast.li_qiang, now=now)
        with pytest.raises(Conflict, match="stale_card"):
            await tip_drafts.edit(session, made, sound(cast), seen=made.version, actor=cast.li_qiang, now=now)
        with pytest.raises(NotPermitted, match="second_person_needed"):
            await tip_moves.look_over(session, made, seen=made.version, actor=cast.li_qiang, now=now)
        await tip_moves.look_over(session, made, seen=made.version, actor=cast.wang_fang, now=now)
        assert made.checker_id == cast.wang_fang.id
        for actor, note, wrong in (
            (cast.li_qiang, "改", "not_permitted"), (cast.zhao_lei, "改", "not_permitted"),
            (cast.wang_fang, " ", "reason_needed"),
        ):  # fmt: skip
            with pytest.raises(DeskError, match=wrong):
                await tip_moves.send_back(session, made, note, seen=made.version, actor=actor, now=now)
        note = "依据不全，问 13800138000"
        await tip_moves.send_back(session, made, note, seen=made.version, actor=cast.wang_fang, now=now)
        assert (made.state, made.checker_id) == (TipState.DRAFT, None)
        assert made.review_note.startswith("依据不全")
        assert "13800138000" not in made.review_note
        await tip_moves.submit(session, made, seen=made.version, actor=cast.li_qiang, now=now)
        assert made.review_note == ""
        await tip_moves.take_back(session, made, seen=made.version, actor=cast.li_qiang, now=now)
        told, _ = await audit.listed(session, subject=f"work_tip:{made.id}")
    assert [row.action.removeprefix("work_tip.") for row in reversed(told)] == [
        "draft", "submit", "look_over", "send_back", "submit", "take_back",
    ]  # fmt: skip


async def told(store: Store, person: Staff) -> list[tuple[str, dict[str, str]]]:
    async with store.reading() as session:
        return [(row.kind, row.facts) for row in reversed(await notices.listed(session, person.id))]


async def test_who_may_sign_is_told_of_it_and_the_drafter_what_came_of_it(
    store: Store, cast: Cast, now: datetime
) -> None:
    """Once for each handing in; why it was returned stands in the console, not in a chat."""
    async with store.transaction() as session:
        beside = await staff_of(session, "高一", cast.riverside, Role.REVIEWER, now)
        second = await staff_of(session, "林一", cast.district, Role.REVIEWER, now)
        officer = await staff_of(session, "马一", cast.district, Role.DUTY_OFFICER, now)
        chat = await contacts.seen(session, Channel.TELEGRAM, "7001", now=now)
        session.add(
            StaffBinding(
                staff_id=cast.li_qiang.id, contact_id=chat.id, state=BindingState.BOUND, token_digest="7001",
                invited_by_id=cast.zhou_ning.id, invited_at=now, expires_at=now, bound_at=now,
            )
        )  # fmt: skip
        made = await tip_drafts.draft(
            session, sound(cast), unit=cast.district, sources={}, actor=cast.li_qiang, now=now
        )
        await tip_moves.submit(session, made, seen=made.version, actor=cast.li_qiang, now=now)
    submitted = ("tip_submitted", {"who": "李*", "title": TIP.title})
    for person, lines in (
        (cast.wang_fang, [submitted]), (second, [submitted]), (beside, []), (officer, []),
        (cast.li_qiang, []),
    ):  # fmt: skip
        assert await told(store, person) == lines, person.name
    async with store.transaction() as session:
        row = await session.get_one(WorkTip, made.id)
        await tip_moves.send_back(session, row, "依据不全", seen=row.version, actor=cast.wang_fang, now=now)
        await tip_moves.submit(session, row, seen=row.version, actor=cast.li_qiang, now=now)
    assert await told(store, cast.wang_fang) == [submitted, submitted]
    assert await told(store, cast.li_qiang) == [
        ("tip_returned", {"who": "王*", "title": TIP.title, "why": "依据不全"})
    ]
    async with store.reading() as session:
        (sent,) = (await session.scalars(select(Delivery).where(Delivery.contact_id == chat.id))).all()
    assert sent.facts == {"notice": "tip_returned_chat", "who": "王*"}


async def staff_of(session: AsyncSession, name: str, unit: Unit, role: Role, now: datetime) -> Staff:
    person = Staff(name=name, unit_id=unit.id, roles=[role.value], created_at=now)
    session.add(person)
    await session.flush()
    return person
