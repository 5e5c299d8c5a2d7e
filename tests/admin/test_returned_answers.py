"""An answer that comes back from its reviewer: what stands in the box, whatever other windows send."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

import httpx
import pytest

from knowledge.versions import EntryVersion
from office.staff import Staff
from office.store import Store
from tests.admin.conftest import Browser, Clock, plain
from tests.make import Cast
from tests.ticketing.people import person
from ticketing import drafts, tickets
from ticketing.records import Ticket, TicketState

pytestmark = pytest.mark.parametrize("templates", ["sqlite"], indirect=True)
SignedIn = Callable[[Staff], Awaitable[Browser]]
JSON = {"Accept": "application/json"}
ANSWER, BASIS = "名单公布之日起5日内可以申诉。", "区选举委员会办公室意见"
OTHER = {"text": "另一个答复", "basis": "x", "version_id": ""}


async def proposed(desk: Browser, base: str, version: EntryVersion) -> None:
    """李强 hands an answer that cites an entry to a reviewer."""
    await desk.get(base)
    typed = {"text": ANSWER, "basis": BASIS, "version_id": str(version.id)}
    assert (await desk.post(f"{base}/propose", typed)).headers["location"] == f"{base}?done=proposed"


async def returned(desk: Browser, base: str) -> None:
    """The reviewer presses 退回修改."""
    await desk.get(base)
    sent = await desk.post(f"{base}/revise", {"remark": "请写明从哪一天算起"})
    assert sent.headers["location"] == f"{base}?done=revised"


def box(page: httpx.Response) -> tuple[str, str, str]:
    """What stands in the box: text, basis and the version chosen."""
    form = re.search(r'<form[^>]*id="answer-form".*?</form>', plain(page), re.DOTALL)
    assert form, "no box for an answer"
    written = [re.search(rf'name="{name}"[^>]*>([^<]*)</textarea>', form[0]) for name in ("text", "basis")]
    version = re.search(r'<option value="(\d*)"[^>]* selected', form[0].partition('name="version_id"')[2])
    return *(found[1].strip() if found else "" for found in written), version[1] if version else ""


async def test_the_box_holds_what_was_proposed_whatever_another_window_sent_meanwhile(
    cast: Cast, signed_in: SignedIn, ticket: Ticket, version: EntryVersion
) -> None:
    first, second, reviewer = [await signed_in(one) for one in (cast.li_qiang, cast.li_qiang, cast.wang_fang)]
    base = f"/admin/tickets/{ticket.id}"
    await second.get(base)
    await proposed(first, base, version)

    kept = await second.post(f"{base}/draft", OTHER, headers=JSON)
    assert kept.status_code == 409
    for act in ("propose", "answer", "draft"):
        refused = await second.post(f"{base}/{act}", OTHER)
        assert refused.status_code == 409
        assert "另一个答复</textarea>" in plain(refused)
        assert "\nx</textarea>" in plain(refused)

    await returned(reviewer, base)
    assert box(await first.get(base)) == (ANSWER, BASIS, str(version.id))


async def test_a_window_from_before_the_return_replaces_nothing_and_gets_its_text_back(
    store: Store, cast: Cast, signed_in: SignedIn, ticket: Ticket, version: EntryVersion
) -> None:
    first, second, reviewer = [await signed_in(one) for one in (cast.li_qiang, cast.li_qiang, cast.wang_fang)]
    base = f"/admin/tickets/{ticket.id}"
    await second.get(base)
    await proposed(first, base, version)
    await returned(reviewer, base)

    for typed in (OTHER, {**OTHER, "text": ""}):
        assert (await second.post(f"{base}/draft", typed, headers=JSON)).status_code == 409
    for act in ("propose", f"cite/{version.id}", "macro"):
        refused = await second.post(f"{base}/{act}", OTHER)
        assert refused.status_code == 409
        assert box(refused) == (ANSWER, BASIS, str(version.id))
        assert re.search(r'id="kept-text"[^>]*>\s*另一个答复</textarea>', plain(refused))
        assert re.search(r'id="kept-basis"[^>]*>\s*x</textarea>', plain(refused))

    # The page as it is now saves itself again.
    await first.get(base)
    saved = await first.post(f"{base}/draft", {**OTHER, "text": "改好的答复"}, headers=JSON)
    assert saved.status_code == 200
    assert box(await first.get(base)) == ("改好的答复", "x", "")
    async with store.reading() as session:
        assert (await tickets.get(session, ticket.id)).state is TicketState.WORKING


async def test_whoever_takes_a_returned_answer_on_finds_it_with_what_it_cites(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn, ticket: Ticket, version: EntryVersion
) -> None:
    desk, reviewer = await signed_in(cast.li_qiang), await signed_in(cast.wang_fang)
    base = f"/admin/tickets/{ticket.id}"
    await proposed(desk, base, version)
    await returned(reviewer, base)
    chen_jing = await person(store, cast.district, clock())
    async with store.transaction() as session:
        row = await tickets.get(session, ticket.id)
        await tickets.put_back(session, row, "下班", actor=cast.li_qiang, now=clock())
        await tickets.take(session, row, actor=chen_jing, now=clock())
    assert box(await (await signed_in(chen_jing)).get(base)) == (ANSWER, BASIS, str(version.id))


async def test_an_answer_sent_with_a_reason_comes_back_as_it_was_sent(
    store: Store, cast: Cast, signed_in: SignedIn, ticket: Ticket, version: EntryVersion
) -> None:
    desk, reviewer = await signed_in(cast.li_qiang), await signed_in(cast.wang_fang)
    base = f"/admin/tickets/{ticket.id}"
    await desk.get(base)
    typed = {"text": "请在15日内申诉。", "version_id": str(version.id), "explained": "公告延长到15日"}
    assert (await desk.post(f"{base}/answer", typed)).headers["location"] == f"{base}?done=proposed"
    await returned(reviewer, base)
    assert box(await desk.get(base)) == ("请在15日内申诉。", "公告延长到15日", str(version.id))
    async with store.reading() as session:
        own = await drafts.own(session, await tickets.get(session, ticket.id), cast.li_qiang)
    assert own is not None
