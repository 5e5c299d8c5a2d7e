"""The four outputs of a work tip as the console shows them: message, paper, page, changes of entries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import Response

from admin import tip_changes
from admin.downloads import attached
from admin.pages import Desk, Number, signed_in
from knowledge import tip_chain, tip_links, tip_receipts, tip_shelf, tip_words, tips
from knowledge.tips import TipEntry, TipHead, TipSecrecy, WorkTip
from knowledge.versions import Entry, EntryVersion
from office import units
from office.hours import beijing_day
from office.staff import Permission
from office.words import CHINESE, say
from ticketing import tip_paper, tip_paper_facts, tip_paper_form, tip_paper_head, tip_places, tip_release

router = APIRouter(prefix="/tips")
Reading = Annotated[Desk, Depends(signed_in(Permission.SEE_ENTRIES))]
# As many characters of each as a card takes.
TITLE, OLD_TITLE, BULLET, BASIS = 200, 60, 60, 100
Links = Sequence[tuple[TipEntry, EntryVersion, Entry]]


@router.get("/{tip_id}/paper.docx")
async def paper_file(desk: Reading, tip_id: Number) -> Response:
    """The tip on paper, in the official layout; marked on every page until it is released."""
    tip = await tips.get(desk.session, desk.person, tip_id)
    made = tip_paper.paper(await tip_paper_facts.facts(desk.session, tip, now=desk.now))
    name = f"{tip_words.number(tip) or desk.t('tips.file_draft')} {tip.title}"
    return attached(made, f"tip-{tip.id}.docx", name)


async def outputs(desk: Desk, tip: WorkTip, links: Links) -> dict[str, Any]:
    """What the templates need to show the four outputs side by side; they are Chinese whoever looks."""
    return {
        "message": await message(desk, tip),
        "paper": await paper(desk, tip),
        "web": await web(desk, tip),
        "changes": [await tip_changes.change(desk, tip, version, entry) for _, version, entry in links],
        "changes_note": tip_changes.when(desk, tip),
    }


async def message(desk: Desk, tip: WorkTip) -> dict[str, Any]:
    """The card as the groups of a Telegram bot get it at the release, word for word; a test holds it to that.

    The edge that sends it may not be asked from here; both say it with the same words of the catalogue.
    """
    addressed = len(await tip_links.targets(desk.session, tip))
    read, owing = await tip_receipts.counts(desk.session, tip) if tip.released_at else (0, addressed)
    kind, year = say(f"tipchat.type.{tip.type}", CHINESE), _year(desk, tip)
    lines = [say("tipchat.head", CHINESE, number=_number(desk, tip), type=kind), _clipped(tip.title, TITLE)]
    lines += [words] if (words := await _replaces(desk, tip, OLD_TITLE)) else []
    bullets = tip_words.bullets(tip)
    lines += [f"• {_clipped(bullet, BULLET)}" for bullet in bullets]
    if basis := tip_words.basis_beside(tip, "\n".join(bullets)):
        lines.append(say("tipchat.basis", CHINESE, basis=_clipped(basis, BASIS)))
    spans = [
        say(f"tipchat.{name}", CHINESE, day=tip_words.moment(at, year, ends=name == "until"))
        for name, at in (("from", tip_words.begins(tip)), ("until", tip.effective_until))
        if at is not None
    ]
    lines += [" · ".join(spans)] if spans else []
    if tip.receipt_wanted:
        counter = say("tipchat.counter", CHINESE, read=read, addressed=owing)
        due = say("tipchat.due", CHINESE, due=tip_words.moment(receipt_due(desk, tip), year, ends=True))
        lines.append(f"{counter} · {due}")
    keys = ("text", "read", "ask") if tip.receipt_wanted else ("text", "ask")
    return {
        "head": lines[0], "title": lines[1], "rest": "\n".join(lines[2:]),
        "buttons": [say(f"tipchat.button.{key}", CHINESE) for key in keys],
    }  # fmt: skip


def receipt_due(desk: Desk, tip: WorkTip) -> datetime:
    """Until when receipts are owed: as it is said, else as a release now would set it."""
    if tip.receipt_due is not None:
        return tip.receipt_due
    return tip_release.receipt_due(max(tip.send_at or desk.now, desk.now), desk.hours)


def _year(desk: Desk, tip: WorkTip) -> int:
    """The year of its number, also of one that is still to come: days of that year are told without it."""
    return tip.year or beijing_day(desk.now).year


def _number(desk: Desk, tip: WorkTip) -> str:
    number = tip_words.number(tip) or desk.t("tips.number_to_come", year=_year(desk, tip))
    own = tip_words.document_no(tip)
    return say("tipchat.numbers", CHINESE, number=number, document_no=own) if own else number


async def _replaces(desk: Desk, tip: WorkTip, most: int = tips.LONGEST_TITLE) -> str:
    """What it says of the tip that it replaces; the page has room for the whole title, a card has not."""
    told = await tip_places.before(desk.session, tip, year=_year(desk, tip))
    if not told["old"]:
        return ""
    if not told["old_title"]:
        return say("tipchat.replaces_number", CHINESE, number=told["old"])
    return say("tipchat.replaces", CHINESE, number=told["old"], title=_clipped(told["old_title"], most))


def _clipped(words: str, most: int) -> str:
    plain = " ".join(words.split())
    return plain if len(plain) <= most else plain[: most - 1] + "…"


async def paper(desk: Desk, tip: WorkTip) -> dict[str, Any]:
    """The printed tip as a page can show it: its head, its parts, what stands at its foot."""
    said, form = await tip_paper_facts.facts(desk.session, tip, now=desk.now), tip_paper_form.form()
    red = said.head is TipHead.RED
    head = form.red if red else form.plain
    dated = tip_paper_facts.arabic(said.dated) if said.dated else ""
    printed = (
        say("tip_paper.printed", CHINESE, day=tip_paper_facts.arabic(said.printed)) if said.printed else ""
    )
    imprint = [(say("tip_paper.copied", CHINESE) + said.copied_to, "")] if said.copied_to else []
    copies = say("tip_paper.print_run", CHINESE, n=said.print_run) if said.print_run else ""
    titled = [row.title for row in said.attachments]
    return {
        "red": red,
        "name": head.mark.format(office=said.office),
        "number": said.number or say("tip_paper.number_blank", CHINESE),
        "document_no": said.document_no,
        "office": said.office,
        "dated": dated or say("tip_paper.date_blank", CHINESE),
        "mark": said.mark,
        "chain": tip_paper_head.below_title(said),
        "addressed_to": say("tip_paper.address", CHINESE, text=said.addressed_to)
        if said.addressed_to
        else "",
        "parts": [(part.title, part.lines) for part in said.parts],
        "attachments": [f"{n}.{title}" for n, title in enumerate(titled, 1)] if len(titled) > 1 else titled,
        "note": say("tip_paper.note", CHINESE, text=said.note) if said.note else "",
        "imprint": [*imprint, (said.office, printed), *([("", copies)] if copies else [])],
    }


async def web(desk: Desk, tip: WorkTip) -> dict[str, Any]:
    """The tip's own page as a reader meets it, word for word; a test holds it to that as well."""

    def said(key: str, **facts: Any) -> str:
        return say(f"tippage.{key}", CHINESE, **facts)

    public = tip.secrecy is TipSecrecy.PUBLIC
    standing = await tip_shelf.standing(desk.session, tip, now=desk.now)
    year = _year(desk, tip)
    office = await units.election_office(desk.session)
    number = tip_words.number(tip) or desk.t("tips.number_to_come", year=year)
    spans = [
        said(key, at=tip_words.moment(at, year, ends=key == "until"))
        for key, at in (("from", tip_words.begins(tip)), ("until", tip.effective_until))
        if at is not None
    ]
    passport = (
        ("number", number), ("document_no", tip_words.document_no(tip)),
        ("date", tip.dated.isoformat() if tip.dated else ""), ("issuer", office.office_name or office.name),
        ("basis", tip_words.basis_beside(tip, tip.wording)), ("scope", tip.scope.strip()),
        ("effective", " ".join(spans)),
    )  # fmt: skip
    new_public = standing.successor is not None and tip_shelf.is_public(standing.successor, desk.now)
    old = await tip_chain.replaced(desk.session, tip)
    way = f"/tips/{old.year}/{old.issue_no}" if old and tip_shelf.is_public(old, desk.now) else ""
    return {
        "href": f"/tips/{tip.year}/{tip.issue_no}" if public and tips.shown(tip, desk.now) else "",
        "note": desk.t("tips.web_public" if public else "tips.web_internal"),
        "mark": tip_chain.mark(tip, standing, CHINESE) if standing.state else "",
        "mark_text": tip_chain.instead(tip, standing, CHINESE, title=new_public, now=desk.now)
        if standing.state
        else "",
        "replaces": await _replaces(desk, tip),
        "old": (said("see_new", no=tip_words.beside(old, year)), way) if way else None,
        "head": said("head", number=_number(desk, tip), type=say(f"tipchat.type.{tip.type}", CHINESE)),
        "internal": "" if public else said("internal"),
        "addressed_to": say("tipchat.addressed_to", CHINESE, to=tip.addressed_to) if tip.addressed_to else "",
        "parts": [(heading, _lines(words)) for heading, words in tip_words.parts(tip)],
        "attachments": [
            (
                say("tipchat.attachment", CHINESE, number=n, title=row.get("title", "")),
                _lines(row.get("text", "")),
            )
            for n, row in enumerate(tip.attachments, 1)
        ],
        "passport": [(said(key), words) for key, words in passport if words],
    }


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]
