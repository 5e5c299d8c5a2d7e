"""Two people writing one work tip: nobody's words are lost, and nobody's are overwritten unasked."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx

from knowledge.tips import TipState, WorkTip
from office.staff import Staff
from office.store import Store
from tests.admin.conftest import Browser, Clock, plain
from tests.make import Cast
from tests.ticketing.tip_world import drafted, read, signed

SignedIn = Callable[[Staff], Awaitable[Browser]]


def typed(made: WorkTip, cast: Cast, **changes: Any) -> dict[str, Any]:
    """The form as the draft fills it, with what somebody changed."""
    names = ("title", "addressed_to", "origin", "wording", "steps", "contact_lines", "basis", "scope")
    fields = {name: getattr(made, name) for name in names} | {
        "type": "wording", "secrecy": "internal", "head": "plain", "document_no": "", "copied_to": "",
        "effective_from": "", "effective_until": "", "receipt_due": "", "send_at": "", "print_run": "",
        "receipt_wanted": "1", "targets": [str(cast.riverside.id), str(cast.north.id)], "supersedes": "",
        "then": "save",
    }  # fmt: skip
    return fields | changes


def clashes(page: httpx.Response) -> set[str]:
    """The fields that have to be chosen on a page."""
    return set(re.findall(r'<input type="radio" name="take_(\w+)" value="mine"', page.text))


async def test_after_a_colleague_saved_only_what_both_changed_is_asked_and_nothing_is_lost(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    made = await drafted(store, cast, clock())
    here = f"/admin/tips/{made.id}/edit"
    slow, quick = await signed_in(cast.li_qiang), await signed_in(cast.wang_fang)
    await slow.get(here)
    await quick.get(here)
    clock.pass_by(timedelta(minutes=7))
    theirs = typed(
        made, cast, title="王芳改的<b>", steps="1. 王芳的步骤", basis="王芳的依据",
        targets=[str(cast.north.id)], effective_until="2026-12-01T17:00",
    )  # fmt: skip
    assert (await quick.post(here, theirs)).status_code == 303
    mine = typed(made, cast, title="李强改的", wording="答复：李强的口径。", basis="李强的依据")
    told = await slow.post(here, mine)
    assert told.status_code == 409
    said = plain(told)
    assert "王芳在11月20日（周五）10:12保存了" in said
    assert clashes(told) == {"title", "basis"}
    for words in ("王芳改的<b>", "王芳的依据", "同事改了、您没有动的"):
        assert words in said
    assert "<b>" not in told.text
    # What was typed stands in the form; what only the colleague changed has been taken over.
    for words in ('value="李强改的"', "答复：李强的口径。", "1. 王芳的步骤", 'value="2026-12-01T17:00"'):
        assert words in told.text
    assert len(re.findall(r'name="targets" value="\d+" checked', told.text)) == 1
    form = mine | {
        "steps": "1. 王芳的步骤", "effective_until": "2026-12-01T17:00", "targets": [str(cast.north.id)],
    }  # fmt: skip

    slow.shown = told.text
    unchosen = await slow.post(here, form)
    assert unchosen.status_code == 422
    assert "两个人都改了" in plain(unchosen)
    slow.shown = unchosen.text
    half = await slow.post(here, form | {"take_title": "mine"})
    assert half.status_code == 422
    assert 'name="take_title" value="mine" required checked' in half.text
    # Arranging the form keeps the question.
    slow.shown = half.text
    slow.shown = (await slow.post(here, form | {"take_title": "mine", "then": "attach:more"})).text
    assert "take_basis" in slow.shown
    assert (await read(store, made)).title == "王芳改的<b>"
    saved = await slow.post(here, form | {"take_title": "mine", "take_basis": "theirs"})
    assert saved.status_code == 303
    row = await read(store, made)
    assert (row.title, row.basis, row.wording, row.steps) == (
        "李强改的", "王芳的依据", "答复：李强的口径。", "1. 王芳的步骤",
    )  # fmt: skip


async def test_a_third_save_asks_again_for_what_has_not_been_settled(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    made = await drafted(store, cast, clock())
    here = f"/admin/tips/{made.id}/edit"
    slow, quick = await signed_in(cast.li_qiang), await signed_in(cast.wang_fang)
    await slow.get(here)
    await quick.get(here)
    theirs = typed(made, cast, title="王芳改的")
    await quick.post(here, theirs)
    mine = typed(made, cast, title="李强改的")
    told = await slow.post(here, mine)
    assert clashes(told) == {"title"}
    # What is unsettled stays so, what was settled is not asked again.
    await quick.get(here)
    await quick.post(here, theirs | {"scope": "全区"})
    slow.shown = told.text
    told = await slow.post(here, mine)
    assert (told.status_code, clashes(told)) == (409, {"title"})
    assert 'value="全区"' in told.text
    await quick.get(here)
    await quick.post(here, theirs | {"scope": "全区", "steps": "1. 又改"})
    slow.shown = told.text
    told = await slow.post(here, mine | {"scope": "全区", "take_title": "mine"})
    assert (told.status_code, clashes(told)) == (409, set())
    slow.shown = told.text
    assert (await slow.post(here, mine | {"scope": "全区", "steps": "1. 又改"})).status_code == 303
    row = await read(store, made)
    assert (row.title, row.scope, row.steps) == ("李强改的", "全区", "1. 又改")
    # A page of ours that says nothing of where it began: whatever differs is asked.
    await slow.get(here)
    told = await slow.post(here, mine | {"was": "<x> title", "version": "1", "origin": "甲"})
    assert clashes(told) == {"origin", "scope", "steps"}


async def test_what_was_handed_in_meanwhile_says_so_and_keeps_what_was_typed(
    store: Store, cast: Cast, clock: Clock, signed_in: SignedIn
) -> None:
    made = await drafted(store, cast, clock())
    here = f"/admin/tips/{made.id}/edit"
    slow, quick = await signed_in(cast.li_qiang), await signed_in(cast.wang_fang)
    await slow.get(here)
    await quick.get(f"/admin/tips/{made.id}")
    await quick.post(f"/admin/tips/{made.id}/submit")
    mine = typed(made, cast, title="李强改的")
    told = await slow.post(here, mine)
    assert told.status_code == 409
    assert "这份提示已经送审" in plain(told)
    assert 'value="李强改的"' in told.text
    await slow.get(f"/admin/tips/{made.id}")
    await slow.post(f"/admin/tips/{made.id}/take-back")
    slow.shown = told.text
    # Taken back, with nothing of it changed: only the count has moved.
    told = await slow.post(here, mine)
    assert (told.status_code, clashes(told)) == (409, set())
    slow.shown = told.text
    assert (await slow.post(here, mine)).status_code == 303
    row = await read(store, made)
    assert (row.title, row.state) == ("李强改的", TipState.DRAFT)
    await quick.get(f"/admin/tips/{made.id}")
    await quick.post(f"/admin/tips/{made.id}/submit")
    await slow.get(f"/admin/tips/{made.id}")
    await signed(store, cast, await read(store, made), clock())
    slow.shown = told.text
    told = await slow.post(here, mine)
    assert told.status_code == 409
    assert "这份提示已签发" in plain(told)
