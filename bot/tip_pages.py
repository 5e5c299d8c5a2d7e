"""The public pages of work tips, and the page behind a group's link, where a unit signs for one.

A link is 43 random characters that only its group was sent: it shows internal tips too, and ends with the
group's binding.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Path, Query
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from admin import forms, pages
from admin.pages import Desk, Own, Refusal
from bot import visitors
from bot.visitors import VISITOR_COOKIE, Visiting, Visitor
from knowledge import tip_chain, tip_receipts, tip_shelf, tip_words, tips
from knowledge.tip_receipts import ReceiptWay
from knowledge.tip_shelf import Standing
from knowledge.tips import TipSecrecy, WorkTip
from office import budgets, signin, staff, units
from office.bindings import GroupState
from office.errors import NotFound
from office.staff import Staff
from office.units import contains
from office.words import say
from ticketing import tip_places
from ticketing.tip_places import PATH, Place

router = APIRouter()

LONGEST_SEARCH, MOST_DIGITS = 60, 6
TONES = {"superseded": "danger", "withdrawn": "danger", "expired": "warn", "later": "info"}
# Whoever was sent a link has one that is right; so many wrong ones from one network are guesses.
WRONG_LINKS = 20
WRONG_WITHIN = timedelta(minutes=10)
HEADERS = {"X-Robots-Tag": "noindex, nofollow", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
Token = Annotated[str, Path(pattern="^[A-Za-z0-9_-]{20,64}$")]
Year = Annotated[int, Path(ge=2000, le=2999)]
IssueNo = Annotated[int, Path(ge=1, le=999)]


@router.get("/tips")
async def archive(
    visiting: Visiting,
    q: Annotated[str, Query()] = "",
    year: Annotated[str, Query()] = "",
    page: Annotated[str, Query()] = "",
) -> HTMLResponse:
    """The tips that everybody may read, by words and year. Whatever the address says, there is a page."""
    now, typed = visiting.services.clock(), forms.clean(q).strip()
    search = typed[:LONGEST_SEARCH].strip()
    async with visiting.services.store.reading() as session:
        known = await tip_shelf.years(session, now=now)
        chosen = next((one for one in known if str(one) == year), None)
        at = _page_number(page)
        found, total = await tip_shelf.public(session, search=search, year=chosen, now=now, page=at)
        last = max(1, -(-total // tip_shelf.PAGE))
        if at > last:
            at = last
            found, _ = await tip_shelf.public(session, search=search, year=chosen, now=now, page=at)
        rows = [
            {
                "url": f"/tips/{tip.year}/{tip.issue_no}",
                "number": tip_words.number(tip),
                "title": tip.title,
                "date": tip.dated.isoformat() if tip.dated else "",
                "mark": _mark(visiting, tip, await tip_shelf.standing(session, tip, now=now)),
            }
            for tip in found
        ]
    kept = urlencode({name: value for name, value in (("q", search), ("year", chosen or "")) if value})
    return visitors.render(
        visiting, "chat/tips.html", q=search, year=str(chosen or ""), rows=rows, total=total, page=at,
        pages=last,
        cut=_t(visiting, "cut", most=LONGEST_SEARCH) if len(typed) > LONGEST_SEARCH else "",
        page_base=f"/tips?{kept}&page=" if kept else "/tips?page=",
        years=[("", _t(visiting, "all_years")), *((str(n), _t(visiting, "year_n", n=n)) for n in known)],
    )  # fmt: skip


@router.get("/tips/r/{token}")
async def linked(visiting: Visiting, token: Token) -> Response:
    """The tip behind a group's link, and for staff of its unit the button to sign."""
    return await _linked(visiting, token)


@router.post("/tips/r/{token}/read")
async def read(desk: Own, token: Token) -> Response:
    """已阅 by somebody of the unit whose group was sent the link; the first counts."""

    async def again(later: Desk, refusal: Refusal) -> Response:
        cookie = later.request.cookies.get(pages.cookie_name(later.request, VISITOR_COOKIE), "")
        return await _linked(Visitor(later.request, cookie, later.form), token, refusal)

    desk.on_refusal(again)
    place = await _place(desk.session, token)
    if place is None:
        raise NotFound("tip_unknown")
    tip = await desk.session.get_one(WorkTip, place.post.tip_id)
    await tip_receipts.acknowledge(
        desk.session, tip, place.unit, person=desk.person, way=ReceiptWay.LINK, now=desk.now
    )
    return RedirectResponse(f"{PATH}{token}", 303, HEADERS)


@router.get("/tips/{year}-{issue_no}")
async def named(year: Year, issue_no: IssueNo) -> Response:
    """The short way of writing the address, as deep links do."""
    return RedirectResponse(f"/tips/{year}/{issue_no}", 308)


@router.get("/tips/{year}/{issue_no}")
async def tip_page(visiting: Visiting, year: Year, issue_no: IssueNo) -> HTMLResponse:
    """One public tip with its passport, for reading and printing; marked where it holds no more."""
    now = visiting.services.clock()
    async with visiting.services.store.reading() as session:
        tip = await tip_shelf.by_number(session, year, issue_no, now=now)
        if tip is None:
            raise NotFound("tip_unknown")
        standing = await tip_shelf.standing(session, tip, now=now)
        facts = await _facts(visiting, session, tip, standing)
    return visitors.render(visiting, "chat/tip.html", tip=facts, signing=None, error="", private=False)


async def _linked(visiting: Visitor, token: str, refusal: Refusal | None = None) -> Response:
    machine, now = visiting.services, visiting.services.clock()
    source = forms.source(visiting.request, machine.secret, machine.trusted_proxies)
    budget: dict[str, Any] = {"limit": WRONG_LINKS, "span": WRONG_WITHIN, "now": now}
    async with machine.store.reading() as session:
        await budgets.demand(session, f"tip-link:{source}", **budget)
        place = await _place(session, token)
        tip = await session.get_one(WorkTip, place.post.tip_id) if place else None
        if place is not None and tip is not None and tips.shown(tip, now):
            standing = await tip_shelf.standing(session, tip, now=now)
            response = visitors.render(
                visiting, "chat/tip.html",
                status=refusal.status if refusal else 200,
                here=f"{PATH}{token}",
                tip=await _facts(visiting, session, tip, standing, place),
                signing=await _signing(visiting, session, place, tip, standing),
                error=refusal.words if refusal else "",
                private=True,
            )  # fmt: skip
            response.headers.update(HEADERS)
            return response
    async with machine.store.transaction() as session:
        await budgets.spend(session, f"tip-link:{source}", **budget)
    raise NotFound("tip_unknown")


async def _place(session: AsyncSession, token: str) -> Place | None:
    """The post of this link while its group is ours: a link does not outlive the binding."""
    place = await tip_places.by_token(session, token)
    return place if place and place.group.state in (GroupState.BOUND, GroupState.LOST) else None


async def _way(session: AsyncSession, tip: WorkTip | None, place: Place | None, *, now: datetime) -> str:
    """Where another tip can be read: by this group's own link, else where everybody reads it."""
    if tip is None:
        return ""
    found = await tip_places.in_group(session, tip.id, place.group) if place else None
    if found is not None:
        return f"{PATH}{found.post.token}"
    return f"/tips/{tip.year}/{tip.issue_no}" if tip_shelf.is_public(tip, now) else ""


async def _facts(
    visiting: Visitor, session: AsyncSession, tip: WorkTip, standing: Standing, place: Place | None = None
) -> dict[str, Any]:
    language = pages.frame(visiting.request).language
    # One office numbers and prints all tips, whichever unit a tip came from: the page names the same.
    office = await units.election_office(session)
    own = tip_words.document_no(tip)
    passport = [
        ("number", tip_words.number(tip)),
        ("document_no", own),
        ("date", tip.dated.isoformat() if tip.dated else ""),
        ("issuer", office.office_name or office.name),
        ("basis", tip_words.basis_beside(tip, tip.wording)),
        ("scope", tip.scope.strip()),
        ("effective", _span(visiting, tip)),
    ]
    number = tip_words.number(tip)
    return {
        "number": number,
        "cited": say("tipchat.numbers", language, number=number, document_no=own) if own else number,
        "type": say(f"tipchat.type.{tip.type}", language),
        "title": tip.title,
        "replaces": await _replaces(visiting, session, tip, place),
        "addressed_to": tip.addressed_to,
        "parts": [(heading, words.splitlines()) for heading, words in tip_words.parts(tip, language)],
        "attachments": [
            {
                "title": say("tipchat.attachment", language, number=number, title=row.get("title", "")),
                "lines": str(row.get("text", "")).splitlines(),
            }
            for number, row in enumerate(tip.attachments, start=1)
        ],
        "passport": [(_t(visiting, key), words) for key, words in passport if words],
        "internal": tip.secrecy is TipSecrecy.INTERNAL,
        "mark": await _notice(visiting, session, tip, standing, place),
    }


def _span(visiting: Visitor, tip: WorkTip) -> str:
    """From when and until when it holds, as its cards and its paper say it."""
    language = pages.frame(visiting.request).language
    spans = [
        _t(visiting, key, at=tip_words.moment(at, tip.year, language, ends=key == "until"))
        for key, at in (("from", tip_words.begins(tip)), ("until", tip.effective_until))
        if at is not None
    ]
    return " ".join(spans)


async def _replaces(
    visiting: Visitor, session: AsyncSession, tip: WorkTip, place: Place | None
) -> dict[str, str] | None:
    """Which tip it took the place of, and the way to it for those who may read that."""
    old = await tip_chain.replaced(session, tip)
    if old is None:
        return None
    no, title = tip_words.beside(old, tip.year), tip_chain.titled(old, tip)
    words = (
        _say(visiting, "tipchat.replaces", number=no, title=title)
        if title
        else _say(visiting, "tipchat.replaces_number", number=no)
    )
    return {"words": words, "no": no, "way": await _way(session, old, place, now=visiting.services.clock())}


def _mark(visiting: Visitor, tip: WorkTip, standing: Standing) -> dict[str, str]:
    """What stands over a tip that is not to be followed; nothing for one that is."""
    if not standing.state:
        return {}
    no = tip_words.beside(standing.successor, tip.year)
    words = tip_chain.mark(tip, standing, pages.frame(visiting.request).language)
    # Until its day comes the old one is to be followed.
    return {"words": words, "tone": "warn" if standing.since else TONES[standing.state], "new": no}


async def _notice(
    visiting: Visitor, session: AsyncSession, tip: WorkTip, standing: Standing, place: Place | None
) -> dict[str, str] | None:
    """The mark of a tip with what to do instead: what replaced it, from when, and where that can be read."""
    mark = _mark(visiting, tip, standing)
    if not mark:
        return None
    language, now = pages.frame(visiting.request).language, visiting.services.clock()
    way = await _way(session, standing.successor, place, now=now)
    # Whom the way is open to, may read the title.
    text = tip_chain.instead(tip, standing, language, title=bool(way), now=now)
    return mark | {"text": text, "way": way, "why": standing.why}


def _page_number(typed: str) -> int:
    """The page that an address names; the first one for anything that is none."""
    return int(typed) if typed.isascii() and typed.isdecimal() and 0 < len(typed) < MOST_DIGITS else 1


async def _signing(
    visiting: Visitor, session: AsyncSession, place: Place, tip: WorkTip, standing: Standing
) -> dict[str, str] | None:
    """What the page says of this unit's receipt; `act` is what can be done: sign_in, read, or nothing."""
    request, now = visiting.request, visiting.services.clock()
    receipt = await tip_receipts.of(session, tip, place.unit)
    cookie = request.cookies.get(pages.cookie_name(request, pages.SIGN_IN_COOKIE), "")
    signed_in = await signin.who(session, cookie, now=now) if cookie else None
    person: Staff | None = signed_in[0] if signed_in else None
    unit = place.unit.name
    if receipt is not None:
        at = tip_receipts.when(receipt, now)
        if person is not None and receipt.staff_id == person.id:
            words = _say(visiting, "tipchat.signed_already", time=at)
        elif person is not None:
            who = staff.mask_name(receipt.signer)
            words = _say(visiting, "tipchat.signed_by", unit=unit, who=who, time=at)
        else:
            words = _t(visiting, "unit_signed", unit=unit, time=at)
        return {"words": words, "tone": "good", "act": ""}
    if not tip.receipt_wanted or standing.state in ("superseded", "withdrawn"):
        return None
    address = f"{PATH}{place.post.token}"
    if person is None:
        way = f"/admin/sign-in?next={quote(address)}"
        return {"words": _t(visiting, "sign_in", unit=unit), "tone": "", "act": "sign_in", "way": way}
    own = await units.get(session, person.unit_id)
    if not contains(place.unit.path, own.path):
        words = _t(visiting, "outsider", unit=unit, own=own.name)
        return {"title": _say(visiting, "tip_receipt.outsider"), "words": words, "tone": "warn", "act": ""}
    # Bound to the sign-in: what a reader without one has been shown signs nothing.
    csrf = forms.token(visiting.services.secret, pages.anchor(request))
    words = _t(visiting, "for_unit", unit=unit)
    return {"words": words, "tone": "", "act": "read", "way": f"{address}/read", "csrf": csrf}


def _t(visiting: Visitor, key: str, **facts: Any) -> str:
    return say(f"tippage.{key}", pages.frame(visiting.request).language, **facts)


def _say(visiting: Visitor, key: str, **facts: Any) -> str:
    return say(key, pages.frame(visiting.request).language, **facts)
