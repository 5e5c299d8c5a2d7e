"""The golden questions of the desk: seeing, adding and retiring them."""

from __future__ import annotations

from collections import Counter
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from admin import forms, times
from admin.entries import topic_options
from admin.pages import Desk, Number, Refusal, done, signed_in
from knowledge import golden
from knowledge.labelled import OUT_OF_SCOPE
from knowledge.versions import Audience, by_number, topics
from office.errors import Invalid
from office.staff import Permission

router = APIRouter(prefix="/golden")
Reading = Annotated[Desk, Depends(signed_in(Permission.SEE_ENTRIES))]
Retiring = Annotated[Desk, Depends(signed_in(Permission.PUBLISH_ENTRIES))]


@router.get("")
async def show(desk: Reading) -> Response:
    """The desk's questions, by words; of the shipped ones the numbers."""
    return await _page(desk)


@router.post("/add")
async def add(desk: Reading) -> Response:
    """Add a question with the entry that answers it, or a topic, or `none`. The domain says who may."""
    desk.on_refusal(_page)
    number = desk.form.text("entry_no").strip().upper()
    audience = desk.form.text("audience")
    if audience not in tuple(Audience):
        raise Invalid("form_broken")
    await golden.add(
        desk.session,
        desk.form.text("question"),
        entry=await by_number(desk.session, number) if number else None,
        topic=desk.form.text("topic"),
        audience=Audience(audience),
        actor=desk.person,
        now=desk.now,
    )
    return done("/admin/golden", "added")


@router.post("/{question_id}/retire")
async def retire(desk: Retiring, question_id: Number) -> Response:
    """Ask a question no more."""
    desk.on_refusal(_page)
    question = await golden.get(desk.session, question_id)
    await golden.retire(desk.session, question, actor=desk.person, now=desk.now)
    return done("/admin/golden", "retired")


async def _page(desk: Desk, refusal: Refusal | None = None) -> Response:
    asked = desk.request.query_params
    search = forms.clean(asked.get("q", ""))[:100]
    retired = asked.get("view") == "retired"
    page = int(asked["page"]) if asked.get("page", "").isdecimal() and len(asked["page"]) < 7 else 1
    rows, total = await golden.listed(desk.session, search=search, retired=retired, page=page)
    kept = {name: value for name, value in (("view", "retired" if retired else ""), ("q", search)) if value}
    counted = Counter((case.sealed, case.in_scope) for case in golden.shipped())
    typed = refusal.typed if refusal else {}
    return desk.render(
        "console/golden.html",
        status=refusal.status if refusal else 200,
        here="/admin/golden",
        error=refusal.words if refusal else "",
        done=asked.get("done", ""),
        search=search,
        tabs=[
            {"href": "/admin/golden", "label": desk.t("golden.view_asked"), "active": not retired},
            {"href": "/admin/golden?view=retired", "label": desk.t("golden.view_retired"), "active": retired},
        ],
        retired=retired,
        rows=[
            {
                "id": row.question.id,
                "q": row.question.q,
                "answer": row.entry_no or _topic(desk, row.question.topic),
                "audience": desk.t(f"audience.{row.question.audience}"),
                "who": row.added_by,
                "at": times.moment(row.question.added_at, desk.frame.language),
            }
            for row in rows
        ],
        total=total,
        page=page,
        pages=max(1, -(-total // golden.PAGE)),
        page_base="/admin/golden?" + urlencode({**kept, "page": ""}),
        shipped={
            "open": counted[False, True],
            "open_outside": counted[False, False],
            "sealed": counted[True, True] + counted[True, False],
        },
        typed=typed,
        topics=[
            ("", desk.t("golden.choose")),
            (OUT_OF_SCOPE, desk.t("golden.none")),
            *topic_options(),
        ],
        audiences=[(member.value, desk.t(f"audience.{member.value}")) for member in Audience],
        may_add=desk.may(Permission.DRAFT_ENTRIES) or desk.may(Permission.PUBLISH_ENTRIES),
        may_retire=desk.may(Permission.PUBLISH_ENTRIES),
    )


def _topic(desk: Desk, topic: str) -> str:
    if topic == OUT_OF_SCOPE:
        return desk.t("golden.none")
    return topics()[topic].meaning if topic in topics() else topic
