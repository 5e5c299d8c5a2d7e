"""The wizard as a page of the web chat: links carry the answers, nothing is kept, and no script is needed."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse

from admin import pages
from bot import visitors
from bot.visitors import VISITOR_COOKIE, Visiting, Visitor, remember
from handlers import where_steps, where_words
from handlers.callbacks import Op, tap
from knowledge import rules, wizard
from knowledge.eligibility import Verdict, decide, next_slot
from knowledge.packs import RulePack, Slot
from office import units
from office.hours import beijing_day

router = APIRouter()

HERE = "/where"


@router.get(HERE)
async def where(
    visiting: Visiting,
    a: Annotated[str, Query(max_length=20)] = "",
    ok: Annotated[str, Query(max_length=4)] = "",
    paper: Annotated[str, Query(max_length=4, alias="print")] = "",
) -> HTMLResponse:
    """The next question, the summary, or the result of the answers in `a`; `ok` confirms the summary.

    `print` is the result on one sheet. An address that these rules did not make leads to the beginning.
    """
    async with visiting.services.store.reading() as session:
        pack = await rules.in_force(session, now=visiting.services.clock())
    facts = where_steps.facts_of(pack, a) if a else {}
    if facts is None:
        return _page(visiting, "chat/where.html", status=410, stage="expired", restart=HERE)
    slot = next_slot(pack, facts)
    if slot is not None:
        return _question(visiting, pack, facts, slot)
    verdict = decide(pack, facts)
    assert verdict is not None
    if not ok and not paper:
        return _summary(visiting, pack, facts)
    return await _result(visiting, pack, facts, verdict, paper=bool(paper))


def _question(visiting: Visitor, pack: RulePack, facts: Mapping[str, str], slot: Slot) -> HTMLResponse:
    lang = pages.frame(visiting.request).language
    options = [
        {"label": option.label_in(lang), "url": _url(pack, {**facts, slot.code: option.code})}
        for option in slot.options
    ]
    return _page(
        visiting, "chat/where.html", stage="question", question=slot.ask_in(lang), options=options,
        none_fits=where_words.no_room(slot),
        **_about(pack, facts, lang),
    )  # fmt: skip


def _summary(visiting: Visitor, pack: RulePack, facts: Mapping[str, str]) -> HTMLResponse:
    lang = pages.frame(visiting.request).language
    return _page(
        visiting, "chat/where.html", stage="summary", right=_url(pack, facts, ok=1),
        **_about(pack, facts, lang),
    )  # fmt: skip


async def _result(
    visiting: Visitor, pack: RulePack, facts: Mapping[str, str], verdict: Verdict, *, paper: bool
) -> HTMLResponse:
    now, lang = visiting.services.clock(), pages.frame(visiting.request).language
    async with visiting.services.store.reading() as session:
        office = await units.election_office(session)
        contacts = await rules.contacts(session, now)
    found = where_words.result(pack, verdict, lang, office=office, contacts=contacts)
    code = wizard.pack_up(pack, facts)
    besides = [
        {"label": option.label_in(lang), "url": _url(pack, more, ok=1)}
        for option, more in where_words.besides(pack, facts)
    ]
    if found.ticket and not visiting.token:
        visiting = Visitor(visiting.request, secrets.token_urlsafe(16), visiting.form)
    response = _page(
        visiting, "chat/where_result.html", found=found, paper=paper, besides=besides,
        made_on=beijing_day(now).isoformat(), screen=_url(pack, facts, ok=1),
        sheet=f"{HERE}?{urlencode({'a': code, 'print': 1})}",
        owe=tap(Op.RIGHT, 0, where_steps.stamp(now), code), event_id=secrets.token_hex(12),
        **_about(pack, facts, lang),
    )  # fmt: skip
    if found.ticket:
        remember(visiting.request, response, VISITOR_COOKIE, visiting.token)
    return response


def _about(pack: RulePack, facts: Mapping[str, str], lang: str) -> dict[str, Any]:
    """What every step shows: what was chosen so far, and the ways back."""
    before = where_steps.earlier(pack, facts)
    return {
        "so_far": where_words.joined(pack, facts, lang),
        "back": "" if before is None else _url(pack, before),
        "restart": HERE,
    }


def _url(pack: RulePack, facts: Mapping[str, str], **more: int) -> str:
    if not facts:
        return HERE
    return f"{HERE}?{urlencode({'a': wizard.pack_up(pack, facts), **more})}"


def _page(visiting: Visitor, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    return visitors.render(visiting, template, status=status, **context)
