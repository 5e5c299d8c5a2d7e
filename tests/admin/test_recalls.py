"""The pages of recalls: published with its correction waiting, let out by another person, counted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from knowledge import answer, entries, golden
from knowledge.versions import Alteration, Entry, EntryVersion
from office.staff import Staff
from office.store import Store
from tests.make import Cast, Clock, an_entry, check, content
from ticketing import recall_proposals, recalling
from ticketing.recalls import Recall, RecallState

SignedIn = Callable[[Staff], Any]
OLD, NEW = "名单公布之日起十五日内可以申诉。", "名单公布之日起五日内可以申诉。"


@pytest.fixture(autouse=True)
def no_golden_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gate before a publication has tests of its own."""
    monkeypatch.setattr(golden, "shipped", lambda: ())


async def in_review(store: Store, cast: Cast, clock: Clock) -> EntryVersion:
    """A second version of what 张敏 was told yesterday, handed in by 李强 and checked."""
    async with store.transaction() as session:
        before = clock() - timedelta(days=1)
        first = await an_entry(session, cast, before, short=OLD)
        session.add(answer.AnswerGiven(contact_id=cast.zhang_min.id, entry_version_id=first.id, at=before))
        entry = await session.get_one(Entry, first.entry_id)
        wanted = content(cast, short=NEW)
        version = await entries.draft(session, wanted, actor=cast.li_qiang, now=clock(), entry=entry)
        await entries.submit(
            session, version, actor=cast.li_qiang, now=clock(), alteration=Alteration.SUBSTANTIVE
        )
        await check(session, version, actor=cast.wang_fang, now=clock())
    return version


async def published(store: Store, cast: Cast, clock: Clock, signed_in: SignedIn) -> str:
    """The address of the recall to which 王芳's publication leads."""
    version = await in_review(store, cast, clock)
    desk = await signed_in(cast.wang_fang)
    await desk.get(f"/admin/entries/{version.entry_id}/check")
    named = {"version": str(version.version), "version_id": str(version.id)}
    answered = await desk.post(f"/admin/entries/{version.entry_id}/publish", named)
    assert answered.status_code == 303
    found: str = answered.headers["location"]
    assert found.startswith("/admin/recalls/")
    return found.partition("?")[0]


async def test_publication_leads_to_its_recall_and_that_goes_out(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    address = await published(store, cast, clock, signed_in)
    desk = await signed_in(cast.wang_fang)
    page = await desk.get(address)
    assert OLD in page.text
    assert NEW in page.text
    sent = await desk.post(f"{address}/send", {"version": "1", "new_text": "什么都不用带"})
    assert sent.headers["location"] == f"{address}?done=recall_sent"
    async with store.transaction() as session:
        assert (await session.get_one(Recall, 1)).new_text == NEW
        assert await recalling.lay_out(session, now=clock()) == 1
    assert "更正正在逐个发出" in (await desk.get(f"{address}?done=recall_sent")).text
    assert "待第二人同意" not in (await desk.get("/admin/recalls")).text


async def test_the_author_sees_why_it_waits(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    address = await published(store, cast, clock, signed_in)
    desk = await signed_in(cast.li_qiang)
    page = await desk.get(address)
    assert page.status_code == 200
    assert "/send" not in page.text
    refused = await desk.post(f"{address}/send", {"version": "1", "new_text": "什么都不用带"})
    assert refused.status_code == 403


async def test_nobody_is_corrected_only_with_a_reason(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    address = await published(store, cast, clock, signed_in)
    desk = await signed_in(cast.wang_fang)
    await desk.get(address)
    refused = await desk.post(f"{address}/drop", {"reason": " ", "version": "1"})
    assert refused.status_code == 422
    dropped = await desk.post(f"{address}/drop", {"reason": "尚未有人据此办理", "version": "1"})
    assert dropped.status_code == 303
    async with store.reading() as session:
        (found,) = [row for row, _ in await recalling.listed(session)]
    assert (found.state, found.reason) == (RecallState.DROPPED, "尚未有人据此办理")


async def test_by_hand(store: Store, cast: Cast, clock: Clock, signed_in: SignedIn) -> None:
    async with store.transaction() as session:
        await an_entry(session, cast, clock(), short=OLD)
    desk = await signed_in(cast.wang_fang)
    await desk.get("/admin/recalls")
    unknown = await desk.post("/admin/recalls", {"entry_no": "K-9999", "new_text": NEW, "reason": "说错了"})
    assert (unknown.status_code, NEW in unknown.text) == (404, True)
    made = await desk.post("/admin/recalls", {"entry_no": "k-0540", "new_text": NEW, "reason": "说错了"})
    assert made.headers["location"].endswith("?done=proposed")
    page = await desk.get(made.headers["location"])
    assert "同一人" in page.text or "另一" in page.text
    async with store.reading() as session:
        assert await recall_proposals.drafts_citing(session, await session.get_one(Recall, 1)) == []
